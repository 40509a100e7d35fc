"""The nightly question about what ended the day before, and what the balances are held against."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, case, exists, func, or_, select, update

from momokit.gateway.core.payment import State, Work
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.statement_tables import (
    IS_MATCH,
    statement_lines,
    statements,
    status_audits,
)
from momokit.gateway.store.statements import IMPORTED
from momokit.gateway.store.tables import payments

FAR_SECONDS = 86_400.0
"""An open payment whose next question is further away than this is asked about by the audit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """What successful payments moved in a span of time, and what is still under way."""

    taken_in: Decimal
    paid_out: Decimal
    coming_in: Decimal
    going_out: Decimal


def ask_again(
    transaction: Transaction,
    *,
    begins: float,
    ends: float,
    first_at: float,
    pause_seconds: float,
    after_id: str,
    limit: int,
    wanted: str,
) -> tuple[str | None, int]:
    """Make the question due about payments that ended in a span of time, or that are `open` still.

    They are due one after the other, `pause_seconds` apart, so that they come last in the queue and
    leave the budget to what is young.
    """
    query = select(payments.c.id).where(payments.c.id > after_id)
    if wanted == "open":
        # One whose question or send is due before long needs no other.
        query = query.where(
            payments.c.state.in_([State.PENDING.value, State.UNKNOWN.value]),
            or_(payments.c.work.is_(None), payments.c.due_at > first_at + FAR_SECONDS),
        )
    else:
        query = query.where(
            payments.c.final_at >= begins, payments.c.final_at < ends,
            payments.c.work.is_(None), payments.c.first_sent_at.is_not(None),
        )  # fmt: skip
    ids = list(transaction.connection.execute(query.order_by(payments.c.id).limit(limit)).scalars())
    for number, payment_id in enumerate(ids):
        transaction.connection.execute(
            update(payments)
            .where(payments.c.id == payment_id)
            .where(or_(payments.c.work.is_(None), payments.c.work == Work.SETTLE.value))
            .values(work=Work.SETTLE.value, due_at=first_at + number * pause_seconds)
        )
    if ids:
        transaction.wake()
    return (ids[-1] if len(ids) == limit else None), len(ids)


def count_to_ask(transaction: Transaction, *, begins: float, ends: float) -> int:
    """Count the payments that ended in a span of time."""
    query = select(func.count()).where(payments.c.final_at >= begins, payments.c.final_at < ends)
    return int(transaction.connection.execute(query).scalar_one())


def begin_audit(transaction: Transaction, day: str, *, stale_seconds: float, again: bool) -> bool:
    """Take a day to audit: False when that was done, or is being done by another process."""
    now, connection = transaction.now, transaction.connection
    made = connection.execute(
        insert_unless_there(connection, status_audits)
        .values(day=day, started_at=now, asked=0)
        .returning(status_audits.c.day)
    ).first()
    if made is not None:
        return True
    free = status_audits.c.finished_at.is_(None) & (
        status_audits.c.started_at < now - stale_seconds
    )
    taken = connection.execute(
        update(status_audits)
        .where(status_audits.c.day == day, or_(free, status_audits.c.finished_at.is_not(None))
               if again else free)
        .values(started_at=now, finished_at=None)
    )  # fmt: skip
    return taken.rowcount == 1


def end_audit(transaction: Transaction, day: str, *, asked: int) -> None:
    """Note that a day's payments were all made due."""
    transaction.connection.execute(
        update(status_audits)
        .where(status_audits.c.day == day)
        .values(finished_at=transaction.now, asked=asked)
    )


def last_success(transaction: Transaction) -> float | None:
    """Give when a statement was last imported to its end, for the metrics."""
    found = transaction.connection.execute(select(func.max(statements.c.finished_at))).scalar()
    return float(found) if found is not None else None


def latest_statement(transaction: Transaction, *, account_id: str, product: str) -> str | None:
    """Give the id of the statement that reaches furthest and states a balance."""
    query = (
        select(statements.c.id)
        .where(
            statements.c.account_id == account_id, statements.c.product == product,
            statements.c.state == IMPORTED, statements.c.closing_balance.is_not(None),
        )
        .order_by(statements.c.period_to.desc(), statements.c.id)
        .limit(1)
    )  # fmt: skip
    found: str | None = transaction.connection.execute(query).scalar_one_or_none()
    return found


def flow_since(
    transaction: Transaction, *, account_id: str, product: str, currency: str, since: float
) -> Flow:
    """Sum what moved after a moment by our books, and what may be moving."""
    pushes = or_(payments.c.kind.in_(["transfer", "deposit", "refund", "cash_transfer", "payment"]))
    where: list[ColumnElement[bool]] = [
        payments.c.account_id == account_id, payments.c.currency == currency,
        payments.c.kind != "pre_approval",
    ]  # fmt: skip
    if product:
        where.append(payments.c.product == product)
    way = case((pushes, "out"), else_="in")
    # What we learned of late may be in the statement already.
    told = exists().where(statement_lines.c.payment_id == payments.c.id, IS_MATCH)
    done = select(payments.c.amount, way.label("way")).where(
        *where, payments.c.state == State.SUCCESSFUL.value, payments.c.final_at >= since, ~told
    )
    under_way = select(payments.c.amount, way.label("way")).where(
        *where, payments.c.state.in_([State.PENDING.value, State.UNKNOWN.value])
    )
    sums: dict[tuple[str, str], Decimal] = {}
    for name, query in (("done", done), ("open", under_way)):
        for amount, direction in transaction.connection.execute(query):
            key = (name, direction)
            sums[key] = sums.get(key, Decimal(0)) + Decimal(amount)
    zero = Decimal(0)
    return Flow(
        taken_in=sums.get(("done", "in"), zero),
        paid_out=sums.get(("done", "out"), zero),
        coming_in=sums.get(("open", "in"), zero),
        going_out=sums.get(("open", "out"), zero),
    )
