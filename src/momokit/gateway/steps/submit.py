"""Put a payment to MTN: claimed and marked on disk, sent once, the outcome recorded."""

from __future__ import annotations

from dataclasses import replace

from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import Decision, Doubt, NeverLeft
from momokit.gateway.core.payment import Payment
from momokit.gateway.core.schedule import send_window_seconds
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.outgoing import outgoing_of
from momokit.gateway.provider import Learned, Provider
from momokit.gateway.store.accounts import close_lane
from momokit.gateway.store.records import Claimed, Recorded
from momokit.gateway.store.store import Store

KNOWN_BEFORE = (
    "MTN knew this payment's reference id before it was first sent: were these books restored"
    " from a backup, or is a copy of them at work? The account's sends are stopped."
)
STOPPED = "The account's sends are stopped until a person has mended this and resumes them:"


async def submit(
    claimed: Claimed, *, store: Store, provider: Provider, now: float
) -> Recorded | None:
    """Carry one claimed send through to its record; None when the lease was lost meanwhile.

    A payment found in the middle of a send was left there by a worker that died: it may have been
    sent, so MTN is asked before anything is sent again. One whose time is over (the workers were
    down, say) is not sent any more: a prompt would come out of the blue. `now` is when it was
    claimed.
    """
    pass_by("submit.after_claim")
    window_seconds = send_window_seconds(is_push=claimed.payment.is_push)
    if claimed.was_sending:
        learned = Learned(fact=Doubt(why="the worker before this one died while sending"))
    elif now - claimed.payment.sendable_since > window_seconds:
        learned = Learned(fact=NeverLeft(why="its time to be sent is over"))
    else:
        pass_by("submit.before_send")
        learned = await provider.submit(outgoing_of(claimed))
        pass_by("submit.after_send")

    def follow(payment: Payment, now: float) -> Decision:
        decision = decide(payment, learned.fact, now=now)
        return decision if raised is None else replace(decision, incident=raised)

    # First the lane, then the record: the record makes the payment due again.
    was_there = learned.known_before and _is_first(claimed)
    stop = learned.lane_stop or (KNOWN_BEFORE if was_there else None)
    raised = KNOWN_BEFORE if was_there else None
    if stop is not None and await store.write(
        lambda transaction: close_lane(transaction, claimed.account_id, reason=stop)
    ):
        raised = raised or f"{STOPPED} {stop}"
    recorded = await store.record(claimed.id, follow, lease_token=claimed.lease_token)
    pass_by("submit.after_record")
    return recorded


def _is_first(claimed: Claimed) -> bool:
    """Tell whether no send of it can have gone before this one."""
    payment = claimed.payment
    return not (payment.attempts or payment.doubtful or claimed.was_sending)
