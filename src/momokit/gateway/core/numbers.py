"""How a phone number is written in a market: the example, and the groups it is read in. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from momokit.market import Market

_FILL = "123456789"
_GROUPS: dict[str, tuple[int, ...]] = {
    "uganda": (4, 3, 3),
    "ghana": (3, 3, 4),
    "ivory-coast": (2, 2, 2, 2, 2),
    "zambia": (4, 3, 3),
    "cameroon": (3, 2, 2, 2),
    "benin": (2, 2, 2, 2, 2),
    "congo": (2, 3, 4),
    "eswatini": (4, 4),
    "guinea": (3, 2, 2, 2),
    "south-africa": (3, 3, 4),
    "liberia": (4, 3, 3),
    "south-sudan": (4, 3, 3),
    "nigeria": (4, 3, 4),
    "rwanda": (4, 3, 3),
    "guinea-bissau": (3, 3, 3),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberForm:
    """What a form for a phone number shows: an example as people write it, and its groups."""

    example: str
    groups: tuple[int, ...]
    calling_code: str


def number_form(market: Market) -> NumberForm:
    """Say how a number is written in a market, the way people dial it at home."""
    if not market.national_lengths:
        return NumberForm(example="46733123450", groups=(), calling_code="")
    start = (*market.mtn_prefix_hints, market.national_lead or "7")[0]
    digits = market.trunk_prefix + (start + _FILL)[: market.national_lengths[0]]
    groups = _GROUPS.get(market.name, ())
    if sum(groups) != len(digits):
        groups = ()
    return NumberForm(
        example=grouped(digits, groups), groups=groups, calling_code=market.calling_code
    )


def grouped(digits: str, groups: tuple[int, ...]) -> str:
    """Write digits in groups; what is left over stays together at the end."""
    parts, at = [], 0
    for size in groups:
        parts.append(digits[at : at + size])
        at += size
    parts.append(digits[at:])
    return " ".join(part for part in parts if part)
