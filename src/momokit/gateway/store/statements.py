"""Statements that were imported, their days, and the documents that say how they are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from momokit.gateway.core.statement import plain_amount, plain_or_none
from momokit.gateway.core.statement_balance import DayProof
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.records import NoSuchRow, from_json, to_json
from momokit.gateway.store.statement_tables import (
    reconciliation_documents as documents,
)
from momokit.gateway.store.statement_tables import (
    statement_days,
    statement_lines,
    statements,
)
from momokit.gateway.store.tables import api_keys

IMPORTING, IMPORTED, FAILED = "importing", "imported", "failed"
STALE_SECONDS = 120.0
"""An import that was not heard of for so long has died; the same file may be sent again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """A file of MTN's as it was imported. `product` is empty where one wallet serves all."""

    id: str
    account_id: str
    product: str
    filename: str
    file_hash: str
    profile_name: str
    profile: Any = field(repr=False)
    profile_hash: str
    state: str = IMPORTING
    period_from: float | None = None
    period_to: float | None = None
    last_line_at: float | None = None
    opening_balance: str | None = None
    closing_balance: str | None = None
    row_count: int = 0
    new_lines: int = 0
    repeated_lines: int = 0
    unreadable_rows: int = 0
    imported_by: str
    started_at: float = 0.0
    touched_at: float = 0.0
    finished_at: float | None = None
    error: str | None = None

    def is_running(self, now: float) -> bool:
        """Tell whether somebody is at work at it."""
        return self.state == IMPORTING and now - self.touched_at < STALE_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """Something that an operator edited: a profile, or the codes of the ledger's accounts."""

    name: str
    document: Any
    changed_by: str
    changed_at: float


def begin_statement(transaction: Transaction, new: Statement) -> tuple[Statement, bool]:
    """Open a statement, or find that the same file was had before; tell whether to read it.

    A file that was read to its end, or is being read, is not read again; after a crash it is.
    """
    connection, now = transaction.connection, transaction.now
    row = {name: getattr(new, name) for name in new.__slots__}
    row |= {"profile": to_json(new.profile), "started_at": now, "touched_at": now}
    made = connection.execute(
        insert_unless_there(connection, statements).values(row).returning(statements)
    ).one_or_none()
    if made is not None:
        return to_statement(made), True
    same = connection.execute(
        select(statements)
        .where(
            statements.c.account_id == new.account_id,
            statements.c.product == new.product,
            statements.c.file_hash == new.file_hash,
            statements.c.profile_hash == new.profile_hash,
        )
        .with_for_update()
    ).one()
    found = to_statement(same)
    if found.state == IMPORTED or found.is_running(now):
        return found, False
    again = {"state": IMPORTING, "touched_at": now, "error": None}
    return _changed(transaction, found.id, again), True


def touch_statement(
    transaction: Transaction, statement_id: str, *, row_count: int, new_lines: int
) -> None:
    """Say that the import goes on, and how far it is."""
    values = {"touched_at": transaction.now, "row_count": row_count, "new_lines": new_lines}
    _changed(transaction, statement_id, values)


def finish_statement(
    transaction: Transaction, statement_id: str, *, days: Sequence[DayProof], **values: Any
) -> Statement:
    """Close an import with its totals and its days."""
    connection = transaction.connection
    connection.execute(delete(statement_days).where(statement_days.c.statement_id == statement_id))
    if days:
        connection.execute(insert(statement_days), [_day_row(statement_id, one) for one in days])
    now = transaction.now
    values |= {"state": IMPORTED, "finished_at": now, "touched_at": now}
    return _changed(transaction, statement_id, values)


def fail_statement(transaction: Transaction, statement_id: str, *, error: str) -> None:
    """Note that a file could not be read to its end. What was read of it stays."""
    _changed(transaction, statement_id, {"state": FAILED, "error": error})


def find_statement(transaction: Transaction, statement_id: str) -> Statement | None:
    """Find a statement by its id."""
    row = transaction.connection.execute(
        select(statements).where(statements.c.id == statement_id)
    ).one_or_none()
    return to_statement(row) if row is not None else None


def list_statements(
    transaction: Transaction, *, account_ids: Iterable[str] | None = None, limit: int = 100
) -> list[Statement]:
    """List statements, the newest first."""
    query = select(statements).order_by(statements.c.started_at.desc(), statements.c.id)
    if account_ids is not None:
        query = query.where(statements.c.account_id.in_(list(account_ids)))
    return [to_statement(row) for row in transaction.connection.execute(query.limit(limit))]


def days_of(transaction: Transaction, statement_id: str) -> list[DayProof]:
    """Give a statement's balance proof, day by day."""
    query = (
        select(statement_days)
        .where(statement_days.c.statement_id == statement_id)
        .order_by(statement_days.c.day, statement_days.c.currency)
    )
    return [_to_day(row) for row in transaction.connection.execute(query)]


def tally(transaction: Transaction, statement_id: str) -> dict[tuple[str, str, str], int]:
    """Count a statement's lines by role, relation and rule; "" where there is none."""
    columns = (statement_lines.c.role, statement_lines.c.relation, statement_lines.c.rule)
    query = (
        select(*columns, func.count())
        .where(statement_lines.c.statement_id == statement_id)
        .group_by(*columns)
    )
    rows = transaction.connection.execute(query)
    return {(role, relation or "", rule or ""): count for role, relation, rule, count in rows}


def save_document(
    transaction: Transaction, kind: str, name: str, document: Any, *, changed_by: str
) -> Document:
    """Keep a document in place of the one of that name."""
    this = (documents.c.kind == kind, documents.c.name == name)
    transaction.connection.execute(delete(documents).where(*this))
    values = {
        "kind": kind, "name": name, "document": to_json(document), "changed_by": changed_by,
        "changed_at": transaction.now,
    }  # fmt: skip
    row = transaction.connection.execute(insert(documents).values(values).returning(documents))
    return _to_document(row.one())


def list_documents(transaction: Transaction, kind: str) -> list[Document]:
    """List the documents of one kind by name."""
    query = select(documents).where(documents.c.kind == kind).order_by(documents.c.name)
    return [_to_document(row) for row in transaction.connection.execute(query)]


def find_document(transaction: Transaction, kind: str, name: str) -> Document | None:
    """Find a document by kind and name."""
    row = transaction.connection.execute(
        select(documents).where(documents.c.kind == kind, documents.c.name == name)
    ).one_or_none()
    return _to_document(row) if row is not None else None


def person_of(transaction: Transaction, key_id: str) -> str:
    """Say who acts with a key: its owner, or its label. Two keys of one owner are one person."""
    row = transaction.connection.execute(
        select(api_keys.c.owner, api_keys.c.label).where(api_keys.c.id == key_id)
    ).one_or_none()
    if row is None:
        raise NoSuchRow(f"There is no key {key_id}.")
    return str(row.owner or row.label)


def to_statement(row: Row[Any]) -> Statement:
    """Take a statement out of its row."""
    return Statement(**dict(row._mapping) | {"profile": from_json(row.profile)})


def _changed(transaction: Transaction, statement_id: str, values: dict[str, Any]) -> Statement:
    row = transaction.connection.execute(
        update(statements)
        .where(statements.c.id == statement_id)
        .values(values)
        .returning(statements)
    ).one_or_none()
    if row is None:
        raise NoSuchRow(f"There is no statement {statement_id}.")
    return to_statement(row)


def _to_document(row: Row[Any]) -> Document:
    return Document(
        name=row.name,
        document=from_json(row.document),
        changed_by=row.changed_by,
        changed_at=row.changed_at,
    )


def _day_row(statement_id: str, one: DayProof) -> dict[str, Any]:
    return {
        "statement_id": statement_id,
        "day": one.day,
        "currency": one.currency,
        "lines": one.lines,
        "taken_in": plain_amount(one.taken_in),
        "paid_out": plain_amount(one.paid_out),
        "fees": plain_amount(one.fees),
        "opening_balance": plain_or_none(one.opening),
        "closing_balance": plain_or_none(one.closing),
        "difference": plain_or_none(one.difference),
        "broken_row": one.broken_row,
    }


def _to_day(row: Row[Any]) -> DayProof:
    return DayProof(
        day=row.day,
        currency=row.currency,
        lines=row.lines,
        taken_in=Decimal(row.taken_in),
        paid_out=Decimal(row.paid_out),
        fees=Decimal(row.fees),
        opening=_number(row.opening_balance),
        closing=_number(row.closing_balance),
        difference=_number(row.difference),
        broken_row=row.broken_row,
    )


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None
