"""Guards through the whole gateway: storms, the kill switch, books that were restored."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from momokit.gateway.app import build
from momokit.gateway.core.limits import Limits
from momokit.gateway.store import guards, holds
from momokit.gateway.store.holds import Hold, NotAudited
from momokit.gateway.store.lanes import shut_lanes
from momokit.gateway.store.switches import list_guard_events
from tests.gateway.journeys.whole import Whole, whole

pytestmark = pytest.mark.anyio


async def _opened_at(gateway: Whole) -> list[float]:
    history = await gateway.gateway.store.read(lambda t: list_guard_events(t, limit=200))
    return [one.at for one in history if one.what == "lane_opened"]


async def test_fm_15_a_storm_costs_few_attempts_and_ends_by_itself(sqlite_url: str) -> None:
    """503 for half an hour while money keeps coming in: at most a tenth more sends, none failed
    by it, and the lane is open again within a minute."""
    async with whole(sqlite_url, sends_at_once=2) as gateway:
        storm = gateway.emulator.faults.add("status", code=503, processed=False)
        ids = []
        for wave in range(6):
            ids += [await gateway.pay("transfer", amount=str(wave * 20 + n + 1)) for n in range(20)]
            await gateway.until_quiet(horizon_seconds=300.0)
        during = [(await gateway.stored(one)).state.value for one in ids]
        in_the_storm = gateway.asked("Transfer")
        gateway.emulator.faults.remove(storm.number)
        ended = gateway.clock.now()
        await gateway.until_quiet()
        truths = await gateway.truths(ids)
        sends = gateway.asked("Transfer")
        opened = await _opened_at(gateway)
        shut = await gateway.gateway.store.read(shut_lanes)

    assert truths == [("successful", 1)] * 120
    assert "failed" not in during
    assert in_the_storm <= 12
    assert sends <= 132
    assert max(opened) - ended <= 60
    assert shut == []


async def test_a_limit_is_an_answer_that_says_what_is_left(sqlite_url: str) -> None:
    """The merchant reads which limit it was; the same key serves once there is room."""
    async with whole(sqlite_url) as gateway:
        account = await gateway.account()
        limits = {"EUR": Limits(send_per_day=Decimal(10))}
        store = gateway.gateway.store
        await store.write(
            lambda t: guards.set_limits(t, account.id, limits, because="policy", by="Ada")
        )
        taken = await gateway.pay("transfer", amount="7")
        body = {"kind": "transfer", "amount": "4", "party": "46733123902"}
        refused = await gateway.post("/v1/payments", body, key="more")
        await store.write(lambda t: guards.set_limits(t, account.id, {}, because="all", by="Ada"))
        later = await gateway.post("/v1/payments", body, key="more")
        await gateway.until_quiet()
        truths = await gateway.truths([taken, later.json()["id"]])

    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "limit_exceeded")
    assert problem["detail"].startswith("send_per_day:")
    assert "3 are left" in problem["detail"]
    assert truths == [("successful", 1)] * 2


async def test_one_request_stops_all_money_and_one_lets_it_go(sqlite_url: str) -> None:
    """What waits stays, what is asked is answered 503, and the history names who it was."""
    async with whole(sqlite_url) as gateway:
        stopped = await gateway.post("/v1/money/stop", {"because": "odd payouts"})
        body = {"kind": "transfer", "amount": "4", "party": "46733123902"}
        refused = await gateway.post("/v1/payments", body, key="k")
        sends = gateway.asked("Transfer")
        seen = (await gateway.http.get("/v1/money")).json()
        resumed = await gateway.post("/v1/money/resume", {"because": "seen to"})
        again = await gateway.post("/v1/payments", body, key="k")
        await gateway.until_quiet()
        truths = await gateway.truths([again.json()["id"]])

    assert (stopped.status_code, seen["money"], seen["because"]) == (200, "stopped", "odd payouts")
    assert (refused.status_code, refused.json()["code"]) == (503, "money_stopped")
    assert refused.headers["retry-after"] == "60"
    assert (sends, resumed.json()["money"], truths) == (0, "running", [("successful", 1)])


def _put_in_place(copy: Path, place: Path) -> None:
    for name in (f"{place.name}-wal", f"{place.name}-shm"):
        place.with_name(name).unlink(missing_ok=True)
    copy.replace(place)


async def _restart_on(gateway: Whole, copy: Path) -> None:
    """Put a copy in the place of the books, as a restore does, and start on it."""
    await gateway.stop()
    _put_in_place(copy, Path(gateway.gateway.settings.database_url.removeprefix("sqlite:///")))
    gateway.gateway = await build(gateway.gateway.settings, clock=gateway.clock.now)
    await gateway.start()


async def _audited(gateway: Whole) -> Hold:
    while True:
        await gateway.gateway.audit_hold()
        hold = await gateway.gateway.store.read(holds.find_hold)
        assert hold is not None
        if hold.audited_at is not None:
            return hold
        await asyncio.sleep(0.02)


async def _release(gateway: Whole, **said: Any) -> None:
    await gateway.gateway.store.write(
        lambda t: holds.release(t, because="audited", by="Ada", **said)
    )


async def test_fm_36_books_restored_from_a_copy_send_nothing_before_they_know_the_gap(
    sqlite_url: str, tmp_path: Path
) -> None:
    """Back up, go on paying, restore, start: nothing leaves; what moved is found; nothing twice."""
    async with whole(sqlite_url) as gateway:
        done = await gateway.pay("transfer", amount="1")
        await gateway.until_quiet()
        # Their answers are lost, so that the copy has them open; then they move.
        lost = gateway.emulator.faults.add("status", code=503, processed=False)
        open_then = [await gateway.pay("transfer", amount=str(n + 2)) for n in range(3)]
        await asyncio.sleep(0.1)
        await gateway.gateway.store.backup(tmp_path / "copy.db")
        gateway.emulator.faults.remove(lost.number)
        await gateway.until_quiet()
        after_copy = await gateway.pay("transfer", amount="9")
        await gateway.until_quiet()
        known_after = await gateway.stored(after_copy)
        sends = gateway.asked("Transfer")

        await _restart_on(gateway, tmp_path / "copy.db")
        gateway.clock.jump_to(gateway.clock.now() + 600)
        body = {"kind": "transfer", "amount": "9", "party": "46733123902"}
        refused = await gateway.post("/v1/payments", body, key="again")
        hold = await _audited(gateway)
        held = gateway.asked("Transfer") - sends
        await _release(gateway)
        await gateway.until_quiet()
        truths = await gateway.truths([done, *open_then])
        lost_one = await gateway.gateway.store.payment(after_copy)

    assert (refused.status_code, refused.json()["code"]) == (503, "restore_hold")
    assert held == 0
    assert hold.asked >= 4
    assert truths == [("successful", 1)] * 4
    # What was taken in after the copy is not in it: MTN's statement alone can tell of it.
    assert lost_one is None
    assert gateway.moved(known_after).times == 1


async def test_a_hold_is_not_released_before_the_audit_is_done(sqlite_url: str) -> None:
    """Only a person who takes it on can do without; that is kept."""
    async with whole(sqlite_url) as gateway:
        store = gateway.gateway.store
        gateway.emulator.faults.add("status", code=503, processed=False)
        await gateway.pay("transfer")
        await asyncio.sleep(0.1)
        await store.write(lambda t: holds.hold_on(t, because="restored by hand", by="Ada"))
        await gateway.gateway.audit_hold()
        with pytest.raises(NotAudited):
            await _release(gateway)
        still = await store.read(holds.find_hold)
        await _release(gateway, unaudited=True)
        [event] = [one for one in await store.read(list_guard_events) if one.what == "restore_off"]

    assert still is not None
    assert '"unaudited":true' in event.details["said"]
