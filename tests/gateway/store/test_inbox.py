"""Callbacks: kept, counted, not believed; they only hurry the question."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from momokit.gateway.core.facts import Doubt, Fact, Taken, Told
from momokit.gateway.core.payment import State, Work
from momokit.gateway.store.inbox import Hint, HintRequest
from momokit.gateway.store.store import Store
from tests.gateway.store.making import START, Clock, accept, on

pytestmark = pytest.mark.anyio


def _callback(body: bytes = b"{}", *, reopens: bool = False) -> HintRequest:
    return HintRequest(callback_token_hash="token-a", body=body, method="PUT", reopens=reopens)


async def _due(store: Store) -> float | None:
    stored = await store.payment("pay_a")
    assert stored is not None
    return stored.due_at


async def test_a_callback_brings_the_question_forward(store: Store, clock: Clock) -> None:
    """It is kept as it came; the payment's state stays, and the question is due now."""
    await accept(store, "a")
    await store.record("pay_a", on(Taken()), lease_token=None)
    clock.advance(1)
    hint = await store.hint(_callback(b'{"status":"SUCCESSFUL"}'))
    story = await store.timeline("pay_a")
    assert story is not None
    assert (hint, story.payment.state, story.payment.due_at) == (Hint.NEW, State.PENDING, START + 1)
    assert [(c.method, c.body) for c in story.callbacks] == [("PUT", b'{"status":"SUCCESSFUL"}')]


async def test_fm_06_repeated_callbacks_are_one(store: Store) -> None:
    """Fifty times the same is one line in the inbox, with its count."""
    await accept(store, "a")
    hints = await asyncio.gather(*(store.hint(_callback()) for _ in range(50)))
    story = await store.timeline("pay_a")
    assert story is not None
    assert hints.count(Hint.NEW) == 1
    assert [callback.seen for callback in story.callbacks] == [50]


async def test_a_callback_for_nobody_is_unknown(store: Store) -> None:
    """A path that we did not give out belongs to no payment."""
    assert await store.hint(_callback()) is Hint.UNKNOWN


async def test_a_payment_can_be_named_by_id(store: Store) -> None:
    """Somebody who knows the payment needs no secret path."""
    await accept(store, "a")
    hint = await store.hint(HintRequest(payment_id="pay_a", body=b"", method="POST"))
    assert hint is Hint.NEW


async def test_mtn_is_asked_at_most_every_two_seconds(store: Store, clock: Clock) -> None:
    """A new callback right after a question waits a little with the next one."""
    await accept(store, "a")
    await store.record("pay_a", on(Taken()), lease_token=None)
    clock.advance(5)
    [claim] = await store.claim(Work.SETTLE, limit=1, lease_seconds=30)
    await store.record("pay_a", on(Told(status="PENDING")), lease_token=claim.lease_token)
    clock.advance(0.5)
    await store.hint(_callback())
    assert await _due(store) == START + 5 + 2


async def test_fm_03_a_callback_before_our_own_answer_is_not_forgotten(store: Store) -> None:
    """Heard while the send is under way, it makes the first question due at once."""
    await accept(store, "a")
    [claim] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    await store.hint(_callback())
    await store.record("pay_a", on(Taken()), lease_token=claim.lease_token)
    assert await _due(store) == START


async def test_a_callback_during_a_question_causes_another(store: Store, clock: Clock) -> None:
    """The answer that was on its way may be older than the callback; the one after is not."""
    await accept(store, "a")
    await store.record("pay_a", on(Taken()), lease_token=None)
    clock.advance(5)
    [claim] = await store.claim(Work.SETTLE, limit=1, lease_seconds=30)
    await store.hint(_callback())
    await store.record("pay_a", on(Told(status="PENDING")), lease_token=claim.lease_token)
    first = await _due(store)
    clock.advance(2)
    [claim] = await store.claim(Work.SETTLE, limit=1, lease_seconds=30)
    await store.record("pay_a", on(Told(status="PENDING")), lease_token=claim.lease_token)
    assert (first, await _due(store)) == (START + 7, START + 15)


@pytest.mark.parametrize(("reopens", "due"), [(False, None), (True, START)])
async def test_fm_08_a_callback_after_the_end_asks_only_when_it_contradicts(
    store: Store, reopens: bool, due: float | None
) -> None:
    """A final payment is asked about once more only when whoever read the callback says so."""
    await accept(store, "a")
    await store.record("pay_a", on(Taken()), lease_token=None)
    await store.record("pay_a", on(Told(status="SUCCESSFUL")), lease_token=None)
    await store.hint(_callback(b'{"status":"FAILED"}', reopens=reopens))
    assert await _due(store) == due


async def test_a_callback_wakes_a_payment_that_waits_for_a_person(
    store: Store, clock: Clock
) -> None:
    """After seven days nothing is due any more, but news of the payment are followed."""
    await accept(store, "a")
    await store.record("pay_a", on(Taken()), lease_token=None)
    clock.advance(8 * 86400)
    await store.record("pay_a", on(Told(status="PENDING")), lease_token=None)
    asleep = await _due(store)
    await store.hint(_callback())
    [claim] = await store.claim(Work.SETTLE, limit=1, lease_seconds=30)
    assert (asleep, claim.id) == (None, "pay_a")


async def test_fm_05_a_hurried_question_and_the_plans_own_keep_the_distance(
    store: Store, clock: Clock
) -> None:
    """A callback had it asked just before its plan would: the plan's question waits."""
    await accept(store, "a")
    await store.record("pay_a", on(Taken()), lease_token=None)
    clock.advance(4.0)
    await store.hint(_callback())
    [claim] = await store.claim(Work.SETTLE, limit=1, lease_seconds=30)
    await store.record("pay_a", on(Told(status="PENDING")), lease_token=claim.lease_token)
    assert await _due(store) == START + 4.0 + 2


@pytest.mark.parametrize("truth", ["SUCCESSFUL", "FAILED"])
async def test_fm_03_in_any_order_of_answer_callback_and_truth_the_truth_stays(
    store: Store, clock: Clock, truth: str
) -> None:
    """A hundred orders of the sender's late answer, callbacks and questions: one end, told once."""
    told = Told(status=truth, reason_code="APPROVAL_REJECTED" if truth == "FAILED" else None)
    for seed in range(100):
        chance, name = Random(seed), f"{truth}-{seed}"
        await accept(store, name)
        [sent] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
        late: Fact = Taken() if chance.random() < 0.5 else Doubt(why="timeout")
        steps = ["answer", *["callback"] * chance.randint(1, 3), *["ask", "wait"] * 3]
        chance.shuffle(steps)
        for step in [*steps, "wait", "ask", "wait", "ask"]:
            if step == "answer":
                await store.record(sent.payment.id, on(late), lease_token=sent.lease_token)
            elif step == "callback":
                await store.hint(
                    HintRequest(
                        callback_token_hash=f"token-{name}",
                        body=chance.randbytes(4),
                        method="PUT",
                    )
                )
            elif step == "wait":
                clock.advance(chance.choice([0.1, 2.0, 6.0, 40.0]))
            else:
                word = chance.choice([told, Told(status="PENDING")])
                for claim in await store.claim(Work.SETTLE, limit=1, lease_seconds=30):
                    await store.record(claim.payment.id, on(word), lease_token=claim.lease_token)
        await store.record(sent.payment.id, on(told), lease_token=None)
        story = await store.timeline(sent.payment.id)
        assert story is not None
        finals = [one.event for one in story.events if one.event in ("successful", "failed")]
        assert (story.payment.state.value, finals) == (truth.lower(), [truth.lower()]), seed
        # What is told after the end is no work for the next one.
        assert await store.claim(Work.SETTLE, limit=1, lease_seconds=30) == [], seed
