"""A file of payments checked as a whole: rows, duplicates, total row and the sums, in one pass."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from momokit.gateway.core.batch_amounts import read_amount_cell, writing_of
from momokit.gateway.core.batch_file import (
    Column,
    Role,
    find_clash,
    is_footer,
    is_of_results,
    is_total,
    language_of,
    places,
)
from momokit.gateway.core.batch_findings import Finding, error, warning
from momokit.gateway.core.batch_rows import (
    CheckedRow,
    Duplicates,
    Rules,
    check_row,
    is_word_for,
)
from momokit.gateway.core.cells import Cell, CellKind, Row
from momokit.gateway.sheets.limits import DEFAULT_LIMITS, Limits
from momokit.gateway.sheets.reading import PaymentTable, read_table
from momokit.gateway.sheets.refusal import refused
from momokit.gateway.sheets.source import Source


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSummary:
    """What a whole file comes to. `amount` sums the payable rows; `total_row` is the file's own.

    `content_hash` is the same for the same payments in any order: it recognises a file that was
    uploaded before. `findings` are about the file and not about one row; `counts` says how many
    findings there are of each severity, those of the rows included.
    """

    rows: int
    payable_rows: int
    amount: Decimal
    currency: str
    content_hash: str
    findings: tuple[Finding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    total_row: Row | None = field(default=None, repr=False)


class FileCheck:
    """For checking a file while it is read: go through it once, then ask for its `summary`.

    Opening it and going through it raise SheetRefused when the file cannot be read at all. With a
    `key` the hashes are keyed; see `row_hash`.
    """

    def __init__(
        self,
        source: Source,
        *,
        filename: str = "",
        rules: Rules,
        limits: Limits = DEFAULT_LIMITS,
        key: bytes = b"",
    ) -> None:
        self._table: PaymentTable = read_table(source, filename=filename, limits=limits)
        self.columns = self._table.columns
        self.notes = self._table.notes
        self.header_row = self._table.header_row
        clash = find_clash(self.columns)
        if clash is not None:
            self.close()
            raise refused(
                "two_columns",
                row=self.header_row,
                column=clash[0].shown,
                other=clash[1].shown,
            )
        self._rules = rules = replace(rules, language=language_of(self.columns))
        self._key = key
        self._where = places(self.columns)
        self._duplicates = Duplicates()
        self._sums = _Sums(rules, self._where)
        self._summary: FileSummary | None = None

    def __iter__(self) -> Iterator[CheckedRow]:
        """Give the rows as checked, duplicates in the file included; total and blank rows not."""
        counts: Counter[str] = Counter()
        hashes: list[bytes] = []
        rows = payable = 0
        amount = Decimal(0)
        for row in self._table.rows:
            if self._sums.takes(row):
                continue
            checked = check_row(row, columns=self.columns, rules=self._rules)
            checked = checked.with_findings(self._duplicates.look(checked))
            self._sums.add(checked.amount)
            rows += 1
            counts.update(str(one.severity) for one in checked.findings)
            if checked.is_payable and checked.amount is not None:
                payable += 1
                amount += checked.amount
                hashes.append(bytes.fromhex(checked.hash(key=self._key)))
            yield checked
        found = [*self._header_findings(), *self._sums.found]
        found += [] if rows else [error("no_rows")]
        counts.update(str(one.severity) for one in found)
        self._summary = FileSummary(
            rows=rows,
            payable_rows=payable,
            amount=amount,
            currency=self._rules.currency,
            content_hash=hashlib.sha256(b"".join(sorted(hashes))).hexdigest(),
            findings=tuple(found),
            counts=dict(counts),
            total_row=self._sums.total_row,
        )

    @property
    def summary(self) -> FileSummary:
        """What the file came to; only once all rows were gone through."""
        assert self._summary is not None, "go through the rows first"
        return self._summary

    def close(self) -> None:
        """Let go of the file before its end."""
        close = getattr(self._table.rows, "close", None)
        if close is not None:
            close()

    def _header_findings(self) -> list[Finding]:
        column = self._where[Role.AMOUNT]
        currency = self._rules.currency
        found = []
        if is_of_results(one.title for one in self.columns):
            found.append(error("result_file"))
        if column.currency and not is_word_for(column.currency, currency=currency):
            facts = {"told": column.currency, "currency": currency}
            found.append(error("header_currency", column=column.shown, **facts))
        return found


class _Sums:
    """Adds the rows up as the file goes, and holds each total row of the file against that."""

    def __init__(self, rules: Rules, where: Mapping[Role, Column]) -> None:
        self._rules = rules
        self._where = where
        self._all = self._section = Decimal(0)
        self._is_whole = True
        self._was_total = False
        self.found: list[Finding] = []
        self.total_row: Row | None = None

    def add(self, amount: Decimal | None) -> None:
        """Take in a row's amount; None when it could not be read."""
        self._was_total = False
        if amount is None:
            self._is_whole = False
            return
        self._all += amount
        self._section += amount

    def takes(self, row: Row) -> bool:
        """Tell whether a row is no payment: a total, which is compared, or what stands below."""
        kind = is_total(row, columns=self._where)
        if kind == "named" or (kind == "bare" and self._told(row) in (self._all, self._section)):
            self._compare(row)
            return True
        if self._was_total and is_footer(row, columns=self._where):
            self.found.append(warning("footer_ignored", row=str(row.number)))
            return True
        return False

    def _compare(self, row: Row) -> None:
        told, number = self._told(row), str(row.number)
        if told is None or not self._is_whole:
            self.found.append(warning("total_unread", row=number))
        elif told not in (self._all, self._section):
            currency = self._rules.currency
            facts = {"told": f"{currency} {told:,f}", "sum": f"{currency} {self._all:,f}"}
            column = self._where[Role.AMOUNT].shown
            self.found.append(error("total_differs", column=column, row=number, **facts))
        self._section = Decimal(0)
        self._was_total = True
        self.total_row = row

    def _told(self, row: Row) -> Decimal | None:
        column = self._where[Role.AMOUNT]
        cell = row.cells[column.index]
        # A total is a formula as a rule; it moves no money, and is only compared.
        is_result = cell.kind is CellKind.FORMULA
        amount, _ = read_amount_cell(
            Cell(cell.text, CellKind.NUMBER) if is_result else cell,
            currency=self._rules.currency,
            writing=writing_of(self._rules.market, language=self._rules.language),
            column=column.shown,
        )
        return amount
