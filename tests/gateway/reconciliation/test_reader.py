"""The reader of statements: what portals write, read exactly, and never a row dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from momokit.errors import InvalidInput
from momokit.gateway.core.cells import Cell, CellKind, Row
from momokit.gateway.core.statement import (
    HeaderFinder,
    Line,
    StatementReader,
    Unreadable,
    amount_reader,
    plain_amount,
    read_party,
    said_by,
)
from momokit.gateway.core.statement_balance import BalanceKeeper
from momokit.gateway.core.statement_profile import (
    GUESSES,
    FeeRule,
    Profile,
    day_of,
    folded,
    read_profile,
)
from momokit.gateway.core.statement_times import TimeFormat
from momokit.gateway.steps.reconcile_import import try_profile
from momokit.market import market

UGANDA, CAMEROON = GUESSES["uganda"], GUESSES["cameroon"]
TITLES = ("Date", "Id", "External Id", "Type", "From", "To", "Amount", "Fee", "Balance")
GOOD = (
    "2026-10-05 09:30:00", "88112233", "pay_1", "Payment", "FRI:256772123456/MSISDN", "shop",
    "5,000", "50", "105,000",
)  # fmt: skip

FIRST, LAST = datetime(2015, 1, 1), datetime(2040, 1, 1)  # noqa: DTZ001 - times of a wall


def reader(profile: Profile = UGANDA, titles: tuple[str, ...] = TITLES) -> StatementReader:
    """Make a reader for a header."""
    columns = HeaderFinder(profile)(titles)
    assert columns is not None
    return StatementReader(profile, columns, market=market(profile.market))


def read(*texts: str, profile: Profile = UGANDA, titles: tuple[str, ...] = TITLES) -> Any:
    """Read one row of texts."""
    return reader(profile, titles).read(Row(7, tuple(Cell(text) for text in texts)))


def test_a_row_is_read_in_full() -> None:
    """Every column that the profile names is in the line, in the zone of the statement."""
    line = read(*GOOD)
    at = datetime(2026, 10, 5, 9, 30, tzinfo=timezone(timedelta(hours=3))).timestamp()
    assert msgspec.to_builtins(line) == {
        "row_number": 7, "role": "payment", "status": "moved", "at": at, "until": at + 1,
        "direction": "in", "amount": "5000", "currency": "UGX", "fee": "50", "balance": "105000",
        "financial_transaction_id": "88112233", "external_id": "pay_1", "party": "256772123456",
        "parties": ("FRI:256772123456/MSISDN", "shop"),
    }  # fmt: skip
    assert "256772123456" not in repr(line)


@dataclass(frozen=True)
class Fault:
    """A cell that cannot be read: which, what is in it, and the field that is named."""

    place: int
    text: str
    column: str


@pytest.mark.parametrize(
    "fault",
    [
        Fault(0, "05.10.2026", "time"),
        Fault(0, "2026-02-30 10:00:00", "time"),
        Fault(0, "", "time"),
        Fault(6, "5.000,00", "amount"),
        Fault(6, "5,00", "amount"),
        Fault(6, "5e3", "amount"),
        Fault(6, "", "amount"),
        Fault(6, "UGX five", "amount"),
        Fault(7, "x", "fee"),
        Fault(8, "n/a", "balance"),
        Fault(1, "9" * 200, "financial_transaction_id"),
    ],
)
def test_a_row_that_cannot_be_read_names_the_column(fault: Fault) -> None:
    """It comes back with its cells and the field at fault; nothing is guessed."""
    texts = [*GOOD[: fault.place], fault.text, *GOOD[fault.place + 1 :]]
    row = read(*texts)
    assert isinstance(row, Unreadable)
    assert (row.column, row.texts) == (fault.column, tuple(texts))


@pytest.mark.parametrize(
    "texts",
    [
        ("Total", "", "", "", "", "", "5,000"),
        ("End of statement",),
        TITLES,
        ("Page 2 of 3",),
    ],
)
def test_what_is_no_movement_is_passed_over(texts: tuple[str, ...]) -> None:
    """Totals, page marks and the header printed again are no lines and no faults."""
    assert read(*texts) is None


def test_balances_above_and_below_are_read() -> None:
    """An opening or closing balance is found wherever its words stand, in two languages."""
    opening = read("Opening balance: 1,000,000")
    closing = read("Solde final", "", "1 250,50", profile=CAMEROON)
    assert (opening.which, opening.amount) == ("opening", Decimal(1000000))
    assert (closing.which, closing.amount) == ("closing", Decimal("1250.50"))


@pytest.mark.parametrize(
    ("titles", "texts", "expected"),
    [
        (("Date", "Credit", "Debit"), ("2026-10-05", "100", ""), ("in", 100)),
        (("Date", "Credit", "Debit"), ("2026-10-05", "", "100"), ("out", 100)),
        (("Date", "Credit", "Debit"), ("2026-10-05", "0", "100"), ("out", 100)),
        (("Date", "Amount"), ("2026-10-05", "-100"), ("out", 100)),
        (("Date", "Amount"), ("2026-10-05", "(100)"), ("out", 100)),
        (("Date", "Amount"), ("2026-10-05", "100-"), ("out", 100)),
        (("Date", "Amount", "Dr/Cr"), ("2026-10-05", "100", "DR"), ("out", 100)),
        (("Date", "Amount", "Dr/Cr"), ("2026-10-05", "100", "Cr"), ("in", 100)),
        (("Date", "Amount", "Type"), ("2026-10-05", "100", "Debit"), ("out", 100)),
    ],
)
def test_direction_by_columns_sign_or_word(
    titles: tuple[str, ...], texts: tuple[str, ...], expected: tuple[str, int]
) -> None:
    """Money in and out is told by two columns, by a sign, or by a word of the profile's."""
    line = read(*texts, titles=titles)
    assert (line.direction, int(line.amount)) == expected


def test_cells_of_a_spreadsheet_are_taken_as_they_are() -> None:
    """A date cell is a time of the wall; a number cell has no marks of the profile's."""
    cells = [Cell("2026-10-05T09:30:00", CellKind.DATE), *map(Cell, GOOD[1:6])]
    cells += [Cell("5000.5", CellKind.NUMBER), Cell(""), Cell("105000", CellKind.NUMBER)]
    line = reader(CAMEROON).read(Row(2, tuple(cells)))
    assert isinstance(line, Line)
    at = datetime(2026, 10, 5, 9, 30, tzinfo=timezone(timedelta(hours=1))).timestamp()
    assert (line.at, line.amount, line.balance) == (at, Decimal("5000.5"), Decimal(105000))


@given(
    st.decimals(min_value=0, max_value=10**12, places=2, allow_nan=False),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (".", ""), (".", "'")]),
)
def test_amounts_written_by_the_profile_are_read_back(
    amount: Decimal, marks: tuple[str, str]
) -> None:
    """Whatever the marks, an amount written with them is read exactly."""
    decimal, group = marks
    profile = msgspec.structs.replace(UGANDA, decimal_mark=decimal, grouping_mark=group)
    text = f"{amount:,.2f}".replace(",", "\0").replace(".", decimal).replace("\0", group)
    assert amount_reader(profile)(Cell(text)) == amount
    assert amount_reader(profile)(Cell(f"-{text}")) == -amount


@given(st.lists(st.text(max_size=12), max_size=10))
def test_no_row_of_text_is_lost_or_raises(texts: list[str]) -> None:
    """Any texts are a line, something passed over, or unreadable with all of them kept."""
    row = read(*texts)
    if isinstance(row, Unreadable):
        assert row.texts == tuple(texts)
    else:
        assert row is None or isinstance(row, Line) or row.which in ("opening", "closing")


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("%d/%m/%Y %H:%M:%S", "05/10/2026 09:30:15", (2026, 10, 5, 9, 30, 15)),
        ("%d/%m/%Y %H:%M:%S", "5/10/2026 9:30:15", (2026, 10, 5, 9, 30, 15)),
        ("%d-%b-%y %I:%M %p", "05-Oct-26 12:30 AM", (2026, 10, 5, 0, 30)),
        ("%d %b %Y", "5 août 2026", (2026, 8, 5)),
        ("%m/%d/%Y %H:%M", "10/05/2026 23:59", (2026, 10, 5, 23, 59)),
        ("%Y-%m-%d %H:%M:%S.%f", "2026-10-05 09:30:15.250", (2026, 10, 5, 9, 30, 15, 250000)),
    ],
)
def test_times_are_read_by_their_form(form: str, text: str, expected: tuple[int, ...]) -> None:
    """A time is what its form says, and nothing else."""
    assert TimeFormat(form).read(text, UTC) == datetime(*expected, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]
    assert TimeFormat(form).read(f"{text}x", UTC) is None


@given(st.datetimes(min_value=FIRST, max_value=LAST))
def test_the_quick_way_of_reading_times_is_the_slow_one(wall: datetime) -> None:
    """Days kept in memory give the same moments as reading in full."""
    zone = timezone(timedelta(hours=3))
    form = TimeFormat("%Y-%m-%d %H:%M:%S")
    text = wall.strftime("%Y-%m-%d %H:%M:%S")
    expected = wall.replace(microsecond=0, tzinfo=zone).timestamp()
    assert [form.read(text, zone), form.read(text, zone)] == [expected, expected]
    assert day_of(expected, zone) == wall.date().isoformat()


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": {"amount": ["Amount"]}},
        {"columns": {"time": ["Date"], "amount_in": ["Credit"]}},
        {"columns": {"time": ["Date"], "amount": ["Amount"], "mood": ["Mood"]}},
        {"time_formats": []},
        {"time_formats": ["%d/%m/%Y", "%m/%d/%Y"]},
        {"time_formats": ["%H:%M"]},
        {"time_formats": ["%d/%d/%m/%Y"]},
        {"decimal_mark": ",", "grouping_mark": ","},
        {"zone": "Mars/Olympus"},
        {"zone": "+99:00"},
        {"name": "Not a name"},
        {"fees": {"in": {"percent": "-1"}}},
        {"fees": {"in": {"percent": "NaN"}}},
        {"tolerance_seconds": -1},
        {"surprise": True},
    ],
)
def test_a_profile_that_would_have_to_guess_is_refused(changes: dict[str, Any]) -> None:
    """What could be read in two ways, or not at all, is no profile."""
    with pytest.raises(InvalidInput):
        read_profile(msgspec.to_builtins(UGANDA) | changes)


def test_every_shipped_profile_is_sound_and_says_it_is_a_guess() -> None:
    """One for each market; none pretends to be confirmed."""
    assert all(one.guess for one in GUESSES.values())
    assert [read_profile(msgspec.to_builtins(one)) for one in GUESSES.values()] == list(
        GUESSES.values()
    )


def test_fees_are_rounded_half_up_and_bounded() -> None:
    """One percent of 450 is 5, never under the minimum or over the maximum."""
    rule = FeeRule(percent="1", minimum="3", maximum="10")
    assert [int(rule.of(Decimal(amount))) for amount in (100, 450, 5000)] == [3, 5, 10]


def test_parties_are_read_as_mtn_writes_them() -> None:
    """Prefixes and suffixes go, home numbers get their code, and a mask is no number."""
    uganda = market("uganda")
    written = (
        "FRI:256772123456/MSISDN",
        "0772123456",
        "+256 772 123 456",
        "256****456",
        "Shop",
        "",
    )
    read_as = [read_party(text, market=uganda) for text in written]
    assert read_as == ["256772123456"] * 3 + [None] * 3


def test_the_same_line_says_the_same_and_the_party_is_not_in_it() -> None:
    """An overlapping statement is known by its lines, whose digests hold no phone number."""
    one, other = read(*GOOD), read(*GOOD[:4], "FRI:256779999999/MSISDN", *GOOD[5:])
    assert said_by(one) == said_by(other)
    assert "25677" not in said_by(one)
    assert said_by(read(*GOOD[:6], "5,001", *GOOD[7:])) != said_by(one)


@pytest.mark.parametrize("order", ["oldest_first", "newest_first"])
def test_a_break_in_the_balances_is_found_at_its_row(order: Any) -> None:
    """Whichever way a statement runs, the day and the row are named at which it breaks."""
    profile = msgspec.structs.replace(UGANDA, order=order)
    keeper = BalanceKeeper(profile)
    balance = Decimal(1000)
    lines = []
    for number in range(1, 6):
        balance += 100 + (7 if number == 3 else 0)
        texts = (
            f"2026-10-05 09:3{number}:00",
            str(number),
            "",
            "",
            "",
            "",
            "100",
            "",
            f"{balance}",
        )
        lines.append(msgspec.structs.replace(read(*texts), row_number=number))
    for line in lines if order == "oldest_first" else reversed(lines):
        keeper.add(line)
    (day,) = keeper.days()
    assert (day.difference, day.broken_row) == (Decimal(7), 3)
    assert (day.opening, day.closing, day.taken_in) == (Decimal(1000), Decimal(1507), Decimal(500))


def test_an_xlsx_file_is_read_with_its_header_below_a_preamble(tmp_path: Path) -> None:
    """A workbook with a title, an opening balance and typed cells is read like a CSV."""
    path = tmp_path / "statement.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    stamp = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet.write_row(0, 0, ["Statement October"])
    sheet.write_row(1, 0, ["Opening balance", 1000])
    sheet.write_row(3, 0, TITLES)
    sheet.write_datetime(4, 0, datetime(2026, 10, 5, 9, 30), stamp)  # noqa: DTZ001
    sheet.write_row(4, 1, [88112233, "pay_1", "Payment", "0772123456", "shop", 5000, 0, 6000])
    book.close()
    tried = try_profile(path, profile=UGANDA, market=market("uganda"))
    (line,) = tried.lines
    assert (tried.header_row, tried.opening, tried.unreadable) == (4, "1000", ())
    assert (line.financial_transaction_id, plain_amount(line.amount)) == ("88112233", "5000")
    assert tried.days[0].difference == Decimal(0)


def test_headers_are_known_whatever_their_case_and_accents() -> None:
    """Case, accents, points and double spaces do not matter."""
    assert folded("  Numéro de  Transaction. ") == "numero de transaction"
