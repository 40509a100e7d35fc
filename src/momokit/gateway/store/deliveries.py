"""Webhooks on their way to the merchant: written with what they tell, and queued per endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Double, Row, bindparam, func, insert, or_, select, update

from momokit.gateway.core.payment import Payment
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.records import from_json
from momokit.gateway.store.tables import deliveries, webhook_endpoints
from momokit.gateway.store.veil import Veil

REPLAY_SECONDS = 30 * 86400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What the merchant is to be told about a payment."""

    row: Row[Any]
    after: Payment
    metadata: dict[str, Any] = field(repr=False)
    event: str
    sequence: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One webhook to one endpoint. `webhook_id` is the same however often it is sent."""

    id: int
    endpoint_id: str
    payment_id: str | None
    invoice_id: str | None
    sequence: int
    event: str
    body: bytes = field(repr=False)
    due_at: float | None
    lease_token: int
    attempts: int
    delivered_at: float | None
    given_up_at: float | None
    last_status: int | None
    last_error: str | None
    created_at: float

    @property
    def webhook_id(self) -> str:
        """Give the id under which the receiver knows it."""
        return webhook_id(self.payment_id or self.invoice_id or "", sequence=self.sequence)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedDelivery:
    """A webhook that this worker alone sends until the lease ends."""

    delivery: Delivery
    url: str
    secrets_sealed: bytes = field(repr=False)
    lease_token: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryResult:
    """How a send went. Not delivered: `retry_at` says when to try again, None gives it up."""

    delivery_id: int
    lease_token: int
    delivered: bool
    status: int | None = None
    error: str | None = None
    retry_at: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceNotice:
    """What the merchant is to be told about an invoice: `data` is the invoice as they see it."""

    invoice_id: str
    account_id: str
    event: str
    sequence: int
    data: Mapping[str, Any] = field(repr=False)


def webhook_id(subject_id: str, *, sequence: int) -> str:
    """Name one event of one payment, or of one invoice."""
    return f"evt_{subject_id.removeprefix('pay_').removeprefix('inv_')}_{sequence}"


def public_view(row: Row[Any], payment: Payment, metadata: dict[str, Any]) -> dict[str, Any]:
    """Show a payment as its merchant sees it."""
    return {
        "id": payment.id,
        "kind": payment.kind,
        "state": payment.state.value,
        "amount": str(payment.amount),
        "currency": payment.currency,
        "party": {"type": row.party_type, "id": payment.party_id},
        "external_id": payment.external_id,
        "merchant_reference": row.merchant_reference,
        "reference_id": row.reference_id,
        "original_payment_id": row.original_payment_id,
        "financial_transaction_id": payment.financial_transaction_id,
        "reason_code": payment.reason_code,
        "metadata": metadata,
        "created_at": moment(payment.created_at),
        "final_at": moment(payment.final_at) if payment.final_at is not None else None,
    }


def moment(seconds: float) -> str:
    """Write a time as others read it: ISO 8601, UTC, milliseconds."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def moment_or_none(seconds: float | None) -> str | None:
    """Write a time that may not have come."""
    return moment(seconds) if seconds is not None else None


_ENABLED = select(webhook_endpoints).where(webhook_endpoints.c.disabled_at.is_(None))
_INSERT = insert(deliveries)


def insert_deliveries(transaction: Transaction, notices: Sequence[Notice]) -> dict[str, int]:
    """Write one webhook for each endpoint that wants to hear of it; count them per payment."""
    if not notices:
        return {}
    endpoints = transaction.connection.execute(_ENABLED).all()
    rows: list[dict[str, Any]] = []
    for notice in notices:
        place = _place(notice.row.id, notice.sequence)
        sealed = transaction.veil.seal(_body(notice, transaction.now), place=place)
        rows += [
            {
                "endpoint_id": endpoint.id,
                "payment_id": notice.row.id,
                "sequence": notice.sequence,
                "event": notice.event,
                "body_sealed": sealed,
                "due_at": transaction.now,
                "created_at": transaction.now,
            }
            for endpoint in endpoints
            if _wants(endpoint, account_id=notice.row.account_id, event=notice.event)
        ]
    if rows:
        transaction.connection.execute(_INSERT, rows)
        transaction.wake()
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["payment_id"]] = counts.get(row["payment_id"], 0) + 1
    return counts


def insert_invoice_deliveries(transaction: Transaction, notice: InvoiceNotice) -> None:
    """Write one webhook about an invoice for each endpoint that wants to hear of it."""
    subject, now = notice.invoice_id, transaction.now
    body = _envelope(subject, notice.event, notice.sequence, data=notice.data, now=now)
    sealed = transaction.veil.seal(body, place=_place(subject, notice.sequence))
    rows = [
        {
            "endpoint_id": endpoint.id,
            "invoice_id": subject,
            "sequence": notice.sequence,
            "event": notice.event,
            "body_sealed": sealed,
            "due_at": now,
            "created_at": now,
        }
        for endpoint in transaction.connection.execute(_ENABLED).all()
        if _wants(endpoint, account_id=notice.account_id, event=notice.event)
    ]
    if rows:
        transaction.connection.execute(insert(deliveries), rows)
        transaction.wake()


def _place(subject_id: str, sequence: int) -> str:
    # All endpoints get the same bytes, which are sealed once for all of them.
    return f"deliveries {subject_id} {sequence}"


def _wants(endpoint: Row[Any], *, account_id: str, event: str) -> bool:
    if endpoint.account_id not in (None, account_id):
        return False
    names = from_json(endpoint.event_filter)
    return not names or event in names


def _body(notice: Notice, now: float) -> bytes:
    data = public_view(notice.row, notice.after, notice.metadata)
    return _envelope(notice.row.id, notice.event, notice.sequence, data=data, now=now)


def _envelope(
    subject_id: str, event: str, sequence: int, *, data: Mapping[str, Any], now: float
) -> bytes:
    return msgspec.json.encode(
        {
            "id": webhook_id(subject_id, sequence=sequence),
            "type": event,
            "sequence": sequence,
            "created_at": moment(now),
            "data": data,
        }
    )


def record_deliveries(transaction: Transaction, results: Sequence[DeliveryResult]) -> list[bool]:
    """Write how sends went; False for a worker that had lost its lease."""
    held = _held(transaction, [result.delivery_id for result in results])
    # A lease is used up by the first result that comes with it.
    ours = [held.pop(result.delivery_id, None) == result.lease_token for result in results]
    rows = [
        _outcome(result, transaction.now)
        for result, is_ours in zip(results, ours, strict=True)
        if is_ours
    ]
    if rows:
        transaction.connection.execute(_UPDATE, rows)
    return ours


def _held(transaction: Transaction, ids: list[int]) -> dict[int, int]:
    """Lock webhooks that somebody holds; give each one's present lease token."""
    query = (
        select(deliveries.c.id, deliveries.c.lease_token)
        .where(deliveries.c.id.in_(ids), deliveries.c.lease_until.is_not(None))
        .order_by(deliveries.c.id)
        .with_for_update()
    )
    return {row.id: row.lease_token for row in transaction.connection.execute(query)}


_UPDATE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery_id"))
    .values(
        lease_until=None,
        attempts=deliveries.c.attempts + 1,
        due_at=bindparam("new_due_at"),
        delivered_at=func.coalesce(
            bindparam("new_delivered_at", type_=Double), deliveries.c.delivered_at
        ),
        given_up_at=bindparam("new_given_up_at"),
        last_status=bindparam("new_status"),
        last_error=bindparam("new_error"),
    )
)


def _outcome(result: DeliveryResult, now: float) -> dict[str, Any]:
    given_up = not result.delivered and result.retry_at is None
    return {
        "delivery_id": result.delivery_id,
        "new_due_at": None if result.delivered else result.retry_at,
        "new_delivered_at": now if result.delivered else None,
        "new_given_up_at": now if given_up else None,
        "new_status": result.status,
        "new_error": result.error,
    }


def replay(transaction: Transaction, delivery_id: int) -> bool:
    """Send a webhook once more, with the bytes it had; False when it is gone or too old.

    Its tries are counted anew, so that it has the whole schedule before it.
    """
    done = transaction.connection.execute(
        update(deliveries)
        .where(
            deliveries.c.id == delivery_id,
            deliveries.c.created_at > transaction.now - REPLAY_SECONDS,
        )
        .values(due_at=transaction.now, given_up_at=None, attempts=0)
    )
    transaction.wake()
    return done.rowcount == 1


def list_deliveries(
    transaction: Transaction,
    *,
    payment_id: str | None = None,
    invoice_id: str | None = None,
    endpoint_id: str | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[Delivery]:
    """Show webhooks, newest first."""
    query = select(deliveries).order_by(deliveries.c.id.desc()).limit(limit)
    if payment_id is not None:
        query = query.where(deliveries.c.payment_id == payment_id)
    if invoice_id is not None:
        query = query.where(deliveries.c.invoice_id == invoice_id)
    if endpoint_id is not None:
        query = query.where(deliveries.c.endpoint_id == endpoint_id)
    if before_id is not None:
        query = query.where(deliveries.c.id < before_id)
    return [to_delivery(row, transaction.veil) for row in transaction.connection.execute(query)]


def next_delivery_due(transaction: Transaction) -> float | None:
    """Give the time at which the next webhook that nobody holds is due."""
    query = (
        select(func.min(deliveries.c.due_at))
        .join(webhook_endpoints, webhook_endpoints.c.id == deliveries.c.endpoint_id)
        .where(
            deliveries.c.due_at.is_not(None),
            webhook_endpoints.c.disabled_at.is_(None),
            or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= transaction.now),
        )
    )
    due_at: float | None = transaction.connection.execute(query).scalar_one()
    return due_at


def to_delivery(row: Row[Any], veil: Veil) -> Delivery:
    """Take a webhook out of a row."""
    return Delivery(
        id=row.id,
        endpoint_id=row.endpoint_id,
        payment_id=row.payment_id,
        invoice_id=row.invoice_id,
        sequence=row.sequence,
        event=row.event,
        body=veil.open(
            row.body_sealed, place=_place(row.payment_id or row.invoice_id, row.sequence)
        ),
        due_at=row.due_at,
        lease_token=row.lease_token,
        attempts=row.attempts,
        delivered_at=row.delivered_at,
        given_up_at=row.given_up_at,
        last_status=row.last_status,
        last_error=row.last_error,
        created_at=row.created_at,
    )
