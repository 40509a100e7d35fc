"""The whole gateway against the provider's own statement: clean when it is true, found when not."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from momokit.gateway.keys import create_key, make_key
from momokit.gateway.nightly import audit_yesterday
from momokit.gateway.steps.reconcile_audit import day_before
from momokit.gateway.store.audits import begin_audit
from momokit.gateway.store.tables import payments
from tests.gateway.journeys.conftest import sqlite_url
from tests.gateway.journeys.whole import Whole, whole

pytestmark = pytest.mark.anyio
__all__ = ["sqlite_url"]

KINDS = ("request_to_pay", "withdraw", "transfer", "deposit", "request_to_pay")
Change = Callable[[list[str]], list[list[str]]]


async def paid(gateway: Whole) -> list[str]:
    """Make payments of several kinds, and let them come to their ends."""
    ids = [
        await gateway.pay(kind, amount=str(number + 5), merchant_reference=f"order {number}")
        for number, kind in enumerate(KINDS)
    ]
    await gateway.until_quiet()
    return ids


def statement(gateway: Whole, change: Change = lambda row: [row]) -> bytes:
    """Give the provider's statement; `change` makes other rows of one."""
    rows = list(csv.reader(io.StringIO(gateway.emulator.statement())))
    told = [*rows[:3], *(new for row in rows[3:-1] for new in change(row)), rows[-1]]
    out = io.StringIO()
    csv.writer(out).writerows(told)
    return out.getvalue().encode()


async def send(gateway: Whole, content: bytes, **query: Any) -> Any:
    """Import a statement that covers the days around now."""
    day = gateway.clock.now()
    given = {"filename": "s.csv", "period_from": _day(day, -1), "period_to": _day(day, 1)} | query
    answer = await gateway.http.post("/v1/statements", params=given, content=content)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def classes(gateway: Whole, **query: Any) -> dict[str, str | None]:
    """Give what is in the queue: the payment by class."""
    answer = await gateway.http.get("/v1/discrepancies", params=query)
    return {one["class"]: one["payment_id"] for one in answer.json()["items"]}


async def test_the_providers_own_statement_agrees(url: str) -> None:
    """Every payment is matched, the queue is empty, the balance is proven, the journal balances."""
    async with whole(url) as gateway:
        ids = await paid(gateway)
        told = await send(gateway, statement(gateway))
        balance = (await gateway.http.post("/v1/reconciliation/balance")).json()
        journal = await gateway.http.get("/v1/reconciliation/export/journal")
        seen = await classes(gateway)
    matched = sum(one["lines"] for one in told["tallies"] if one["relation"] == "match")
    assert (matched, seen) == (len(ids), {})
    assert [day["difference"] for day in told["days"]] == ["0"] * len(told["days"])
    assert (balance["difference"], balance["expected"]) == ("0", balance["at_provider"])
    rows = list(csv.DictReader(io.StringIO(journal.content.decode("utf-8-sig"))))
    debits = sum(float(row["debit"] or 0) for row in rows)
    assert debits == sum(float(row["credit"] or 0) for row in rows)
    assert debits == sum(number + 5 for number in range(len(KINDS)))


async def test_what_was_tampered_with_is_found(url: str) -> None:
    """A changed amount, a line told twice, one left out and one of nobody's are all found."""
    async with whole(url) as gateway:
        ids = await paid(gateway)

        def change(row: list[str]) -> list[list[str]]:
            if row[2] == ids[0]:
                return [[*row[:6], "7", *row[7:]]]
            if row[2] == ids[1]:
                return [row, row]
            if row[2] == ids[2]:
                return []
            return [row]

        stranger = statement(gateway, change).decode().splitlines()
        own = next(line for line in stranger if ids[4] in line)
        stranger.insert(-1, own.replace(ids[4], "nobody's").replace(own.split(",")[1], "4711"))
        made = gateway.clock.now()
        gateway.clock.jump_to(made + 2 * 86_400)
        over = {"period_from": _day(made, -1), "period_to": _day(made, 0)}
        await send(gateway, "\n".join(stranger).encode(), **over)
        seen = await classes(gateway)
    del seen["balance_drift"]
    assert seen == {
        "amount": ids[0],
        "duplicate_at_provider": ids[1],
        "at_ours_only": ids[2],
        "at_provider_only": None,
    }


async def test_a_statement_asks_and_never_decides(url: str) -> None:
    """A payment that our books call failed is asked about; the answer corrects it, not the file."""
    async with whole(url) as gateway:
        ids = await paid(gateway)
        await gateway.gateway.store.write(
            lambda t: t.connection.execute(
                payments.update().where(payments.c.id == ids[0]).values(state="failed")
            )
        )
        await send(gateway, statement(gateway))
        await gateway.until_quiet()
        corrected = (await gateway.stored(ids[0])).state.value
        await gateway.http.post("/v1/reconciliation/run")
        left, gone = await classes(gateway), await classes(gateway, state="gone")
        events = await gateway.events(ids[0])
    assert (corrected, left, gone) == ("successful", {}, {"status": ids[0]})
    assert "corrected" in events


async def test_four_eyes_over_http(sqlite_url: str) -> None:
    """Who proposed cannot close, with no key of theirs; another person can; facts that change
    reopen."""
    async with whole(sqlite_url) as gateway:
        ids = await paid(gateway)

        def change(row: list[str]) -> list[list[str]]:
            return [[*row[:6], "7", *row[7:]]] if row[2] == ids[0] else [row]

        told = await send(gateway, statement(gateway, change))
        page = await gateway.http.get("/v1/discrepancies", params={"statement_id": told["id"]})
        number = next(one["id"] for one in page.json()["items"] if one["class"] == "amount")
        path = f"/v1/discrepancies/{number}"
        amina, again, kofi = [await person(gateway, who) for who in ("amina", "amina", "kofi")]
        seen = (await gateway.http.get(path, headers=kofi)).json()["discrepancy"]["fingerprint"]
        body = {"resolution": "explained", "note": "a test"}
        proposed = await gateway.http.post(f"{path}/propose", json=body, headers=amina)
        closing = {"fingerprint": seen}
        own = await gateway.http.post(f"{path}/close", json=closing, headers=again)
        stale = await gateway.http.post(f"{path}/close", json={"fingerprint": "x"}, headers=kofi)
        closed = await gateway.http.post(f"{path}/close", json=closing, headers=kofi)
        story = (await gateway.http.get(path)).json()["story"]
        left = await classes(gateway)
    assert (proposed.json()["state"], closed.json()["state"]) == ("proposed", "closed")
    assert (own.status_code, stale.status_code) == (409, 409)
    assert [(step["event"], step["actor"]) for step in story] == [
        ("found", "momokit"), ("proposed explained", "amina"), ("closed", "kofi"),
    ]  # fmt: skip
    assert "amount" not in left


async def test_the_nightly_audit_asks_about_yesterday_once(url: str) -> None:
    """All that ended the day before, and all that is open, is asked once more; no day is twice."""
    async with whole(url) as gateway:
        ids = await paid(gateway)
        gateway.clock.jump_to(gateway.clock.now() + 86_400)
        while day_before(gateway.clock.now()) is None:
            gateway.clock.jump_to(gateway.clock.now() + 1800)
        first = await audit_yesterday(gateway.gateway.store)
        second = await audit_yesterday(gateway.gateway.store)
        await gateway.until_quiet()
        events = [await gateway.events(one) for one in ids]
    assert (first, second) == (True, False)
    assert [event.count("confirmed") for event in events] == [1] * len(ids)


async def test_an_audit_that_died_is_taken_over(sqlite_url: str) -> None:
    """A day that was begun and never ended is done by whoever comes half an hour later."""
    async with whole(sqlite_url) as gateway:
        store = gateway.gateway.store
        taken = [
            await store.write(
                lambda t: begin_audit(t, "2026-01-02", stale_seconds=1800, again=False)
            )
            for _ in range(2)
        ]
        gateway.clock.jump_to(gateway.clock.now() + 1801)
        later = await store.write(
            lambda t: begin_audit(t, "2026-01-02", stale_seconds=1800, again=False)
        )
    assert (taken, later) == ([True, False], True)


async def person(gateway: Whole, owner: str) -> dict[str, str]:
    """Make a key of a person's."""
    new = make_key(label=f"{owner}'s key", scopes=["reconcile"], live=False, owner=owner)
    made = await gateway.gateway.store.write(lambda t: create_key(t, new))
    return {"Authorization": f"Bearer {made.text.reveal()}"}


def _day(now: float, days: int) -> str:
    return (datetime.fromtimestamp(now, UTC) + timedelta(days=days)).date().isoformat()
