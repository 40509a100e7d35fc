"""When a webhook is tried again, and when it is given up. Pure."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

MINUTE, HOUR = 60.0, 3600.0

TRY_PAUSES_SECONDS: tuple[float, ...] = (
    5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE,
    1 * HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR,
    12 * HOUR, 16 * HOUR, 16 * HOUR, 16 * HOUR,
)  # fmt: skip
"""Pauses after the first try, the second and so on: fourteen tries over more than 75 hours."""

TRIES = len(TRY_PAUSES_SECONDS) + 1

JITTER = 0.2
"""Pauses are lengthened by up to this share, never shortened, so that a merchant who comes back is
not met by all at once."""

RETRY_AFTER_LIMIT_SECONDS = 24 * HOUR
"""The longest pause that a merchant can ask for: a slip in its clock must not silence us."""


def next_try_seconds(
    tries: int, *, chance: float, retry_after_seconds: float | None = None
) -> float | None:
    """Give the pause after so many tries that failed; None when that was the last one.

    `chance` is a number from 0 to 1 that the caller drew. The receiver's own wish is honoured when
    it is the longer one.
    """
    if tries >= TRIES:
        return None
    pause = TRY_PAUSES_SECONDS[max(tries, 1) - 1] * (1 + JITTER * chance)
    return max(pause, min(retry_after_seconds or 0.0, RETRY_AFTER_LIMIT_SECONDS))


def read_retry_after(text: str, *, now: float) -> float | None:
    """Read a Retry-After header, seconds or a date; None when it is neither."""
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
