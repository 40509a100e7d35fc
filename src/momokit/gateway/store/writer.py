"""Group commit: many units of work share one transaction, and each stands or falls alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeAlias

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from momokit.gateway.store.database import CHANNEL, Database, Transaction
from momokit.gateway.store.space import fullness

BATCH_LIMIT = 100
TRIES = 5

# In what order units run within a batch. All batches take their locks in this one order, so that
# two of them do not wait for each other; should they still, PostgreSQL ends one and it is retried.
ACCEPT, RECORD, HINT, DELIVERY, OTHER, BUDGET, CLAIM = range(7)
Order: TypeAlias = tuple[int, str]

_TRY_AGAIN_STATES = frozenset({"40001", "40P01"})

RunMany: TypeAlias = Callable[[Transaction, list[Any]], Sequence[Any]]
_NOTIFY = text(f"NOTIFY {CHANNEL}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One unit of work. Units with the same `run` are run together, in one call.

    `run` gives one result for each item; one that is an exception is raised to whoever waits.
    """

    run: RunMany
    item: Any
    order: Order
    future: Future[Any] | asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop | None = None
    tries: int = 1


RunBundle: TypeAlias = Callable[[Transaction, list[Job]], list[tuple[Job, Any]]]


class Writer:
    """The threads that write: one on SQLite, several on PostgreSQL."""

    def __init__(self, database: Database, *, ring: Callable[[], None]) -> None:
        self._database = database
        self._ring = ring
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = Lock()
        self._closed = False
        self._threads = [
            Thread(target=self._loop, name=f"momokit-writer-{number}", daemon=True)
            for number in range(database.writer_count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, run: RunMany, item: Any, *, order: Order) -> Future[Any]:
        """Queue a unit of work; its future is done when it is committed, or has failed."""
        future: Future[Any] = Future()
        self._queue_up(Job(run=run, item=item, order=order, future=future))
        return future

    async def write(self, run: RunMany, item: Any, *, order: Order) -> Any:
        """Queue a unit of work and wait for it.

        The answers to a whole batch wake the event loop once, which is a good part of their cost.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._queue_up(Job(run=run, item=item, order=order, future=future, loop=loop))
        return await future

    def _queue_up(self, job: Job) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("The store is closed.")
            self._queue.put(job)

    def close(self) -> None:
        """Finish what is queued, then stop."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for _ in self._threads:
                self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _loop(self) -> None:
        while (first := self._queue.get()) is not None:
            jobs = [first, *self._more()]
            live = [job for job in jobs if job.tries > 1 or _begins(job)]
            if live:
                self._commit(live)

    def _more(self) -> Iterator[Job]:
        for _ in range(BATCH_LIMIT - 1):
            try:
                job = self._queue.get_nowait()
            except Empty:
                return
            if job is None:
                self._queue.put(None)
                return
            yield job

    def _commit(self, jobs: list[Job]) -> None:
        jobs.sort(key=lambda job: job.order)
        try:
            try:
                outcomes, woken = self._attempt(jobs, run=_run_at_once)
            except _Spoiled:
                # One of them failed, before anything was committed: find out which, one by one.
                outcomes, woken = self._attempt(jobs, run=_run)
        except Exception as error:
            cause = fullness(error) or error
            _answer([(job, cause) for job in jobs])
            return
        if woken:
            self._ring()
        _answer([(job, outcome) for job, outcome in outcomes if not self._again(job, outcome)])

    def _attempt(self, jobs: list[Job], *, run: RunBundle) -> tuple[list[tuple[Job, Any]], bool]:
        """Do all in one transaction; tell what became of each, and whether something is due."""
        outcomes: list[tuple[Job, Any]] = []
        with self._database.writer.begin() as connection:
            transaction = self._database.transaction(connection)
            # The order is stable, and equal ranks have equal work: neighbours form a bundle.
            for _, bundle in groupby(jobs, key=lambda job: id(job.run)):
                outcomes += run(transaction, list(bundle))
            if transaction.woken and not self._database.is_sqlite:
                connection.execute(_NOTIFY)
        return outcomes, transaction.woken

    def _again(self, job: Job, outcome: Any) -> bool:
        """Queue a unit once more when it failed by no fault of its own."""
        if job.tries >= TRIES or not _is_worth_another_try(outcome):
            return False
        try:
            self._queue_up(replace(job, tries=job.tries + 1))
        except RuntimeError:
            return False
        return True


def _begins(job: Job) -> bool:
    if isinstance(job.future, asyncio.Future):
        return not job.future.cancelled()
    return job.future.set_running_or_notify_cancel()


def _answer(outcomes: list[tuple[Job, Any]]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[Job, Any]]] = {}
    for job, outcome in outcomes:
        by_loop.setdefault(job.loop, []).append((job, outcome))
    _resolve(by_loop.pop(None, []))
    for loop, those in by_loop.items():
        if loop is not None:
            with suppress(RuntimeError):  # In a loop that is closed nobody waits.
                loop.call_soon_threadsafe(_resolve, those)


def _resolve(outcomes: list[tuple[Job, Any]]) -> None:
    for job, outcome in outcomes:
        if job.future.done():
            continue
        if isinstance(outcome, Exception):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)


class _Spoiled(Exception):
    """A unit failed in a transaction that has nothing to go back to but its beginning."""


def _run_at_once(transaction: Transaction, bundle: list[Job]) -> list[tuple[Job, Any]]:
    """Run units together, with no way back: nearly always nothing fails, and savepoints cost."""
    try:
        results = bundle[0].run(transaction, [job.item for job in bundle])
        return list(zip(bundle, results, strict=True))
    except Exception as error:
        if transaction.connection.invalidated:
            raise
        raise _Spoiled from error


def _run(transaction: Transaction, bundle: list[Job]) -> list[tuple[Job, Any]]:
    """Run units together; should one fail, undo that and run each by itself."""
    run = bundle[0].run
    try:
        with transaction.connection.begin_nested():
            results = run(transaction, [job.item for job in bundle])
        return list(zip(bundle, results, strict=True))
    except Exception as error:
        if transaction.connection.invalidated or _was_ended(transaction):
            raise
        if len(bundle) == 1:
            return [(bundle[0], error)]
    return [pair for job in bundle for pair in _run(transaction, [job])]


def _was_ended(transaction: Transaction) -> bool:
    """Tell whether SQLite gave the whole transaction up, as it may when its disk is full.

    What came after that would be written at once and for good, each statement by itself.
    """
    connection = transaction.connection
    if connection.dialect.name != "sqlite":
        return False
    return not connection.connection.driver_connection.in_transaction  # type: ignore[union-attr]


def _is_worth_another_try(error: Any) -> bool:
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return state in _TRY_AGAIN_STATES
