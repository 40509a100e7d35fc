"""Accepting payments: once, whatever repeats the request, and within its conditions."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from momokit.gateway.core.facts import Taken, Told
from momokit.gateway.core.payment import State, Work
from momokit.gateway.store import idempotency
from momokit.gateway.store.accepting import TooMuch, Twin, no_twin, refund_cap
from momokit.gateway.store.payments import Filter
from momokit.gateway.store.records import Outcome
from momokit.gateway.store.store import Store
from tests.gateway.store.making import START, Clock, accept, claim_of, new_payment, on
from tests.gateway.veiled import VEIL

pytestmark = pytest.mark.anyio


async def test_an_accepted_payment_is_created_and_due(store: Store) -> None:
    """The payment, its first line of history and its work are there together."""
    result = await store.accept(new_payment("a"), idempotency=claim_of("k"))
    story = await store.timeline("pay_a")
    assert story is not None
    assert (result.outcome, story.payment) == (Outcome.NEW, result.payment)
    assert story.payment.state is State.CREATED
    assert (story.payment.payment.work, story.payment.due_at) == (Work.SUBMIT, START)
    assert [(event.event, event.sequence) for event in story.events] == [("created", 1)]


async def test_what_is_sent_is_kept_to_the_byte(store: Store) -> None:
    """The request that comes out is the one that went in."""
    new = new_payment("a")
    request = (await store.accept(new, idempotency=None)).payment.request
    assert (request.body, request.headers, request.path) == (new.body, new.headers, new.path)
    assert request.reference_id == new.reference_id


async def test_fm_22_a_hundred_identical_requests_make_one_payment(store: Store) -> None:
    """However many come at once, one is accepted, and all are given that one."""
    results = await asyncio.gather(
        *(store.accept(new_payment(f"p{n}"), idempotency=claim_of("k")) for n in range(100))
    )
    page = await store.list_payments(Filter())
    assert len(page.items) == 1
    assert {result.payment.id for result in results} == {page.items[0].id}
    assert [result.outcome for result in results].count(Outcome.NEW) == 1


async def test_fm_22_stores_of_several_processes_agree(store: Store, url: str) -> None:
    """Two stores on one database accept one payment under one key between them."""
    other = Store(url, veil=VEIL, clock=lambda: START)
    results = await asyncio.gather(
        *(
            one.accept(new_payment(f"p{n}"), idempotency=claim_of("k"))
            for n, one in enumerate([store, other] * 20)
        )
    )
    other.close()
    assert len({result.payment.id for result in results}) == 1
    assert len((await store.list_payments(Filter())).items) == 1


async def test_fm_23_a_key_with_another_request_is_a_conflict(store: Store) -> None:
    """The same key for something else changes nothing."""
    await store.accept(new_payment("a"), idempotency=claim_of("k"))
    result = await store.accept(new_payment("b"), idempotency=claim_of("k", request="other"))
    assert (result.outcome, result.payment.id) == (Outcome.CONFLICT, "pay_a")
    assert await store.payment("pay_b") is None


async def test_a_refused_acceptance_leaves_its_key_free(store: Store) -> None:
    """What was not accepted does not use up the key."""

    def refuse(_transaction: object) -> None:
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        await store.accept(new_payment("a"), idempotency=claim_of("k"), checks=[refuse])
    result = await store.accept(new_payment("a"), idempotency=claim_of("k"))
    assert result.outcome is Outcome.NEW


async def test_fm_22_twins_that_come_at_once_are_told_apart(store: Store) -> None:
    """Of equal payments under different keys one is accepted; the others name it."""
    news = [new_payment(f"p{n}", merchant_reference="order-1") for n in range(8)]
    results = await asyncio.gather(
        *(
            store.accept(
                new, idempotency=claim_of(new.id), checks=[no_twin(new, within_seconds=600)]
            )
            for new in news
        ),
        return_exceptions=True,
    )
    twins = [result for result in results if isinstance(result, Twin)]
    accepted = (await store.list_payments(Filter())).items
    assert len(twins) == 7
    assert {twin.payment_id for twin in twins} == {payment.id for payment in accepted}


async def test_a_payment_much_later_is_no_twin(store: Store, clock: Clock) -> None:
    """After the time of the guard the same may be asked for again."""
    await accept(store, "a")
    clock.advance(601)
    new = new_payment("b")
    result = await store.accept(new, idempotency=None, checks=[no_twin(new, within_seconds=600)])
    assert result.outcome is Outcome.NEW


async def test_refunds_at_once_stay_within_what_was_captured(store: Store) -> None:
    """Of five refunds of 2,000 on 5,000, two are accepted."""
    await accept(store, "a")
    await store.record("pay_a", on(Taken()), lease_token=None)
    await store.record("pay_a", on(Told(status="SUCCESSFUL")), lease_token=None)
    refunds = [
        new_payment(f"r{n}", kind="refund", amount=Decimal(2000), original_payment_id="pay_a")
        for n in range(5)
    ]
    results = await asyncio.gather(
        *(
            store.accept(new, idempotency=claim_of(new.id), checks=[refund_cap(new)])
            for new in refunds
        ),
        return_exceptions=True,
    )
    assert [isinstance(result, TooMuch) for result in results].count(True) == 3


async def test_nothing_is_refunded_that_was_not_captured(store: Store) -> None:
    """An open payment cannot be given back."""
    await accept(store, "a")
    new = new_payment("r", kind="refund", original_payment_id="pay_a")
    with pytest.raises(TooMuch):
        await store.accept(new, idempotency=None, checks=[refund_cap(new)])


async def test_a_key_for_something_else_keeps_its_answer(store: Store) -> None:
    """A key can stand for an answer instead of a payment: under way, then finished, then gone."""
    claim = claim_of("k")

    async def claimed() -> idempotency.KeyState:
        return await store.write(lambda t: idempotency.claim_keys(t, [(claim, None)])[0])

    first, under_way = await claimed(), await claimed()
    await store.write(lambda t: idempotency.finish_key(t, claim=claim, status=201, response="{}"))
    finished = await claimed()
    assert [first.outcome, under_way.outcome] == [Outcome.NEW, Outcome.REPLAYED]
    assert (under_way.status, finished.status, finished.response) == (None, 201, "{}")


async def test_keys_are_kept_for_thirty_days(store: Store, clock: Clock) -> None:
    """A key is forgotten after the promised time and not before."""
    await store.accept(new_payment("a"), idempotency=claim_of("k"))
    clock.advance(30 * 86400 - 1)
    early = await store.write(idempotency.forget_old_keys)
    clock.advance(2)
    late = await store.write(idempotency.forget_old_keys)
    assert (early, late) == (0, 1)
