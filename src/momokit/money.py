"""Amounts of money: exact decimals inside, MTN's plain decimal string on the wire."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from types import MappingProxyType

from momokit.errors import InvalidInput

MAX_INTEGER_DIGITS = 15
_MAX_TEXT = 64
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_TOLERANT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_GROUPING = re.compile(r"[\s,'’_\u00a0\u202f]")
# Sums are made in a context of our own, so that a caller's low precision cannot round money.
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])


@dataclass(frozen=True, slots=True)
class Currency:
    """For knowing how many decimals a currency has (`exponent`, ISO 4217's minor unit)."""

    code: str
    exponent: int
    name: str


CURRENCIES: Mapping[str, Currency] = MappingProxyType(
    {
        one.code: one
        for one in (
            # The markets' own.
            Currency("EUR", 2, "euro"),
            Currency("GHS", 2, "Ghanaian cedi"),
            Currency("GNF", 0, "Guinean franc"),
            Currency("LRD", 2, "Liberian dollar"),
            Currency("NGN", 2, "Nigerian naira"),
            Currency("RWF", 0, "Rwandan franc"),
            Currency("SSP", 2, "South Sudanese pound"),
            Currency("SZL", 2, "Eswatini lilangeni"),
            Currency("UGX", 0, "Ugandan shilling"),
            Currency("USD", 2, "US dollar"),
            Currency("XAF", 0, "Central African CFA franc"),
            Currency("XOF", 0, "West African CFA franc"),
            Currency("ZAR", 2, "South African rand"),
            Currency("ZMW", 2, "Zambian kwacha"),
            # What remittances are paid in with.
            Currency("AED", 2, "UAE dirham"),
            Currency("AUD", 2, "Australian dollar"),
            Currency("BWP", 2, "Botswana pula"),
            Currency("CAD", 2, "Canadian dollar"),
            Currency("CDF", 2, "Congolese franc"),
            Currency("CHF", 2, "Swiss franc"),
            Currency("CNY", 2, "Chinese yuan"),
            Currency("DKK", 2, "Danish krone"),
            Currency("GBP", 2, "pound sterling"),
            Currency("GMD", 2, "Gambian dalasi"),
            Currency("INR", 2, "Indian rupee"),
            Currency("JPY", 0, "Japanese yen"),
            Currency("KES", 2, "Kenyan shilling"),
            Currency("KWD", 3, "Kuwaiti dinar"),
            Currency("MAD", 2, "Moroccan dirham"),
            Currency("MWK", 2, "Malawian kwacha"),
            Currency("MZN", 2, "Mozambican metical"),
            Currency("NAD", 2, "Namibian dollar"),
            Currency("NOK", 2, "Norwegian krone"),
            Currency("OMR", 3, "Omani rial"),
            Currency("QAR", 2, "Qatari riyal"),
            Currency("SAR", 2, "Saudi riyal"),
            Currency("SEK", 2, "Swedish krona"),
            Currency("SLE", 2, "Sierra Leonean leone"),
            Currency("TZS", 2, "Tanzanian shilling"),
        )
    }
)


def exponent_of(currency: str) -> int:
    """For writing amounts: the decimals of a currency; two for one that is not known here."""
    known = CURRENCIES.get(currency)
    return known.exponent if known is not None else 2


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=True)
class Money:
    """For an amount that may be sent: positive, exact, with no fraction its currency lacks.

    `amount` is a string ("5000", "12.50"), an int or a Decimal; a float is refused, because most
    decimal fractions are not floats. `exponent` (decimals) is needed only for a currency that is
    not in `CURRENCIES`. Raises InvalidInput with field `amount` or `currency`.
    """

    amount: Decimal
    currency: str
    exponent: int = field(compare=False)

    def __init__(
        self,
        amount: str | int | Decimal,
        currency: str | Currency,
        *,
        exponent: int | None = None,
    ) -> None:
        code, decimals = _currency(currency, exponent=exponent)
        value = _strict_decimal(amount)
        _check_size(value, code=code, exponent=decimals)
        object.__setattr__(self, "amount", Decimal(_plain(value)))
        object.__setattr__(self, "currency", code)
        object.__setattr__(self, "exponent", decimals)

    @classmethod
    def parse(cls, text: str, *, exponent: int | None = None) -> Money:
        """For one string that holds both: "5000 UGX" or "UGX 5000"."""
        parts = str(text).split()
        if len(parts) != 2:
            raise InvalidInput(
                "An amount with its currency was expected.",
                field="amount",
                hint="Write for example '5000 UGX'; no spaces or commas inside the number.",
            )
        first, second = parts
        if first[:1].isalpha():
            first, second = second, first
        return cls(first, second, exponent=exponent)

    @property
    def wire(self) -> str:
        """For MTN's `amount` field: plain digits without needless zeros, as MTN returns them."""
        return _plain(self.amount)

    def __str__(self) -> str:
        return f"{self.currency} {self.amount:,.{self.exponent}f}"

    def __repr__(self) -> str:
        return f"Money({self.wire!r}, {self.currency!r})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        self._same_currency(other)
        return self._with(_EXACT.add(self.amount, other.amount))

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        self._same_currency(other)
        return self._with(_EXACT.subtract(self.amount, other.amount))

    def __lt__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        self._same_currency(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        self._same_currency(other)
        return self.amount <= other.amount

    def _with(self, amount: Decimal) -> Money:
        return Money(amount, self.currency, exponent=self.exponent)

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise InvalidInput(
                f"{self.currency} and {other.currency} cannot be added or compared.",
                field="currency",
                hint="Keep one total for each currency.",
            )


def read_amount(value: str | int | float | Decimal) -> Decimal:
    """For amounts that MTN sends, balances too: string or number, zero and negative allowed.

    Raises InvalidInput (field `amount`) when it is no finite number of a sane size.
    """
    # bool is an int to Python; as an amount it can only be a mistake.
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise _refused(f"An amount cannot be read from {type(value).__name__}.")
    if isinstance(value, int) and value.bit_length() > 256:
        raise _refused("An integer this large is no amount.")
    text = str(value).strip()
    if len(text) > _MAX_TEXT or not _TOLERANT.fullmatch(text):
        raise _refused(f"{_shown(text)} is not an amount.")
    number = Decimal(text)
    if abs(number.adjusted()) > _MAX_TEXT:
        raise _refused(f"{_shown(text)} is not an amount of a sane size.")
    return Decimal(_plain(number))


def same_amount(one: str | int | float | Decimal, other: str | int | float | Decimal) -> bool:
    """For comparing the sent with the reported: as decimals, never as text; unreadable differs."""
    try:
        return read_amount(one) == read_amount(other)
    except InvalidInput:
        return False


def _currency(currency: object, *, exponent: int | None) -> tuple[str, int]:
    if isinstance(currency, Currency):
        return currency.code, currency.exponent
    code = currency if isinstance(currency, str) else ""
    if not re.fullmatch(r"[A-Z]{3}", code):
        better = code.strip().upper()
        example = better if re.fullmatch(r"[A-Z]{3}", better) else "UGX"
        raise InvalidInput(
            f"{_shown(currency)} is not a currency code.",
            field="currency",
            hint=f"Write three capital letters, for example {example!r}.",
        )
    known = CURRENCIES.get(code)
    if known is not None and exponent in (None, known.exponent):
        return code, known.exponent
    if known is not None:
        raise InvalidInput(
            f"{code} has {known.exponent} decimals, not {exponent}.", field="currency"
        )
    if exponent is None or isinstance(exponent, bool) or not 0 <= exponent <= 6:
        raise InvalidInput(
            f"The decimals of {code} are not known here.",
            field="currency",
            hint=f"Say them: Money(…, {code!r}, exponent=2). Known: {', '.join(CURRENCIES)}.",
        )
    return code, exponent


def _strict_decimal(amount: object) -> Decimal:
    if isinstance(amount, float):
        raise _refused(
            f"A float cannot be an amount: {_shown(amount)} may not be exactly what it looks like.",
            hint=f"Write a string, {str(amount)!r}, or a Decimal.",
        )
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        raise _refused(
            f"An amount cannot be made from {type(amount).__name__}.",
            hint="Write a string such as '5000', an int or a Decimal.",
        )
    if isinstance(amount, str):
        return _decimal_from_text(amount)
    if isinstance(amount, int):
        if amount.bit_length() > 64:
            raise _refused(f"An amount has at most {MAX_INTEGER_DIGITS} digits before the point.")
        return Decimal(amount)
    if not amount.is_finite():
        raise _refused(f"{amount} is not an amount.")
    return amount


def _decimal_from_text(text: str) -> Decimal:
    if len(text) <= _MAX_TEXT and _PLAIN.fullmatch(text):
        if len(text) > 1 and text[0] == "0" and text[1] != ".":
            raise _refused(
                "This begins with a zero, as phone numbers do and amounts do not.",
                hint="Write the amount without it, if it is the amount.",
            )
        return Decimal(text)
    if len(text) > _MAX_TEXT:
        raise _refused("A text this long is no amount.")
    if text.startswith(("-", "−")):
        raise _refused(
            f"{_shown(text)} is negative.", hint="Money moves forward: write it positive."
        )
    bare = _GROUPING.sub("", text)
    if bare != text and _PLAIN.fullmatch(bare):
        raise _refused(
            f"{_shown(text)} has separators inside or spaces around.",
            hint=f"Write {bare!r} for whole thousands; a decimal comma is written as a point.",
        )
    raise _refused(
        f"{_shown(text)} is not an amount.",
        hint="Write plain digits with at most one decimal point, for example '5000' or '12.50'.",
    )


def _check_size(value: Decimal, *, code: str, exponent: int) -> None:
    if value <= 0:
        word = "negative" if value < 0 else "zero"
        raise _refused(f"An amount cannot be {word}.", hint="Write a positive amount.")
    if value.adjusted() >= MAX_INTEGER_DIGITS:
        raise _refused(f"An amount has at most {MAX_INTEGER_DIGITS} digits before the point.")
    _, digits, power = value.as_tuple()
    meaningful = "".join(map(str, digits)).rstrip("0")
    decimals = -(int(power) + len(digits) - len(meaningful))
    if decimals > exponent:
        allowed = "no decimals" if exponent == 0 else f"at most {exponent} decimals"
        raise _refused(
            f"{code} has {allowed}; this amount has {decimals}.",
            hint="Round it yourself, the way your books do.",
        )


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _shown(value: object) -> str:
    text = repr(value)
    # A long run of digits in the wrong column is likely a phone number: it stays out of messages.
    if sum(c.isdigit() for c in text) >= 9:
        return f"A text of {len(text) - 2} characters"
    return text if len(text) <= 42 else f"{text[:40]}…"


def _refused(message: str, *, hint: str = "") -> InvalidInput:
    return InvalidInput(message, field="amount", hint=hint)
