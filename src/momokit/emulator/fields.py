"""The fields of request bodies: amounts, parties, notes and ids, checked as the wallet does."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from . import dialects
from .call import Call, Refusal
from .checks import bad_request
from .exchange import empty

_AMOUNT = re.compile(r"[0-9]{1,18}(\.[0-9]{1,6})?")
_PARTY_TYPES = ("MSISDN", "EMAIL", "PARTY_CODE", "ALIAS")
_FORBIDDEN = frozenset("'&")
_TEXT_LIMIT = 512
_HUGE = 10**30


def text(call: Call, body: dict[str, Any], name: str, *, required: bool = False) -> str:
    """Read a string field; a number is taken as its digits, as MTN's own examples have them."""
    value = body.get(name)
    if value is None or value == "":
        if required:
            raise bad_request(call)
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE:
        value = str(value)
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT:
        raise bad_request(call)
    return value


def external_id(call: Call, body: dict[str, Any], *, name: str = "externalId") -> str:
    """Read the caller's own number; spaces in it are reported to be refused."""
    value = text(call, body, name, required=True)
    if " " in value and not call.state.settings.external_id_spaces:
        raise bad_request(call)
    return value


def amount(call: Call, body: dict[str, Any]) -> str:
    """Read an amount and write it as the wallet does: without zeros at the end."""
    written = text(call, body, "amount", required=True)
    if not _AMOUNT.fullmatch(written):
        raise bad_request(call)
    value = Decimal(written).normalize()
    exponent = value.as_tuple().exponent
    if value <= 0 or not isinstance(exponent, int) or -exponent > call.state.market.decimals:
        raise bad_request(call)
    return f"{value:f}"


def currency(call: Call, body: dict[str, Any], *, name: str = "currency") -> str:
    """Read a currency; any but the account's own is refused."""
    value = text(call, body, name, required=True)
    if value not in call.state.market.currencies:
        raise Refusal(dialects.wallet("INVALID_CURRENCY"))
    return value


def party(call: Call, body: dict[str, Any], name: str) -> tuple[str, str]:
    """Read a party; one with null members makes the wallet fail with 500 and no body."""
    value = body.get(name)
    if not isinstance(value, dict):
        raise bad_request(call)
    kind, identifier = value.get("partyIdType"), value.get("partyId")
    if ("partyIdType" in value and kind is None) or ("partyId" in value and identifier is None):
        raise Refusal(empty(500))
    if isinstance(identifier, int) and not isinstance(identifier, bool) and identifier < _HUGE:
        identifier = str(identifier)
    if not isinstance(kind, str) or kind.upper() not in _PARTY_TYPES:
        raise bad_request(call)
    if not isinstance(identifier, str) or not 0 < len(identifier) <= _TEXT_LIMIT:
        raise bad_request(call)
    return kind.upper(), identifier.removeprefix("+") if kind.upper() == "MSISDN" else identifier


def note(call: Call, body: dict[str, Any], name: str) -> str:
    """Read a note: limited in length and characters."""
    settings = call.state.settings
    if settings.strict_notes and name in body and body[name] is None:
        raise bad_request(call)
    value = text(call, body, name)
    limit = 128 if settings.strict_notes else 160
    if len(value) > limit or (settings.restricted_characters and _FORBIDDEN & set(value)):
        raise bad_request(call)
    return value


def seconds(call: Call, body: dict[str, Any], name: str, *, default: float) -> float:
    """Read a duration in whole seconds, as a number or a string of digits."""
    value = text(call, body, name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit()) or len(value) > 9 or int(value) == 0:
        raise bad_request(call)
    return float(value)
