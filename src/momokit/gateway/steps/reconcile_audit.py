"""The nightly audit: what ended the day before, and all that is open, is asked about once more.

Nothing is asked here. The questions are made due, one after the other and later than all that is
young, under the budget that all questions share; a contradiction goes the way of every answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from momokit.gateway.store.audits import ask_again, begin_audit, count_to_ask, end_audit
from momokit.gateway.store.store import Store

PER_SECOND = 2.0
"""How many questions of an audit are due in a second: a part of the budget, never all of it."""

LONGEST_SECONDS = 20 * 3600.0
"""A day's questions are spread over no more than this, so that a day is over before the next."""

STALE_SECONDS = 1800.0
PAYMENTS_AT_ONCE = 500
BEGINS_AFTER_SECONDS = 3600.0
"""The day before is audited once this much of a day has passed: late ends have come in by then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Audited:
    """A day (in UTC) whose payments were made due: those that ended on it, and those still open."""

    day: str
    ended: int
    open: int


def day_before(now: float) -> str | None:
    """Name the day that is to be audited at this time; None while it is too early."""
    moment = datetime.fromtimestamp(now - BEGINS_AFTER_SECONDS, UTC)
    if moment.date() != datetime.fromtimestamp(now, UTC).date():
        return None
    return (moment.date() - timedelta(days=1)).isoformat()


async def audit_day(day: str, *, store: Store, again: bool = False) -> Audited | None:
    """Make the questions of a day due; None when that was done already, and `again` is not said.

    Any number of processes may try; one does it. Raises ValueError for what is no day.
    """
    begins = datetime.combine(date.fromisoformat(day), time(), UTC).timestamp()
    ends = begins + timedelta(days=1).total_seconds()
    if not await store.write(
        lambda t: begin_audit(t, day, stale_seconds=STALE_SECONDS, again=again)
    ):
        return None
    count = await store.read(lambda t: count_to_ask(t, begins=begins, ends=ends))
    pause_seconds = min(1 / PER_SECOND, LONGEST_SECONDS / max(count, 1))
    asked = {}
    first_at = await store.now()
    for wanted in ("ended", "open"):
        after: str | None = ""
        asked[wanted] = 0
        while after is not None:
            unit = partial(
                ask_again, begins=begins, ends=ends, first_at=first_at,
                pause_seconds=pause_seconds, after_id=after, limit=PAYMENTS_AT_ONCE, wanted=wanted,
            )  # fmt: skip
            after, made = await store.write(unit)
            asked[wanted] += made
            first_at += made * pause_seconds
    total = asked["ended"] + asked["open"]
    await store.write(lambda t: end_audit(t, day, asked=total))
    return Audited(day=day, ended=asked["ended"], open=asked["open"])
