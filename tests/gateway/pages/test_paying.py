"""Paying on a page, through the whole gateway, with faults: one charge, whatever the payer does."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from tests.gateway.journeys.whole import PAYER, whole
from tests.gateway.pages.payer import Payer, checkout, read

pytestmark = pytest.mark.anyio

DECLINED = "46733123451"


async def test_a_payer_pays_and_gets_a_receipt(url: str) -> None:
    """Open, pay, approve, receipt and the way back, on both databases."""
    async with whole(url) as gateway, httpx2.AsyncClient(trust_env=False) as http:
        made = await checkout(
            gateway, merchant_reference="A-1", return_url="http://127.0.0.1:9/done?a=b"
        )
        payer = Payer(gateway, made["url"], http)
        before = await payer.open()
        await payer.pay()
        waiting = payer.page
        await gateway.until_quiet()
        paid = await payer.open()
        receipt = await http.get(made["url"] + "/receipt")
        after = await read(gateway, f"/v1/checkouts/{made['id']}")
        truths = await gateway.truths([after["payment_id"]])
        payment = await read(gateway, f"/v1/payments/{after['payment_id']}")

    assert (before.phase, waiting.phase, paid.phase) == ("open", "waiting", "paid")
    assert "EUR 5.00" in before.text
    assert PAYER not in waiting.text
    assert truths == [("successful", 1)]
    assert (after["state"], after["attempts"]) == ("paid", 1)
    assert payment["metadata"] == {"checkout_id": made["id"]}
    assert payment["merchant_reference"] == "A-1"
    assert str(payment["financial_transaction_id"]) in receipt.text
    back = f"http://127.0.0.1:9/done?a=b&checkout_id={made['id']}&reference=A-1"
    assert back in paid.links()
