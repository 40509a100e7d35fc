"""What follows from a person's word: to take back, to cancel, to put an outcome on record. Pure."""

from __future__ import annotations

from typing import Any

from momokit.gateway.core import schedule
from momokit.gateway.core.due import audit_at, audit_due_at, poll_at
from momokit.gateway.core.facts import CancelAnswered, CancelAsked, Decision, PersonSays
from momokit.gateway.core.follow import after_final, final, same
from momokit.gateway.core.payment import CANCELLABLE_KINDS, Payment, State, Work

SETTLED_BY_PERSON = "SETTLED_BY_PERSON"
"""Why a payment failed whose failure is a person's word."""


def withdrawn(payment: Payment, now: float) -> Decision:
    """Take back what has not left; what has left only MTN can end."""
    if payment.state.is_final:
        return after_final(payment, "cancel_refused", now, details={"why": "it is over"})
    if payment.state is not State.CREATED or _may_have_left(payment):
        return same(
            payment, "cancel_refused", due_at=now + schedule.next_ask_seconds(1),
            work=Work.SETTLE, details={"why": "it has left"},
        )  # fmt: skip
    return final(payment, State.FAILED, now, reason="CANCELLED")


def cancel_asked(payment: Payment, fact: CancelAsked, now: float) -> Decision:
    """Put on record that MTN is to be asked to cancel; it is asked with the next question."""
    if payment.kind not in CANCELLABLE_KINDS or not _may_have_left(payment):
        return withdrawn(payment, now)
    granted = payment.kind == "pre_approval" and payment.state is State.SUCCESSFUL
    if payment.state.is_final and not granted:
        return after_final(payment, "cancel_refused", now, details={"why": "it is over"})
    if payment.cancel_taken_at is not None:
        return same(payment, "cancel_asked", due_at=now, work=Work.SETTLE)
    wish = {"cancel_reference_id": payment.cancel_reference_id or fact.reference_id}
    return same(payment, "cancel_asked", due_at=now, work=Work.SETTLE, changes=wish)


def cancel_answered(payment: Payment, fact: CancelAnswered, now: float) -> Decision:
    """Note what MTN answered; whether it is cancelled, its status alone says."""
    details: dict[str, Any] = {"code": fact.code, "status": fact.status}
    if fact.taken:
        soon = now + schedule.next_ask_seconds(1)
        known = {"cancel_taken_at": payment.cancel_taken_at or now}
        return same(payment, "cancel_taken", due_at=soon, work=Work.SETTLE, changes=known)
    over = payment.state.is_final
    due_at = audit_due_at(payment, now=now, answered=False) if over else poll_at(payment, now=now)
    return same(
        payment, "cancel_refused", due_at=due_at, work=Work.SETTLE,
        details=details | {"why": "MTN refused"}, changes={"cancel_reference_id": None},
        review=not over and due_at is None,
    )  # fmt: skip


def person_says(payment: Payment, fact: PersonSays, now: float) -> Decision:
    """Put a person's word on record, with its evidence; MTN is still asked, and may contradict."""
    state = State(fact.outcome)
    details = {
        "by": fact.by, "because": fact.because, "evidence": fact.evidence,
        "before": payment.state.value,
        "financial_transaction_id": fact.financial_transaction_id
        or payment.financial_transaction_id,
    }  # fmt: skip
    number = fact.financial_transaction_id or payment.financial_transaction_id
    if payment.state is state:
        # It says what is known; whose word that is does not change by it.
        return same(
            payment, "settled_by_person", due_at=audit_due_at(payment, now=now, answered=False),
            work=Work.SETTLE, details=details, changes={"review": False},
        )  # fmt: skip
    contradicts = payment.state.is_final
    due_at = audit_at(state, reason=None, by_person=True, age_seconds=0.0, now=now)
    incident = f"A person put on record {state.value}, and it was {payment.state.value} before."
    return Decision(
        state=state,
        work=Work.SETTLE if due_at is not None else None,
        due_at=due_at,
        event="settled_by_person",
        details=details,
        changes={
            "final_at": now,
            "reason_code": SETTLED_BY_PERSON if state is State.FAILED else None,
            "settled_by": fact.by,
            "financial_transaction_id": number if state is State.SUCCESSFUL else None,
            "refused_code": None,
            "review": False,
        },
        notify="payment.corrected" if contradicts else f"payment.{state.value}",
        incident=incident if contradicts else None,
    )


def why_not_by_hand(payment: Payment, *, review: bool, now: float) -> str | None:
    """Say why a person's word is not wanted yet; None when it is.

    While MTN is still being asked by plan it may say itself how it ended.
    """
    if payment.sending:
        return "A send of it is under way."
    if payment.state.is_final:
        return f"It is {payment.state.value} already."
    if not review and poll_at(payment, now=now) is not None:
        return "MTN is still being asked about it."
    return None


def _may_have_left(payment: Payment) -> bool:
    return payment.first_sent_at is not None or payment.sending or payment.doubtful
