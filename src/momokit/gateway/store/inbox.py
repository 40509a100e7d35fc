"""The inbox: each callback is kept as it came, not believed, and hurries the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Double, Row, and_, bindparam, case, func, select, update

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
    ids = _payment_ids(transaction, requests)
    found: dict[tuple[str, str], list[int]] = {}
    for number, (request, payment_id) in enumerate(zip(requests, ids, strict=True)):
        if payment_id is not None:
            digest = transaction.veil.digest("callback", request.body)
            found.setdefault((payment_id, digest), []).append(number)
    hints = [Hint.UNKNOWN if payment_id is None else Hint.REPEATED for payment_id in ids]
    first = {pair: requests[numbers[0]] for pair, numbers in found.items()}
    made = _insert_callbacks(transaction, first) if first else set()
    for pair in made:
        hints[found[pair][0]] = Hint.NEW
    again = [
        {"this_payment": pair[0], "this_body": pair[1]}
        for pair, numbers in found.items()
        for _ in numbers[1 if pair in made else 0 :]
    ]
    if again:
        transaction.connection.execute(_SEEN_AGAIN, again)
    for reopens in (False, True):
        hurried = sorted({pair[0] for pair in made if first[pair].reopens is reopens})
        _hurry_all(transaction, hurried, reopens=reopens)
    return hints


def list_callbacks(transaction: Transaction, payment_id: str) -> list[Callback]:
    """Show what was heard about a payment, oldest first."""
    query = select(callbacks).where(callbacks.c.payment_id == payment_id).order_by(callbacks.c.id)
    return [_to_callback(row, transaction.veil) for row in transaction.connection.execute(query)]


def _payment_ids(transaction: Transaction, requests: Sequence[HintRequest]) -> list[str | None]:
    """Find the payment of each callback, and lock them in one order."""
    ids = [r.payment_id for r in requests if r.payment_id is not None]
    tokens = [r.callback_token_hash for r in requests if r.payment_id is None]
    connection = transaction.connection
    known = set(connection.execute(_BY_ID, {"ids": ids}).scalars()) if ids else set()
    rows = connection.execute(_BY_TOKEN, {"tokens": tokens}).all() if tokens else []
    by_token = {row[1]: row[0] for row in rows}
    return [
        (r.payment_id if r.payment_id in known else None)
        if r.payment_id is not None
        else by_token.get(r.callback_token_hash)
        for r in requests
    ]


def _insert_callbacks(
    transaction: Transaction, first: Mapping[tuple[str, str], HintRequest]
) -> set[tuple[str, str]]:
    """Keep what was not heard before; tell what that was."""
    connection, veil = transaction.connection, transaction.veil
    statement = insert_unless_there(connection, callbacks).returning(
        callbacks.c.payment_id, callbacks.c.body_hash
    )
    rows = [
        {
            "payment_id": payment_id,
            "at": transaction.now,
            "method": request.method,
            "body_sealed": veil.seal(request.body, place=_place(payment_id, digest)),
            "body_hash": digest,
            "seen": 1,
        }
        for (payment_id, digest), request in first.items()
    ]
    return {(row[0], row[1]) for row in connection.execute(statement, rows)}


def hurry(transaction: Transaction, payment_id: str, *, reopens: bool) -> None:
    """Bring the question about a payment forward; `reopens` asks about one that is final too."""
    _hurry_all(transaction, [payment_id], reopens=reopens)


def _hurry_all(transaction: Transaction, payment_ids: Sequence[str], *, reopens: bool) -> None:
    if not payment_ids:
        return
    values = {"these": list(payment_ids), "now": transaction.now}
    transaction.connection.execute(_HURRY, values)
    transaction.connection.execute(_REOPEN if reopens else _ROUSE, values)
    transaction.wake()


_NOW = bindparam("now", type_=Double)
_AGAIN = func.coalesce(payments.c.asked_at, 0.0) + ASK_GAP_SECONDS
_SOONEST = case((_AGAIN > _NOW, _AGAIN), else_=_NOW)
_THESE = payments.c.id.in_(bindparam("these", expanding=True))

_ID, _TOKEN = payments.c.id, payments.c.callback_token_hash
_BY_ID = select(_ID).where(_ID.in_(bindparam("ids", expanding=True)))
_BY_ID = _BY_ID.order_by(_ID).with_for_update()
_BY_TOKEN = select(_ID, _TOKEN).where(_TOKEN.in_(bindparam("tokens", expanding=True)))
_BY_TOKEN = _BY_TOKEN.order_by(_ID).with_for_update()
_SEEN_AGAIN = (
    update(callbacks)
    .where(
        callbacks.c.payment_id == bindparam("this_payment"),
        callbacks.c.body_hash == bindparam("this_body"),
    )
    .values(seen=callbacks.c.seen + 1)
)
_HURRY = (
    update(payments)
    .where(_THESE)
    .values(
        hinted=True,
        due_at=case(
            (and_(payments.c.work == Work.SETTLE.value, payments.c.due_at > _SOONEST), _SOONEST),
            else_=payments.c.due_at,
        ),
    )
)
# One that waits for a person is open: news of it is worth a question, whoever sent them.
# What was never sent MTN cannot tell of; it waits for its batch, and is no business of hints.
_REOPEN = (
    update(payments)
    .where(_THESE, payments.c.work.is_(None), payments.c.first_sent_at.is_not(None))
    .values(work=Work.SETTLE.value, due_at=_SOONEST)
)
_ROUSE = _REOPEN.where(payments.c.state.not_in(_FINAL))


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
