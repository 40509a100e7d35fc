"""How often one API key may ask. Kept in this process: several of them allow as many times more."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil

from momokit.gateway.api.problems import Problem
from momokit.gateway.core.rates import Bucket, Rate, take

KEYS_KEPT = 10_000
BURST_SECONDS = 2.0


class Rates:
    """The rates of the API: of all requests, and of look-ups that tell whose a number is."""

    def __init__(
        self,
        *,
        requests_per_second: float,
        holder_checks_per_minute: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = Rate(
            per_second=requests_per_second, burst=max(1.0, requests_per_second * BURST_SECONDS)
        )
        self._holders = Rate(
            per_second=holder_checks_per_minute / 60, burst=max(1.0, holder_checks_per_minute)
        )
        self._clock = clock
        self._buckets: dict[tuple[str, Rate], Bucket] = {}

    def request(self, key_id: str) -> None:
        """Count a request of a key. Raises Problem (rate_limited)."""
        self._take(key_id, self._requests)

    def holder_check(self, key_id: str) -> None:
        """Count a look-up of a number's holder. Raises Problem (rate_limited)."""
        self._take(key_id, self._holders)

    def _take(self, key_id: str, rate: Rate) -> None:
        place = (key_id, rate)
        if len(self._buckets) >= KEYS_KEPT and place not in self._buckets:
            self._buckets.clear()
        bucket, wait_seconds = take(self._buckets.get(place), rate, now=self._clock())
        self._buckets[place] = bucket
        if wait_seconds:
            headers = {"Retry-After": str(max(1, ceil(wait_seconds)))}
            raise Problem("rate_limited", headers=headers)
