"""The bell: who waits for it can be called off, at whatever moment it rings."""

from __future__ import annotations

import asyncio

import pytest

from momokit.gateway.store.bell import Bell

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("steps", range(6))
async def test_a_cancellation_is_not_lost_in_a_ring(steps: int) -> None:
    """A worker that is told to stop while work is announced stops."""
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(timeout_seconds=30.0, seen=None))
    await asyncio.sleep(0)
    bell.ring()
    for _ in range(steps):
        await asyncio.sleep(0)
    was_cancelled = waiting.cancel()
    (ended,) = await asyncio.gather(waiting, return_exceptions=True)

    assert isinstance(ended, asyncio.CancelledError) is was_cancelled
