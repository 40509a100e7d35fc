"""The twelve classes, seeded into a statement in which all else agrees: all found, nothing else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from momokit.gateway.core.discrepancy import Kind
from momokit.gateway.core.statement_profile import FeeRule
from momokit.gateway.store.statements import tally
from momokit.gateway.store.store import Store
from momokit.gateway.store.tables import payments
from tests.gateway.reconciliation.making import (
    UGANDA,
    Paid,
    Sheet,
    found,
    matches,
    put,
    take_in,
)
from tests.gateway.store.making import START, Clock

pytestmark = pytest.mark.anyio

MANY = 2_000
FEES = msgspec.structs.replace(UGANDA, fees={"out": FeeRule(percent="1")})


def agreeing(count: int, *, first: int = 1) -> list[Paid]:
    """Make payments a minute apart, every third of them paid out."""
    return [
        Paid(
            number=number,
            amount=1000 + number,
            kind="transfer" if number % 3 == 0 else "request_to_pay",
            created_at=START + 60 * number,
            final_at=START + 60 * number + 25,
        )
        for number in range(first, first + count)
    ]


def fee_of(paid: Paid) -> str:
    """Give what MTN is to take for a payment."""
    return (
        str((Decimal(paid.amount) / 100).quantize(Decimal(1), "ROUND_HALF_UP"))
        if (paid.is_push)
        else "0"
    )


async def test_all_that_agrees_raises_nothing(store: Store, tmp_path: Path) -> None:
    """Thousands of lines that agree are matched by MTN's number, and the queue stays empty."""
    paid = agreeing(MANY)
    await put(store, paid)
    sheet = Sheet()
    for one in paid:
        sheet.tell(one, fee=fee_of(one))
    statement, is_new, _ = await take_in(store, sheet.write(tmp_path / "s.csv"), profile=FEES)
    counted = await store.read(lambda t: tally(t, statement.id))
    assert is_new
    assert counted == {("payment", "match", "financial_transaction_id"): MANY}
    assert await found(store, "open", "proposed", "closed", "gone") == {}
    assert (statement.opening_balance, statement.unreadable_rows) == ("1000000", 0)


async def test_twelve_of_twelve_and_no_false_alarm(store: Store, tmp_path: Path) -> None:
    """Each class is found for the payment it was seeded at, and for no other."""
    paid = agreeing(MANY)
    odd = {
        kind: replace(paid[100 + 7 * number], kind="request_to_pay")
        for number, kind in enumerate(Kind)
    }
    odd[Kind.FEE] = replace(odd[Kind.FEE], kind="transfer")
    odd[Kind.STATUS] = replace(odd[Kind.STATUS], state="failed")
    odd[Kind.DATE_SHIFT] = replace(
        odd[Kind.DATE_SHIFT], created_at=START - 86_400 * 2, final_at=START - 86_400 * 2 + 30
    )
    by_number = {one.number: one for one in odd.values()}
    paid = [by_number.get(one.number, one) for one in paid]
    await put(store, [one for one in paid if one is not odd[Kind.AT_PROVIDER_ONLY]])
    path = seeded(paid, odd).write(tmp_path / "s.csv")
    damaged(path)
    await take_in(store, path, profile=FEES)
    seen = await found(store)

    expected = {kind: [one.id] for kind, one in odd.items()}
    for kind in (Kind.AT_PROVIDER_ONLY, Kind.UNREADABLE_ROW, Kind.BALANCE_DRIFT):
        del expected[kind]
        assert len(seen.pop(kind)) == 1, kind
    assert seen == expected
    hinted = select(payments.c.id).where(payments.c.work.is_not(None))
    asked = await store.read(lambda t: set(t.connection.execute(hinted).scalars()))
    assert asked == {odd[Kind.STATUS].id, odd[Kind.REVERSED_LATER].id}
    states = select(payments.c.state).where(payments.c.id == odd[Kind.STATUS].id)
    assert await store.read(lambda t: t.connection.execute(states).scalar_one()) == "failed"


def seeded(paid: list[Paid], odd: dict[Kind, Paid]) -> Sheet:
    """Write a statement in which one payment of each class is told otherwise."""
    sheet = Sheet()
    kinds = {one.number: kind for kind, one in odd.items()}
    for one in paid:
        changes: dict[str, object] = {"fee": fee_of(one)}
        kind = kinds.get(one.number)
        if kind is Kind.AT_OURS_ONLY:
            continue
        if kind is Kind.AMOUNT:
            changes["amount"] = Decimal(one.amount + 1)
        elif kind is Kind.CURRENCY:
            changes["currency"] = "USD"
        elif kind is Kind.FEE:
            changes["fee"] = "77"
        elif kind is Kind.PARTY:
            changes["party"] = "256779999999"
        elif kind is Kind.DATE_SHIFT:
            changes["at"] = START + 60 * one.number
        elif kind is Kind.AT_PROVIDER_ONLY:
            changes["external_id"] = "somebody else's"
        elif kind is Kind.BALANCE_DRIFT:
            sheet.balance += 5
        sheet.tell(one, **changes)
        if kind is Kind.DUPLICATE_AT_PROVIDER:
            sheet.tell(one, **changes)
        if kind is Kind.REVERSED_LATER:
            sheet.tell(one, type="Reversal", out=True, number="77777")
    return sheet


def damaged(path: Path) -> None:
    """Spoil one row's time: a row that is the payment's own, told a second time rightly."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    spoilt = lines[50].replace("202", "2O2", 1)
    lines.insert(51, spoilt)
    path.write_text("\n".join(lines), encoding="utf-8")


async def test_the_same_file_again_adds_nothing(store: Store, tmp_path: Path) -> None:
    """A file that was had before is known by its bytes; one that overlaps, by its lines."""
    paid = agreeing(300)
    await put(store, paid)
    first, second = Sheet(), Sheet()
    for one in paid[:200]:
        first.tell(one)
    for one in paid[100:]:
        second.tell(one)
    path = first.write(tmp_path / "a.csv")
    statement, _, _ = await take_in(store, path)
    again, is_new, _ = await take_in(store, path, filename="renamed.csv")
    overlapping, _, _ = await take_in(store, second.write(tmp_path / "b.csv"))
    assert (again.id, is_new) == (statement.id, False)
    assert (overlapping.new_lines, overlapping.repeated_lines) == (100, 100)
    assert len(await matches(store)) == 300
    assert await found(store) == {}


async def test_a_month_under_way_is_covered_up_to_its_last_line(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    """What came after the file was made is not missing from it; in a month that is over it is."""
    paid = agreeing(20)
    await put(store, paid)
    sheet = Sheet()
    for one in paid[:15]:
        sheet.tell(one)
    clock.advance(3600)
    month_end = START + 86_400
    early, _, _ = await take_in(store, sheet.write(tmp_path / "a.csv"), period_to=month_end)
    before = await found(store)
    clock.advance(86_400)
    sheet.tell(paid[15])
    await take_in(store, sheet.write(tmp_path / "b.csv"), period_to=month_end)
    after = await found(store)
    assert early.period_to == paid[14].final_at + 1  # type: ignore[operator]
    assert before == {}
    assert after == {Kind.AT_OURS_ONLY: [one.id for one in paid[16:]]}


async def test_weaker_matches_give_way_to_surer_ones(store: Store, tmp_path: Path) -> None:
    """A line that only resembles a payment lets go of it when one comes that names it."""
    paid = Paid(number=1, financial_transaction_id=None)
    await put(store, [paid])
    guess, sure = Sheet(), Sheet()
    guess.tell(paid, number="4711", external_id="")
    sure.tell(paid, number="4712")
    await take_in(store, guess.write(tmp_path / "a.csv"))
    first = await matches(store)
    await take_in(store, sure.write(tmp_path / "b.csv"))
    second = await matches(store)
    assert first == {paid.id: ("4711", "amount_party_time", 70)}
    assert second == {paid.id: ("4712", "external_id", 95)}


async def test_a_corrected_profile_reads_the_same_file_again(store: Store, tmp_path: Path) -> None:
    """Rows that one profile could not read are let go of once another reads them."""
    paid = agreeing(5)
    await put(store, paid)
    sheet = Sheet()
    for one in paid:
        sheet.tell(one, status="Settled")
    path = sheet.write(tmp_path / "s.csv")
    await take_in(store, path)
    before = await found(store)
    better = msgspec.structs.replace(UGANDA, statuses=UGANDA.statuses | {"settled": "moved"})
    await take_in(store, path, profile=better)
    after = await found(store)
    assert len(before[Kind.UNREADABLE_ROW]) == 5
    assert Kind.UNREADABLE_ROW not in after
    assert len(await matches(store)) == 5
