"""A gateway to measure: its database furnished, its processes started as an operator does.

MTN, the gateway and the merchant share this machine's cores. So beside each rate stands what the
processes of the gateway used of them, which other work on the machine disturbs less.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.gateway_database import Database
from benchmarks.gateway_emulated import API_KEY, API_USER, SUBSCRIPTION_KEY
from benchmarks.gateway_load import Line, Receiver, post
from benchmarks.servers import Place, cpu_seconds, process
from momokit.gateway.book import new_account
from momokit.gateway.keys import create_key, make_key
from momokit.gateway.seal import Sealer
from momokit.gateway.settings import GatewaySettings
from momokit.gateway.start import migrate_database, open_store
from momokit.gateway.store.accounts import Account, Endpoint, add_account, add_endpoint
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.store import Store
from momokit.settings import Credentials, Settings

MASTER_KEY = bytes(range(32)).hex()
HOOK_SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
ACCOUNTS = 80
"""MTN takes ten status questions a second for one account, so many payments take many accounts."""

START_SECONDS = 30.0
STOP_SECONDS = 40.0


@dataclass(slots=True)
class Site:
    """One gateway with its surroundings, while it runs."""

    database: Database
    emulator: Place
    receiver: Receiver
    port: int
    api_key: str
    accounts: Sequence[Account]
    bell: Account
    environ: dict[str, str]
    log: Path
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    @property
    def public_url(self) -> str:
        """Where MTN calls back."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *roles: str) -> None:
        """Start processes of these roles, and wait until each says that it is there."""
        for role in roles:
            name = f"{role} {sum(one.startswith(role) for one in self.processes) + 1}"
            with self.log.open("a") as log:
                self.processes[name] = subprocess.Popen(
                    [sys.executable, "-m", "momokit.cli.main", "--json", "gateway", role],
                    env=self.environ, stdout=subprocess.PIPE, stderr=log, text=True,
                )  # fmt: skip
        for name, started in self.processes.items():
            assert started.stdout is not None
            if not started.stdout.readline():
                raise RuntimeError(f"{name} did not start: {self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """End all processes as a power cut does."""
        for one in self.processes.values():
            one.kill()
            one.wait()
        self.processes.clear()

    def stop(self) -> None:
        """End all processes in peace."""
        for one in self.processes.values():
            one.send_signal(signal.SIGTERM)
        for one in self.processes.values():
            try:
                one.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                one.kill()
        self.processes.clear()

    def line(self) -> Line:
        """Give connections to the API."""
        return Line(self.port)

    def payment(self, number: int, *, rings: bool = False) -> bytes:
        """Write down the request for a payment, from another payer each time.

        One that `rings` is for an account whose lane is never closed.
        """
        body = {
            "kind": "request_to_pay",
            "amount": "5000",
            "party": f"25677{number % 10_000_000:07}",
            "account": (self.bell if rings else self.accounts[number % len(self.accounts)]).id,
            "merchant_reference": f"order-{uuid.uuid4().hex[:12]}",
            "payer_message": "Order 1042",
            "metadata": {"basket": str(number)},
        }
        headers = f"Authorization: Bearer {self.api_key}\r\nIdempotency-Key: {uuid.uuid4().hex}\r\n"
        return post("/v1/payments", json.dumps(body).encode(), headers=headers)

    def cpu(self) -> dict[str, float]:
        """Read the CPU seconds that each process has used so far."""
        used = {name: cpu_seconds(one.pid) for name, one in self.processes.items()}
        used["database"] = self.database.cpu_seconds()
        used["emulator"] = cpu_seconds(self.emulator.pid)
        used["merchant"] = time.process_time()
        return used

    @contextlib.asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """Open the gateway's database beside it."""
        store = await open_store(settings_for(self.database))
        try:
            yield store
        finally:
            store.close()

    async def ready(self) -> None:
        """Wait until the API says that it is ready."""
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(
                    urllib.request.urlopen, f"http://127.0.0.1:{self.port}/readyz", timeout=5
                )
                return
            await asyncio.sleep(0.01)
        raise RuntimeError(f"the gateway is not ready: {self.log.read_text()[-2000:]}")


@contextlib.asynccontextmanager
async def site(
    database: Database, *, accounts: int = ACCOUNTS, payers: str = "pay", **settings: Any
) -> AsyncIterator[Site]:
    """Furnish a database for a gateway, with MTN and a merchant beside; nothing is started yet.

    `payers` are those of MTN: they "pay" at once, or are on the "phone" and decide nothing.
    """
    receiver = Receiver()
    await receiver.open()
    with (
        process("benchmarks.gateway_emulated", payers, core=None) as emulator,
        tempfile.TemporaryDirectory(prefix="momokit-bench-") as place,
    ):
        port = free_port()
        environ = {
            **os.environ,
            "MOMO_DATABASE_URL": database.url,
            "MOMO_GATEWAY_SECRET_KEY": MASTER_KEY,
            "MOMO_GATEWAY_PORT": str(port),
            "MOMO_GATEWAY_METRICS_PORT": "0",
            "MOMO_GATEWAY_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "MOMO_GATEWAY_WEBHOOK_ALLOW_LOCAL": "1",
            **{f"MOMO_GATEWAY_{name.upper()}": str(value) for name, value in settings.items()},
        }
        migrate_database(settings_for(database))
        made, key = await _furnish(database, emulator, receiver, accounts)
        log = Path(place) / "gateway.log"
        one = Site(database, emulator, receiver, port, key, made[1:], made[0], environ, log)
        try:
            yield one
        finally:
            one.stop()
            await receiver.close()


async def _furnish(
    database: Database, emulator: Place, receiver: Receiver, count: int
) -> tuple[list[Account], str]:
    sealer = Sealer(bytes.fromhex(MASTER_KEY))
    keys = Credentials(subscription_key=SUBSCRIPTION_KEY, api_user=API_USER, api_key=API_KEY)
    told = Settings(market="uganda", base_url=emulator.base_url, collection=keys)
    made = [new_account(f"shop-{number}", told, sealer=sealer) for number in range(count + 1)]
    key = make_key(label="bench", scopes=["collect", "read"], live=False)
    endpoint_id = f"ep_{uuid.uuid4().hex[:24]}"
    endpoint = Endpoint(
        id=endpoint_id,
        url=receiver.url,
        secrets_sealed=sealer.seal_texts(endpoint_id, [HOOK_SECRET]),
        event_filter=("payment.successful", "payment.failed"),
    )

    def furnish(transaction: Transaction) -> None:
        for account in made:
            add_account(transaction, account)
        create_key(transaction, key)
        add_endpoint(transaction, endpoint)

    store = await open_store(settings_for(database))
    try:
        await store.write(furnish)
    finally:
        store.close()
    return made, key.text.reveal()


def settings_for(database: Database) -> GatewaySettings:
    """Give the settings under which its processes open a database."""
    return GatewaySettings(secret_key=MASTER_KEY, database_url=database.url)


def free_port() -> int:
    """Find a port that nobody has taken."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
