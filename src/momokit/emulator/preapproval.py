"""Pre-approvals of the collection product: asked for, listed, used and cancelled."""

from __future__ import annotations

from typing import Any

from . import checks, dialects, fields
from .call import Call
from .creation import create, status
from .exchange import Reply, empty, json_reply
from .records import Record
from .wire import timestamp

_VALIDITY_SECONDS = 86400.0
_ID_TYPES = {"msisdn": "MSISDN", "email": "EMAIL", "id": "ID", "alias": "ALIAS"}


def create_preapproval(call: Call) -> Reply:
    """Answer PreApproval."""
    return create(call, kind="preapproval", version=2, read=_preapproval)


def preapproval_status(call: Call) -> Reply:
    """Answer GetPreApprovalStatus."""
    return status(call, kind="preapproval")


def list_preapprovals(call: Call) -> Reply:
    """Answer GetApprovedPreApprovals: an array of what this API user may charge without asking."""
    id_type, party_id = call.parameters
    if id_type not in _ID_TYPES:
        raise checks.bad_request(call)
    state = call.state
    if state.published("preapprovals", identifiers=(party_id, "", "")):
        return json_reply(200, [])
    keys = state.mandates.get(party_id.removeprefix("+"), ())
    records = (state.records.get(key) for key in keys)
    return json_reply(
        200,
        [
            _listed(call, record)
            for record in records
            if record is not None and record.api_user == call.user.user_id
        ],
    )


def cancel_preapproval(call: Call) -> Reply:
    """Answer CancelPreApproval: only an approved one, only by its payee."""
    reference = checks.path_reference(call)
    record = call.state.find(reference, api_user=call.user.user_id, product=call.product)
    if record is None or record.kind != "preapproval" or record.api_user != call.user.user_id:
        return dialects.wallet("RESOURCE_NOT_FOUND")
    if _listed_status(call, record) != "APPROVED":
        raise checks.bad_request(call)
    record.listed_status = "CANCELLED"
    call.state.version += 1
    return empty(200)


def _preapproval(call: Call, record: Record, body: dict[str, Any]) -> None:
    record.currency = fields.currency(call, body, name="payerCurrency")
    record.party_type, record.party_id = fields.party(call, body, "payer")
    validity = fields.seconds(call, body, "validityTime", default=_VALIDITY_SECONDS)
    record.expires_at = call.now + validity
    record.fields = {
        "payerCurrency": record.currency,
        "payerMessage": fields.note(call, body, "payerMessage"),
    }


def _listed(call: Call, record: Record) -> dict[str, Any]:
    listed = {
        "preApprovalId": record.reference_id,
        "toFri": f"FRI:{record.api_user}/ID",
        "fromFri": f"FRI:{record.party_id}/{record.party_type}",
        "fromCurrency": record.currency,
        "createdTime": timestamp(record.created_at)[:-4],
        "status": _listed_status(call, record),
        "message": record.fields.get("payerMessage", ""),
    }
    if record.settled_at is not None:
        listed["approvedTime"] = timestamp(record.settled_at)[:-4]
    if record.expires_at is not None:
        listed["expiryTime"] = timestamp(record.expires_at)[:-4]
    return listed


def _listed_status(call: Call, record: Record) -> str:
    over = record.expires_at is not None and record.expires_at <= call.now
    if record.listed_status == "APPROVED" and over:
        return "EXPIRED"
    return record.listed_status or "PENDING"
