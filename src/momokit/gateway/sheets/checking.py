"""A file of payments checked as a whole: rows, duplicates, total row and the sums, in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from momokit._reason_words import Words
from momokit.gateway.core.batch_file import Column
from momokit.gateway.core.batch_findings import Finding
from momokit.gateway.core.batch_rows import CheckedRow, Rules
from momokit.gateway.core.cells import Row
from momokit.gateway.sheets.limits import DEFAULT_LIMITS, Limits
from momokit.gateway.sheets.reading import Source


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSummary:
    """What a whole file comes to. `amount` sums the payable rows; `total_row` is the file's own.

    `content_hash` is the same for the same payments in any order: it recognises a file that was
    uploaded before. `findings` are about the file and not about one row.
    """

    rows: int
    payable_rows: int
    amount: Decimal
    currency: str
    content_hash: str
    findings: tuple[Finding, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    total_row: Row | None = field(default=None, repr=False)


class FileCheck:
    """For checking a file while it is read: go through it once, then ask for its `summary`.

    Opening it and going through it raise SheetRefused when the file cannot be read at all.
    """

    def __init__(
        self,
        source: Source,
        *,
        filename: str,
        rules: Rules,
        limits: Limits = DEFAULT_LIMITS,
        key: bytes = b"",
    ) -> None:
        self.columns: tuple[Column, ...] = ()
        self.notes: tuple[Words, ...] = ()
        raise NotImplementedError

    def __iter__(self) -> Iterator[CheckedRow]:
        """Give the rows as checked, duplicates in the file included; total and blank rows not."""
        raise NotImplementedError

    @property
    def summary(self) -> FileSummary:
        """What the file came to; only once all rows were gone through."""
        raise NotImplementedError
