"""Kill -9 between any two steps: what was committed is there, and what was begun shows."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from momokit.gateway.core.facts import Taken
from momokit.gateway.core.payment import State, Work
from momokit.gateway.store.store import Store
from tests.gateway.store.making import START, Clock, accept, new_payment, on

pytestmark = pytest.mark.anyio

PROGRAM = """
import asyncio, os, signal, sys
from momokit.gateway.core.payment import Work
from momokit.gateway.store.store import Store
from tests.gateway.store.making import START, new_payment, on
from tests.gateway.veiled import VEIL

async def main(url, point):
    store = Store(url, veil=VEIL, clock=lambda: START)
    if point == "during an acceptance":
        def die(transaction):
            os.kill(os.getpid(), signal.SIGKILL)
        await store.accept(new_payment("b"), idempotency=None, checks=[die])
    if point == "during a record":
        def decide(payment, now):
            os.kill(os.getpid(), signal.SIGKILL)
        await store.record("pay_a", decide, lease_token=None)
    await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(*sys.argv[1:]))
"""


def _die(url: str, point: str) -> int:
    """Run a process that kills itself at a point; give how it ended."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, url, point], check=False, timeout=20, capture_output=True
    )
    return done.returncode


async def test_fm_18_a_worker_killed_in_its_send_leaves_a_sign(
    store: Store, url: str, clock: Clock
) -> None:
    """Killed after its claim, it holds the payment until the lease ends; then the doubt shows."""
    await accept(store, "a")
    ended = _die(url, "after a claim")
    held = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    clock.advance(30)
    [claim] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    recorded = await store.record("pay_a", on(Taken()), lease_token=claim.lease_token)
    assert (ended, held) == (-signal.SIGKILL, [])
    assert (claim.was_sending, claim.lease_token) == (True, 2)
    assert recorded is not None
    assert not recorded.payment.sending


@pytest.mark.parametrize("point", ["during an acceptance", "during a record"])
async def test_fm_18_a_transaction_that_was_killed_never_was(
    store: Store, url: str, point: str
) -> None:
    """Nothing of it is there, and nothing of it is in the way."""
    await accept(store, "a")
    before = await store.timeline("pay_a")
    ended = _die(url, point)
    after = await store.timeline("pay_a")
    recorded = await store.record("pay_a", on(Taken()), lease_token=None)
    result = await store.accept(new_payment("b"), idempotency=None)
    assert (ended, after) == (-signal.SIGKILL, before)
    assert recorded is not None
    assert (recorded.sequence, result.payment.state) == (2, State.CREATED)
    assert recorded.at == START
