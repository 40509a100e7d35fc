"""Making checkouts by the API and by the shop's one endpoint: once each, with sound addresses."""

from __future__ import annotations

import pytest

from tests.gateway.journeys.whole import whole
from tests.gateway.pages.payer import checkout, read

pytestmark = pytest.mark.anyio


async def test_a_key_makes_one_page(url: str) -> None:
    """The same request under its key gives the same page; another request under it is refused."""
    async with whole(url) as gateway:
        first = await gateway.post("/v1/checkouts", {"amount": "5"}, key="same")
        again = await gateway.post("/v1/checkouts", {"amount": "5"}, key="same")
        other = await gateway.post("/v1/checkouts", {"amount": "6"}, key="same")
        listed = await read(gateway, "/v1/checkouts")

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert other.json()["code"] == "idempotency_mismatch"
    assert len(listed["items"]) == 1


async def test_a_shop_gets_one_page_for_an_order(sqlite_url: str) -> None:
    """A second click of the shop's is no second page; a new amount is; an expired one is new."""
    async with whole(sqlite_url) as gateway:
        bodies = [{"amount": 5, "order": "1007"}, {"amount": 5, "order": "1007"}]
        bodies += [{"amount": 6, "order": "1007"}]
        answers = [await gateway.http.post("/api/checkout", json=body) for body in bodies]
        gateway.clock.jump_to(gateway.clock.now() + 90_000)
        later = await gateway.http.post("/api/checkout", json=bodies[0])

    urls = [one.json()["url"] for one in answers]
    assert {one.status_code for one in answers} == {201}
    assert (urls[0] == urls[1], urls[0] == urls[2]) == (True, False)
    assert (later.json()["state"], later.json()["url"] == urls[0]) == ("open", False)


@pytest.mark.parametrize(
    "return_url",
    [
        "javascript:alert(1)",
        "http://shop.example/a",
        "https://user:pass@shop.example/",
        "//shop.example/",
        "https://shop.example/#part",
        "https://shop.example/\\evil",
        "data:text/html,hi",
        "https://",
    ],
)
async def test_a_return_address_leads_to_a_shop(sqlite_url: str, return_url: str) -> None:
    """What is not a plain https address is refused, and the field is named."""
    async with whole(sqlite_url) as gateway:
        answer = await gateway.post("/v1/checkouts", {"amount": "5", "return_url": return_url})

    assert (answer.status_code, answer.json()["field"]) == (400, "return_url")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "5.001"}, "amount"),
        ({"amount": "5", "minimum_amount": "1"}, "minimum_amount"),
        ({"minimum_amount": "5", "maximum_amount": "4"}, "maximum_amount"),
        ({"amount": "5", "description": "a\u202eb"}, "description"),
        ({"amount": "5", "expires_in_seconds": 1}, "expires_in_seconds"),
    ],
)
async def test_a_checkout_that_makes_no_sense_is_refused(
    sqlite_url: str, body: dict[str, object], field: str
) -> None:
    """Each refusal names its field."""
    async with whole(sqlite_url) as gateway:
        answer = await gateway.post("/v1/checkouts", body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_numbers_of_invoices_have_no_gaps_and_no_doubles(url: str) -> None:
    """Ours go up by one and pass over the merchant's; a number given twice is a conflict."""
    async with whole(url) as gateway:
        taken = await gateway.post("/v1/invoices", {"amount": "1", "number": "INV-000002"})
        ours = [
            (await gateway.post("/v1/invoices", {"amount": "1"})).json()["number"] for _ in range(3)
        ]
        double = await gateway.post("/v1/invoices", {"amount": "1", "number": "INV-000003"})

    assert taken.status_code == 201
    assert ours == ["INV-000001", "INV-000003", "INV-000004"]
    assert (double.status_code, double.json()["code"]) == (409, "conflict")


async def test_the_pages_need_no_key_and_the_api_does(sqlite_url: str) -> None:
    """Who has the address sees the page; the same thing by the API takes a key."""
    async with whole(sqlite_url) as gateway:
        made = await checkout(gateway)
        headers = {"Authorization": ""}
        page = await gateway.http.get(made["url"], headers=headers)
        api = await gateway.http.get(f"/v1/checkouts/{made['id']}", headers=headers)

    assert (page.status_code, api.status_code) == (200, 401)
