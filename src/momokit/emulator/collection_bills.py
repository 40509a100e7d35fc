"""The rest of the collection product: invoices, and payments of bills and airtime."""

from __future__ import annotations

from typing import Any

from . import checks, dialects, fields, settlement
from .call import Call
from .creation import ACCEPTED, create, status
from .exchange import Reply
from .records import FINAL, Record

_VALIDITY_SECONDS = 3600.0
_OPTIONAL = (
    "couponId",
    "productId",
    "productOfferingId",
    "receiverMessage",
    "senderNote",
)


def create_invoice(call: Call) -> Reply:
    """Answer CreateInvoice."""
    return create(call, kind="invoice", version=2, read=_invoice)


def invoice_status(call: Call) -> Reply:
    """Answer GetInvoiceStatus."""
    return status(call, kind="invoice")


def cancel_invoice(call: Call) -> Reply:
    """Answer CancelInvoice: 202, as seen live, though the documents say 200."""
    state = call.state
    reference = checks.path_reference(call)
    checks.reference_id(call)
    url = checks.callback_url(call)
    record = state.find(reference, api_user=call.user.user_id, product=call.product)
    if record is None or record.kind != "invoice":
        return dialects.wallet("RESOURCE_NOT_FOUND")
    given = fields.text(call, checks.body(call), "externalId", required=True)
    if given != record.external_id or record.status in FINAL:
        raise checks.bad_request(call)
    record.callback_url = url or record.callback_url
    settlement.settle(state, record, status="FAILED", reason="TRANSACTION_CANCELED")
    return ACCEPTED


def create_payment(call: Call) -> Reply:
    """Answer CreatePayments."""
    return create(call, kind="payment", version=2, read=_payment)


def payment_status(call: Call) -> Reply:
    """Answer GetPaymentStatus."""
    return status(call, kind="payment")


def _invoice(call: Call, record: Record, body: dict[str, Any]) -> None:
    record.currency = fields.currency(call, body)
    record.amount = fields.amount(call, body)
    record.external_id = fields.external_id(call, body)
    record.party_type, record.party_id = fields.party(call, body, "intendedPayer")
    fields.party(call, body, "payee")
    validity = fields.seconds(call, body, "validityDuration", default=_VALIDITY_SECONDS)
    record.expires_at = call.now + validity
    chance = call.state.chance
    record.fields = {
        "description": fields.note(call, body, "description"),
        "paymentReference": str(chance.randrange(10**9, 10**10)),
        "invoiceId": str(chance.randrange(10**9, 10**10)),
    }


def _payment(call: Call, record: Record, body: dict[str, Any]) -> None:
    money = body.get("money")
    if not isinstance(money, dict):
        raise checks.bad_request(call)
    record.currency = fields.currency(call, money)
    record.amount = fields.amount(call, money)
    record.external_id = fields.external_id(call, body, name="externalTransactionId")
    record.party_type = "ALIAS"
    record.party_id = fields.text(call, body, "serviceProviderUserName", required=True)
    kept = {name: fields.text(call, body, name) for name in _OPTIONAL}
    kept["customerReference"] = fields.text(call, body, "customerReference", required=True)
    record.fields = kept
