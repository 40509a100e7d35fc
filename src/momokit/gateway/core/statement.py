"""Read a statement's rows by a profile: each becomes a line, a balance, nothing, or unreadable.

A row that cannot be read is never dropped: it comes back with the field at fault, to be looked at
by a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from momokit.errors import InvalidInput
from momokit.gateway.core.cells import EMPTY, Cell, CellKind, Row
from momokit.gateway.core.statement_profile import (
    FIELDS,
    Direction,
    Profile,
    Role,
    Status,
    folded,
    zone_of,
)
from momokit.gateway.core.statement_times import DAY_SECONDS, TimeFormat, moment
from momokit.market import Market
from momokit.party import MSISDN

ZERO = Decimal(0)
_SPACES = "[ \u00a0\u202f]"
_WORDS_KEPT = 4096
MAX_ID = 128
_NOTHING = (EMPTY,) * 256


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands in a row, from 0, and what the file calls it."""

    places: dict[str, int]
    titles: tuple[str, ...]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One movement as MTN's statement tells it. Times are seconds since 1970, amounts positive.

    It happened from `at` until `until`: within that second, or on that day where no time is given.
    `party` is the other side's number when it could be read, `parties` what the file says of both.
    """

    row_number: int
    role: Role
    status: Status
    at: float
    until: float
    direction: Direction
    amount: Decimal
    currency: str
    fee: Decimal | None = None
    balance: Decimal | None = None
    financial_transaction_id: str | None = None
    external_id: str | None = None
    party: str | None = None
    parties: tuple[str, str] = ("", "")

    def __repr__(self) -> str:
        return f"Line(row_number={self.row_number}, …)"

    @property
    def moved(self) -> bool:
        """Tell whether money moved, if only for a while."""
        return self.status in ("moved", "reversed")

    def effect(self, *, fee_in_amount: bool = False) -> Decimal:
        """Give what the line does to the balance."""
        if not self.moved:
            return ZERO
        change = self.amount if self.direction == "in" else -self.amount
        return change if fee_in_amount or self.fee is None else change - self.fee


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A row that could not be read: the field at fault and why, and the row as it came."""

    row_number: int
    column: str
    why: str
    texts: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Unreadable(row_number={self.row_number}, column={self.column!r}, …)"


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """An opening or closing balance that the statement states."""

    which: Literal["opening", "closing"]
    amount: Decimal


Read: TypeAlias = Line | Unreadable | BalanceRow | None


class _Fault(Exception):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name, self.why = name, why


class HeaderFinder:
    """Finds the header below whatever stands above it."""

    def __init__(self, profile: Profile) -> None:
        self._by_header = {
            folded(header): name for name in FIELDS for header in profile.columns.get(name, [])
        }

    def __call__(self, texts: Sequence[str]) -> Columns | None:
        """Say where the fields are, when this row is the header."""
        places: dict[str, int] = {}
        for index, text in enumerate(texts):
            name = self._by_header.get(folded(text)) if len(text) < MAX_ID else None
            if name is not None:
                places.setdefault(name, index)
        amounts = {"amount"} & places.keys() or {"amount_in", "amount_out"} <= places.keys()
        if "time" in places and amounts:
            return Columns(places, tuple(texts))
        return None


class StatementReader:
    """Reads rows by a profile, for one market. `currency` is for lines that name none."""

    def __init__(self, profile: Profile, columns: Columns, *, market: Market) -> None:
        self._profile = profile
        self._columns = columns
        self._market = market
        self._currency = profile.currency or market.currency
        self._zone = zone_of(profile.zone)
        self._formats = [TimeFormat(one) for one in profile.time_formats]
        self._amount = amount_reader(profile)
        self._header = tuple(folded(title) for title in columns.titles)
        self._words: dict[str, str] = {}
        # A row gets an empty cell at its end, which stands for every field that is not there.
        self._width = max(columns.places.values()) + 1
        self._at = {name: columns.places.get(name, self._width) for name in FIELDS}
        self._opening = [folded(word) for word in profile.opening_words]
        self._closing = [folded(word) for word in profile.closing_words]
        self._footers = [folded(word) for word in profile.footer_words]
        self._has_direction = bool({"direction", "amount_in"} & columns.places.keys())

    def above(self, rows: Sequence[Row]) -> list[BalanceRow]:
        """Read the balances that stand above the header."""
        found = [self._balance_row(row.cells) for row in rows]
        return [one for one in found if one is not None]

    def read(self, row: Row) -> Read:
        """Read one row."""
        cells = row.cells
        try:
            return self._line(row.number, cells)
        except _Fault as fault:
            if fault.name == "time":
                balance = self._balance_row(cells)
                if balance is not None or self._is_furniture(cells):
                    return balance
            texts = tuple(cell.text for cell in cells)
            return Unreadable(row_number=row.number, column=fault.name, why=fault.why, texts=texts)

    def _line(self, number: int, cells: Sequence[Cell]) -> Line | None:
        cells = (*cells[: self._width], *_NOTHING[: self._width - len(cells)], EMPTY)
        at = self._at
        begins, ends = self._time(cells[at["time"]])
        word = self._folded(cells[at["type"]].text)
        role: Role = self._profile.types.get(word, "payment")
        if role == "ignored":
            return None
        status = self._status(cells[at["status"]].text)
        direction, amount = self._money(cells, word)
        fee = self._optional("fee", cells[at["fee"]])
        fee = abs(fee) if fee is not None else None
        if not amount and fee:
            # A row that moves nothing but its fee.
            role, amount, direction, fee = "fee", fee, "out", None
        if not amount and status != "failed":
            raise _Fault("amount", "The amount is zero.")
        if role == "fee" and not self._has_direction:
            direction = "out"
        sides = (cells[at["from_party"]].text, cells[at["to_party"]].text)
        own = _id("external_id", cells[at["external_id"]])
        return Line(
            row_number=number,
            role=role,
            status=status,
            at=begins,
            until=ends,
            direction=direction,
            amount=amount,
            currency=self._currency_of(cells[at["currency"]].text),
            fee=fee,
            balance=self._optional("balance", cells[at["balance"]]),
            financial_transaction_id=_id(
                "financial_transaction_id", cells[at["financial_transaction_id"]]
            ),
            external_id=own or _id("reference_id", cells[at["reference_id"]]),
            party=read_party(sides[0 if direction == "in" else 1], market=self._market),
            parties=sides,
        )

    def _time(self, cell: Cell) -> tuple[float, float]:
        text = cell.text.strip()
        if cell.kind is CellKind.DATE:
            at = moment(datetime.fromisoformat(text).replace(tzinfo=None), self._zone)
            return at, at + (DAY_SECONDS if len(text) <= len("2026-01-31") else 1.0)
        for form in self._formats:
            found = form.read(text, self._zone)
            if found is not None:
                return found, found + form.span_seconds
        raise _Fault("time", "This is no time in a form that the profile names.")

    def _status(self, text: str) -> Status:
        word = self._folded(text)
        if not word:
            return self._profile.status_when_absent
        found = self._profile.statuses.get(word)
        if found is None:
            raise _Fault("status", "The profile does not say what this status means.")
        return found

    def _money(self, cells: Sequence[Cell], word: str) -> tuple[Direction, Decimal]:
        at = self._at
        if at["amount_in"] < self._width:
            taken = self._optional("amount_in", cells[at["amount_in"]])
            paid = self._optional("amount_out", cells[at["amount_out"]])
            if taken and paid:
                raise _Fault("amount_in", "Money came in and went out in one row.")
            if taken or paid:
                return ("in", abs(taken)) if taken else ("out", abs(paid or ZERO))
        amount = self._optional("amount", cells[at["amount"]])
        if amount is None:
            if at["amount_in"] < self._width:
                return "in", ZERO
            raise _Fault("amount", "There is no amount.")
        said = self._folded(cells[at["direction"]].text)
        known = self._profile.directions.get(said or word)
        if said and known is None:
            raise _Fault("direction", "The profile does not say what this word means.")
        return known or ("out" if amount < 0 else "in"), abs(amount)

    def _optional(self, name: str, cell: Cell) -> Decimal | None:
        text = cell.text.strip()
        if not text or text == "-":
            return None
        value = self._amount(cell)
        if value is None:
            raise _Fault(name, "This is no amount as the profile says they are written.")
        return value

    def _currency_of(self, text: str) -> str:
        code = text.strip().upper()
        if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
            raise _Fault("currency", "A currency has three letters.")
        return code or self._currency

    def _balance_row(self, cells: Sequence[Cell]) -> BalanceRow | None:
        said = next((folded(cell.text) for cell in cells if cell.text.strip()), "")
        for which, words in (("opening", self._opening), ("closing", self._closing)):
            word = next((word for word in words if said.startswith(word)), None)
            if word is None:
                continue
            for cell in reversed(cells):
                amount = self._amount(Cell(cell.text.rpartition(":")[2].strip(), cell.kind))
                if amount is not None:
                    return BalanceRow("opening" if which == "opening" else "closing", amount)
        return None

    def _is_furniture(self, cells: Sequence[Cell]) -> bool:
        """Tell whether a row is a total, the end, or the header printed again."""
        said = next((folded(cell.text) for cell in cells if cell.text.strip()), "")
        if not said or any(said == word or said.startswith(f"{word} ") for word in self._footers):
            return True
        return tuple(folded(cell.text) for cell in cells) == self._header

    def _folded(self, text: str) -> str:
        found = self._words.get(text)
        if found is None:
            found = folded(text)
            if len(self._words) < _WORDS_KEPT:
                self._words[text] = found
        return found


def amount_reader(profile: Profile) -> Callable[[Cell], Decimal | None]:
    """Make what reads amounts with the profile's marks; None for what is no amount."""
    group = _SPACES if profile.grouping_mark == " " else re.escape(profile.grouping_mark)
    whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+" if group else r"\d+"
    mark = re.escape(profile.decimal_mark)
    pattern = re.compile(rf"([-+(]?){_SPACES}?({whole})(?:{mark}(\d{{1,6}}))?({_SPACES}?[-)]?)")
    plain = re.compile(r"(-?)(\d{1,18})(?:\.(\d{1,6}))?()")

    kept: dict[str, Decimal] = {}

    def read(cell: Cell) -> Decimal | None:
        if cell.kind is CellKind.NUMBER:
            return parse(plain, cell.text.strip())
        text = cell.text
        value = kept.get(text)
        if value is None:
            value = parse(pattern, text.strip())
            # Amounts and fees come again and again; balances do not.
            if value is not None and len(kept) < _WORDS_KEPT:
                kept[text] = value
        return value

    def parse(form: re.Pattern[str], text: str) -> Decimal | None:
        found = form.fullmatch(text)
        if found is None:
            return None
        sign, digits, decimals, after = found.groups()
        if not digits.isdigit():
            digits = re.sub(r"\D", "", digits)
        if len(digits) > 18:
            return None
        value = Decimal(f"{digits}.{decimals}" if decimals else digits)
        if not sign and not after:
            return value
        after = after.strip()
        if (sign == "(") != (after == ")") or (sign and sign != "(" and after):
            return None
        return -value if sign in ("-", "(") or after == "-" else value

    return read


def read_party(text: str, *, market: Market) -> str | None:
    """Give the digits of a number as MTN knows it, or None where there is none to be read."""
    text = text.strip()
    if not text:
        return None
    bare = text.partition("/")[0].removeprefix("FRI:").removeprefix("MSISDN:").strip()
    code = market.calling_code
    if bare.isascii() and bare.isdigit() and code and bare.startswith(code):
        rest = len(bare) - len(code)
        if rest in market.national_lengths and (market.national_lead or bare[len(code)] != "0"):
            return bare
    try:
        return MSISDN.parse(bare, market=market).digits
    except InvalidInput:
        return None


def said_by(line: Line | Unreadable) -> str:
    """Give what a line says, so that a statement that overlaps another adds nothing twice.

    The time and the balance count where there is no number of MTN's; the parties never do.
    """
    if isinstance(line, Unreadable):
        return "\x1f".join(("unreadable", *line.texts))
    own = line.financial_transaction_id
    rest = "" if own else f"{line.at}\x1f{line.external_id}\x1f{line.balance}"
    return (
        f"{own}\x1f{line.role}\x1f{line.status}\x1f{line.direction}\x1f"
        f"{plain_amount(line.amount)}\x1f{line.currency}\x1f{rest}"
    )


def plain_or_none(value: Decimal | None) -> str | None:
    """Write an amount that may be missing."""
    return plain_amount(value) if value is not None else None


def plain_amount(value: Decimal) -> str:
    """Write an amount in one way only: no exponent, no zeros that say nothing."""
    text = str(value)
    if text.isdigit():
        return text
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _id(name: str, cell: Cell) -> str | None:
    text = cell.text.strip()
    if len(text) > MAX_ID:
        raise _Fault(name, "This is too long for an id.")
    return text or None
