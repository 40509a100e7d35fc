"""Group commit: many units in one transaction, each standing or falling alone; and the bell."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import func, insert, select

from momokit.gateway.core.payment import Work
from momokit.gateway.store.database import Database, Transaction
from momokit.gateway.store.records import NoSuchRow
from momokit.gateway.store.store import Store
from momokit.gateway.store.tables import incidents
from momokit.gateway.store.writer import Writer
from tests.gateway.store.making import START, accept, add_account, new_payment
from tests.gateway.veiled import VEIL

pytestmark = pytest.mark.anyio


class Gate:
    """A unit of work that holds the writer up until it is opened, so that others queue."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()

    def run(self, _transaction: Transaction, items: list[object]) -> list[object]:
        """Wait to be opened."""
        self._reached.set()
        self._opened.wait(5)
        return items

    def wait(self) -> None:
        """Wait until the writer is held up."""
        self._reached.wait(5)

    def open(self) -> None:
        """Let the writer go on."""
        self._opened.set()


@pytest.fixture
async def writer(url: str) -> Iterator[Writer]:  # type: ignore[misc]
    """Give a writer with a single thread, and a payment `pay_a` for it to write about."""
    store = Store(url, veil=VEIL, clock=lambda: START)
    await add_account(store, "acc_1")
    await accept(store, "a")
    store.close()
    database = Database(url, veil=VEIL, clock=lambda: START, writers=1)
    writer = Writer(database, ring=lambda: None)
    yield writer
    writer.close()
    database.close()


def _note(transaction: Transaction, texts: list[str]) -> list[int]:
    """Write lines, all in one statement; one that says `bad` breaks the statement."""
    rows = [{"payment_id": "no" if t == "bad" else "pay_a", "at": 0.0, "text": t} for t in texts]
    transaction.connection.execute(insert(incidents), rows)
    return [len(texts) for _ in texts]


async def test_units_that_queue_are_committed_together(writer: Writer) -> None:
    """What waited while the writer was busy goes into one call."""
    gate = Gate()
    held = writer.submit(gate.run, None, order=(0, ""))
    gate.wait()
    futures = [writer.submit(_note, f"n{n}", order=(1, "")) for n in range(10)]
    gate.open()
    held.result(5)
    assert [future.result(5) for future in futures] == [10] * 10


async def test_a_unit_that_fails_takes_no_other_along(writer: Writer) -> None:
    """The database refuses one of ten: nine are written, each by itself."""
    gate = Gate()
    writer.submit(gate.run, None, order=(0, ""))
    gate.wait()
    texts = ["bad" if n == 4 else f"n{n}" for n in range(10)]
    futures = {text: writer.submit(_note, text, order=(1, "")) for text in texts}
    gate.open()
    failed = [text for text, future in futures.items() if future.exception(5) is not None]
    written = writer.submit(_count_notes, None, order=(2, "")).result(5)
    assert (failed, written) == (["bad"], 9)


def _count_notes(transaction: Transaction, items: list[object]) -> list[int]:
    count = transaction.connection.execute(select(func.count()).select_from(incidents))
    return [count.scalar_one() for _ in items]


async def test_units_run_in_the_order_of_their_locks(writer: Writer) -> None:
    """Whatever order they were queued in, all batches take their locks in the same one."""
    gate, seen = Gate(), []

    def run(_transaction: Transaction, items: list[str]) -> list[str]:
        seen.extend(items)
        return items

    writer.submit(gate.run, None, order=(0, ""))
    gate.wait()
    orders = [(2, "b"), (1, "z"), (2, "a"), (1, "y")]
    futures = [writer.submit(run, f"{r}{k}", order=(r, k)) for r, k in orders]
    gate.open()
    for future in futures:
        future.result(5)
    assert seen == ["1y", "1z", "2a", "2b"]


async def test_a_unit_that_nobody_waits_for_any_more_is_not_begun(writer: Writer) -> None:
    """A future that was cancelled in the queue costs nothing and breaks nothing."""
    gate = Gate()
    writer.submit(gate.run, None, order=(0, ""))
    gate.wait()
    cancelled = writer.submit(_note, "cancelled", order=(1, ""))
    kept = writer.submit(_note, "kept", order=(1, ""))
    cancelled.cancel()
    gate.open()
    assert kept.result(5) == 1


async def test_what_is_queued_is_written_before_the_end(url: str, store: Store) -> None:
    """Closing waits for what was asked for; after it, nothing more is taken."""
    database = Database(url, veil=VEIL, clock=lambda: START)
    writer = Writer(database, ring=lambda: None)
    await accept(store, "a")
    futures = [writer.submit(_note, f"n{n}", order=(1, "")) for n in range(50)]
    writer.close()
    database.close()
    assert all(future.done() for future in futures)
    with pytest.raises(RuntimeError, match="closed"):
        writer.submit(_note, "late", order=(1, ""))


async def test_two_who_wait_for_each_other_are_both_served(store: Store, url: str) -> None:
    """Locks taken against the order end in a retry, not in an error."""
    if store.is_sqlite:
        pytest.skip("One writer at a time cannot wait for itself.")
    other = Store(url, veil=VEIL, clock=lambda: START)
    both = threading.Barrier(2, timeout=5)
    met: set[str] = set()

    async def crosswise(one: Store, first: str, second: str) -> str:
        def unit(transaction: Transaction) -> str:
            transaction.lock(first)
            if first not in met:
                met.add(first)
                both.wait()
            transaction.lock(second)
            return first

        return await one.write(unit)

    done = await asyncio.gather(crosswise(store, "x", "y"), crosswise(other, "y", "x"))
    other.close()
    assert sorted(done) == ["x", "y"]


async def test_a_bad_unit_of_the_facade_fails_alone(store: Store) -> None:
    """What a unit raises reaches who asked for it, and nobody else."""

    def broken(_transaction: Transaction) -> None:
        raise NoSuchRow("broken")

    results = await asyncio.gather(
        store.write(broken),
        *(store.accept(new_payment(f"p{n}"), idempotency=None) for n in range(5)),
        return_exceptions=True,
    )
    assert [isinstance(result, NoSuchRow) for result in results] == [True] + [False] * 5


async def test_an_acceptance_wakes_whoever_waits(store: Store) -> None:
    """A worker that waits hears of new work without looking."""
    waiting = asyncio.create_task(store.wait_for_work(5, seen=store.wakes))
    await asyncio.sleep(0)
    await accept(store, "a")
    assert await waiting


async def test_a_wake_between_looking_and_waiting_is_not_missed(store: Store) -> None:
    """Work that came while the worker was looking ends its wait at once."""
    seen = store.wakes
    await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    await accept(store, "a")
    assert await store.wait_for_work(5, seen=seen)


async def test_a_wait_has_an_end(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where nothing is said the wait ends in its time."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('db') / 'a.db'}", veil=VEIL)
    heard = await store.wait_for_work(0.01, seen=store.wakes)
    store.close()
    assert not heard


async def test_another_process_is_woken(store: Store, url: str) -> None:
    """On PostgreSQL a store hears of what another one has accepted."""
    if store.is_sqlite:
        pytest.skip("SQLite is for one process.")
    other = Store(url, veil=VEIL, clock=lambda: START)
    await other.wait_for_work(5)  # The first thing heard is that it listens.
    seen = other.wakes
    await accept(store, "a")
    heard = await other.wait_for_work(5, seen=seen)
    other.close()
    assert heard


async def test_the_database_has_the_clock(url: str) -> None:
    """Without a clock of the caller's, time is the database's, and goes on."""
    store = Store(url, veil=VEIL)
    first = await store.now()
    second = await store.now()
    store.close()
    assert START - 200_000_000 < first <= second
