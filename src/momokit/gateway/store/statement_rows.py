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
from momokit.gateway.core.statement import Line, Unreadable, plain_amount, plain_or_none
from momokit.gateway.store.personal import party_hash
from momokit.gateway.store.statements import Statement
from momokit.gateway.store.tables import payments
from momokit.gateway.store.veil import Veil

_encode = msgspec.json.Encoder().encode

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
    """Rows sealed and digested, as the table has them, in the order of `COLUMNS`.

    `faults` name the column of each row that is unreadable; `contested` are rows whose numbers
    another of these rows has too: they are not for the quick way.
    """

    rows: list[tuple[Any, ...]] = field(repr=False)
    faults: dict[str, str]
    contested: frozenset[str]


COLUMNS = (
    "account_id", "product", "statement_id", "row_number", "identity", "role", "status", "at",
    "until", "direction", "amount", "currency", "fee", "balance", "financial_transaction_id",
    "external_id", "party_hash", "sealed", "relation",
)  # fmt: skip


def prepare(
    veil: Veil, rows: Iterable[tuple[Line | Unreadable, str, int]], *, statement: Statement
) -> Prepared:
    """Seal what is personal in rows, and digest what they are found by; no database is needed.

    Each row comes with what it says and its number among rows of the same file that say the same.
    """
    made: list[tuple[Any, ...]] = []
    faults: dict[str, str] = {}
    numbers: dict[str, list[str]] = {}
    account, start = statement.account_id, (statement.account_id, statement.product, statement.id)
    for one, said, occurrence in rows:
        digest = veil.digest("statement line", f"{account}\x1f{said}\x1e{occurrence}")
        identity = digest[:IDENTITY_LETTERS]
        place = _place(account, identity)
        if isinstance(one, Unreadable):
            faults[identity] = one.column
            sealed = veil.seal(_encode([one.column, one.why, *one.texts]), place=place)
            row = (*start, one.row_number, identity, "unreadable", "moved", *_NOTHING, sealed)
            made.append((*row, ASIDE))
            continue
        for number in {one.financial_transaction_id, one.external_id}:
            if number:
                numbers.setdefault(number, []).append(identity)
        parties = veil.seal(_encode(one.parties), place=place) if any(one.parties) else None
        made.append(
            (
                *start, one.row_number, identity, one.role, one.status, one.at, one.until,
                one.direction, plain_amount(one.amount), one.currency, plain_or_none(one.fee),
                plain_or_none(one.balance), one.financial_transaction_id, one.external_id,
                party_hash(veil, "MSISDN", one.party), parties,
                ASIDE if one.role == "own_funds" else None,
            )
        )  # fmt: skip
    contested = frozenset(one for those in numbers.values() if len(those) > 1 for one in those)
    return Prepared(rows=made, faults=faults, contested=contested)


def open_texts(veil: Veil, row: Row[Any]) -> list[str]:
    """Open what a line keeps of people: the two parties, or an unreadable row's fault and cells."""
    if row.sealed is None:
        return []
    sealed = veil.open(bytes(row.sealed), place=_place(row.account_id, row.identity))
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


_NOTHING = (None,) * (COLUMNS.index("sealed") - COLUMNS.index("at"))


def _place(account_id: str, identity: str) -> str:
    return f"statement_lines {account_id} {identity}"
