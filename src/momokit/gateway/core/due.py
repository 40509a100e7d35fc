"""When a payment is asked about next, given its age and its state. Pure."""

from __future__ import annotations

from momokit.gateway.core import schedule
from momokit.gateway.core.payment import Payment, State

CATCH_ALL_REASONS = frozenset(
    {
        "COULD_NOT_PERFORM_TRANSACTION",
        "INTERNAL_PROCESSING_ERROR",
        "NEVER_RECEIVED",
        "RESOURCE_NOT_FOUND",
        "SERVICE_UNAVAILABLE",
        "TRANSACTION_NOT_FOUND",
        "UNSPECIFIED",
    }
)
"""Reasons with which MTN has been known to fail what it could not finish, and ours for what it
never showed; they are audited."""


def poll_at(payment: Payment, *, now: float) -> float | None:
    """Say when a payment is asked about by its age; None when a person is to be asked."""
    since = payment.accepted_at or payment.first_sent_at or payment.sendable_since
    pause = schedule.next_poll_seconds(now - since)
    return now + pause if pause is not None else None


def audit_at(
    state: State, *, reason: str | None, by_person: bool = False, age_seconds: float, now: float
) -> float | None:
    """Say when a last word of this age is asked about once more; None when it is believed.

    Audited are failures for reasons that explain nothing, and whatever is a person's word.
    """
    explains_nothing = state is State.FAILED and reason in CATCH_ALL_REASONS
    if not explains_nothing and not by_person:
        return None
    pause = schedule.next_audit_seconds(age_seconds)
    return now + pause if pause is not None else None


def audit_again_at(payment: Payment, *, now: float) -> float | None:
    """Say when a payment that has its last word is asked about once more."""
    return audit_at(
        payment.state,
        reason=payment.reason_code,
        by_person=payment.settled_by is not None,
        age_seconds=now - (payment.final_at or now),
        now=now,
    )


def audit_due_at(payment: Payment, *, now: float, answered: bool) -> float | None:
    """Say when a last word is asked about again after something was recorded.

    Without an answer to the question that was due, that one is due still, however late it is.
    """
    due_at = audit_again_at(payment, now=now)
    if due_at is None and payment.work is not None and not answered:
        return now
    return due_at


def cancel_seen_at(payment: Payment, *, now: float) -> float | None:
    """Say when to look again whether a pre-approval that was given is shown as cancelled.

    Everything else that is over cannot be cancelled any more.
    """
    granted = payment.kind == "pre_approval" and payment.state is State.SUCCESSFUL
    if payment.cancel_reference_id is None or not granted:
        return None
    if payment.cancel_taken_at is None:
        return now + schedule.POLL_OFFSETS_SECONDS[0]
    pause = schedule.next_poll_seconds(now - payment.cancel_taken_at)
    return now + pause if pause is not None else None
