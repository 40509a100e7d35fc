"""The batches' worker: takes a batch that is due and carries it one step further, again and again.

Any number of workers on any number of hosts may run at once; the lease on a batch's row keeps them
apart. What a batch lets go is sent by the payments' own worker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from momokit.gateway.core.batch import BatchState
from momokit.gateway.steps.batch_check import AskHolder, check_rows
from momokit.gateway.steps.batch_prepare import Book, prepare
from momokit.gateway.steps.batch_release import AskBalance, end_cancelled, release
from momokit.gateway.store.batches import Batch, claim_batch, next_batch_due
from momokit.gateway.store.store import Store

log = logging.getLogger("momokit.gateway")

CHECKING = frozenset({BatchState.DRAFT})
RUNNING = frozenset(
    {BatchState.APPROVED, BatchState.PREPARING, BatchState.RUNNING, BatchState.CANCELLED}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchSettings:
    """For how long one step of a batch may take, and how often to look when nothing is said."""

    lease_seconds: float = 120.0
    idle_seconds: float = 0.5


class BatchLoop:
    """Runs batches. `ask_holder` and `ask_balance` are questions to MTN, handed in."""

    def __init__(
        self,
        *,
        store: Store,
        book: Book,
        ask_holder: AskHolder,
        ask_balance: AskBalance,
        public_url: str | None = None,
        settings: BatchSettings = BatchSettings(),
    ) -> None:
        self._store = store
        self._book = book
        self._ask_holder = ask_holder
        self._ask_balance = ask_balance
        self._public_url = public_url
        self._settings = settings
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask the loop to end; a step under way is finished first."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`. Checks have a loop of their own: they wait for MTN, payments do not
        wait for them."""
        loops = [asyncio.create_task(self._loop(states)) for states in (CHECKING, RUNNING)]
        await asyncio.gather(*loops)

    async def step(self, states: Collection[BatchState] = CHECKING | RUNNING) -> bool:
        """Carry one batch that is due one step further; False when none is."""
        lease = self._settings.lease_seconds
        claimed = await self._store.write(
            lambda t: claim_batch(t, lease_seconds=lease, states=states)
        )
        if claimed is None:
            return False
        await self._carry(claimed)
        return True

    async def _carry(self, claimed: Batch) -> None:
        match claimed.state:
            case BatchState.DRAFT:
                await check_rows(
                    claimed, store=self._store, ask=self._ask_holder,
                    ask_balance=self._ask_balance,
                )  # fmt: skip
            case BatchState.APPROVED | BatchState.PREPARING:
                await prepare(
                    claimed, store=self._store, book=self._book, public_url=self._public_url
                )
            case BatchState.RUNNING:
                await release(claimed, store=self._store, ask=self._ask_balance)
            case BatchState.CANCELLED:
                await end_cancelled(claimed, store=self._store)

    async def _loop(self, states: Collection[BatchState]) -> None:
        while not self._stopping.is_set():
            try:
                # A look costs no write: as a rule there is no batch, or none that is due.
                pause = await self._pause(states)
                if pause <= 0:
                    await self.step(states)
                    continue
            except Exception:
                # The database may be away for a moment. The batch keeps its lease and comes back.
                log.exception("a step of a batch failed")
                pause = self._settings.idle_seconds
            # Not woken by what happens to payments: that is many times a second, and not for us.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _pause(self, states: Collection[BatchState]) -> float:
        """Say how long there is nothing to do for the batches in these states."""
        due, now = await self._store.read(lambda t: (next_batch_due(t, states=states), t.now))
        idle = self._settings.idle_seconds
        return idle if due is None else min(idle, due - now)
