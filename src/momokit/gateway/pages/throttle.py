"""How often a page may be asked for: by one address, for one token, to ring one phone.

Each process counts for itself, in memory. That a checkout is never paid twice does not hang on
this: it keeps strangers from making phones ring, and the pages from being worn out.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

KEPT = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """So many at once, which come back over so many seconds."""

    burst: int
    seconds: float


RATES: Mapping[str, Rate] = {
    # Phones of a whole town can share one address of their network's.
    "read": Rate(burst=6000, seconds=300),
    "try": Rate(burst=300, seconds=300),
    "token": Rate(burst=12, seconds=600),
    "party": Rate(burst=4, seconds=600),
}
"""Reads and tries by one address, tries at one token, and requests to one phone."""


class Throttle:
    """Counts what is taken; `wait` says for how long there is nothing to be had."""

    def __init__(
        self,
        rates: Mapping[str, Rate] = RATES,
        *,
        clock: Callable[[], float] = time.monotonic,
        kept: int = KEPT,
    ) -> None:
        self._rates = rates
        self._clock = clock
        self._kept = kept
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def wait(self, kind: str, who: str) -> float:
        """Take one; give 0, or the seconds to wait for the next, and then nothing is taken."""
        rate, now, key = self._rates[kind], self._clock(), (kind, who)
        left, then = self._buckets.pop(key, (float(rate.burst), now))
        left = min(float(rate.burst), left + (now - then) * rate.burst / rate.seconds)
        wait = 0.0
        if left >= 1:
            left -= 1
        else:
            wait = (1 - left) * rate.seconds / rate.burst
        self._buckets[key] = (left, now)
        while len(self._buckets) > self._kept:
            self._buckets.popitem(last=False)
        return wait
