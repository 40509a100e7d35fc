"""Group commit: many units of work share one transaction, and each stands or falls alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeAlias

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from momokit.gateway.store.database import CHANNEL, Database, Transaction

BATCH_LIMIT = 100
TRIES = 5

# In what order units run within a batch. All batches take their locks in this one order, so that
# two of them do not wait for each other; should they still, PostgreSQL ends one and it is retried.
ACCEPT, RECORD, HINT, DELIVERY, OTHER, CLAIM = range(6)
Order: TypeAlias = tuple[int, str]

_TRY_AGAIN_STATES = frozenset({"40001", "40P01"})

RunMany: TypeAlias = Callable[[Transaction, list[Any]], Sequence[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One unit of work. Units with the same `run` are run together, in one call.

    `run` gives one result for each item; one that is an exception is raised to whoever waits.
    """

    run: RunMany
    item: Any
    order: Order
    future: Future[Any]
    tries: int = 1


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
        job = Job(run=run, item=item, order=order, future=Future())
        with self._lock:
            if self._closed:
                raise RuntimeError("The store is closed.")
            self._queue.put(job)
        return job.future

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
            live = [job for job in jobs if job.tries > 1 or _begins(job.future)]
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
        outcomes: list[tuple[Job, Any]] = []
        try:
            with self._database.writer.begin() as connection:
                transaction = self._database.transaction(connection)
                # The order is stable, and equal ranks have equal work: neighbours form a bundle.
                for _, bundle in groupby(jobs, key=lambda job: id(job.run)):
                    outcomes += _run(transaction, list(bundle))
                if transaction.woken and not self._database.is_sqlite:
                    connection.execute(text(f"NOTIFY {CHANNEL}"))
        except Exception as error:
            for job in jobs:
                job.future.set_exception(error)
            return
        if transaction.woken:
            self._ring()
        for job, outcome in outcomes:
            self._answer(job, outcome)

    def _answer(self, job: Job, outcome: Any) -> None:
        if not isinstance(outcome, Exception):
            job.future.set_result(outcome)
        elif job.tries < TRIES and _is_worth_another_try(outcome):
            self._requeue(replace(job, tries=job.tries + 1), outcome)
        else:
            job.future.set_exception(outcome)

    def _requeue(self, job: Job, error: Exception) -> None:
        with self._lock:
            if not self._closed:
                self._queue.put(job)
                return
        job.future.set_exception(error)


def _begins(future: Future[Any]) -> bool:
    return future.set_running_or_notify_cancel()


def _run(transaction: Transaction, bundle: list[Job]) -> list[tuple[Job, Any]]:
    """Run units together; should one fail, undo that and run each by itself."""
    run = bundle[0].run
    try:
        with transaction.connection.begin_nested():
            results = run(transaction, [job.item for job in bundle])
        return list(zip(bundle, results, strict=True))
    except Exception as error:
        if transaction.connection.invalidated:
            raise
        if len(bundle) == 1:
            return [(bundle[0], error)]
    return [pair for job in bundle for pair in _run(transaction, [job])]


def _is_worth_another_try(error: Exception) -> bool:
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return state in _TRY_AGAIN_STATES
