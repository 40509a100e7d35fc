"""After a restore: ask MTN about all that may have changed since the copy, before money moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import Decision, NotKnown, Told
from momokit.gateway.core.payment import Payment
from momokit.gateway.outgoing import outgoing_of
from momokit.gateway.provider import Provider
from momokit.gateway.store.holds import Hold, advance, find_hold, gap_page
from momokit.gateway.store.records import StoredPayment
from momokit.gateway.store.store import Store

PAGE = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """How one page of the audit went. Not `complete`: MTN did not answer, it is asked again."""

    asked: int
    moved: int
    complete: bool
    is_last: bool


async def audit_page(
    store: Store, *, provider: Provider, wait_for_place: Callable[[str], Awaitable[None]]
) -> Page | None:
    """Ask about the next payments of the gap; None when nothing is held, or all was asked.

    What MTN tells is recorded. That it knows nothing of a payment changes nothing: what was never
    sent stays so, and waits for the release. `wait_for_place` keeps within MTN's limit of
    questions, by account.
    """
    hold = await store.read(find_hold)
    if hold is None or hold.audited_at is not None:
        return None
    page = await store.read(lambda t: gap_page(t, hold, limit=PAGE))

    async def ask(stored: StoredPayment) -> bool | None:
        await wait_for_place(stored.account_id)
        return await _ask(stored, store=store, provider=provider)

    moved = await asyncio.gather(*(ask(one) for one in page))
    complete = None not in moved
    if complete:
        await _note(store, hold, page, moved=sum(one is True for one in moved))
    return Page(
        asked=len(page),
        moved=sum(one is True for one in moved),
        complete=complete,
        is_last=not page,
    )


async def _note(store: Store, hold: Hold, page: list[StoredPayment], *, moved: int) -> None:
    last = page[-1] if page else None
    await store.write(lambda t: advance(t, hold, last=last, asked=len(page), moved=moved))


async def _ask(stored: StoredPayment, *, store: Store, provider: Provider) -> bool | None:
    """Ask about one payment: did it move? None is that no usable answer came."""
    learned = await provider.status(outgoing_of(stored))
    fact = learned.fact
    if isinstance(fact, NotKnown):
        return False
    if not isinstance(fact, Told):
        return None

    def follow(payment: Payment, now: float) -> Decision:
        return decide(payment, fact, now=now)

    recorded = await store.record(stored.id, follow, lease_token=None)
    return recorded is not None and recorded.before is not recorded.payment.state
