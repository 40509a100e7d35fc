"""XLSX as spreadsheet programs write it, and workbooks that nobody should open."""

from __future__ import annotations

import io
import resource
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from momokit.gateway.core.cells import Cell, CellKind
from momokit.gateway.sheets.limits import Limits
from momokit.gateway.sheets.reading import read_table
from momokit.gateway.sheets.refusal import CODES, SheetRefused
from momokit.gateway.sheets.writing import write_table
from momokit.gateway.sheets.xlsx_rows import plain_number
from tests.gateway.sheets.making import (
    cell,
    package,
    payments,
    read,
    refusal_of,
    sheet_of,
    texts,
    workbook,
)

MIB = 1024 * 1024


def of_program(fill: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    """A workbook as a program writes it."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    fill(book)
    book.close()
    return made.getvalue()


def test_every_kind_of_cell_is_known_for_what_it_is() -> None:
    """Numbers are exact and plain, dates ISO, formulas marked although they have a result."""

    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(2, 1, ["phone", "amount", "a", "b", "c", "d"])
        sheet.write_string(3, 1, "0772123456")
        sheet.write_number(3, 2, 1234.56)
        sheet.write_boolean(3, 3, True)
        sheet.write_datetime(3, 4, date(2026, 3, 1), book.add_format({"num_format": "dd/mm/yy"}))
        sheet.write_formula(3, 5, "=1/0", None, "#DIV/0!")
        sheet.write_formula(3, 6, "=C4*2", None, 2469.12)

    (row,) = read_table(of_program(fill)).rows

    assert row.number == 4
    assert row.cells == (
        Cell(""),
        Cell("0772123456"),
        Cell("1234.56", CellKind.NUMBER),
        Cell("TRUE", CellKind.TRUTH),
        Cell("2026-03-01", CellKind.DATE),
        Cell("", CellKind.FORMULA),
        Cell("2469.12", CellKind.FORMULA),
    )


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (256772123456.0, "256772123456"),
        (772123456.0, "772123456"),
        (1234.5600000000001, "1234.56"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "0.0000001"),
        (-5.0, "-5"),
        (0.0, "0"),
        (999999999999999.0, "999999999999999"),
        (1e20, "1e+20"),
    ],
)
def test_a_stored_number_is_read_as_the_spreadsheet_shows_it(stored: float, shown: str) -> None:
    """Fifteen digits are all that a spreadsheet knows; larger ones stay powers of ten."""
    assert plain_number(stored) == shown


def test_the_sheet_with_the_header_is_taken() -> None:
    """Instructions in front of the table and hidden sheets do not disturb."""
    sheets = {
        "Read me": sheet_of([cell("A1", "how to")]),
        "Pay": payments(("0772123456", "1500")),
        "Old": payments(("0772000001", "9")),
    }

    assert read(workbook(sheets, hidden="Old")) == [(2, ["0772123456", "1500"])]


def test_two_tables_are_not_chosen_between() -> None:
    """A workbook of twelve months is refused: which one is meant is not guessed."""
    sheets = {"Jan": payments(("0772123456", "1")), "Feb": payments(("0772123456", "2"))}
    with pytest.raises(SheetRefused) as caught:
        read(workbook(sheets))

    assert caught.value.code == "two_tables"
    assert caught.value.message == "The sheets “Jan” and “Feb” both hold a table."


def test_rows_that_a_filter_hides_are_told() -> None:
    """They are read, and the user hears of it before anything is paid."""
    xml = payments(("0772123456", "1"), ("0772123457", "2")).replace("<row>", '<row hidden="1">', 3)
    table = read_table(workbook({"Pay": xml}))

    assert [note.en for note in table.notes] == [
        "Hidden rows are read like all others: 3, the first is row 1."
    ]
    assert len(list(table.rows)) == 2


def test_cells_without_references_are_counted_as_they_come() -> None:
    """Some programs leave the references out."""
    xml = sheet_of(
        ['<c t="str"><v>phone</v></c>', '<c t="str"><v>amount</v></c>'],
        ['<c t="str"><v>0772123456</v></c>', "<c><f>1+1</f><v>2</v></c>"],
    )
    (row,) = read_table(workbook({"Pay": xml})).rows

    assert row.cells == (Cell("0772123456"), Cell("2", CellKind.FORMULA))


def _zip(parts: dict[str, bytes], *, flag: int = 0) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    data = bytearray(made.getvalue())
    if flag:
        at = data.find(b"PK\x01\x02")
        data[at + 8] |= flag
    return bytes(data)


def _entities() -> bytes:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    xml = f'<!DOCTYPE z [<!ENTITY l0 "lol">{lines}]><worksheet>&l9;</worksheet>'
    return workbook({"Pay": xml})


def _external_entity() -> bytes:
    xml = '<!DOCTYPE z [<!ENTITY x SYSTEM "file:///etc/passwd">]><worksheet>&x;</worksheet>'
    return workbook({"Pay": xml})


def _twice() -> bytes:
    made = io.BytesIO(workbook())
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("XL/WORKSHEETS/sheet1.xml", payments(("0772000001", "9")))
    return made.getvalue()


def _truncated() -> bytes:
    whole = workbook()
    return whole[: len(whole) // 2]


def _bad_crc() -> bytes:
    data = bytearray(workbook(compression=zipfile.ZIP_STORED))
    at = data.find(b"0772123456")
    data[at] ^= 1
    return bytes(data)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
POISON: dict[str, tuple[Callable[[], bytes], str]] = {
    "entities that multiply": (_entities, "entities"),
    "an entity from a file": (_external_entity, "entities"),
    "a bomb of spaces": (
        lambda: workbook(more={"xl/theme/theme1.xml": b"<a>" + b" " * (300 * MIB) + b"</a>"}),
        "unpacks_too_much",
    ),
    "a bomb in no XML": (
        lambda: workbook(more={"xl/media/a.png": b"\0" * (40 * MIB)}),
        "unpacks_too_much",
    ),
    "two cells far apart": (
        lambda: workbook({"Pay": sheet_of([cell("A1", "a")], [cell("B1048576", "b")])}),
        "too_many_rows",
    ),
    "two cells wide apart": (
        lambda: workbook({"Pay": sheet_of([cell("A1", "a"), cell("XFD1", "b")])}),
        "too_many_columns",
    ),
    "a large rectangle of little": (
        lambda: workbook({"Pay": sheet_of([cell("A1", "a")], [cell("BG90000", "b")])}),
        "too_spread",
    ),
    "rectangles on many sheets": (
        lambda: workbook(
            {f"S{n}": sheet_of([cell("A1", "a")], [cell("O60000", "b")]) for n in range(9)}
        ),
        "too_spread",
    ),
    "thousands of parts": (
        lambda: workbook(more={f"xl/x{n}.xml": b"<a/>" for n in range(600)}),
        "too_many_parts",
    ),
    "macros": (lambda: workbook(more={"xl/vbaProject.bin": b"x"}), "macros"),
    "an old workbook": (lambda: OLE + b"Workbook", "old_excel"),
    "a password": (lambda: OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
    "a password of zip's": (lambda: _zip({"xl/workbook.xml": b"<a/>"}, flag=1), "encrypted"),
    "a binary workbook": (lambda: _zip({"xl/workbook.bin": b"x"}), "other_format"),
    "a text document": (lambda: _zip({"word/document.xml": b"<a/>"}), "other_format"),
    "an ODS": (lambda: _zip({"content.xml": b"<a/>"}), "other_format"),
    "any other archive": (lambda: _zip({"a.txt": b"x"}), "other_format"),
    "half a file": (_truncated, "damaged"),
    "a changed byte": (_bad_crc, "damaged"),
    "two parts of one name": (_twice, "damaged"),
    "a name with turns": (
        lambda: workbook(more={"xl/worksheets/../worksheets/sheet9.xml": b"<a/>"}),
        "damaged",
    ),
    "a workbook elsewhere": (
        lambda: workbook(more={"_rels/.rels": package("xl/other.xml")}),
        "damaged",
    ),
    "elements without end": (
        lambda: workbook({"Pay": "<worksheet>" + "<a>" * 500 + "</a>" * 500 + "</worksheet>"}),
        "damaged",
    ),
    "XML that does not close": (lambda: workbook({"Pay": "<worksheet><sheetData>"}), "damaged"),
    "a cell beyond all columns": (
        lambda: workbook({"Pay": sheet_of([cell("AAAA1", "a")])}),
        "damaged",
    ),
    "a row beyond all numbers": (
        lambda: workbook({"Pay": sheet_of([cell("A99999999999", "a")])}),
        "damaged",
    ),
    "no sheet at all": (lambda: workbook({}), "no_header"),
    "an empty sheet": (lambda: workbook({"Pay": sheet_of()}), "no_header"),
    "a cell without end": (
        lambda: workbook({"Pay": payments(("0772123456", "1" * 1_001))}),
        "cell_too_long",
    ),
    "a PDF": (lambda: b"%PDF-1.7\n", "other_format"),
    "a web page": (lambda: b"\n <!DOCTYPE html><html></html>", "other_format"),
    "compressed": (lambda: b"\x1f\x8b\x08\0", "other_format"),
}


@pytest.mark.parametrize("name", POISON)
def test_a_poisoned_file_is_refused_by_name(name: str) -> None:
    """Each is refused for what it is, before it is loaded."""
    make, code = POISON[name]

    assert refusal_of(make()) == code


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted as Linux does")
def test_poison_costs_neither_memory_nor_time() -> None:
    """All of them together, once more, take less than a bomb's first burst."""
    files = [make() for name, (make, _) in POISON.items() if "bomb" not in name]
    files.append(workbook(more={"xl/theme/theme1.xml": b" " * (16 * MIB)}))
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.process_time()
    for file in files:
        refusal_of(file)
    after = resource.getrusage(resource.RUSAGE_SELF)

    assert (after.ru_maxrss - before.ru_maxrss) // 1024 < 200
    assert time.process_time() - start < 2.0 * len(files)


def test_no_code_of_a_refusal_is_without_words() -> None:
    """The poison above meets only codes that are catalogued."""
    assert {code for _, code in POISON.values()} <= CODES


@settings(max_examples=60)
@given(
    at=st.integers(min_value=0, max_value=1_500),
    noise=st.binary(min_size=1, max_size=8),
)
def test_no_damage_raises_anything_but_our_error(at: int, noise: bytes) -> None:
    """Bytes changed anywhere in a workbook give a table or a refusal."""
    data = bytearray(workbook(compression=zipfile.ZIP_STORED))
    data[at % len(data) : at % len(data) + len(noise)] = noise

    assert refusal_of(bytes(data)) in {"", *CODES}


VALUES = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\ufffe\uffff")),
    st.decimals(min_value=-(10**9), max_value=10**12, places=2, allow_nan=False),
    st.integers(min_value=-(10**12), max_value=10**12),
)


@settings(max_examples=60)
@given(rows=st.lists(st.lists(VALUES, min_size=2, max_size=2), min_size=1, max_size=8))
def test_what_we_write_we_read_back(rows: list[list[str | Decimal | int]]) -> None:
    """Texts come back as they were, control characters too, and numbers as numbers."""
    made = io.BytesIO()
    write_table(made, sheet_format="xlsx", titles=["phone", "amount"], rows=rows)
    got = texts(read_table(made.getvalue(), limits=Limits(max_cell_length=40_000)))

    def shown(value: str | Decimal | int) -> str:
        return value if isinstance(value, str) else plain_number(float(value))

    wanted = [
        (number, [shown(value) for value in row])
        for number, row in enumerate(rows, start=2)
        if any(shown(value).strip() for value in row)
    ]
    assert [(n, [*line, *[""] * (2 - len(line))]) for n, line in got] == wanted
