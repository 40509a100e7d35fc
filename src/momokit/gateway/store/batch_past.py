"""What was paid before: to the same payees by other batches, and while this one waited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import aliased

from momokit.gateway.core.batch import APPROVED_STATES, BatchState
from momokit.gateway.store.batch_rows import has_payment
from momokit.gateway.store.batch_tables import batch_rows, batches
from momokit.gateway.store.batches import Batch
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.tables import payments

PAID_LATELY_SECONDS = 25 * 86400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Earlier:
    """A payment that another batch made, or is to make, to the same payee."""

    payee_digest: str
    batch_id: str
    label: str
    amount: Decimal
    at: float
    is_same_period: bool


def earlier_payments(
    transaction: Transaction,
    digests: Sequence[str],
    *,
    account_id: str,
    batch_id: str,
    period: str | None,
) -> list[Earlier]:
    """Find what other approved batches pay the same payees: in the same period, or lately.

    What failed is not counted, nor what was cancelled before it had a payment.
    """
    since = transaction.now - PAID_LATELY_SECONDS
    same = batches.c.period == period if period is not None else batches.c.id.is_(None)
    others = select(batches.c.id).where(
        batches.c.account_id == account_id,
        batches.c.id != batch_id,
        batches.c.state.in_([*(one.value for one in APPROVED_STATES), "cancelled"]),
        batches.c.approved_at.is_not(None),
        same | (batches.c.approved_at > since),
    )
    ids = transaction.connection.execute(others).scalars().all()
    if not ids:
        return []
    query = (
        select(
            batch_rows.c.payee_digest,
            batch_rows.c.amount,
            batches.c.id,
            batches.c.label,
            batches.c.approved_at,
            batches.c.period,
        )
        .join(batches, batches.c.id == batch_rows.c.batch_id)
        .outerjoin(payments, has_payment())
        .where(
            batch_rows.c.payee_digest.in_(list(digests)),
            batch_rows.c.batch_id.in_(ids),
            ~batch_rows.c.excluded,
            func.coalesce(payments.c.state, _unmade()) != "failed",
        )
        .order_by(batches.c.approved_at)
    )
    return [
        Earlier(
            payee_digest=row.payee_digest,
            batch_id=row.id,
            label=row.label,
            amount=Decimal(row.amount),
            at=row.approved_at,
            is_same_period=period is not None and row.period == period,
        )
        for row in transaction.connection.execute(query)
    ]


def _unmade() -> Any:
    """Say what a row without a payment stands for: to be paid, or never to be."""
    return case((batches.c.state == BatchState.CANCELLED.value, "failed"), else_="created")


def paid_meanwhile(transaction: Transaction, batch: Batch) -> bool:
    """Tell whether another batch that pays one of these payees was approved since this one was
    submitted: its checks did not see that."""
    mine, theirs, other = batch_rows, aliased(batch_rows), batches
    query = select(mine.c.row).where(
        mine.c.batch_id == batch.id,
        ~mine.c.excluded,
        mine.c.payee_digest.is_not(None),
        exists().where(
            theirs.c.payee_digest == mine.c.payee_digest,
            theirs.c.batch_id == other.c.id,
            ~theirs.c.excluded,
            other.c.id != batch.id,
            other.c.account_id == batch.account_id,
            other.c.approved_at > (batch.submitted_at or 0.0),
        ),
    )
    newer = select(other.c.id).where(
        other.c.account_id == batch.account_id,
        other.c.id != batch.id,
        other.c.approved_at > (batch.submitted_at or 0.0),
    )
    if transaction.connection.execute(newer.limit(1)).one_or_none() is None:
        return False
    return transaction.connection.execute(query.limit(1)).one_or_none() is not None
