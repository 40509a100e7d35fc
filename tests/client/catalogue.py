"""MTN's catalogue of operations: how each is called on a client, and what must go over the wire."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from momokit import Sender

REF = "5f0c2b1a-6b7c-4d8e-9f00-112233445566"
PAYER = "46733123999"
MSISDN = {"partyIdType": "MSISDN", "partyId": PAYER}
TOKEN = {"access_token": "token-1", "token_type": "access_token", "expires_in": 3600}
MONEY: dict[str, Any] = {"amount": "5"}
C, D, R = "collection", "disbursement", "remittance"


@dataclass
class Row:
    """One operation: how it is called, and what must then go over the wire."""

    method: str
    path: str
    call: Callable[[Any], Any]
    status: int = 200
    answer: Any = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    opened_by: str = "Bearer token-1"


def created(path: str, call: Callable[[Any], Any], body: Any) -> Row:
    """Describe a creating call: 202 and empty, with our id in the header."""
    wanted = {"x-reference-id": REF, "content-type": "application/json"}
    return Row("POST", path, call, 202, body=body, headers=wanted)


def read(path: str, call: Callable[[Any], Any], answer: Any = None) -> Row:
    """Describe a question."""
    return Row("GET", path, call, answer={"status": "PENDING"} if answer is None else answer)


def common(product: str) -> dict[str, Row]:
    """Rows 1 to 8 of MTN's catalogue, the same in each product."""

    def of(client: Any) -> Any:
        return getattr(client, product)

    form = {"content-type": "application/x-www-form-urlencoded"}
    holder = f"/{product}/v1_0/accountholder"
    return {
        f"2 {product}": Row(
            "POST",
            f"/{product}/oauth2/token/",
            lambda c: of(c).oauth2_token(auth_req_id=REF),
            answer={"access_token": "consent-token", "token_type": "Bearer"},
            body=f"grant_type=urn%3Aopenid%3Aparams%3Agrant-type%3Aciba&auth_req_id={REF}",
            headers=form,
            opened_by="Basic",
        ),
        f"3 {product}": Row(
            "POST",
            f"/{product}/v1_0/bc-authorize",
            lambda c: of(c).bc_authorize(PAYER, scope="profile"),
            answer={"auth_req_id": REF, "interval": 5, "expires_in": 60},
            body=f"login_hint=ID%3A{PAYER}%2FMSISDN&scope=profile&access_type=online",
            headers=form,
        ),
        f"4 {product}": Row(
            "GET",
            f"/{product}/oauth2/v1_0/userinfo",
            lambda c: of(c).user_info("consent-token"),
            answer={"name": "Sand Box"},
            opened_by="Bearer consent-token",
        ),
        f"5 {product}": read(
            f"/{product}/v1_0/account/balance",
            lambda c: of(c).balance(),
            {"availableBalance": "-25", "currency": "EUR"},
        ),
        f"6 {product}": read(
            f"/{product}/v1_0/account/balance/EUR",
            lambda c: of(c).balance("EUR"),
            {"availableBalance": "0", "currency": "EUR"},
        ),
        f"7 {product}": read(
            f"{holder}/msisdn/{PAYER}/active",
            lambda c: of(c).is_active(PAYER),
            {"result": True},
        ),
        f"8 {product}": read(
            f"{holder}/msisdn/{PAYER}/basicuserinfo",
            lambda c: of(c).basic_user_info(PAYER),
            {"given_name": "Sand"},
        ),
    }


FROM_PAYER = {"amount": "5", "currency": "EUR", "payer": MSISDN, "externalId": "order-1"}
TO_PAYEE = {"amount": "5", "currency": "EUR", "payee": MSISDN, "externalId": "order-1"}
FILED: dict[str, Any] = {"reference_id": REF, "external_id": "order-1"}
REFUNDED = {"amount": "5", "currency": "EUR", "referenceIdToRefund": REF, "externalId": "order-1"}
PAY: dict[str, Any] = {**MONEY, "payer": PAYER, **FILED}
SEND: dict[str, Any] = {**MONEY, "payee": PAYER, **FILED}
GIVE: dict[str, Any] = {**MONEY, "reference_id_to_refund": REF, **FILED}

ROWS: dict[str, Row] = {
    **common(C),
    **common(D),
    **common(R),
    "9": created(
        "/collection/v1_0/requesttopay", lambda c: c.collection.request_to_pay(**PAY), FROM_PAYER
    ),
    "10": read(
        f"/collection/v1_0/requesttopay/{REF}", lambda c: c.collection.request_to_pay_status(REF)
    ),
    "11": Row(
        "POST",
        f"/collection/v1_0/requesttopay/{REF}/deliverynotification",
        lambda c: c.collection.deliver_notification(REF, "Your order is ready", language="en"),
        body={"notificationMessage": "Your order is ready"},
        headers={"notificationmessage": "Your order is ready", "language": "en"},
    ),
    "12": created(
        "/collection/v1_0/requesttowithdraw", lambda c: c.collection.withdraw(**PAY), FROM_PAYER
    ),
    "13": created(
        "/collection/v2_0/requesttowithdraw",
        lambda c: c.collection.withdraw(**PAY, version=2),
        FROM_PAYER,
    ),
    "14": read(
        f"/collection/v1_0/requesttowithdraw/{REF}", lambda c: c.collection.withdraw_status(REF)
    ),
    "15": created(
        "/collection/v2_0/invoice",
        lambda c: c.collection.create_invoice(
            **MONEY, intended_payer=PAYER, payee=PAYER, validity_seconds=60, **FILED
        ),
        {
            "amount": "5",
            "currency": "EUR",
            "validityDuration": "60",
            "intendedPayer": MSISDN,
            "payee": MSISDN,
            "externalId": "order-1",
        },
    ),
    "16": read(f"/collection/v2_0/invoice/{REF}", lambda c: c.collection.invoice_status(REF)),
    "17": Row(
        "DELETE",
        f"/collection/v2_0/invoice/{REF}",
        lambda c: c.collection.cancel_invoice(REF, external_id="order-1"),
        body={"externalId": "order-1"},
    ),
    "18": created(
        "/collection/v2_0/preapproval",
        lambda c: c.collection.pre_approval(payer=PAYER, validity_seconds=60, reference_id=REF),
        {"payer": MSISDN, "payerCurrency": "EUR", "validityTime": 60},
    ),
    "19": read(
        f"/collection/v2_0/preapproval/{REF}", lambda c: c.collection.pre_approval_status(REF)
    ),
    "20": read(
        f"/collection/v1_0/preapprovals/msisdn/{PAYER}",
        lambda c: c.collection.approved_pre_approvals(PAYER),
        [{"preApprovalId": "7", "status": "APPROVED"}],
    ),
    "21": Row(
        "DELETE",
        "/collection/v1_0/preapproval/7",
        lambda c: c.collection.cancel_pre_approval("7"),
    ),
    "22": created(
        "/collection/v2_0/payment",
        lambda c: c.collection.create_payment(
            **MONEY,
            customer_reference="meter-1",
            service_provider_user_name="power",
            include_sender_charges=False,
            max_number_of_retries=2,
            **FILED,
        ),
        {
            "money": {"amount": "5", "currency": "EUR"},
            "customerReference": "meter-1",
            "serviceProviderUserName": "power",
            "includeSenderCharges": False,
            "maxNumberOfRetries": 2,
            "externalTransactionId": "order-1",
        },
    ),
    "23": read(f"/collection/v2_0/payment/{REF}", lambda c: c.collection.payment_status(REF)),
    "24 v1": created(
        "/disbursement/v1_0/deposit", lambda c: c.disbursement.deposit(**SEND), TO_PAYEE
    ),
    "24 v2": created(
        "/disbursement/v2_0/deposit", lambda c: c.disbursement.deposit(**SEND, version=2), TO_PAYEE
    ),
    "25": read(f"/disbursement/v1_0/deposit/{REF}", lambda c: c.disbursement.deposit_status(REF)),
    "26 v1": created(
        "/disbursement/v1_0/refund", lambda c: c.disbursement.refund(**GIVE), REFUNDED
    ),
    "26 v2": created(
        "/disbursement/v2_0/refund", lambda c: c.disbursement.refund(**GIVE, version=2), REFUNDED
    ),
    "27": read(f"/disbursement/v1_0/refund/{REF}", lambda c: c.disbursement.refund_status(REF)),
    "28 disbursement": created(
        "/disbursement/v1_0/transfer", lambda c: c.disbursement.transfer(**SEND), TO_PAYEE
    ),
    "28 remittance": created(
        "/remittance/v1_0/transfer", lambda c: c.remittance.transfer(**SEND), TO_PAYEE
    ),
    "29 disbursement": read(
        f"/disbursement/v1_0/transfer/{REF}", lambda c: c.disbursement.transfer_status(REF)
    ),
    "29 remittance": read(
        f"/remittance/v1_0/transfer/{REF}", lambda c: c.remittance.transfer_status(REF)
    ),
    "30": created(
        "/remittance/v2_0/cashtransfer",
        lambda c: c.remittance.cash_transfer(
            **SEND,
            originating_country="SE",
            original_amount="60",
            original_currency="SEK",
            sender=Sender(surname="Berg"),
        ),
        {
            **TO_PAYEE,
            "orginatingCountry": "SE",
            "originalAmount": "60",
            "originalCurrency": "SEK",
            "payerSurName": "Berg",
        },
    ),
    "31": read(
        f"/remittance/v2_0/cashtransfer/{REF}", lambda c: c.remittance.cash_transfer_status(REF)
    ),
    "32": Row(
        "POST",
        "/v1_0/apiuser",
        lambda c: c.sandbox.create_api_user(callback_host="shop.example", api_user=REF),
        201,
        body={"providerCallbackHost": "shop.example"},
        headers={"x-reference-id": REF},
        opened_by="",
    ),
    "33": Row(
        "GET",
        f"/v1_0/apiuser/{REF}",
        lambda c: c.sandbox.api_user(REF),
        answer={"providerCallbackHost": "shop.example", "targetEnvironment": "sandbox"},
        opened_by="",
    ),
    "34": Row(
        "POST",
        f"/v1_0/apiuser/{REF}/apikey",
        lambda c: c.sandbox.create_api_key(REF),
        201,
        answer={"apiKey": "0123456789abcdef"},
        opened_by="",
    ),
}


class Recorder:
    """A provider that gives tokens and one answer, and keeps what it was sent."""

    def __init__(self, status: int = 200, answer: Any = None, delay_seconds: float = 0.0) -> None:
        self.status, self.answer, self.delay_seconds = status, answer, delay_seconds
        self.seen: list[httpx2.Request] = []
        self.tokens = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token/") and "oauth2" not in request.url.path:
            self.tokens += 1
            time.sleep(self.delay_seconds)
            return httpx2.Response(200, json=TOKEN)
        self.seen.append(request)
        content = b"" if self.answer is None else json.dumps(self.answer).encode()
        return httpx2.Response(self.status, content=content)
