"""The provider's statement: every movement of money with the balance after it, as CSV.

MTN publishes no format for its statements; this one has the columns that portals are known to show.
It tells what happened, and knows nothing of what a client believes.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

from .records import Movement
from .state import State

HEADER = (
    "Date", "Financial Transaction ID", "External ID", "Type", "From", "To", "Amount", "Fee",
    "Balance", "Currency", "Status",
)  # fmt: skip
_WALLET = "FRI:merchant.sp/USER"


def write_statement(state: State, *, currency: str) -> str:
    """Write all movements in a currency, the oldest first; times are in UTC."""
    moves = sorted(
        (move for those in state.movements.values() for move in those if move.currency == currency),
        key=lambda move: move.at,
    )
    balance = state.balance(currency) - sum((Decimal(move.amount) for move in moves), Decimal(0))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Statement of the emulator", currency])
    writer.writerow(["Opening balance", f"{balance:f}"])
    writer.writerow(HEADER)
    for move in moves:
        balance += Decimal(move.amount)
        writer.writerow(_row(state, move, balance))
    writer.writerow(["Closing balance", f"{balance:f}"])
    return out.getvalue()


def _row(state: State, move: Movement, balance: Decimal) -> list[str]:
    record = state.find(move.reference_id)
    amount = Decimal(move.amount)
    other = f"FRI:{move.party_id}/MSISDN" if move.party_id else ""
    sides = [other, _WALLET] if amount > 0 else [_WALLET, other]
    return [
        datetime.fromtimestamp(move.at, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        record.financial_transaction_id if record is not None else "",
        record.external_id if record is not None else "",
        "Payment",
        *sides,
        f"{amount:f}",
        "0",
        f"{balance:f}",
        move.currency,
        "Successful",
    ]
