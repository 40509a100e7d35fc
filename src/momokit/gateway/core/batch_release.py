"""What becomes of a batch's payment while it waits: let go, held back, or overtaken. Pure.

These follow no word of MTN's, so they stand beside `decide` and not in it. None of them touches a
payment of which a byte may have left.
"""

from __future__ import annotations

from momokit.gateway.core.batch import EARLIER_ATTEMPT_PAID
from momokit.gateway.core.facts import Decision
from momokit.gateway.core.payment import Payment, State, Work


class NotHeld(ValueError):
    """The payment is under way or over: its batch has no more say in it."""


def has_not_left(payment: Payment) -> bool:
    """Tell whether it is certain that nothing of a payment was sent."""
    return (
        payment.state is State.CREATED
        and payment.first_sent_at is None
        and not (payment.sending or payment.doubtful)
    )


def release(payment: Payment, now: float) -> Decision:
    """Let a payment go that waited for its batch. Raises NotHeld."""
    if not has_not_left(payment) or payment.work is not None:
        raise NotHeld(payment.id)
    return Decision(
        state=State.CREATED,
        work=Work.SUBMIT,
        due_at=now,
        event="released",
        changes={"released_at": now},
    )


def hold_back(payment: Payment, now: float) -> Decision:
    """Take back a payment that was let go and that nobody has taken up. Raises NotHeld."""
    del now
    if not has_not_left(payment):
        raise NotHeld(payment.id)
    return Decision(
        state=State.CREATED,
        work=None,
        due_at=None,
        event="held_back",
        changes={"released_at": None},
        held=True,
    )


def overtaken(payment: Payment, now: float) -> Decision:
    """End a payment whose earlier attempt was paid after all. Raises NotHeld."""
    if not has_not_left(payment):
        raise NotHeld(payment.id)
    return Decision(
        state=State.FAILED,
        work=None,
        due_at=None,
        event=State.FAILED.value,
        details={"reason": EARLIER_ATTEMPT_PAID, "before": payment.state.value},
        changes={"final_at": now, "reason_code": EARLIER_ATTEMPT_PAID},
        notify="payment.failed",
    )
