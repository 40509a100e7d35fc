"""What follows from what was learned: the one place where a payment's state is decided. Pure.

`decide(payment, fact, now)` looks at a payment and one new fact and says what to write: the state,
what is due next, what goes into the history, and what the merchant is told. It never guesses: a
fact that proves nothing changes nothing but the time of the next question.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from momokit.gateway.core import schedule
from momokit.gateway.core.by_hand import (
    cancel_answered,
    cancel_asked,
    person_says,
    withdrawn,
)
from momokit.gateway.core.due import poll_at
from momokit.gateway.core.facts import (
    CancelAnswered,
    CancelAsked,
    Decision,
    Doubt,
    Fact,
    NeverLeft,
    NoAnswer,
    NotKnown,
    PersonSays,
    Taken,
    Told,
    TurnedDown,
    Withdrawn,
)
from momokit.gateway.core.follow import after_final, final, is_legal, same
from momokit.gateway.core.payment import SETTING_CODES, Payment, State, Work
from momokit.gateway.core.telling import told

__all__ = ["decide", "is_legal"]

SEND_FACTS = (Taken, TurnedDown, NeverLeft, Doubt)
"""Facts that are a send's own outcome."""

SETTING_SUSPECTED_AFTER = 6
"""So many sends in a row that could not leave make an operator look at the setting they need."""


def decide(payment: Payment, fact: Fact, *, now: float) -> Decision:
    """Say what follows from one new fact about a payment."""
    decision = _follow(payment, fact, now)
    if payment.sending and not isinstance(fact, SEND_FACTS):
        # Recorded over a send, whose lease and so whose outcome may be lost by it: hence the doubt.
        return replace(decision, changes=decision.changes | {"doubtful": True})
    return decision


def _follow(payment: Payment, fact: Fact, now: float) -> Decision:
    match fact:
        case Taken():
            return _taken(payment, now)
        case TurnedDown():
            return _turned_down(payment, fact, now)
        case NeverLeft():
            return _never_left(payment, fact, now)
        case Doubt():
            return _doubt(payment, fact, now)
        case Told():
            return told(payment, fact, now)
        case NotKnown():
            return _not_known(payment, now)
        case NoAnswer():
            return _no_answer(payment, fact, now)
        case Withdrawn():
            return withdrawn(payment, now)
        case CancelAsked():
            return cancel_asked(payment, fact, now)
        case CancelAnswered():
            return cancel_answered(payment, fact, now)
        case PersonSays():
            return person_says(payment, fact, now)


def _taken(payment: Payment, now: float) -> Decision:
    if payment.state.is_final:
        # The status was learned before our own send's answer was recorded: nothing goes back.
        return after_final(payment, "accepted_late", now, has_it=True)
    return Decision(
        state=State.PENDING,
        work=Work.SETTLE,
        due_at=now + schedule.POLL_OFFSETS_SECONDS[0],
        event="accepted",
        changes=_sent(payment, now) | {"accepted_at": payment.accepted_at or now},
        notify="payment.pending" if payment.state is not State.PENDING else None,
    )


def _turned_down(payment: Payment, fact: TurnedDown, now: float) -> Decision:
    details = {"code": fact.code, "status": fact.status}
    if payment.state.is_final:
        return after_final(payment, "refused_late", now, details=details)
    if payment.doubtful or payment.accepted_at is not None:
        # A no to a resend says nothing about the send before it.
        return Decision(
            state=State.PENDING if payment.accepted_at is not None else State.UNKNOWN,
            work=Work.SETTLE,
            due_at=now + schedule.next_ask_seconds(payment.attempts + 1),
            event="resend_refused",
            details=details,
            changes=_sent(payment, now),
            notify="payment.unknown" if payment.state is State.CREATED else None,
        )
    # A no is believed once MTN has also said that it knows no such payment.
    code = {"refused_code": fact.code or f"HTTP_{fact.status}"}
    return same(
        payment, "refused", due_at=now, work=Work.SETTLE, details=details,
        changes=_sent(payment, now) | code,
    )  # fmt: skip


def _never_left(payment: Payment, fact: NeverLeft, now: float) -> Decision:
    if payment.state.is_final:
        return after_final(payment, "send_failed_late", now)
    sends = payment.attempts + 1
    least = fact.retry_after_seconds or 0.0
    if payment.doubtful or payment.accepted_at is not None:
        # An earlier send may have arrived, or did: this one proves nothing, so MTN is asked.
        return same(
            payment, "resend_failed", due_at=now + max(schedule.next_ask_seconds(sends), least),
            work=Work.SETTLE, details={"why": fact.why}, changes={"attempts": sends},
        )  # fmt: skip
    window = schedule.send_window_seconds(is_push=payment.is_push)
    if now - payment.sendable_since > window:
        reason = payment.refused_code or "NOT_SENT_IN_TIME"
        return final(payment, State.FAILED, now, reason=reason, changes={"refused_code": None})
    pause = max(schedule.next_submit_seconds(sends), least)
    return Decision(
        state=payment.state,
        work=Work.SUBMIT,
        due_at=now + pause,
        event="not_sent",
        details={"why": fact.why},
        changes={"attempts": sends},
        incident=fact.setting if sends >= SETTING_SUSPECTED_AFTER else None,
    )


def _doubt(payment: Payment, fact: Doubt, now: float) -> Decision:
    if payment.state.is_final:
        return after_final(payment, "doubt_late", now, has_it=True)
    return Decision(
        state=State.UNKNOWN if payment.accepted_at is None else State.PENDING,
        work=Work.SETTLE,
        due_at=now + schedule.next_ask_seconds(payment.attempts + 1),
        event="outcome_unknown",
        details={"why": fact.why},
        changes=_sent(payment, now) | {"doubtful": True},
        notify="payment.unknown" if payment.state is State.CREATED else None,
    )


def _not_known(payment: Payment, now: float) -> Decision:
    if payment.state.is_final:
        return after_final(payment, "not_known_after_final", now, answered=True)
    absent = {
        "polls": payment.polls + 1,
        "absences": payment.absences + 1,
        "absent_since": payment.absent_since or now,
    }
    if payment.accepted_at is not None:
        due_at = poll_at(payment, now=now)
        return same(
            payment, "not_visible", due_at=due_at, work=Work.SETTLE,
            changes=absent, review=due_at is None,
        )  # fmt: skip
    if payment.refused_code is not None and not payment.doubtful:
        return _refusal_confirmed(payment, payment.refused_code, now, changes=absent)
    sent_at = payment.first_sent_at or payment.sendable_since
    window = schedule.send_window_seconds(is_push=payment.is_push)
    if now - sent_at <= window:
        return same(payment, "not_received", due_at=now, work=Work.SUBMIT, changes=absent)
    since = payment.absent_since or now
    proven = (
        payment.absences + 1 >= schedule.ABSENCES_NEEDED
        and now - since >= schedule.ABSENT_SECONDS_NEEDED
    )
    if proven:
        return final(payment, State.FAILED, now, reason="NEVER_RECEIVED", changes=absent)
    pause = schedule.next_ask_seconds(payment.absences + 3)
    return same(payment, "not_received", due_at=now + pause, work=Work.SETTLE, changes=absent)


def _refusal_confirmed(
    payment: Payment, code: str, now: float, *, changes: dict[str, Any]
) -> Decision:
    """MTN refused it and knows nothing of it: it is over, or waits for a setting to be mended."""
    window = schedule.send_window_seconds(is_push=payment.is_push)
    if code in SETTING_CODES and now - payment.sendable_since <= window:
        due_at = now + schedule.next_submit_seconds(payment.attempts)
        return same(
            payment, "waits_for_setting", due_at=due_at, work=Work.SUBMIT,
            details={"code": code}, changes=changes,
        )  # fmt: skip
    known = changes | {"refused_code": None}
    return final(payment, State.FAILED, now, reason=code, changes=known)


def _no_answer(payment: Payment, fact: NoAnswer, now: float) -> Decision:
    details = {"why": fact.why}
    if payment.state.is_final and payment.work is None:
        return same(payment, "status_unavailable", due_at=None, details=details)
    # The question is repeated however old the payment is; past the age of review a person is told.
    old = not payment.state.is_final and poll_at(payment, now=now) is None
    due = now + schedule.next_ask_seconds(fact.failures)
    return same(payment, "status_unavailable", due_at=due, details=details, review=old)


def _sent(payment: Payment, now: float) -> dict[str, Any]:
    """Note a send that may have arrived: a run of "not known" from before it proves nothing now."""
    return {
        "attempts": payment.attempts + 1,
        "first_sent_at": payment.first_sent_at or now,
        "absent_since": None,
        "absences": 0,
        "refused_code": None,
    }
