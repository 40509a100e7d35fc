"""A row of a file of payments, checked before anything moves: its payee, its money, its doubts.

Pure: what only the store or MTN knows is handed in as facts.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache

from momokit.errors import InvalidInput
from momokit.gateway.core.batch_amounts import read_amount_cell, writing_of
from momokit.gateway.core.batch_file import Column, Role, folded, places
from momokit.gateway.core.batch_findings import Finding, Severity, doubt, error, warning
from momokit.gateway.core.batch_phones import read_phone_cell
from momokit.gateway.core.cells import EMPTY, Cell, Row
from momokit.market import Market
from momokit.money import Money
from momokit.notes import clean_note
from momokit.party import MSISDN, Network

REFERENCE_MAX_LENGTH = 100
NAME_MAX_LENGTH = 100
_CURRENCY_WORDS = {
    "FCFA": ("XAF", "XOF"),
    "F CFA": ("XAF", "XOF"),
    "CFA": ("XAF", "XOF"),
    "CEDI": ("GHS",),
    "CEDIS": ("GHS",),
    "GHC": ("GHS",),
    "SHS": ("UGX",),
    "USHS": ("UGX",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What rows are held against. `network` guesses a number's network; amounts are `currency`.

    `language` is that of the file's headers ("en", "fr"), whose way of writing amounts is taken;
    "" takes the market's.
    """

    market: Market
    currency: str
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None
    network: Callable[[MSISDN], Network] = MSISDN.network_hint
    language: str = ""


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

    def with_findings(self, more: Sequence[Finding]) -> CheckedRow:
        """For adding what other rows, the past or MTN say about it."""
        return replace(self, findings=(*self.findings, *more)) if more else self

    def hash(self, *, key: bytes = b"") -> str:
        """For naming what the row will do; see `row_hash`. Only for a row that is payable."""
        assert self.payee is not None
        assert self.amount is not None
        return row_hash(
            payee=self.payee.digits,
            amount=self.amount,
            currency=self.currency,
            reference=self.reference,
            note=self.note,
            key=key,
        )


def check_row(row: Row, *, columns: Sequence[Column], rules: Rules) -> CheckedRow:
    """For reading one row on its own; never raises: what is wrong is a finding.

    What depends on other rows is found by `Duplicates`, what depends on the past by
    `find_in_history`.
    """
    where = places(columns)
    cells = {role: _cell(row, column) for role, column in where.items()}
    titles = {role: column.shown for role, column in where.items()}
    found: list[Finding] = []
    payee, heard = read_phone_cell(
        cells[Role.PHONE], market=rules.market, column=titles[Role.PHONE]
    )
    found += heard
    if payee is not None and rules.network(payee) == "other":
        found.append(warning("other_network", column=titles[Role.PHONE]))
    amount, wrong = read_amount_cell(
        cells[Role.AMOUNT],
        currency=rules.currency,
        writing=writing_of(rules.market, language=rules.language),
        column=titles[Role.AMOUNT],
    )
    found += [wrong] if wrong is not None else []
    if amount is not None:
        found += _limits(amount, rules=rules, column=titles[Role.AMOUNT])
    found += _currency(cells.get(Role.CURRENCY, EMPTY), rules, titles.get(Role.CURRENCY, ""))
    reference = _line(cells.get(Role.REFERENCE, EMPTY).text)
    if len(reference) > REFERENCE_MAX_LENGTH:
        limit = str(REFERENCE_MAX_LENGTH)
        found.append(error("reference_too_long", column=titles[Role.REFERENCE], limit=limit))
    note, heard = _note(cells.get(Role.NOTE, EMPTY).text, column=titles.get(Role.NOTE, ""))
    found += heard
    if len(row.cells) > len(columns):
        found.append(error("cells_beyond_header"))
    return CheckedRow(
        row=row,
        payee=payee,
        amount=amount,
        currency=rules.currency,
        name=_name(cells),
        national_id=_line(cells.get(Role.NATIONAL_ID, EMPTY).text),
        reference=reference[:REFERENCE_MAX_LENGTH],
        note=note,
        findings=tuple(found),
    )


def _cell(row: Row, column: Column) -> Cell:
    return row.cells[column.index] if column.index < len(row.cells) else EMPTY


def _line(text: str) -> str:
    """A text on one line, without what cannot be printed."""
    if text.isprintable():
        return text.strip()
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _limits(amount: Decimal, *, rules: Rules, column: str) -> list[Finding]:
    found = []
    if rules.max_amount is not None and amount > rules.max_amount:
        limit = str(Money(rules.max_amount, rules.currency))
        found.append(error("amount_above_limit", column=column, limit=limit))
    if rules.min_amount is not None and amount < rules.min_amount:
        limit = str(Money(rules.min_amount, rules.currency))
        found.append(error("amount_below_limit", column=column, limit=limit))
    return found


def _currency(cell: Cell, rules: Rules, column: str) -> list[Finding]:
    told = " ".join(cell.text.upper().split())
    if not told or told == rules.currency or is_word_for(told, currency=rules.currency):
        return []
    return [error("currency_differs", column=column, currency=rules.currency)]


def is_word_for(told: str, *, currency: str) -> bool:
    """For taking "FCFA" for what it is where the batch pays: XAF or XOF."""
    return told == currency or currency in _CURRENCY_WORDS.get(told, ())


# The note is the same in most rows of a file.
@lru_cache(maxsize=256)
def _note(text: str, *, column: str) -> tuple[str, tuple[Finding, ...]]:
    if not text.strip():
        return "", ()
    try:
        cleaned = clean_note(text.strip())
    except InvalidInput:
        return "", (warning("note_dropped", column=column),)
    if not cleaned.changes:
        return cleaned.text, ()
    return cleaned.text, (warning("note_cleaned", column=column, text=cleaned.text),)


def _name(cells: Mapping[Role, Cell]) -> str:
    parts = (cells.get(role, EMPTY).text for role in (Role.GIVEN_NAME, Role.FAMILY_NAME))
    whole = _line(cells.get(Role.NAME, EMPTY).text) or " ".join(_line(one) for one in parts)
    return whole.strip()[:NAME_MAX_LENGTH]


def row_hash(
    *, payee: str, amount: Decimal, currency: str, reference: str, note: str, key: bytes = b""
) -> str:
    """For naming what a row will do: SHA-256 in hex over payee, amount, currency, texts.

    With a `key` it is an HMAC, so that nobody finds the payee by trying all numbers.
    """
    plain = format(amount.normalize(), "f")
    # Each part goes with its length, so that no two rows are written alike.
    parts = (part.encode() for part in (payee, plain, currency, reference, note))
    written = b"".join(b"%d:%b" % (len(part), part) for part in parts)
    if key:
        return hmac.new(key, written, hashlib.sha256).hexdigest()
    return hashlib.sha256(written).hexdigest()


class BatchHash:
    """For binding an approval to a batch: fed each row that will be paid, in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(b"momokit batch 1\n")

    def add(self, number: int, *, row_hash: str) -> None:
        """Take in the next row, with its number in the file."""
        self._hash.update(f"{number}:{row_hash}\n".encode())

    def hexdigest(self) -> str:
        """The hash of the rows so far; it changes with any row's edit, move or exclusion."""
        return self._hash.hexdigest()


class Duplicates:
    """For finding payees that come twice in one file; fed the rows in order."""

    def __init__(self) -> None:
        self._payees: dict[str, list[tuple[int, Decimal | None]]] = {}
        self._references: dict[str, int] = {}

    def look(self, checked: CheckedRow) -> tuple[Finding, ...]:
        """Take in a row; gives what an earlier row says against it."""
        found: list[Finding] = []
        if checked.payee is not None:
            earlier = self._payees.setdefault(checked.payee.digits, [])
            same = [number for number, amount in earlier if amount == checked.amount]
            if same:
                found.append(doubt("same_payee_and_amount", row=str(same[0])))
            elif earlier:
                found.append(warning("same_payee", row=str(earlier[0][0])))
            # The first few are enough to name, and a file of one payee stays small in memory.
            if len(earlier) < 8 and not same:
                earlier.append((checked.number, checked.amount))
        if checked.reference:
            first = self._references.setdefault(folded(checked.reference), checked.number)
            if first != checked.number:
                found.append(warning("same_reference", row=str(first)))
        return tuple(found)


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
    found: list[Finding] = []
    for one in paid:
        facts = {
            "amount": f"{checked.currency} {one.amount:,f}",
            "label": one.label or one.batch_id,
            "day": one.day,
        }
        if one.is_same_period:
            found.append(doubt("paid_same_period", **facts))
        elif one.amount == checked.amount:
            found.append(warning("paid_lately", **facts))
    return tuple(found[:5])
