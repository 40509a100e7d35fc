"""Learn the truth about a payment from MTN: the status question, and what follows from it."""

from __future__ import annotations

from dataclasses import replace

from momokit.gateway.core.decide import Decision, NoAnswer, decide
from momokit.gateway.core.payment import Payment
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.outgoing import outgoing_of
from momokit.gateway.provider import Provider
from momokit.gateway.store.records import Claimed, Recorded
from momokit.gateway.store.store import Store


async def settle(claimed: Claimed, *, store: Store, provider: Provider) -> Recorded | None:
    """Ask once about one claimed payment and record what was learned; None without a lease."""
    pass_by("settle.after_claim")
    pass_by("settle.before_ask")
    learned = await provider.status(outgoing_of(claimed), failures=claimed.ask_failures)
    pass_by("settle.after_ask")
    fact = learned.fact
    failures = fact.failures if isinstance(fact, NoAnswer) else 0

    def follow(payment: Payment, now: float) -> Decision:
        decision = decide(payment, fact, now=now)
        return replace(decision, changes=decision.changes | {"ask_failures": failures})

    recorded = await store.record(claimed.id, follow, lease_token=claimed.lease_token)
    pass_by("settle.after_record")
    return recorded
