"""How often a key may ask, and what a full disk answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from momokit.gateway.api.problems import Problem
from momokit.gateway.api.rates import Rates
from momokit.gateway.store.space import DiskGate, Space
from momokit.gateway.store.store import Store
from tests.gateway.api.making import Shop

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(store: Store) -> AsyncIterator[Shop]:
    """Give an API that lets a key ask twice a second and look up three numbers a minute."""
    moments = [0.0]
    shop = Shop(store)
    shop.rates = Rates(requests_per_second=1, holder_checks_per_minute=3, clock=lambda: moments[0])
    await shop.open()
    yield shop
    await shop.close()


async def test_a_key_that_asks_too_often_is_told_when_to_come_back(shop: Shop) -> None:
    """Another key is answered meanwhile."""
    one, other = await shop.key("read"), await shop.key("read")
    first = [(await one.get("/v1/payments")).status_code for _ in range(2)]
    refused = await one.get("/v1/payments")
    beside = await other.get("/v1/payments")
    assert first == [200, 200]
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert (refused.headers["retry-after"], beside.status_code) == ("1", 200)


def test_look_ups_of_numbers_have_a_rate_of_their_own() -> None:
    """They tell whose a number is, so nobody goes through all of them."""
    rates = Rates(requests_per_second=100, holder_checks_per_minute=2, clock=lambda: 0.0)
    for _ in range(2):
        rates.holder_check("key_1")
    with pytest.raises(Problem) as told:
        rates.holder_check("key_1")
    rates.request("key_1")
    assert (told.value.code, told.value.headers["Retry-After"]) == ("rate_limited", "30")


async def test_with_little_room_on_the_disk_no_new_money_is_taken_in(
    store: Store, tmp_path: Path
) -> None:
    """What was taken before is still answered for, by its key; the rest is told to come back."""
    shop = Shop(store)
    await shop.open()
    key = await shop.key("collect")
    taken = await key.pay("k-1")
    low = Space(free_bytes=4, total_bytes=100)
    store.watch_space(DiskGate(tmp_path, least_percent=5.0, least_bytes=1, measure=lambda _: low))
    again, refused = await key.pay("k-1"), await key.pay("k-2", amount="6000")
    await shop.close()
    assert (taken.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == taken.json()["id"]
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_low")
    assert refused.headers["retry-after"] == "30"
