"""Rows of the failure matrix about what meets a whole account: tokens, storms, settings, time."""

from __future__ import annotations

import pytest

from tests.gateway.journeys.whole import whole

pytestmark = pytest.mark.anyio

DAY_SECONDS = 86_400.0


async def test_fm_13_a_token_that_ends_costs_one_refresh(sqlite_url: str) -> None:
    """Revoked in the middle of many sends: one new token, and no payment notices."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.faults.add("token_revoke", script=[False] * 5 + [True])
        ids = [await gateway.pay("transfer", amount=str(n + 1)) for n in range(20)]
        await gateway.until_quiet()
        truths = await gateway.truths(ids)
        tokens = gateway.asked("CreateAccessToken")

    assert truths == [("successful", 1)] * 20
    assert tokens == 2


async def test_fm_14_without_a_token_all_wait_and_none_fails(sqlite_url: str) -> None:
    """The token endpoint is down for six tries: nothing has left, and all goes later."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.faults.add("token_5xx", times=6)
        ids = [await gateway.pay("transfer", amount=str(n + 1)) for n in range(3)]
        await gateway.until_quiet()
        truths = await gateway.truths(ids)
        events = [await gateway.events(one) for one in ids]
        paused = (await gateway.account()).paused_reason

    assert truths == [("successful", 1)] * 3
    assert [one for one in events if "not_sent" in one] != []
    assert [one for one in events if "outcome_unknown" in one] == []
    assert paused is None


async def test_fm_15_a_storm_of_half_an_hour_ends_in_the_truth(url: str) -> None:
    """503 to everything, every other time after it took effect: what may have moved is not failed
    by the storm, and what MTN then says is what the books say. How few attempts it costs is shown
    in test_guards."""
    async with whole(url) as gateway:
        faults = gateway.emulator.faults
        took = faults.add("status", code=503, processed=True, rate=0.5)
        lost = faults.add("status", code=503, processed=False)
        ids = [await gateway.pay("transfer", amount=str(n + 1)) for n in range(5)]
        ids += [await gateway.pay(amount=str(n + 1)) for n in range(5)]
        await gateway.until_quiet(horizon_seconds=1800.0)
        during = {(await gateway.stored(one)).state.value for one in ids}
        requests = len(gateway.emulator.history)
        for fault in (took, lost):
            faults.remove(fault.number)
        await gateway.until_quiet()
        truths = await gateway.truths(ids)

    assert truths[:5] == [("successful", 1)] * 5
    assert [one for one in truths[5:] if one not in (("successful", 1), ("failed", 0))] == []
    assert during <= {"created", "unknown", "failed"}
    assert requests <= 10 * 60


async def test_fm_34_a_refused_address_closes_the_lane_with_a_reason(sqlite_url: str) -> None:
    """403 is about us, not about the payment: it waits, and goes when a person has seen to it."""
    async with whole(sqlite_url) as gateway:
        fault = gateway.emulator.faults.add("403_ip", operation="Transfer")
        payment_id = await gateway.pay("transfer")
        await gateway.until_quiet()
        waiting, account = await gateway.stored(payment_id), await gateway.account()
        gateway.emulator.faults.remove(fault.number)
        await gateway.resume()
        await gateway.until_quiet()
        truths = await gateway.truths([payment_id])

    assert waiting.state == "created"
    assert account.paused_reason is not None
    assert truths == [("successful", 1)]


@pytest.mark.parametrize("seconds", [DAY_SECONDS, -DAY_SECONDS], ids=["ahead", "behind"])
async def test_fm_17_clocks_that_are_wrong_lose_nothing(seconds: float, url: str) -> None:
    """MTN's date is a day off, and our clock, the database's and its own, jumps a day forward or
    back in mid payment: nothing is failed or sent twice by the wrong time, and all ends."""
    async with whole(url) as gateway:
        gateway.emulator.faults.add("clock_offset", seconds=seconds)
        gateway.emulator.faults.add("lag_404", seconds=20.0)
        ids = [await gateway.pay(), await gateway.pay("transfer")]
        await gateway.until_quiet(horizon_seconds=3.0)
        gateway.clock.set_back(seconds=-seconds)
        ids += [await gateway.pay(amount="6"), await gateway.pay("transfer", amount="6")]
        await gateway.until_quiet()
        truths = await gateway.truths(ids)
        sends = ("RequesttoPay", "Transfer")
        answers = [one.status for one in gateway.emulator.history if one.operation in sends]

    assert truths == [("successful", 1)] * 4
    # 401 is a token that a day has ended.
    assert [one for one in answers if one != 401] == [202] * 4


async def test_fm_39_a_restart_in_mid_work_loses_nothing(url: str) -> None:
    """Told to stop while sends are under way, it finishes them; the next one does the rest."""
    async with whole(url) as gateway:
        ids = [await gateway.pay("transfer", amount=str(n + 1)) for n in range(10)]
        await gateway.restart()
        ids += [await gateway.pay(amount=str(n + 1)) for n in range(10)]
        await gateway.restart()
        await gateway.until_quiet()
        truths = await gateway.truths(ids)

    assert truths == [("successful", 1)] * 20
