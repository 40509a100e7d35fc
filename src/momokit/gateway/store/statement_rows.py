"""Rows of statements on their way into the database and out: sealed, digested, and compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Row

from momokit.gateway.core.payment import State
from momokit.gateway.core.reconciliation import Ours, Theirs
from momokit.gateway.core.statement import Line, Unreadable, identity_of, plain_amount
from momokit.gateway.store.personal import party_hash
from momokit.gateway.store.statements import Statement
from momokit.gateway.store.tables import payments
from momokit.gateway.store.veil import Veil

IDENTITY_LETTERS = 32
ASIDE = "aside"
"""The relation of lines that never belong to a payment: own funds, and rows that are unreadable."""

PAYMENT_COLUMNS: tuple[Any, ...] = (
    payments.c.id, payments.c.account_id, payments.c.product, payments.c.kind, payments.c.state,
    payments.c.amount, payments.c.currency, payments.c.external_id, payments.c.reference_id,
    payments.c.created_at, payments.c.final_at, payments.c.financial_transaction_id,
    payments.c.party_hash, payments.c.party_type,
)  # fmt: skip
"""The columns that `to_ours` reads."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A row, sealed and digested, ready to be kept; `fault` is the column that is unreadable."""

    theirs: Theirs | None = field(repr=False)
    identity: str
    fault: str = ""
    row: dict[str, Any] = field(repr=False)


def prepare(
    veil: Veil, rows: Iterable[tuple[Line | Unreadable, int]], *, statement: Statement
) -> list[Prepared]:
    """Seal what is personal in rows, and digest what they are found by; no database is needed.

    Each row comes with its number among rows of the same file that say the same.
    """
    made = []
    for one, occurrence in rows:
        plain = f"{statement.account_id} {identity_of(one, occurrence=occurrence)}"
        identity = veil.digest("statement line", plain)[:IDENTITY_LETTERS]
        row: dict[str, Any] = {
            "account_id": statement.account_id,
            "product": statement.product,
            "statement_id": statement.id,
            "row_number": one.row_number,
            "identity": identity,
            **_ABSENT,
        }
        if isinstance(one, Unreadable):
            texts = msgspec.json.encode([one.column, one.why, *one.texts])
            row |= {"role": "unreadable", "status": "moved", "relation": ASIDE}
            row["sealed"] = veil.seal(texts, place=_place(row))
            made.append(Prepared(theirs=None, identity=identity, fault=one.column, row=row))
        else:
            made.append(_prepare_line(veil, one, row))
    return made


def open_texts(veil: Veil, row: Row[Any]) -> list[str]:
    """Open what a line keeps of people: the two parties, or an unreadable row's fault and cells."""
    if row.sealed is None:
        return []
    sealed = veil.open(bytes(row.sealed), place=_place(row._mapping))
    return msgspec.json.decode(sealed, type=list[str])


def to_ours(row: Row[Any]) -> Ours:
    """Take what is compared out of a payment's row."""
    is_number = row.party_type in (None, "MSISDN")
    return Ours(
        id=row.id,
        account_id=row.account_id,
        product=row.product,
        kind=row.kind,
        state=State(row.state),
        amount=Decimal(row.amount),
        currency=row.currency,
        external_id=row.external_id,
        reference_id=row.reference_id,
        created_at=row.created_at,
        final_at=row.final_at,
        financial_transaction_id=row.financial_transaction_id,
        party_hash=row.party_hash if is_number else None,
    )


def to_theirs(row: Row[Any]) -> Theirs:
    """Take what is compared out of a line's row."""
    return Theirs(
        identity=row.identity,
        account_id=row.account_id,
        product=row.product,
        role=row.role,
        status=row.status,
        at=row.at,
        until=row.until,
        direction=row.direction,
        amount=Decimal(row.amount),
        currency=row.currency,
        fee=Decimal(row.fee) if row.fee is not None else None,
        financial_transaction_id=row.financial_transaction_id,
        external_id=row.external_id,
        party_hash=row.party_hash,
    )


_ABSENT: dict[str, Any] = dict.fromkeys(
    (
        "at", "until", "direction", "amount", "currency", "fee", "balance",
        "financial_transaction_id", "external_id", "party_hash", "sealed", "payment_id",
        "relation", "rule", "confidence",
    )
)  # fmt: skip


def _prepare_line(veil: Veil, line: Line, row: dict[str, Any]) -> Prepared:
    row["role"], row["status"] = line.role, line.status
    row["at"], row["until"], row["direction"] = line.at, line.until, line.direction
    row["amount"], row["currency"] = plain_amount(line.amount), line.currency
    row["fee"] = plain_amount(line.fee) if line.fee is not None else None
    row["balance"] = plain_amount(line.balance) if line.balance is not None else None
    row["financial_transaction_id"] = line.financial_transaction_id
    row["external_id"] = line.external_id or line.reference_id
    row["party_hash"] = party_hash(veil, "MSISDN", line.party)
    if any(line.parties):
        row["sealed"] = veil.seal(msgspec.json.encode(line.parties), place=_place(row))
    theirs = Theirs(
        identity=row["identity"],
        account_id=row["account_id"],
        product=row["product"],
        role=line.role,
        status=line.status,
        at=line.at,
        until=line.until,
        direction=line.direction,
        amount=line.amount,
        currency=line.currency,
        fee=line.fee,
        financial_transaction_id=line.financial_transaction_id,
        external_id=row["external_id"],
        party_hash=row["party_hash"],
    )
    return Prepared(theirs=theirs, identity=row["identity"], row=row)


def _place(row: Any) -> str:
    return f"statement_lines {row['account_id']} {row['identity']}"
