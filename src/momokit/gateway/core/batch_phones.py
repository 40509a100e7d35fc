"""Read a phone number as spreadsheets leave it: what they provably took is put back, what is lost
is asked for."""

from __future__ import annotations

import re

from momokit.errors import InvalidInput
from momokit.gateway.core.batch_findings import Finding, doubt, error, warning
from momokit.gateway.core.cells import Cell, CellKind
from momokit.market import Market, market_of_digits
from momokit.party import MSISDN

_POWERS = re.compile(r"([0-9])(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})")
_AS_TEXT = re.compile(r'="([^"]*)"')
_PRINTED = re.compile(r"[+]?[0-9\s().\-\u2010-\u2015\u00a0\u2007\u2009\u202f]+")
# A spreadsheet shows six digits of a long number before it writes powers of ten.
_ROUNDED = "000000"
_KINDS = {
    CellKind.DATE: ("date", "une date"),
    CellKind.TRUTH: ("yes or no", "un oui ou non"),
    CellKind.FORMULA: ("formula", "une formule"),
    CellKind.FAULT: ("spreadsheet error", "une erreur de tableur"),
}


def read_phone_cell(
    cell: Cell, *, market: Market, column: str
) -> tuple[MSISDN | None, tuple[Finding, ...]]:
    """For the payee's number: checked for the market, with what was noticed; None when it is not.

    A zero that a spreadsheet dropped is put back only where the market's numbers all begin with
    it; digits lost to powers of ten are never guessed.
    """
    if cell.kind in _KINDS:
        what, what_fr = _KINDS[cell.kind]
        return None, (error("phone_not_a_number", column=column, what=what, what_fr=what_fr),)
    text = cell.text.strip()
    literal = _AS_TEXT.fullmatch(text)
    text = literal[1].strip() if literal else text.removeprefix("'").strip()
    if not text:
        return None, (error("phone_missing", column=column),)
    found: list[Finding] = []
    powers = _POWERS.fullmatch(text)
    if powers:
        digits = powers[1] + (powers[2] or "")
        if len(digits) != int(powers[3]) + 1:
            return None, (error("phone_shortened", column=column),)
        text = digits
        found.append(warning("powers_restored", column=column, ends=digits[-3:]))
    elif _is_rounded(text):
        if cell.kind is CellKind.NUMBER:
            return None, (error("phone_shortened", column=column),)
        found.append(doubt("phone_round", column=column))
    return _read(text, market=market, column=column, found=found)


def _is_rounded(text: str) -> bool:
    return text.isdigit() and len(text) > 8 and text.endswith(_ROUNDED)


def _read(
    text: str, *, market: Market, column: str, found: list[Finding]
) -> tuple[MSISDN | None, tuple[Finding, ...]]:
    try:
        return MSISDN.parse(text, market=market), tuple(found)
    except InvalidInput:
        whole = _with_zero(text, market=market)
    if whole is not None:
        found.append(warning("zero_restored", column=column, ends=whole[-3:]))
        return MSISDN.parse(whole, market=market), tuple(found)
    return None, (_explain(text, market=market, column=column),)


def _with_zero(text: str, *, market: Market) -> str | None:
    """The number with its lost zero, where all numbers of the market begin with one."""
    lead = market.national_lead
    bare = re.sub(r"[\s.\-\u00a0\u202f]", "", text)
    if not lead.startswith("0") or not bare.isascii() or not bare.isdigit():
        return None
    is_short = len(bare) == market.national_lengths[0] - 1 and not bare.startswith("0")
    whole = f"0{bare}"
    if not is_short or not whole.startswith(lead):
        return None
    try:
        MSISDN.parse(whole, market=market)
    except InvalidInput:
        return None
    return whole


def _explain(text: str, *, market: Market, column: str) -> Finding:
    if market.is_sandbox:
        return error("phone_invalid_sandbox", column=column)
    if len(text) > 64 or not _PRINTED.fullmatch(text):
        return error("phone_characters", column=column)
    digits = "".join(c for c in text if c.isdigit())
    is_international = text.startswith(("+", "00"))
    digits = digits.removeprefix("00") if text.startswith("00") else digits
    elsewhere = market_of_digits(digits)
    if elsewhere is not None and elsewhere is not market:
        if not is_international and _fits_at_home(digits, market=market):
            return error("phone_two_readings", column=column)
        facts = {"country": elsewhere.country, "market": market.country}
        return error("phone_other_country", column=column, **facts)
    rest = digits.removeprefix(market.calling_code) if is_international else digits
    usual = market.national_lengths[0]
    if usual == 10 and market.national_lead and len(rest) == 8:
        return error("phone_old", column=column, market=market.country, digits=str(usual))
    return error(
        "phone_invalid",
        column=column,
        market=market.country,
        digits=" / ".join(map(str, market.national_lengths)),
        code=market.calling_code,
        example=example_number(market),
    )


def _fits_at_home(digits: str, *, market: Market) -> bool:
    national = digits.removeprefix(market.trunk_prefix)
    try:
        MSISDN.parse(f"+{market.calling_code}{national}", market=market)
    except InvalidInput:
        return False
    return True


def example_number(market: Market) -> str:
    """For messages and templates: a number as one writes it in the market; nobody's on purpose."""
    if market.is_sandbox:
        return "46733123999"
    start = (*market.mtn_prefix_hints, market.national_lead or "95")[0]
    national = (start + "0123456789")[: market.national_lengths[0]]
    return f"{market.trunk_prefix}{national}"
