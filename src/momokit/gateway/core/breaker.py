"""When a lane shuts because MTN does not answer, how it is tried, and when it opens again. Pure.

A lane is one account's one product, for sends and for questions apart. It shuts after some failures
in a row; what is a failure is no readable answer, never a refusal. Shut for sends, nothing is sent
but one probe at a time, in growing pauses; shut for questions, they go on at a tenth of their pace.
The first readable answer of a call that began while the lane was shut opens it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from momokit.gateway.core.facts import Doubt, Fact, NeverLeft, NoAnswer

FAILURES_TO_SHUT = 5
FORGET_SECONDS = 60.0
"""Failures further apart than this are no storm: the count begins anew."""

SHUT_SECONDS: tuple[float, ...] = (5, 10, 20, 30)
"""How long a lane is shut the first time, the second and so on; the last one repeats. With the
jitter it stays under a minute, so that the end of a storm is noticed within one."""

JITTER = 0.2

SLOW_QUESTION_SECONDS = 1.25
"""The pause between questions of a lane that is shut: a tenth of eight a second."""

EARLY_QUESTION_SECONDS = 30.0
"""In a lane that is shut a payment is asked about before its time when this long no question was
due: that one is the probe. When even that is not to be had, sends have one of their own."""


class LaneState(StrEnum):
    """How a lane stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What one worker has seen of a lane that is in order: failures in a row, and the last."""

    failures: int = 0
    last_at: float = 0.0

    @property
    def shuts(self) -> bool:
        """Tell whether that is enough to shut the lane."""
        return self.failures >= FAILURES_TO_SHUT


@dataclass(frozen=True, kw_only=True, slots=True)
class Breaker:
    """A lane that is shut. `opens` counts how often in a row; `probe_until`: one is on its way."""

    opened_at: float
    open_until: float
    opens: int = 1
    probe_until: float | None = None

    def state(self, now: float) -> LaneState:
        """Say how the lane stands at a moment."""
        probing = self.probe_until is not None and self.probe_until > now
        return LaneState.HALF_OPEN if probing or now >= self.open_until else LaneState.OPEN

    def lets_probe(self, now: float) -> bool:
        """Tell whether one call may try the lane now."""
        probing = self.probe_until is not None and self.probe_until > now
        return now >= self.open_until and not probing


def count(tally: Tally, *, answered: bool, now: float) -> Tally:
    """Add a result to a lane that is in order."""
    if answered:
        return Tally()
    failures = 1 if now - tally.last_at > FORGET_SECONDS else tally.failures + 1
    return Tally(failures=failures, last_at=now)


def shut(now: float, *, chance: float) -> Breaker:
    """Shut a lane. `chance` is a number from 0 to 1 that the caller drew."""
    return Breaker(opened_at=now, open_until=now + pause_seconds(1, chance=chance))


def probe_failed(breaker: Breaker, *, now: float, chance: float) -> Breaker:
    """Keep a lane shut for longer, since its probe had no answer either."""
    opens = breaker.opens + 1
    return replace(
        breaker,
        opens=opens,
        open_until=now + pause_seconds(opens, chance=chance),
        probe_until=None,
    )


def pause_seconds(opens: int, *, chance: float) -> float:
    """Give for how long a lane is shut the first time, the second and so on."""
    pause = SHUT_SECONDS[min(opens, len(SHUT_SECONDS)) - 1]
    return pause * (1 + JITTER * chance)


def answered(fact: Fact, *, lane_stop: str | None = None) -> bool | None:
    """Say what a result tells of the lane: MTN answers, it does not, or nothing (None).

    A setting that is wrong stops the lane in another way and is no failure. Being told to come
    later is one: sends that are turned away one after the other are too many.
    """
    if lane_stop is not None:
        return None
    return not isinstance(fact, Doubt | NeverLeft | NoAnswer)
