"""Long-polls: a request that waits for a payment's last word, without asking all the time."""

from __future__ import annotations

import asyncio

from momokit.gateway.api.edge import Edge
from momokit.gateway.store.records import StoredPayment

LONGEST_WAIT_SECONDS = 30.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 1.0


async def wait_until_final(edge: Edge, stored: StoredPayment, *, seconds: float) -> StoredPayment:
    """Wait for a payment's last word, for so long at most; give it as it is then.

    When too many wait already, or the service is about to stop, the answer comes at once.
    """
    if seconds <= 0 or stored.state.is_final or edge.long_polls.locked():
        return stored
    async with edge.long_polls:
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + seconds, _FIRST_PAUSE_SECONDS
        while (left := end - loop.time()) > 0 and not edge.closing.is_set():
            # A busy gateway rings its bell all the time: the pause bounds what a wait may cost.
            seen = edge.store.wakes
            await _closing_or(edge.closing, seconds=min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            left = end - loop.time()
            if left > 0 and edge.store.wakes == seen:
                await edge.store.wait_for_work(min(pause, left), seen=seen)
            stored = await edge.store.payment(stored.id) or stored
            if stored.state.is_final:
                break
    return stored


async def _closing_or(closing: asyncio.Event, *, seconds: float) -> None:
    try:
        await asyncio.wait_for(closing.wait(), seconds)
    except TimeoutError:
        return
