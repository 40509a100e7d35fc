"""Several workers on one batch: each row is made, let go and ended once."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from momokit.gateway.core.batch import BatchState
from momokit.gateway.core.payment import Work
from momokit.gateway.steps import batch_sign, batch_steer
from tests.gateway.batches.making import CHECKER, FAST, MAKER, Desk, line
from tests.gateway.store.making import Clock

pytestmark = pytest.mark.anyio

ROWS = [line(number, 1000 + number) for number in range(60)]


async def at_once(desks: list[Desk], *, rounds: int) -> None:
    """Let all workers step at the same time, again and again."""

    async def work(desk: Desk) -> None:
        for _ in range(rounds):
            await desk.step()

    for _ in range(3):
        await asyncio.gather(*(work(desk) for desk in desks))
        desks[0].clock.advance(1.0)


async def test_workers_share_a_batch_and_no_row_goes_twice(
    url: str, clock: Clock, desk: Desk
) -> None:
    """Four workers prepare and release the same batch at once."""
    await desk.policy(FAST)
    batch = await desk.approved(*ROWS)
    desks = [desk, *(Desk(url, clock) for _ in range(3))]
    for _ in range(6):
        await at_once(desks, rounds=4)
    rows = await desk.rows(batch)
    events: Counter[str] = Counter()
    for both in rows:
        assert both.payment is not None
        timeline = await desk.store.timeline(both.payment.id)
        assert timeline is not None
        events.update(one.event for one in timeline.events)
    for other in desks[1:]:
        other.close()
    assert len({both.payment.id for both in rows if both.payment}) == 60
    assert events == {"created": 60, "released": 60}


async def test_approving_and_cancelling_at_once_is_one_or_the_other(desk: Desk) -> None:
    """A batch that is cancelled while it is approved pays nothing, or is approved and dropped."""
    for number in range(5):
        batch = await desk.submitted(line(number, 1000 + number))
        await asyncio.gather(
            desk.approve(batch),
            batch_steer.cancel(desk.store, batch.id, actor=MAKER, because="Stop."),
            return_exceptions=True,
        )
        while await desk.step():
            desk.clock.advance(0.01)
        assert (await desk.batch(batch)).state is BatchState.CANCELLED
    assert await desk.store.next_due(Work.SUBMIT) is None
    assert all(one.state == "failed" for one in await desk.payments())


async def test_two_approvals_at_once_count_once_each(desk: Desk) -> None:
    """One checker pressing twice is one word, whatever the timing."""
    batch = await desk.submitted(line(1))
    seen = batch.rows_hash or ""
    answers = await asyncio.gather(
        *(
            batch_sign.approve(desk.store, batch.id, actor=CHECKER, seen_hash=seen)
            for _ in range(5)
        ),
        return_exceptions=True,
    )
    done = [one for one in answers if not isinstance(one, BaseException)]
    assert len(done) == 1
    assert (await desk.batch(batch)).state is BatchState.APPROVED
