"""Accepting payments: the key, the payment, its first line of history and its work, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select

from momokit.gateway.core.payment import State, Work
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.guards import gate
from momokit.gateway.store.idempotency import claim_keys
from momokit.gateway.store.personal import Personal, party_hash, seal_personal
from momokit.gateway.store.records import (
    AcceptResult,
    Check,
    IdempotencyClaim,
    NewPayment,
    NoSuchRow,
    Outcome,
    StoreError,
    to_stored,
)
from momokit.gateway.store.tables import events, payments


class TooMuch(StoreError):
    """More would be given back than was captured."""


class Twin(StoreError):
    """The same payment was asked for a moment ago. `payment_id` names that one."""

    def __init__(self, payment_id: str) -> None:
        super().__init__(f"The same was asked for a moment ago: {payment_id}.")
        self.payment_id = payment_id


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptRequest:
    """One payment to accept, and on which conditions."""

    new: NewPayment
    idempotency: IdempotencyClaim | None
    checks: tuple[Check, ...] = ()


def accept_many(
    transaction: Transaction, requests: Sequence[AcceptRequest]
) -> list[AcceptResult | Exception]:
    """Accept payments. A key that was used before gives what it stood for, and stores nothing."""
    results: dict[int, AcceptResult | Exception] = {}
    together = [n for n, request in enumerate(requests) if not request.checks]
    # A condition must see what was accepted just before, so those with one go in single file.
    alone = [[n] for n, request in enumerate(requests) if request.checks]
    for numbers in (together, *alone):
        accepted = _accept(transaction, [requests[n] for n in numbers])
        results.update(zip(numbers, accepted, strict=True))
    return [results[n] for n in range(len(requests))]


def _accept(
    transaction: Transaction, requests: Sequence[AcceptRequest]
) -> list[AcceptResult | Exception]:
    if not requests:
        return []
    outcomes, ids = _claim(transaction, requests)
    fresh = [r for r, o in zip(requests, outcomes, strict=True) if o is Outcome.NEW]
    for request in fresh:
        for check in request.checks:
            check(transaction)
    if fresh:
        counted = gate(transaction, [request.new for request in fresh])
        transaction.connection.execute(
            insert(payments),
            [
                _payment_row(r.new, transaction) | {"counted_day": counted.get(r.new.id)}
                for r in fresh
            ],
        )
        transaction.connection.execute(
            insert(events), [_event_row(r.new, transaction.now) for r in fresh]
        )
        transaction.wake()
    rows = transaction.connection.execute(select(payments).where(payments.c.id.in_(set(ids))))
    stored = {row.id: to_stored(row, transaction.veil) for row in rows}
    return [
        AcceptResult(outcome=outcome, payment=stored[id_])
        if id_ in stored
        else NoSuchRow("The key was used for something that is no payment.")
        for outcome, id_ in zip(outcomes, ids, strict=True)
    ]


def insert_held(
    transaction: Transaction, held: Sequence[tuple[NewPayment, Mapping[str, Any]]]
) -> None:
    """Store payments that wait for their batch: fixed to the byte, and nothing due for them yet.

    Beside each stands what ties it to its batch.
    """
    rows = [
        _payment_row(new, transaction) | {"work": None, "due_at": None} | dict(batch)
        for new, batch in held
    ]
    transaction.connection.execute(insert(payments), rows)
    transaction.connection.execute(
        insert(events), [_event_row(new, transaction.now) for new, _ in held]
    )


def _claim(
    transaction: Transaction, requests: Sequence[AcceptRequest]
) -> tuple[list[Outcome], list[str]]:
    """Say for each request whether it is new, and which payment it stands for."""
    keyed = [r for r in requests if r.idempotency is not None]
    claims = [(r.idempotency, r.new.id) for r in keyed if r.idempotency is not None]
    states = iter(claim_keys(transaction, claims))
    outcomes: list[Outcome] = []
    ids: list[str] = []
    for request in requests:
        if request.idempotency is None:
            outcomes.append(Outcome.NEW)
            ids.append(request.new.id)
        else:
            state = next(states)
            outcomes.append(state.outcome)
            ids.append(state.payment_id or "")
    return outcomes, ids


def refund_cap(new: NewPayment) -> Check:
    """Make the condition that what is given back stays within what was captured."""

    def check(transaction: Transaction) -> None:
        original = transaction.connection.execute(
            select(payments.c.amount, payments.c.state)
            .where(payments.c.id == new.original_payment_id)
            .with_for_update()
        ).one_or_none()
        if original is None:
            raise NoSuchRow(f"There is no payment {new.original_payment_id}.")
        given = transaction.connection.execute(
            select(payments.c.amount).where(
                payments.c.original_payment_id == new.original_payment_id,
                payments.c.state != State.FAILED.value,
            )
        ).scalars()
        total = sum((Decimal(amount) for amount in given), new.amount)
        if original.state != State.SUCCESSFUL.value or total > Decimal(original.amount):
            raise TooMuch("That is more than was captured and not yet given back.")

    return check


def no_twin(new: NewPayment, *, within_seconds: float) -> Check:
    """Make the condition that the same was not asked for a moment ago."""

    def check(transaction: Transaction) -> None:
        party = party_hash(transaction.veil, new.party_type, new.party_id)
        transaction.lock(f"twin {new.account_id} {party}")
        twin = transaction.connection.execute(
            select(payments.c.id)
            .where(
                payments.c.party_hash == party,
                payments.c.created_at > transaction.now - within_seconds,
                payments.c.account_id == new.account_id,
                payments.c.kind == new.kind,
                payments.c.amount == str(new.amount),
                payments.c.currency == new.currency,
                payments.c.merchant_reference.is_not_distinct_from(new.merchant_reference),
                payments.c.state != State.FAILED.value,
            )
            .limit(1)
        ).scalar_one_or_none()
        if twin is not None:
            raise Twin(twin)

    return check


def _payment_row(new: NewPayment, transaction: Transaction) -> dict[str, Any]:
    veil, now = transaction.veil, transaction.now
    personal = Personal(
        party_id=new.party_id, headers=dict(new.headers), body=new.body, metadata=dict(new.metadata)
    )
    return {
        "id": new.id,
        "account_id": new.account_id,
        "kind": new.kind,
        "product": new.product,
        "operation": new.operation,
        "state": State.CREATED.value,
        "amount": str(new.amount),
        "currency": new.currency,
        "party_type": new.party_type,
        "party_hash": party_hash(veil, new.party_type, new.party_id),
        "external_id": new.external_id,
        "merchant_reference": new.merchant_reference,
        "reference_id": new.reference_id,
        "path": new.path,
        "sealed": seal_personal(veil, personal, payment_id=new.id),
        "status_path": new.status_path,
        "callback_token_hash": new.callback_token_hash,
        "original_payment_id": new.original_payment_id,
        "work": Work.SUBMIT.value,
        "due_at": now,
        "sequence": 1,
        "api_key_id": new.api_key_id,
        "created_at": now,
        "updated_at": now,
    }


def _event_row(new: NewPayment, now: float) -> dict[str, Any]:
    return {
        "payment_id": new.id,
        "sequence": 1,
        "at": now,
        "event": "created",
        "state_before": None,
        "state_after": State.CREATED.value,
        "details": "{}",
    }
