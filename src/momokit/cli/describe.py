"""What the client gives, made ready for a screen: plain values, with people's numbers masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from momokit.told import PartyTold, ReasonTold

_LONG_NUMBER = re.compile(r"\d{6,}")
# What identifies a person; names are left, since comparing them is what one asks for.
_PERSONAL = frozenset(
    {
        "address",
        "birthdate",
        "email",
        "from_fri",
        "identification_value",
        "payer_email",
        "payer_identification_number",
        "payer_identity",
        "payer_msisdn",
        "phone_number",
    }
)
_HIDDEN = frozenset({"raw"})


def mask_number(number: str) -> str:
    """Leave enough of a number to recognise it by, too little to use it."""
    if len(number) <= 6:
        return "•" * len(number)
    return f"{number[:3]}{'•' * (len(number) - 6)}{number[-3:]}"


def mask_numbers(text: str) -> str:
    """Mask every long number in a text."""
    return _LONG_NUMBER.sub(lambda found: mask_number(found.group()), text)


def mask_party(id_type: str, identifier: str) -> str:
    """Mask a party's identifier, whatever its type."""
    if id_type.upper() == "EMAIL":
        name, _, domain = identifier.partition("@")
        return f"{name[:1]}•••@{domain}"
    return mask_number(identifier)


def plain(value: Any, *, show_numbers: bool = False) -> Any:
    """Turn a reply of the client into what JSON knows; MTN's raw answer is left out."""
    if isinstance(value, PartyTold):
        shown = value.id if show_numbers else mask_party(value.id_type, value.id)
        return {"id_type": value.id_type, "id": shown}
    if isinstance(value, ReasonTold):
        message = (
            value.message if show_numbers or not value.message else mask_numbers(value.message)
        )
        return {"code": value.code, "message": message}
    if isinstance(value, msgspec.Struct):
        return {
            name: _field(name, getattr(value, name), show_numbers=show_numbers)
            for name in value.__struct_fields__
            if name not in _HIDDEN
        }
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (list, tuple)):
        return [plain(item, show_numbers=show_numbers) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item, show_numbers=show_numbers) for key, item in value.items()}
    return value


def _field(name: str, value: Any, *, show_numbers: bool) -> Any:
    if name in _PERSONAL and not show_numbers and value is not None:
        return mask_numbers(value) if name.endswith("fri") else "•••"
    return plain(value, show_numbers=show_numbers)


def words(value: Any) -> str:
    """Write a plain value in one cell."""
    if isinstance(value, Mapping):
        if value.keys() == {"id_type", "id"}:
            return f"{value['id']} ({value['id_type']})"
        return " ".join(str(part) for part in value.values() if part)
    if isinstance(value, list):
        return ", ".join(map(words, value))
    return "" if value is None else str(value)
