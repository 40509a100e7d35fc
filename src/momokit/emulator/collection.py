"""The collection product: requests to pay, withdraws, and the notice after a payment."""

from __future__ import annotations

from typing import Any

from . import checks, dialects, fields
from .call import Call
from .creation import create, readable, status
from .exchange import Reply, empty
from .records import Record

_NOTIFICATION_LIMIT = 160


def request_to_pay(call: Call) -> Reply:
    """Answer RequesttoPay."""
    return create(call, kind="requesttopay", version=1, read=_collected)


def request_to_pay_status(call: Call) -> Reply:
    """Answer RequesttoPayTransactionStatus."""
    return status(call, kind="requesttopay")


def withdraw_v1(call: Call) -> Reply:
    """Answer RequestToWithdraw-V1."""
    return create(call, kind="requesttowithdraw", version=1, read=_collected)


def withdraw_v2(call: Call) -> Reply:
    """Answer RequestToWithdraw-V2, which differs in the verb of its callback."""
    return create(call, kind="requesttowithdraw", version=2, read=_collected)


def withdraw_status(call: Call) -> Reply:
    """Answer RequestToWithdrawTransactionStatus, for both versions."""
    return status(call, kind="requesttowithdraw")


def delivery_notification(call: Call) -> Reply:
    """Answer RequesttoPayDeliveryNotification: once, after success, and not too late."""
    state = call.state
    reference = checks.path_reference(call)
    header = call.header("notificationmessage")
    body = checks.body(call)
    message = body.get("notificationMessage")
    if not isinstance(message, str) or not message or not header:
        raise checks.bad_request(call)
    if len(message) > _NOTIFICATION_LIMIT or len(header) > _NOTIFICATION_LIMIT:
        raise checks.bad_request(call)
    record = state.find(reference, api_user=call.user.user_id, product=call.product)
    if record is None or not readable(record, kind="requesttopay") or not state.visible(record):
        return dialects.wallet("RESOURCE_NOT_FOUND")
    if record.status != "SUCCESSFUL" or record.settled_at is None:
        return dialects.wallet("NOT_SUCCESSFULLY_COMPLETED", status=409)
    if call.now > record.settled_at + state.settings.notification_window_seconds:
        return dialects.wallet("TOO_LATE", status=410)
    if record.notified_at is not None:
        return dialects.wallet("TOO_MANY_REQUESTS", status=429)
    record.notified_at = call.now
    state.version += 1
    return empty(200)


def _collected(call: Call, record: Record, body: dict[str, Any]) -> None:
    record.currency = fields.currency(call, body)
    record.amount = fields.amount(call, body)
    record.external_id = fields.external_id(call, body)
    record.party_type, record.party_id = fields.party(call, body, "payer")
    record.fields = {
        "payerMessage": fields.note(call, body, "payerMessage"),
        "payeeNote": fields.note(call, body, "payeeNote"),
    }
