"""Write tables as CSV and XLSX: streamed, numbers as numbers, and no text ever a live formula."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import BinaryIO, Literal, TypeAlias

from momokit.gateway.core.batch_file import Column
from momokit.gateway.core.batch_findings import Finding
from momokit.gateway.core.cells import Cell

SheetFormat: TypeAlias = Literal["csv", "xlsx"]
Value: TypeAlias = str | int | Decimal | None

CONTENT_TYPES: dict[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def csv_chunks(
    titles: Sequence[str], rows: Iterable[Sequence[Value]], *, language: str = "en"
) -> Iterator[bytes]:
    """For streaming a CSV: UTF-8 with its mark, `;` between cells in French and `,` otherwise."""
    raise NotImplementedError


def write_table(
    out: BinaryIO,
    *,
    sheet_format: SheetFormat,
    titles: Sequence[str],
    rows: Iterable[Sequence[Value]],
    language: str = "en",
    sheet_name: str = "Sheet1",
) -> int:
    """For writing any table; gives the number of rows. Texts stay text, Decimals are numbers."""
    raise NotImplementedError


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultRow:
    """A row of the input with what became of it. `at` is ISO 8601; `state` is a payment's state.

    Rows that make no payment (excluded, never run) have `state` such as "excluded", "ready" or "".
    """

    cells: tuple[Cell, ...] = field(repr=False)
    state: str
    payment_id: str | None = None
    financial_transaction_id: str | None = None
    reason_code: str | None = None
    at: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportRow:
    """A row of the input with what the checks found."""

    cells: tuple[Cell, ...] = field(repr=False)
    findings: tuple[Finding, ...]
    is_excluded: bool = False


def write_results(
    out: BinaryIO,
    *,
    sheet_format: SheetFormat,
    columns: Sequence[Column],
    rows: Iterable[ResultRow],
    language: str = "en",
) -> int:
    """For the result file: the input in its columns and order, and what became of each row."""
    raise NotImplementedError


def write_report(
    out: BinaryIO,
    *,
    sheet_format: SheetFormat,
    columns: Sequence[Column],
    rows: Iterable[ReportRow],
    language: str = "en",
) -> int:
    """For the report before anything moves: the input, the verdict on each row and what to do."""
    raise NotImplementedError


def write_template(
    out: BinaryIO, *, sheet_format: SheetFormat, market: str, language: str = "en"
) -> None:
    """For filling in: headers in the language, an example row of the market, phones as text."""
    raise NotImplementedError
