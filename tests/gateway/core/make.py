"""Payments and facts to decide upon."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from momokit.gateway.core.decide import decide
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
from momokit.gateway.core.payment import Payment, State, Work

NOW = 1_800_000_000.0
PUSH, PULL = "transfer", "request_to_pay"


def created(**changes: Any) -> Payment:
    """A payment as it is accepted from a merchant: not sent yet."""
    fresh = Payment(
        id="pay_1", kind=PULL, state=State.CREATED, amount=Decimal("5000"), currency="UGX",
        external_id="ext_1", party_id="256772123456", created_at=NOW, work=Work.SUBMIT,
    )  # fmt: skip
    return replace(fresh, **changes)


def pending(**changes: Any) -> Payment:
    """A payment that MTN has, since now."""
    known = {"state": State.PENDING, "work": Work.SETTLE, "attempts": 1}
    return created(**(known | {"first_sent_at": NOW, "accepted_at": NOW} | changes))


def unknown(**changes: Any) -> Payment:
    """A payment that was sent now, without a readable answer."""
    known = {"state": State.UNKNOWN, "work": Work.SETTLE, "attempts": 1}
    return created(**(known | {"first_sent_at": NOW, "doubtful": True} | changes))


def successful(**changes: Any) -> Payment:
    """A payment that moved money, settled now."""
    known = {"state": State.SUCCESSFUL, "work": None, "financial_transaction_id": "9001"}
    return pending(**(known | {"final_at": NOW} | changes))


def failed(**changes: Any) -> Payment:
    """A payment that failed now, for a reason that is believed."""
    known = {"state": State.FAILED, "work": None, "reason_code": "APPROVAL_REJECTED"}
    return pending(**(known | {"final_at": NOW} | changes))


def apply(payment: Payment, decision: Decision) -> Payment:
    """Write a decision, as the store does: the lease ends, and with it the sending."""
    return replace(
        payment,
        state=decision.state,
        work=decision.work,
        sending=False,
        **{name: value for name, value in decision.changes.items() if name != "review"},
    )


def after(payment: Payment, *facts: Any, now: float = NOW) -> tuple[Payment, Decision]:
    """Let facts follow one another at one moment; give the payment and the last decision."""
    for fact in facts:
        decision = decide(payment, fact, now=now)
        payment = apply(payment, decision)
    return payment, decision


def told(status: str | None, **changes: Any) -> Told:
    """MTN's answer that agrees with what was sent."""
    answer = Told(
        status=status, amount=Decimal("5000.00"), currency="UGX",
        party_id="256772123456", external_id="ext_1",
    )  # fmt: skip
    return replace(answer, **changes)


STATES: dict[str, Payment] = {
    "created": created(),
    "unknown": unknown(),
    "pending": pending(),
    "successful": successful(),
    "failed": failed(),
}
FACTS: dict[str, Fact] = {
    "taken": Taken(),
    "turned_down": TurnedDown(code="PAYER_NOT_FOUND", status=500),
    "never_left": NeverLeft(why="connection refused"),
    "doubt": Doubt(why="timeout"),
    "told_pending": told("PENDING"),
    "told_created": told("CREATED"),
    "told_strange": told("WAITING"),
    "told_successful": told("SUCCESSFUL", financial_transaction_id="9001"),
    "told_failed": told("FAILED", reason_code="EXPIRED"),
    "told_other_amount": told("SUCCESSFUL", amount=Decimal("50000")),
    "not_known": NotKnown(),
    "no_answer": NoAnswer(why="timeout"),
    "withdrawn": Withdrawn(),
    "cancel_asked": CancelAsked(reference_id="5a3c2f0e-7a86-4f0e-9d4b-0b8f7f1f3c55"),
    "cancel_taken": CancelAnswered(taken=True, status=202),
    "cancel_turned_down": CancelAnswered(taken=False, status=400),
    "person_successful": PersonSays(outcome="successful", evidence="E", because="B", by="Ama"),
    "person_failed": PersonSays(outcome="failed", evidence="E", because="B", by="Ama"),
}
