"""Incidents: each once while it is open, however often it is seen; and what is overturned."""

from __future__ import annotations

import pytest

from momokit.gateway.core.facts import Taken, Told
from momokit.gateway.store.incidents import close_incident, open_incidents
from momokit.gateway.store.store import Store
from tests.gateway.store.making import START, Clock, accept, on

pytestmark = pytest.mark.anyio
OTHER_MONEY = Told(status="SUCCESSFUL", currency="EUR")
NUMBER = "363440463"


async def test_the_same_is_counted_not_raised_again(store: Store, clock: Clock) -> None:
    """One incident for each payment and text, with how often and when it was seen last."""
    await accept(store, "a", "b")
    raised = []
    for _ in range(3):
        recorded = await store.record("pay_a", on(OTHER_MONEY), lease_token=None)
        raised.append(recorded is not None and recorded.incident is not None)
        clock.advance(10)
    await store.record("pay_b", on(OTHER_MONEY), lease_token=None)
    found = await store.read(open_incidents)

    assert raised == [True, False, False]
    assert [(one.payment_id, one.times) for one in found] == [("pay_a", 3), ("pay_b", 1)]
    assert (found[0].at, found[0].last_seen_at) == (START, START + 20)


async def test_what_was_closed_and_comes_again_is_raised_again(store: Store) -> None:
    """A person has looked at the first one; the second is news."""
    await accept(store, "a")
    await store.record("pay_a", on(OTHER_MONEY), lease_token=None)
    [first] = await store.read(open_incidents)
    closed = await store.write(lambda t: close_incident(t, first.id))
    await store.record("pay_a", on(OTHER_MONEY), lease_token=None)
    [second] = await store.read(open_incidents)

    assert closed is True
    assert (second.id > first.id, second.times) == (True, 1)


async def test_fm_08_the_number_of_an_overturned_success_stays_in_the_history(
    store: Store,
) -> None:
    """In the row it would pass for that of money that moved."""
    await accept(store, "a")
    await store.record("pay_a", on(Taken()), lease_token=None)
    success = Told(status="SUCCESSFUL", financial_transaction_id=NUMBER)
    await store.record("pay_a", on(success), lease_token=None)
    await store.record("pay_a", on(Told(status="FAILED", reason_code="X")), lease_token=None)
    story = await store.timeline("pay_a")

    assert story is not None
    assert story.payment.payment.financial_transaction_id is None
    assert story.events[-1].details["financial_transaction_id"] == NUMBER
