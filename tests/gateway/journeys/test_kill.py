"""Kill -9 at every named place, on both databases: no payment lost, none moved twice."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from momokit.emulator import Emulator, running
from momokit.gateway.crashpoints import POINTS
from momokit.gateway.store.payments import Filter
from momokit.gateway.store.records import StoredPayment
from momokit.gateway.store.store import Store
from tests.gateway.forked import Nursery, nursery_of, run_in
from tests.gateway.veiled import VEIL

ORDERS = [
    {"key": "one", "kind": "request_to_pay", "amount": "5", "party": "46733123901"},
    {"key": "two", "kind": "transfer", "amount": "7", "party": "46733123902"},
    {"key": "three", "kind": "transfer", "amount": "9", "party": "46733123903"},
]
INVOICE = {
    "key": "four", "kind": "invoice", "amount": "5", "party": "46733123904",
    "details": {"payee": "46733123902"},
}  # fmt: skip
# The edges have their own processes and tests; these are the steps of the worker and of acceptance.
STEPS = [point for point in POINTS if point.split(".")[0] in ("accept", "submit", "settle")]


@pytest.fixture(scope="module")
def provider() -> Iterator[tuple[Emulator, str]]:
    """Serve one emulator for all kills."""
    emulator = Emulator()
    with running(emulator) as server:
        yield emulator, server.base_url


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Start the program that forks a gateway for each line it is given."""
    with nursery_of("tests.gateway.journeys.node") as process:
        yield process


class Node:
    """Starts the gateway's process, to be killed or to live."""

    def __init__(self, nursery: Nursery, provider: tuple[Emulator, str], url: str) -> None:
        emulator, base_url = provider
        emulator.reset()
        made = emulator.provision()
        self.nursery = nursery
        self.told: dict[str, Any] = {
            "url": url,
            "base_url": base_url,
            "keys": {
                "subscription_key": made.subscription_key,
                "api_user": made.api_user,
                "api_key": made.api_key,
            },
            "orders": ORDERS,
            "speed": 10.0,
            "start": time.time(),
            "patience_seconds": 20,
        }

    def run(self, *, crash_at: str = "") -> int:
        """Run the process to its end, and give how it ended."""
        return run_in(self.nursery, self.told, crash_at=crash_at)


def payments_in(url: str) -> list[StoredPayment]:
    """Read every payment that the books know."""
    store = Store(url, veil=VEIL)
    try:
        page = asyncio.run(_all(store))
    finally:
        store.close()
    return page


async def _all(store: Store) -> list[StoredPayment]:
    return (await store.list_payments(Filter(), limit=200)).items


@pytest.mark.parametrize("point", STEPS)
def test_fm_18_killed_at_any_point_nothing_is_lost_and_nothing_moves_twice(
    point: str, url: str, provider: tuple[Emulator, str], nursery: Nursery
) -> None:
    """After a kill and a restart each order is one payment, settled, and moved once."""
    emulator = provider[0]
    node = Node(nursery, provider, url)

    killed = node.run(crash_at=point)
    ended = node.run()

    payments = payments_in(url)
    moved = [emulator.money_moved(one.request.reference_id).times for one in payments]
    assert (killed, ended) == (-signal.SIGKILL, 0)
    assert sorted(one.payment.amount for one in payments) == [5, 7, 9]
    assert [one.state for one in payments] == ["successful"] * 3
    assert moved == [1, 1, 1]


@pytest.mark.parametrize("point", ["submit.after_send", "settle.after_ask"])
def test_fm_18_killed_again_while_recovering_it_still_holds(
    point: str, url: str, provider: tuple[Emulator, str], nursery: Nursery
) -> None:
    """A second kill during the recovery from the first changes nothing."""
    emulator = provider[0]
    node = Node(nursery, provider, url)

    killed = [node.run(crash_at=point), node.run(crash_at="settle.before_ask")]
    ended = node.run()

    payments = payments_in(url)
    moved = [emulator.money_moved(one.request.reference_id).times for one in payments]
    assert (killed, ended) == ([-signal.SIGKILL] * 2, 0)
    assert [one.state for one in payments] == ["successful"] * 3
    assert moved == [1, 1, 1]


@pytest.mark.parametrize("point", [point for point in POINTS if point.startswith("cancel")])
def test_fm_18_killed_while_cancelling_it_is_cancelled_once(
    point: str, url: str, provider: tuple[Emulator, str], nursery: Nursery
) -> None:
    """Before or after MTN was asked to: the wish is on disk, and MTN's status ends it."""
    emulator = provider[0]
    node = Node(nursery, provider, url)
    node.told["orders"] = [INVOICE]
    emulator.scenarios.set(identifier=str(INVOICE["party"]), outcome="Ongoing")

    killed = node.run(crash_at=point)
    ended = node.run()

    [invoice] = payments_in(url)
    moved = emulator.money_moved(invoice.request.reference_id).times
    assert (killed, ended) == (-signal.SIGKILL, 0)
    assert (invoice.state.value, invoice.payment.reason_code) == ("failed", "TRANSACTION_CANCELED")
    assert moved == 0
