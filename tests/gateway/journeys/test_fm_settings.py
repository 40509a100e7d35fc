"""Row 16 of the failure matrix: settings that are wrong close the lane and fail nothing."""

from __future__ import annotations

import pytest

from momokit.emulator import EmulatorSettings
from momokit.gateway.core.payment import SETTING_CODES
from tests.gateway.journeys.whole import Whole, whole

pytestmark = pytest.mark.anyio

CODES = sorted(SETTING_CODES - {"UNKNOWN_PATH"})


async def waits_then_settles(gateway: Whole, payment_id: str, *, named: str) -> None:
    """See that a payment waits with its lane closed for a reason that is named, and that others do
    not meet the same wall."""
    waiting, account = await gateway.stored(payment_id), await gateway.account()
    incidents = await gateway.incidents()

    assert (waiting.state.value, waiting.payment.reason_code) == ("created", None)
    assert named in str(account.paused_reason)
    assert [named in text for text in incidents] == [True]


async def mended(gateway: Whole, payment_id: str) -> tuple[str, int]:
    """Resume, as a person does once the setting is mended; tell what became of the payment."""
    await gateway.resume()
    await gateway.until_quiet()
    [truth] = await gateway.truths([payment_id])
    return truth


@pytest.mark.parametrize("kind", ["transfer", "request_to_pay"])
@pytest.mark.parametrize("code", CODES)
async def test_fm_16_a_500_that_is_a_wrong_setting_waits_for_it_to_be_mended(
    code: str, kind: str, sqlite_url: str
) -> None:
    """MTN refuses every payment alike: none fails, the lane stops, and all goes once mended."""
    operation = "Transfer" if kind == "transfer" else "RequesttoPay"
    async with whole(sqlite_url) as gateway:
        fault = gateway.emulator.faults.add("status", code=500, body_code=code, operation=operation)
        payment_id = await gateway.pay(kind)
        await gateway.until_quiet()
        asked = gateway.asked(operation)
        await waits_then_settles(gateway, payment_id, named=code)
        gateway.emulator.faults.remove(fault.number)
        truth = await mended(gateway, payment_id)
        events = await gateway.events(payment_id)

    assert asked == 1
    assert truth == ("successful", 1)
    assert events[:3] == ["created", "refused", "waits_for_setting"]


@pytest.mark.parametrize("answer", ["401", "500"])
async def test_fm_16_login_failed_is_no_outage(answer: str, sqlite_url: str) -> None:
    """Wrong keys: the lane is closed at once, and the payment waits until they are put right."""
    async with whole(sqlite_url, emulator=EmulatorSettings(login_failure=answer)) as gateway:
        users = dict(gateway.emulator.state.users)
        gateway.emulator.state.users.clear()
        payment_id = await gateway.pay("transfer")
        await gateway.until_quiet()
        tokens = gateway.asked("CreateAccessToken")
        await waits_then_settles(gateway, payment_id, named="API user and key")
        gateway.emulator.state.users.update(users)
        truth = await mended(gateway, payment_id)

    assert tokens == 1
    assert truth == ("successful", 1)


async def test_fm_16_a_500_for_a_token_that_says_nothing_is_raised_and_repeated(
    sqlite_url: str,
) -> None:
    """It may be MTN's outage or a wrong key: the lane stays open, and a person is told of both."""
    unclear = EmulatorSettings(login_failure="500-unclear")
    async with whole(sqlite_url, emulator=unclear) as gateway:
        users = dict(gateway.emulator.state.users)
        gateway.emulator.state.users.clear()
        payment_id = await gateway.pay("transfer")
        await gateway.until_quiet(horizon_seconds=3600.0)
        waiting, account = await gateway.stored(payment_id), await gateway.account()
        incidents = await gateway.incidents()
        gateway.emulator.state.users.update(users)
        await gateway.until_quiet()
        truths = await gateway.truths([payment_id])

    assert (waiting.state.value, account.paused_reason) == ("created", None)
    assert ["API user" in text for text in incidents] == [True]
    assert truths == [("successful", 1)]


async def test_fm_16_a_wrong_subscription_key_closes_the_lane(sqlite_url: str) -> None:
    """MTN's gateway answers 401 before anything is read; the payment goes with the right key."""
    async with whole(sqlite_url, emulator=EmulatorSettings(strict_keys=True)) as gateway:
        keys = dict(gateway.emulator.state.keys)
        gateway.emulator.state.keys.clear()
        payment_id = await gateway.pay("transfer")
        await gateway.until_quiet()
        await waits_then_settles(gateway, payment_id, named="subscription key")
        gateway.emulator.state.keys.update(keys)
        truth = await mended(gateway, payment_id)

    assert truth == ("successful", 1)


async def test_fm_16_a_token_that_is_refused_on_the_payment_closes_the_lane(
    sqlite_url: str,
) -> None:
    """A fresh token is turned away too: nothing was processed, and the payment waits."""
    async with whole(sqlite_url) as gateway:
        fault = gateway.emulator.faults.add("status", code=401, body_code="", operation="Transfer")
        payment_id = await gateway.pay("transfer")
        await gateway.until_quiet()
        await waits_then_settles(gateway, payment_id, named="token")
        gateway.emulator.faults.remove(fault.number)
        truth = await mended(gateway, payment_id)

    assert truth == ("successful", 1)


async def test_fm_16_a_payers_payment_ends_in_time_though_its_lane_is_closed(
    sqlite_url: str,
) -> None:
    """A prompt minutes later would come out of the blue: it ends unsent, and nobody need resume."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.faults.add(
            "status", code=500, body_code="NOT_ALLOWED", operation="RequesttoPay"
        )
        payment_id = await gateway.pay()
        await gateway.until_quiet()
        gateway.clock.jump_to(gateway.clock.now() + 121.0)
        answer = await gateway.http.get(f"/v1/payments/{payment_id}?wait=30")
        [truth], sent = await gateway.truths([payment_id]), gateway.asked("RequesttoPay")

    assert (truth, sent) == (("failed", 0), 1)
    assert answer.json()["reason"]["code"] == "NOT_ALLOWED"


async def test_fm_16_a_no_to_one_payment_is_confirmed_before_it_is_believed(
    sqlite_url: str,
) -> None:
    """MTN says that there is no such payer, and then, asked, that it knows no such payment."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.faults.add(
            "status", code=500, body_code="PAYEE_NOT_FOUND", operation="Transfer", times=1
        )
        payment_id = await gateway.pay("transfer")
        await gateway.until_quiet()
        events, asked = await gateway.events(payment_id), gateway.asked("GetTransferStatus")
        truths = await gateway.truths([payment_id])
        paused = (await gateway.account()).paused_reason

    assert events == ["created", "refused", "failed"]
    assert (asked, truths, paused) == (1, [("failed", 0)], None)


async def test_fm_16_a_no_to_what_was_taken_all_the_same_is_not_believed(sqlite_url: str) -> None:
    """The refusal came, and the money moved: the question finds it, and it is followed."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.faults.add(
            "status", code=500, body_code="PAYEE_NOT_FOUND", operation="Transfer", times=1,
            processed=True,
        )  # fmt: skip
        payment_id = await gateway.pay("transfer")
        await gateway.until_quiet()
        events, truths = await gateway.events(payment_id), await gateway.truths([payment_id])

    assert (events, truths) == (["created", "refused", "successful"], [("successful", 1)])
