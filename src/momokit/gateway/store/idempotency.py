"""Idempotency keys: one outcome for each, however often and however fast a request is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.records import IdempotencyClaim, Outcome
from momokit.gateway.store.tables import idempotency_keys

KEPT_SECONDS = 30 * 86400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyState:
    """What is known of a key: the payment made under it, or the answer that was given.

    With neither, the request that claimed it is still under way.
    """

    outcome: Outcome
    payment_id: str | None
    status: int | None
    response: str | None


def claim_keys(
    transaction: Transaction, claims: Sequence[tuple[IdempotencyClaim, str | None]]
) -> list[KeyState]:
    """Claim keys, each for a payment or for none; the first to come has it.

    The unique constraint decides: whoever claims a key that another transaction has just claimed
    waits for that one to end, and then finds its row.
    """
    first: dict[tuple[str, str], int] = {}
    for number, (claim, _) in enumerate(claims):
        first.setdefault((claim.scope, claim.key), number)
    rows = [
        {
            "scope": claims[number][0].scope,
            "key": claims[number][0].key,
            "request_hash": claims[number][0].request_hash,
            "payment_id": claims[number][1],
            "created_at": transaction.now,
        }
        for number in first.values()
    ]
    statement = insert_unless_there(transaction.connection, idempotency_keys).returning(
        idempotency_keys.c.scope, idempotency_keys.c.key
    )
    won = {tuple(row) for row in transaction.connection.execute(statement, rows)} if rows else set()
    return [
        KeyState(outcome=Outcome.NEW, payment_id=payment_id, status=None, response=None)
        if (claim.scope, claim.key) in won and first[claim.scope, claim.key] == number
        else find_key(transaction, claim)
        for number, (claim, payment_id) in enumerate(claims)
    ]


def find_key(transaction: Transaction, claim: IdempotencyClaim) -> KeyState:
    """Tell what a key that is there already stands for."""
    row = transaction.connection.execute(
        select(idempotency_keys).where(
            idempotency_keys.c.scope == claim.scope, idempotency_keys.c.key == claim.key
        )
    ).one()
    same = row.request_hash == claim.request_hash
    return KeyState(
        outcome=Outcome.REPLAYED if same else Outcome.CONFLICT,
        payment_id=row.payment_id,
        status=row.status,
        response=row.response,
    )


def finish_key(
    transaction: Transaction, *, claim: IdempotencyClaim, status: int, response: str
) -> None:
    """Keep the answer that a key got, for whoever repeats the request."""
    transaction.connection.execute(
        update(idempotency_keys)
        .where(idempotency_keys.c.scope == claim.scope, idempotency_keys.c.key == claim.key)
        .values(status=status, response=response)
    )


def forget_old_keys(transaction: Transaction) -> int:
    """Drop the keys that are past the time we promise to keep them; tell how many."""
    old = idempotency_keys.c.created_at < transaction.now - KEPT_SECONDS
    return transaction.connection.execute(delete(idempotency_keys).where(old)).rowcount
