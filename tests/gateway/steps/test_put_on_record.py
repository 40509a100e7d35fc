"""A person's word: with evidence, never before MTN's, and without anybody's number in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from momokit.errors import InvalidInput
from momokit.gateway.core.facts import PersonSays, Taken, Told
from momokit.gateway.core.payment import State
from momokit.gateway.core.schedule import DAY
from momokit.gateway.steps.put_on_record import put_on_record
from momokit.gateway.store.store import Store
from tests.gateway.store.making import Clock, accept, add_endpoint, on

pytestmark = pytest.mark.anyio
SAYS = PersonSays(outcome="failed", evidence="statement, page 3", because="case 4711", by="Ama")


async def test_it_is_recorded_with_its_evidence_and_told(store: Store, clock: Clock) -> None:
    """History has who, why and on what evidence; the merchant has a webhook; MTN is asked still."""
    await add_endpoint(store, "end_1")
    await accept(store, "a", kind="transfer")
    await store.record("pay_a", on(Taken()), lease_token=None)
    clock.advance(8 * DAY)
    recorded = await put_on_record("pay_a", SAYS, store=store)
    story = await store.timeline("pay_a")

    assert recorded is not None
    assert story is not None
    assert (recorded.event, recorded.deliveries) == ("settled_by_person", 1)
    assert recorded.due_at == clock.now + 900
    assert (story.payment.state, story.payment.payment.settled_by) == (State.FAILED, "Ama")
    assert story.payment.payment.is_proven_failed is False
    assert {"evidence": "statement, page 3", "because": "case 4711", "by": "Ama"}.items() <= (
        story.events[-1].details.items()
    )


async def test_it_is_refused_while_mtn_is_asked_unless_forced(store: Store) -> None:
    """MTN's own word is better; nothing is written then."""
    await accept(store, "a")
    await store.record("pay_a", on(Taken()), lease_token=None)
    with pytest.raises(InvalidInput, match="still being asked") as refused:
        await put_on_record("pay_a", SAYS, store=store)
    before = await store.payment("pay_a")
    forced = await put_on_record("pay_a", SAYS, store=store, force=True)

    assert refused.value.field == "payment_id"
    assert before is not None
    assert before.state is State.PENDING
    assert forced is not None


async def test_it_does_not_overrule_mtn_unless_forced(store: Store) -> None:
    """Forced, it is a contradiction: raised, and told as a correction."""
    await accept(store, "a")
    await store.record("pay_a", on(Told(status="SUCCESSFUL")), lease_token=None)
    with pytest.raises(InvalidInput, match="successful already"):
        await put_on_record("pay_a", SAYS, store=store)
    forced = await put_on_record("pay_a", SAYS, store=store, force=True)

    assert forced is not None
    assert forced.incident == "A person put on record failed, and it was successful before."


@pytest.mark.parametrize("field", ["evidence", "because", "by"])
async def test_it_needs_evidence_a_reason_and_a_name(field: str, store: Store) -> None:
    """Blank is none."""
    await accept(store, "a")
    with pytest.raises(InvalidInput) as refused:
        await put_on_record("pay_a", replace(SAYS, **{field: "  "}), store=store, force=True)

    assert refused.value.field == field


async def test_a_failure_has_no_number_of_money_that_moved(store: Store) -> None:
    """The two contradict each other."""
    await accept(store, "a")
    wrong = replace(SAYS, financial_transaction_id="9001")
    with pytest.raises(InvalidInput) as refused:
        await put_on_record("pay_a", wrong, store=store, force=True)

    assert refused.value.field == "financial_transaction_id"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("256770000001 called", "•••001 called"),
        ("+256 770-000-001 called", "•••001 called"),
        ("0770000001 called", "•••001 called"),
        ("number 363440463 in the statement", "number 363440463 in the statement"),
    ],
)
async def test_the_partys_number_is_masked(written: str, kept: str, store: Store) -> None:
    """However it was written down; other numbers are evidence, and stay."""
    await accept(store, "a")
    await put_on_record("pay_a", replace(SAYS, evidence=written), store=store, force=True)
    story = await store.timeline("pay_a")

    assert story is not None
    assert story.events[-1].details["evidence"] == kept


async def test_a_payment_that_is_not_there_is_said_so(store: Store) -> None:
    """There is nothing to put on record."""
    assert await put_on_record("pay_x", SAYS, store=store) is None
