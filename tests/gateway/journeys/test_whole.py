"""The whole way of a payment, from the API to its end, with callbacks and without."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.journeys.whole import PAYEE, PAYER, Whole, whole

pytestmark = pytest.mark.anyio

SENDER = {"first_name": "Ama", "msisdn": "46733123903"}
CASH = {"originating_country": "UG", "original_amount": "5", "original_currency": "UGX"}
BILL = {"customer_reference": "meter-1", "service_provider_user_name": "power"}
KINDS: dict[str, dict[str, Any]] = {
    "request_to_pay": {},
    "withdraw": {},
    "transfer": {},
    "deposit": {},
    "cash_transfer": {"cash_transfer": {**CASH, "sender": SENDER}},
    "payment": {"bill": BILL, "party": None},
    "invoice": {"invoice": {"payee": PAYEE}, "party": PAYER},
}


async def refund(gateway: Whole, payment_id: str) -> str:
    """Give back a part of what came in; give the refund's id."""
    answer = await gateway.post(f"/v1/payments/{payment_id}/refunds", {"amount": "2"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize("callbacks_on", [False, True], ids=["callbacks off", "callbacks on"])
async def test_fm_33_every_kind_comes_to_its_end_without_callbacks_too(
    callbacks_on: bool, url: str
) -> None:
    """What is told, what is stored and what MTN did are the same, once for each payment."""
    async with whole(url, callbacks_on=callbacks_on) as gateway:
        ids = [await gateway.pay(kind, **more) for kind, more in KINDS.items()]
        await gateway.until_quiet()
        ids.append(await refund(gateway, ids[0]))
        await gateway.until_quiet()
        if callbacks_on:
            await gateway.heard(len(ids))
            await gateway.until_quiet()
        told = [(await gateway.http.get(f"/v1/payments/{one}")).json()["state"] for one in ids]
        moved = [gateway.moved(await gateway.stored(one)).times for one in ids]

    assert told == ["successful"] * len(ids)
    assert moved == [1] * len(ids)
