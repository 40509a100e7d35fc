"""How much of a spreadsheet is read: every measure has a limit, and it is written down here."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """For how large a file may be, packed and unpacked; what exceeds one is refused by name.

    `max_cells` bounds the rectangle from the first filled cell to the last, since a spreadsheet
    with two cells far apart costs as much memory as a full one.
    """

    max_bytes: int = 32 * MIB
    max_rows: int = 100_000
    max_columns: int = 60
    max_cells: int = 2_500_000
    max_cell_length: int = 1_000
    max_entries: int = 500
    max_unpacked_bytes: int = 400 * MIB
    max_ratio: int = 300


DEFAULT_LIMITS = Limits()
