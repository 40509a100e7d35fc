"""What failed is paid again by a linked batch; what may have been paid never is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import DBAPIError

from momokit.gateway.core.batch import BatchRefused, BatchState
from momokit.gateway.core.facts import Doubt, Fact, Taken, Told
from momokit.gateway.core.payment import Work
from momokit.gateway.steps import batch_sign, batch_steer
from momokit.gateway.store.batch_rows import UNCHECKED
from momokit.gateway.store.batch_tables import batch_rows
from momokit.gateway.store.batches import Batch
from momokit.gateway.store.tables import payments
from tests.gateway.batches.making import CHECKER, MAKER, SECOND, Desk, line
from tests.gateway.batches.test_checks import msisdn

pytestmark = pytest.mark.anyio

FOUR = [line(number, 1000 + number) for number in range(4)]


async def retry(desk: Desk, batch: Batch, **more: Any) -> Batch:
    """Make a batch of what failed."""
    key = more.pop("key", None)
    return await batch_steer.retry_failed(
        desk.store, batch.id, actor=more.pop("actor", MAKER), idempotency=desk.claim(key), **more
    )


async def paid_in_part(desk: Desk) -> Batch:
    """Run a batch of four in which the second and the fourth row fail."""
    desk.refusals = {msisdn(1): "PAYEE_NOT_FOUND", msisdn(3): "PAYEE_NOT_FOUND"}
    batch = await desk.run(await desk.approved(*FOUR))
    desk.refusals = {}
    return batch


async def test_a_retry_holds_what_failed_and_is_approved_anew(desk: Desk) -> None:
    """Two of four failed: the new batch has those two, and pays them after a second person."""
    batch = await paid_in_part(desk)
    again = await desk.check(await retry(desk, batch))
    submitted = await batch_sign.submit(desk.store, again.id, actor=MAKER)
    with pytest.raises(BatchRefused):
        await desk.approve(submitted, actor=MAKER)
    done = await desk.run(await desk.approve(submitted))
    rows = [both.row.number for both in await desk.rows(done)]
    amounts = sorted(one.payment.amount for one in desk.paid(await desk.payments()))
    assert (again.parent_id, rows, done.amount) == (batch.id, [3, 5], 2004)
    assert await desk.counts(done) == {"successful": 2}
    assert amounts == [1000, 1001, 1002, 1003]


async def test_a_failed_row_is_in_one_batch_at_a_time(desk: Desk) -> None:
    """A second retry finds nothing, the same key gives the same batch, and a rejection frees."""
    batch = await paid_in_part(desk)
    first = await retry(desk, batch, key="k")
    same = await retry(desk, batch, key="k")
    with pytest.raises(BatchRefused) as refused:
        await retry(desk, batch)
    await desk.check(first)
    seen = await batch_sign.submit(desk.store, first.id, actor=MAKER)
    await batch_sign.reject(
        desk.store, first.id, actor=CHECKER, seen_hash=seen.rows_hash or "", because="No."
    )
    second = await retry(desk, batch)
    assert same.id == first.id
    assert refused.value.code == "nothing_to_retry"
    assert [both.row.number for both in await desk.rows(second)] == [3, 5]


async def test_the_database_refuses_a_second_try_beside_the_first(desk: Desk) -> None:
    """By hand too, a failed row has one live successor."""
    batch = await paid_in_part(desk)
    await retry(desk, batch)
    other = await desk.upload(line(9))
    with pytest.raises(DBAPIError):
        await desk.sql(insert(batch_rows), by_hand(other, of=batch, row=3))


OPEN: dict[str, list[Fact]] = {
    "created": [],
    "pending": [Taken()],
    "unknown": [Doubt(why="no answer")],
    "successful": [Taken(), Told(status="SUCCESSFUL")],
    "audited": [Taken(), Told(status="FAILED", reason_code="INTERNAL_PROCESSING_ERROR")],
}


@pytest.mark.parametrize("facts", OPEN.values(), ids=OPEN.keys())
async def test_what_is_not_proven_failed_is_never_paid_again(desk: Desk, facts: list[Fact]) -> None:
    """Waiting, pending, unknown, paid, or failed and still asked about: not by us, nor by hand."""
    batch = await desk.run(await desk.approved(line(1)), BatchState.RUNNING)
    await desk.step()
    claimed = await desk.store.claim(Work.SUBMIT, limit=1, lease_seconds=60)
    for fact in facts:
        await desk.learn(claimed[0].id, fact)
    other = await desk.upload(line(9))
    with pytest.raises(BatchRefused) as refused:
        await retry(desk, batch)
    with pytest.raises(DBAPIError, match="proven to have failed"):
        await desk.sql(insert(batch_rows), by_hand(other, of=batch, row=2))
    assert refused.value.code == "nothing_to_retry"


async def test_what_a_person_looks_at_is_not_paid_again(desk: Desk) -> None:
    """A failure that is under review waits for that."""
    batch = await paid_in_part(desk)
    await desk.sql(update(payments).where(payments.c.batch_row == 3).values(review=True))
    again = await retry(desk, batch)
    assert [both.row.number for both in await desk.rows(again)] == [5]


async def test_a_failure_that_turns_out_paid_stops_the_second_try(desk: Desk) -> None:
    """MTN corrects itself after the retry was approved: that row is not paid a second time."""
    batch = await paid_in_part(desk)
    again = await desk.check(await retry(desk, batch))
    submitted = await batch_sign.submit(desk.store, again.id, actor=MAKER)
    await desk.run(await desk.approve(submitted), BatchState.RUNNING)
    overturned = next(one for one in await desk.rows(batch) if one.row.number == 3)
    assert overturned.payment is not None
    await desk.learn(overturned.payment.id, Told(status="SUCCESSFUL"))
    done = await desk.run(again)
    rows = {both.row.number: both.payment for both in await desk.rows(done)}
    assert rows[3] is not None
    assert rows[5] is not None
    assert (rows[3].state, rows[3].reason_code) == ("failed", "EARLIER_ATTEMPT_PAID")
    assert rows[5].state == "successful"


async def test_what_was_cancelled_is_paid_again_only_when_asked(desk: Desk) -> None:
    """Rows that somebody dropped are not brought back by a retry of what failed."""
    batch = await desk.run(await desk.approved(*FOUR), BatchState.RUNNING)
    await batch_steer.cancel(desk.store, batch.id, actor=MAKER, because="Later.")
    while await desk.step():
        desk.clock.advance(0.01)
    with pytest.raises(BatchRefused):
        await retry(desk, batch)
    again = await retry(desk, batch, with_cancelled=True, actor=SECOND)
    assert (again.row_count, again.maker) == (4, "chantal")


def by_hand(batch: Batch, *, of: Batch, row: int) -> dict[str, Any]:
    """Write a row that pays another one again."""
    return {
        "batch_id": batch.id, "row": 99, "sealed": b"", "excluded": False,
        "check_state": UNCHECKED, "findings": "[]", "retry_of_batch": of.id, "retry_of_row": row,
        "retry_live": True,
    }  # fmt: skip
