"""Read XLSX workbooks: each visible sheet's rows, with numbers exact and formulas known."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import python_calamine as calamine

from momokit._reason_words import Words
from momokit.gateway.core.batch_file import letter
from momokit.gateway.core.cells import EMPTY, Cell, CellKind, Row
from momokit.gateway.sheets.limits import Limits
from momokit.gateway.sheets.refusal import refused
from momokit.gateway.sheets.sheet import Sheet
from momokit.gateway.sheets.xlsx_guard import Layout, look_through

_EXACT_UP_TO = 10**15


def open_xlsx(stream: BinaryIO, *, limits: Limits) -> list[Sheet]:
    """For reading a workbook: its visible sheets that hold anything, in order.

    Raises SheetRefused, here and while the rows are gone through.
    """
    layouts = look_through(stream, limits=limits)
    with _loading():
        book = calamine.CalamineWorkbook.from_filelike(stream)
        visible = [
            one.name
            for one in book.sheets_metadata
            if one.visible is calamine.SheetVisibleEnum.Visible
            and one.typ is calamine.SheetTypeEnum.WorkSheet
        ]
    found = []
    for name in visible:
        if name not in layouts:
            raise refused("damaged")
        layout = layouts[name]
        if layout.span:
            sheet = Sheet(name=name, rows=_rows(book, name, layout, limits))
            sheet.notes.extend(_notes(layout))
            found.append(sheet)
    return found


@contextmanager
def _loading() -> Iterator[None]:
    """The loader is not ours: whatever stops it, the file is what cannot be read."""
    try:
        yield
    except calamine.PasswordError:
        raise refused("encrypted") from None
    except Exception:
        raise refused("damaged") from None
    except BaseException as error:
        # A panic of the loader's; it is no Exception, and nothing else of that name exists.
        if type(error).__name__ == "PanicException":
            raise refused("damaged") from None
        raise


def _notes(layout: Layout) -> list[Words]:
    if not layout.hidden_rows:
        return []
    first, count = layout.first_hidden + 1, layout.hidden_rows
    return [
        Words(
            f"Hidden rows are read like all others: {count}, the first is row {first}.",
            f"Les lignes masquées sont lues comme les autres : {count}, la première est la"
            f" ligne {first}.",
        )
    ]


def _rows(
    book: calamine.CalamineWorkbook, name: str, layout: Layout, limits: Limits
) -> Iterator[Row]:
    with _loading():
        sheet = book.get_sheet_by_name(name)
        start = sheet.start
        rows = sheet.iter_rows()
    if start is None:
        return
    # The loader leaves out columns before the first filled one, but not rows.
    margin = (EMPTY,) * start[1]
    # The iterator is the loader's too, and a fault of its may not come through.
    for index, values in enumerate(_guarded(rows)):
        if not any(value != "" for value in values):
            continue
        cells = [
            _cell(value, is_formula=layout.is_formula(index, start[1] + place))
            for place, value in enumerate(values)
        ]
        _check_lengths(cells, index=index, first_column=start[1], limits=limits)
        if any(cell.text.strip() for cell in cells):
            yield Row(index + 1, (*margin, *cells))


def _guarded(rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
    while True:
        with _loading():
            row = next(rows, None)
        if row is None:
            return
        yield row


def _check_lengths(cells: list[Cell], *, index: int, first_column: int, limits: Limits) -> None:
    for place, cell in enumerate(cells):
        if len(cell.text) > limits.max_cell_length:
            column = letter(first_column + place)
            limit = limits.max_cell_length
            raise refused("cell_too_long", row=index + 1, column=column, limit=limit)


def _cell(value: Any, *, is_formula: bool) -> Cell:
    if value == "" and not is_formula:
        return EMPTY
    cell = _plain(value)
    return Cell(cell.text, CellKind.FORMULA) if is_formula else cell


def _plain(value: Any) -> Cell:
    if isinstance(value, str):
        return Cell(value)
    if isinstance(value, bool):
        return Cell("TRUE" if value else "FALSE", CellKind.TRUTH)
    if isinstance(value, int | float):
        return Cell(plain_number(value), CellKind.NUMBER)
    if isinstance(value, datetime.date | datetime.time):
        return Cell(value.isoformat(), CellKind.DATE)
    return Cell(str(value), CellKind.DATE)


def plain_number(value: float) -> str:
    """For writing a stored number out in full: at 15 digits, which is all a spreadsheet shows.

    A number too large for that keeps its powers of ten, so that it is refused where it matters.
    """
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) < _EXACT_UP_TO:
        return str(int(value))
    shown = format(value, ".15g")
    if "e" in shown and 1e-15 < abs(value) < 1:
        return format(value, ".20f").rstrip("0")
    return shown
