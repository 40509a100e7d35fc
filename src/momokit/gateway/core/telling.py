"""What follows from MTN's answer to the status question. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from momokit.gateway.core.due import audit_again_at, poll_at
from momokit.gateway.core.facts import Decision, Told
from momokit.gateway.core.follow import UNDER_WAY, after_final, final, same
from momokit.gateway.core.payment import Payment, State, Work
from momokit.gateway.core.schedule import DAY
from momokit.gateway.core.status_words import read_word


def told(payment: Payment, fact: Told, now: float) -> Decision:
    """Follow what MTN says of a payment, once it is seen to be this payment."""
    wrong = mismatch(payment, fact)
    if wrong is not None:
        due_at = (audit_again_at if payment.state.is_final else poll_at)(payment, now=now)
        if due_at is None and payment.state is State.FAILED:
            due_at = now + DAY  # what MTN says of something else proves no failure
        return same(
            payment,
            "mismatch",
            due_at=due_at,
            work=Work.SETTLE,
            details={"field": wrong},
            incident=f"MTN's answer has another {wrong} than was sent.",
            review=True,
        )
    # MTN has it, whatever it answered to the send.
    seen: dict[str, Any] = {
        "polls": payment.polls + 1, "absent_since": None, "absences": 0, "refused_code": None,
    }  # fmt: skip
    state, reason = read_word(payment.kind, fact.status)
    if state is State.SUCCESSFUL:
        number = fact.financial_transaction_id or payment.financial_transaction_id
        known = seen | {"financial_transaction_id": number}
        return final(payment, State.SUCCESSFUL, now, reason=None, changes=known)
    if state is State.FAILED:
        why = fact.reason_code or reason or "UNSPECIFIED"
        decision = final(payment, State.FAILED, now, reason=why, changes=seen)
        if _was_granted(payment) and payment.cancel_reference_id is not None:
            # What was granted and then cancelled, because we asked, contradicts nothing.
            return replace(decision, event="cancelled", notify="payment.failed", incident=None)
        return decision
    return _open(payment, fact, now, seen=seen, strange=state is None)


def _was_granted(payment: Payment) -> bool:
    """Tell whether MTN itself has granted a permission; a person's word, or money, is no grant."""
    by_mtn = payment.state is State.SUCCESSFUL and payment.settled_by is None
    return by_mtn and payment.kind == "pre_approval"


def _open(
    payment: Payment, fact: Told, now: float, *, seen: dict[str, Any], strange: bool
) -> Decision:
    details = {"status": fact.status}
    if payment.state.is_final:
        behind = after_final(
            payment, "status_behind", now, has_it=True, answered=True, details=details
        )
        failed = payment.state is State.FAILED
        return replace(behind, incident=UNDER_WAY) if failed else behind
    due_at = poll_at(payment, now=now)
    return Decision(
        state=State.PENDING,
        work=Work.SETTLE if due_at is not None else None,
        due_at=due_at,
        event="status_unclassified" if strange else "still_open",
        details=details,
        changes=seen | {"accepted_at": payment.accepted_at or now},
        notify="payment.pending" if payment.state is not State.PENDING else None,
        incident="MTN's answer has a status that is not known here." if strange else None,
        review=due_at is None,
    )


def mismatch(payment: Payment, fact: Told) -> str | None:
    """Name the first field in which MTN's answer differs from what was sent, if one does."""
    pairs = (
        ("amount", fact.amount, payment.amount),
        ("currency", fact.currency, payment.currency),
        ("party", fact.party_id, payment.party_id),
        ("external_id", fact.external_id, payment.external_id),
    )
    for name, said, sent in pairs:
        if said is not None and sent is not None and said != sent:
            return name
    return None
