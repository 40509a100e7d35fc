"""The worker: claims what is due and carries it through the steps, until it is told to stop.

Any number of workers on any number of hosts may run at once; the store's leases keep them apart.
Sends are claimed a few at a time, so that few are in doubt after a crash; questions within MTN's
limit, which all workers share; webhooks a few for each endpoint, so that none keeps the places from
the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from momokit.gateway.core.payment import Work
from momokit.gateway.core.places import Places
from momokit.gateway.lanes import Lanes
from momokit.gateway.log import about
from momokit.gateway.provider import Provider
from momokit.gateway.steps.settle import settle
from momokit.gateway.steps.submit import submit
from momokit.gateway.store.deliveries import ClaimedDelivery
from momokit.gateway.store.records import Claimed, Recorded
from momokit.gateway.store.store import Store

GATHER_SECONDS = 0.015

log = logging.getLogger("momokit.gateway")


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerSettings:
    """How much one worker takes on at once, and for how long it may hold it."""

    sends_at_once: int = 16
    questions_at_once: int = 16
    webhooks_at_once: int = 32
    webhooks_per_endpoint: int = 8
    lease_seconds: float = 60.0
    webhook_lease_seconds: float = 60.0
    idle_seconds: float = 1.0
    drain_seconds: float = 30.0
    status_calls_per_second: int = 8


class Deliver(Protocol):
    """The notify step with its tools: carry one claimed webhook through to its record.

    It tells whether the webhook arrived.
    """

    def __call__(self, claimed: ClaimedDelivery, /) -> Awaitable[bool]: ...


class Worker:
    """Runs the steps. `deliver` carries one webhook; `heard` is told of everything recorded.

    `lanes` are to hear what the provider is told, so that a lane shuts when MTN does not answer.
    """

    def __init__(
        self,
        *,
        store: Store,
        provider: Provider,
        deliver: Deliver,
        settings: WorkerSettings,
        heard: Callable[[Recorded], None] = lambda _recorded: None,
        lanes: Lanes | None = None,
    ) -> None:
        self._store = store
        self._provider = provider
        self._deliver = deliver
        self._settings = settings
        self._heard = heard
        self._lanes = lanes or Lanes(store)
        self._places = Places(total=settings.webhooks_at_once, each=settings.webhooks_per_endpoint)
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Ask the worker to finish what it holds and to claim nothing more."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`; then let what is under way end, for a bounded time."""
        loops = [
            asyncio.create_task(self._loop("sends", self._claim_sends)),
            asyncio.create_task(self._loop("questions", self._claim_questions)),
            asyncio.create_task(self._loop("webhooks", self._claim_webhooks, rest=self._rest)),
        ]
        await self._stopping.wait()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        if self._running:
            await asyncio.wait(self._running, timeout=self._settings.drain_seconds)
        # What did not end in time is left to its lease: the next worker asks before it sends.
        for task in self._running:
            task.cancel()

    async def _loop(
        self,
        name: str,
        claim: Callable[[], Awaitable[int]],
        *,
        rest: Callable[[int], Awaitable[object]] | None = None,
    ) -> None:
        while not self._stopping.is_set():
            seen = self._store.wakes
            try:
                found = await claim()
            except Exception:
                # The database may be away for a moment; nothing is lost by trying again.
                log.exception("claiming %s failed", name)
                await asyncio.sleep(self._settings.idle_seconds)
                continue
            if not found:
                await (rest or self._wait)(seen)

    async def _wait(self, seen: int) -> None:
        await self._store.wait_for_work(self._settings.idle_seconds, seen=seen)

    async def _rest(self, seen: int) -> None:
        """Wait for work, or for a place: an endpoint may have more due than it has places."""
        waiting = asyncio.ensure_future(self._wait(seen))
        under_way = {task for task in self._running if task.get_name() == "webhooks"}
        try:
            await asyncio.wait({waiting, *under_way}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    async def _claim_sends(self) -> int:
        room = await self._room("sends", self._settings.sends_at_once)
        if room <= 0:
            return 0
        lease = self._settings.lease_seconds
        claimed = await self._store.claim(Work.SUBMIT, limit=room, lease_seconds=lease)
        for one in claimed:
            work = self._submit(one, now=one.lease_until - lease)
            self._start("sends", work, payment_id=one.id, account_id=one.account_id)
        return len(claimed)

    async def _claim_questions(self) -> int:
        room = await self._room("questions", self._settings.questions_at_once)
        if room <= 0:
            return 0
        lease = self._settings.lease_seconds
        claimed = await self._store.claim(Work.SETTLE, limit=room, lease_seconds=lease)
        for one in claimed:
            work = self._settle(one)
            self._start("questions", work, payment_id=one.id, account_id=one.account_id)
        return len(claimed)

    async def _claim_webhooks(self) -> int:
        room = await self._room("webhooks", self._settings.webhooks_at_once)
        if room <= 0:
            return 0
        claimed = await self._store.claim_deliveries(
            limit=room,
            lease_seconds=self._settings.webhook_lease_seconds,
            room=self._places.room(),
        )
        for one in claimed:
            self._places.begins(one.delivery.endpoint_id)
            told = one.delivery
            about_id = told.payment_id or told.invoice_id or ""
            self._start(
                "webhooks", self._notify(one), payment_id=about_id, endpoint_id=told.endpoint_id
            )
        return len(claimed)

    async def _submit(self, claimed: Claimed, *, now: float) -> None:
        self._lanes.begins(claimed)
        try:
            recorded = await submit(claimed, store=self._store, provider=self._provider, now=now)
        finally:
            await self._lanes.ended(claimed)
        self._tell(recorded)

    async def wait_for_place(self, account_id: str) -> None:
        """Wait until an account may be asked about: all workers share one budget of questions."""
        per_second = self._settings.status_calls_per_second
        while not await self._store.take_budget(  # noqa: ASYNC110 - the seconds are in a database
            account_id, wanted=1, per_second=per_second
        ):
            await asyncio.sleep(0.1)

    async def _settle(self, claimed: Claimed) -> None:
        await self.wait_for_place(claimed.account_id)
        self._lanes.begins(claimed)
        try:
            recorded = await settle(claimed, store=self._store, provider=self._provider)
        finally:
            await self._lanes.ended(claimed)
        self._tell(recorded)

    async def _notify(self, claimed: ClaimedDelivery) -> None:
        delivered = False
        try:
            delivered = await self._deliver(claimed)
        finally:
            self._places.ended(claimed.delivery.endpoint_id, delivered=delivered)

    def _tell(self, recorded: Recorded | None) -> None:
        if recorded is not None:
            self._heard(recorded)

    def _start(self, name: str, work: Any, **ids: str) -> None:
        task = asyncio.create_task(self._guard(work, ids), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _guard(self, work: Awaitable[Any], ids: dict[str, str]) -> None:
        # Every line that is written on the way says which payment it is about.
        with about(**ids):
            try:
                await work
            except Exception:
                # The row keeps its lease and comes back when it ends; the worker goes on.
                log.exception("a step failed")

    async def _room(self, name: str, most: int) -> int:
        """Say for how many more there is room; where there is none, wait until something ends.

        While there is work under way, claims keep a distance: one costs the same for many rows as
        for a single one, and every commit rings the bell.
        """
        if self._free(name, most) <= 0:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        if self._running:
            await asyncio.sleep(GATHER_SECONDS)
        return self._free(name, most)

    def _free(self, name: str, most: int) -> int:
        return most - sum(task.get_name() == name for task in self._running)
