"""The two endpoints of a simple shop."""

from __future__ import annotations

import pytest

from momokit.gateway.core.facts import Doubt, Fact, Taken, Told, TurnedDown
from tests.gateway.api.making import MSISDN, PHONE, UGANDA, Shop

pytestmark = pytest.mark.anyio


async def test_a_shop_asks_and_looks(shop: Shop) -> None:
    """Two calls do: pay from this phone, then how does it stand, with a sentence to show."""
    caller = await shop.key("shop", account=UGANDA)
    paid = await caller.ask("POST", "/api/pay", {"amount": 5000, "phone": PHONE})
    told = paid.json()
    assert paid.status_code == 202
    assert set(told) == {"id", "status", "message"}
    assert told["status"] == "pending"
    assert (await caller.get(f"/api/payment/{told['id']}")).json() == told
    assert MSISDN not in paid.text


@pytest.mark.parametrize(
    ("fact", "status", "english", "french"),
    [
        (Taken(), "pending", "confirm", "Confirmez"),
        (Doubt(why="cut off"), "pending", "do not pay again", "Ne payez pas"),
        (Told(status="SUCCESSFUL"), "successful", "Thank you", "Merci"),
        (TurnedDown(code="PAYER_NOT_FOUND"), "failed", "number", "numéro"),
        (TurnedDown(code="NEVER_HEARD_OF"), "failed", "payment", "paiement"),
    ],
)
async def test_each_state_has_its_sentence(
    shop: Shop, fact: Fact, status: str, english: str, french: str
) -> None:
    """Each state is told in plain words, in English or French as the page asks."""
    caller = await shop.key("shop", account=UGANDA)
    told = (await caller.ask("POST", "/api/pay", {"amount": "5000", "phone": PHONE})).json()
    await shop.learn(told["id"], fact)
    path = f"/api/payment/{told['id']}"
    in_english = (await caller.get(path)).json()
    in_french = (await caller.ask("GET", path, headers={"Accept-Language": "fr-CM"})).json()
    assert in_english["status"] == in_french["status"] == status
    assert english in in_english["message"]
    assert french in in_french["message"]


async def test_a_key_makes_a_repeat_safe(shop: Shop) -> None:
    """With an Idempotency-Key the same request is the same payment, as on /v1."""
    caller = await shop.key("shop", account=UGANDA)
    body = {"amount": "5000", "phone": PHONE}
    one = await caller.ask("POST", "/api/pay", body, key="k")
    two = await caller.ask("POST", "/api/pay", body, key="k")
    assert two.json() == one.json()
    assert two.headers["idempotency-replayed"] == "true"


async def test_another_order_is_another_payment(shop: Shop) -> None:
    """Two orders of the same sum from the same phone are two payments."""
    caller = await shop.key("shop", account=UGANDA)
    body = {"amount": "5000", "phone": PHONE}
    one = await caller.ask("POST", "/api/pay", body | {"order": "1"})
    two = await caller.ask("POST", "/api/pay", body | {"order": "2"})
    assert two.status_code == one.status_code == 202
    assert two.json()["id"] != one.json()["id"]


async def test_a_second_click_makes_no_second_payment(shop: Shop) -> None:
    """Without a key, the same again within ten minutes is answered with the payment there."""
    caller = await shop.key("shop", account=UGANDA)
    body = {"amount": "5000", "phone": PHONE}
    one = await caller.ask("POST", "/api/pay", body)
    two = await caller.ask("POST", "/api/pay", body)
    assert (two.status_code, two.json()) == (202, one.json())
    assert two.headers["idempotency-replayed"] == "true"
    reader = await shop.key("read")
    assert len((await reader.get("/v1/payments")).json()["items"]) == 1


async def test_a_shop_key_sees_nothing_else(shop: Shop) -> None:
    """A shop's key reads the payments it made, and none of the rest of the API."""
    caller, other = await shop.key("shop", account=UGANDA), await shop.key("collect")
    payment_id = (await other.pay("k")).json()["id"]
    assert (await caller.get(f"/api/payment/{payment_id}")).status_code == 404
    for path in ("/v1/payments", f"/v1/payments/{payment_id}", "/v1/accounts"):
        assert (await caller.get(path)).status_code == 403


@pytest.mark.parametrize(
    "body",
    [{"amount": "5000"}, {"phone": PHONE}, {"amount": 50.5, "phone": PHONE}, {"amount": "x"}],
)
async def test_a_shop_is_told_what_is_wrong(shop: Shop, body: dict[str, object]) -> None:
    """A body that will not do is a 400 with a hint."""
    caller = await shop.key("shop", account=UGANDA)
    answer = await caller.ask("POST", "/api/pay", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
