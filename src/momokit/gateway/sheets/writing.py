"""Write tables as CSV and XLSX: streamed, numbers as numbers, and no text ever a live formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO, Literal, TypeAlias, get_args

import xlsxwriter

from momokit.errors import InvalidInput

SheetFormat: TypeAlias = Literal["csv", "xlsx"]
Value: TypeAlias = str | int | Decimal | None

CONTENT_TYPES: dict[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

# What spreadsheet programs take for the beginning of a formula, or drop to find one. The
# apostrophes before it belong to the pattern so that reading back takes off what was put on.
_LIVE = re.compile("'*[=+\\-@\t\r＝＋－＠]")
_UTF8_MARK = b"\xef\xbb\xbf"
_ROWS_A_CHUNK = 500
# Above this, a spreadsheet would round: such a number is written as text.
_EXACT_DIGITS = 15
_EXACT_BELOW = 1_000_000_000_000_000
_XLSX_TEXT = 32_767
_NO_CHARACTERS = re.compile("[\ud800-\udfff\ufffe\uffff]")
_WIDTHS = (8, 48)
# The built-in format of texts, whatever the program's language.
_TEXT_FORMAT = 49
_BOOK_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def check_format(sheet_format: str) -> SheetFormat:
    """For a caller's wish: "csv" or "xlsx". Raises InvalidInput (field `format`) for another."""
    for known in get_args(SheetFormat):
        if sheet_format == known:
            return known  # type: ignore[no-any-return]
    raise InvalidInput("There is no such format.", field="format", hint="Write csv or xlsx.")


def csv_chunks(
    titles: Sequence[str], rows: Iterable[Sequence[Value]], *, language: str = "en"
) -> Iterator[bytes]:
    """For streaming a CSV: UTF-8 with its mark, `;` between cells in French and `,` otherwise.

    Numbers have a decimal comma in French, as programs there expect it.
    """
    is_french = language.lower().startswith("fr")
    lines = _Lines()
    writer = csv.writer(lines, delimiter=";" if is_french else ",", lineterminator="\r\n")
    lines.parts.append(_UTF8_MARK.decode())
    writer.writerow([guarded(title) for title in titles])
    for count, row in enumerate(rows, start=1):
        writer.writerow([_csv_value(value, is_french=is_french) for value in row])
        if count % _ROWS_A_CHUNK == 0:
            yield lines.take()
    yield lines.take()


class _Lines:
    """Collects what a CSV writer writes until it is taken."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, text: str) -> int:
        self.parts.append(text)
        return len(text)

    def take(self) -> bytes:
        text = "".join(self.parts)
        self.parts.clear()
        # Half of a surrogate pair is no text, and may not end the whole export.
        return text.encode("utf-8", errors="replace")


def guarded(text: str) -> str:
    """For a CSV cell: a text that a spreadsheet would run as a formula, with an apostrophe."""
    return f"'{text}" if _LIVE.match(text) else text


def _csv_value(value: Value, *, is_french: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    plain = _plain(value)
    return plain.replace(".", ",") if is_french else plain


def _plain(value: int | Decimal) -> str:
    return str(value) if isinstance(value, int) else format(value, "f")


def write_table(
    out: BinaryIO,
    *,
    sheet_format: SheetFormat,
    titles: Sequence[str],
    rows: Iterable[Sequence[Value]],
    language: str = "en",
    sheet_name: str = "Sheet1",
    text_columns: Sequence[int] = (),
    made_at: datetime | None = None,
) -> int:
    """For writing any table; gives the number of rows. Texts stay text, Decimals are numbers.

    `text_columns` (from 0) are formatted as text below the last row too, so that what is typed
    there keeps its zeros. `made_at` goes into an XLSX file's properties; without it the day is one
    long past, so that the same table gives the same bytes.
    """
    written = _Counted(rows)
    if sheet_format == "csv":
        for chunk in csv_chunks(titles, written, language=language):
            out.write(chunk)
    else:
        _write_xlsx(out, titles, written, sheet_name, text_columns, made_at)
    return written.count


class _Counted:
    def __init__(self, rows: Iterable[Sequence[Value]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Sequence[Value]]:
        for row in self._rows:
            self.count += 1
            yield row


def _write_xlsx(
    out: BinaryIO,
    titles: Sequence[str],
    rows: Iterable[Sequence[Value]],
    sheet_name: str,
    text_columns: Sequence[int],
    made_at: datetime | None,
) -> None:
    book = xlsxwriter.Workbook(out, _BOOK_OPTIONS)
    book.set_properties({"created": made_at or datetime(2020, 1, 1)})  # noqa: DTZ001 - no zone there
    sheet = book.add_worksheet(sheet_name[:31])
    as_text = book.add_format({"num_format": _TEXT_FORMAT})
    heading = book.add_format({"bold": True, "bottom": 1})
    for place, title in enumerate(titles):
        low, high = _WIDTHS
        width = max(low, min(high, len(title) + 4), 18 if place in text_columns else 0)
        sheet.set_column(place, place, width, as_text if place in text_columns else None)
    sheet.freeze_panes(1, 0)
    write: Callable[..., Any] = sheet.write_string
    for place, title in enumerate(titles):
        write(0, place, _fit(title), heading)
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            if value is None or value == "":
                continue
            if isinstance(value, str):
                write(number, place, _fit(value), as_text)
            elif _is_exact(value):
                sheet.write_number(number, place, value)
            else:
                write(number, place, _plain(value), as_text)
    book.close()


def _fit(text: str) -> str:
    """A text as an XLSX file can hold it: not too long, and nothing that is no character."""
    if len(text) < _XLSX_TEXT and text.isascii():
        return text
    return _NO_CHARACTERS.sub("\ufffd", text[:_XLSX_TEXT])


def _is_exact(value: int | Decimal) -> bool:
    if isinstance(value, int):
        return abs(value) < _EXACT_BELOW
    digits: int = len(value.as_tuple().digits)
    return bool(value.is_finite()) and digits <= _EXACT_DIGITS
