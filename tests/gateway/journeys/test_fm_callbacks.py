"""Rows of the failure matrix about callbacks: early, many, late, disordered, or forged."""

from __future__ import annotations

import asyncio
import json
import os
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import urlsplit

import pytest

from momokit.callbacks import callback_token_hash
from momokit.gateway.store.inbox import Hint, HintRequest
from momokit.gateway.store.recording import ASK_GAP_SECONDS
from tests.gateway.journeys.whole import Whole, whole

pytestmark = pytest.mark.anyio

REJECTED = "46733123451"


FLOOD = 2000
FORGED: list[Any] = [
    {"status": status, "amount": amount, "currency": "EUR", "externalId": external_id}
    for status in ("SUCCESSFUL", "FAILED", "successful", 7, None)
    for amount in ("5", "999999", "-5", None)
    for external_id in ("{other}", "")
]
FORGED += [
    [], "SUCCESSFUL", {"referenceId": "{other}", "status": "SUCCESSFUL"}, {"a" * 4000: "b"},
    {"status": "FAILED", "reason": {"code": "PAYER_NOT_FOUND"}}, None, 1e300, {"x": [[[[]]]] * 9},
]  # fmt: skip


def guess() -> str:
    """Make a token as long as ours are."""
    return urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()


async def all_ended(gateway: Whole, ids: list[str]) -> bool:
    """Tell whether our books have an end for each."""
    return all([(await gateway.stored(one)).state.is_final for one in ids])


async def sent(gateway: Whole) -> str:
    """Give the reference id of the only payment, once MTN has it."""
    while not (there := gateway.emulator.payments()):  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.01)
    return there[0].reference_id


async def test_fm_03_a_callback_before_our_202_is_not_lost(url: str) -> None:
    """The row is there before anything is sent, so the callback finds it."""
    async with whole(url, callbacks_on=True) as gateway:
        gateway.emulator.faults.add("callback_before_202")
        kinds = ["request_to_pay", "transfer"] * 10
        ids = [await gateway.pay(kind, amount=str(n + 1)) for n, kind in enumerate(kinds)]
        await gateway.heard(len(ids))
        await gateway.until_quiet()
        truths = await gateway.truths(ids)
        finals = [(await gateway.events(one)).count("successful") for one in ids]

    assert truths == [("successful", 1)] * len(ids)
    assert finals == [1] * len(ids)


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


async def test_fm_04_whatever_is_forged_for_a_real_path_the_state_is_the_providers(
    sqlite_url: str,
) -> None:
    """Either last word, other money, another's numbers and plain nonsense, while it is open."""
    async with whole(sqlite_url, callbacks_on=True) as gateway:
        gateway.emulator.faults.add("stuck_pending", times=1)
        payment_id, ended = await gateway.pay(), await gateway.pay(party=REJECTED)
        await gateway.heard(1)
        other = (await gateway.stored(ended)).request.reference_id
        reference_id = (await gateway.stored(payment_id)).request.reference_id
        stuck = gateway.emulator.payment(reference_id)
        path = urlsplit(stuck.callback_url).path
        codes = set()
        for body in FORGED:
            plain = json.dumps(body).replace("{other}", other).encode()
            codes.add((await gateway.http.put(path, content=plain)).status_code)
            codes.add((await gateway.http.post(path, content=plain[:-1])).status_code)
        await gateway.until_quiet(horizon_seconds=60.0)
        truths = await gateway.truths([payment_id, ended])
        events = await gateway.events(payment_id)

    assert codes == {200}
    assert truths == [("pending", 0), ("failed", 0)]
    assert {"successful", "failed", "corrected"} & set(events) == set()


async def test_fm_04_a_guessed_path_is_a_plain_404(sqlite_url: str) -> None:
    """Whatever is tried at paths that nobody was given costs MTN nothing, and tells nothing: a
    hundred times over HTTP, and ten thousand times behind it."""
    async with whole(sqlite_url, callbacks_on=True) as gateway:
        gateway.emulator.faults.add("stuck_pending")
        payment_id = await gateway.pay()
        await gateway.until_quiet(horizon_seconds=1.0)
        answers = set()
        for token in (guess() for _ in range(100)):
            body = {"status": "SUCCESSFUL", "externalId": payment_id}
            answers.add((await gateway.http.post(f"/cb/{token}", json=body)).status_code)
        store = gateway.gateway.store
        tries = [
            HintRequest(callback_token_hash=callback_token_hash(guess()), body=b"{}", method="PUT")
            for _ in range(10_000)
        ]
        hints = set(await asyncio.gather(*(store.hint(one) for one in tries)))
        timeline = await store.timeline(payment_id)

    assert (answers, hints) == ({404}, {Hint.UNKNOWN})
    assert timeline is not None
    assert list(timeline.callbacks) == []


async def test_fm_05_a_flood_asks_no_more_than_one_question_in_two_seconds(url: str) -> None:
    """Thousands of bodies, each another, for one payment: they cost few questions, and other
    payments end while they come."""
    async with whole(url, callbacks_on=True, speed=1.0) as gateway:
        gateway.emulator.faults.add("stuck_pending", times=1)
        began = gateway.clock.now()
        await gateway.pay()
        reference_id = await sent(gateway)
        path = urlsplit(gateway.emulator.payment(reference_id).callback_url).path
        others: list[str] = []
        for wave in range(FLOOD // 50):
            bodies = [{"status": "PENDING", "n": wave * 50 + n} for n in range(50)]
            puts = [gateway.http.put(path, json=body) for body in bodies]
            if wave < 10:
                puts.append(gateway.pay("transfer", amount=str(wave + 1)))  # type: ignore[arg-type]
            others += [one for one in await asyncio.gather(*puts) if isinstance(one, str)]
        while not await all_ended(gateway, others):
            await gateway.http.put(path, json={"n": os.urandom(8).hex()})
        passed = gateway.clock.now() - began
        asked = gateway.asked("RequesttoPayTransactionStatus")
        others_asked = gateway.asked("GetTransferStatus")
        truths = await gateway.truths(others)

    assert asked <= passed / ASK_GAP_SECONDS + 1
    assert len(others) <= others_asked <= 4 * len(others)
    assert truths == [("successful", 1)] * 10


async def test_fm_06_fifty_equal_callbacks_are_one(url: str) -> None:
    """One row, one end, told once."""
    async with whole(url, callbacks_on=True) as gateway:
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


async def test_fm_08_a_success_that_becomes_a_failure_is_corrected(url: str) -> None:
    """A callback that contradicts the last word is not believed: MTN is, and it is raised."""
    async with whole(url, callbacks_on=True) as gateway:
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
