"""Learn the truth about a payment from MTN: the status question, and what follows from it."""

from __future__ import annotations

from dataclasses import replace

from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import Decision, Fact, NoAnswer, Told
from momokit.gateway.core.payment import Payment, State
from momokit.gateway.core.status_words import read_word
from momokit.gateway.core.telling import mismatch
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.outgoing import outgoing_of
from momokit.gateway.provider import Provider
from momokit.gateway.store.records import Claimed, Recorded
from momokit.gateway.store.store import Store


async def settle(claimed: Claimed, *, store: Store, provider: Provider) -> Recorded | None:
    """Ask once about one claimed payment and record what was learned; None without a lease."""
    pass_by("settle.after_claim")
    pass_by("settle.before_ask")
    outgoing = outgoing_of(claimed)
    learned = await provider.status(outgoing, failures=claimed.ask_failures)
    pass_by("settle.after_ask")
    reference_id = claimed.payment.cancel_reference_id
    if reference_id is not None and _is_to_be_cancelled(claimed.payment, learned.fact):
        # Asked about first each time: of a cancellation whose answer was lost, the status tells.
        pass_by("cancel.before_send")
        learned = await provider.cancel(
            outgoing, reference_id=reference_id, failures=claimed.ask_failures
        )
        pass_by("cancel.after_send")
    fact = learned.fact
    failures = fact.failures if isinstance(fact, NoAnswer) else 0

    def follow(payment: Payment, now: float) -> Decision:
        decision = decide(payment, fact, now=now)
        return replace(decision, changes=decision.changes | {"ask_failures": failures})

    recorded = await store.record(claimed.id, follow, lease_token=claimed.lease_token)
    pass_by("settle.after_record")
    return recorded


def _is_to_be_cancelled(payment: Payment, fact: Fact) -> bool:
    """Tell whether MTN has it, as ours, and it still stands though it was to be cancelled."""
    if not payment.wants_cancel or not isinstance(fact, Told):
        return False
    if mismatch(payment, fact) is not None:
        return False
    state = read_word(payment.kind, fact.status).state
    granted = payment.kind == "pre_approval" and state is State.SUCCESSFUL
    return granted or state not in (State.SUCCESSFUL, State.FAILED)
