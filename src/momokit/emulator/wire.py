"""How payments look on the wire: which fields an answer and a callback carry, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .dialects import message
from .records import Record
from .settings import EmulatorSettings

_COLLECTED = (
    "financialTransactionId",
    "externalId",
    "amount",
    "currency",
    "payer",
    "payerMessage",
    "payeeNote",
    "status",
    "reason",
)
_TRANSFERRED = (
    "amount",
    "currency",
    "financialTransactionId",
    "externalId",
    "payee",
    "payerMessage",
    "payeeNote",
    "status",
    "reason",
)
CASH_TRANSFER_FIELDS = (
    "orginatingCountry",
    "originalAmount",
    "originalCurrency",
    "payerMessage",
    "payeeNote",
    "payerIdentificationType",
    "payerIdentificationNumber",
    "payerIdentity",
    "payerFirstName",
    "payerSurName",
    "payerLanguageCode",
    "payerEmail",
    "payerMsisdn",
    "payerGender",
)
STATUS_FIELDS: Mapping[str, tuple[str, ...]] = {
    "requesttopay": _COLLECTED,
    "requesttowithdraw": _COLLECTED,
    "transfer": _TRANSFERRED,
    # A deposit is answered without a financial transaction id.
    "deposit": ("externalId", "amount", "currency", *_TRANSFERRED[4:]),
    "refund": _TRANSFERRED,
    "cashtransfer": (
        "financialTransactionId",
        "status",
        "reason",
        "amount",
        "currency",
        "payee",
        "externalId",
        *CASH_TRANSFER_FIELDS,
    ),
    "invoice": (
        "referenceId",
        "externalId",
        "amount",
        "currency",
        "status",
        "paymentReference",
        "invoiceId",
        "expiryDateTime",
        "errorReason",
        "intendedPayer",
        "description",
    ),
    "preapproval": (
        "payer",
        "payerCurrency",
        "payerMessage",
        "status",
        "expirationDateTime",
        "reason",
    ),
    "payment": ("referenceId", "status", "financialTransactionId", "reason"),
}
# Kinds that can be read through each other's paths, because one wallet store is behind them.
INTERCHANGEABLE = frozenset({"requesttopay", "requesttowithdraw", "transfer", "deposit", "refund"})
_REASON_IS_OBJECT = ("invoice", "payment")


def status_body(record: Record, *, read_as: str, settings: EmulatorSettings) -> dict[str, Any]:
    """Write the answer to a status question; fields without a value are left out."""
    foreign = read_as != record.kind
    return _pick(STATUS_FIELDS[read_as], _values(record, settings=settings, foreign=foreign))


def callback_body(record: Record, *, settings: EmulatorSettings) -> dict[str, Any]:
    """Write a callback: like the status, less the payer's message when the payment failed."""
    body = _pick(STATUS_FIELDS[record.kind], _values(record, settings=settings, foreign=False))
    if record.kind in INTERCHANGEABLE and record.status == "FAILED":
        body.pop("payerMessage", None)
    if record.kind == "preapproval":
        body.pop("payerMessage", None)
    return body


def timestamp(at: float) -> str:
    """Write a time as the wallet does: milliseconds and no zone."""
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]


def _pick(names: tuple[str, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    picked = {}
    for name in names:
        value = values.get(name)
        if value is not None and value != "":
            picked[name] = value
    return picked


def _values(record: Record, *, settings: EmulatorSettings, foreign: bool) -> dict[str, Any]:
    values: dict[str, Any] = dict(record.fields)
    party = {"partyIdType": record.party_type, "partyId": record.party_id}
    if foreign:
        # Seen through another product's path, the other side is the API user as a party code.
        party = {"partyIdType": "PARTY_CODE", "partyId": record.api_user}
    reason = _reason(record, settings=settings)
    values.update(
        referenceId=record.reference_id,
        externalId=record.external_id,
        amount=record.amount,
        currency=record.currency,
        payer=party,
        payee=party,
        intendedPayer=party,
        status=record.status,
        reason=reason,
        errorReason=reason,
        financialTransactionId=record.financial_transaction_id,
    )
    if record.expires_at is not None:
        written = timestamp(record.expires_at)
        values["expiryDateTime"] = written
        values["expirationDateTime"] = written[:-4]
    return values


def _reason(record: Record, *, settings: EmulatorSettings) -> Any:
    if not record.reason:
        return None
    shape = settings.reason_shape
    if shape == "object" or (shape == "wire" and record.kind in _REASON_IS_OBJECT):
        return {"code": record.reason, "message": message(record.reason)}
    return record.reason
