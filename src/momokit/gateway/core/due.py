"""When a payment is asked about next, given its age and its state. Pure."""

from __future__ import annotations

from momokit.gateway.core import schedule
from momokit.gateway.core.payment import Payment, State

CATCH_ALL_REASONS = frozenset(
    {"INTERNAL_PROCESSING_ERROR", "SERVICE_UNAVAILABLE", "COULD_NOT_PERFORM_TRANSACTION"}
)
"""Reasons with which MTN has been known to fail what it could not finish; they are audited."""


def poll_at(payment: Payment, *, now: float) -> float | None:
    """Say when a payment is asked about by its age; None when a person is to be asked."""
    since = payment.accepted_at or payment.first_sent_at or payment.created_at
    pause = schedule.next_poll_seconds(now - since)
    return now + pause if pause is not None else None


def audit_at(state: State, *, reason: str | None, age_seconds: float, now: float) -> float | None:
    """Say when a last word of this age is asked about once more; None when it is believed."""
    if state is not State.FAILED or reason not in CATCH_ALL_REASONS:
        return None
    pause = schedule.next_audit_seconds(age_seconds)
    return now + pause if pause is not None else None


def audit_again_at(payment: Payment, *, now: float) -> float | None:
    """Say when a payment that has its last word is asked about once more."""
    age_seconds = now - (payment.final_at or now)
    return audit_at(payment.state, reason=payment.reason_code, age_seconds=age_seconds, now=now)
