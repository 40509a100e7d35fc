"""What tests of batches are made of: a desk with a store, people, and an MTN that does as told."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any

from momokit.gateway.batches import CHECKING, RUNNING, BatchLoop
from momokit.gateway.core.batch import BatchPolicy, BatchState
from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import Fact, Taken, Told, TurnedDown
from momokit.gateway.core.holder import Holder
from momokit.gateway.core.payment import State, Work
from momokit.gateway.steps import batch_sign, batch_steer
from momokit.gateway.steps.batch_intake import Upload, take_in
from momokit.gateway.store.accounts import Account, add_account, list_accounts
from momokit.gateway.store.batch_history import Actor
from momokit.gateway.store.batch_rows import RowAndPayment, list_rows
from momokit.gateway.store.batch_running import Progress, progress_of
from momokit.gateway.store.batches import Batch, find_batch, set_policy
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.payments import Filter
from momokit.gateway.store.records import IdempotencyClaim, StoredPayment
from momokit.gateway.store.store import Store
from momokit.market import market as market_named
from momokit.operations.forms import Forms
from tests.gateway.store.making import Clock
from tests.gateway.veiled import VEIL

MAKER, CHECKER, SECOND = Actor(person="amina"), Actor(person="brian"), Actor(person="chantal")
HEADER = "Phone,Amount,Name,Reference"
ACCOUNT = Account(
    id="acc_1",
    name="payroll",
    market="uganda",
    base_url="",
    settings={},
    credentials_sealed=b"not used here",
)
FAST = BatchPolicy(rows_per_second=200.0, in_flight_cap=1000, check_holders=False)
PATIENCE = 400


def phone(number: int) -> str:
    """Give a number of MTN Uganda's, as people write it."""
    return f"077{1_234_567 + number * 13:07d}"


def line(number: int, amount: object = 1000, *, name: str = "", reference: str = "") -> str:
    """Write a row of a file."""
    return f"{phone(number)},{amount},{name},{reference or f'R{number}'}"


def sheet(*lines: str) -> bytes:
    """Write a file."""
    return "\n".join([HEADER, *lines]).encode()


class Book:
    """The one account."""

    def account(self, _name: str | None, /) -> Account:
        """Give the account."""
        return ACCOUNT

    def forms_of(self, _account_id: str, /) -> Forms:
        """Give its forms."""
        return Forms(market=market_named("uganda"), new_id=lambda: str(uuid.uuid4()))


class Desk:
    """A store, a loop that runs batches, and an MTN whose answers a test sets."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.store = Store(url, veil=VEIL, clock=clock)
        self.clock = clock
        self.book = Book()
        self.balance: Decimal | None = Decimal(1_000_000_000)
        self.balances_asked = 0
        self.holders: dict[str, Holder] = {}
        self.holders_asked: list[str] = []
        self.refusals: dict[str, str] = {}
        self.loop = BatchLoop(
            store=self.store, book=self.book, ask_holder=self._holder, ask_balance=self.ask_balance
        )
        self._keys = 0

    async def open(self, policy: BatchPolicy = FAST) -> None:
        """Open the account."""
        if not await self.store.read(list_accounts):
            await self.store.write(lambda t: add_account(t, ACCOUNT))
        await self.policy(policy)

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    async def policy(self, policy: BatchPolicy) -> None:
        """Set what the account allows."""
        await self.store.write(lambda t: set_policy(t, ACCOUNT.id, policy, by="test"))

    async def upload(
        self, *lines: str, actor: Actor = MAKER, key: str | None = None, **said: Any
    ) -> Batch:
        """Upload a file of these rows."""
        return (await self.take_in(sheet(*lines), actor=actor, key=key, **said)).batch

    async def take_in(
        self, content: bytes, *, actor: Actor = MAKER, key: str | None = None, **said: Any
    ) -> Any:
        """Upload a file."""
        digest = hashlib.sha256(content).hexdigest()
        upload = Upload(**{"file_name": "pay.csv", "digest": digest} | said)
        return await take_in(
            BytesIO(content), upload, store=self.store, book=self.book, actor=actor,
            idempotency=self.claim(key, request=digest),
        )  # fmt: skip

    def claim(self, key: str | None = None, *, request: str = "") -> IdempotencyClaim:
        """Make an idempotency claim, under a new key unless one is given."""
        self._keys += 1
        return IdempotencyClaim(scope="test", key=key or f"key-{self._keys}", request_hash=request)

    async def checked(self, *lines: str, **said: Any) -> Batch:
        """Upload a file and let it be checked."""
        return await self.check(await self.upload(*lines, **said))

    async def submitted(self, *lines: str, **said: Any) -> Batch:
        """Upload a file, and bring it before a second person."""
        batch = await self.checked(*lines, **said)
        return await batch_sign.submit(self.store, batch.id, actor=MAKER)

    async def approved(self, *lines: str, **said: Any) -> Batch:
        """Upload a file and have it approved."""
        batch = await self.submitted(*lines, **said)
        return await self.approve(batch)

    async def approve(self, batch: Batch, *, actor: Actor = CHECKER) -> Batch:
        """Approve a batch as it is."""
        return await batch_sign.approve(
            self.store, batch.id, actor=actor, seen_hash=batch.rows_hash or ""
        )

    async def override(self, batch: Batch, *codes: str, actor: Actor = CHECKER) -> Batch:
        """Take findings upon oneself."""
        return await batch_sign.override(
            self.store, batch.id, actor=actor, seen_hash=batch.rows_hash or "",
            codes=codes, because="It is meant.",
        )  # fmt: skip

    async def resume(self, batch: Batch) -> Batch:
        """Let a paused batch go on."""
        return await batch_steer.resume(self.store, batch.id, actor=MAKER)

    async def check(self, batch: Batch) -> Batch:
        """Let a batch be checked to the end."""
        await self._until(batch, {BatchState.CHECKED}, CHECKING)
        return await self.batch(batch)

    async def run(self, batch: Batch, *states: BatchState) -> Batch:
        """Run a batch, and MTN with it, until it is in one of these states (finished, say)."""
        await self._until(batch, states or {BatchState.FINISHED}, RUNNING)
        return await self.batch(batch)

    async def step(self, states: Collection[BatchState] = RUNNING) -> bool:
        """Carry a batch one step further."""
        return await self.loop.step(states)

    async def batch(self, batch: Batch) -> Batch:
        """Read a batch as it is now."""
        found = await self.store.read(lambda t: find_batch(t, batch.id))
        assert found is not None
        return found

    async def progress(self, batch: Batch) -> Progress:
        """Count a batch's payments."""
        return await self.store.read(lambda t: progress_of(t, batch.id))

    async def counts(self, batch: Batch) -> dict[str, int]:
        """Count a batch's payments by state."""
        progress = await self.progress(batch)
        return {name: tally.rows for name, tally in progress.by_state.items()}

    async def rows(self, batch: Batch, **wanted: Any) -> list[RowAndPayment]:
        """Read a batch's rows."""
        return await self.store.read(lambda t: list_rows(t, batch.id, limit=1000, **wanted))

    async def payments(self) -> Sequence[StoredPayment]:
        """Read every payment."""
        return (await self.store.list_payments(Filter(), limit=200)).items

    async def sent(self) -> int:
        """Let MTN answer what is due to be sent; tell how many payments it had."""
        claimed = await self.store.claim(Work.SUBMIT, limit=1000, lease_seconds=60)
        for one in claimed:
            refusal = self.refusals.get(one.payment.party_id or "")
            fact: Fact = Taken() if refusal is None else TurnedDown(code=refusal, status=400)
            await self._learn(one.id, fact, lease_token=one.lease_token)
        return len(claimed)

    async def settled(self) -> None:
        """Let MTN tell of what it has that it succeeded, and nothing of what it refused."""
        claimed = await self.store.claim(Work.SETTLE, limit=1000, lease_seconds=60)
        for one in claimed:
            refusal = self.refusals.get(one.payment.party_id or "")
            told = Told(status="SUCCESSFUL", financial_transaction_id=one.id)
            if refusal is None and self.balance is not None and not one.payment.state.is_final:
                self.balance -= one.payment.amount
            if refusal is not None:
                told = Told(status="FAILED", reason_code=refusal)
            await self._learn(one.id, told, lease_token=one.lease_token)

    async def learn(self, payment_id: str, fact: Fact) -> None:
        """Record a fact about a payment."""
        await self._learn(payment_id, fact, lease_token=None)

    async def sql(self, statement: Any, values: Any = None) -> None:
        """Do to the database what no code of ours does."""

        def unit(transaction: Transaction) -> None:
            transaction.connection.execute(statement, values)

        await self.store.write(unit)

    async def _learn(self, payment_id: str, fact: Fact, *, lease_token: int | None) -> None:
        await self.store.record(
            payment_id, lambda payment, now: decide(payment, fact, now=now), lease_token=lease_token
        )

    async def _until(
        self, batch: Batch, ends: Collection[BatchState], states: Collection[BatchState]
    ) -> None:
        for _ in range(PATIENCE):
            found = await self.batch(batch)
            if found.state in ends:
                return
            await self.loop.step(states)
            if found.state is not BatchState.DRAFT:
                await self.sent()
                self.clock.advance(5.0)
                await self.settled()
            self.clock.advance(0.5)
        raise AssertionError(f"the batch is still {found.state}")

    async def _holder(self, _account_id: str, msisdn: str, /) -> Holder:
        self.holders_asked.append(msisdn)
        return self.holders.get(msisdn, Holder(active="could_not_check"))

    async def ask_balance(self, _account_id: str, _currency: str, /) -> Decimal | None:
        self.balances_asked += 1
        return self.balance

    def paid(self, stored: Sequence[StoredPayment]) -> list[StoredPayment]:
        """Give those that are paid."""
        return [one for one in stored if one.state is State.SUCCESSFUL]
