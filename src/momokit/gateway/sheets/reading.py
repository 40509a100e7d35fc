"""Read a table out of a CSV or XLSX file: tolerant of what spreadsheets do, strict on limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Generic, TypeAlias, TypeVar

from momokit._reason_words import Words
from momokit.gateway.core.batch_file import Column
from momokit.gateway.core.batch_file import recognise_header as recognise_payments
from momokit.gateway.core.cells import Row
from momokit.gateway.sheets.csv_rows import open_csv
from momokit.gateway.sheets.limits import DEFAULT_LIMITS, Limits
from momokit.gateway.sheets.refusal import refused
from momokit.gateway.sheets.sheet import Sheet
from momokit.gateway.sheets.source import Source, content_of, opened
from momokit.gateway.sheets.xlsx_rows import open_xlsx

C = TypeVar("C")
PaymentTable: TypeAlias = "Table[tuple[Column, ...]]"

# A title, an address and a date may stand above the header.
HEADER_WITHIN_ROWS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Table(Generic[C]):
    """A table being read. `rows` is an iterator, to be gone through once, after the header row.

    `above` is what stands above the header: a title, a balance brought forward.

    `columns` is what the recogniser made of the header; `notes` are things to tell the user, such
    as an encoding that had to be taken. Blank rows are left out. Going through `rows` can raise
    SheetRefused as well: what is damaged further down is found when it is reached.
    """

    columns: C
    titles: tuple[str, ...]
    header_row: int
    rows: Iterator[Row]
    notes: tuple[Words, ...] = ()
    above: tuple[Row, ...] = ()


def read_table(
    source: Source,
    *,
    filename: str = "",  # noqa: ARG001 - what a file is, its bytes say
    limits: Limits = DEFAULT_LIMITS,
    recognise: Callable[[Sequence[str]], C | None] = recognise_payments,  # type: ignore[assignment]
) -> Table[C]:
    """For reading a file of payments, or with a `recognise` of your own another kind of table.

    `recognise` is shown the texts of one row after another (the first 30 that are not blank) and
    gives columns when it is the header, otherwise None. Raises SheetRefused and nothing else. The
    source is held open until `rows` has ended or was closed.
    """
    with ExitStack() as opening:
        stream = opening.enter_context(opened(source, limits=limits))
        sheets = _sheets(stream, limits, lambda texts: recognise(texts) is not None)
        found = [one for one in (_find_header(sheet, recognise) for sheet in sheets) if one]
        if not found:
            raise refused("no_header")
        if len(found) > 1:
            raise refused("two_tables", sheet=found[0].sheet.name, other=found[1].sheet.name)
        first = found[0]
        return Table(
            columns=first.columns,
            titles=tuple(cell.text for cell in first.header.cells),
            header_row=first.header.number,
            rows=_counted(first, limits, opening.pop_all()),
            notes=tuple(first.sheet.notes),
            above=first.above,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found(Generic[C]):
    sheet: Sheet
    header: Row
    columns: C
    above: tuple[Row, ...]


def _sheets(
    stream: BinaryIO, limits: Limits, is_header: Callable[[Sequence[str]], bool]
) -> list[Sheet]:
    if content_of(stream) == "xlsx":
        return open_xlsx(stream, limits=limits)
    return [open_csv(stream, limits=limits, is_header=is_header)]


def _find_header(sheet: Sheet, recognise: Callable[[Sequence[str]], C | None]) -> _Found[C] | None:
    above: list[Row] = []
    for _, row in zip(range(HEADER_WITHIN_ROWS), sheet.rows, strict=False):
        columns = recognise([cell.text for cell in row.cells])
        if columns is not None:
            return _Found(sheet=sheet, header=row, columns=columns, above=tuple(above))
        above.append(row)
    return None


def _counted(found: _Found[C], limits: Limits, opening: ExitStack) -> Iterator[Row]:
    with opening:
        for count, row in enumerate(chain(found.sheet.rows), start=1):
            if count > limits.max_rows:
                raise refused("too_many_rows", row=row.number, limit=limits.max_rows)
            yield row
