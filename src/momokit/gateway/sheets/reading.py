"""Read a table out of a CSV or XLSX file: tolerant of what spreadsheets do, strict on limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, TypeAlias, TypeVar

from momokit._reason_words import Words
from momokit.gateway.core.batch_file import Column
from momokit.gateway.core.batch_file import recognise_header as recognise_payments
from momokit.gateway.core.cells import Row
from momokit.gateway.sheets.limits import DEFAULT_LIMITS, Limits

Source: TypeAlias = Path | bytes | BinaryIO
C = TypeVar("C")


@dataclass(frozen=True, kw_only=True, slots=True)
class Table(Generic[C]):
    """A table being read. `rows` is an iterator, to be gone through once, after the header row.

    `columns` is what the recogniser made of the header; `notes` are things to tell the user, such
    as an encoding that had to be taken. Blank rows are left out. Going through `rows` can raise
    SheetRefused as well: what is damaged further down is found when it is reached.
    """

    columns: C
    titles: tuple[str, ...]
    header_row: int
    rows: Iterator[Row]
    notes: tuple[Words, ...] = ()


def read_table(
    source: Source,
    *,
    filename: str,
    limits: Limits = DEFAULT_LIMITS,
    recognise: Callable[[Sequence[str]], C | None] = recognise_payments,  # type: ignore[assignment]
) -> Table[C]:
    """For reading a file of payments, or with a `recognise` of your own another kind of table.

    `recognise` is shown the texts of one row after another (the first 30 that are not blank) and
    gives columns when it is the header, otherwise None. Raises SheetRefused and nothing else.
    """
    raise NotImplementedError


PaymentTable: TypeAlias = Table[tuple[Column, ...]]
