"""Payments over the API: made once, read, listed, followed, taken back and given back."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from momokit.gateway.core.facts import Taken, Told, TurnedDown
from momokit.gateway.keys import rotate_key
from tests.gateway.api.making import GHANA, GHANA_PHONE, MSISDN, PHONE, UGANDA, Caller, Shop, order

pytestmark = pytest.mark.anyio

IN_GHANA = {"account": GHANA, "party": GHANA_PHONE}
PAID = Told(status="SUCCESSFUL", financial_transaction_id="363440463")


async def test_a_payment_is_taken_in_and_shown(shop: Shop) -> None:
    """A POST answers 202 with the stored payment, its party masked, and where to find it."""
    caller = await shop.key("collect", "read")
    answer = await caller.pay("k1", merchant_reference="order-7", metadata={"basket": "9"})
    told = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/payments/{told['id']}"
    wanted = {
        "kind": "request_to_pay",
        "state": "created",
        "is_final": False,
        "account_id": shop.account_ids[UGANDA],
        "amount": "5000",
        "currency": "UGX",
        "party": {"type": "MSISDN", "id": "256••••••001"},
        "merchant_reference": "order-7",
        "metadata": {"basket": "9"},
        "reason": None,
    }
    assert {name: told[name] for name in wanted} == wanted
    assert (await caller.get(f"/v1/payments/{told['id']}")).json() == told


async def test_the_same_request_again_is_the_same_payment(shop: Shop) -> None:
    """The same key and body replay, however the JSON is laid out; another body is refused."""
    caller = await shop.key("collect", "read")
    first = await caller.pay("k1")
    turned = dict(reversed(order().items()))
    again = await caller.ask("POST", "/v1/payments", turned, key="k1")
    other = await caller.pay("k1", amount="6000")
    assert "idempotency-replayed" not in first.headers
    assert again.status_code == 202
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_mismatch"
    assert other.json()["payment_id"] == first.json()["id"]
    assert shop.counted.keys == ["new", "replayed", "conflict"]


async def test_a_hundred_at_once_are_one(shop: Shop) -> None:
    """A hundred identical requests at the same time make exactly one payment."""
    caller = await shop.key("collect", "read")
    answers = await asyncio.gather(*(caller.pay("same") for _ in range(100)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert len((await caller.get("/v1/payments")).json()["items"]) == 1


async def test_a_rotated_key_repeats_what_the_old_one_asked(shop: Shop) -> None:
    """The Idempotency-Key means the same from a key and from the one it was rotated to."""
    old = await shop.key("collect")
    made = await shop.store.write(lambda t: rotate_key(t, old.key_id, overlap_seconds=600.0))
    new = Caller(shop, made.text.reveal(), made.key.id)
    assert (await old.pay("k1")).status_code == 202
    assert (await new.pay("k1")).headers["idempotency-replayed"] == "true"


async def test_what_was_taken_in_is_replayed_though_the_account_is_paused(shop: Shop) -> None:
    """A repeated request is told of its payment, not of what would be refused today."""
    from momokit.gateway.store.accounts import pause_account

    caller = await shop.key("collect")
    first = await caller.pay("k1")
    account_id = shop.account_ids[UGANDA]
    await shop.store.write(lambda t: pause_account(t, account_id, reason="audit"))
    await shop.book.refresh()
    refused = await caller.pay("k2", amount="1")
    again = await caller.pay("k1")
    assert refused.status_code == 409
    assert refused.json()["code"] == "account_paused"
    assert again.json()["id"] == first.json()["id"]


async def test_a_double_click_is_noticed_and_can_be_meant(shop: Shop) -> None:
    """The same party, amount and reference within ten minutes is refused unless it is meant."""
    caller = await shop.key("collect")
    first = await caller.pay("k1")
    second = await caller.pay("k2")
    third = await caller.pay("k3", allow_duplicate=True)
    assert second.status_code == 409
    assert second.json()["code"] == "possible_duplicate"
    assert second.json()["payment_id"] == first.json()["id"]
    assert third.status_code == 202


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"kind": "withdraw"}, "withdraw"),
        ({"kind": "transfer"}, "transfer"),
        ({"kind": "transfer", "product": "remittance", **IN_GHANA}, "transfer"),
        ({"kind": "deposit"}, "deposit"),
        (
            {
                "kind": "cash_transfer",
                **IN_GHANA,
                "cash_transfer": {
                    "originating_country": "SE",
                    "original_amount": "20.50",
                    "original_currency": "EUR",
                    "sender": {"first_name": "Ada", "identification_type": "PASS"},
                },
            },
            "cash_transfer",
        ),
        (
            {
                "kind": "payment",
                "party": None,
                "bill": {"customer_reference": "77", "service_provider_user_name": "power"},
            },
            "payment",
        ),
    ],
)
async def test_every_kind_is_taken_in(shop: Shop, fields: dict[str, Any], kind: str) -> None:
    """Each kind that the client can initiate is accepted with its own fields."""
    caller = await shop.key("admin")
    answer = await caller.pay("k", **fields)
    assert (answer.status_code, answer.json()["kind"]) == (202, kind)


async def test_a_product_without_keys_is_refused_at_once(shop: Shop) -> None:
    """A payment that the account could never send is not taken in to close its lane later."""
    caller = await shop.key("disburse")
    answer = await caller.pay("k", kind="transfer", product="remittance")
    assert (answer.status_code, answer.json()["code"]) == (409, "product_not_held")


async def test_invoices_and_pre_approvals_are_payments_to_read(shop: Shop) -> None:
    """MTN's own invoice and a pre-approval are read like payments."""
    caller = await shop.key("collect")
    invoice = await caller.ask(
        "POST",
        "/v1/payments",
        order(kind="invoice", amount="900", invoice={"payee": "0770000002"}),
        key="i1",
    )
    approval = await caller.ask(
        "POST", "/v1/pre-approvals", {"account": UGANDA, "party": PHONE}, key="p1"
    )
    for answer, kind in ((invoice, "invoice"), (approval, "pre_approval")):
        assert answer.status_code == 202
        read = (await caller.get(answer.headers["location"])).json()
        assert read["kind"] == kind


async def test_a_wait_ends_with_the_last_word(shop: Shop) -> None:
    """A read with `wait` answers once the payment is final, well before the time is over."""
    caller = await shop.key("collect")
    payment_id = (await caller.pay("k")).json()["id"]
    waiting = asyncio.create_task(caller.get(f"/v1/payments/{payment_id}?wait=30"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await shop.learn(payment_id, PAID)
    told = (await waiting).json()
    assert told["state"] == "successful"
    assert told["financial_transaction_id"] == "363440463"


async def test_a_wait_without_a_last_word_ends_in_time(shop: Shop) -> None:
    """A wait that is over answers with the payment as it stands."""
    caller = await shop.key("collect")
    answer = await caller.ask("POST", "/v1/payments?wait=0.05", order(), key="k")
    assert (answer.status_code, answer.json()["state"]) == (202, "created")


async def test_a_service_that_stops_lets_waiters_go(shop: Shop) -> None:
    """When the service is to stop, those who wait are answered at once, and it is not ready."""
    caller = await shop.key("collect")
    payment_id = (await caller.pay("k")).json()["id"]
    waiting = asyncio.create_task(caller.get(f"/v1/payments/{payment_id}?wait=30"))
    await asyncio.sleep(0.02)
    shop.api.let_go()
    assert (await waiting).json()["state"] == "created"
    assert (await shop.http.get("/readyz")).status_code == 503
    assert (await shop.http.get("/healthz")).status_code == 200


async def test_a_failed_payment_says_why_and_what_to_do(shop: Shop) -> None:
    """A failure carries MTN's code with its explanation, and whether a new attempt is safe."""
    caller = await shop.key("collect")
    payment_id = (await caller.pay("k")).json()["id"]
    await shop.learn(payment_id, TurnedDown(code="PAYER_NOT_FOUND", status=500))
    reason = (await caller.get(f"/v1/payments/{payment_id}")).json()["reason"]
    assert reason["code"] == "PAYER_NOT_FOUND"
    assert reason["who"] == "payer"
    assert reason["new_attempt_is_safe"] is True
    assert reason["what"]
    assert reason["remedy"]


async def test_pages_hold_each_payment_once(shop: Shop) -> None:
    """The cursors lead through all payments, newest first, without a gap or a repeat."""
    caller = await shop.key("admin")
    made = [(await caller.pay(f"k{n}", amount=str(100 + n))).json()["id"] for n in range(7)]
    seen: list[str] = []
    path: str | None = "/v1/payments?limit=3"
    while path is not None:
        page = (await caller.get(path)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        path = f"/v1/payments?limit=3&cursor={cursor}" if cursor else None
    assert sorted(seen) == sorted(made)
    assert len(seen) == 7


async def test_filters_choose(shop: Shop) -> None:
    """Each filter leaves out what does not fit."""
    caller = await shop.key("admin")
    one = (await caller.pay("a", merchant_reference="r1")).json()
    two = (await caller.pay("b", kind="transfer", amount="70")).json()
    three = (await caller.pay("c", account=GHANA, party="0240000001", amount="8.5")).json()
    await shop.learn(one["id"], PAID)
    wanted = {
        "state=successful": [one],
        "state=created&state=pending": [three, two],
        "kind=transfer": [two],
        f"account={GHANA}": [three],
        "merchant_reference=r1": [one],
        f"reference_id={two['reference_id']}": [two],
        "created_from=2100-01-01T00:00:00Z": [],
        "created_to=2001-01-01T00:00:00Z": [],
        "review=true": [],
    }
    for query, payments in wanted.items():
        items = (await caller.get(f"/v1/payments?{query}")).json()["items"]
        assert [item["id"] for item in items] == [payment["id"] for payment in payments], query


async def test_the_timeline_tells_it_all_in_order(shop: Shop) -> None:
    """A payment's story has its events in order and shows no phone number."""
    caller = await shop.key("collect")
    payment_id = (await caller.pay("k")).json()["id"]
    await shop.learn(payment_id, Taken())
    await shop.learn(payment_id, PAID)
    answer = await caller.get(f"/v1/payments/{payment_id}/timeline")
    told = answer.json()
    assert [entry["what"] for entry in told["entries"]] == ["created", "accepted", "successful"]
    assert told["entries"][1]["state_after"] == "pending"
    assert MSISDN not in answer.text


async def test_what_has_not_left_can_be_taken_back(shop: Shop) -> None:
    """A cancelled payment has failed for that reason, and cancelling again changes nothing."""
    caller = await shop.key("collect")
    payment_id = (await caller.pay("k")).json()["id"]
    once = await caller.ask("POST", f"/v1/payments/{payment_id}/cancel")
    twice = await caller.ask("POST", f"/v1/payments/{payment_id}/cancel")
    assert (once.status_code, once.json()["state"]) == (200, "failed")
    assert once.json()["reason"]["code"] == "CANCELLED"
    assert twice.json() == once.json()


async def test_what_has_left_cannot_be_taken_back(shop: Shop) -> None:
    """A payment that MTN has is not cancelled, open or final."""
    caller = await shop.key("collect")
    payment_id = (await caller.pay("k")).json()["id"]
    for fact in (Taken(), PAID):
        await shop.learn(payment_id, fact)
        answer = await caller.ask("POST", f"/v1/payments/{payment_id}/cancel")
        assert (answer.status_code, answer.json()["code"]) == (409, "cannot_cancel")
    assert (await caller.get(f"/v1/payments/{payment_id}")).json()["state"] == "successful"


async def test_refunds_never_exceed_what_was_captured(shop: Shop) -> None:
    """Ten refunds at once of a payment that bears three make three."""
    caller = await shop.key("admin")
    payment_id = (await caller.pay("k", amount="3000")).json()["id"]
    path = f"/v1/payments/{payment_id}/refunds"
    early = await caller.ask("POST", path, {"amount": "1000"}, key="early")
    await shop.learn(payment_id, PAID)
    answers = await asyncio.gather(
        *(caller.ask("POST", path, {"amount": "1000"}, key=f"r{n}") for n in range(10))
    )
    taken = [answer.json() for answer in answers if answer.status_code == 202]
    codes = {answer.json()["code"] for answer in answers if answer.status_code != 202}
    assert early.json()["code"] == "refund_exceeds_payment"
    assert sum(Decimal(refund["amount"]) for refund in taken) == 3000
    assert {refund["original_payment_id"] for refund in taken} == {payment_id}
    assert codes == {"refund_exceeds_payment"}
