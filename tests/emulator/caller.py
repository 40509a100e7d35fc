"""A caller of the emulator for its tests: written by hand, without momokit's own client."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from momokit.emulator import Emulator, EmulatorSettings, Reply, Request
from momokit.emulator.records import Credentials

REFERENCE = Path(__file__).parents[2].parent / "shared" / "reference" / "momo-openapi"
ORDINARY = "256772123456"
HOST = "127.0.0.1"


class Caller:
    """Speaks to one emulator with credentials of its own."""

    def __init__(self, emulator: Emulator | None = None, **settings: Any) -> None:
        self.emulator = emulator or Emulator(EmulatorSettings(**settings))
        self.credentials: Credentials = self.emulator.provision(callback_host=HOST)
        self.currency = self.credentials.currency
        self._tokens: dict[str, str] = {}

    def basic(self) -> str:
        """Write the Basic header of these credentials."""
        pair = f"{self.credentials.api_user}:{self.credentials.api_key}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def token(self, product: str = "collection", **headers: str) -> Reply:
        """Ask for a token."""
        return self.emulator.handle(
            Request.of(
                "POST",
                f"/{product}/token/",
                headers={
                    "Ocp-Apim-Subscription-Key": self.credentials.subscription_key,
                    "Authorization": self.basic(),
                    **headers,
                },
            )
        )

    def headers(self, product: str) -> dict[str, str]:
        """Write the headers of a product call, with a token that is fetched once."""
        if product not in self._tokens:
            self._tokens[product] = self.token(product).json()["access_token"]
        return {
            "Ocp-Apim-Subscription-Key": self.credentials.subscription_key,
            "Authorization": f"Bearer {self._tokens[product]}",
            "X-Target-Environment": self.credentials.target_environment,
        }

    def call(self, line: str, *, json: Any = None, form: Any = None, **headers: Any) -> Reply:
        """Make a call such as `GET /collection/v1_0/account/balance`.

        Headers are given with underscores; one that is None is left out.
        """
        method, _, path = line.partition(" ")
        product = path.split("/")[1]
        sent = self.headers(product) if product != "v1_0" else {}
        for name, value in headers.items():
            written = name.replace("_", "-")
            sent = {k: v for k, v in sent.items() if k.lower() != written.lower()}
            if value is not None:
                sent[written] = value
        body = urlencode(form).encode() if form is not None else None
        return self.emulator.handle(Request.of(method, path, headers=sent, json=json, body=body))

    def create(self, path: str, body: Any, **headers: Any) -> tuple[str, Reply]:
        """Create something under a new reference id."""
        reference = headers.pop("reference", None) or str(uuid.uuid4())
        headers.setdefault("X_Reference_Id", reference)
        return reference, self.call(f"POST {path}", json=body, **headers)

    def pay(self, payer: str = ORDINARY, **more: Any) -> tuple[str, Reply]:
        """Ask a payer to pay; fields of the body in camel case, headers with a capital."""
        headers = {name: more.pop(name) for name in list(more) if name[0].isupper()}
        reference = more.pop("reference", None)
        body = self.body("payer", payer, **more)
        return self.create("/collection/v1_0/requesttopay", body, reference=reference, **headers)

    def transfer(self, payee: str = ORDINARY, **more: Any) -> tuple[str, Reply]:
        """Pay somebody."""
        headers = {name: more.pop(name) for name in list(more) if name[0].isupper()}
        product = more.pop("product", "disbursement")
        body = self.body("payee", payee, **more)
        return self.create(f"/{product}/v1_0/transfer", body, **headers)

    def body(self, side: str, party: str, **more: Any) -> dict[str, Any]:
        """Write the body that requests to pay, transfers and their kin share."""
        return {
            "amount": "100",
            "currency": self.currency,
            "externalId": "order-1",
            side: {"partyIdType": "MSISDN", "partyId": party},
            "payerMessage": "for a book",
            "payeeNote": "shop 3",
            **more,
        }

    def status(self, reference: str, path: str = "/collection/v1_0/requesttopay") -> Any:
        """Ask how something stands."""
        return self.call(f"GET {path}/{reference}").json()

    def callbacks(self) -> list[Any]:
        """Take the callbacks that are due, in order."""
        return self.emulator.due_callbacks()


INVOICE = {
    "externalId": "inv-1",
    "amount": "500",
    "currency": "EUR",
    "validityDuration": "3600",
    "intendedPayer": {"partyIdType": "MSISDN", "partyId": ORDINARY},
    "payee": {"partyIdType": "MSISDN", "partyId": ORDINARY},
    "description": "a book",
}
PREAPPROVAL = {
    "payer": {"partyIdType": "MSISDN", "partyId": ORDINARY},
    "payerCurrency": "EUR",
    "payerMessage": "monthly",
    "validityTime": 3600,
}
PAYMENT = {
    "externalTransactionId": "bill-1",
    "money": {"amount": "1000", "currency": "EUR"},
    "customerReference": "meter-7",
    "serviceProviderUserName": "water",
}
CASH_TRANSFER = {
    "amount": "100",
    "currency": "EUR",
    "payee": {"partyIdType": "MSISDN", "partyId": ORDINARY},
    "externalId": "cash-1",
    "orginatingCountry": "SE",
    "originalAmount": "110",
    "originalCurrency": "SEK",
    "payerMessage": "hello",
    "payeeNote": "from abroad",
    "payerIdentificationType": "PASS",
    "payerIdentificationNumber": "S1",
    "payerIdentity": "ID:46700000001/MSISDN",
    "payerFirstName": "Sand",
    "payerSurName": "Box",
    "payerLanguageCode": "en",
    "payerEmail": "sand@example.test",
    "payerMsisdn": "46700000001",
    "payerGender": "MALE",
}
