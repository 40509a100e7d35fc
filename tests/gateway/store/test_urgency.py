"""What is asked about first, and what a closed lane lets through all the same."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from momokit.gateway.core.facts import Taken
from momokit.gateway.core.payment import Work
from momokit.gateway.store.accounts import pause_account
from momokit.gateway.store.inbox import HintRequest
from momokit.gateway.store.store import Store
from momokit.gateway.store.tables import payments
from momokit.gateway.store.urgency import LOOKED_THROUGH
from tests.gateway.store.making import START, Clock, accept, add_account, on

pytestmark = pytest.mark.anyio
DAY = 86_400.0


async def _claim(store: Store, work: Work, *, limit: int = 100) -> list[str]:
    return [claim.id for claim in await store.claim(work, limit=limit, lease_seconds=30)]


async def _all_due(store: Store, *names: str) -> None:
    """Have MTN take payments, and make the question about each due since they were accepted."""
    for name in names:
        await store.record(f"pay_{name}", on(Taken()), lease_token=None)
    await store.write(
        lambda t: t.connection.execute(update(payments).values(due_at=payments.c.created_at))
    )


async def test_hints_come_first_then_what_we_pay_then_the_oldest(
    store: Store, clock: Clock
) -> None:
    """Of what is due, a callback's payment, pushes, pulls: each by age, whatever was due first."""
    for name, kind in (
        ("pull_old", "request_to_pay"), ("push_old", "transfer"), ("pull_new", "request_to_pay"),
        ("push_new", "deposit"), ("heard", "request_to_pay"),
    ):  # fmt: skip
        await accept(store, name, kind=kind)
        clock.advance(1)
    await _all_due(store, "pull_old", "push_old", "pull_new", "push_new", "heard")
    await store.hint(HintRequest(body=b"{}", method="POST", payment_id="pay_heard"))
    clock.advance(60)

    claimed = await _claim(store, Work.SETTLE)

    expected = ["heard", "push_old", "push_new", "pull_old", "pull_new"]
    assert claimed == [f"pay_{name}" for name in expected]


async def test_a_backlog_of_pushes_does_not_starve_a_pull(store: Store, clock: Clock) -> None:
    """What has been due longest has its turn, however much of the urgent comes after it."""
    await accept(store, "pull")
    clock.advance(1)
    names = [f"p{n}" for n in range(LOOKED_THROUGH)]
    await accept(store, *names, kind="transfer")
    await _all_due(store, "pull", *names)
    clock.advance(60)

    first = await _claim(store, Work.SETTLE, limit=1)
    then = await _claim(store, Work.SETTLE, limit=LOOKED_THROUGH)

    assert first != ["pay_pull"]
    assert "pay_pull" in then


async def test_urgent_questions_of_one_account_leave_others_their_share(
    store: Store, clock: Clock
) -> None:
    """Each account has an equal part of what is claimed."""
    await add_account(store, "acc_2")
    await accept(store, *[f"a{n}" for n in range(6)], kind="transfer")
    await accept(store, "b0", "b1", account_id="acc_2")
    await _all_due(store, *[f"a{n}" for n in range(6)], "b0", "b1")
    clock.advance(60)

    claimed = await _claim(store, Work.SETTLE, limit=4)

    assert sorted(claimed) == ["pay_a0", "pay_a1", "pay_b0", "pay_b1"]


async def test_a_closed_lane_lets_through_what_sends_nothing(store: Store, clock: Clock) -> None:
    """A send that may be on its way is asked about, and one that is too late ends; no more."""
    await accept(store, "dying", kind="transfer")
    assert await _claim(store, Work.SUBMIT) == ["pay_dying"]
    await accept(store, "push", kind="transfer")
    await accept(store, "pull")
    await store.write(lambda t: pause_account(t, "acc_1", reason="keys"))
    clock.advance(31)

    at_once = await _claim(store, Work.SUBMIT)
    clock.advance(120)
    later = await _claim(store, Work.SUBMIT)
    clock.advance(DAY)
    last = await _claim(store, Work.SUBMIT)

    assert at_once == ["pay_dying"]
    assert sorted(later) == ["pay_dying", "pay_pull"]
    assert sorted(last) == ["pay_dying", "pay_pull", "pay_push"]
    assert clock.now == START + 151 + DAY


async def test_a_lane_that_is_paused_whole_lets_nothing_through(store: Store, clock: Clock) -> None:
    """A person who stops everything stops questions too."""
    await accept(store, "a")
    await store.write(lambda t: pause_account(t, "acc_1", reason="audit", everything=True))
    clock.advance(DAY)

    assert await _claim(store, Work.SUBMIT) == []


async def test_what_was_never_sent_is_not_woken_by_a_question(store: Store) -> None:
    """It waits for its batch: MTN knows nothing of it, and its "not known" would set it free."""
    await accept(store, "held", kind="transfer")
    await store.write(
        lambda t: t.connection.execute(update(payments).values(work=None, due_at=None))
    )
    await store.hint(
        HintRequest(body=b"by hand", method="REVIEW", payment_id="pay_held", reopens=True)
    )
    stored = await store.payment("pay_held")

    assert stored is not None
    assert (stored.payment.work, stored.due_at) == (None, None)
