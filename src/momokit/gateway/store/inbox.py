"""The inbox: each callback is kept as it came, not believed, and hurries the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, and_, case, func, literal, select, update

from momokit.gateway.core.payment import State, Work
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.recording import ASK_GAP_SECONDS
from momokit.gateway.store.tables import callbacks, payments
from momokit.gateway.store.veil import Veil

_FINAL = [state.value for state in State if state.is_final]


class Hint(StrEnum):
    """What a callback was to us."""

    NEW = "new"
    REPEATED = "repeated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class HintRequest:
    """A callback: for a payment known by its id, or by the digest of its path's secret.

    `reopens` asks once more about a payment that is final, when the callback contradicts it.
    """

    body: bytes = field(repr=False)
    method: str
    payment_id: str | None = None
    callback_token_hash: str | None = field(default=None, repr=False)
    reopens: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Callback:
    """A callback as it came, and how many times the same was sent."""

    payment_id: str
    at: float
    method: str
    body: bytes = field(repr=False)
    seen: int


def hint_many(transaction: Transaction, requests: Sequence[HintRequest]) -> list[Hint]:
    """Keep callbacks, and bring forward the question about each payment."""
    return [_hint(transaction, request) for request in requests]


def list_callbacks(transaction: Transaction, payment_id: str) -> list[Callback]:
    """Show what was heard about a payment, oldest first."""
    query = select(callbacks).where(callbacks.c.payment_id == payment_id).order_by(callbacks.c.id)
    return [_to_callback(row, transaction.veil) for row in transaction.connection.execute(query)]


def _hint(transaction: Transaction, request: HintRequest) -> Hint:
    payment_id = _payment_id(transaction, request)
    if payment_id is None:
        return Hint.UNKNOWN
    connection = transaction.connection
    digest = transaction.veil.digest("callback", request.body)
    sealed = transaction.veil.seal(request.body, place=_place(payment_id, digest))
    made = connection.execute(
        insert_unless_there(connection, callbacks).values(
            payment_id=payment_id, at=transaction.now, method=request.method,
            body_sealed=sealed, body_hash=digest, seen=1,
        ).returning(callbacks.c.id)
    )  # fmt: skip
    if made.first() is None:
        same = and_(callbacks.c.payment_id == payment_id, callbacks.c.body_hash == digest)
        connection.execute(update(callbacks).where(same).values(seen=callbacks.c.seen + 1))
        return Hint.REPEATED
    hurry(transaction, payment_id, reopens=request.reopens)
    return Hint.NEW


def _payment_id(transaction: Transaction, request: HintRequest) -> str | None:
    by_id = payments.c.id == request.payment_id
    by_token = payments.c.callback_token_hash == request.callback_token_hash
    query = select(payments.c.id).where(by_token if request.payment_id is None else by_id)
    payment_id: str | None = transaction.connection.execute(query).scalar_one_or_none()
    return payment_id


def hurry(transaction: Transaction, payment_id: str, *, reopens: bool) -> None:
    """Bring the question about a payment forward; `reopens` asks about one that is final too."""
    now = transaction.now
    again = func.coalesce(payments.c.asked_at, 0.0) + ASK_GAP_SECONDS
    soonest = case((again > now, again), else_=literal(now))
    asking = payments.c.work == Work.SETTLE.value
    connection = transaction.connection
    this = payments.c.id == payment_id
    connection.execute(
        update(payments)
        .where(this)
        .values(
            hinted=True,
            due_at=case(
                (and_(asking, payments.c.due_at > soonest), soonest), else_=payments.c.due_at
            ),
        )
    )
    # One that waits for a person is open: news of it is worth a question, whoever sent them.
    # What was never sent MTN cannot tell of; it waits for its batch, and is no business of hints.
    asleep = [payments.c.work.is_(None), payments.c.first_sent_at.is_not(None)]
    if not reopens:
        asleep.append(payments.c.state.not_in(_FINAL))
    connection.execute(
        update(payments).where(this, *asleep).values(work=Work.SETTLE.value, due_at=soonest)
    )
    transaction.wake()


def _place(payment_id: str, digest: str) -> str:
    return f"callbacks {payment_id} {digest}"


def _to_callback(row: Row[Any], veil: Veil) -> Callback:
    return Callback(
        payment_id=row.payment_id,
        at=row.at,
        method=row.method,
        body=veil.open(row.body_sealed, place=_place(row.payment_id, row.body_hash)),
        seen=row.seen,
    )
