"""The disbursement product: transfers, deposits and refunds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import fields
from .call import Call
from .checks import UUID4, bad_request
from .creation import create, status
from .exchange import Reply
from .records import Plan, Record


def transfer(call: Call) -> Reply:
    """Answer Transfer, which remittance offers too."""
    return create(call, kind="transfer", version=1, read=paid_out)


def transfer_status(call: Call) -> Reply:
    """Answer GetTransferStatus."""
    return status(call, kind="transfer")


def deposit_v1(call: Call) -> Reply:
    """Answer Deposit-V1."""
    return create(call, kind="deposit", version=1, read=paid_out)


def deposit_v2(call: Call) -> Reply:
    """Answer Deposit-V2, which differs in the verb of its callback."""
    return create(call, kind="deposit", version=2, read=paid_out)


def deposit_status(call: Call) -> Reply:
    """Answer GetDepositStatus, for both versions."""
    return status(call, kind="deposit")


def refund_v1(call: Call) -> Reply:
    """Answer Refund-V1."""
    return create(call, kind="refund", version=1, read=_refund)


def refund_v2(call: Call) -> Reply:
    """Answer Refund-V2, which differs in the verb of its callback."""
    return create(call, kind="refund", version=2, read=_refund)


def refund_status(call: Call) -> Reply:
    """Answer GetRefundStatus, for both versions."""
    return status(call, kind="refund")


def paid_out(call: Call, record: Record, body: dict[str, Any]) -> None:
    """Read what a transfer, a deposit and a cash transfer have in common."""
    record.currency = fields.currency(call, body)
    record.amount = fields.amount(call, body)
    record.external_id = fields.external_id(call, body)
    record.party_type, record.party_id = fields.party(call, body, "payee")
    record.fields = {
        "payerMessage": fields.note(call, body, "payerMessage"),
        "payeeNote": fields.note(call, body, "payeeNote"),
    }


def _refund(call: Call, record: Record, body: dict[str, Any]) -> None:
    record.currency = fields.currency(call, body)
    record.amount = fields.amount(call, body)
    record.external_id = fields.external_id(call, body)
    reference = fields.text(call, body, "referenceIdToRefund", required=True).lower()
    if not UUID4.fullmatch(reference):
        raise bad_request(call)
    record.fields = {
        "payerMessage": fields.note(call, body, "payerMessage"),
        "payeeNote": fields.note(call, body, "payeeNote"),
        "referenceIdToRefund": reference,
    }
    state = call.state
    original = _original(call, reference)
    record.party_type, record.party_id = "PARTY_CODE", record.api_user
    if original is not None:
        record.party_type, record.party_id = original.party_type, original.party_id
    steered = state.plan(
        family="refund", identifiers=(record.party_id, record.amount, record.external_id)
    )
    if steered is not None:
        record.plan = steered
    elif original is None:
        record.plan = Plan(name="NotFound", status="FAILED", reason="TRANSACTION_NOT_FOUND")
    elif not _refundable(call, record, original=original):
        record.plan = Plan(name="NotAllowed", status="FAILED", reason="NOT_ALLOWED")


def _original(call: Call, reference: str) -> Record | None:
    """Find the collection to refund, which another product's record of the same id may hide."""
    state = call.state
    for key in state.by_reference.get(reference, ()):
        record = state.records[key]
        if record.kind in ("requesttopay", "invoice"):
            return record
    return None


def _refundable(call: Call, record: Record, *, original: Record) -> bool:
    if original.status != "SUCCESSFUL" or original.currency != record.currency:
        return False
    state = call.state
    earlier = (state.records.get(key) for key in state.refunds.get(original.key, ()))
    taken = sum(
        (Decimal(other.amount) for other in earlier if other and other.status != "FAILED"),
        Decimal(record.amount),
    )
    if taken > Decimal(original.amount):
        return False
    state.refunds.setdefault(original.key, []).append(record.key)
    return True
