"""Reading payments: one, many by filter and page, and everything that happened to one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from momokit.gateway.core.payment import State
from momokit.gateway.store.cursors import before, cursor_of
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.deliveries import Delivery, list_deliveries
from momokit.gateway.store.inbox import Callback, list_callbacks
from momokit.gateway.store.personal import party_hash
from momokit.gateway.store.records import Event, StoredPayment, to_event, to_stored
from momokit.gateway.store.tables import events, payments
from momokit.gateway.store.veil import Veil

PAGE_LIMIT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which payments are wanted; what is None does not matter."""

    account_ids: Collection[str] | None = None
    api_key_id: str | None = None
    states: Collection[State] | None = None
    kind: str | None = None
    party_id: str | None = field(default=None, repr=False)
    party_type: str = "MSISDN"
    merchant_reference: str | None = None
    original_payment_id: str | None = None
    created_from: float | None = None
    created_before: float | None = None
    review: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some payments, newest first, and where the next page begins, if there is one."""

    items: list[StoredPayment]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """Everything that happened to a payment."""

    payment: StoredPayment
    events: list[Event]
    callbacks: list[Callback]
    deliveries: list[Delivery]


def find_payment(transaction: Transaction, payment_id: str) -> StoredPayment | None:
    """Find a payment by our id."""
    return _find(transaction, payments.c.id == payment_id)


def find_by_reference(
    transaction: Transaction, *, reference_id: str | None = None, external_id: str | None = None
) -> StoredPayment | None:
    """Find a payment by the number MTN knows it under, or by its external id."""
    if reference_id is not None:
        return _find(transaction, payments.c.reference_id == reference_id)
    return _find(transaction, payments.c.external_id == external_id)


def list_payments(
    transaction: Transaction, wanted: Filter, *, cursor: str | None = None, limit: int = 50
) -> Page:
    """List payments, newest first. A cursor that is not ours is a ValueError."""
    size = max(1, min(limit, PAGE_LIMIT))
    query = _filtered(select(payments), wanted, transaction.veil)
    if cursor is not None:
        query = query.where(before(payments.c.created_at, payments.c.id, cursor))
    query = query.order_by(payments.c.created_at.desc(), payments.c.id.desc()).limit(size + 1)
    rows = transaction.connection.execute(query).all()
    items = [to_stored(row, transaction.veil) for row in rows[:size]]
    more = len(rows) > size
    return Page(
        items=items,
        next_cursor=cursor_of(items[-1].payment.created_at, items[-1].id) if more else None,
    )


def timeline(transaction: Transaction, payment_id: str) -> Timeline | None:
    """Tell a payment's whole story."""
    payment = find_payment(transaction, payment_id)
    if payment is None:
        return None
    query = select(events).where(events.c.payment_id == payment_id).order_by(events.c.sequence)
    return Timeline(
        payment=payment,
        events=[to_event(row) for row in transaction.connection.execute(query)],
        callbacks=list_callbacks(transaction, payment_id),
        deliveries=list_deliveries(transaction, payment_id=payment_id, limit=1000),
    )


def _find(transaction: Transaction, condition: ColumnElement[bool]) -> StoredPayment | None:
    row = transaction.connection.execute(select(payments).where(condition)).one_or_none()
    return to_stored(row, transaction.veil) if row is not None else None


def _filtered(query: Select[Any], wanted: Filter, veil: Veil) -> Select[Any]:
    equal = {
        payments.c.kind: wanted.kind,
        payments.c.api_key_id: wanted.api_key_id,
        payments.c.party_hash: party_hash(veil, wanted.party_type, wanted.party_id),
        payments.c.merchant_reference: wanted.merchant_reference,
        payments.c.original_payment_id: wanted.original_payment_id,
        payments.c.review: wanted.review,
    }
    for column, value in equal.items():
        if value is not None:
            query = query.where(column == value)
    if wanted.account_ids is not None:
        query = query.where(payments.c.account_id.in_(list(wanted.account_ids)))
    if wanted.states is not None:
        query = query.where(payments.c.state.in_([state.value for state in wanted.states]))
    if wanted.created_from is not None:
        query = query.where(payments.c.created_at >= wanted.created_from)
    if wanted.created_before is not None:
        query = query.where(payments.c.created_at < wanted.created_before)
    return query
