"""A sheet being read, whatever its file: rows of cells, and what the user should be told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from momokit._reason_words import Words
from momokit.gateway.core.cells import Row


@dataclass(kw_only=True, slots=True)
class Sheet:
    """One sheet: `rows` is gone through once; `notes` grows until its end is reached."""

    name: str
    rows: Iterator[Row]
    notes: list[Words] = field(default_factory=list)
