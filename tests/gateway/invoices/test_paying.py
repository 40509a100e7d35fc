"""Invoices through the whole gateway: paid by verified money alone, and never more than is due."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import Told
from tests.gateway.journeys.whole import PAYEE, PAYER, Whole, whole
from tests.gateway.pages.payer import Payer, invoice, read

pytestmark = pytest.mark.anyio

DECLINED = "46733123451"
NUMBERS = [f"467331239{n:02}" for n in range(20)]


def client() -> httpx2.AsyncClient:
    """Give a browser of no one's."""
    return httpx2.AsyncClient(trust_env=False)


async def pay(
    gateway: Whole, http: httpx2.AsyncClient, made: dict[str, Any], **fields: str
) -> Payer:
    """Open an invoice's page and pay there."""
    payer = Payer(gateway, made["url"], http)
    await payer.open()
    await payer.pay(**fields)
    return payer


async def events(gateway: Whole, made: dict[str, Any]) -> list[str]:
    """Name what happened to an invoice, oldest first."""
    told = await read(gateway, f"/v1/invoices/{made['id']}/timeline")
    return [one["event"] for one in told["entries"]]


async def test_a_draft_cannot_be_paid_and_a_sent_one_is_paid_once(url: str) -> None:
    """Made, sent, paid in whole: the state follows MTN's word and nothing else."""
    async with whole(url) as gateway, client() as http:
        made = await invoice(gateway, send=False)
        before = (made["state"], made["url"], made["number"])
        sent = (await gateway.post(f"/v1/invoices/{made['id']}/send", {})).json()
        payer = await pay(gateway, http, sent)
        waiting = await read(gateway, f"/v1/invoices/{made['id']}")
        await gateway.until_quiet()
        paid = await read(gateway, f"/v1/invoices/{made['id']}")
        page = await payer.open()
        told = await events(gateway, made)

    assert before == ("draft", None, "INV-000001")
    assert (sent["state"], waiting["state"], paid["state"]) == ("sent", "sent", "paid")
    assert (waiting["amount_reserved"], waiting["amount_paid"]) == ("10", "0")
    assert (paid["amount_paid"], paid["amount_due"], paid["amount_reserved"]) == ("10", "0", "0")
    assert page.phase == "paid"
    assert told == ["invoice.sent", "invoice.paid"]


async def test_part_payments_add_up_to_the_whole(url: str) -> None:
    """Three parts within the limits; what was declined counts for nothing."""
    async with whole(url) as gateway, client() as http:
        made = await invoice(gateway, allow_partial=True, minimum_amount="2")
        states = []
        for phone, amount in ((PAYER, "3"), (DECLINED, "4"), (PAYER, "4"), (PAYER, "3")):
            await pay(gateway, http, made, phone=phone, amount=amount)
            await gateway.until_quiet()
            now = await read(gateway, f"/v1/invoices/{made['id']}")
            states.append((now["state"], now["amount_paid"]))
        told = await events(gateway, made)

    assert states == [
        ("partly_paid", "3"), ("partly_paid", "3"), ("partly_paid", "7"), ("paid", "10"),
    ]  # fmt: skip
    assert told == ["invoice.sent", "invoice.partly_paid", "invoice.partly_paid", "invoice.paid"]


@pytest.mark.parametrize("amount", ["1", "11", "", "abc", "-5", "5.001"])
async def test_a_part_outside_the_limits_is_refused(sqlite_url: str, amount: str) -> None:
    """The page says so beside the field, and nothing is sent."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await invoice(gateway, allow_partial=True, minimum_amount="2")
        payer = Payer(gateway, made["url"], http)
        await payer.open()
        answer = await payer.send(amount=amount)
        everything = await gateway.all()

    assert answer.status_code == 422
    assert 'id="amount-error"' in answer.text
    assert everything == []


async def test_both_channels_at_once_take_no_more_than_is_due(url: str) -> None:
    """Pages and MTN's own invoice, all at the same time: the sum never exceeds the balance."""
    async with whole(url) as gateway, client() as http:
        made = await invoice(
            gateway, allow_partial=True, minimum_amount="1", payer={"phone": f"+{PAYER}"}
        )
        payer = Payer(gateway, made["url"], http)
        await payer.open()
        path = f"/v1/invoices/{made['id']}/send"
        body = {"channel": "mtn", "payee": f"+{PAYEE}"}
        await asyncio.gather(
            *(payer.send(phone, amount="7") for phone in NUMBERS[:5]),
            *(gateway.post(path, body) for _ in range(5)),
        )
        taken = [one for one in await gateway.all() if one.state.value != "failed"]
        reserved = await read(gateway, f"/v1/invoices/{made['id']}")
        await gateway.until_quiet(horizon_seconds=86_400)
        after = await read(gateway, f"/v1/invoices/{made['id']}")

    assert len(taken) == 1
    assert sum(one.payment.amount for one in taken) <= Decimal(10)
    assert Decimal(reserved["amount_reserved"]) + Decimal(reserved["amount_paid"]) <= Decimal(10)
    assert Decimal(after["amount_paid"]) <= Decimal(10)
    assert after["amount_overpaid"] == "0"


async def test_mtn_invoice_holds_the_page_until_it_is_over(sqlite_url: str) -> None:
    """While MTN's invoice is open the page takes nothing; cancelling asks MTN to end that first."""
    async with whole(sqlite_url) as gateway, client() as http:
        gateway.emulator.faults.add("stuck_pending")
        made = await invoice(gateway, payer={"phone": f"+{PAYER}"})
        body = {"channel": "mtn", "payee": f"+{PAYEE}"}
        sent = await gateway.post(f"/v1/invoices/{made['id']}/send", body)
        await gateway.until_quiet(horizon_seconds=30)
        payer = Payer(gateway, made["url"], http)
        page = await payer.open()
        await payer.send(attempt="0")
        everything = await gateway.all()
        cancelled = (await gateway.post(f"/v1/invoices/{made['id']}/cancel", {})).json()
        await gateway.until_quiet(horizon_seconds=600)
        over = await read(gateway, f"/v1/invoices/{made['id']}")
        asked = gateway.asked("CancelInvoice")

    assert sent.status_code == 200, sent.text
    assert [one.payment.kind for one in everything] == ["invoice"]
    assert "another" in page.text.lower()
    assert page.named("form") == []
    assert (cancelled["state"], cancelled["cancelling"]) == ("sent", True)
    assert (over["state"], over["cancelling"], asked) == ("cancelled", False, 1)


async def test_what_mtn_takes_back_is_owed_again(sqlite_url: str) -> None:
    """A success that turns into a failure: the invoice follows, and the merchant is told."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await invoice(gateway)
        await pay(gateway, http, made)
        await gateway.until_quiet()
        payment_id = (await gateway.all())[0].id
        fact = Told(status="FAILED", reason_code="PAYER_FAILED")
        await gateway.gateway.store.record(
            payment_id, lambda payment, now: decide(payment, fact, now=now), lease_token=None
        )
        after = await read(gateway, f"/v1/invoices/{made['id']}")
        told = await events(gateway, made)

    assert (after["state"], after["amount_due"], after["paid_at"]) == ("sent", "10", None)
    assert told == ["invoice.sent", "invoice.paid", "invoice.corrected"]


async def test_money_beyond_the_whole_is_recorded_and_raised(sqlite_url: str) -> None:
    """A failure that was proven turns out a success after another paid: overpaid, and told."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await invoice(gateway)
        await pay(gateway, http, made, phone=DECLINED)
        await gateway.until_quiet()
        first = (await gateway.all())[0].id
        await pay(gateway, http, made)
        await gateway.until_quiet()
        await gateway.gateway.store.record(
            first,
            lambda payment, now: decide(payment, Told(status="SUCCESSFUL"), now=now),
            lease_token=None,
        )
        after = await read(gateway, f"/v1/invoices/{made['id']}")
        told = await events(gateway, made)
        incidents = await gateway.incidents()

    assert (after["state"], after["amount_paid"], after["amount_overpaid"]) == ("paid", "20", "10")
    assert told[-1] == "invoice.overpaid"
    assert any("more than it asked for" in text for text in incidents)


async def test_cancelling_while_it_is_paid_lets_the_payment_decide(sqlite_url: str) -> None:
    """The payer was faster: paid. The payer declines: cancelled. Nobody can begin meanwhile."""
    async with whole(sqlite_url) as gateway, client() as http:
        ends = []
        for phone in (PAYER, DECLINED):
            made = await invoice(gateway)
            payer = await pay(gateway, http, made, phone=phone)
            answer = (await gateway.post(f"/v1/invoices/{made['id']}/cancel", {})).json()
            await gateway.until_quiet()
            after = await read(gateway, f"/v1/invoices/{made['id']}")
            page = await payer.open()
            ends.append((answer["cancelling"], after["state"], page.phase))

    assert ends == [(True, "paid", "paid"), (True, "cancelled", "cancelled")]
