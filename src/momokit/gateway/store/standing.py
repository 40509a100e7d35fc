"""How much of an invoice is paid, and how much is under way: counted from its payments each time.

No running total is kept that could differ from the payments it stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, select

from momokit.gateway.core.checkout import Attempt, is_over
from momokit.gateway.core.invoice import Standing
from momokit.gateway.core.payment import State
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.link_tables import attempts
from momokit.gateway.store.records import StoredPayment
from momokit.gateway.store.tables import payments

_LOOKED_AT = ("id", "state", "amount", "final_at", "due_at", "review", "sending", "created_at")


def attempt_of(stored: StoredPayment) -> Attempt:
    """Take out of a payment what says whether another attempt is safe."""
    return Attempt(
        state=stored.state,
        final_at=stored.payment.final_at,
        due_at=stored.due_at,
        review=stored.review,
        sending=stored.payment.sending,
    )


def attempts_of_invoice(transaction: Transaction, invoice_id: str) -> Sequence[Row[Any]]:
    """List the payments of an invoice, oldest first, each with its channel."""
    columns: list[Any] = [payments.c[name] for name in _LOOKED_AT]
    query: Select[Any] = (
        select(*columns, attempts.c.channel)
        .join(attempts, attempts.c.payment_id == payments.c.id)
        .where(attempts.c.invoice_id == invoice_id)
        .order_by(payments.c.created_at, payments.c.id)
    )
    rows: Sequence[Row[Any]] = transaction.connection.execute(query).all()
    return rows


def standing_of(transaction: Transaction, invoice_id: str) -> Standing:
    """Count what was paid, what may still come, and what was given back."""
    rows = attempts_of_invoice(transaction, invoice_id)
    paid = [row for row in rows if row.state == State.SUCCESSFUL.value]
    open_rows = [row for row in rows if row not in paid and not is_over(_attempt(row))]
    return Standing(
        paid=_sum(row.amount for row in paid),
        reserved=_sum(row.amount for row in open_rows),
        refunded=_refunded(transaction, [row.id for row in paid]),
    )


def _refunded(transaction: Transaction, payment_ids: Sequence[str]) -> Decimal:
    if not payment_ids:
        return Decimal(0)
    query = select(payments.c.amount).where(
        payments.c.original_payment_id.in_(payment_ids),
        payments.c.state == State.SUCCESSFUL.value,
    )
    return _sum(transaction.connection.execute(query).scalars())


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        state=State(row.state),
        final_at=row.final_at,
        due_at=row.due_at,
        review=row.review,
        sending=row.sending,
    )


def _sum(amounts: Any) -> Decimal:
    return sum((Decimal(amount) for amount in amounts), Decimal(0))
