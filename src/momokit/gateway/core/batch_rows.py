"""A row of a file of payments, checked before anything moves: its payee, its money, its doubts.

Pure: what only the store or MTN knows is handed in as facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from momokit._reason_words import Words
from momokit.gateway.core.batch_file import Column
from momokit.gateway.core.cells import Row
from momokit.market import Market
from momokit.party import MSISDN, Network


class Severity(StrEnum):
    """What a finding asks for: a correction, a second person's word, or only a look."""

    ERROR = "error"
    OVERRIDE = "override"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing found in a row or file: its code, how grave, in which column, and the facts.

    The facts hold no phone number. `words` says it in English and French, with what to do.
    """

    code: str
    severity: Severity
    column: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> Words:
        """For people: what was found and what to do about it."""
        raise NotImplementedError

    def stored(self) -> dict[str, object]:
        """For storing it as JSON; `Finding.load` has it back."""
        raise NotImplementedError

    @classmethod
    def load(cls, stored: Mapping[str, object]) -> Finding:
        """For having back what `stored` made."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What rows are held against. `network` guesses a number's network; amounts are `currency`."""

    market: Market
    currency: str
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None
    network: Callable[[MSISDN], Network] = MSISDN.network_hint


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedRow:
    """A row as it was understood. `payee` and `amount` are None when they could not be."""

    row: Row = field(repr=False)
    payee: MSISDN | None
    amount: Decimal | None
    currency: str
    name: str = field(repr=False)
    national_id: str = field(repr=False)
    reference: str
    note: str
    findings: tuple[Finding, ...]

    @property
    def number(self) -> int:
        """The row's number in the file."""
        return self.row.number

    @property
    def is_payable(self) -> bool:
        """Tell whether nothing in the row must be corrected first."""
        return not any(one.severity is Severity.ERROR for one in self.findings)


def check_row(row: Row, *, columns: Sequence[Column], rules: Rules) -> CheckedRow:
    """For reading one row on its own; never raises: what is wrong is a finding.

    What depends on other rows is found by `Duplicates`, what depends on the past by
    `find_in_history`.
    """
    raise NotImplementedError


def row_hash(
    *, payee: str, amount: Decimal, currency: str, reference: str, note: str, key: bytes = b""
) -> str:
    """For naming what a row will do: SHA-256 in hex over payee, amount, currency, texts.

    With a `key` it is an HMAC, so that nobody finds the payee by trying all numbers.
    """
    raise NotImplementedError


class BatchHash:
    """For binding an approval to a batch: fed each row that will be paid, in order."""

    def add(self, number: int, *, row_hash: str) -> None:
        """Take in the next row, with its number in the file."""
        raise NotImplementedError

    def hexdigest(self) -> str:
        """The hash of the rows so far; it changes with any row's edit, move or exclusion."""
        raise NotImplementedError


class Duplicates:
    """For finding payees that come twice in one file; fed the rows in order."""

    def look(self, checked: CheckedRow) -> tuple[Finding, ...]:
        """Take in a row; gives what an earlier row says against it."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True, slots=True)
class PaidBefore:
    """For the past: the payee was paid `amount` by this batch, for the same period or lately."""

    batch_id: str
    label: str
    amount: Decimal
    day: str
    is_same_period: bool


def find_in_history(checked: CheckedRow, *, paid: Sequence[PaidBefore]) -> tuple[Finding, ...]:
    """For holding a row against what was paid before; facts are handed in by the store."""
    raise NotImplementedError
