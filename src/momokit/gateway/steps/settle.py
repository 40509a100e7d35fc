"""Learn the truth about a payment from MTN: the status question, and what follows from it."""

from __future__ import annotations

from momokit.gateway.core.decide import decide
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
    recorded = await store.record(
        claimed.id,
        lambda payment, now: decide(payment, learned.fact, now=now),
        lease_token=claimed.lease_token,
    )
    pass_by("settle.after_record")
    return recorded
