"""The remittance product: cash transfers, which carry the sender's identity."""

from __future__ import annotations

from typing import Any

from . import fields
from .call import Call
from .creation import create, status
from .disbursement import paid_out
from .exchange import Reply
from .records import Record
from .wire import CASH_TRANSFER_FIELDS

# The misspelling is MTN's; the spelling of its prose is accepted as well.
_SPELLED_RIGHT = "originatingCountry"


def cash_transfer(call: Call) -> Reply:
    """Answer CashTransfer."""
    return create(call, kind="cashtransfer", version=2, read=_cash_transfer)


def cash_transfer_status(call: Call) -> Reply:
    """Answer GetCashTransferStatus."""
    return status(call, kind="cashtransfer")


def _cash_transfer(call: Call, record: Record, body: dict[str, Any]) -> None:
    if _SPELLED_RIGHT in body and "orginatingCountry" not in body:
        body = {**body, "orginatingCountry": body[_SPELLED_RIGHT]}
    paid_out(call, record, body)
    for name in CASH_TRANSFER_FIELDS:
        if name not in record.fields:
            record.fields[name] = fields.text(call, body, name)
