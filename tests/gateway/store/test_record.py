"""The one writer: what it writes together, and what it refuses."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import (
    Decision,
    Doubt,
    NeverLeft,
    NoAnswer,
    NotKnown,
    Taken,
    Told,
    TurnedDown,
)
from momokit.gateway.core.payment import Payment, State, Work
from momokit.gateway.store import incidents, payments
from momokit.gateway.store.records import IllegalMove, NoSuchRow
from momokit.gateway.store.store import Store
from tests.gateway.store.making import (
    START,
    Clock,
    accept,
    add_account,
    add_endpoint,
    new_payment,
    on,
)
from tests.gateway.veiled import VEIL

pytestmark = pytest.mark.anyio
SUCCESS = Told(status="SUCCESSFUL", financial_transaction_id="363440463")


async def test_what_follows_is_written_together(store: Store, clock: Clock) -> None:
    """State, next work, history and the end of the lease come with one record."""
    await accept(store, "a")
    [claim] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    clock.advance(1)
    recorded = await store.record("pay_a", on(Taken()), lease_token=claim.lease_token)
    story = await store.timeline("pay_a")
    assert recorded is not None
    assert story is not None
    assert (recorded.before, recorded.event, recorded.sequence) == (State.CREATED, "accepted", 2)
    assert story.payment.payment == recorded.payment
    assert (story.payment.state, story.payment.payment.sending) == (State.PENDING, False)
    assert (story.payment.payment.accepted_at, story.payment.due_at) == (START + 1, START + 6)
    assert (story.payment.lease_until, story.payment.sequence) == (None, 2)
    assert [e.event for e in story.events] == ["created", "accepted"]


@pytest.mark.parametrize(
    "fact",
    [
        Taken(), TurnedDown(code="PAYER_NOT_FOUND"), NeverLeft(why="refused"), Doubt(why="cut"),
        SUCCESS, Told(status="FAILED", reason_code="EXPIRED"), Told(status="PENDING"), NotKnown(),
        NoAnswer(why="503"),
    ],
)  # fmt: skip
async def test_every_decision_of_the_core_comes_back_as_written(store: Store, fact: object) -> None:
    """What is read after a record is exactly what the core decided."""
    await accept(store, "a")
    before = await store.payment("pay_a")
    assert before is not None
    decision = decide(before.payment, fact, now=START)  # type: ignore[arg-type]
    await store.record("pay_a", lambda _payment, _now: decision, lease_token=None)
    after = await store.payment("pay_a")
    expected = replace(before.payment, state=decision.state, work=decision.work, **decision.changes)
    assert after is not None
    assert (after.payment, after.due_at) == (expected, decision.due_at)


async def test_fm_35_a_worker_that_lost_its_lease_is_refused(store: Store, clock: Clock) -> None:
    """The late result of a first worker is not written once a second one has the payment."""
    await accept(store, "a")
    [first] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    clock.advance(31)
    [second] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    late = await store.record(
        "pay_a", on(TurnedDown(code="NOT_ALLOWED")), lease_token=first.lease_token
    )
    kept = await store.record("pay_a", on(Taken()), lease_token=second.lease_token)
    assert (late, store.stale_records) == (None, 1)
    assert kept is not None
    assert kept.payment.state is State.PENDING


async def test_a_lease_is_used_up_by_one_record(store: Store) -> None:
    """A worker that records twice is refused the second time."""
    await accept(store, "a")
    [claim] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    await store.record("pay_a", on(Taken()), lease_token=claim.lease_token)
    assert await store.record("pay_a", on(Taken()), lease_token=claim.lease_token) is None


async def test_a_record_without_a_lease_leaves_the_lease_alone(store: Store) -> None:
    """Whoever works at a payment goes on holding it when somebody else writes."""
    await accept(store, "a")
    [claim] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    await store.record("pay_a", on(NoAnswer(why="test")), lease_token=None)
    stored = await store.payment("pay_a")
    assert stored is not None
    assert (stored.lease_token, stored.lease_until) == (claim.lease_token, START + 30)
    assert stored.payment.sending


async def test_records_about_one_payment_follow_each_other(store: Store) -> None:
    """Fifty at once about one payment each see what the one before wrote."""
    await accept(store, "a")

    def more(payment: Payment, now: float) -> Decision:
        counted = {"polls": payment.polls + 1}
        return Decision(
            state=payment.state, work=Work.SUBMIT, due_at=now, event="counted", changes=counted
        )

    await asyncio.gather(*(store.record("pay_a", more, lease_token=None) for _ in range(50)))
    story = await store.timeline("pay_a")
    assert story is not None
    assert (story.payment.payment.polls, story.payment.sequence) == (50, 51)
    assert [event.sequence for event in story.events] == list(range(1, 52))


def _decision(state: State, **fields: object) -> Decision:
    given = {"work": Work.SETTLE, "due_at": START, "event": "tried"} | fields
    return Decision(state=state, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "decision",
    [
        _decision(State.CREATED),
        _decision(State.UNKNOWN),
        _decision(State.PENDING, work=None, due_at=None),
        _decision(State.PENDING, due_at=None),
        _decision(State.PENDING, changes={"amount": "1"}),
    ],
    ids=["back to created", "back to unknown", "left to nobody", "work at no time", "the amount"],
)
async def test_what_must_not_be_is_not_written(store: Store, decision: Decision) -> None:
    """A decision that goes back, loses a payment or touches its substance writes nothing."""
    await accept(store, "a")
    await store.record("pay_a", on(Taken()), lease_token=None)
    before = await store.timeline("pay_a")
    with pytest.raises(IllegalMove):
        await store.record("pay_a", lambda _p, _n: decision, lease_token=None)
    assert await store.timeline("pay_a") == before


async def test_a_decision_that_fails_takes_no_other_along(store: Store) -> None:
    """Of many records in one transaction, one that raises fails alone."""
    names = [f"p{n}" for n in range(20)]
    await accept(store, *names)

    def broken(_payment: Payment, _now: float) -> Decision:
        raise ArithmeticError("broken")

    results = await asyncio.gather(
        *(
            store.record(f"pay_{name}", broken if name == "p7" else on(Taken()), lease_token=None)
            for name in names
        ),
        return_exceptions=True,
    )
    states = {name: await store.payment(f"pay_{name}") for name in names}
    assert [type(result) for result in results].count(ArithmeticError) == 1
    assert [n for n, p in states.items() if p and p.state is State.CREATED] == ["p7"]


async def test_a_payment_that_is_not_there_is_said_so(store: Store) -> None:
    """There is no payment to decide about."""
    with pytest.raises(NoSuchRow):
        await store.record("pay_x", on(Taken()), lease_token=None)


async def test_fm_8_a_contradiction_is_raised_and_told(store: Store) -> None:
    """A second, other final is written with an incident and a correction to the merchant."""
    await accept(store, "a")
    await add_endpoint(store, "end_1", "payment.corrected")
    await store.record("pay_a", on(Taken()), lease_token=None)
    await store.record("pay_a", on(SUCCESS), lease_token=None)
    told = Told(status="FAILED", reason_code="EXPIRED")
    recorded = await store.record("pay_a", on(told), lease_token=None)
    raised = await store.read(incidents.open_incidents)
    assert recorded is not None
    assert (recorded.event, recorded.deliveries) == ("corrected", 1)
    assert [incident.payment_id for incident in raised] == ["pay_a"]
    assert await store.write(lambda t: incidents.close_incident(t, raised[0].id))
    assert await store.read(incidents.open_incidents) == []


async def test_fm_38_webhooks_are_written_with_the_state(store: Store) -> None:
    """Each endpoint that wants the event gets one, with a body fixed at that moment."""
    await _add_endpoints(store)
    await accept(store, "a", merchant_reference="order-1")
    await store.record("pay_a", on(Taken()), lease_token=None)
    recorded = await store.record("pay_a", on(SUCCESS), lease_token=None)
    story = await store.timeline("pay_a")
    assert recorded is not None
    assert story is not None
    final = [d for d in story.deliveries if d.event == "payment.successful"]
    assert sorted(d.endpoint_id for d in final) == ["end_all", "end_final", "end_mine"]
    body = json.loads(final[0].body)
    assert (body["id"], body["type"]) == ("evt_a_3", "payment.successful")
    assert body["data"]["state"] == "successful"
    assert body["data"]["financial_transaction_id"] == "363440463"
    assert body["data"]["metadata"] == {"basket": "a"}
    assert body["data"]["merchant_reference"] == "order-1"


async def _add_endpoints(store: Store) -> None:
    """Put endpoints of every sort into the store."""
    await add_account(store, "acc_2")
    await add_endpoint(store, "end_all")
    await add_endpoint(store, "end_final", "payment.successful", "payment.failed")
    await add_endpoint(store, "end_corrected", "payment.corrected")
    await add_endpoint(store, "end_mine", account_id="acc_1")
    await add_endpoint(store, "end_other", account_id="acc_2")


async def test_review_is_kept_until_a_person_clears_it(store: Store) -> None:
    """The flag outlives other records, and goes by a decision that says so."""
    await accept(store, "a")
    wrong = Told(status="SUCCESSFUL", currency="EUR")
    await store.record("pay_a", on(wrong), lease_token=None)
    await store.record("pay_a", on(Taken()), lease_token=None)
    flagged = await store.list_payments(payments.Filter(review=True))
    seen = _decision(State.PENDING, changes={"review": False})
    await store.record("pay_a", lambda _p, _n: seen, lease_token=None)
    assert [payment.id for payment in flagged.items] == ["pay_a"]
    assert (await store.list_payments(payments.Filter(review=True))).items == []


async def test_acceptances_and_records_at_once_from_two_stores(store: Store, url: str) -> None:
    """Two processes' work on the same payments, in opposite orders, all gets done."""
    other = Store(url, veil=VEIL, clock=lambda: START)
    names = [f"p{n}" for n in range(30)]
    await accept(store, *names)
    results = await asyncio.gather(
        *(store.record(f"pay_{n}", on(Taken()), lease_token=None) for n in names),
        *(other.record(f"pay_{n}", on(Taken()), lease_token=None) for n in reversed(names)),
        *(other.accept(new_payment(f"q{n}"), idempotency=None) for n in range(30)),
    )
    other.close()
    assert len([r for r in results if r is not None]) == 90


async def test_no_number_of_a_subscriber_gets_into_history(store: Store) -> None:
    """What MTN says for a reason is kept, but for the phone number in it; ids of ours stay."""
    await accept(store, "a")
    told = f"256772987654 and +256772987654 of pay_{'1' * 32}"

    def decided(payment: Payment, now: float) -> Decision:
        decision = decide(payment, TurnedDown(code="X"), now=now)
        known = decision.changes | {"reason_code": told, "refused_code": told}
        return replace(decision, details={"why": told, "status": 500}, changes=known)

    await store.record("pay_a", decided, lease_token=None)
    story = await store.timeline("pay_a")

    assert story is not None
    kept = f"••• and ••• of pay_{'1' * 32}"
    assert story.events[-1].details == {"why": kept, "status": 500}
    assert story.payment.payment.reason_code == kept
