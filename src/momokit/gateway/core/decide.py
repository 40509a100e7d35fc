"""What follows from what was learned: the one place where a payment's state is decided. Pure.

`decide(payment, fact, now)` looks at a payment and one new fact and says what to write: the state,
what is due next, what goes into the history, and what the merchant is told. It never guesses: a
fact that proves nothing changes nothing but the time of the next question.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeAlias

from momokit.gateway.core import schedule
from momokit.gateway.core.due import audit_again_at, audit_at, poll_at
from momokit.gateway.core.payment import MOVES, OPEN_STATUSES, Payment, State, Work


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """MTN has it: 202, or 409 on our own id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnedDown:
    """MTN said no to this send."""

    code: str | None
    status: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NeverLeft:
    """This send certainly did not reach MTN."""

    why: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """This send may have reached MTN; no readable answer came."""

    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """MTN's answer to the status question."""

    status: str | None
    reason_code: str | None = None
    financial_transaction_id: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    party_id: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotKnown:
    """MTN knows no such reference id at present."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoAnswer:
    """The status question got no usable answer. `failures` counts those in a row, this one too."""

    why: str
    failures: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawn:
    """The merchant takes back what has not left yet."""


Fact: TypeAlias = Taken | TurnedDown | NeverLeft | Doubt | Told | NotKnown | NoAnswer | Withdrawn


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What to write. `changes` are columns of the payment besides `state`, `work` and `due_at`.

    `event` goes into the history; `notify` is the webhook to the merchant, if any; `incident` is
    raised to the operators, if any; `review` puts the payment before a person.
    """

    state: State
    work: Work | None
    due_at: float | None
    event: str
    details: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    notify: str | None = None
    incident: str | None = None
    review: bool = False


def decide(payment: Payment, fact: Fact, *, now: float) -> Decision:
    """Say what follows from one new fact about a payment."""
    decision = _follow(payment, fact, now)
    if payment.sending and isinstance(fact, Told | NotKnown | NoAnswer | Withdrawn):
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
            return _told(payment, fact, now)
        case NotKnown():
            return _not_known(payment, now)
        case NoAnswer():
            return _no_answer(payment, fact, now)
        case Withdrawn():
            return _withdrawn(payment, now)


def _taken(payment: Payment, now: float) -> Decision:
    if payment.state.is_final:
        # The status was learned before our own send's answer was recorded: nothing goes back.
        return _after_final(payment, "accepted_late", now, has_it=True)
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
        return _after_final(payment, "refused_late", now, details=details)
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
    code = fact.code or f"HTTP_{fact.status}"
    return _final(payment, State.FAILED, now, reason=code, changes=_sent(payment, now))


def _never_left(payment: Payment, fact: NeverLeft, now: float) -> Decision:
    if payment.state.is_final:
        return _after_final(payment, "send_failed_late", now)
    sends = payment.attempts + 1
    least = fact.retry_after_seconds or 0.0
    if payment.doubtful or payment.accepted_at is not None:
        # An earlier send may have arrived, or did: this one proves nothing, so MTN is asked.
        return _same(
            payment, "resend_failed", due_at=now + max(schedule.next_ask_seconds(sends), least),
            work=Work.SETTLE, details={"why": fact.why}, changes={"attempts": sends},
        )  # fmt: skip
    window = schedule.send_window_seconds(is_push=payment.is_push)
    if now - payment.created_at > window:
        return _final(payment, State.FAILED, now, reason="NOT_SENT_IN_TIME")
    pause = max(schedule.next_submit_seconds(sends), least)
    return Decision(
        state=payment.state,
        work=Work.SUBMIT,
        due_at=now + pause,
        event="not_sent",
        details={"why": fact.why},
        changes={"attempts": sends},
    )


def _doubt(payment: Payment, fact: Doubt, now: float) -> Decision:
    if payment.state.is_final:
        return _after_final(payment, "doubt_late", now, has_it=True)
    return Decision(
        state=State.UNKNOWN if payment.accepted_at is None else State.PENDING,
        work=Work.SETTLE,
        due_at=now + schedule.next_ask_seconds(payment.attempts + 1),
        event="outcome_unknown",
        details={"why": fact.why},
        changes=_sent(payment, now) | {"doubtful": True},
        notify="payment.unknown" if payment.state is State.CREATED else None,
    )


def _told(payment: Payment, fact: Told, now: float) -> Decision:
    wrong = _mismatch(payment, fact)
    if wrong is not None:
        return _same(
            payment,
            "mismatch",
            due_at=(audit_again_at if payment.state.is_final else poll_at)(payment, now=now),
            work=Work.SETTLE,
            details={"field": wrong},
            incident=f"MTN's answer has another {wrong} than was sent.",
            review=True,
        )
    polled = {"polls": payment.polls + 1, "absent_since": None, "absences": 0}
    if fact.status == "SUCCESSFUL":
        number = fact.financial_transaction_id or payment.financial_transaction_id
        known = polled | {"financial_transaction_id": number}
        return _final(payment, State.SUCCESSFUL, now, reason=None, changes=known)
    if fact.status == "FAILED":
        return _final(
            payment, State.FAILED, now, reason=fact.reason_code or "UNSPECIFIED", changes=polled
        )
    details = {"status": fact.status}
    if payment.state.is_final:
        return _after_final(payment, "status_behind", now, has_it=True, details=details)
    due_at = poll_at(payment, now=now)
    strange = fact.status not in OPEN_STATUSES
    return Decision(
        state=State.PENDING,
        work=Work.SETTLE if due_at is not None else None,
        due_at=due_at,
        event="status_unclassified" if strange else "still_open",
        details=details,
        changes=polled | {"accepted_at": payment.accepted_at or now},
        notify="payment.pending" if payment.state is not State.PENDING else None,
        incident="MTN's answer has a status that is not known here." if strange else None,
        review=due_at is None,
    )


def _not_known(payment: Payment, now: float) -> Decision:
    if payment.state.is_final:
        return _after_final(payment, "not_known_after_final", now)
    absent = {
        "polls": payment.polls + 1,
        "absences": payment.absences + 1,
        "absent_since": payment.absent_since or now,
    }
    if payment.accepted_at is not None:
        due_at = poll_at(payment, now=now)
        return _same(
            payment, "not_visible", due_at=due_at, work=Work.SETTLE,
            changes=absent, review=due_at is None,
        )  # fmt: skip
    sent_at = payment.first_sent_at or payment.created_at
    window = schedule.send_window_seconds(is_push=payment.is_push)
    if now - sent_at <= window:
        return _same(payment, "not_received", due_at=now, work=Work.SUBMIT, changes=absent)
    since = payment.absent_since or now
    proven = (
        payment.absences + 1 >= schedule.ABSENCES_NEEDED
        and now - since >= schedule.ABSENT_SECONDS_NEEDED
    )
    if proven:
        return _final(payment, State.FAILED, now, reason="NEVER_RECEIVED", changes=absent)
    pause = schedule.next_ask_seconds(payment.absences + 3)
    return _same(payment, "not_received", due_at=now + pause, work=Work.SETTLE, changes=absent)


def _no_answer(payment: Payment, fact: NoAnswer, now: float) -> Decision:
    details = {"why": fact.why}
    if payment.state.is_final and payment.work is None:
        return _same(payment, "status_unavailable", due_at=None, details=details)
    # The question is repeated however old the payment is; past the age of review a person is told.
    old = not payment.state.is_final and poll_at(payment, now=now) is None
    due = now + schedule.next_ask_seconds(fact.failures)
    return _same(payment, "status_unavailable", due_at=due, details=details, review=old)


def _withdrawn(payment: Payment, now: float) -> Decision:
    if payment.state.is_final:
        details = {"why": "it is over"}
        return _after_final(payment, "cancel_refused", now, details=details)
    left = payment.first_sent_at is not None or payment.sending or payment.doubtful
    if payment.state is not State.CREATED or left:
        return _same(
            payment, "cancel_refused", due_at=now + schedule.next_ask_seconds(1),
            work=Work.SETTLE, details={"why": "it has left"},
        )  # fmt: skip
    return _final(payment, State.FAILED, now, reason="CANCELLED")


def _after_final(
    payment: Payment,
    event: str,
    now: float,
    *,
    has_it: bool = False,
    details: dict[str, Any] | None = None,
) -> Decision:
    """Note what comes after a last word: the audit that is due stays due.

    `has_it` says that MTN has the payment, or may: held against a failure it is asked about again.
    """
    due_at = audit_again_at(payment, now=now)
    if has_it and payment.state is State.FAILED:
        due_at = poll_at(payment, now=now)
    return _same(payment, event, due_at=due_at, work=Work.SETTLE, details=details)


def _final(
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
        due_at = audit_again_at(payment, now=now)
        return Decision(
            state=state,
            work=Work.SETTLE if due_at is not None else None,
            due_at=due_at,
            event="confirmed",
            changes=known,
        )
    contradicts = payment.state.is_final
    known |= {"final_at": now, "reason_code": reason}
    due_at = audit_at(state, reason=reason, age_seconds=0.0, now=now)
    return Decision(
        state=state,
        work=Work.SETTLE if due_at is not None else None,
        due_at=due_at,
        event="corrected" if contradicts else state.value,
        details={"reason": reason, "before": payment.state.value},
        changes=known,
        notify="payment.corrected" if contradicts else f"payment.{state.value}",
        incident=(
            f"MTN said {payment.state.value} before and says {state.value} now."
            if contradicts
            else None
        ),
    )


def _sent(payment: Payment, now: float) -> dict[str, Any]:
    """Note a send that may have arrived: a run of "not known" from before it proves nothing now."""
    return {
        "attempts": payment.attempts + 1,
        "first_sent_at": payment.first_sent_at or now,
        "absent_since": None,
        "absences": 0,
    }


def _same(
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


def _mismatch(payment: Payment, fact: Told) -> str | None:
    """Name the first field in which MTN's answer differs from what was sent, if one does."""
    pairs = (
        ("amount", fact.amount, payment.amount),
        ("currency", fact.currency, payment.currency),
        ("party", fact.party_id, payment.party_id),
        ("external_id", fact.external_id, payment.external_id),
    )
    for name, told, sent in pairs:
        if told is not None and sent is not None and told != sent:
            return name
    return None


def is_legal(before: State, after: State) -> bool:
    """Tell whether a state may follow another; staying is always legal."""
    return before is after or after in MOVES[before]
