"""Lanes whose breaker is open: what is claimed of them, by whom, and how they open again."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update

from momokit.gateway.core.breaker import LaneState
from momokit.gateway.core.facts import Doubt, NoAnswer, Taken
from momokit.gateway.core.payment import Work
from momokit.gateway.store import lanes
from momokit.gateway.store.guard_tables import lanes as rows
from momokit.gateway.store.lanes import LaneKey
from momokit.gateway.store.records import Claimed
from momokit.gateway.store.store import Store
from momokit.gateway.store.switches import list_guard_events
from momokit.gateway.store.tables import payments
from tests.gateway.store.making import START, Clock, accept, on

pytestmark = pytest.mark.anyio

SENDS = LaneKey(account_id="acc_1", product="disbursement", work=Work.SUBMIT)
QUESTIONS = LaneKey(account_id="acc_1", product="disbursement", work=Work.SETTLE)
PUSH = {"kind": "transfer", "product": "disbursement"}


async def _claim(store: Store, work: Work = Work.SUBMIT, *, limit: int = 10) -> list[Claimed]:
    return await store.claim(work, limit=limit, lease_seconds=30)


async def _shut(store: Store, *keys: LaneKey) -> None:
    for key in keys:
        assert await store.write(lambda t, key=key: lanes.shut_lane(t, key, chance=0.0))  # type: ignore[misc]


async def _end(store: Store, claimed: Claimed, *, answered: bool | None) -> bool:
    key = LaneKey(account_id="acc_1", product=claimed.request.product, work=claimed.work)
    opened_at = claimed.lane_opened_at
    assert opened_at is not None
    return await store.write(
        lambda t: lanes.end_probe(t, key, opened_at=opened_at, answered=answered, chance=0.0)
    )


async def test_nothing_is_sent_in_a_lane_that_is_shut_and_all_in_the_others(store: Store) -> None:
    """The account's other product goes on."""
    await accept(store, "a", "b", **PUSH)
    await accept(store, "c")
    await _shut(store, SENDS)
    assert [one.id for one in await _claim(store)] == ["pay_c"]


async def test_one_probe_at_a_time_and_longer_pauses_after_each(store: Store, clock: Clock) -> None:
    """After its pause a lane is tried by one payment, whoever claims; no answer shuts it longer."""
    await accept(store, "a", "b", "c", **PUSH)
    await _shut(store, SENDS)
    clock.advance(5)
    claims = await asyncio.gather(*(_claim(store) for _ in range(4)))
    [probe] = [one for claimed in claims for one in claimed]
    while_trying = await store.read(lanes.lane_states)
    opened = await _end(store, probe, answered=False)
    await store.record(probe.id, on(Doubt(why="503")), lease_token=probe.lease_token)
    clock.advance(9)
    early = await _claim(store)
    clock.advance(1)
    [second] = await _claim(store)
    assert (probe.lane_opened_at, opened, early) == (START, False, [])
    assert while_trying == {SENDS: LaneState.HALF_OPEN}
    assert second.id != probe.id


async def test_an_answer_to_the_probe_opens_the_lane_for_all(store: Store, clock: Clock) -> None:
    """Everything that waited is claimable at once, and the history says when."""
    await accept(store, "a", "b", "c", **PUSH)
    await _shut(store, SENDS)
    clock.advance(5)
    [probe] = await _claim(store)
    opened = await _end(store, probe, answered=True)
    rest = await _claim(store)
    history = await store.read(list_guard_events)
    assert opened
    assert sorted(one.id for one in [probe, *rest]) == ["pay_a", "pay_b", "pay_c"]
    assert [one.what for one in history] == ["lane_opened", "lane_shut"]
    assert await store.read(lanes.shut_lanes) == []


async def test_a_probe_that_tried_nothing_leaves_its_place_to_the_next(
    store: Store, clock: Clock
) -> None:
    """A payment that turned out not to be sent says nothing of the lane."""
    await accept(store, "a", "b", **PUSH)
    await _shut(store, SENDS)
    clock.advance(5)
    [probe] = await _claim(store)
    await _end(store, probe, answered=None)
    assert len(await _claim(store)) == 1


async def test_a_probe_whose_worker_died_is_followed_by_another(store: Store, clock: Clock) -> None:
    """Its place is leased, like everything else."""
    await accept(store, "a", "b", **PUSH)
    await _shut(store, SENDS)
    clock.advance(5)
    [first] = await _claim(store)
    clock.advance(31)
    taken = await _claim(store)
    ids = {one.id for one in taken}
    # The one that may have been sent is asked about; another one is the probe.
    assert first.id in ids
    assert [one.lane_opened_at for one in taken if one.id != first.id] == [START]
    assert [one.was_sending for one in taken if one.id == first.id] == [True]


async def test_a_late_answer_of_an_earlier_storm_opens_nothing(store: Store, clock: Clock) -> None:
    """A probe speaks for the storm that it was sent in."""
    await accept(store, "a", **PUSH)
    await _shut(store, SENDS)
    clock.advance(5)
    [probe] = await _claim(store)
    await store.write(lambda t: lanes.open_by_hand(t, "acc_1", because="they said so", by="Ada"))
    clock.advance(1)
    await _shut(store, SENDS)
    assert not await _end(store, probe, answered=True)
    assert len(await store.read(lanes.shut_lanes)) == 1


async def test_as_long_as_questions_go_unanswered_no_money_is_the_probe(
    store: Store, clock: Clock
) -> None:
    """The question tries the lane; its answer opens both."""
    await accept(store, "asked", "b", **PUSH)
    await store.record("pay_asked", on(Doubt(why="503")), lease_token=None)
    await _shut(store, SENDS, QUESTIONS)
    clock.advance(6)
    no_send = await _claim(store)
    [question] = await _claim(store, Work.SETTLE)
    await _end(store, question, answered=True)
    [probe] = await _claim(store)
    assert no_send == []
    assert (question.id, probe.id) == ("pay_asked", "pay_b")
    assert probe.lane_opened_at == START


async def test_without_anything_to_ask_sends_have_a_probe_of_their_own(
    store: Store, clock: Clock
) -> None:
    """A lane of questions that nobody asks any more does not shut the sends for ever."""
    await accept(store, "b", **PUSH)
    await _shut(store, SENDS, QUESTIONS)
    clock.advance(6)
    none = await _claim(store)
    clock.advance(60)
    [probe] = await _claim(store)
    assert (none, probe.id) == ([], "pay_b")


async def test_questions_of_a_shut_lane_go_on_at_a_tenth(store: Store, clock: Clock) -> None:
    """One, and the next after a second and a quarter, though many are due."""
    names = [f"n{n}" for n in range(20)]
    await accept(store, *names, **PUSH)
    for name in names:
        await store.record(f"pay_{name}", on(Taken()), lease_token=None)
    await _shut(store, QUESTIONS)
    clock.advance(10)
    asked = []
    for _ in range(100):
        asked += await _claim(store, Work.SETTLE)
        clock.advance(0.1)
    assert 7 <= len(asked) <= 9


async def test_the_end_of_a_storm_does_not_wait_for_a_long_pause(
    store: Store, clock: Clock
) -> None:
    """Once nothing was due for half a minute a question comes before its time."""
    await accept(store, "a", **PUSH)
    await store.record("pay_a", on(Doubt(why="503")), lease_token=None)
    await store.record("pay_a", on(NoAnswer(why="503", failures=9)), lease_token=None)
    await _shut(store, QUESTIONS)
    clock.advance(20)
    early = await _claim(store, Work.SETTLE)
    clock.advance(20)
    assert early == []
    assert [one.id for one in await _claim(store, Work.SETTLE)] == ["pay_a"]


async def test_what_waits_for_another_try_is_due_when_its_lane_opens(
    store: Store, clock: Clock
) -> None:
    """The pauses of a storm end with it."""
    await accept(store, "a", "b", **PUSH)
    for name in "ab":
        await store.record(f"pay_{name}", on(Doubt(why="503")), lease_token=None)
    later = update(payments).values(ask_failures=6, due_at=START + 300)
    await store.write(lambda t: t.connection.execute(later))
    await _shut(store, QUESTIONS)
    clock.advance(40)
    [probe] = await _claim(store, Work.SETTLE)
    await _end(store, probe, answered=True)
    rest = await _claim(store, Work.SETTLE)
    assert sorted(one.id for one in [probe, *rest]) == ["pay_a", "pay_b"]


async def test_one_whose_time_is_over_is_let_through_to_be_told(store: Store, clock: Clock) -> None:
    """It will not be sent, and its merchant learns that in time."""
    await accept(store, "pull")
    await accept(store, "push", **PUSH)
    collect = LaneKey(account_id="acc_1", product="collection", work=Work.SUBMIT)
    await _shut(store, SENDS, collect)
    clock.advance(4)
    before = await _claim(store)
    await store.write(lambda t: t.connection.execute(update(rows).values(open_until=START + 9999)))
    clock.advance(120)
    assert before == []
    assert [one.id for one in await _claim(store)] == ["pay_pull"]
