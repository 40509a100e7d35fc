"""Rows of the failure matrix about callbacks: early, many, late, disordered, or forged."""

from __future__ import annotations

import asyncio
import os
from base64 import urlsafe_b64encode
from urllib.parse import urlsplit

import pytest

from momokit.gateway.store.recording import ASK_GAP_SECONDS
from tests.gateway.journeys.whole import Whole, whole

pytestmark = pytest.mark.anyio

REJECTED = "46733123451"


async def sent(gateway: Whole) -> str:
    """Give the reference id of the only payment, once MTN has it."""
    while not (there := gateway.emulator.payments()):  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.01)
    return there[0].reference_id


async def test_fm_03_a_callback_before_our_202_is_not_lost(sqlite_url: str) -> None:
    """The row is there before anything is sent, so the callback finds it."""
    async with whole(sqlite_url, callbacks_on=True) as gateway:
        gateway.emulator.faults.add("callback_before_202")
        ids = [await gateway.pay(), await gateway.pay("transfer")]
        await gateway.heard(2)
        await gateway.until_quiet()
        truths = await gateway.truths(ids)

    assert truths == [("successful", 1)] * 2


async def test_fm_04_a_forged_callback_changes_nothing_but_the_time_of_a_question(
    sqlite_url: str,
) -> None:
    """It says SUCCESSFUL; MTN, which is asked, says FAILED, and so do we."""
    async with whole(sqlite_url, callbacks_on=True) as gateway:
        gateway.emulator.faults.add("forge", status="SUCCESSFUL", amount="999")
        payment_id = await gateway.pay(party=REJECTED)
        await gateway.heard(2)
        await gateway.until_quiet()
        truths = await gateway.truths([payment_id])
        events = await gateway.events(payment_id)

    assert truths == [("failed", 0)]
    assert "successful" not in events


async def test_fm_04_a_guessed_path_is_a_plain_404(sqlite_url: str) -> None:
    """Whatever is tried at paths that nobody was given costs MTN nothing, and tells nothing."""
    async with whole(sqlite_url, callbacks_on=True) as gateway:
        answers = set()
        for _ in range(100):
            token = urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
            body = {"status": "SUCCESSFUL", "externalId": "pay_1"}
            answers.add((await gateway.http.post(f"/cb/{token}", json=body)).status_code)
        asked = len(gateway.emulator.history)

    assert answers == {404}
    assert asked == 0


async def test_fm_05_a_flood_asks_no_more_than_one_question_in_two_seconds(
    sqlite_url: str,
) -> None:
    """Each body differs; they are coalesced, and another payment is served meanwhile."""
    async with whole(sqlite_url, callbacks_on=True, speed=1.0) as gateway:
        gateway.emulator.faults.add("stuck_pending", times=1)
        began = gateway.clock.now()
        await gateway.pay()
        reference_id = await sent(gateway)
        path = urlsplit(gateway.emulator.payment(reference_id).callback_url).path
        for start in range(0, 300, 20):
            bodies = [{"status": "PENDING", "n": start + n} for n in range(20)]
            await asyncio.gather(*(gateway.http.put(path, json=body) for body in bodies))
        other = await gateway.pay("transfer")
        await gateway.until_quiet(horizon_seconds=20.0)
        passed = gateway.clock.now() - began
        asked = gateway.asked("RequesttoPayTransactionStatus")
        truths = await gateway.truths([other])

    assert asked <= passed / ASK_GAP_SECONDS + 1
    assert truths == [("successful", 1)]


async def test_fm_06_fifty_equal_callbacks_are_one(sqlite_url: str) -> None:
    """One row, one end, told once."""
    async with whole(sqlite_url, callbacks_on=True) as gateway:
        gateway.emulator.faults.add("dup_callback", n=50)
        payment_id = await gateway.pay()
        await gateway.heard(50)
        await gateway.until_quiet()
        timeline = await gateway.gateway.store.timeline(payment_id)
        events = await gateway.events(payment_id)
        incidents = await gateway.incidents()

    assert timeline is not None
    assert [one.seen for one in timeline.callbacks] == [50]
    assert events.count("successful") == 1
    assert incidents == []


async def test_fm_07_a_pending_after_the_end_changes_nothing(sqlite_url: str) -> None:
    """A callback that was overtaken by the last word is kept, and no more."""
    async with whole(sqlite_url, callbacks_on=True) as gateway:
        gateway.emulator.faults.add("reorder")
        payment_id = await gateway.pay()
        await gateway.heard(2)
        await gateway.until_quiet()
        truths = await gateway.truths([payment_id])
        incidents = await gateway.incidents()

    assert truths == [("successful", 1)]
    assert incidents == []


async def test_fm_08_a_success_that_becomes_a_failure_is_corrected(sqlite_url: str) -> None:
    """A callback that contradicts the last word is not believed: MTN is, and it is raised."""
    async with whole(sqlite_url, callbacks_on=True) as gateway:
        payment_id = await gateway.pay()
        await gateway.heard(1)
        await gateway.until_quiet()
        reference_id = (await gateway.stored(payment_id)).request.reference_id
        gateway.emulator.forge(reference_id, status="FAILED")
        await gateway.heard(2)
        await gateway.until_quiet()
        believed = (await gateway.stored(payment_id)).state
        gateway.emulator.faults.add("flip_final")
        gateway.emulator.forge(reference_id, status="FAILED", amount="6")
        await gateway.heard(3)
        await gateway.until_quiet()
        after = (await gateway.stored(payment_id)).state
        incidents = await gateway.incidents()

    assert (believed, after) == ("successful", "failed")
    assert len(incidents) == 1
