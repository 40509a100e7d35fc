"""Kill -9 at the edges: in the middle of a callback, and around every webhook."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import select

from momokit.emulator import Emulator, running
from momokit.gateway.crashpoints import POINTS
from momokit.gateway.serve import listen
from momokit.gateway.store.database import Database
from momokit.gateway.store.tables import payments
from momokit.webhooks import verify
from tests.gateway.forked import Nursery, nursery_of, run_in

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ORDERS = [
    {"key": "one", "kind": "request_to_pay", "amount": "5", "party": "46733123901"},
    {"key": "two", "kind": "transfer", "amount": "7", "party": "46733123902"},
]
EDGES = [point for point in POINTS if point.split(".")[0] in ("callback", "notify")]


class Merchant:
    """Receives webhooks and keeps those whose signature is good."""

    def __init__(self) -> None:
        heard: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                verify(body, dict(self.headers.items()), secrets=[SECRET])
                heard.append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.heard = heard
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def merchant() -> Iterator[Merchant]:
    """Give a merchant who listens."""
    one = Merchant()
    yield one
    one.close()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Start the program that forks a gateway for each line it is given."""
    with nursery_of("tests.gateway.journeys.whole_node") as process:
        yield process


def payments_in(url: str) -> list[Any]:
    """Read every payment that the books know: id, state, reference id."""
    database = Database(url)
    try:
        with database.reader.begin() as connection:
            query = select(payments.c.id, payments.c.state, payments.c.reference_id)
            return list(connection.execute(query))
    finally:
        database.close()


@pytest.mark.parametrize("point", EDGES)
def test_fm_38_killed_at_an_edge_every_webhook_comes_and_money_moves_once(
    point: str, url: str, merchant: Merchant, nursery: Nursery
) -> None:
    """After a kill and a restart each payment is settled, moved once, and told of at least once."""
    emulator = Emulator()
    with running(emulator) as server, listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
        free.close()
        made = emulator.provision(callback_host="127.0.0.1")
        told = {
            "url": url,
            "base_url": server.base_url,
            "keys": {
                "subscription_key": made.subscription_key,
                "api_user": made.api_user,
                "api_key": made.api_key,
            },
            "orders": ORDERS,
            "port": port,
            "hook_url": merchant.url,
            "hook_secret": SECRET,
            "speed": 20.0,
            "start": time.time(),
            "patience_seconds": 30,
        }
        killed = run_in(nursery, told, crash_at=point)
        ended = run_in(nursery, told)

    found = payments_in(url)
    moved = [emulator.money_moved(one.reference_id).times for one in found]
    successes = {one["data"]["id"] for one in merchant.heard if one["type"] == "payment.successful"}
    assert (killed, ended) == (-signal.SIGKILL, 0)
    assert [one.state for one in found] == ["successful"] * 2
    assert moved == [1, 1]
    assert successes == {one.id for one in found}
