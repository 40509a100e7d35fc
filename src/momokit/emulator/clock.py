"""The emulator's clock: real by default, and for tests it can be frozen, moved and set off."""

from __future__ import annotations

import time
from collections.abc import Callable

# Times that a calendar can write, with room for what is added to them.
_LATEST = 2e11


class Clock:
    """Tells the emulator's time in seconds since 1970, which need not be the machine's."""

    def __init__(self, *, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._ahead_seconds = 0.0
        self._frozen_at: float | None = None

    def now(self) -> float:
        """Tell the emulator's time."""
        if self._frozen_at is not None:
            return self._frozen_at
        return self._source() + self._ahead_seconds

    @property
    def frozen(self) -> bool:
        """Whether time stands still until it is advanced."""
        return self._frozen_at is not None

    @property
    def offset_seconds(self) -> float:
        """How far this clock is ahead of the machine's."""
        return self.now() - self._source()

    def freeze(self, *, at: float | None = None) -> None:
        """Stop the clock, now or at a given time.

        Raises ValueError for a time that no calendar has.
        """
        self._frozen_at = self.now() if at is None else _checked(at)

    def resume(self) -> None:
        """Let a frozen clock run on from where it stands."""
        if self._frozen_at is not None:
            self._ahead_seconds = self._frozen_at - self._source()
            self._frozen_at = None

    def advance(self, *, seconds: float) -> None:
        """Move the clock forward, frozen or not.

        Raises ValueError when `seconds` is negative: use `set_offset` to go back.
        """
        if not seconds >= 0:
            raise ValueError("the clock only advances; use set_offset to go back")
        _checked(self.now() + seconds)
        if self._frozen_at is not None:
            self._frozen_at += seconds
        else:
            self._ahead_seconds += seconds

    def set_offset(self, *, seconds: float) -> None:
        """Set the clock off from the machine's by this much, to test callers with a wrong clock.

        Raises ValueError for a time that no calendar has.
        """
        _checked(self._source() + seconds)
        if self._frozen_at is not None:
            self._frozen_at = self._source() + seconds
        self._ahead_seconds = seconds


def _checked(at: float) -> float:
    if not 0 <= at < _LATEST:
        raise ValueError(f"{at!r} is not a time in seconds since 1970")
    return at
