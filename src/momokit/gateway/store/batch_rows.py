"""The rows of batches: what each pays to whom, what was found in it, and where its payment is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Row, Select, and_, bindparam, func, insert, select, update

from momokit.gateway.store.batch_tables import batch_rows
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.records import from_json, to_json
from momokit.gateway.store.tables import payments

UNCHECKED, OK, UNVERIFIED, REJECTED = "unchecked", "ok", "unverified", "rejected"
"""How a row's checks stand: not made, passed, could not be made, and found wrong."""


class Personal(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a row holds of a person, kept sealed. `cells` are the file's, as they came.

    `holder` is the name that MTN gave, given name and family name.
    """

    cells: list[str]
    payee: str | None = None
    name: str = ""
    national_id: str = ""
    note: str = ""
    holder: tuple[str | None, str | None] | None = None

    def __repr__(self) -> str:
        return "Personal(…)"


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchRow:
    """A row as it stands. `findings` are as `core.batch_findings` stores them."""

    batch_id: str
    number: int
    personal: Personal = field(repr=False)
    reference: str
    amount: Decimal | None
    amount_minor: int | None
    excluded: bool = False
    check_state: str = UNCHECKED
    findings: tuple[Mapping[str, Any], ...] = ()
    retry_of: tuple[str, int] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RowPayment:
    """Where the payment of a row stands; `is_held` while it waits for its batch."""

    id: str
    state: str
    is_held: bool
    review: bool
    work: str | None
    reason_code: str | None
    financial_transaction_id: str | None
    final_at: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RowAndPayment:
    """A row beside its payment, where it has one."""

    row: BatchRow
    payment: RowPayment | None


def payee_digest(transaction: Transaction, payee: str) -> str:
    """Give what all rows of one payee have in common."""
    return transaction.veil.digest("payee", payee)


def insert_rows(transaction: Transaction, rows: Sequence[BatchRow]) -> None:
    """Store rows; those that are there already, from a try before this one, are left alone."""
    if rows:
        statement = insert_unless_there(transaction.connection, batch_rows)
        transaction.connection.execute(statement, [_values(transaction, row) for row in rows])


def insert_retries(transaction: Transaction, rows: Sequence[BatchRow]) -> None:
    """Store rows that pay again what is proven to have failed.

    The database refuses any other, and a second one for the same row.
    """
    if rows:
        values = [_values(transaction, row) | {"retry_live": True} for row in rows]
        transaction.connection.execute(insert(batch_rows), values)


def change_rows(transaction: Transaction, rows: Sequence[BatchRow]) -> None:
    """Write rows anew, all but their place in the file."""
    if not rows:
        return
    written: list[dict[str, Any]] = []
    for row in rows:
        values = _values(transaction, row)
        keys = {"of_batch": values.pop("batch_id"), "of_row": values.pop("row")}
        written.append(keys | {f"new_{name}": value for name, value in values.items()})
    names = [name.removeprefix("new_") for name in written[0] if name.startswith("new_")]
    transaction.connection.execute(
        update(batch_rows)
        .where(
            batch_rows.c.batch_id == bindparam("of_batch"), batch_rows.c.row == bindparam("of_row")
        )
        .values({name: bindparam(f"new_{name}") for name in names}),
        written,
    )


def find_row(transaction: Transaction, batch_id: str, number: int) -> RowAndPayment | None:
    """Find a row by its number in the file."""
    query = _with_payments(batch_id).where(batch_rows.c.row == number)
    row = transaction.connection.execute(query).one_or_none()
    return _both(transaction, row) if row is not None else None


def list_rows(
    transaction: Transaction,
    batch_id: str,
    *,
    after: int = 0,
    limit: int = 100,
    check_state: str | None = None,
    payment_state: str | None = None,
) -> list[RowAndPayment]:
    """List rows in the order of the file, those behind the row `after`.

    `payment_state` may also be `ready`, for those that wait, and `none`, for rows without one.
    """
    query = _with_payments(batch_id).where(batch_rows.c.row > after)
    if check_state == "excluded":
        query = query.where(batch_rows.c.excluded)
    elif check_state is not None:
        query = query.where(batch_rows.c.check_state == check_state)
    held = and_(payments.c.state == "created", payments.c.work.is_(None))
    if payment_state == "none":
        query = query.where(payments.c.id.is_(None))
    elif payment_state == "ready":
        query = query.where(held)
    elif payment_state is not None:
        query = query.where(payments.c.state == payment_state, ~held)
    query = query.order_by(batch_rows.c.row).limit(limit)
    return [_both(transaction, row) for row in transaction.connection.execute(query)]


def all_rows(
    transaction: Transaction, batch_id: str, *, rows_at_once: int = 1000
) -> Iterator[RowAndPayment]:
    """Go through all rows in the order of the file, holding some of them at a time."""
    after = 0
    while rows := list_rows(transaction, batch_id, after=after, limit=rows_at_once):
        yield from rows
        after = rows[-1].row.number


def unchecked_rows(transaction: Transaction, batch_id: str, *, limit: int) -> list[BatchRow]:
    """Give the next rows that are yet to be checked."""
    query = (
        select(batch_rows)
        .where(batch_rows.c.batch_id == batch_id, batch_rows.c.check_state == UNCHECKED)
        .order_by(batch_rows.c.row)
        .limit(limit)
    )
    return [to_batch_row(transaction, row) for row in transaction.connection.execute(query)]


def included_rows(
    transaction: Transaction, batch_id: str, *, after: int, limit: int
) -> list[BatchRow]:
    """Give the next rows that are to be paid."""
    query = (
        select(batch_rows)
        .where(
            batch_rows.c.batch_id == batch_id,
            batch_rows.c.row > after,
            ~batch_rows.c.excluded,
            batch_rows.c.check_state.in_((OK, UNVERIFIED)),
        )
        .order_by(batch_rows.c.row)
        .limit(limit)
    )
    return [to_batch_row(transaction, row) for row in transaction.connection.execute(query)]


def same_payee_rows(transaction: Transaction, batch_id: str, payee: str) -> dict[int, Decimal]:
    """Find the rows of a batch that pay one payee, with what each pays."""
    rows = transaction.connection.execute(
        select(batch_rows.c.row, batch_rows.c.amount).where(
            batch_rows.c.batch_id == batch_id,
            batch_rows.c.payee_digest == payee_digest(transaction, payee),
            ~batch_rows.c.excluded,
            batch_rows.c.amount.is_not(None),
        )
    )
    return {row.row: Decimal(row.amount) for row in rows}


def recheck_rows(transaction: Transaction, batch_id: str) -> None:
    """Mark what could not be checked, or is not wrong by itself, to be checked once more."""
    transaction.connection.execute(
        update(batch_rows)
        .where(
            batch_rows.c.batch_id == batch_id,
            ~batch_rows.c.excluded,
            batch_rows.c.payee_digest.is_not(None),
            batch_rows.c.amount_minor.is_not(None),
            batch_rows.c.check_state.in_((OK, UNVERIFIED, REJECTED)),
        )
        .values(check_state=UNCHECKED)
    )


def count_checks(transaction: Transaction, batch_id: str) -> dict[str, int]:
    """Count a batch's rows by how their checks stand; what is left out counts as `excluded`."""
    query = (
        select(batch_rows.c.check_state, batch_rows.c.excluded, func.count().label("rows"))
        .where(batch_rows.c.batch_id == batch_id)
        .group_by(batch_rows.c.check_state, batch_rows.c.excluded)
    )
    counts: dict[str, int] = {}
    for row in transaction.connection.execute(query):
        name = "excluded" if row.excluded else row.check_state
        counts[name] = counts.get(name, 0) + row.rows
    return counts


def each_finding(transaction: Transaction, batch_id: str) -> Iterator[list[dict[str, Any]]]:
    """Give what was found in each row that is not left out and in which something was."""
    query = select(batch_rows.c.findings).where(
        batch_rows.c.batch_id == batch_id,
        ~batch_rows.c.excluded,
        batch_rows.c.findings != "[]",
    )
    for (findings,) in transaction.connection.execute(query):
        yield from_json(findings)


def has_payment() -> Any:
    """Give the condition that joins a row with its payment."""
    return and_(
        payments.c.batch_id == batch_rows.c.batch_id, payments.c.batch_row == batch_rows.c.row
    )


def _with_payments(batch_id: str) -> Select[Any]:
    return (
        select(
            batch_rows,
            payments.c.id.label("payment_id"),
            payments.c.state,
            payments.c.work,
            payments.c.review,
            payments.c.reason_code,
            payments.c.financial_transaction_id,
            payments.c.final_at,
        )
        .outerjoin(payments, has_payment())
        .where(batch_rows.c.batch_id == batch_id)
    )


def _place(batch_id: str, number: int) -> str:
    return f"batch_rows {batch_id} {number}"


def _values(transaction: Transaction, row: BatchRow) -> dict[str, Any]:
    payee = row.personal.payee
    place = _place(row.batch_id, row.number)
    retry_batch, retry_row = row.retry_of or (None, None)
    return {
        "batch_id": row.batch_id,
        "row": row.number,
        "sealed": transaction.veil.seal(msgspec.msgpack.encode(row.personal), place=place),
        "payee_digest": payee_digest(transaction, payee) if payee is not None else None,
        "reference": row.reference,
        "amount": str(row.amount) if row.amount is not None else None,
        "amount_minor": row.amount_minor,
        "excluded": row.excluded,
        "check_state": row.check_state,
        "findings": to_json([dict(one) for one in row.findings]),
        "retry_of_batch": retry_batch,
        "retry_of_row": retry_row,
        "retry_live": row.retry_of is not None,
    }


def to_batch_row(transaction: Transaction, row: Row[Any]) -> BatchRow:
    """Take a row of a batch out of a row of the table."""
    sealed = transaction.veil.open(bytes(row.sealed), place=_place(row.batch_id, row.row))
    retry_of = (row.retry_of_batch, row.retry_of_row) if row.retry_of_batch is not None else None
    return BatchRow(
        batch_id=row.batch_id,
        number=row.row,
        personal=msgspec.msgpack.decode(sealed, type=Personal),
        reference=row.reference or "",
        amount=Decimal(row.amount) if row.amount is not None else None,
        amount_minor=row.amount_minor,
        excluded=row.excluded,
        check_state=row.check_state,
        findings=tuple(from_json(row.findings)),
        retry_of=retry_of,
    )


def _both(transaction: Transaction, row: Row[Any]) -> RowAndPayment:
    payment = None
    if row.payment_id is not None:
        payment = RowPayment(
            id=row.payment_id,
            state=row.state,
            is_held=row.state == "created" and row.work is None,
            review=row.review,
            work=row.work,
            reason_code=row.reason_code,
            financial_transaction_id=row.financial_transaction_id,
            final_at=row.final_at,
        )
    return RowAndPayment(row=to_batch_row(transaction, row), payment=payment)
