"""Payment links: everyone who opens one pays for themselves, once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from tests.gateway.journeys.whole import PAYER, Whole, whole
from tests.gateway.pages.payer import Payer, read

pytestmark = pytest.mark.anyio


def client() -> httpx2.AsyncClient:
    """Give a browser of no one's."""
    return httpx2.AsyncClient(trust_env=False)


async def link(gateway: Whole, **fields: Any) -> dict[str, Any]:
    """Make a payment link."""
    answer = await gateway.post("/v1/payment-links", {"amount": "5", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_two_payers_by_one_link_are_two_payments(url: str) -> None:
    """Each gets a page of their own; neither sees the other's."""
    async with whole(url) as gateway, client() as http:
        made = await link(gateway, merchant_reference="stall-3")
        payers = [Payer(gateway, made["url"], http) for _ in range(2)]
        for number, payer in enumerate(payers):
            await payer.open()
            await payer.pay(f"4673312398{number}")
        await gateway.until_quiet()
        phases = [(await payer.open()).phase for payer in payers]
        fresh = await Payer(gateway, made["url"], http).open()
        after = await read(gateway, f"/v1/payment-links/{made['id']}")
        listed = await read(gateway, f"/v1/checkouts?link_id={made['id']}")
        truths = await gateway.truths([one.id for one in await gateway.all()])

    assert phases == ["paid", "paid"]
    assert payers[0].url != payers[1].url != made["url"]
    assert fresh.phase == "open"
    assert (after["state"], after["paid"]) == ("open", 2)
    assert [one["merchant_reference"] for one in listed["items"]] == ["stall-3"] * 2
    assert truths == [("successful", 1)] * 2


async def test_a_queue_before_a_poster_is_no_attack(sqlite_url: str) -> None:
    """Many payers at one link in a few seconds, all from one address, are all served."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await link(gateway)
        payers = [Payer(gateway, made["url"], http) for _ in range(25)]
        for payer in payers:
            await payer.open()
        answers = [
            (await payer.send(f"467331238{number:02}")).status_code
            for number, payer in enumerate(payers)
        ]

    assert answers == [303] * 25


async def test_one_page_of_a_link_is_one_payment(url: str) -> None:
    """The same form sent ten times at once is one checkout with one attempt."""
    async with whole(url) as gateway, client() as http:
        made = await link(gateway)
        payer = Payer(gateway, made["url"], http)
        await payer.open()
        answers = await asyncio.gather(*(payer.send(f"467331239{n:02}") for n in range(10)))
        await gateway.until_quiet()
        truths = await gateway.truths([one.id for one in await gateway.all()])

    places = {one.headers["location"] for one in answers if one.status_code == 303}
    assert len(places) == 1
    assert truths == [("successful", 1)]


async def test_the_same_payer_may_buy_the_same_twice(sqlite_url: str) -> None:
    """Two visits are two purchases: nobody takes the second for a double click."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await link(gateway)
        for _ in range(2):
            payer = Payer(gateway, made["url"], http)
            await payer.open()
            await payer.pay()
        await gateway.until_quiet()
        truths = await gateway.truths([one.id for one in await gateway.all()])

    assert truths == [("successful", 1)] * 2


async def test_the_payer_chooses_within_the_bounds(sqlite_url: str) -> None:
    """An open amount is what the payer types, as people type it; beyond the bounds it is not."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await link(gateway, amount=None, minimum_amount="2", maximum_amount="5000")
        statuses = []
        for amount in ("1", "5001", "12,345.678", "1,000.50"):
            payer = Payer(gateway, made["url"], http)
            await payer.open()
            statuses.append((await payer.pay(amount=amount)).status_code)
        everything = await gateway.all()

    assert statuses == [422, 422, 422, 303]
    assert [str(one.payment.amount) for one in everything] == ["1000.5"]


async def test_a_closed_link_begins_nothing_and_ends_what_was_begun(sqlite_url: str) -> None:
    """Who has begun may finish, another attempt after a failure included; who comes later not."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await link(gateway)
        begun, late = (Payer(gateway, made["url"], http) for _ in range(2))
        await begun.open()
        await late.open()
        await begun.pay("46733123451")
        await gateway.post(f"/v1/payment-links/{made['id']}/cancel", {})
        await gateway.until_quiet()
        await late.pay()
        await begun.open()
        await begun.pay()
        await gateway.until_quiet()
        phases = [(await payer.open()).phase for payer in (begun, late)]
        new = await Payer(gateway, made["url"], http).open()
        after = await read(gateway, f"/v1/payment-links/{made['id']}")

    assert phases == ["paid", "cancelled"]
    assert (new.phase, after["state"], after["paid"]) == ("cancelled", "cancelled", 1)


async def test_the_same_order_on_two_pages_is_paid_once(sqlite_url: str) -> None:
    """A shop that made two pages for one order: the same number does not pay both at once."""
    async with whole(sqlite_url) as gateway, client() as http:
        pages = []
        for _ in range(2):
            answer = await gateway.post("/v1/checkouts", {"amount": "5", "merchant_reference": "7"})
            pages.append(Payer(gateway, answer.json()["url"], http))
        answers = []
        for payer in pages:
            await payer.open()
            answers.append(await payer.send(PAYER))
        everything = await gateway.all()

    assert [one.status_code for one in answers] == [303, 422]
    assert "another page" in answers[1].text
    assert len(everything) == 1
