"""Idempotency keys: one outcome for each, however often and however fast a request is repeated.

Of a key and of the request it came with only keyed hashes are stored: merchants put phone numbers
into both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, bindparam, delete, select, update

from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.records import IdempotencyClaim, Outcome
from momokit.gateway.store.tables import idempotency_keys
from momokit.gateway.store.veil import Veil

KEPT_SECONDS = 30 * 86400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyState:
    """What is known of a key: the payment made under it, or the answer that was given.

    With neither, the request that claimed it is still under way.
    """

    outcome: Outcome
    payment_id: str | None
    status: int | None
    response: str | None = field(repr=False)


def claim_keys(
    transaction: Transaction, claims: Sequence[tuple[IdempotencyClaim, str | None]]
) -> list[KeyState]:
    """Claim keys, each for a payment or for none; the first to come has it.

    The unique constraint decides: whoever claims a key that another transaction has just claimed
    waits for that one to end, and then finds its row.
    """
    veil = transaction.veil
    hashes = [_key_hash(veil, claim) for claim, _ in claims]
    first: dict[tuple[str, str], int] = {}
    for number, (claim, _) in enumerate(claims):
        first.setdefault((claim.scope, hashes[number]), number)
    rows = [
        {
            "scope": claims[number][0].scope,
            "key_hash": hashes[number],
            "request_hash": _request_hash(veil, claims[number][0]),
            "payment_id": claims[number][1],
            "created_at": transaction.now,
        }
        for number in first.values()
    ]
    statement = insert_unless_there(transaction.connection, idempotency_keys).returning(
        idempotency_keys.c.scope, idempotency_keys.c.key_hash
    )
    won = {tuple(row) for row in transaction.connection.execute(statement, rows)} if rows else set()
    return [
        KeyState(outcome=Outcome.NEW, payment_id=payment_id, status=None, response=None)
        if (claim.scope, key_hash) in won and first[claim.scope, key_hash] == number
        else find_key(transaction, claim)
        for number, ((claim, payment_id), key_hash) in enumerate(zip(claims, hashes, strict=True))
    ]


def release_keys(transaction: Transaction, claims: Sequence[IdempotencyClaim]) -> None:
    """Let go of keys claimed in this very transaction: what they were for is not accepted."""
    rows = [
        {"this_scope": claim.scope, "this_key": _key_hash(transaction.veil, claim)}
        for claim in claims
    ]
    if rows:
        transaction.connection.execute(_RELEASE, rows)


_RELEASE = delete(idempotency_keys).where(
    idempotency_keys.c.scope == bindparam("this_scope"),
    idempotency_keys.c.key_hash == bindparam("this_key"),
)


def find_key(transaction: Transaction, claim: IdempotencyClaim) -> KeyState:
    """Tell what a key that is there already stands for."""
    veil = transaction.veil
    row = transaction.connection.execute(select(idempotency_keys).where(_this(veil, claim))).one()
    same = row.request_hash == _request_hash(veil, claim)
    sealed = row.response_sealed
    return KeyState(
        outcome=Outcome.REPLAYED if same else Outcome.CONFLICT,
        payment_id=row.payment_id,
        status=row.status,
        response=veil.open(sealed, place=_place(veil, claim)).decode() if sealed else None,
    )


def finish_key(
    transaction: Transaction, *, claim: IdempotencyClaim, status: int, response: str
) -> None:
    """Keep the answer that a key got, for whoever repeats the request."""
    veil = transaction.veil
    sealed = veil.seal(response.encode(), place=_place(veil, claim))
    transaction.connection.execute(
        update(idempotency_keys)
        .where(_this(veil, claim))
        .values(status=status, response_sealed=sealed)
    )


def forget_old_keys(transaction: Transaction) -> int:
    """Drop the keys that are past the time we promise to keep them; tell how many."""
    old = idempotency_keys.c.created_at < transaction.now - KEPT_SECONDS
    return transaction.connection.execute(delete(idempotency_keys).where(old)).rowcount


def _this(veil: Veil, claim: IdempotencyClaim) -> ColumnElement[bool]:
    return and_(
        idempotency_keys.c.scope == claim.scope,
        idempotency_keys.c.key_hash == _key_hash(veil, claim),
    )


def _key_hash(veil: Veil, claim: IdempotencyClaim) -> str:
    return veil.digest("idempotency key", claim.key)


def _request_hash(veil: Veil, claim: IdempotencyClaim) -> str:
    return veil.digest("request", claim.request_hash)


def _place(veil: Veil, claim: IdempotencyClaim) -> str:
    return f"idempotency_keys {claim.scope} {_key_hash(veil, claim)}"
