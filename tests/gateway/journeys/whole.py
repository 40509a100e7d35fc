"""The whole gateway in one process, API and worker, with MTN behind a real socket.

Its clock runs fast, and jumps to whatever is due next once nothing is under way: eight days of
polling take a moment. The emulator and the database go by this clock; deadlines go by the real one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from sqlalchemy import and_, case, func, or_, select

from momokit.emulator import Emulator, EmulatorSettings, running
from momokit.emulator.clock import Clock as EmulatorClock
from momokit.emulator.records import MoneyMoved
from momokit.gateway.app import Gateway, build
from momokit.gateway.book import new_account
from momokit.gateway.core.breaker import EARLY_QUESTION_SECONDS
from momokit.gateway.keys import create_key, make_key
from momokit.gateway.seal import Sealer
from momokit.gateway.serve import listen
from momokit.gateway.settings import GatewaySettings
from momokit.gateway.store.accounts import Account, add_account, list_accounts, resume_account
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.incidents import open_incidents
from momokit.gateway.store.lanes import shut_lanes
from momokit.gateway.store.payments import Filter
from momokit.gateway.store.records import StoredPayment
from momokit.gateway.store.tables import accounts, callbacks, deliveries, payments
from momokit.gateway.store.tables import webhook_endpoints as endpoints
from momokit.settings import Credentials, Settings

HEX = bytes(range(32)).hex()
SPEED = 20.0
PATIENCE_SECONDS = 60.0
PAYER, PAYEE = "46733123901", "46733123902"


class FastClock:
    """Time that runs fast, and can jump."""

    def __init__(self, *, speed: float = SPEED) -> None:
        self._began = time.time()
        self._speed = speed
        self._ahead_seconds = 0.0

    def now(self) -> float:
        """Tell the time."""
        passed = time.time() - self._began
        return self._began + passed * self._speed + self._ahead_seconds

    def jump_to(self, moment: float) -> None:
        """Jump to a moment that lies ahead."""
        self._ahead_seconds += max(0.0, moment - self.now())

    def set_back(self, *, seconds: float) -> None:
        """Go wrong: jump back."""
        self._ahead_seconds -= seconds


@dataclass
class Whole:
    """A running gateway, and what a test has in hand of it."""

    gateway: Gateway
    emulator: Emulator
    clock: FastClock
    http: httpx2.AsyncClient
    numbers: list[int] = field(default_factory=list)
    running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Let the gateway run."""
        ready = asyncio.Event()
        self.running = asyncio.create_task(self.gateway.run(ready=lambda _: ready.set()))
        await ready.wait()

    async def stop(self) -> None:
        """Do what SIGTERM does, and let go of the database."""
        self.gateway.stop()
        assert self.running is not None
        await self.running
        await self.gateway.close()

    async def restart(self) -> None:
        """Stop, and start a new gateway in the old one's place."""
        await self.stop()
        self.gateway = await build(self.gateway.settings, clock=self.clock.now)
        await self.start()

    async def post(self, path: str, body: Any, *, key: str | None = None) -> httpx2.Response:
        """Post to the API, under a new Idempotency-Key unless one is given."""
        self.numbers.append(len(self.numbers))
        headers = {"Idempotency-Key": key or f"key-{len(self.numbers)}"}
        return await self.http.post(path, json=body, headers=headers)

    async def pay(self, kind: str = "request_to_pay", **fields: Any) -> str:
        """Make a payment that is taken, and give its id."""
        pull = kind in ("request_to_pay", "withdraw")
        body = {"kind": kind, "amount": "5", "party": PAYER if pull else PAYEE} | fields
        response = await self.post("/v1/payments", body)
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    async def stored(self, payment_id: str) -> StoredPayment:
        """Read a payment as the books have it."""
        found = await self.gateway.store.payment(payment_id)
        assert found is not None
        return found

    async def all(self) -> Sequence[StoredPayment]:
        """Read every payment."""
        return (await self.gateway.store.list_payments(Filter(), limit=200)).items

    async def events(self, payment_id: str) -> list[str]:
        """Name what happened to a payment, oldest first."""
        timeline = await self.gateway.store.timeline(payment_id)
        assert timeline is not None
        return [one.event for one in timeline.events]

    async def account(self) -> Account:
        """Read the account: is its lane open?"""
        return (await self.gateway.store.read(list_accounts))[0]

    async def resume(self) -> None:
        """Open the account's lane again, as a person does."""
        account = await self.account()
        await self.gateway.store.write(lambda t: resume_account(t, account.id))

    async def truths(self, ids: Sequence[str]) -> list[tuple[str, int]]:
        """Tell of each payment its state in our books, and how often MTN moved its money."""
        stored = [await self.stored(one) for one in ids]
        return [(one.state.value, self.moved(one).times) for one in stored]

    async def incidents(self) -> list[str]:
        """Read what was raised to the operators."""
        return [one.text for one in await self.gateway.store.read(open_incidents)]

    def moved(self, one: StoredPayment) -> MoneyMoved:
        """Tell by the provider's books what became of a payment."""
        return self.emulator.money_moved(one.request.reference_id)

    def asked(self, operation: str) -> int:
        """Count the requests of one kind that MTN had."""
        return sum(one.operation == operation for one in self.emulator.history)

    async def heard(self, least: int) -> None:
        """Wait until so many callbacks have come, repeated ones counted."""

        def count(transaction: Transaction) -> int:
            query = select(func.coalesce(func.sum(callbacks.c.seen), 0))
            return int(transaction.connection.execute(query).scalar_one())

        until = time.monotonic() + PATIENCE_SECONDS
        while await self.gateway.store.read(count) < least:
            assert time.monotonic() < until, f"{least} callbacks did not come"
            await asyncio.sleep(0.01)

    async def until_quiet(self, *, horizon_seconds: float = float("inf")) -> None:
        """Let everything happen that is due within the horizon, jumping over the waits."""
        ends = self.clock.now() + horizon_seconds
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert time.monotonic() < until, "it does not come to rest"
            busy, due_at = await self.gateway.store.read(_what_is_due)
            if not busy and (due_at is None or due_at > ends):
                return
            if not busy and due_at is not None:
                self.clock.jump_to(due_at + 0.001)
                await self.gateway.store.write(lambda t: t.wake())
            await asyncio.sleep(0.01)


def _what_is_due(transaction: Transaction) -> tuple[bool, float | None]:
    """Tell whether somebody is at work, and when the next work is due."""
    open_lane = or_(
        accounts.c.paused_reason.is_(None),
        and_(accounts.c.paused_work == "submit", payments.c.work == "settle"),
    )
    held = payments.c.lease_until.is_not(None)
    lane = (payments.c.account_id, payments.c.product, payments.c.work)
    due = func.min(case((~held & open_lane, payments.c.due_at)))
    query = (
        select(*lane, func.count(case((held, 1))), due)
        .join(accounts, accounts.c.id == payments.c.account_id)
        .where(or_(payments.c.work.is_not(None), held))
        .group_by(*lane)
    )
    rows = transaction.connection.execute(query).all()
    moments = _with_breakers(transaction, {tuple(r[:3]): r[4] for r in rows if r[4] is not None})
    sending = deliveries.c.lease_until.is_not(None)
    soonest = func.min(case((~sending & endpoints.c.disabled_at.is_(None), deliveries.c.due_at)))
    joined = deliveries.join(endpoints, deliveries.c.endpoint_id == endpoints.c.id)
    told = transaction.connection.execute(
        select(func.count(case((sending, 1))), soonest).select_from(joined)
    ).one()
    moments += [told[1]] if told[1] is not None else []
    return any(row[3] for row in rows) or told[0] > 0, min(moments, default=None)


def _with_breakers(transaction: Transaction, due: dict[tuple[Any, ...], float]) -> list[float]:
    """Move what is due to when its lane lets it be tried, where that is shut."""
    shut = {
        (one.key.account_id, one.key.product, one.key.work.value): one.breaker.open_until
        for one in shut_lanes(transaction)
    }
    moved = []
    for key, at in due.items():
        if key not in shut:
            moved.append(at)
            continue
        asking = shut.get((*key[:2], "settle"))
        # A question comes before its time once none was due for long; sends wait for questions.
        early = asking + EARLY_QUESTION_SECONDS if asking is not None else at
        soonest = min(at, early) if key[2] == "settle" else early
        moved.append(max(shut[key], soonest))
    return moved


@asynccontextmanager
async def whole(
    url: str,
    *,
    callbacks_on: bool = False,
    emulator: EmulatorSettings | None = None,
    deadline_seconds: float = 5.0,
    speed: float = SPEED,
    **changes: Any,
) -> AsyncIterator[Whole]:
    """Run a gateway on a database with our schema, with one account and one key."""
    clock = FastClock(speed=speed)
    with (
        running(Emulator(emulator, clock=EmulatorClock(source=clock.now))) as server,
        listen("127.0.0.1", 0) as free,
    ):
        port = free.getsockname()[1]
        free.close()
        settings = GatewaySettings(
            secret_key=HEX, database_url=url, port=port, metrics_port=0, webhook_allow_local=True,
            public_url=f"http://127.0.0.1:{port}" if callbacks_on else None,
            lease_seconds=1200.0, status_calls_per_second=10, **changes,
        )  # fmt: skip
        gateway = await build(settings, clock=clock.now)
        text = await _furnish(gateway, server.emulator, server.base_url, deadline_seconds)
        headers = {"Authorization": f"Bearer {text}"}
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers=headers,
            trust_env=False,
            timeout=PATIENCE_SECONDS,
        ) as http:
            one = Whole(gateway, server.emulator, clock, http)
            await one.start()
            try:
                yield one
            finally:
                await one.stop()


async def _furnish(
    gateway: Gateway, emulator: Emulator, base_url: str, deadline_seconds: float
) -> str:
    """Give the gateway its account, and a key to its API."""
    made = emulator.provision(callback_host="127.0.0.1")
    keys = Credentials(
        subscription_key=made.subscription_key, api_user=made.api_user, api_key=made.api_key
    )
    client = Settings(
        market="sandbox",
        base_url=base_url,
        collection=keys,
        disbursement=keys,
        remittance=keys,
        deadline_seconds=deadline_seconds,
    )
    account = new_account("shop", client, sealer=Sealer(bytes.fromhex(HEX)))
    new = make_key(label="test", scopes=["admin"], live=False)

    def furnish(transaction: Transaction) -> None:
        add_account(transaction, account)
        create_key(transaction, new)

    await gateway.store.write(furnish)
    await gateway.book.load()
    return new.text.reveal()
