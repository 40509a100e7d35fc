"""Paying on a page, through the whole gateway, with faults: one charge, whatever the payer does."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from tests.gateway.journeys.whole import PAYER, whole
from tests.gateway.pages.payer import Payer, checkout, read

pytestmark = pytest.mark.anyio

DECLINED, INTERNAL = "46733123451", "46733123450"


def client() -> httpx2.AsyncClient:
    """Give a browser of no one's."""
    return httpx2.AsyncClient(trust_env=False)


async def test_a_payer_pays_and_gets_a_receipt(url: str) -> None:
    """Open, pay, approve, receipt and the way back, on both databases."""
    async with whole(url) as gateway, client() as http:
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


@pytest.mark.parametrize("fault", ["drop_response", "drop_request", "reset"])
async def test_a_lost_answer_is_one_charge(url: str, fault: str) -> None:
    """MTN's answer is lost on the way: the page offers nothing more, and ends with the truth."""
    parameters = {"how": "close"} if fault.startswith("drop") else {"stage": "after"}
    async with whole(url, deadline_seconds=1.0) as gateway, client() as http:
        gateway.emulator.faults.add(fault, operation="RequesttoPay", times=1, **parameters)
        made = await checkout(gateway)
        payer = Payer(gateway, made["url"], http)
        await payer.open()
        await payer.pay()
        again = Payer(gateway, made["url"], http)
        second_tab = await again.open()
        await again.send(attempt="0")
        await again.send(attempt="1")
        await gateway.until_quiet()
        paid = await payer.open()
        everything = await gateway.all()
        truths = await gateway.truths([one.id for one in everything])

    assert second_tab.phase in ("waiting", "checking")
    assert second_tab.named("form") == []
    assert paid.phase == "paid"
    assert truths == [("successful", 1)]


async def test_two_tabs_and_twenty_clicks_are_one_payment(url: str) -> None:
    """Whoever sends the form again and at once gets the page of the one attempt there is."""
    async with whole(url) as gateway, client() as http:
        made = await checkout(gateway)
        tabs = [Payer(gateway, made["url"], http) for _ in range(2)]
        for tab in tabs:
            await tab.open()
        answers = await asyncio.gather(*(tabs[n % 2].send() for n in range(10)))
        await gateway.until_quiet()
        everything = await gateway.all()
        truths = await gateway.truths([one.id for one in everything])

    assert {one.status_code for one in answers} <= {303, 429}
    assert 303 in {one.status_code for one in answers}
    assert truths == [("successful", 1)]


async def test_going_back_shows_what_is(sqlite_url: str) -> None:
    """The form of before, sent once more after the money has come, begins nothing."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await checkout(gateway)
        payer = Payer(gateway, made["url"], http)
        await payer.open()
        kept = dict(payer.form)
        await payer.pay()
        await gateway.until_quiet()
        payer.form = kept
        await payer.pay()
        everything = await gateway.all()

    assert payer.page.phase == "paid"
    assert len(everything) == 1


async def test_after_a_proven_failure_another_attempt_is_offered(url: str) -> None:
    """The payer declines, is told so, tries again with the next attempt, and pays once."""
    async with whole(url) as gateway, client() as http:
        made = await checkout(gateway)
        payer = Payer(gateway, made["url"], http)
        await payer.open()
        first = dict(payer.form)
        await payer.pay(DECLINED)
        await gateway.until_quiet()
        failed = await payer.open()
        # The first form, come late over a poor link: it must not ring the phone again.
        await http.post(made["url"], data={**first, "phone": PAYER})
        late = len(await gateway.all())
        await payer.pay()
        await gateway.until_quiet()
        paid = await payer.open()
        everything = await gateway.all()
        truths = await gateway.truths([one.id for one in everything])

    assert (failed.phase, first["attempt"], payer.page.phase) == ("open", "0", "paid")
    assert "went through" not in failed.text
    assert "did not go through" in failed.text
    assert late == 1
    assert paid.phase == "paid"
    assert sorted(truths) == [("failed", 0), ("successful", 1)]


async def test_a_failure_that_may_be_taken_back_is_waited_for(sqlite_url: str) -> None:
    """MTN fails what it could not finish: no second attempt before it has said so twice."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await checkout(gateway)
        payer = Payer(gateway, made["url"], http)
        await payer.open()
        await payer.pay(INTERNAL)
        await gateway.until_quiet(horizon_seconds=400)
        early = await payer.open()
        state = (await gateway.all())[0].state.value
        await gateway.until_quiet(horizon_seconds=2000)
        later = await payer.open()

    assert state == "failed"
    assert (early.phase, early.named("form")) == ("checking", [])
    assert later.phase == "open"


async def test_what_is_over_takes_no_money(sqlite_url: str) -> None:
    """An expired and a closed page say so, and their old forms begin nothing."""
    async with whole(sqlite_url) as gateway, client() as http:
        brief = await checkout(gateway, expires_in_seconds=300)
        closed = await checkout(gateway)
        tabs = [Payer(gateway, made["url"], http) for made in (brief, closed)]
        for tab in tabs:
            await tab.open()
        gateway.clock.jump_to(gateway.clock.now() + 301)
        await gateway.post(f"/v1/checkouts/{closed['id']}/cancel", {})
        for tab in tabs:
            await tab.pay()
        states = [
            (await read(gateway, f"/v1/checkouts/{made['id']}"))["state"]
            for made in (brief, closed)
        ]
        everything = await gateway.all()

    assert [tab.page.phase for tab in tabs] == ["expired", "cancelled"]
    assert states == ["expired", "cancelled"]
    assert everything == []


async def test_what_was_begun_in_time_is_paid_after_it(sqlite_url: str) -> None:
    """The clock ends nothing that MTN has: a page that expired meanwhile says paid."""
    async with whole(sqlite_url, speed=1.0) as gateway, client() as http:
        made = await checkout(gateway, expires_in_seconds=300)
        payer = Payer(gateway, made["url"], http)
        await payer.open()
        await payer.pay()
        gateway.clock.jump_to(gateway.clock.now() + 400)
        waiting = await payer.open()
        await gateway.until_quiet()
        after = await payer.open()

    assert (waiting.phase, after.phase) == ("waiting", "paid")


async def test_a_restart_forgets_no_attempt(sqlite_url: str) -> None:
    """The gateway stops while the payer's phone rings, and starts again: one payment, followed."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await checkout(gateway)
        payer = Payer(gateway, made["url"], http)
        await payer.open()
        await payer.pay()
        await gateway.restart()
        await gateway.until_quiet()
        paid = await payer.open()
        truths = await gateway.truths([one.id for one in await gateway.all()])

    assert paid.phase == "paid"
    assert truths == [("successful", 1)]
