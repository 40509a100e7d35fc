"""What a merchant orders, and the payment made of it: its numbers and its exact bytes, fixed here
before anything is stored or sent."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from momokit.callbacks import callback_token_hash, callback_url, new_callback_token
from momokit.errors import InvalidInput
from momokit.gateway.store.records import NewPayment, StoredPayment
from momokit.notes import clean_note
from momokit.operations import collection, disbursement, remittance
from momokit.operations.forms import Filing, Forms
from momokit.operations.submit import Submission
from momokit.party import Party


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What a merchant asks for. `details` holds the fields that only some kinds have.

    `party` is a phone number of the account's market, or `{"type": …, "id": …}`.
    """

    kind: str
    amount: str = ""
    account: str | None = None
    currency: str | None = None
    party: str | Mapping[str, str] | None = field(default=None, repr=False)
    merchant_reference: str | None = None
    payer_message: str | None = None
    payee_note: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    original_payment_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)
    allow_duplicate: bool = False


def note_of(text: str) -> str | None:
    """Make of any text a note that MTN takes; None when nothing would be left."""
    try:
        return clean_note(text).text
    except InvalidInput:
        return None


def new_payment(
    order: Order,
    *,
    forms: Forms,
    account_id: str,
    api_key_id: str | None,
    public_url: str | None,
    original: StoredPayment | None = None,
) -> NewPayment:
    """Make a payment of an order: a new id, a new reference id, and the bytes that will be sent.

    `original` is the payment that a refund gives back. Raises InvalidInput naming the field.
    """
    payment_id = f"pay_{uuid.uuid4().hex}"
    token = new_callback_token()
    filing = Filing(
        reference_id=str(uuid.uuid4()),
        external_id=payment_id,
        callback_url=callback_url(f"{public_url}/cb", token=token) if public_url else None,
    )
    submission = _fill(order, forms, filing, original)
    expected = submission.expected
    party = expected.get("payer") or expected.get("payee") or expected.get("intendedPayer") or {}
    amount, currency = _money(order, submission, forms)
    return NewPayment(
        id=payment_id,
        account_id=account_id,
        kind=order.kind,
        product=submission.product,
        operation=submission.request.operation,
        amount=amount,
        currency=currency,
        external_id=payment_id,
        reference_id=submission.reference_id,
        path=submission.request.path,
        status_path=submission.status_path or "",
        body=submission.request.body,
        headers=dict(submission.request.headers),
        party_type=party.get("partyIdType"),
        party_id=party.get("partyId"),
        merchant_reference=order.merchant_reference,
        callback_token_hash=callback_token_hash(token) if public_url else None,
        original_payment_id=original.id if original is not None else None,
        metadata=dict(order.metadata),
        api_key_id=api_key_id,
    )


def _money(order: Order, submission: Submission, forms: Forms) -> tuple[Decimal, str]:
    expected = submission.expected
    if "amount" in expected:
        return expected["amount"], expected["currency"]
    if order.kind == "pre_approval":  # asks for a permission, moves nothing
        return Decimal(0), str(expected["payerCurrency"])
    money = forms.money(order.amount, currency=order.currency)
    return money.amount, money.currency


def _party(order: Order, *, field: str) -> Party | str:
    if order.party is None or order.party == "":
        raise InvalidInput("The party is missing.", field=field)
    if isinstance(order.party, str):
        return order.party
    kinds: dict[str, Callable[[str], Party]] = {
        "EMAIL": Party.email,
        "PARTY_CODE": Party.party_code,
        "ALIAS": Party.alias,
    }
    kind, identifier = str(order.party.get("type", "MSISDN")), str(order.party.get("id", ""))
    if kind == "MSISDN":
        return identifier
    if kind not in kinds:
        raise InvalidInput(
            "There is no such type of party.",
            field=f"{field}.type",
            hint="MSISDN, EMAIL, PARTY_CODE or ALIAS.",
        )
    return kinds[kind](identifier)


def _fill(order: Order, forms: Forms, filing: Filing, original: StoredPayment | None) -> Submission:
    """Fill in MTN's form for the order's kind."""
    filler = _FILLERS.get(order.kind)
    if filler is None:
        raise InvalidInput(
            f"There is no kind {order.kind!r}.", field="kind", hint=f"Known: {', '.join(_FILLERS)}."
        )
    try:
        return filler(order, forms, filing, original)
    except TypeError as error:  # a detail that this kind does not have
        raise InvalidInput(f"The details do not fit: {error}.", field="details") from None


def _notes(order: Order) -> dict[str, Any]:
    return {"payer_message": order.payer_message, "payee_note": order.payee_note}


def _from_payer(order: Order, forms: Forms, filing: Filing, _: StoredPayment | None) -> Submission:
    kind = collection.REQUEST_TO_PAY if order.kind == "request_to_pay" else collection.WITHDRAW
    return collection.from_payer(
        forms, kind, amount=order.amount, currency=order.currency,
        payer=_party(order, field="party"), filing=filing, **_notes(order), **order.details,
    )  # fmt: skip


def _to_payee(order: Order, forms: Forms, filing: Filing, _: StoredPayment | None) -> Submission:
    details = dict(order.details)
    kind = disbursement.DEPOSIT
    if order.kind == "transfer":
        is_remittance = details.pop("product", "disbursement") == "remittance"
        kind = remittance.TRANSFER if is_remittance else disbursement.TRANSFER
    return disbursement.to_payee(
        forms, kind, amount=order.amount, currency=order.currency,
        payee=_party(order, field="party"), filing=filing, **_notes(order), **details,
    )  # fmt: skip


def _refund(
    order: Order, forms: Forms, filing: Filing, original: StoredPayment | None
) -> Submission:
    assert original is not None  # looked up before
    return disbursement.refund(
        forms, disbursement.REFUND, amount=order.amount, currency=order.currency,
        reference_id_to_refund=original.request.reference_id, filing=filing, **_notes(order),
        **order.details,
    )  # fmt: skip


def _cash_transfer(
    order: Order, forms: Forms, filing: Filing, _: StoredPayment | None
) -> Submission:
    details = dict(order.details)
    sender = remittance.Sender(**details.pop("sender", {}))
    return remittance.cash_transfer(
        forms, amount=order.amount, currency=order.currency, payee=_party(order, field="party"),
        sender=sender, filing=filing, **_notes(order), **details,
    )  # fmt: skip


_BILL_FIELDS = (
    "coupon_id", "product_id", "product_offering_id", "receiver_message", "sender_note",
    "max_number_of_retries", "include_sender_charges", "transfer_type",
)  # fmt: skip


def _payment(order: Order, forms: Forms, filing: Filing, _: StoredPayment | None) -> Submission:
    return collection.payment(
        forms, amount=order.amount, currency=order.currency, filing=filing,
        **{**dict.fromkeys(_BILL_FIELDS), **order.details},
    )  # fmt: skip


def _invoice(order: Order, forms: Forms, filing: Filing, _: StoredPayment | None) -> Submission:
    details: dict[str, Any] = {"validity_seconds": 86_400, "description": None, **order.details}
    return collection.invoice(
        forms, amount=order.amount, currency=order.currency,
        intended_payer=_party(order, field="party"), filing=filing, **details,
    )  # fmt: skip


def _pre_approval(
    order: Order, forms: Forms, filing: Filing, _: StoredPayment | None
) -> Submission:
    details: dict[str, Any] = {"validity_seconds": 86_400, **order.details}
    return collection.pre_approval(
        forms, payer=_party(order, field="party"), currency=order.currency,
        payer_message=order.payer_message, filing=filing, **details,
    )  # fmt: skip


_FILLERS: Mapping[str, Callable[[Order, Forms, Filing, StoredPayment | None], Submission]] = {
    "request_to_pay": _from_payer,
    "withdraw": _from_payer,
    "transfer": _to_payee,
    "deposit": _to_payee,
    "refund": _refund,
    "cash_transfer": _cash_transfer,
    "payment": _payment,
    "invoice": _invoice,
    "pre_approval": _pre_approval,
}
