"""The whole way of a payment, from the API to its end, with callbacks and without."""

from __future__ import annotations

import pytest

from tests.gateway.journeys.whole import whole

pytestmark = pytest.mark.anyio

KINDS = ("request_to_pay", "withdraw", "transfer", "deposit")


@pytest.mark.parametrize("callbacks_on", [False, True], ids=["callbacks off", "callbacks on"])
async def test_fm_33_every_kind_comes_to_its_end_without_callbacks_too(
    callbacks_on: bool, url: str
) -> None:
    """What is told, what is stored and what MTN did are the same, once for each payment."""
    async with whole(url, callbacks_on=callbacks_on) as gateway:
        ids = [await gateway.pay(kind) for kind in KINDS]
        if callbacks_on:
            await gateway.heard(len(KINDS))
        await gateway.until_quiet()
        told = [(await gateway.http.get(f"/v1/payments/{one}")).json()["state"] for one in ids]
        moved = [gateway.moved(await gateway.stored(one)).times for one in ids]

    assert told == ["successful"] * len(KINDS)
    assert moved == [1] * len(KINDS)
