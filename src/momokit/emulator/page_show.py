"""How values are written for a reader of the pages: amounts, times and phone numbers."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import phonenumbers

from .markets import Market
from .page_words import Language

_NARROW = "\u202f"
_LONGEST_ENTRY = 512


def money(amount: str, currency: str, *, language: Language, signed: bool = False) -> str:
    """Write an amount with its thousands apart: `UGX 5,000` or `5 000 UGX`."""
    try:
        value = Decimal(amount)
    except InvalidOperation:
        return f"{amount} {currency}".strip()
    digits = f"{value:+,f}" if signed and value else f"{value:,f}"
    digits = digits.replace("-", "−")
    if language == "fr":
        return f"{digits.replace(',', _NARROW).replace('.', ',')}{_NARROW}{currency}"
    return f"{currency} {digits}"


def clock_time(at: float) -> str:
    """Write the time of day, in UTC."""
    return _moment(at).strftime("%H:%M:%S")


def exact_time(at: float) -> str:
    """Write the time of day with its milliseconds, in UTC."""
    return _moment(at).strftime("%H:%M:%S.%f")[:-3]


def full_time(at: float) -> str:
    """Write date and time, in UTC."""
    return _moment(at).strftime("%Y-%m-%d %H:%M:%S UTC")


def time_left(seconds: float) -> str:
    """Write a rest of time: `4:05`, or with hours `23:59:59`."""
    rest = max(int(seconds), 0)
    hours, minutes = rest // 3600, rest // 60 % 60
    if hours:
        return f"{hours}:{minutes:02}:{rest % 60:02}"
    return f"{minutes}:{rest % 60:02}"


@functools.lru_cache(maxsize=4096)
def party(kind: str, identifier: str) -> str:
    """Write a party for reading: phone numbers with their spaces, all else as it is."""
    if kind != "MSISDN":
        return identifier
    number = _parsed(f"+{identifier}", region=None)
    if number is None or not phonenumbers.is_possible_number(number):
        return identifier
    style = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return str(phonenumbers.format_number(number, style))


def read_number(entry: str, *, market: Market) -> str:
    """Read what a person typed as a payer's identifier, as the merchant would have sent it."""
    entry = entry.strip()[:_LONGEST_ENTRY]
    if any(sign.isalpha() or sign == "@" for sign in entry):
        return entry
    digits = "".join(sign for sign in entry if sign.isascii() and sign.isdigit())
    if entry.startswith("00"):
        return digits[2:]
    if not market.calling_code or market.knows(digits):
        return digits
    region = phonenumbers.region_code_for_country_code(int(market.calling_code))
    number = _parsed(entry, region=region)
    if number is None:
        return digits
    style = phonenumbers.PhoneNumberFormat.E164
    return str(phonenumbers.format_number(number, style)).removeprefix("+")


def _parsed(entry: str, *, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(entry, region)
    except phonenumbers.NumberParseException:
        return None


def _moment(at: float) -> datetime:
    # A validity or a window added to a late clock can be beyond what a calendar holds.
    try:
        return datetime.fromtimestamp(at, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, tz=UTC)
