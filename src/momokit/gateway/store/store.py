"""`Store`: everything the gateway asks of its database, as one object for the event loop.

Writes go through the writer's threads and are committed in groups; reads have their own. No
transaction is ever open across an `await` of the caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError

from momokit.gateway.core.payment import Work
from momokit.gateway.core.places import Room
from momokit.gateway.store import claims, payments, writer
from momokit.gateway.store.accepting import AcceptRequest, accept_many
from momokit.gateway.store.bell import Bell, Listener
from momokit.gateway.store.database import READERS, Database, Transaction, is_migrated
from momokit.gateway.store.deliveries import ClaimedDelivery, DeliveryResult, record_deliveries
from momokit.gateway.store.delivery_claims import claim_deliveries
from momokit.gateway.store.inbox import Hint, HintRequest, hint_many
from momokit.gateway.store.recording import RecordRequest, record_many
from momokit.gateway.store.records import (
    AcceptResult,
    Check,
    Claimed,
    Decide,
    IdempotencyClaim,
    NewPayment,
    NotUnique,
    Recorded,
    StoredPayment,
)
from momokit.gateway.store.space import DiskGate
from momokit.gateway.store.switches import mark_copy
from momokit.gateway.store.veil import Veil

T = TypeVar("T")


class Store:
    """The gateway's memory. Close it when done; what was queued is still written.

    `veil` seals what it keeps of people; `data_keys.open_veil` makes it.
    """

    def __init__(
        self,
        url: str,
        *,
        veil: Veil,
        clock: Callable[[], float] | None = None,
        writers: int = 2,
    ) -> None:
        self._database = Database(url, veil=veil, clock=clock, writers=writers)
        self._bell = Bell()
        self._writer = writer.Writer(self._database, ring=self._bell.ring)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="momokit-reader")
        self._listener: Listener | None = None
        self._space: DiskGate | None = None
        self.stale_records = 0
        """How many results came from workers that had lost their lease, and were refused."""

    @property
    def is_sqlite(self) -> bool:
        """Tell whether this is the one-machine database."""
        return self._database.is_sqlite

    def watch_space(self, gate: DiskGate) -> None:
        """Accept nothing new while the disk has too little room; what is there is still seen to."""
        self._space = gate

    def close(self) -> None:
        """Write what is queued, then let go of every thread and connection."""
        if self._listener is not None:
            self._listener.close()
        self._writer.close()
        self._readers.shutdown()
        self._database.close()

    async def accept(
        self,
        new: NewPayment,
        *,
        idempotency: IdempotencyClaim | None,
        checks: Sequence[Check] = (),
    ) -> AcceptResult:
        """Accept a payment once, whatever repeats the request; `checks` may refuse by raising.

        Raises NotUnique when one of its numbers is taken, or names an account that is not there;
        and what stops new money: Stopped, LimitExceeded, StorageLow.
        """
        if self._space is not None:
            self._space.refuse_when_low()
        request = AcceptRequest(new=new, idempotency=idempotency, checks=tuple(checks))
        key = f"{idempotency.scope} {idempotency.key}" if idempotency is not None else ""
        try:
            result: AcceptResult = await self._submit(
                accept_many, request, order=(writer.ACCEPT, key)
            )
        except IntegrityError as error:
            raise NotUnique(f"{new.id} clashes with what is there already.") from error
        return result

    async def claim(
        self,
        work: Work,
        *,
        limit: int,
        lease_seconds: float,
        account_ids: Collection[str] | None = None,
    ) -> list[Claimed]:
        """Take payments that are due for this work; they are ours until the lease ends."""

        def unit(transaction: Transaction) -> list[Claimed]:
            return claims.claim_payments(
                transaction, work=work, limit=limit, lease_seconds=lease_seconds,
                account_ids=account_ids,
            )  # fmt: skip

        return await self.write(unit, order=(writer.CLAIM, ""))

    async def record(
        self, payment_id: str, decide: Decide, *, lease_token: int | None
    ) -> Recorded | None:
        """Decide about a payment and write what follows; None when the lease was lost.

        Raises NoSuchRow, IllegalMove, and whatever `decide` raises; then nothing is written.
        """
        request = RecordRequest(payment_id=payment_id, decide=decide, lease_token=lease_token)
        order = (writer.RECORD, payment_id)
        recorded: Recorded | None = await self._submit(record_many, request, order=order)
        if recorded is None:
            self.stale_records += 1
        return recorded

    async def hint(self, request: HintRequest) -> Hint:
        """Keep a callback, and bring the question about its payment forward."""
        order = (writer.HINT, request.payment_id or request.callback_token_hash or "")
        result: Hint = await self._submit(hint_many, request, order=order)
        return result

    async def claim_deliveries(
        self, *, limit: int, lease_seconds: float, room: Room | None = None
    ) -> list[ClaimedDelivery]:
        """Take webhooks that are due, a fair share for each endpoint."""

        def unit(transaction: Transaction) -> list[ClaimedDelivery]:
            return claim_deliveries(
                transaction, limit=limit, lease_seconds=lease_seconds, room=room
            )

        return await self.write(unit, order=(writer.CLAIM, "deliveries"))

    async def record_delivery(self, result: DeliveryResult) -> bool:
        """Write how a send went; False when the lease was lost."""
        order = (writer.DELIVERY, f"{result.delivery_id:020}")
        done: bool = await self._submit(record_deliveries, result, order=order)
        return done

    async def take_budget(self, account_id: str, *, wanted: int, per_second: int) -> int:
        """Take from an account's status calls of this second, shared by all workers."""
        request = claims.BudgetRequest(account_id=account_id, wanted=wanted, per_second=per_second)
        order = (writer.BUDGET, account_id)
        granted: int = await self._submit(claims.take_budgets, request, order=order)
        return granted

    async def payment(self, payment_id: str) -> StoredPayment | None:
        """Find a payment by our id."""
        return await self.read(lambda t: payments.find_payment(t, payment_id))

    async def timeline(self, payment_id: str) -> payments.Timeline | None:
        """Tell a payment's whole story."""
        return await self.read(lambda t: payments.timeline(t, payment_id))

    async def list_payments(
        self, wanted: payments.Filter, *, cursor: str | None = None, limit: int = 50
    ) -> payments.Page:
        """List payments, newest first, a page at a time."""
        return await self.read(
            lambda t: payments.list_payments(t, wanted, cursor=cursor, limit=limit)
        )

    async def next_due(self, work: Work) -> float | None:
        """Give the time at which the next free payment is due for this work."""
        return await self.read(lambda t: claims.next_due(t, work=work))

    async def now(self) -> float:
        """Give the time by the database's clock."""
        return await self.read(lambda t: t.now)

    async def is_ready(self) -> bool:
        """Tell whether the database answers and has the schema we need."""
        return await self.read(lambda t: is_migrated(t.connection))

    @property
    def wakes(self) -> int:
        """Count the wakes so far: read it before looking for work, then wait for the next."""
        return self._bell.rings

    async def wait_for_work(self, timeout_seconds: float, *, seen: int | None = None) -> bool:
        """Wait until something may be due; False when nothing was said in the time given.

        With `seen`, a wake since that count ends the wait at once, so that none is missed.
        """
        if self._listener is None and not self.is_sqlite:
            self._listener = Listener(self._database, bell=self._bell)
        return await self._bell.wait(timeout_seconds=timeout_seconds, seen=seen)

    async def write(
        self, unit: Callable[[Transaction], T], *, order: writer.Order = (writer.OTHER, "")
    ) -> T:
        """Run a unit of work in a transaction that it may share; it stands or falls alone."""

        def run(transaction: Transaction, _items: list[Any]) -> list[T]:
            return [unit(transaction)]

        result: T = await self._submit(run, None, order=order)
        return result

    async def read(self, unit: Callable[[Transaction], T]) -> T:
        """Run a question on a connection for reading."""

        def run() -> T:
            with self._database.reader.begin() as connection:
                return unit(self._database.transaction(connection))

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def backup(self, path: Path) -> None:
        """Copy a SQLite database to a file while work goes on.

        A gateway that is started on the copy begins with money held: what was paid after it was
        made is not in it.
        """
        now = await self.now()

        def copy() -> None:
            self._database.backup(path, mark=lambda made: mark_copy(made, now=now))

        await asyncio.get_running_loop().run_in_executor(self._readers, copy)

    async def _submit(self, run: writer.RunMany, item: Any, *, order: writer.Order) -> Any:
        return await self._writer.write(run, item, order=order)
