"""Every operation of the catalogue, its wire order, and what it leaves out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from momokit.emulator.routes import OPERATIONS, find_route

from .caller import (
    CASH_TRANSFER,
    INVOICE,
    ORDINARY,
    PAYMENT,
    PREAPPROVAL,
    REFERENCE,
    Caller,
)

_SAMPLES = REFERENCE / "samples" / "observed-samples.json"
_needs_samples = pytest.mark.skipif(
    not _SAMPLES.exists(), reason="the recorded answers are not beside the project"
)


def _sample(name: str) -> Any:
    return json.loads(_SAMPLES.read_text())[name]


def test_request_to_pay_success_has_the_live_order_and_normalised_amount(caller: Caller) -> None:
    """A paid request answers its fields in the wire's order, the amount without zeros."""
    reference, reply = caller.pay(amount="12.50")
    answer = caller.status(reference)

    assert (reply.status, reply.body) == (202, b"")
    assert list(answer) == [
        "financialTransactionId",
        "externalId",
        "amount",
        "currency",
        "payer",
        "payerMessage",
        "payeeNote",
        "status",
    ]
    assert answer["amount"] == "12.5"
    assert answer["financialTransactionId"].isdigit()


@pytest.mark.parametrize(
    ("sent", "answered"),
    [("5.0", "5"), ("6.00", "6"), ("12.50", "12.5"), ("100", "100"), (100, "100"), ("0.10", "0.1")],
)
def test_amounts_are_normalised(caller: Caller, sent: Any, answered: str) -> None:
    """Amounts come back as strings without needless zeros, numbers too."""
    reference, _ = caller.pay(amount=sent)

    assert caller.status(reference)["amount"] == answered


@_needs_samples
@pytest.mark.parametrize(
    ("sample", "path", "side"),
    [
        ("requesttopay_successful", "/collection/v1_0/requesttopay", "payer"),
        ("withdraw_successful", "/collection/v1_0/requesttowithdraw", "payer"),
        ("transfer_successful", "/disbursement/v1_0/transfer", "payee"),
        ("deposit_successful", "/disbursement/v1_0/deposit", "payee"),
    ],
)
def test_answers_have_the_recorded_fields_in_order(
    caller: Caller, sample: str, path: str, side: str
) -> None:
    """Our answers have the very fields, in the very order, of answers recorded live."""
    reference, _ = caller.create(path, caller.body(side, ORDINARY))

    assert list(caller.status(reference, path)) == list(_sample(sample)["body"])


@_needs_samples
def test_invoice_has_the_recorded_fields_in_order(caller: Caller) -> None:
    """A paid invoice answers as one recorded live."""
    reference, _ = caller.create("/collection/v2_0/invoice", INVOICE)
    caller.emulator.clock.advance(seconds=7)
    answer = caller.status(reference, "/collection/v2_0/invoice")

    assert list(answer) == list(_sample("invoice_successful")["body"])
    assert answer["status"] == "SUCCESSFUL"
    assert len(answer["paymentReference"]) == len(answer["invoiceId"]) == 10


@_needs_samples
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("userinfo_all_info", None),
        (
            "basicuserinfo_sandbox",
            f"/collection/v1_0/accountholder/msisdn/{ORDINARY}/basicuserinfo",
        ),
        ("active_true", f"/collection/v1_0/accountholder/msisdn/{ORDINARY}/active"),
    ],
)
def test_account_answers_have_the_recorded_fields(
    caller: Caller, name: str, path: str | None
) -> None:
    """Account answers have the fields and value types of those recorded live."""
    body = caller.call(f"GET {path}").json() if path else _consented(caller, "all_info")
    recorded = _sample(name)["body"]

    assert list(body) == list(recorded)
    assert [type(value) for value in body.values()] == [type(v) for v in recorded.values()]


def _consented(caller: Caller, scope: str) -> Any:
    asked = caller.call(
        "POST /collection/v1_0/bc-authorize",
        form={"login_hint": f"ID:{ORDINARY}/MSISDN", "scope": scope, "access_type": "online"},
    ).json()
    token = caller.call(
        "POST /collection/oauth2/token/",
        form={
            "grant_type": "urn:openid:params:grant-type:ciba",
            "auth_req_id": asked["auth_req_id"],
        },
        Authorization=caller.basic(),
    ).json()
    assert token["token_type"] == "Bearer"
    path = "GET /collection/oauth2/v1_0/userinfo"
    return caller.call(path, Authorization=f"Bearer {token['access_token']}").json()


def test_consent_profile_scope_shows_less(caller: Caller) -> None:
    """The profile scope shows names and no address."""
    assert "address" not in _consented(caller, "profile")


def test_unknown_scope_is_a_500(caller: Caller) -> None:
    """A scope nobody knows makes the wallet fail, as its own tests say."""
    reply = caller.call(
        "POST /collection/v1_0/bc-authorize",
        form={"login_hint": f"ID:{ORDINARY}/MSISDN", "scope": "moon", "access_type": "online"},
    )

    assert reply.status == 500


def test_one_wallet_store_is_behind_all_products(caller: Caller) -> None:
    """A collection can be read as a transfer, with the API user as a party code."""
    reference, _ = caller.pay()
    answer = caller.status(reference, "/disbursement/v1_0/transfer")

    assert answer["payee"] == {
        "partyIdType": "PARTY_CODE",
        "partyId": caller.credentials.api_user,
    }


def test_withdraw_of_either_version_is_read_by_one_path(caller: Caller) -> None:
    """The v1 status path answers for withdraws made with v2."""
    path = "/collection/v2_0/requesttowithdraw"
    reference, _ = caller.create(path, caller.body("payer", ORDINARY))

    assert caller.status(reference, path.replace("v2", "v1"))["status"] == "SUCCESSFUL"


def test_delivery_notification_once_and_only_after_success(caller: Caller) -> None:
    """The notice is accepted once, is limited to 160 characters, and needs a paid request."""
    paid, _ = caller.pay()
    failed, _ = caller.pay("46733123450")

    def notify(reference: str, text: Any = "thank you", path: str = "") -> int:
        line = f"POST /collection/v1_0/requesttopay/{reference}/deliverynotification"
        body = {"notificationMessage": text}
        return caller.call(line, json=body, notificationMessage=str(text)).status

    assert notify(paid, "x" * 161) == 400
    assert notify(paid, None) == 400
    assert notify(failed) == 409
    assert notify("00000000-0000-4000-8000-000000000000") == 404
    assert notify(paid, "x" * 160) == 200
    assert notify(paid) == 429
    late, _ = caller.pay()
    caller.emulator.change_settings(token_lifetime_seconds=3600, notification_window_seconds=60)
    caller.emulator.clock.advance(seconds=61)
    assert notify(late) == 410


def test_invoice_can_be_cancelled_before_it_is_paid(caller: Caller) -> None:
    """Cancelling answers 202 and makes the invoice FAILED, with the reason as an object."""
    path = "/collection/v2_0/invoice"
    reference, _ = caller.create(path, INVOICE)
    line = f"DELETE {path}/{reference}"
    body = {"externalId": "inv-1"}
    other = "11111111-1111-4111-8111-111111111111"

    assert caller.status(reference, path)["status"] == "PENDING"
    assert caller.call(line, json={"externalId": "wrong"}, X_Reference_Id=other).status == 400
    assert caller.call(line, json=body).status == 400
    assert caller.call(line, json=body, X_Reference_Id=other).status == 202
    answer = caller.status(reference, path)
    assert answer["status"] == "FAILED"
    assert answer["errorReason"]["code"] == "TRANSACTION_CANCELED"
    assert caller.call(line, json=body, X_Reference_Id=other).status == 400


def test_invoice_runs_out(caller: Caller) -> None:
    """An invoice nobody pays fails with EXPIRED when its validity ends."""
    caller.emulator.scenarios.set(identifier=ORDINARY, outcome="pending")
    path = "/collection/v2_0/invoice"
    reference, _ = caller.create(path, INVOICE)
    caller.emulator.clock.advance(seconds=3599)
    before = caller.status(reference, path)["status"]
    caller.emulator.clock.advance(seconds=2)
    caller._tokens.clear()

    assert before == "PENDING"
    assert caller.status(reference, path)["errorReason"]["code"] == "EXPIRED"


def test_preapproval_is_listed_and_cancelled(caller: Caller) -> None:
    """An approved pre-approval is listed for its payee, can be cancelled once, and expires."""
    path = "/collection/v2_0/preapproval"
    reference, reply = caller.create(path, PREAPPROVAL)
    answer = caller.status(reference, path)
    line = f"GET /collection/v1_0/preapprovals/msisdn/{ORDINARY}"
    (listed,) = caller.call(line).json()

    assert reply.status == 202
    assert list(answer) == [
        "payer",
        "payerCurrency",
        "payerMessage",
        "status",
        "expirationDateTime",
    ]
    assert (listed["preApprovalId"], listed["status"]) == (reference, "APPROVED")
    assert caller.call(f"DELETE /collection/v1_0/preapproval/{reference}").status == 200
    assert caller.call(line).json()[0]["status"] == "CANCELLED"
    assert caller.call(f"DELETE /collection/v1_0/preapproval/{reference}").status == 400


def test_payment_answers_reference_status_and_number(caller: Caller) -> None:
    """A paid bill answers three fields; a failed one has its reason as an object."""
    path = "/collection/v2_0/payment"
    paid, _ = caller.create(path, PAYMENT)
    body = {**PAYMENT, "money": {"amount": "2000", "currency": "EUR"}}
    failed, _ = caller.create(path, body)

    assert list(caller.status(paid, path)) == ["referenceId", "status", "financialTransactionId"]
    assert caller.status(failed, path)["reason"]["code"] == "INTERNAL_PROCESSING_ERROR"


def test_cash_transfer_echoes_the_sender(caller: Caller) -> None:
    """A cash transfer answers all it was sent, with MTN's misspelling."""
    path = "/remittance/v2_0/cashtransfer"
    reference, _ = caller.create(path, CASH_TRANSFER)
    answer = caller.status(reference, path)

    assert {name: answer[name] for name in CASH_TRANSFER} == CASH_TRANSFER
    assert answer["status"] == "SUCCESSFUL"


def test_refunds_never_exceed_what_was_collected(caller: Caller) -> None:
    """Partial refunds are paid until the original is used up; more is not allowed."""
    original, _ = caller.pay(amount="100")

    def refund(amount: str, reference_to_refund: str = original) -> Any:
        body = {
            "amount": amount,
            "currency": "EUR",
            "externalId": "refund",
            "referenceIdToRefund": reference_to_refund,
        }
        path = "/disbursement/v1_0/refund"
        reference, reply = caller.create(path, body)
        return reply.status if reply.status != 202 else caller.status(reference, path)

    assert refund("60")["payee"] == {"partyIdType": "MSISDN", "partyId": ORDINARY}
    assert refund("60")["reason"] == "NOT_ALLOWED"
    assert refund("40")["status"] == "SUCCESSFUL"
    assert refund("1")["reason"] == "NOT_ALLOWED"
    assert refund("1", "not-a-uuid") == 400
    unknown = refund("1", "22222222-2222-4222-8222-222222222222")
    assert unknown["reason"] == "TRANSACTION_NOT_FOUND"


def test_balance_follows_the_money(caller: Caller) -> None:
    """Collections fill the merchant's wallet, disbursements empty it, one wallet for all."""
    caller.emulator.reset(caller.emulator.settings.changed({"opening_balance": "50"}))
    caller = Caller(caller.emulator)
    caller.pay(amount="25")
    caller.transfer(amount="70")
    short, _ = caller.transfer(amount="10")

    assert caller.call("GET /collection/v1_0/account/balance").json() == {
        "availableBalance": "5",
        "currency": "EUR",
    }
    in_currency = caller.call("GET /disbursement/v1_0/account/balance/EUR").json()
    assert in_currency["availableBalance"] == "5"
    assert caller.status(short, "/disbursement/v1_0/transfer")["reason"] == "NOT_ENOUGH_FUNDS"
    foreign = caller.call("GET /collection/v1_0/account/balance/UGX")
    assert foreign.json()["code"] == "INVALID_CURRENCY"


def test_erratic_balance_gives_every_published_answer() -> None:
    """The erratic mode gives successes, zero, negative and errors, by seeded chance."""
    caller = Caller(erratic_balance=True)
    seen = set()
    for _ in range(200):
        reply = caller.call("GET /collection/v1_0/account/balance")
        body = reply.json()
        seen.add((reply.status, body.get("code") or body["availableBalance"]))

    assert {status for status, _ in seen} == {200, 404, 500, 503}
    assert {(200, "0"), (200, "-25"), (200, "1000000000")} <= seen


def test_every_operation_has_a_route() -> None:
    """Each of the 34 catalogue rows is found by its own path, for each of its products."""
    for operation in OPERATIONS:
        for product in operation.products:
            prefix = f"/{product}" if product else ""
            path = prefix + operation.path.replace("{", "").replace("}", "")
            found = find_route(operation.method, path)
            assert found is not None
            assert (found.operation.handler, found.product) == (operation.handler, product)


@pytest.mark.parametrize(
    "line",
    [
        "POST /disbursement/v2_0/transfer",
        "GET /collection/v1_0/transfer/00000000-0000-4000-8000-000000000000",
        "PUT /collection/v1_0/requesttopay",
        "GET /collection//v1_0/account/balance",
        "GET /collection/v1_0/account/balance/",
        "GET /collection",
    ],
)
def test_paths_mtn_does_not_offer_are_the_gateways_404(caller: Caller, line: str) -> None:
    """Unknown paths, methods, doubled and extra slashes get the gateway's own 404."""
    reply = caller.call(line)

    assert (reply.status, reply.json()) == (
        404,
        {"statusCode": 404, "message": "Resource not found"},
    )
