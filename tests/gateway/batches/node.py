"""A gateway that pays one batch, as a process of its own, to be killed and started again.

The kill tests start this program once; for each line of JSON on its standard input it forks a
process that carries the batch from wherever it is to its end, and answers how that one ended: 0
when the batch is over, minus the signal when it was killed. Each start is the same: what was done
before is found in the database, as after any crash.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from momokit.gateway.batches import BatchLoop, BatchSettings
from momokit.gateway.core.batch import BatchPolicy, BatchState
from momokit.gateway.provider import Provider
from momokit.gateway.questions import Questions
from momokit.gateway.steps import batch_sign, batch_steer
from momokit.gateway.steps.batch_intake import Upload, take_in
from momokit.gateway.store.accounts import add_account, list_accounts
from momokit.gateway.store.batch_history import Actor, list_batch_events
from momokit.gateway.store.batch_running import progress_of
from momokit.gateway.store.batches import Batch, find_batch, set_policy
from momokit.gateway.store.records import IdempotencyClaim
from momokit.gateway.store.store import Store
from momokit.gateway.worker import Worker, WorkerSettings
from momokit.settings import Credentials, Settings
from tests.gateway.forked import serve
from tests.gateway.journeys.node import ACCOUNT, OneAccountBook, faster_clock
from tests.gateway.veiled import VEIL

MAKER, CHECKER = Actor(person="amina"), Actor(person="brian")
POLICY = BatchPolicy(rows_per_second=200.0, in_flight_cap=200, check_holders=False)
# Six seconds of real time: on a busy machine a shorter lease is lost before its work is done.
LEASE_SECONDS = 120.0


class Run:
    """One process's work at the batch."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        clock = faster_clock(told["speed"], told["start"])
        self.store = Store(told["url"], veil=VEIL, clock=clock)
        keys = Credentials(**told["keys"])
        self.settings = Settings(
            market="sandbox", base_url=told["base_url"], collection=keys, disbursement=keys,
            deadline_seconds=5,
        )  # fmt: skip
        self.provider = Provider(lambda _account_id: self.settings)
        self.questions = Questions(self.provider.client)
        self.book = OneAccountBook(self.settings)
        self.loop = BatchLoop(
            store=self.store, book=self.book, ask_holder=self.questions.holder,
            ask_balance=self.questions.balance,
            settings=BatchSettings(lease_seconds=LEASE_SECONDS, idle_seconds=0.05),
        )  # fmt: skip
        self.worker = Worker(
            store=self.store, provider=self.provider, deliver=_deliver_nothing,
            settings=WorkerSettings(
                lease_seconds=LEASE_SECONDS, idle_seconds=0.05, sends_at_once=16,
                questions_at_once=16, status_calls_per_second=10,
            ),
        )  # fmt: skip
        self.until = time.monotonic() + told["patience_seconds"]

    async def __call__(self) -> int:
        """Carry the batch to its end; 1 when that takes too long."""
        if not await self.store.read(list_accounts):
            await self.store.write(lambda t: add_account(t, ACCOUNT))
            await self.store.write(lambda t: set_policy(t, ACCOUNT.id, POLICY, by="test"))
        batch = await self._upload()
        parts = [asyncio.create_task(part.run()) for part in (self.loop, self.worker)]
        ended = await self._carry(batch)
        if ended and self.told["retries"]:
            claim = IdempotencyClaim(scope="test", key="retry", request_hash="retry")
            again = await batch_steer.retry_failed(
                self.store, batch.id, actor=MAKER, idempotency=claim
            )
            ended = await self._carry(again)
        for part in (self.loop, self.worker):
            part.stop()
        await asyncio.gather(*parts)
        await self.provider.close()
        self.store.close()
        return 0 if ended else 1

    async def _upload(self) -> Batch:
        content = self.told["content"].encode()
        digest = hashlib.sha256(content).hexdigest()
        claim = IdempotencyClaim(scope="test", key="upload", request_hash=digest)
        upload = Upload(file_name="pay.csv", digest=digest)
        taken = await take_in(
            BytesIO(content), upload, store=self.store, book=self.book, actor=MAKER,
            idempotency=claim,
        )  # fmt: skip
        return taken.batch

    async def _carry(self, batch: Batch) -> bool:
        acts: dict[BatchState, Callable[[Batch], Awaitable[Any]]] = {
            BatchState.CHECKED: lambda one: batch_sign.submit(self.store, one.id, actor=MAKER),
            BatchState.SUBMITTED: lambda one: batch_sign.approve(
                self.store, one.id, actor=CHECKER, seen_hash=one.rows_hash or ""
            ),
            BatchState.RUNNING: self._steer,
            BatchState.PAUSED: lambda one: batch_steer.resume(self.store, one.id, actor=MAKER),
        }
        while time.monotonic() < self.until:
            now = await self.store.read(lambda t: find_batch(t, batch.id))
            assert now is not None
            if now.ended_at is not None:
                return True
            if now.state in acts:
                await acts[now.state](now)
            await asyncio.sleep(0.02)
        return False

    async def _steer(self, batch: Batch) -> None:
        """Pause or cancel the batch once, when so many of its rows are over."""
        act = self.told["act"]
        if not act:
            return
        events, progress = await self.store.read(
            lambda t: (list_batch_events(t, batch.id), progress_of(t, batch.id))
        )
        done = sum(t.rows for name, t in progress.by_state.items() if name in ("successful",))
        name = {"pause": "paused", "cancel": "cancelled"}[act]
        if done < self.told["act_after"] or any(one.event == name for one in events):
            return
        steer = batch_steer.pause if act == "pause" else batch_steer.cancel
        await steer(self.store, batch.id, actor=CHECKER, because="A test.")


async def _deliver_nothing(_claimed: Any, /) -> None:
    return None


if __name__ == "__main__":
    serve(lambda told: Run(told)())
