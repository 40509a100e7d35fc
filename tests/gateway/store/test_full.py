"""A disk that is full: nothing is half done, and all goes on once there is room again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from momokit.gateway.core.facts import Taken
from momokit.gateway.core.payment import State, Work
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.payments import Filter
from momokit.gateway.store.space import DiskGate, Space, StorageLow, is_full
from momokit.gateway.store.store import Store
from tests.gateway.store.making import Clock, accept, add_account, claim_of, new_payment, on
from tests.gateway.veiled import VEIL

pytestmark = pytest.mark.anyio

MUCH = {"note": "x" * 20_000}
"""More than fits into the room that is left."""


@pytest.fixture
async def small(empty_sqlite: Path, tmp_path: Path, clock: Clock) -> Iterator[Store]:  # type: ignore[misc]
    """Give a store whose database can be made full; SQLite alone lets itself be."""
    shutil.copy(empty_sqlite, tmp_path / "gateway.db")
    store = Store(f"sqlite:///{tmp_path / 'gateway.db'}", veil=VEIL, clock=clock)
    await add_account(store, "acc_1")
    yield store
    store.close()


async def _allow(store: Store, *, more_pages: int) -> None:
    """Let the database grow by so many pages and no further."""

    def unit(transaction: Transaction) -> None:
        has = transaction.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        transaction.connection.exec_driver_sql(f"PRAGMA max_page_count={has + more_pages}")

    await store.write(unit)


async def _fill_history(store: Store, payment_id: str) -> None:
    """Use up what room the history has, until the database refuses a single line of it."""
    number = iter(range(1000, 10_000))

    def unit(transaction: Transaction, size: int) -> None:
        transaction.connection.exec_driver_sql(
            "INSERT INTO events (payment_id, sequence, at, event, state_after, details)"
            " VALUES (?, ?, 0, 'padding', 'created', ?)",
            (payment_id, next(number), "x" * size),
        )

    async def write_until_full(size: int) -> None:
        while True:
            await store.write(lambda t: unit(t, size))

    await _allow(store, more_pages=0)
    for size in (3000, 300, 0):
        with pytest.raises(OperationalError):
            await write_until_full(size)


async def test_fm_20_full_at_acceptance_nothing_is_taken_in(small: Store) -> None:
    """The merchant is told no, the key stays free, and the same is taken once there is room."""
    await _allow(small, more_pages=0)
    with pytest.raises(OperationalError) as told:
        await small.accept(new_payment("a", metadata=MUCH), idempotency=claim_of("k"))
    none = (await small.list_payments(Filter())).items
    await _allow(small, more_pages=10_000)
    taken = await small.accept(new_payment("a", metadata=MUCH), idempotency=claim_of("k"))
    assert is_full(told.value)
    assert none == []
    assert taken.outcome.value == "new"


async def test_fm_20_full_in_the_midst_of_many_each_is_whole_or_not_there(small: Store) -> None:
    """Of many that are committed together some fit: those are there with their history."""
    await _allow(small, more_pages=20)
    results = await asyncio.gather(
        *(
            small.accept(
                new_payment(f"n{n}", metadata=MUCH if n % 5 == 3 else {}),
                idempotency=claim_of(f"k{n}"),
            )
            for n in range(60)
        ),
        return_exceptions=True,
    )
    said_yes = {f"pay_n{n}" for n, one in enumerate(results) if not isinstance(one, BaseException)}
    there = {one.id for one in (await small.list_payments(Filter(), limit=200)).items}
    stories = [await small.timeline(one) for one in there]
    await _allow(small, more_pages=10_000)
    again = await small.accept(new_payment("n3", metadata=MUCH), idempotency=claim_of("k3"))
    assert 0 < len(said_yes) < 60
    assert there == said_yes
    assert {len(one.events) for one in stories if one is not None} == {1}
    assert again.outcome.value == "new"


async def test_fm_20_full_at_the_claim_nothing_is_claimed_and_nothing_is_sent(small: Store) -> None:
    """A worker gets none of them, since the mark of the send must be on disk; later it gets all."""
    for n in range(200):
        await small.accept(new_payment(f"n{n:03}", metadata={"x": "x" * n}), idempotency=None)
    await _allow(small, more_pages=0)
    with pytest.raises(OperationalError) as told:
        await small.claim(Work.SUBMIT, limit=200, lease_seconds=30)
    there = (await small.list_payments(Filter(), limit=200)).items
    await _allow(small, more_pages=10_000)
    claimed = await small.claim(Work.SUBMIT, limit=200, lease_seconds=30)
    assert is_full(told.value)
    assert [one for one in there if one.payment.sending or one.lease_until is not None] == []
    assert [one.was_sending for one in claimed] == [False] * 200


async def test_fm_20_full_at_the_record_the_payment_stays_in_doubt_and_is_asked_about(
    small: Store, clock: Clock
) -> None:
    """An answer that cannot be stored is had again: the mark of the send is on disk already."""
    await accept(small, "a")
    [claimed] = await small.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    await _fill_history(small, "pay_a")
    with pytest.raises(OperationalError) as told:
        await small.record("pay_a", on(Taken()), lease_token=claimed.lease_token)
    await _allow(small, more_pages=10_000)
    clock.advance(31)
    [again] = await small.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    recorded = await small.record("pay_a", on(Taken()), lease_token=again.lease_token)
    assert is_full(told.value)
    assert (claimed.was_sending, again.was_sending) == (False, True)
    assert recorded is not None
    assert recorded.payment.state is State.PENDING


async def test_a_transaction_that_the_database_gave_up_takes_all_with_it(small: Store) -> None:
    """What shared it is refused as well, and not a statement of it is kept."""
    done: list[str] = []

    def gives_up(transaction: Transaction) -> None:
        transaction.connection.exec_driver_sql("ROLLBACK")
        done.append("gave up")
        raise ValueError("as on a full disk")

    results = await asyncio.gather(
        small.accept(new_payment("a"), idempotency=None),
        small.write(gives_up),
        small.accept(new_payment("b"), idempotency=None),
        return_exceptions=True,
    )
    there = {one.id for one in (await small.list_payments(Filter())).items}
    said_yes = {
        f"pay_{name}"
        for name, one in zip("a-b", results, strict=True)
        if not isinstance(one, BaseException)
    }
    after = await small.accept(new_payment("c"), idempotency=None)
    assert set(done) == {"gave up"}
    assert there == said_yes
    assert after.outcome.value == "new"


@pytest.mark.parametrize(
    ("free", "refused"),
    [(Space(free_bytes=40, total_bytes=1000), True), (Space(free_bytes=9, total_bytes=10), True),
     (Space(free_bytes=60, total_bytes=1000), False)],
)  # fmt: skip
def test_fm_20_the_gate_shuts_before_the_last_of_the_disk_is_used(
    free: Space, refused: bool, tmp_path: Path
) -> None:
    """Under a share, or under a size, no new money is taken in."""
    gate = DiskGate(
        tmp_path, least_percent=5.0, least_bytes=10, measure=lambda _: free, clock=lambda: 0.0
    )
    if refused:
        with pytest.raises(StorageLow):
            gate.refuse_when_low()
    assert gate.is_low() is refused


def test_the_disk_is_looked_at_once_a_second(tmp_path: Path) -> None:
    """Many payments in one second cost one look."""
    looks: list[Path] = []
    moments = iter([0.0, 0.5, 0.9, 1.0])

    def measure(folder: Path) -> Space:
        looks.append(folder)
        return Space(free_bytes=100, total_bytes=100)

    gate = DiskGate(
        tmp_path, least_percent=5.0, least_bytes=1, measure=measure, clock=lambda: next(moments)
    )
    assert [gate.is_low() for _ in range(4)] == [False] * 4
    assert len(looks) == 2
