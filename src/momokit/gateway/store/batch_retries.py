"""Rows paid again: only what is proven to have failed, and each by one batch at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import aliased

from momokit.gateway.core.batch import CANCELLED, EARLIER_ATTEMPT_PAID
from momokit.gateway.core.payment import State
from momokit.gateway.store.batch_rows import BatchRow, has_payment, to_batch_row
from momokit.gateway.store.batch_tables import batch_rows
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.tables import incidents, payments


def failed_rows(
    transaction: Transaction, batch_id: str, *, with_cancelled: bool, after: int, limit: int
) -> list[BatchRow]:
    """Give the next rows whose payment is proven to have failed, and that no batch pays again.

    Left out is what is unknown, pending or waiting, what is still asked about or before a person,
    and what contradicted itself.
    """
    later = aliased(batch_rows)
    query = (
        select(batch_rows)
        .join(payments, has_payment())
        .where(
            batch_rows.c.batch_id == batch_id,
            batch_rows.c.row > after,
            *_proven(with_cancelled),
            ~exists().where(
                later.c.retry_of_batch == batch_rows.c.batch_id,
                later.c.retry_of_row == batch_rows.c.row,
                later.c.retry_live,
            ),
        )
        .order_by(batch_rows.c.row)
        .limit(limit)
    )
    return [to_batch_row(transaction, row) for row in transaction.connection.execute(query)]


def free_retries(transaction: Transaction, batch_id: str) -> None:
    """Let go of the rows that a batch was to pay again and has made no payment for."""
    transaction.connection.execute(
        update(batch_rows)
        .where(
            batch_rows.c.batch_id == batch_id,
            batch_rows.c.retry_live,
            ~exists().where(has_payment()),
        )
        .values(retry_live=False)
    )


def _proven(with_cancelled: bool) -> list[Any]:
    unwanted = [EARLIER_ATTEMPT_PAID] if with_cancelled else [EARLIER_ATTEMPT_PAID, CANCELLED]
    return [
        payments.c.state == State.FAILED.value,
        payments.c.work.is_(None),
        ~payments.c.sending,
        ~payments.c.review,
        payments.c.reason_code.not_in(unwanted),
        ~exists().where(
            incidents.c.payment_id == payments.c.id, incidents.c.closed_at.is_(None)
        ),
    ]  # fmt: skip
