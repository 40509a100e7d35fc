"""Numbers about the whole store, for the gauges: read now and then, each bounded in its cost."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, select, text

from momokit.gateway.core.payment import State
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.tables import callbacks, incidents, payments, status_budget

COVERAGE_SAMPLE = 2000
"""Of so many of the newest payments those that are finished tell the share of callbacks."""

BUDGET_SECONDS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Open:
    """How many payments of one account are in one state, and how old the oldest is."""

    account_id: str
    state: State
    count: int
    oldest_age_seconds: float


def open_payments(transaction: Transaction) -> list[Open]:
    """Count what is under way, by account and state."""
    query = (
        select(
            payments.c.account_id,
            payments.c.state,
            func.count().label("count"),
            func.min(payments.c.created_at).label("oldest"),
        )
        .where(payments.c.work.is_not(None))
        .group_by(payments.c.account_id, payments.c.state)
    )
    return [
        Open(
            account_id=row.account_id,
            state=State(row.state),
            count=row._mapping["count"],
            oldest_age_seconds=max(0.0, transaction.now - row.oldest),
        )
        for row in transaction.connection.execute(query)
    ]


def callback_coverage(transaction: Transaction) -> float | None:
    """Tell for what share of the newest finished payments MTN called back; None: there are none."""
    # First the newest, whatever they are: a search for those that qualify could read the whole
    # table, and where no callbacks are asked for it always would.
    newest = (
        select(payments.c.id, payments.c.callback_token_hash, payments.c.final_at)
        .order_by(payments.c.created_at.desc(), payments.c.id.desc())
        .limit(COVERAGE_SAMPLE)
        .subquery()
    )
    heard = exists().where(callbacks.c.payment_id == newest.c.id)
    query = (
        select(func.count(), func.count().filter(heard))
        .select_from(newest)
        .where(newest.c.callback_token_hash.is_not(None), newest.c.final_at.is_not(None))
    )
    total, called = transaction.connection.execute(query).one()
    return called / total if total else None


def budget_used(transaction: Transaction, *, per_second: int) -> float:
    """Tell what share of the status questions of the last seconds was used, by the busiest
    account."""
    now = int(transaction.now)
    query = (
        select(func.sum(status_budget.c.used))
        .where(_between(now - BUDGET_SECONDS, now))
        .group_by(status_budget.c.account_id)
    )
    used = max(transaction.connection.execute(query).scalars(), default=0) or 0
    return float(used) / (BUDGET_SECONDS * per_second)


def open_incident_count(transaction: Transaction) -> int:
    """Count what waits for a person."""
    query = select(func.count()).select_from(incidents).where(incidents.c.closed_at.is_(None))
    return int(transaction.connection.execute(query).scalar_one())


def database_size_bytes(transaction: Transaction) -> int:
    """Tell how large the database is."""
    if transaction.connection.dialect.name == "postgresql":
        query = text("SELECT pg_database_size(current_database())")
    else:
        query = text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    return int(transaction.connection.execute(query).scalar_one())


def _between(first: int, last: int) -> ColumnElement[bool]:
    return and_(status_budget.c.second >= first, status_budget.c.second < last)
