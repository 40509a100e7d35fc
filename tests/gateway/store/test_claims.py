"""Claims: in order, to one worker at a time, fairly, within pauses and budgets."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import event, update

from momokit.gateway.core.facts import NeverLeft, Taken, Told
from momokit.gateway.core.payment import Work
from momokit.gateway.store import accounts, claims
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.store import Store
from momokit.gateway.store.tables import payments
from tests.gateway.store.making import START, Clock, accept, add_account, on
from tests.gateway.veiled import VEIL

pytestmark = pytest.mark.anyio


async def _claim(store: Store, work: Work = Work.SUBMIT, *, limit: int = 100) -> list[str]:
    return [claim.id for claim in await store.claim(work, limit=limit, lease_seconds=30)]


async def test_what_is_due_longest_comes_first(store: Store, clock: Clock) -> None:
    """Claims follow due time, and take nothing before its time."""
    for name in ("b", "a", "c"):
        await accept(store, name)
        clock.advance(1)
    await store.record("pay_b", on(NeverLeft(why="refused")), lease_token=None)
    early = await _claim(store)
    clock.advance(5)
    assert (early, await _claim(store)) == (["pay_a", "pay_c"], ["pay_b"])


async def test_fm_35_a_payment_is_claimed_by_one_worker(store: Store, url: str) -> None:
    """Two stores that claim at the same time share the work and overlap in nothing."""
    names = [f"p{n}" for n in range(40)]
    await accept(store, *names)
    other = Store(url, veil=VEIL, clock=lambda: START)
    rounds = await asyncio.gather(*(_claim(one, limit=5) for one in [store, other] * 6))
    other.close()
    taken = [payment_id for ids in rounds for payment_id in ids]
    assert len(taken) == len(set(taken))
    assert len(taken) + len(await _claim(store)) == 40


async def test_fm_18_a_send_that_was_under_way_shows(store: Store, clock: Clock) -> None:
    """The second claim of a payment says that a first worker may have died in its send."""
    await accept(store, "a")
    [first] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    held = await _claim(store)
    clock.advance(30)
    [second] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    assert held == []
    assert (first.was_sending, second.was_sending) == (False, True)
    assert second.lease_token == first.lease_token + 1
    assert second.request == first.request


async def test_a_claim_to_ask_is_no_send(store: Store, clock: Clock) -> None:
    """Asking leaves no trace of a send."""
    await accept(store, "a")
    await store.record("pay_a", on(Taken()), lease_token=None)
    clock.advance(5)
    [claim] = await store.claim(Work.SETTLE, limit=1, lease_seconds=30)
    stored = await store.payment("pay_a")
    assert stored is not None
    assert (claim.was_sending, stored.payment.sending) == (False, False)


async def test_each_account_gets_its_share(store: Store, clock: Clock) -> None:
    """A flood of one account leaves room for the others; room that is left is used."""
    await add_account(store, "acc_2")
    await accept(store, *(f"p{n}" for n in range(20)))
    clock.advance(1)
    await accept(store, "x", "y", "z", account_id="acc_2")
    taken = await store.claim(Work.SUBMIT, limit=10, lease_seconds=30)
    shares = [claim.account_id for claim in taken]
    assert (shares.count("acc_1"), shares.count("acc_2")) == (7, 3)


async def test_no_account_starves_when_there_is_little_room(store: Store, clock: Clock) -> None:
    """With room for one, whoever waits longest is next."""
    await add_account(store, "acc_0")
    await accept(store, "x", account_id="acc_0")
    clock.advance(1)
    await accept(store, "a")
    clock.advance(1)
    await accept(store, "y", account_id="acc_0")
    order = [await _claim(store, limit=1) for _ in range(3)]
    assert order == [["pay_x"], ["pay_a"], ["pay_y"]]


async def test_only_the_accounts_asked_for(store: Store) -> None:
    """A worker can leave accounts out."""
    await add_account(store, "acc_2")
    await accept(store, "a")
    await accept(store, "b", account_id="acc_2")
    taken = await store.claim(Work.SUBMIT, limit=9, lease_seconds=30, account_ids=["acc_2"])
    assert [claim.id for claim in taken] == ["pay_b"]


@pytest.mark.parametrize(("everything", "asked"), [(False, ["pay_b"]), (True, [])])
async def test_a_paused_account_sends_nothing(
    store: Store, clock: Clock, everything: bool, asked: list[str]
) -> None:
    """A pause stops new money; only one for everything stops the questions about old money."""
    await accept(store, "a", "b")
    await store.record("pay_b", on(Taken()), lease_token=None)
    clock.advance(10)
    await store.write(
        lambda t: accounts.pause_account(t, "acc_1", reason="drill", everything=everything)
    )
    due = await store.next_due(Work.SUBMIT)
    paused = (await _claim(store), await _claim(store, Work.SETTLE))
    await store.write(lambda t: accounts.resume_account(t, "acc_1"))
    assert (due, paused) == (None, ([], asked))
    assert await _claim(store) == ["pay_a"]


async def test_a_claim_can_be_given_back(store: Store) -> None:
    """A worker that stops before it sent anything leaves no doubt behind."""
    await accept(store, "a")
    [claim] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)

    async def release(token: int) -> bool:
        return await store.write(
            lambda t: claims.release_unsent(t, payment_id="pay_a", lease_token=token)
        )

    released = [await release(claim.lease_token + 1), await release(claim.lease_token)]
    [again] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    assert released == [False, True]
    assert not again.was_sending


async def test_a_lease_can_be_extended(store: Store, clock: Clock) -> None:
    """A worker that needs longer keeps what it holds."""
    await accept(store, "a")
    [claim] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    clock.advance(20)
    held = await store.write(
        lambda t: claims.extend_lease(
            t, payment_id="pay_a", lease_token=claim.lease_token, lease_seconds=30
        )
    )
    clock.advance(20)
    assert (held, await _claim(store)) == (True, [])


async def test_the_next_due_time_is_told(store: Store) -> None:
    """It is that of what nobody holds, and None when there is nothing."""
    nothing = await store.next_due(Work.SUBMIT)
    await accept(store, "a", "b")
    await store.record("pay_b", on(Taken()), lease_token=None)
    due = (await store.next_due(Work.SUBMIT), await store.next_due(Work.SETTLE))
    await _claim(store)
    assert (nothing, due) == (None, (START, START + 5))
    assert await store.next_due(Work.SUBMIT) is None


async def test_the_budget_of_a_second_is_shared(store: Store, url: str, clock: Clock) -> None:
    """All who ask for an account together get what one second allows; the next one is new."""
    other = Store(url, veil=VEIL, clock=clock)
    granted = await asyncio.gather(
        *(one.take_budget("acc_1", wanted=3, per_second=8) for one in [store, other] * 5)
    )
    clock.advance(120)
    later = await other.take_budget("acc_1", wanted=3, per_second=8)
    other.close()
    assert (sum(granted), max(granted), later) == (8, 3, 3)


async def test_looking_for_work_reads_only_the_queue(store: Store) -> None:
    """Each statement of a claim finds its payments by the index of what is due.

    PostgreSQL chooses by what is in its tables; SQLite's plan depends on the statement alone.
    """
    if not store.is_sqlite:
        pytest.skip("PostgreSQL reads small tables whole.")
    plans: list[str] = []

    def watch(
        _connection: object, cursor: object, statement: str, values: object, *_: object
    ) -> None:
        if statement.startswith("SELECT") and "FROM payments" in statement:
            explained = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[attr-defined]
            plans.extend(row[3] for row in explained if "payments" in row[3])

    def unit(transaction: Transaction) -> None:
        event.listen(transaction.connection, "before_cursor_execute", watch)
        claims.claim_payments(transaction, work=Work.SETTLE, limit=5, lease_seconds=30)
        claims.next_due(transaction, work=Work.SETTLE)

    await accept(store, "a")
    await store.record("pay_a", on(Told(status="PENDING")), lease_token=None)
    await store.write(lambda t: t.connection.execute(update(payments).values(due_at=0)))
    await store.write(unit)
    assert len(plans) >= 3
    assert [plan for plan in plans if "ix_payments_due" not in plan] == []
