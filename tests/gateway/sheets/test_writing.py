"""What we write is safe to open, typed, and the input with what became of it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momokit.errors import InvalidInput
from momokit.gateway.core.batch_file import Column, Role
from momokit.gateway.core.batch_findings import doubt, error, warning
from momokit.gateway.core.cells import Cell, CellKind
from momokit.gateway.sheets.batch_sheets import (
    ReportRow,
    ResultRow,
    write_report,
    write_results,
    write_template,
)
from momokit.gateway.sheets.checking import FileCheck
from momokit.gateway.sheets.reading import read_table
from momokit.gateway.sheets.writing import check_format, csv_chunks, write_table
from momokit.market import MARKETS
from tests.gateway.sheets.making import UGANDA, Rules, plain, texts

COLUMNS = (
    Column(index=0, title="Phone", role=Role.PHONE),
    Column(index=1, title="Amount", role=Role.AMOUNT),
    Column(index=2, title="Town", role=Role.OTHER),
)
CELLS = (
    Cell("0772123456"),
    Cell("1500", CellKind.NUMBER),
    Cell("=HYPERLINK()"),
)
LIVE = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠1", "'=1", "''+1")
FORMULA_STARTS = "=+-@\t\r＝＋－＠"


def written(sheet_format: str, rows: list[ResultRow], language: str = "en") -> bytes:
    """A result file's bytes."""
    made = io.BytesIO()
    write_results(
        made,
        sheet_format=check_format(sheet_format),
        columns=COLUMNS,
        rows=rows,
        language=language,
    )
    return made.getvalue()


@pytest.mark.parametrize("text", LIVE)
def test_no_text_of_a_csv_begins_as_a_formula(text: str) -> None:
    """What a program would run gets an apostrophe in front, titles too."""
    data = b"".join(csv_chunks([text], [[text]])).decode("utf-8-sig")

    assert [row[0] for row in csv.reader(io.StringIO(data, newline=""))] == [f"'{text}"] * 2


@settings(max_examples=100)
@given(rows=st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=10))
def test_no_csv_has_a_live_formula(rows: list[list[str]]) -> None:
    """Whatever texts are written, no cell begins with what a program runs."""
    data = b"".join(csv_chunks(["a", "b"], rows)).decode("utf-8-sig")
    live = [
        cell
        for row in csv.reader(io.StringIO(data, newline=""))
        for cell in row
        if cell and cell[0] in FORMULA_STARTS
    ]

    assert live == []


@settings(max_examples=60)
@given(rows=st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=10))
def test_no_workbook_has_a_formula_or_a_link(rows: list[list[str]]) -> None:
    """Every text is a string of the workbook: no formula, no link, whatever it says."""
    made = io.BytesIO()
    titles = ["=A1", "https://example.com"]
    write_table(made, sheet_format="xlsx", titles=titles, rows=rows)
    with zipfile.ZipFile(made) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        names = archive.namelist()

    assert re.findall(r"<f[ >]|<hyperlink", sheet) == []
    assert [name for name in names if "externalLink" in name] == []


def test_numbers_are_numbers_in_both_formats() -> None:
    """Amounts can be summed; what has more digits than a spreadsheet holds is kept as text."""
    rows: list[list[Decimal | int]] = [[Decimal("1500.50"), 10**18]]
    made = io.BytesIO()
    write_table(made, sheet_format="xlsx", titles=["a", "b"], rows=rows)
    table = read_table(made.getvalue(), recognise=lambda titles: tuple(titles) or None)

    assert [row.cells for row in table.rows] == [
        (Cell("1500.5", CellKind.NUMBER), Cell(str(10**18)))
    ]
    assert b"".join(csv_chunks(["a"], [[Decimal("1500.50")]], language="en")).endswith(
        b"1500.50\r\n"
    )


def test_french_csv_is_what_french_programs_open() -> None:
    """Semicolons between cells, a comma before cents, and the mark that says UTF-8."""
    data = b"".join(csv_chunks(["été", "b"], [[Decimal("1500.50"), "x"]], language="fr-CM"))

    assert data == b"\xef\xbb\xbf" + "été;b\r\n1500,50;x\r\n".encode()


def test_the_result_is_the_input_and_what_became_of_it() -> None:
    """Same columns, same order; then status, MTN's number, reason in words, time, our number."""
    rows = [
        ResultRow(
            cells=CELLS,
            state="successful",
            payment_id="pay_1",
            financial_transaction_id="23503452",
            at="2026-03-27T08:03:12Z",
        ),
        ResultRow(cells=CELLS, state="failed", payment_id="pay_2", reason_code="PAYEE_NOT_FOUND"),
        ResultRow(cells=CELLS[:1], state="excluded"),
    ]
    data = written("csv", rows).decode("utf-8-sig")

    assert data.splitlines() == [
        "Phone,Amount,Town,Status,MTN transaction id,Reason,Time (UTC),Payment id",
        "0772123456,1500,'=HYPERLINK(),paid,23503452,,2026-03-27T08:03:12Z,pay_1",
        "0772123456,1500,'=HYPERLINK(),not paid,,MTN has no active Mobile Money account for the"
        " payee. (PAYEE_NOT_FOUND),,pay_2",
        "0772123456,,,taken out,,,,",
    ]


def test_the_result_speaks_french() -> None:
    """Titles, states and reasons."""
    rows = [ResultRow(cells=CELLS, state="failed", reason_code="PAYEE_NOT_FOUND")]
    head, line = written("csv", rows, "fr").decode("utf-8-sig").splitlines()

    assert head.endswith(
        ";Statut;N° de transaction MTN;Motif du résultat;Heure (UTC);N° de paiement"
    )
    assert "non payé" in line
    assert "MTN n'a pas de compte Mobile Money actif pour le bénéficiaire." in line


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("sheet_format", ["csv", "xlsx"])
def test_results_are_not_taken_for_a_file_to_pay(sheet_format: str, language: str) -> None:
    """Uploaded again, they are refused as a whole: their rows may be paid already."""
    rows = [ResultRow(cells=CELLS, state="successful", payment_id="pay_1")]
    check = FileCheck(written(sheet_format, rows, language), rules=UGANDA)
    list(check)

    assert [one.code for one in check.summary.findings] == ["result_file"]


def test_phones_are_text_in_the_result_whatever_they_were() -> None:
    """A number that a spreadsheet held as a number does not lose a zero on the way back."""
    cells = (Cell("256772123456", CellKind.NUMBER), Cell("1", CellKind.NUMBER), Cell(""))
    (row,) = read_table(written("xlsx", [ResultRow(cells=cells, state="")])).rows

    assert row.cells[:2] == (Cell("256772123456"), Cell("1", CellKind.NUMBER))


def test_the_report_has_the_gravest_first() -> None:
    """One verdict for each row, and all that was found in words."""
    rows = [
        ReportRow(cells=CELLS, findings=()),
        ReportRow(
            cells=CELLS,
            findings=(
                warning("same_reference", row="2"),
                doubt("same_payee_and_amount", row="2"),
                error("amount_zero", column="Amount"),
            ),
        ),
        ReportRow(cells=CELLS, findings=(error("amount_zero"),), is_excluded=True),
    ]
    made = io.BytesIO()
    write_report(made, sheet_format="csv", columns=COLUMNS, rows=rows)
    table = csv.reader(io.StringIO(made.getvalue().decode("utf-8-sig"), newline=""))
    verdicts = [(line[3], line[4][:21]) for line in table]

    assert verdicts == [
        ("Check", "What was found, and w"),
        ("fine", ""),
        ("to correct", "Amount: The amount is"),
        ("taken out", "The amount is zero. F"),
    ]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("sheet_format", ["csv", "xlsx"])
@pytest.mark.parametrize("market", MARKETS, ids=lambda one: one.name)
def test_every_template_is_read_back_without_a_doubt(
    market: object, sheet_format: str, language: str
) -> None:
    """In each market and language, the example row of the template is fine as it stands."""
    made = io.BytesIO()
    name = market.name  # type: ignore[attr-defined]
    write_template(made, sheet_format=check_format(sheet_format), market=name, language=language)
    rules = Rules(market=market, currency=market.currency)  # type: ignore[arg-type,attr-defined]
    check = FileCheck(made.getvalue(), rules=rules)
    (row,) = check
    expected = "1500" if market.exponent == 0 else "1500.5"  # type: ignore[attr-defined]

    assert (row.findings, check.summary.findings) == ((), ())
    assert plain(row.amount) == expected
    assert row.reference == "EMP-001"


def test_a_template_keeps_the_zeros_of_what_is_typed_into_it() -> None:
    """The phone column is formatted as text for all rows, not only for the example's."""
    made = io.BytesIO()
    write_template(made, sheet_format="xlsx", market="ghana")
    with zipfile.ZipFile(made) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    column = re.search(r'<col min="1"[^>]*style="(\d+)"', sheet)
    formats = re.findall(r'<xf numFmtId="(\d+)"', styles.partition("<cellXfs")[2])

    assert column is not None
    assert formats[int(column[1])] == "49"


def test_another_format_is_refused_by_field() -> None:
    """There are two, and the message names them."""
    with pytest.raises(InvalidInput) as caught:
        check_format("ods")

    assert (caught.value.field, caught.value.hint) == ("format", "Write csv or xlsx.")


def test_a_file_is_written_from_rows_one_by_one() -> None:
    """Rows are taken as they are written: the file never stands in memory as a whole."""
    seen: list[int] = []

    def rows() -> list[list[int]]:
        for number in range(2_000):
            seen.append(number)
            yield [number]  # type: ignore[misc]

    chunks = csv_chunks(["n"], rows())
    next(iter(chunks))

    assert len(seen) == 500
    assert texts(read_table(b"phone,amount\n1,2\n")) == [(2, ["1", "2"])]
