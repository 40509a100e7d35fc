"""Creating and asking: the two halves that all of MTN's asynchronous operations share."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from . import checks, dialects, settlement
from .call import Call
from .exchange import Reply, empty, json_reply
from .records import FINAL, Plan, Record
from .wire import INTERCHANGEABLE, status_body

Read = Callable[[Call, Record, dict[str, Any]], None]

ACCEPTED = Reply(202)
_CALLBACK_FAULTS = (
    "no_callback",
    "dup_callback",
    "reorder",
    "late_callback",
    "forge",
    "block_state",
    "once_only",
    "put_instead_of_post",
)
_SUCCESS = Plan()


def create(call: Call, *, kind: str, version: int, read: Read) -> Reply:
    """Accept a new record: 202 and an empty body, 409 when its reference id was used before.

    `read` fills the record from the body and refuses what the wallet would refuse.
    """
    state = call.state
    reference = checks.reference_id(call)
    url = checks.callback_url(call)
    body = checks.body(call)
    user = call.user.user_id
    key = state.record_key(reference_id=reference, api_user=user, product=call.product)
    if key in state.records or (call.faulty and call.fault("first_409") is not None):
        return dialects.wallet("RESOURCE_ALREADY_EXIST")
    record = Record(
        key=key,
        reference_id=reference,
        kind=kind,
        version=version,
        product=call.product,
        api_user=user,
        created_at=call.now,
        fields={},
        plan=_SUCCESS,
        callback_url=url,
    )
    read(call, record, body)
    if call.faulty and call.fault("silent_reject") is not None:
        return ACCEPTED
    if record.plan is _SUCCESS:
        record.plan = settlement.choose_plan(state, record)
    if call.faulty:
        return _begin_with_faults(call, record)
    settlement.begin(state, record)
    return ACCEPTED


def status(call: Call, *, kind: str) -> Reply:
    """Answer a status question; a failed payment is a 200 too."""
    state = call.state
    reference = checks.path_reference(call)
    record = state.find(reference, api_user=call.user.user_id, product=call.product)
    if record is None or not readable(record, kind=kind) or not state.visible(record):
        return dialects.wallet("RESOURCE_NOT_FOUND")
    settlement.asked(state, record)
    body = status_body(record, read_as=kind, settings=state.settings)
    if call.faulty:
        body = _spoilt(call, record, body=body, kind=kind)
    return json_reply(200, body)


def readable(record: Record, *, kind: str) -> bool:
    """Whether a record can be read through the path of this kind."""
    return record.kind == kind or (kind in INTERCHANGEABLE and record.kind in INTERCHANGEABLE)


def _begin_with_faults(call: Call, record: Record) -> Reply:
    state = call.state
    faults = {name: call.fault(name) for name in _CALLBACK_FAULTS}
    record.callback_faults = {name: value for name, value in faults.items() if value is not None}
    pays_out = record.kind in ("transfer", "deposit", "refund", "cashtransfer", "payment")
    low = call.fault("low_balance") if pays_out else None
    if low is not None and Decimal(low["amount"]) < Decimal(record.amount):
        record.plan = Plan(name="low_balance", status="FAILED", reason="NOT_ENOUGH_FUNDS")
    if call.fault("stuck_pending") is not None:
        record.plan = settlement.unsettled(record.plan)
    lag = call.fault("lag_404")
    if lag is not None:
        record.visible_at = call.now + lag["seconds"]
    early = call.fault("callback_before_202") is not None
    if early:
        plan = msgspec.structs.replace(record.plan, after_polls=0, after_seconds=0.0, by_hand=False)
        record.plan = plan
    settlement.begin(state, record)
    if early and record.callback_url:
        return ACCEPTED._replace(after_callback_of=record.reference_id)
    return ACCEPTED


def _spoilt(call: Call, record: Record, *, body: dict[str, Any], kind: str) -> dict[str, Any]:
    state = call.state
    if record.status in FINAL and call.fault("flip_final") is not None:
        flipped = msgspec.structs.replace(
            record,
            status="FAILED" if record.status == "SUCCESSFUL" else "SUCCESSFUL",
            reason="INTERNAL_PROCESSING_ERROR" if record.status == "SUCCESSFUL" else "",
        )
        # The number is of one who did not see the money move, so that it differs run by run.
        number = str(random.Random(record.reference_id).randrange(10**8, 10**9))
        flipped.financial_transaction_id = number if flipped.status == "SUCCESSFUL" else ""
        body = status_body(flipped, read_as=kind, settings=state.settings)
    wrong = call.fault("wrong_amount") if "amount" in body else None
    if wrong is not None:
        body["amount"] = wrong["amount"] or f"{Decimal(body['amount']) + 1:f}"
    swappable = next(
        (r for r in reversed(state.records.values()) if r.kind == record.kind and r is not record),
        None,
    )
    if swappable is not None and call.fault("swap_bodies") is not None:
        return status_body(swappable, read_as=kind, settings=state.settings)
    return body


def fill(record: Record, **values: Any) -> None:
    """Put what was read from a body into its record."""
    for name, value in values.items():
        setattr(record, name, value)


__all__ = ["ACCEPTED", "create", "empty", "fill", "readable", "status"]
