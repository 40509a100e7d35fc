"""The one writer of a payment's state: what was decided, its history and its webhooks, at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from momokit.gateway.core.decide import is_legal
from momokit.gateway.core.facts import Decision
from momokit.gateway.core.payment import Payment, Work
from momokit.gateway.store.attempts import Moved, follow_payments
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.deliveries import Notice, insert_deliveries
from momokit.gateway.store.incidents import raise_incidents
from momokit.gateway.store.personal import Personal, open_personal
from momokit.gateway.store.records import (
    Decide,
    IllegalMove,
    NoSuchRow,
    Recorded,
    to_json,
    to_payment,
)
from momokit.gateway.store.sums import count_ends
from momokit.gateway.store.tables import events, payments

ASK_GAP_SECONDS = 2.0
"""MTN is asked about one payment no more often than this, however many callbacks come."""

CHANGEABLE = (
    "doubtful", "attempts", "polls", "ask_failures", "first_sent_at", "accepted_at", "final_at",
    "absent_since", "absences", "reason_code", "financial_transaction_id", "review",
    "released_at", "refused_code", "cancel_reference_id", "cancel_taken_at", "settled_by",
)  # fmt: skip
"""The columns that a decision may change besides state, work and due time."""

_MTNS_WORDS = ("reason_code", "refused_code")
# MTN's number of a payment is no subscriber's; and who writes evidence down has masked it already.
_KEPT_AS_WRITTEN = ("financial_transaction_id", "evidence", "because")
_NUMBER = re.compile(r"(?<![\w-])\+?\d{7,15}(?![\w-])")

_WRITTEN = (
    *CHANGEABLE, "state", "work", "due_at", "lease_until", "sending", "hinted", "sequence",
    "updated_at",
)  # fmt: skip
_UPDATE = (
    update(payments)
    .where(payments.c.id == bindparam("payment_id"))
    .values({name: bindparam(f"new_{name}") for name in _WRITTEN})
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordRequest:
    """One payment to decide about. Without a lease token it is written over any lease."""

    payment_id: str
    decide: Decide
    lease_token: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Written:
    row: Row[Any]
    personal: Personal
    decision: Decision
    values: dict[str, Any]
    before: Payment
    after: Payment


def record_many(
    transaction: Transaction, requests: Sequence[RecordRequest]
) -> list[Recorded | Exception | None]:
    """Decide about payments and write what follows.

    None stands for a worker that lost its lease: nothing of what it learned is written.
    """
    results: dict[int, Recorded | Exception | None] = {}
    waiting = dict(enumerate(requests))
    while waiting:
        # A payment that occurs twice is decided about twice, the second time on what the first
        # left; so each round takes every payment once.
        once: dict[str, int] = {}
        for number, request in waiting.items():
            once.setdefault(request.payment_id, number)
        _record_once(transaction, {n: waiting.pop(n) for n in once.values()}, results)
    return [results[number] for number in range(len(requests))]


def _record_once(
    transaction: Transaction,
    requests: dict[int, RecordRequest],
    results: dict[int, Recorded | Exception | None],
) -> None:
    rows = _locked(transaction, [request.payment_id for request in requests.values()])
    written: dict[int, _Written] = {}
    for number, request in requests.items():
        row = rows.get(request.payment_id)
        if row is None:
            results[number] = NoSuchRow(f"There is no payment {request.payment_id}.")
        elif _is_stale(row, request.lease_token):
            results[number] = None
        else:
            try:
                written[number] = _decide(row, request, transaction)
            except Exception as error:
                results[number] = error
    if not written:
        return
    raised = raise_incidents(
        transaction,
        [(n.row.id, n.decision.incident) for n in written.values() if n.decision.incident],
    )
    told = _write(transaction, list(written.values()))
    for number, one in written.items():
        results[number] = _recorded(
            one,
            deliveries=told.get(one.row.id, 0),
            is_raised=(one.row.id, one.decision.incident) in raised,
            at=transaction.now,
        )


def _locked(transaction: Transaction, ids: list[str]) -> dict[str, Row[Any]]:
    return {row.id: row for row in transaction.connection.execute(_LOCKED, {"these": ids})}


_LOCKED = (
    select(payments)
    .where(payments.c.id.in_(bindparam("these", expanding=True)))
    .order_by(payments.c.id)
    .with_for_update()
)
_INSERT_EVENT = insert(events)


def _is_stale(row: Row[Any], lease_token: int | None) -> bool:
    if lease_token is None:
        return False
    return row.lease_token != lease_token or row.lease_until is None


def _decide(row: Row[Any], request: RecordRequest, transaction: Transaction) -> _Written:
    now = transaction.now
    personal = open_personal(transaction.veil, row)
    before = to_payment(row, personal)
    decision = _without_numbers(request.decide(before, now))
    review = bool(decision.review or decision.changes.get("review", row.review))
    in_batch = row.batch_id is not None
    _refuse_what_must_not_be(before, decision, review=review, in_batch=in_batch)
    kept = {name: getattr(row, name) for name in CHANGEABLE}
    values = kept | decision.changes | {
        "review": review,
        "state": decision.state.value,
        "work": decision.work.value if decision.work is not None else None,
        "due_at": _due_at(row, decision, now),
        "lease_until": row.lease_until,
        "sending": row.sending,
        # It stays hurried until it is asked about: the claim of that question clears it.
        "hinted": row.hinted and decision.work is not None,
        "sequence": row.sequence + 1,
        "updated_at": now,
    }  # fmt: skip
    if request.lease_token is not None:
        values |= {"lease_until": None, "sending": False}
    after = replace(
        before,
        state=decision.state,
        work=decision.work,
        sending=values["sending"],
        **{n: values[n] for n in CHANGEABLE if n not in ("ask_failures", "review")},
    )
    return _Written(
        row=row, personal=personal, decision=decision, values=values, before=before, after=after
    )


def _without_numbers(decision: Decision) -> Decision:
    """Take out what MTN's words could hold of a subscriber: history is kept for ever, in clear."""
    return replace(
        decision,
        details={
            name: value if name in _KEPT_AS_WRITTEN else _plain(value)
            for name, value in decision.details.items()
        },
        changes={
            name: _plain(value) if name in _MTNS_WORDS else value
            for name, value in decision.changes.items()
        },
    )


def _plain(value: Any) -> Any:
    return _NUMBER.sub("•••", value) if isinstance(value, str) else value


def _refuse_what_must_not_be(
    before: Payment, decision: Decision, *, review: bool, in_batch: bool
) -> None:
    if not is_legal(before.state, decision.state):
        raise IllegalMove(f"{before.id} cannot go from {before.state} to {decision.state}.")
    if unknown := decision.changes.keys() - set(CHANGEABLE):
        raise IllegalMove(f"A decision does not change {', '.join(sorted(unknown))}.")
    if (decision.work is None) != (decision.due_at is None):
        raise IllegalMove(f"{before.id}: work and its time belong together.")
    # What waits for its batch is seen to by that: the batch lets it go, or ends it.
    waits = decision.held and in_batch
    if decision.work is None and not decision.state.is_final and not (review or waits):
        raise IllegalMove(f"{before.id} is open: it needs work that is due, or a person.")


def _due_at(row: Row[Any], decision: Decision, now: float) -> float | None:
    if decision.due_at is None or decision.work is not Work.SETTLE:
        return decision.due_at
    # A callback came while we were busy with it: the answer may have changed since we asked.
    wanted = min(decision.due_at, now) if row.hinted else decision.due_at
    if row.asked_at is None or row.asked_at > now:  # never asked, or a clock was set back
        return wanted
    # Its plan and its callbacks together ask no more often than either may.
    return max(wanted, float(row.asked_at) + ASK_GAP_SECONDS)


def _write(transaction: Transaction, written: list[_Written]) -> dict[str, int]:
    """Write everything that was decided; tell how many webhooks each payment got."""
    connection, now = transaction.connection, transaction.now
    connection.execute(
        _UPDATE,
        [
            {"payment_id": one.row.id} | {f"new_{n}": one.values[n] for n in _WRITTEN}
            for one in written
        ],
    )
    connection.execute(_INSERT_EVENT, [_event_row(one, now) for one in written])
    count_ends(transaction, [(one.row, one.decision.state) for one in written])
    if any(one.values["due_at"] is not None and one.values["due_at"] <= now for one in written):
        transaction.wake()
    told = insert_deliveries(
        transaction,
        [
            Notice(
                row=one.row, after=one.after, metadata=one.personal.metadata,
                event=one.decision.notify, sequence=one.values["sequence"],
            )
            for one in written
            if one.decision.notify is not None
        ],
    )  # fmt: skip
    follow_payments(
        transaction,
        [
            Moved(
                payment_id=one.row.id,
                original_payment_id=one.row.original_payment_id,
                state=one.after.state,
            )
            for one in written
            if one.after.state is not one.before.state
        ],
    )
    return told


def _event_row(one: _Written, now: float) -> dict[str, Any]:
    return {
        "payment_id": one.row.id,
        "sequence": one.values["sequence"],
        "at": now,
        "event": one.decision.event,
        "state_before": one.row.state,
        "state_after": one.decision.state.value,
        "details": to_json(one.decision.details),
    }


def _recorded(one: _Written, *, deliveries: int, is_raised: bool, at: float) -> Recorded:
    return Recorded(
        payment=one.after,
        id=one.row.id,
        account_id=one.row.account_id,
        before=one.before.state,
        event=one.decision.event,
        sequence=one.values["sequence"],
        work=one.decision.work,
        due_at=one.values["due_at"],
        deliveries=deliveries,
        incident=one.decision.incident if is_raised else None,
        at=at,
    )
