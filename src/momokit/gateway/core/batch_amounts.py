"""Read an amount as a spreadsheet of the market writes it; where two readings exist, none is
taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from momokit.errors import InvalidInput
from momokit.gateway.core.batch_findings import Finding, error
from momokit.gateway.core.cells import Cell, CellKind
from momokit.market import Market
from momokit.money import MAX_INTEGER_DIGITS, Money, exponent_of

_MAX_TEXT = 64
_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_POWERS = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_DIGITS = re.compile(r"[0-9]+")
# A number as a spreadsheet stores it, whatever its reader calls a number.
_STORED = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
_MARKS = {
    "UGX": ("USHS", "USH", "SHS", "UG SHS"),
    "GHS": ("GH₵", "GH¢", "GHC", "₵"),
    "XAF": ("F CFA", "FCFA", "CFA", "FRS", "F"),
    "XOF": ("F CFA", "FCFA", "CFA", "FRS", "F"),
    "NGN": ("₦",),
    "GNF": ("FG", "GNF"),
    "RWF": ("FRW", "RF"),
    "ZAR": ("R",),
    "EUR": ("€",),
    "USD": ("US$", "$"),
}
_MINUS = ("-", "−", "–", "(")


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """How amounts are written in a market: what may stand between thousands, and before cents."""

    thousands: frozenset[str]
    decimal: frozenset[str]


_ENGLISH = Writing(thousands=frozenset(", '’"), decimal=frozenset("."))
_FRENCH = Writing(thousands=frozenset(". '’"), decimal=frozenset(","))


def writing_of(market: Market, *, language: str = "") -> Writing:
    """For knowing a file's way: that of its headers' language, or else of the market's first."""
    return _FRENCH if (language or market.languages[0]) == "fr" else _ENGLISH


def read_amount_cell(
    cell: Cell, *, currency: str, writing: Writing, column: str
) -> tuple[Decimal | None, Finding | None]:
    """For an amount to be paid: exact, positive, with the currency's decimals; or what is wrong.

    One of the two is None. A number that a spreadsheet stored is taken as it is; a text is read in
    the market's way of writing, and refused where it has another reading or none.
    """
    example = "1500" if exponent_of(currency) == 0 else "1500.50"

    def wrong(code: str, **facts: str) -> tuple[None, Finding]:
        return None, error(code, column=column, **facts)

    if cell.kind is CellKind.FORMULA or cell.text.lstrip().startswith("="):
        return wrong("amount_formula")
    text = _SPACES.sub(" ", cell.text[: _MAX_TEXT + 1]).strip()
    if not text:
        return wrong("amount_missing")
    if cell.kind not in (CellKind.TEXT, CellKind.NUMBER) or len(text) > _MAX_TEXT:
        return wrong("amount_not_a_number", example=example)
    if text.isdigit() and text.isascii() and text[0] != "0":
        return _money(text, currency=currency, column=column)
    bare = _without_currency(text, currency=currency)
    if bare.startswith(_MINUS) or bare.endswith("-"):
        return wrong("amount_negative")
    if _POWERS.fullmatch(bare):
        return wrong("amount_powers")
    if not any(c.isdigit() for c in bare) or any(c.isalpha() for c in bare):
        return wrong("amount_not_a_number", example=example)
    if cell.kind is CellKind.NUMBER and not _STORED.fullmatch(bare):
        return wrong("amount_not_a_number", example=example)
    plain = bare if cell.kind is CellKind.NUMBER else _plain(bare, currency, writing)
    if plain is None:
        return wrong("amount_ambiguous", example=example)
    if len(plain) > 1 and plain[0] == "0" and plain[1] != ".":
        # Phone numbers begin so, and amounts do not.
        return wrong("amount_not_a_number", example=example)
    return _money(plain, currency=currency, column=column)


def _without_currency(text: str, *, currency: str) -> str:
    for mark in (currency, *_MARKS.get(currency, ())):
        upper = text.upper()
        if upper.startswith(mark):
            return text[len(mark) :].lstrip(" .")
        if upper.endswith(mark):
            return text[: -len(mark)].rstrip()
    return text


def _plain(text: str, currency: str, writing: Writing) -> str | None:
    """The amount in plain digits, if this way of writing allows exactly one reading of it."""
    exponent = exponent_of(currency)
    text = text.replace("’", "'")
    marks = [c for c in text if not c.isdigit()]
    if not (text.isascii() and set(marks) <= set(" ',.")) or text[:1] in ",.":
        return None
    if not marks:
        return text
    last = marks[-1]
    whole, _, tail = text.rpartition(last)
    if last in ",." and marks.count(last) == 1:
        # Plain digits with a point are how programs write, in every market.
        is_decimal = last in writing.decimal or (last == "." and len(marks) == 1)
        if is_decimal and 1 <= len(tail) <= max(exponent, 2):
            digits = _grouped(whole, thousands=writing.thousands | {",", "."} - {last})
            return None if digits is None else f"{digits}.{tail}"
    return _grouped(text, thousands=writing.thousands)


def _grouped(text: str, *, thousands: frozenset[str]) -> str | None:
    """Digits without the marks between thousands; None when they do not stand by threes."""
    if _DIGITS.fullmatch(text):
        return text
    marks = {c for c in text if not c.isdigit()}
    if len(marks) != 1 or not marks <= thousands:
        return None
    first, *groups = text.split(marks.pop())
    if not 1 <= len(first) <= 3 or any(len(group) != 3 for group in groups):
        return None
    return first + "".join(groups)


def _money(
    plain: str, *, currency: str, column: str
) -> tuple[Decimal, None] | tuple[None, Finding]:
    value = Decimal(plain)
    if value == 0:
        return None, error("amount_zero", column=column)
    if value.adjusted() >= MAX_INTEGER_DIGITS:
        return None, error("amount_too_large", column=column)
    try:
        return Money(value, currency, exponent=None).amount, None
    except InvalidInput:
        allowed = str(exponent_of(currency))
        return None, error("amount_decimals", column=column, currency=currency, allowed=allowed)
