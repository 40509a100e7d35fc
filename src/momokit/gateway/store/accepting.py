"""Accepting payments: the key, the payment, its first line of history and its work, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Double, bindparam, func, insert, select

from momokit.gateway.core.payment import State, Work
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.guards import gate
from momokit.gateway.store.idempotency import claim_keys, release_keys
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
    together = [n for n, request in enumerate(requests) if _may_go_together(request)]
    # Any other condition must see what was accepted just before: those with one go in single file.
    alone = [[n] for n, request in enumerate(requests) if not _may_go_together(request)]
    for numbers in (together, *alone):
        accepted = _accept(transaction, [requests[n] for n in numbers])
        results.update(zip(numbers, accepted, strict=True))
    return [results[n] for n in range(len(requests))]


def _may_go_together(request: AcceptRequest) -> bool:
    return all(isinstance(check, NoTwin) for check in request.checks)


def _accept(
    transaction: Transaction, requests: Sequence[AcceptRequest]
) -> list[AcceptResult | Exception]:
    if not requests:
        return []
    outcomes, ids = _claim(transaction, requests)
    fresh = [r for r, o in zip(requests, outcomes, strict=True) if o is Outcome.NEW]
    twins = _refuse_twins(transaction, fresh)
    fresh = [request for request in fresh if request.new.id not in twins]
    for request in fresh:
        for check in request.checks:
            if not isinstance(check, NoTwin):
                check(transaction)
    if fresh:
        counted = gate(transaction, [request.new for request in fresh])
        transaction.connection.execute(
            _INSERT_PAYMENT,
            [
                _payment_row(r.new, transaction) | {"counted_day": counted.get(r.new.id)}
                for r in fresh
            ],
        )
        transaction.connection.execute(
            _INSERT_EVENT, [_event_row(r.new, transaction.now) for r in fresh]
        )
        transaction.wake()
    rows = transaction.connection.execute(_THESE, {"these": sorted(set(ids))})
    stored = {row.id: to_stored(row, transaction.veil) for row in rows}
    results: list[AcceptResult | Exception] = []
    for outcome, id_ in zip(outcomes, ids, strict=True):
        if id_ in twins:
            results.append(Twin(twins[id_]))
        elif id_ in stored:
            results.append(AcceptResult(outcome=outcome, payment=stored[id_]))
        else:
            results.append(NoSuchRow("The key was used for something that is no payment."))
    return results


_INSERT_PAYMENT = insert(payments)
_INSERT_EVENT = insert(events)
_THESE = select(payments).where(payments.c.id.in_(bindparam("these", expanding=True)))


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


@dataclass(frozen=True, kw_only=True, slots=True)
class NoTwin:
    """The condition that the same was not asked for a moment ago. Looked at for many at once."""

    new: NewPayment
    within_seconds: float

    def __call__(self, transaction: Transaction) -> None:
        """Look at it for this payment alone. Raises Twin."""
        found = _twins(transaction, [self])
        if found:
            raise Twin(found[self.new.id])


def no_twin(new: NewPayment, *, within_seconds: float) -> Check:
    """Make the condition that the same was not asked for a moment ago."""
    return NoTwin(new=new, within_seconds=within_seconds)


def _refuse_twins(transaction: Transaction, fresh: Sequence[AcceptRequest]) -> dict[str, str]:
    """Find the twins among payments to accept, by their ids; the keys they claimed are let go."""
    checks = [c for request in fresh for c in request.checks if isinstance(c, NoTwin)]
    twins = _twins(transaction, checks) if checks else {}
    claims = [r.idempotency for r in fresh if r.new.id in twins and r.idempotency is not None]
    release_keys(transaction, claims)
    return twins


def _twins(transaction: Transaction, checks: Sequence[NoTwin]) -> dict[str, str]:
    """Name for each payment that has a twin the one that came before it."""
    veil, now = transaction.veil, transaction.now
    parties = {c.new.id: party_hash(veil, c.new.party_type, c.new.party_id) for c in checks}
    transaction.lock(*{f"twin {c.new.account_id} {parties[c.new.id]}" for c in checks})
    values = {
        "since": now - max(check.within_seconds for check in checks),
        "parties": sorted({party for party in parties.values() if party is not None}),
        "accounts": sorted({check.new.account_id for check in checks}),
        "amounts": sorted({str(check.new.amount) for check in checks}),
        "references": sorted({check.new.merchant_reference or "" for check in checks}),
    }
    seen: dict[tuple[Any, ...], tuple[float, str]] = {}
    for row in transaction.connection.execute(_LATELY, values):
        seen[tuple(row[2:])] = (row.created_at, row.id)
    twins: dict[str, str] = {}
    for check in checks:
        new = check.new
        essence = (
            parties[new.id], new.account_id, new.kind, str(new.amount), new.currency,
            new.merchant_reference,
        )  # fmt: skip
        before = seen.get(essence)
        if before is not None and before[0] > now - check.within_seconds:
            twins[new.id] = before[1]
        else:
            # What is accepted beside it in this transaction is before it too.
            seen[essence] = (now, new.id)
    return twins


_LATELY = (
    select(
        payments.c.id, payments.c.created_at, payments.c.party_hash, payments.c.account_id,
        payments.c.kind, payments.c.amount, payments.c.currency, payments.c.merchant_reference,
    )
    .where(
        payments.c.party_hash.in_(bindparam("parties", expanding=True)),
        payments.c.created_at > bindparam("since", type_=Double),
        payments.c.account_id.in_(bindparam("accounts", expanding=True)),
        payments.c.amount.in_(bindparam("amounts", expanding=True)),
        func.coalesce(payments.c.merchant_reference, "").in_(
            bindparam("references", expanding=True)
        ),
        payments.c.state != State.FAILED.value,
    )
    .order_by(payments.c.created_at)
)  # fmt: skip


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
