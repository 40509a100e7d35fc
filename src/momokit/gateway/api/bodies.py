"""What callers send: strict, with every field named. Unknown fields are refused."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from momokit.errors import InvalidInput
from momokit.settings import Product

Kind: TypeAlias = Literal[
    "request_to_pay", "withdraw", "transfer", "deposit", "refund", "cash_transfer", "payment",
    "invoice",
]  # fmt: skip
Amount: TypeAlias = Annotated[
    str, Meta(max_length=40, description="In the main unit of the currency, as text: 5000 or 12.50")
]
Text: TypeAlias = Annotated[str, Meta(max_length=500)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]
Reference: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=100, description="Your own number; you can search by it")
]
MetadataKey: TypeAlias = Annotated[str, Meta(min_length=1, max_length=40)]
Metadata: TypeAlias = Annotated[dict[MetadataKey, Text], Meta(max_length=20)]
Phone: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=100, description="As people write it in the market")
]
Url: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2000)]
EventName: TypeAlias = Annotated[str, Meta(pattern=r"^(payment|invoice)\.[a-z_]{1,40}$")]
EventFilter: TypeAlias = Annotated[list[EventName], Meta(max_length=20)]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The root of all bodies."""


class PartyBody(Strict, frozen=True, kw_only=True):
    """A payer or payee who is not known by a phone number."""

    type: Literal["MSISDN", "EMAIL", "PARTY_CODE", "ALIAS"]
    id: Phone


class SenderBody(Strict, frozen=True, kw_only=True):
    """Who sends a cash transfer, as the law wants it known."""

    identification_type: Name | None = None
    identification_number: Name | None = None
    identity: Name | None = None
    first_name: Name | None = None
    surname: Name | None = None
    language_code: Name | None = None
    email: Name | None = None
    msisdn: Name | None = None
    gender: Name | None = None


class CashTransferBody(Strict, frozen=True, kw_only=True):
    """What only a cash transfer has."""

    originating_country: Annotated[str, Meta(min_length=2, max_length=2)]
    original_amount: Amount
    original_currency: Annotated[str, Meta(min_length=3, max_length=3)]
    sender: SenderBody


class BillBody(Strict, frozen=True, kw_only=True):
    """What only the payment of a bill has."""

    customer_reference: Name
    service_provider_user_name: Name
    coupon_id: Name | None = None
    product_id: Name | None = None
    product_offering_id: Name | None = None
    receiver_message: Text | None = None
    sender_note: Text | None = None
    max_number_of_retries: Annotated[int, Meta(ge=0, le=10)] | None = None
    include_sender_charges: bool | None = None
    transfer_type: Name | None = None


class MtnInvoiceBody(Strict, frozen=True, kw_only=True):
    """What only MTN's own invoice has: the payer pays it in their own time, by MTN's number."""

    payee: Phone
    validity_seconds: Annotated[int, Meta(ge=60, le=31_536_000)] = 86_400
    description: Text | None = None


class PaymentBody(Strict, frozen=True, kw_only=True):
    """A payment to make. `party` is the payer or the payee, by the kind; a refund has none."""

    kind: Kind
    amount: Amount
    currency: str | None = None
    account: Name | None = None
    party: Phone | PartyBody | None = None
    merchant_reference: Reference | None = None
    payer_message: Text | None = None
    payee_note: Text | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)
    original_payment_id: Name | None = None
    product: Literal["disbursement", "remittance"] | None = None
    cash_transfer: CashTransferBody | None = None
    bill: BillBody | None = None
    invoice: MtnInvoiceBody | None = None
    allow_duplicate: bool = False

    def details(self) -> dict[str, Any]:
        """Give the fields that only this kind has. Raises InvalidInput for those of another."""
        details: dict[str, Any] = {}
        if self.product is not None:
            self._only_for("transfer", field="product")
            details["product"] = self.product
        if self.cash_transfer is not None:
            self._only_for("cash_transfer", field="cash_transfer")
            details |= _given(self.cash_transfer)
        if self.bill is not None:
            self._only_for("payment", field="bill")
            details |= _given(self.bill)
        if self.invoice is not None:
            self._only_for("invoice", field="invoice")
            details |= _given(self.invoice)
        if self.original_payment_id is not None:
            self._only_for("refund", field="original_payment_id")
        wanted = {
            "cash_transfer": self.cash_transfer, "payment": self.bill, "invoice": self.invoice
        }  # fmt: skip
        if self.kind in wanted and wanted[self.kind] is None:
            name = "bill" if self.kind == "payment" else self.kind
            raise InvalidInput(f"A {self.kind} needs the object {name}.", field=name)
        return details

    def _only_for(self, kind: str, *, field: str) -> None:
        if self.kind != kind:
            raise InvalidInput(f"Only a {kind} has this.", field=field)


class RefundBody(Strict, frozen=True, kw_only=True):
    """What to give back of a payment."""

    amount: Amount
    currency: str | None = None
    merchant_reference: Reference | None = None
    payer_message: Text | None = None
    payee_note: Text | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)


class PreApprovalBody(Strict, frozen=True, kw_only=True):
    """A permission asked of a payer, by which later requests to pay run without a prompt."""

    party: Phone | PartyBody
    currency: str | None = None
    account: Name | None = None
    validity_seconds: Annotated[int, Meta(ge=60, le=31_536_000)] = 86_400
    payer_message: Text | None = None
    merchant_reference: Reference | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)
    allow_duplicate: bool = False


class ShopBody(Strict, frozen=True, kw_only=True):
    """What a simple shop sends: how much, from which phone, and the number of the order."""

    amount: Annotated[str, Meta(max_length=40)] | int
    phone: Phone
    order: Reference | None = None


class HolderBody(Strict, frozen=True, kw_only=True):
    """Whose number is to be looked up, and with the keys of which product."""

    party: Phone
    product: Product | None = None


class EndpointBody(Strict, frozen=True, kw_only=True):
    """Where webhooks shall go. No `events`: all of them."""

    url: Url
    events: EventFilter = msgspec.field(default_factory=list)
    account: Name | None = None


class EndpointChange(Strict, frozen=True, kw_only=True):
    """What to change about an endpoint; what is left out stays."""

    url: Url | UnsetType = UNSET
    events: EventFilter | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class RotationBody(Strict, frozen=True, kw_only=True):
    """How to change an endpoint's secret: with the old one beside it, or at once."""

    keep_previous: bool = True


def request_hash(path: str, body: msgspec.Struct) -> str:
    """Digest what is asked, however its JSON was laid out, to know a repeated request by."""
    written = msgspec.json.encode(body, order="deterministic")
    return hashlib.sha256(path.encode() + b"\n" + written).hexdigest()


def plain_party(party: str | PartyBody | None) -> str | dict[str, str] | None:
    """Give a party as steps take it."""
    return {"type": party.type, "id": party.id} if isinstance(party, PartyBody) else party


def _given(body: msgspec.Struct) -> dict[str, Any]:
    plain = msgspec.to_builtins(body)
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value
        for name, value in plain.items()
        if value is not None
    }


def _without_nulls(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if value is not None}
