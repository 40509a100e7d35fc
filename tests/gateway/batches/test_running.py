"""A batch from its approval to its end: every row one payment, at its rate, and never twice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import update

from momokit.gateway.core.batch import BatchRefused, BatchState
from momokit.gateway.core.facts import Doubt, Told
from momokit.gateway.core.limits import Limits
from momokit.gateway.core.payment import Work
from momokit.gateway.steps import batch_steer
from momokit.gateway.steps.batch_release import release
from momokit.gateway.store.accounts import pause_account, resume_account
from momokit.gateway.store.batch_tables import batches
from momokit.gateway.store.guards import set_limits
from momokit.gateway.store.sums import spent_today
from momokit.gateway.store.switches import Name, turn
from tests.gateway.batches.making import ACCOUNT, CHECKER, FAST, MAKER, Desk, line

pytestmark = pytest.mark.anyio

TEN = [line(number, 1000 + number) for number in range(10)]


async def test_a_batch_is_checked_approved_paid_and_finished(desk: Desk) -> None:
    """The whole way: each row becomes one payment, and all are paid."""
    batch = await desk.approved(*TEN)
    assert batch.state is BatchState.APPROVED
    done = await desk.run(batch)
    rows = await desk.rows(batch)
    paid = sorted(one.payment.amount for one in await desk.payments())
    assert done.amount == 10_045
    assert [one.payment.state for one in rows if one.payment] == ["successful"] * 10
    assert paid == [1000 + number for number in range(10)]
    assert done.ended_at is not None


async def test_all_payments_are_on_disk_before_the_first_leaves(desk: Desk) -> None:
    """When the batch begins to run, every row has its id and its bytes, and nothing is due."""
    batch = await desk.run(await desk.approved(*TEN), BatchState.RUNNING)
    stored = await desk.payments()
    assert await desk.counts(batch) == {"ready": 10}
    assert len({one.request.reference_id for one in stored}) == 10
    assert all(one.request.body for one in stored)
    assert await desk.store.claim(Work.SUBMIT, limit=100, lease_seconds=60) == []
    assert await desk.store.next_due(Work.SUBMIT) is None


async def test_rows_go_in_the_order_of_the_file_at_the_rate(desk: Desk) -> None:
    """Two rows a second: the first at once, then as time passes."""
    await desk.policy(replace(FAST, rows_per_second=2.0))
    batch = await desk.run(await desk.approved(*TEN), BatchState.RUNNING)
    seen = []
    for _ in range(4):
        await desk.step()
        seen.append((await desk.counts(batch)).get("created", 0))
        desk.clock.advance(1.0)
    first = await desk.rows(batch, payment_state="created")
    assert seen == [1, 3, 5, 7]
    assert [one.row.number for one in first] == [2, 3, 4, 5, 6, 7, 8]


async def test_no_more_are_under_way_than_the_cap(desk: Desk) -> None:
    """Rows wait while MTN has not told of those before them."""
    await desk.policy(replace(FAST, in_flight_cap=3))
    batch = await desk.run(await desk.approved(*TEN), BatchState.RUNNING)
    for _ in range(5):
        desk.clock.advance(3.0)
        await desk.step()
    before = await desk.counts(batch)
    await desk.sent()
    desk.clock.advance(6.0)
    await desk.settled()
    await desk.step()
    after = await desk.counts(batch)
    assert before == {"created": 3, "ready": 7}
    assert after == {"successful": 3, "created": 3, "ready": 4}


async def test_a_row_that_hangs_does_not_hold_up_the_rest_for_ever(desk: Desk) -> None:
    """What is unknown for ten minutes is waited for, and takes no place any more."""
    await desk.policy(replace(FAST, in_flight_cap=1))
    batch = await desk.run(await desk.approved(*TEN[:2]), BatchState.RUNNING)
    await desk.step()
    [claimed] = await desk.store.claim(Work.SUBMIT, limit=9, lease_seconds=60)
    await desk.learn(claimed.id, Doubt(why="no answer"))
    desk.clock.advance(60.0)
    await desk.step()
    held = await desk.counts(batch)
    desk.clock.advance(600.0)
    await desk.step()
    assert held == {"unknown": 1, "ready": 1}
    assert await desk.counts(batch) == {"unknown": 1, "created": 1}


async def test_a_pause_takes_back_what_nobody_has_taken_up(desk: Desk) -> None:
    """What a worker holds goes its way; the rest is ready again, and goes on after resuming."""
    await desk.policy(replace(FAST, in_flight_cap=4))
    batch = await desk.run(await desk.approved(*TEN), BatchState.RUNNING)
    for _ in range(3):
        desk.clock.advance(2.0)
        await desk.step()
    claimed = await desk.store.claim(Work.SUBMIT, limit=1, lease_seconds=600)
    paused = await batch_steer.pause(desk.store, batch.id, actor=CHECKER, because="Wait.")
    counts = await desk.counts(batch)
    due = await desk.store.claim(Work.SUBMIT, limit=100, lease_seconds=60)
    await desk.learn(claimed[0].id, Told(status="SUCCESSFUL"))
    await desk.resume(batch)
    done = await desk.run(batch)
    assert (paused.state, paused.paused_reason) == (BatchState.PAUSED, "Wait.")
    assert (counts, due) == ({"created": 1, "ready": 9}, [])
    assert await desk.counts(done) == {"successful": 10}
    assert len(await desk.payments()) == 10


async def test_a_cancelled_batch_ends_what_never_left(desk: Desk) -> None:
    """What is under way is followed to its end; the rest has failed as cancelled, unsent."""
    await desk.policy(replace(FAST, in_flight_cap=3))
    batch = await desk.run(await desk.approved(*TEN), BatchState.RUNNING)
    for _ in range(3):
        desk.clock.advance(2.0)
        await desk.step()
    await desk.sent()
    await batch_steer.cancel(desk.store, batch.id, actor=MAKER, because="Wrong month.")
    while await desk.step():
        pass
    desk.clock.advance(6.0)
    await desk.settled()
    await desk.step()
    ended = await desk.batch(batch)
    rows = await desk.rows(batch)
    reasons = [one.payment.reason_code for one in rows if one.payment]
    assert await desk.counts(batch) == {"successful": 3, "failed": 7}
    assert reasons == [None] * 3 + ["CANCELLED"] * 7
    assert (ended.state, ended.ended_at is not None) == (BatchState.CANCELLED, True)


async def test_a_batch_cancelled_before_its_approval_pays_nothing(desk: Desk) -> None:
    """It is over at once, and takes no approval any more."""
    batch = await desk.submitted(*TEN)
    cancelled = await batch_steer.cancel(desk.store, batch.id, actor=MAKER, because="No.")
    with pytest.raises(BatchRefused):
        await desk.approve(batch)
    assert (cancelled.state, await desk.payments()) == (BatchState.CANCELLED, [])


async def test_fm_26_low_float_pauses_the_batch_and_fails_no_row(desk: Desk) -> None:
    """With money for six of ten, six are paid, four stay ready, and more money brings them on."""
    desk.balance = Decimal(6_050)
    batch = await desk.approved(*TEN)
    paused = await desk.run(batch, BatchState.PAUSED)
    spent = sum(one.payment.amount for one in desk.paid(await desk.payments()))
    counts = await desk.counts(paused)
    desk.balance = Decimal(1_000_000)
    await desk.resume(paused)
    done = await desk.run(paused)
    assert (paused.paused_reason, counts) == ("low_float", {"successful": 6, "ready": 4})
    assert spent == 6_015
    assert await desk.counts(done) == {"successful": 10}


async def test_fm_26_refusals_for_want_of_money_pause_the_batch(desk: Desk) -> None:
    """Where the balance cannot be had, three refusals in a row stop the rest."""
    desk.balance = None
    await desk.policy(replace(FAST, in_flight_cap=1))
    batch = await desk.run(await desk.approved(*TEN), BatchState.RUNNING)
    for payment in await desk.payments():
        desk.refusals[payment.payment.party_id or ""] = "NOT_ENOUGH_FUNDS"
    paused = await desk.run(batch, BatchState.PAUSED)
    counts = await desk.counts(paused)
    desk.refusals.clear()
    await desk.resume(paused)
    done = await desk.run(paused)
    assert (paused.paused_reason, counts) == ("low_float", {"failed": 3, "ready": 7})
    assert await desk.counts(done) == {"failed": 3, "successful": 7}


async def test_the_balance_is_asked_again_while_the_batch_runs(desk: Desk) -> None:
    """It is not asked for every row, nor only once."""
    await desk.policy(replace(FAST, rows_per_second=0.1))
    batch = await desk.run(await desk.approved(*TEN), BatchState.RUNNING)
    for _ in range(60):
        desk.clock.advance(3.0)
        await desk.step()
        await desk.sent()
    assert await desk.counts(batch) == {"pending": 10}
    assert 2 <= desk.balances_asked <= 4


async def test_while_no_balance_is_to_be_had_rows_go_and_mtn_is_not_pestered(desk: Desk) -> None:
    """Without an answer the refusals alone can tell; the question is repeated now and then."""
    desk.balance = None
    await desk.policy(replace(FAST, rows_per_second=1.0))
    batch = await desk.run(await desk.approved(*TEN), BatchState.RUNNING)
    before = desk.balances_asked
    desk.clock.advance(20.0)
    for _ in range(12):
        await desk.step()
        desk.clock.advance(1.0)
    assert await desk.counts(batch) == {"created": 10}
    assert desk.balances_asked - before == 1


async def test_a_stopped_account_lets_nothing_go(desk: Desk) -> None:
    """The kill switch of the account, or of all money, holds every row where it is."""
    batch = await desk.run(await desk.approved(*TEN), BatchState.RUNNING)
    await desk.store.write(lambda t: pause_account(t, ACCOUNT.id, reason="stop"))
    desk.clock.advance(5.0)
    await desk.step()
    by_account = await desk.counts(batch)
    await desk.store.write(lambda t: resume_account(t, ACCOUNT.id))
    await desk.store.write(lambda t: turn(t, Name.MONEY, on=True, because="drill", by="test"))
    desk.clock.advance(5.0)
    await desk.step()
    by_switch = await desk.counts(batch)
    await desk.store.write(lambda t: turn(t, Name.MONEY, on=False, because="drill", by="test"))
    desk.clock.advance(5.0)
    await desk.step()
    assert (by_account, by_switch) == ({"ready": 10}, {"ready": 10})
    assert await desk.counts(batch) == {"created": 1, "ready": 9}


async def test_the_accounts_own_limits_hold_batches_too(desk: Desk) -> None:
    """Over the day's limit the batch stops before a payment is made, and goes on when raised."""

    async def allow(amount: int) -> None:
        limits = {"UGX": Limits(send_per_day=Decimal(amount))}
        await desk.store.write(
            lambda t: set_limits(t, ACCOUNT.id, limits, because="test", by="test")
        )

    await allow(1500)
    batch = await desk.approved(line(1, 1000), line(2, 1000))
    stopped = await desk.run(batch, BatchState.PAUSED)
    made = await desk.payments()
    await allow(2500)
    await desk.resume(stopped)
    done = await desk.run(stopped)
    spent = await desk.store.read(lambda t: spent_today(t, ACCOUNT.id))
    assert (made, "send_per_day" in (stopped.paused_reason or "")) == ([], True)
    assert await desk.counts(done) == {"successful": 2}
    assert spent == {"UGX": 2000}


async def test_a_batch_that_ran_for_days_still_sends_its_last_rows(desk: Desk) -> None:
    """The time in which a payment may be sent begins when it is let go, not when it is made."""
    batch = await desk.run(await desk.approved(*TEN[:2]), BatchState.RUNNING)
    await batch_steer.pause(desk.store, batch.id, actor=MAKER, because="Weekend.")
    desk.clock.advance(3 * 86_400.0)
    await desk.resume(batch)
    done = await desk.run(batch)
    assert await desk.counts(done) == {"successful": 2}


async def test_a_worker_that_lost_its_lease_writes_nothing(desk: Desk) -> None:
    """Two workers on one batch: the late one's release finds the lease gone."""
    batch = await desk.run(await desk.approved(*TEN), BatchState.RUNNING)
    await desk.sql(
        update(batches)
        .where(batches.c.id == batch.id)
        .values(lease_token=batches.c.lease_token + 1)
    )
    desk.clock.advance(5.0)
    await release(await desk.batch(batch), store=desk.store, ask=desk.ask_balance)
    assert await desk.counts(batch) == {"ready": 10}
