"""What the gauges show is what is in the store."""

from __future__ import annotations

from decimal import Decimal

import pytest

from momokit.gateway.core.facts import Taken, Told
from momokit.gateway.core.payment import State, Work
from momokit.gateway.store.inbox import HintRequest
from momokit.gateway.store.measures import (
    budget_used,
    callback_coverage,
    database_size_bytes,
    open_incident_count,
    open_payments,
)
from momokit.gateway.store.store import Store
from tests.gateway.store.making import Clock, accept, new_payment, on

pytestmark = pytest.mark.anyio

PAID = Told(
    status="SUCCESSFUL",
    reason_code=None,
    financial_transaction_id="1",
    amount=Decimal(5000),
    currency="UGX",
    party_id="256770000001",
)


async def send(store: Store, *, finish: bool) -> str:
    """Carry the payment that is due to MTN, and to its end if asked."""
    (claimed,) = await store.claim(Work.SUBMIT, limit=1, lease_seconds=60)
    await store.record(claimed.id, on(Taken()), lease_token=claimed.lease_token)
    if finish:
        await store.record(claimed.id, on(PAID), lease_token=None)
    return claimed.id


async def test_what_is_open_is_counted_with_its_age(store: Store, clock: Clock) -> None:
    """By state, with the oldest; what is finished is not there."""
    await accept(store, "a")
    await send(store, finish=True)
    await accept(store, "b")
    await send(store, finish=False)
    clock.advance(30)
    await accept(store, "c")
    clock.advance(5)
    found = {
        one.state: (one.account_id, one.count, one.oldest_age_seconds)
        for one in await store.read(open_payments)
    }

    assert found == {State.PENDING: ("acc_1", 1, 35.0), State.CREATED: ("acc_1", 1, 5.0)}


async def test_coverage_is_the_share_that_was_called_back(store: Store) -> None:
    """Of the finished payments that asked for a callback; none at all is no share."""
    before = await store.read(callback_coverage)
    for name in ("a", "b"):
        new = new_payment(name, callback_token_hash=f"hash-{name}")
        await store.accept(new, idempotency=None)
        await send(store, finish=True)
    await store.hint(HintRequest(callback_token_hash="hash-a", method="POST", body=b"{}"))

    assert before is None
    assert await store.read(callback_coverage) == 0.5


async def test_the_budget_in_use_is_that_of_the_busiest(store: Store, clock: Clock) -> None:
    """All questions of the last half minute against what was allowed."""
    for _ in range(2):
        await store.take_budget("acc_1", wanted=8, per_second=8)
        clock.advance(1)
    used = await store.read(lambda t: budget_used(t, per_second=8))

    assert used == pytest.approx(2 / 30)


async def test_the_size_and_the_incidents_are_numbers(store: Store) -> None:
    """A fresh store has a size and nothing that waits for a person."""
    assert await store.read(database_size_bytes) > 10_000
    assert await store.read(open_incident_count) == 0
