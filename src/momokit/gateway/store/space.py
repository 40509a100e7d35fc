"""Room on the disk: new money is refused before the last of it is used, and found out when it is.

What is under way needs room too, to be brought to its end; so the gate shuts early.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from momokit.gateway.store.records import StoreError

_FULL_STATES = frozenset({"53100"})
"""PostgreSQL: its disk is full."""

LOOK_SECONDS = 1.0


class StorageLow(StoreError):
    """There is little room left on the disk: no new money is taken in until there is more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """How much of a disk is free."""

    free_bytes: int
    total_bytes: int

    @property
    def free_percent(self) -> float:
        """The share that is free."""
        return 100.0 * self.free_bytes / self.total_bytes if self.total_bytes else 0.0


def space_at(folder: Path) -> Space:
    """Measure the disk that a folder is on."""
    usage = shutil.disk_usage(folder)
    return Space(free_bytes=usage.free, total_bytes=usage.total)


class DiskGate:
    """Says whether there is room for new money; it looks once a second at most."""

    def __init__(
        self,
        folder: Path,
        *,
        least_percent: float,
        least_bytes: int,
        measure: Callable[[Path], Space] = space_at,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._least_percent = least_percent
        self._least_bytes = least_bytes
        self._measure = measure
        self._clock = clock
        self._looked_at: float | None = None
        self._space = Space(free_bytes=0, total_bytes=0)

    def is_low(self) -> bool:
        """Tell whether less is free than must be."""
        space = self.space()
        return space.free_percent < self._least_percent or space.free_bytes < self._least_bytes

    def space(self) -> Space:
        """Give what is free."""
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= LOOK_SECONDS:
            self._space = self._measure(self._folder)
            self._looked_at = now
        return self._space

    def refuse_when_low(self) -> None:
        """Raise StorageLow when there is too little room for new money."""
        if self.is_low():
            raise StorageLow(
                f"Only {self._space.free_percent:.1f} % of the database's disk is free"
                f" ({self._space.free_bytes >> 20} MiB)."
            )


def fullness(error: BaseException) -> DBAPIError | None:
    """Find in an error, or in what it came of, that the database has no room left.

    A transaction that SQLite has given up fails once more on the way out, with another reason.
    """
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, DBAPIError) and _is_full(found.orig):
            return found
        found = found.__context__
    return None


def is_full(error: BaseException) -> bool:
    """Tell whether the database said that it has no room left."""
    return fullness(error) is not None


def _is_full(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(error, "sqlstate", None) in _FULL_STATES
