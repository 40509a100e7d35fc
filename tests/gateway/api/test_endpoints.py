"""Webhook endpoints and deliveries over the API."""

from __future__ import annotations

from typing import Any

import pytest

from momokit.gateway.core.facts import Taken, Told
from momokit.gateway.store import accounts
from momokit.gateway.store.deliveries import DeliveryResult
from tests.gateway.api.making import UGANDA, Caller, Shop

pytestmark = pytest.mark.anyio

URL = "https://shop.example.com/hooks"


async def secrets_of(shop: Shop, endpoint_id: str) -> list[str]:
    """Open what is stored of an endpoint's secrets."""
    known = await shop.store.read(accounts.list_endpoints)
    sealed = next(one.secrets_sealed for one in known if one.id == endpoint_id)
    return shop.sealer.open_texts(endpoint_id, sealed)


async def make(caller: Caller, **fields: Any) -> dict[str, Any]:
    """Add an endpoint."""
    answer = await caller.ask("POST", "/v1/webhook-endpoints", {"url": URL} | fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_secret_is_shown_once_and_kept_sealed(shop: Shop) -> None:
    """The answer to the creation carries the secret; no later answer does."""
    caller = await shop.key("webhooks")
    made = await make(caller, events=["payment.successful"], account=UGANDA)
    listed = await caller.get("/v1/webhook-endpoints")
    read = await caller.get(f"/v1/webhook-endpoints/{made['id']}")
    assert made["secret"].startswith("whsec_")
    assert await secrets_of(shop, made["id"]) == [made["secret"]]
    assert listed.json()["items"] == [made | {"secret": None}]
    assert read.json() == made | {"secret": None}
    assert made["account_id"] == shop.account_ids[UGANDA]


async def test_a_secret_is_changed_with_the_old_one_beside_it(shop: Shop) -> None:
    """A rotation keeps one former secret, or none when so asked."""
    caller = await shop.key("webhooks")
    made = await make(caller)
    path = f"/v1/webhook-endpoints/{made['id']}/secret"
    second = (await caller.ask("POST", path, {})).json()["secret"]
    assert await secrets_of(shop, made["id"]) == [second, made["secret"]]
    third = (await caller.ask("POST", path, {})).json()["secret"]
    assert await secrets_of(shop, made["id"]) == [third, second]
    fourth = (await caller.ask("POST", path, {"keep_previous": False})).json()["secret"]
    assert await secrets_of(shop, made["id"]) == [fourth]


async def test_an_endpoint_is_changed_and_switched(shop: Shop) -> None:
    """What is named in a change changes, the rest stays; deleting switches off."""
    caller = await shop.key("webhooks")
    made = await make(caller, events=["payment.failed"])
    path = f"/v1/webhook-endpoints/{made['id']}"
    moved = (await caller.ask("PATCH", path, {"url": URL + "/2"})).json()
    off = (await caller.ask("PATCH", path, {"enabled": False, "events": []})).json()
    on = (await caller.ask("PATCH", path, {"enabled": True})).json()
    gone = (await caller.ask("DELETE", path)).json()
    assert (moved["url"], moved["events"], moved["enabled"]) == (URL + "/2", ["payment.failed"], 1)
    assert (off["url"], off["events"], off["enabled"]) == (URL + "/2", [], False)
    assert (on["enabled"], gone["enabled"]) == (True, False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "http://shop.example.com"},
        {"url": "shop.example.com"},
        {"url": "https://user:pass@shop.example.com"},
        {"url": URL, "events": ["gift.made"]},
        {"url": URL, "secret": "mine"},
    ],
)
async def test_an_endpoint_that_will_not_do_is_refused(shop: Shop, body: dict[str, Any]) -> None:
    """A wrong address, event name or field is a 400."""
    caller = await shop.key("webhooks")
    answer = await caller.ask("POST", "/v1/webhook-endpoints", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_webhooks_are_listed_and_sent_again(shop: Shop) -> None:
    """Webhooks are listed in pages, with how they went, and can be sent once more."""
    caller = await shop.key("admin")
    endpoint = await make(caller)
    payment_id = (await caller.pay("k")).json()["id"]
    await shop.learn(payment_id, Taken())
    await shop.learn(payment_id, Told(status="SUCCESSFUL"))
    claimed = await shop.store.claim_deliveries(limit=10, lease_seconds=60)
    for one in claimed:
        result = DeliveryResult(
            delivery_id=one.delivery.id, lease_token=one.lease_token, delivered=True, status=204
        )
        await shop.store.record_delivery(result)
    path = f"/v1/webhook-deliveries?payment_id={payment_id}&limit=1"
    first = (await caller.get(path)).json()
    second = (await caller.get(f"{path}&before={first['next_before']}")).json()
    seen = first["items"] + second["items"]
    assert [one["event"] for one in seen] == ["payment.successful", "payment.pending"]
    assert {(one["status"], one["last_status"]) for one in seen} == {("delivered", 204)}
    assert second["next_before"] is None
    replayed = await caller.ask("POST", f"/v1/webhook-deliveries/{seen[0]['id']}/replay")
    assert (replayed.status_code, replayed.json()["status"]) == (202, "waiting")
    assert replayed.json()["webhook_id"] == seen[0]["webhook_id"]
    assert len(await shop.store.claim_deliveries(limit=10, lease_seconds=60)) == 1
    by_endpoint = await caller.get(f"/v1/webhook-deliveries?endpoint_id={endpoint['id']}")
    assert len(by_endpoint.json()["items"]) == 2
    timeline = (await caller.get(f"/v1/payments/{payment_id}/timeline")).json()
    assert {entry["source"] for entry in timeline["entries"]} == {"event", "webhook"}


@pytest.mark.parametrize("number", ["0", "7", "999999999999999999999", "-1", "x"])
async def test_a_webhook_that_is_not_there_is_a_404(shop: Shop, number: str) -> None:
    """Sending again what there is not is a 404, whatever the number."""
    caller = await shop.key("webhooks")
    answer = await caller.ask("POST", f"/v1/webhook-deliveries/{number}/replay")
    assert answer.status_code == 404
