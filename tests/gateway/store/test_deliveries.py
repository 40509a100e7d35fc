"""Webhooks on their way: a queue for each endpoint, leases, retries and replays."""

from __future__ import annotations

from collections import Counter

import pytest

from momokit.gateway.core.facts import Taken
from momokit.gateway.core.places import Room
from momokit.gateway.store import accounts, deliveries
from momokit.gateway.store.deliveries import ClaimedDelivery, DeliveryResult
from momokit.gateway.store.store import Store
from tests.gateway.store.making import START, Clock, accept, add_endpoint, on

pytestmark = pytest.mark.anyio


async def _told(store: Store, *names: str) -> None:
    """Accept payments, and let each cause a webhook."""
    await accept(store, *names)
    for name in names:
        await store.record(f"pay_{name}", on(Taken()), lease_token=None)


async def _claim(store: Store, *, limit: int = 100) -> list[ClaimedDelivery]:
    return await store.claim_deliveries(limit=limit, lease_seconds=30)


def _result(
    claimed: ClaimedDelivery, *, delivered: bool = False, retry_at: float | None = None
) -> DeliveryResult:
    return DeliveryResult(
        delivery_id=claimed.delivery.id,
        lease_token=claimed.lease_token,
        delivered=delivered,
        status=200 if delivered else 500,
        retry_at=retry_at,
    )


async def test_a_webhook_is_sent_by_one_worker_until_it_arrived(store: Store) -> None:
    """It is held while it is sent, and gone from the queue when it arrived."""
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    [claimed] = await _claim(store)
    held = await _claim(store)
    assert await store.record_delivery(_result(claimed, delivered=True))
    [kept] = await store.read(lambda t: deliveries.list_deliveries(t, payment_id="pay_a"))
    assert held == []
    assert (claimed.url, claimed.delivery.webhook_id) == ("http://127.0.0.1:1/end_1", "evt_a_2")
    assert (kept.delivered_at, kept.attempts, kept.last_status) == (START, 1, 200)
    assert (kept.due_at, await _claim(store)) == (None, [])


async def test_a_webhook_that_failed_comes_back_with_the_same_bytes(
    store: Store, clock: Clock
) -> None:
    """A retry waits for its time, and is the same webhook."""
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    [first] = await _claim(store)
    await store.record_delivery(_result(first, retry_at=START + 5))
    early = await _claim(store)
    due = await store.read(deliveries.next_delivery_due)
    clock.advance(5)
    [second] = await _claim(store)
    assert (early, due) == ([], START + 5)
    assert (second.delivery.body, second.delivery.attempts) == (first.delivery.body, 1)


async def test_fm_35_a_late_sender_is_refused(store: Store, clock: Clock) -> None:
    """Whoever lost the lease does not write how its send went."""
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    [first] = await _claim(store)
    clock.advance(30)
    [second] = await _claim(store)
    late = await store.record_delivery(_result(first))
    in_time = await store.record_delivery(_result(second, delivered=True))
    assert (late, in_time) == (False, True)


async def test_fm_37_a_long_queue_leaves_room_for_others(store: Store) -> None:
    """An endpoint with much waiting gets its share and no more."""
    await add_endpoint(store, "end_1")
    await _told(store, *(f"p{n}" for n in range(12)))
    await add_endpoint(store, "end_2")
    await _told(store, "x", "y")
    taken = [claimed.delivery.endpoint_id for claimed in await _claim(store, limit=6)]
    assert (taken.count("end_1"), taken.count("end_2")) == (4, 2)


async def test_an_endpoint_that_is_off_keeps_its_queue(store: Store) -> None:
    """Nothing is sent to it, and nothing is lost."""
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    await store.write(lambda t: accounts.disable_endpoint(t, "end_1"))
    await _told(store, "b")
    off = (await _claim(store), await store.read(deliveries.next_delivery_due))
    await store.write(lambda t: accounts.enable_endpoint(t, "end_1"))
    assert off == ([], None)
    assert [claimed.delivery.payment_id for claimed in await _claim(store)] == ["pay_a"]


async def test_what_was_given_up_can_be_replayed_for_thirty_days(
    store: Store, clock: Clock
) -> None:
    """A person can have a webhook sent again, until it is too old."""
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    [claimed] = await _claim(store)
    await store.record_delivery(_result(claimed))
    [given_up] = await store.read(lambda t: deliveries.list_deliveries(t, endpoint_id="end_1"))
    clock.advance(29 * 86400)
    replayed = await store.write(lambda t: deliveries.replay(t, claimed.delivery.id))
    [again] = await _claim(store)
    clock.advance(2 * 86400)
    assert given_up.given_up_at == START
    assert (replayed, again.delivery.body) == (True, claimed.delivery.body)
    assert not await store.write(lambda t: deliveries.replay(t, claimed.delivery.id))


async def test_what_is_replayed_has_the_whole_schedule_before_it(store: Store) -> None:
    """Its tries are counted anew, so that one more failure does not give it up at once."""
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    for _ in range(3):
        [claimed] = await _claim(store)
        await store.record_delivery(_result(claimed, retry_at=START))
    [last] = await _claim(store)
    await store.record_delivery(_result(last))
    await store.write(lambda t: deliveries.replay(t, last.delivery.id))
    [again] = await _claim(store)
    assert (last.delivery.attempts, again.delivery.attempts) == (3, 0)


async def test_an_endpoint_takes_no_more_than_its_places(store: Store) -> None:
    """What is under way to it counts; one that failed last has a single place."""
    for endpoint_id in ("end_1", "end_2", "end_3"):
        await add_endpoint(store, endpoint_id)
    await _told(store, *(f"n{n}" for n in range(6)))
    room = Room(each=4, taken={"end_1": 3}, failed=frozenset({"end_2", "end_3"}), for_failed=1)
    claimed = await store.claim_deliveries(limit=100, lease_seconds=30, room=room)
    counts = Counter(one.delivery.endpoint_id for one in claimed)
    assert counts["end_1"] == 1
    assert counts["end_2"] + counts["end_3"] == 1
