"""What the columns of a file of payments mean: headers in English and French, and its total row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a column is for. `OTHER` columns are kept and given back, and never read."""

    PHONE = "phone"
    AMOUNT = "amount"
    NAME = "name"
    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    REFERENCE = "reference"
    NOTE = "note"
    CURRENCY = "currency"
    NATIONAL_ID = "national_id"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column: where it stands (from 0), what the file calls it, and what it is for."""

    index: int
    title: str
    role: Role


def recognise_header(titles: Sequence[str]) -> tuple[Column, ...] | None:
    """For finding the header: its columns, or None for a row that is no header of payments."""
    raise NotImplementedError
