"""How a decision is made up: to stay, to reach an end, or to meet one that is reached. Pure."""

from __future__ import annotations

from typing import Any

from momokit.gateway.core import schedule
from momokit.gateway.core.due import (
    audit_again_at,
    audit_at,
    audit_due_at,
    cancel_seen_at,
    poll_at,
)
from momokit.gateway.core.facts import Decision
from momokit.gateway.core.payment import MOVES, Payment, State, Work

UNDER_WAY = "It has failed in these books, and MTN shows it as under way."
OTHER_NUMBER = "MTN gives another financial transaction id than before."


def is_legal(before: State, after: State) -> bool:
    """Tell whether a state may follow another; staying is always legal."""
    return before is after or after in MOVES[before]


def same(
    payment: Payment,
    event: str,
    *,
    due_at: float | None,
    work: Work | None = None,
    details: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
    incident: str | None = None,
    review: bool = False,
) -> Decision:
    """Leave the state as it is."""
    follows = work or payment.work or Work.SETTLE
    return Decision(
        state=payment.state,
        work=follows if due_at is not None else None,
        due_at=due_at,
        event=event,
        details=details or {},
        changes=changes or {},
        incident=incident,
        review=review,
    )


def after_final(
    payment: Payment,
    event: str,
    now: float,
    *,
    has_it: bool = False,
    answered: bool = False,
    details: dict[str, Any] | None = None,
) -> Decision:
    """Note what comes after a last word: the audit that is due stays due.

    `has_it` says that MTN has the payment, or may: held against a failure, or against a person's
    word, it is asked about again until MTN has said how it ended. `answered` says that this is
    MTN's answer to a question: the one that was due is then asked.
    """
    due_at = cancel_seen_at(payment, now=now) or audit_due_at(payment, now=now, answered=answered)
    if has_it and (payment.state is State.FAILED or payment.settled_by is not None):
        due_at = poll_at(payment, now=now) or now + schedule.DAY
    return same(payment, event, due_at=due_at, work=Work.SETTLE, details=details)


def final(
    payment: Payment,
    state: State,
    now: float,
    *,
    reason: str | None,
    changes: dict[str, Any] | None = None,
) -> Decision:
    """Reach a final state; or notice that it is reached already, or that it contradicts."""
    known = dict(changes or {})
    if payment.state is state:
        return _confirmed(payment, now, reason=reason, known=known)
    contradicts = payment.state.is_final
    known |= {"final_at": now, "reason_code": reason, "settled_by": None}
    details: dict[str, Any] = {"reason": reason, "before": payment.state.value}
    overturned = payment.financial_transaction_id
    if state is State.FAILED and overturned is not None:
        # The number stays in the history; in the row it would pass for that of money that moved.
        details["financial_transaction_id"] = overturned
        known["financial_transaction_id"] = None
    due_at = audit_at(state, reason=reason, age_seconds=0.0, now=now)
    return Decision(
        state=state,
        work=Work.SETTLE if due_at is not None else None,
        due_at=due_at,
        event="corrected" if contradicts else state.value,
        details=details,
        changes=known,
        notify="payment.corrected" if contradicts else f"payment.{state.value}",
        incident=_contradiction(payment, state) if contradicts else None,
    )


def _contradiction(payment: Payment, state: State) -> str:
    if payment.settled_by is not None:
        return f"A person put on record {payment.state.value}, and MTN says {state.value}."
    return f"MTN said {payment.state.value} before and says {state.value} now."


def _confirmed(
    payment: Payment, now: float, *, reason: str | None, known: dict[str, Any]
) -> Decision:
    details: dict[str, Any] = {}
    incident = None
    due_at = cancel_seen_at(payment, now=now) or audit_again_at(payment, now=now)
    if payment.settled_by is not None:
        # From here on it is MTN's word.
        known |= {"settled_by": None, "reason_code": reason}
        due_at = audit_at(payment.state, reason=reason, age_seconds=0.0, now=now)
    before, number = payment.financial_transaction_id, known.get("financial_transaction_id")
    if before is not None and number not in (None, before):
        details, incident = {"financial_transaction_id": before}, OTHER_NUMBER
    return Decision(
        state=payment.state,
        work=Work.SETTLE if due_at is not None else None,
        due_at=due_at,
        event="confirmed",
        details=details,
        changes=known,
        incident=incident,
    )
