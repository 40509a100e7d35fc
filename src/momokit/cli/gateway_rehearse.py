"""`momo gateway rehearse`: emulator and gateway wired together, and one payment walked through."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from momokit.cli.command import Command
from momokit.cli.exits import OK, UNEXPECTED
from momokit.cli.output import tell
from momokit.cli.parts import make_emulator, served
from momokit.cli.session import Session, session

if TYPE_CHECKING:
    from momokit.emulator.serve import Server
    from momokit.gateway.app import Gateway
    from momokit.gateway.settings import GatewaySettings

HOST = "127.0.0.1"
NUMBER, AMOUNT = "256772123456", "25"
SCOPES = ("collect", "disburse", "read", "shop", "webhooks")
PERSON_SECONDS = 20.0
SETTLE_SECONDS = 20.0


@click.command(
    cls=Command,
    examples=("momo gateway rehearse", "momo gateway rehearse --once"),
)
@click.option("--port", type=click.IntRange(0, 65535), default=8702, show_default=True)
@click.option("--emulator-port", type=click.IntRange(0, 65535), default=8701, show_default=True)
@click.option("--once", is_flag=True, help="Settle one payment unattended, then end.")
def rehearse(port: int, emulator_port: int, once: bool) -> int:
    """Run emulator and gateway together on this machine, with a key made for the occasion.

    Prints the addresses, a line for curl that works, and the way of one payment through both. What
    is stored is forgotten at the end. With --once it exits with 0 only if the payment was
    successful and money moved exactly once.
    """
    here = session()
    emulator = make_emulator(approval="phone")
    with (
        tempfile.TemporaryDirectory(prefix="momokit-rehearsal-") as place,
        served(emulator, host=HOST, port=emulator_port, pages=True) as server,
    ):
        stage = Stage(here, server, place=Path(place), port=port, once=once)
        asyncio.run(stage.run())
        return OK if stage.is_good or not once else UNEXPECTED


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


class Stage:
    """One rehearsal: the gateway runs, and a payment is walked through it from another thread."""

    def __init__(
        self, here: Session, server: Server, *, place: Path, port: int, once: bool
    ) -> None:
        self.here = here
        self.server = server
        self.place = place
        # The port is known before the gateway runs, so that MTN can be told where to call back.
        self.port = port or _free_port()
        self.once = once
        self.is_good = False
        self._start = time.monotonic()

    def settings(self) -> GatewaySettings:
        """Give the settings of a gateway that lives as long as the rehearsal."""
        from momokit.gateway.settings import GatewaySettings

        return GatewaySettings(
            secret_key=base64.b64encode(os.urandom(32)).decode(),
            database_url=f"sqlite:///{self.place / 'gateway.db'}",
            host=HOST,
            port=self.port,
            metrics_port=0,
            webhook_allow_local=True,
            public_url=f"http://{HOST}:{self.port}",
            log_format="console",
            log_level="warning",
            shutdown_grace_seconds=5,
        )

    async def run(self) -> None:
        """Make account and key, run the gateway, walk the payment; end when told, or after it."""
        from momokit.gateway.app import build
        from momokit.gateway.log import configure
        from momokit.gateway.start import migrate_database

        settings = self.settings()
        configure(log_format=settings.log_format, level=settings.log_level)
        migrate_database(settings)
        running = await build(settings, "all")
        try:
            key = await self._furnish(running, settings)
            loop = asyncio.get_running_loop()

            def walk() -> None:
                try:
                    self._walk(running.base_url, key)
                finally:
                    if self.once:
                        loop.call_soon_threadsafe(running.stop)

            await running.run(ready=lambda _one: threading.Thread(target=walk, daemon=True).start())
        finally:
            await running.close()

    async def _furnish(self, running: Gateway, settings: GatewaySettings) -> str:
        """Give the gateway an account at the emulator and a key; gives the key's text."""
        from momokit.gateway.book import new_account
        from momokit.gateway.keys import create_key, make_key
        from momokit.gateway.seal import Sealer
        from momokit.gateway.store.accounts import add_account
        from momokit.settings import Credentials, Settings

        made = self.server.emulator.provision(callback_host=HOST)
        keys = Credentials(
            subscription_key=made.subscription_key, api_user=made.api_user, api_key=made.api_key
        )
        told = Settings(
            market="sandbox",
            base_url=self.server.base_url,
            collection=keys,
            disbursement=keys,
            remittance=keys,
        )
        account = new_account("rehearsal", told, sealer=Sealer(settings.key))
        new = make_key(label="rehearsal", scopes=SCOPES, live=False)
        await running.store.write(lambda transaction: add_account(transaction, account))
        await running.store.write(lambda transaction: create_key(transaction, new))
        await running.refresh_book()
        return new.text.reveal()

    def _walk(self, base_url: str, key: str) -> None:
        tell(self.here, f"MTN's API   {self.server.base_url}  (emulated)", event="emulator")
        tell(self.here, f"its pages   {self.server.base_url}/ and /phone", event="pages")
        tell(self.here, f"gateway     {base_url}  documents at {base_url}/docs", event="gateway")
        tell(self.here, f"a key       {key}  (for this rehearsal alone)", event="key")
        tell(self.here, f"try         {_curl(base_url, key)}", event="try")
        tell(self.here, "", event="walk")
        ask = _Caller(base_url, key)
        payment = ask(
            "POST",
            "/v1/payments",
            {"kind": "request_to_pay", "amount": AMOUNT, "party": NUMBER},
        )
        self._note(f"the gateway took payment {payment['id']}: {payment['state']}")
        self._approve(payment["reference_id"])
        until = time.monotonic() + SETTLE_SECONDS
        while not payment["is_final"] and time.monotonic() < until:
            payment = ask("GET", f"/v1/payments/{payment['id']}?wait=5")
        for entry in ask("GET", f"/v1/payments/{payment['id']}/timeline")["entries"]:
            what = f"{entry['source']:<8} {entry['what']}"
            tell(self.here, f"            {entry['at']}  {what}", event="timeline")
        moved = self.server.emulator.money_moved(payment["reference_id"])
        self.is_good = payment["state"] == "successful" and moved.times == 1
        self._note(f"{payment['state'].upper()}: money moved {moved.times}×")
        if not self.once:
            tell(self.here, "\nBoth go on running; Ctrl-C stops them.", event="serving")
        sys.stdout.flush()

    def _approve(self, reference_id: str) -> None:
        """Let a person approve on the phone page; without one, do it in the payer's place."""
        emulator = self.server.emulator
        waiting = _until(lambda: _is_waiting(emulator, reference_id), seconds=10.0)
        if not waiting:
            return
        if sys.stdin.isatty() and not self.once:
            page = f"{self.server.base_url}/phone/{NUMBER}"
            self._note(f"be the payer, approve it on the phone: {page}")
            if _until(lambda: not _is_waiting(emulator, reference_id), seconds=PERSON_SECONDS):
                return
        try:
            emulator.decide(reference_id, "approve")
        except ValueError:
            return  # decided on the phone page at this very moment
        self._note("approved here, as the payer would on the phone")

    def _note(self, what: str) -> None:
        seconds = time.monotonic() - self._start
        tell(self.here, f"{seconds:6.2f} s  {what}", event="step", seconds=round(seconds, 2))


class _Caller:
    """Calls the gateway as an application in any language would: plain HTTP and JSON."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def __call__(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = dict(self._headers)
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(  # noqa: S310 - our own address on this machine
            self._base_url + path, data=data, headers=headers, method=method
        )
        with self._open(request, timeout=60) as answer:
            return json.load(answer)


def _is_waiting(emulator: Any, reference_id: str) -> bool:
    return any(one.reference_id == reference_id for one in emulator.pending_approvals())


def _until(holds: Callable[[], bool], *, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return False


def _curl(base_url: str, key: str) -> str:
    body = json.dumps({"amount": AMOUNT, "phone": NUMBER})
    return (
        f"curl -s {base_url}/api/pay -H 'Authorization: Bearer {key}'"
        f" -H 'Idempotency-Key: order-1' -H 'Content-Type: application/json' -d '{body}'"
    )
