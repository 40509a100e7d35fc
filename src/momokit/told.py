"""How MTN's answers are read: field by field, tolerantly, keeping the answer itself.

A field of another type than promised becomes None and stays in `raw`; nothing MTN sends is an error
here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, TypeVar

import msgspec

from momokit.money import read_amount

M = TypeVar("M", bound="Told")


class PartyTold(msgspec.Struct, frozen=True):
    """A party as MTN writes it: id type (MSISDN, EMAIL, PARTY_CODE …) and id.

    The id is masked in `repr`.
    """

    id_type: str
    id: str

    def __repr__(self) -> str:
        tail = self.id[-3:] if len(self.id) > 6 else ""
        return f"PartyTold({_masked(self.id_type)}, •••{tail})"


class ReasonTold(msgspec.Struct, frozen=True):
    """Why something failed: MTN's code and, where it sent an object, its message.

    Numbers within either are masked in `repr`.
    """

    code: str
    message: str | None = None

    def __repr__(self) -> str:
        told = "" if self.message is None else f", {_masked(self.message)!r}"
        return f"ReasonTold({_masked(self.code)!r}{told})"


def _masked(text: str) -> str:
    """Hide what could be a subscriber's number, but for its end."""
    return re.sub(r"\d{4,}(?=\d{3})", "•••", text)


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or (isinstance(value, int) and value.bit_length() > 256):
        return None  # Python refuses to write integers of thousands of digits
    return str(value) if isinstance(value, (int, float)) else None


def _amount(value: Any) -> Decimal | None:
    try:
        return read_amount(value)
    except ValueError:
        return None


def _party(value: Any) -> PartyTold | None:
    if not isinstance(value, Mapping):
        return None
    party_id = _text(value.get("partyId"))
    if party_id is None:
        return None
    return PartyTold(_text(value.get("partyIdType")) or "", party_id)


def _reason(value: Any) -> ReasonTold | None:
    """MTN's documents show an object; most live answers carry a bare word."""
    if isinstance(value, str):
        return ReasonTold(value) if value else None
    if isinstance(value, Mapping):
        code = _text(value.get("code"))
        return ReasonTold(code or "", _text(value.get("message")))
    return None


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return None


def _number(value: Any) -> int | None:
    try:
        return int(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError, OverflowError):
        return None


def _object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


_READERS: dict[str, Callable[[Any], Any]] = {
    "str | None": _text,
    "Decimal | None": _amount,
    "PartyTold | None": _party,
    "ReasonTold | None": _reason,
    "bool | None": _flag,
    "int | None": _number,
    "dict[str, Any] | None": _object,
}


_IDS = frozenset({"reference_id", "external_id", "financial_transaction_id", "invoice_id"})


class Told(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The root of all replies: reads itself from MTN's answer, field by field, and keeps the
    answer."""

    raw: dict[str, Any] = {}

    wire_names: ClassVar[Mapping[str, str]] = {}
    # What `repr` shows; None is everything. The rest is personal.
    shown: ClassVar[tuple[str, ...] | None] = None

    @classmethod
    def read(cls: type[M], body: Mapping[str, Any], **known: Any) -> M:
        """Read a reply; `known` gives the fields that the caller knows better, such as the
        reference id."""
        values: dict[str, Any] = {"raw": dict(body)}
        for name, wire_name, reader in _plan(cls):
            found = body.get(wire_name)
            if found is not None:
                values[name] = reader(found)
        values.update(known)
        return cls(**values)

    def __repr__(self) -> str:
        # `raw` repeats what is shown, with subscribers' numbers in the clear; and notes and words
        # that MTN made up may hold one.
        names = self.__struct_fields__ if self.shown is None else self.shown
        told = [
            f"{name}={_shown(name, value)}"
            for name in names
            if name != "raw" and (value := getattr(self, name)) is not None
        ]
        if self.shown is not None:
            told.append("…")
        return f"{type(self).__name__}({', '.join(told)})"


def _shown(name: str, value: Any) -> str:
    return repr(_masked(value) if isinstance(value, str) and name not in _IDS else value)


@cache
def _plan(cls: type[Told]) -> tuple[tuple[str, str, Callable[[Any], Any]], ...]:
    annotations: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        annotations.update(getattr(base, "__annotations__", {}))
    return tuple(
        (name, cls.wire_names.get(name, wire), _READERS[annotations[name]])
        for name, wire in zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True)
        if annotations[name] in _READERS
    )
