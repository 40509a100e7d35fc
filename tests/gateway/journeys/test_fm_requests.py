"""Rows of the failure matrix about what merchants ask: twice, too much, under one number."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

import pytest

from tests.gateway.journeys.whole import whole

pytestmark = pytest.mark.anyio


async def test_fm_21_one_number_of_the_merchants_for_two_payments(sqlite_url: str) -> None:
    """It is a double click until the merchant says otherwise; at MTN each has a number of its
    own, by which its statement is read."""
    body = {"kind": "request_to_pay", "amount": "5", "party": "46733123901"}
    body["merchant_reference"] = "order-1"
    async with whole(sqlite_url) as gateway:
        first = await gateway.post("/v1/payments", body)
        second = await gateway.post("/v1/payments", body)
        meant = await gateway.post("/v1/payments", {**body, "allow_duplicate": True})
        await gateway.until_quiet()
        books = await gateway.all()
        sent = {json.loads(one.request.body)["externalId"] for one in books}
        listed = await gateway.http.get("/v1/payments?merchant_reference=order-1")

    assert (first.status_code, second.status_code, meant.status_code) == (202, 409, 202)
    assert second.json()["code"] == "possible_duplicate"
    assert sent == {first.json()["id"], meant.json()["id"]}
    assert {one["id"] for one in listed.json()["items"]} == sent


async def test_fm_28_fifty_refunds_at_once_give_back_no_more_than_was_taken(
    url: str,
) -> None:
    """Twenty-five came in; of fifty refunds of one, twenty-five are taken, and MTN moves as
    much."""
    async with whole(url) as gateway:
        paid = await gateway.pay(amount="25")
        await gateway.until_quiet()
        ask = {"amount": "1"}
        answers = await asyncio.gather(
            *(gateway.post(f"/v1/payments/{paid}/refunds", ask) for _ in range(50))
        )
        await gateway.until_quiet()
        refunds = [one for one in await gateway.all() if one.original_payment_id == paid]
        moved = sum(gateway.moved(one).times for one in refunds)

    codes = [one.status_code for one in answers]
    refused = {one.json()["code"] for one in answers if one.status_code != 202}
    assert (codes.count(202), refused) == (25, {"refund_exceeds_payment"})
    assert sum((one.payment.amount for one in refunds), Decimal(0)) == 25
    assert moved == 25
