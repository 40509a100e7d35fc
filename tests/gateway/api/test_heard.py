"""Callbacks from MTN: any body, answered at once, kept, and never believed."""

from __future__ import annotations

import json
import logging
from urllib.parse import urlsplit

import pytest

from momokit.gateway.core.facts import Taken, Told
from momokit.gateway.core.payment import Work
from momokit.gateway.log import configure
from tests.gateway.api.making import MSISDN, PUBLIC_URL, Shop

pytestmark = pytest.mark.anyio

ANY_BODY = [
    b"",
    b"{",
    b"<callback/>",
    b"\x00\xff" * 100,
    json.dumps({"status": "SUCCESSFUL", "payer": {"partyId": MSISDN}}).encode(),
    b"x" * 65_536,
]


async def callback_path(shop: Shop, payment_id: str) -> str:
    """Find the address that goes to MTN with a payment."""
    stored = await shop.store.payment(payment_id)
    assert stored is not None
    url = stored.request.headers["X-Callback-Url"]
    assert url.startswith(f"{PUBLIC_URL}/cb/")
    return urlsplit(url).path


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_any_body_is_kept_and_answered(shop: Shop, method: str) -> None:
    """A callback by POST or PUT, of any body and type, answers 200 with nothing in it."""
    caller = await shop.key("collect")
    payment_id = (await caller.pay("k")).json()["id"]
    path = await callback_path(shop, payment_id)
    for body in ANY_BODY:
        answer = await shop.http.request(
            method, path, content=body, headers={"Content-Type": "text/nonsense; x=y"}
        )
        assert (answer.status_code, answer.content) == (200, b"")
    timeline = await shop.store.timeline(payment_id)
    assert timeline is not None
    assert [(one.method, one.body) for one in timeline.callbacks] == [
        (method, body) for body in ANY_BODY
    ]
    assert shop.counted.callbacks == ["matched"] * len(ANY_BODY)


async def test_a_callback_changes_no_state(shop: Shop) -> None:
    """A callback that says "successful" leaves the payment as it was and shows in its story."""
    caller = await shop.key("collect")
    payment_id = (await caller.pay("k")).json()["id"]
    path = await callback_path(shop, payment_id)
    for _ in range(2):
        await shop.http.post(path, json={"status": "SUCCESSFUL", "payer": {"partyId": MSISDN}})
    answer = await caller.get(f"/v1/payments/{payment_id}/timeline")
    entries = answer.json()["entries"]
    assert answer.json()["payment"]["state"] == "created"
    assert entries[1]["source"] == "callback"
    assert entries[1]["details"] == {"method": "POST", "seen": 2, "status": "SUCCESSFUL"}
    assert MSISDN not in answer.text
    assert shop.counted.callbacks == ["matched", "duplicate"]


async def test_a_late_last_word_asks_once_more(shop: Shop) -> None:
    """A callback with a last word after ours brings the question to MTN back; others do not."""
    caller = await shop.key("collect")
    payment_id = (await caller.pay("k")).json()["id"]
    path = await callback_path(shop, payment_id)
    await shop.learn(payment_id, Taken())
    await shop.learn(payment_id, Told(status="SUCCESSFUL"))
    works = []
    for status in ("PENDING", "FAILED"):
        await shop.http.post(path, json={"status": status})
        stored = await shop.store.payment(payment_id)
        assert stored is not None
        works.append(stored.payment.work)
        assert stored.payment.state == "successful"
    assert works == [None, Work.SETTLE]


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 500, "..%2f..%2fetc", "%00" * 30, "é" * 30])
async def test_an_unknown_address_is_a_plain_404(shop: Shop, token: str) -> None:
    """A token that is not ours answers as any path that is not there."""
    answer = await shop.http.post(f"/cb/{token}", content=b"{}")
    nowhere = await shop.http.post("/elsewhere", content=b"{}")
    assert answer.status_code == nowhere.status_code == 404
    assert {**answer.json(), "request_id": ""} == {**nowhere.json(), "request_id": ""}


async def test_a_callback_that_is_too_large_is_refused(shop: Shop) -> None:
    """More than 64 KiB is not kept."""
    caller = await shop.key("collect")
    payment_id = (await caller.pay("k")).json()["id"]
    path = await callback_path(shop, payment_id)
    assert (await shop.http.post(path, content=b"x" * 65_537)).status_code == 413


async def test_the_secret_address_is_in_no_log_and_no_count(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """The token of a callback's address is neither logged nor counted by."""
    caller = await shop.key("collect")
    payment_id = (await caller.pay("k")).json()["id"]
    path = await callback_path(shop, payment_id)
    before = logging.getLogger().handlers
    configure(level="debug")
    logging.getLogger().addHandler(caplog.handler)
    try:
        await shop.http.post(path, content=b"{}")
        await shop.http.post(path + "x", content=b"{}")
    finally:
        logging.getLogger().handlers = before
    assert path.removeprefix("/cb/") not in caplog.text
    assert {route for _, route, _ in shop.counted.requests} == {"/v1/payments", "/cb/{token}"}
