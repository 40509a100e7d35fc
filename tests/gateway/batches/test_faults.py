"""Batches on the whole gateway while MTN loses, refuses and runs dry: rows 24, 26 and 27 of the
failure matrix."""

from __future__ import annotations

from dataclasses import replace

import pytest

from momokit.emulator import EmulatorSettings
from tests.gateway.batches.test_api import QUICK, Office, office_at, sheet
from tests.gateway.journeys.test_fm_answers import LOST, number

pytestmark = pytest.mark.anyio


async def approved(office: Office, *rows: str) -> str:
    """Bring a file as far as its approval; give the batch's id."""
    made = await office.maker.upload(sheet(*rows))
    batch_id = str(made.json()["id"])
    await office.maker.until(batch_id, "checked")
    seen = (await office.maker.ask("POST", f"/{batch_id}/submit")).json()
    if seen["not_overridden"]:
        words = {"hash": seen["hash"], "codes": seen["not_overridden"], "because": "It is meant."}
        await office.checker.ask("POST", f"/{batch_id}/override", words)
    answer = await office.checker.ask("POST", f"/{batch_id}/approve", {"hash": seen["hash"]})
    assert answer.status_code == 200, answer.text
    return batch_id


async def test_fm_24_rows_whose_exchange_is_lost_are_paid_once(url: str) -> None:
    """Each row meets another loss; every one ends paid, once, under its one id."""
    async with office_at(url, deadline_seconds=1.0) as office:
        for index, (name, parameters) in enumerate(LOST):
            office.whole.emulator.faults.add(name, identifier=number(index), times=1, **parameters)
        rows = [f"{number(index)},{5 + index},,R{index}" for index in range(len(LOST))]
        batch_id = await approved(office, *rows)
        done = await office.maker.until(batch_id, "finished")
        moved = [office.whole.moved(one).times for one in await office.whole.all()]
        events = [await office.whole.events(one.id) for one in await office.whole.all()]

    assert done["progress"]["successful"]["rows"] == len(LOST)
    assert moved == [1] * len(LOST)
    assert all("outcome_unknown" in one for one in events)


async def test_fm_26_the_float_runs_out_and_the_batch_waits(url: str) -> None:
    """With money for six of ten rows MTN is asked for six; more money brings the other four."""
    rich = EmulatorSettings(opening_balance="65")
    async with office_at(url, replace(QUICK, rows_per_second=20.0), emulator=rich) as office:
        rows = [f"46733{200_000 + index * 7:06d},10,,R{index}" for index in range(10)]
        batch_id = await approved(office, *rows)
        paused = await office.maker.until(batch_id, "paused")
        sent = office.whole.asked("Transfer")
        failed = [one for one in await office.whole.all() if one.state == "failed"]

    assert (paused["paused_reason"], failed) == ("low_float", [])
    assert paused["progress"]["successful"]["rows"] == 6
    assert paused["progress"]["ready"]["rows"] == 4
    assert sent == 6
    assert paused["float"]["missing"] is not None


async def test_fm_27_checks_that_cannot_be_made_fail_no_row(url: str) -> None:
    """MTN answers no question about payees: rows are unverified, and a second person decides."""
    policy = replace(QUICK, check_holders=True, checks_per_second=10.0)
    async with office_at(url, policy, deadline_seconds=2.0) as office:
        for operation in ("ValidateAccountHolderStatus", "GetBasicUserinfo"):
            office.whole.emulator.faults.add("status", operation=operation, code=503)
        rows = [f"46733{200_000 + index * 7:06d},10,Ama Mensah,R{index}" for index in range(3)]
        made = await office.maker.upload(sheet(*rows))
        batch_id = made.json()["id"]
        checked = await office.maker.until(batch_id, "checked")
        seen = (await office.maker.ask("POST", f"/{batch_id}/submit")).json()
        refused = await office.checker.ask("POST", f"/{batch_id}/approve", {"hash": seen["hash"]})
        words = {"hash": seen["hash"], "codes": seen["not_overridden"], "because": "Known to us."}
        await office.checker.ask("POST", f"/{batch_id}/override", words)
        await office.checker.ask("POST", f"/{batch_id}/approve", {"hash": seen["hash"]})
        done = await office.maker.until(batch_id, "finished")

    assert checked["checks"] == {"unverified": 3}
    assert (refused.status_code, refused.json()["code"]) == (409, "overrides_missing")
    assert done["progress"]["successful"]["rows"] == 3
