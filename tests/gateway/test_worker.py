"""The worker's places for webhooks: one dead endpoint of a hundred keeps none from the others."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest

from momokit.gateway.core.facts import Taken
from momokit.gateway.provider import Provider
from momokit.gateway.store.accounts import pause_account
from momokit.gateway.store.deliveries import ClaimedDelivery, DeliveryResult
from momokit.gateway.store.store import Store
from momokit.gateway.worker import Worker, WorkerSettings
from tests.gateway.opened import client_settings
from tests.gateway.store.conftest import anyio_backend, clock, empty_sqlite, postgres, store, url
from tests.gateway.store.making import accept, add_endpoint, on

__all__ = ["anyio_backend", "clock", "empty_sqlite", "postgres", "store", "url"]

pytestmark = pytest.mark.anyio

DEAD = "end_dead"


class Receivers:
    """Endpoints: each answers at once but one, which answers nobody until it is let go."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.arrived: Counter[str] = Counter()
        self.held = 0
        self.held_most = 0
        self.end = asyncio.Event()
        self.goal = 0
        self.enough = asyncio.Event()

    async def deliver(self, claimed: ClaimedDelivery) -> bool:
        """Take one webhook, as the endpoint does."""
        endpoint_id = claimed.delivery.endpoint_id
        if endpoint_id == DEAD:
            self.held += 1
            self.held_most = max(self.held_most, self.held)
            await self.end.wait()
            self.held -= 1
        result = DeliveryResult(
            delivery_id=claimed.delivery.id,
            lease_token=claimed.lease_token,
            delivered=endpoint_id != DEAD,
        )
        await self.store.record_delivery(result)
        self.arrived[endpoint_id] += 1
        if self.arrived.total() >= self.goal > 0:
            self.enough.set()
        return result.delivered


@pytest.fixture
async def receivers(store: Store) -> Iterator[Receivers]:  # type: ignore[misc]
    """Give receivers, and a worker that tells them."""
    found = Receivers(store)
    provider = Provider(lambda _: client_settings())
    settings = WorkerSettings(idle_seconds=0.05)
    worker = Worker(store=store, provider=provider, deliver=found.deliver, settings=settings)
    # Nothing is asked of MTN: this is about webhooks alone.
    await store.write(lambda t: pause_account(t, "acc_1", reason="test", everything=True))
    working = asyncio.create_task(worker.run())
    yield found
    found.end.set()
    worker.stop()
    await working
    await provider.close()


async def test_fm_37_one_dead_endpoint_of_a_hundred_delays_no_other(
    store: Store, receivers: Receivers
) -> None:
    """It holds its few places while everything else is delivered."""
    others = [f"end_{n:02}" for n in range(99)]
    receivers.goal = 12 * 99
    for endpoint_id in (DEAD, *others):
        await add_endpoint(store, endpoint_id)
    for n in range(12):
        await accept(store, f"n{n}")
        await store.record(f"pay_n{n}", on(Taken()), lease_token=None)
    await asyncio.wait_for(receivers.enough.wait(), 60)
    assert receivers.arrived == Counter(dict.fromkeys(others, 12))
    assert receivers.held_most == 8


async def test_an_endpoint_alone_is_served_without_a_break(
    store: Store, receivers: Receivers
) -> None:
    """When its places are all taken the next is sent as soon as one is free."""
    receivers.goal = 40
    await add_endpoint(store, "end_1")
    for n in range(40):
        await accept(store, f"n{n}")
        await store.record(f"pay_n{n}", on(Taken()), lease_token=None)
    await asyncio.wait_for(receivers.enough.wait(), 60)
    assert receivers.arrived == {"end_1": 40}
