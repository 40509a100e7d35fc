"""When things are due: polls shaped on the approval window, sends with back-off. Pure."""

from __future__ import annotations

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

POLL_OFFSETS_SECONDS: tuple[float, ...] = (
    5, 15, 30, 60, 120, 180, 240, 305,  # the last one is just past the approval window
    10 * MINUTE, 20 * MINUTE, 40 * MINUTE,
    1 * HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR,
    1 * DAY, 2 * DAY, 3 * DAY, 4 * DAY, 5 * DAY, 6 * DAY, 7 * DAY,
)  # fmt: skip
"""Ages of a payment at which MTN is asked about it."""

REVIEW_AGE_SECONDS = 7 * DAY
"""At this age a person is asked. Nothing that MTN accepted is ever given up by a timer."""

AUDIT_OFFSETS_SECONDS: tuple[float, ...] = (15 * MINUTE, 24 * HOUR)
"""A failure with a catch-all reason is asked about again at these ages of the failure."""

SUBMIT_WAITS_SECONDS: tuple[float, ...] = (1, 2, 5, 10, 20, 30, 60)
"""Pauses between sends that certainly did not arrive; the last one repeats."""

ASK_AGAIN_WAITS_SECONDS: tuple[float, ...] = (2, 5, 10, 30, 60, 300)
"""Pauses between questions that got no answer; the last one repeats."""

PULL_SEND_WINDOW_SECONDS = 120.0
"""How long a request that asks a payer may be sent: a later prompt would come out of the blue."""

PUSH_SEND_WINDOW_SECONDS = 24 * HOUR
"""How long a payment of ours may be sent."""

ABSENCES_NEEDED = 5
ABSENT_SECONDS_NEEDED = 10 * MINUTE
"""What proves that MTN never had it: so many "not known" answers over so long a time, after the
send window, with no acceptance on record."""


def send_window_seconds(*, is_push: bool) -> float:
    """Give the time in which a payment may be sent or resent."""
    return PUSH_SEND_WINDOW_SECONDS if is_push else PULL_SEND_WINDOW_SECONDS


def next_poll_seconds(age_seconds: float) -> float | None:
    """Give the pause until the next poll of a payment this old; None when a person is to be
    asked."""
    for offset in POLL_OFFSETS_SECONDS:
        if offset > age_seconds + 0.5:
            return offset - age_seconds
    return None


def next_submit_seconds(attempts: int) -> float:
    """Give the pause before the next send after `attempts` sends."""
    return _nth(SUBMIT_WAITS_SECONDS, attempts - 1)


def next_ask_seconds(failures: int) -> float:
    """Give the pause before asking again after `failures` questions without an answer."""
    return _nth(ASK_AGAIN_WAITS_SECONDS, failures - 1)


def next_audit_seconds(final_age_seconds: float) -> float | None:
    """Give the pause until a failure is asked about once more; None when that is over."""
    for offset in AUDIT_OFFSETS_SECONDS:
        if offset > final_age_seconds + 0.5:
            return offset - final_age_seconds
    return None


def _nth(waits: tuple[float, ...], index: int) -> float:
    return waits[max(0, min(index, len(waits) - 1))]
