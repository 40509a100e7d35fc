"""What one call costs: calls a second and CPU time of the caller, beside bare HTTP and the others.

The contestants take turns within each round, in another order every round, so that a busy moment
of the machine meets them all; the figures are medians over the rounds.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.contestants import Contestant, Keys, blocking, concurrent
from benchmarks.tables import Spread, markdown

AT_ONCE = 50
_WARM_UP_CALLS = 60
_WORKS = {"request to pay": "pay", "balance": "balance"}


@dataclass(frozen=True, slots=True)
class Lap:
    """One contestant's turn in one round."""

    calls_per_second: float
    cpu_micros_per_call: float


@dataclass(frozen=True, slots=True)
class Result:
    """One contestant's laps at one piece of work."""

    name: str
    laps: list[Lap]

    @property
    def rate(self) -> Spread:
        """Calls a second."""
        return Spread.of([lap.calls_per_second for lap in self.laps])

    @property
    def cpu(self) -> Spread:
        """CPU time of the caller, in microseconds a call."""
        return Spread.of([lap.cpu_micros_per_call for lap in self.laps])


@dataclass(frozen=True, slots=True)
class Comparison:
    """All contestants at one piece of work."""

    title: str
    results: list[Result]

    def over_bare_percent(self, result: Result) -> float | None:
        """Tell how much more CPU than bare httpx2, lap by lap in the same round."""
        bare = next((other for other in self.results if other.name == "bare httpx2"), None)
        if bare is None or bare is result:
            return None
        shares = [
            lap.cpu_micros_per_call / other.cpu_micros_per_call
            for lap, other in zip(result.laps, bare.laps, strict=True)
        ]
        return (statistics.median(shares) - 1) * 100

    def table(self) -> str:
        """Write the comparison as a table."""
        rows = []
        for result in self.results:
            over = self.over_bare_percent(result)
            more = "" if over is None else f"{over:+.0f} %"
            rows.append((result.name, result.rate.text(), result.cpu.text(), more))
        heads = (self.title, "calls/s", "CPU µs a call", "CPU over bare")
        return markdown(heads, rows)


def _lap(run: Callable[[int], Any], calls: int) -> Lap:
    run(min(_WARM_UP_CALLS, calls // 5))
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    run(calls)
    cpu_taken, taken = time.process_time() - cpu, time.perf_counter() - wall
    return Lap(calls / taken, cpu_taken / calls * 1e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is run: calls in a lap, rounds, which work, and what stands in the titles."""

    calls: int
    rounds: int
    works: tuple[str, ...] = tuple(_WORKS)
    against: str = ""


def _compare(
    contestants: Sequence[Contestant],
    run: Callable[[Callable[[], Any], int], Any],
    *,
    effort: Effort,
    how: str,
) -> list[Comparison]:
    return [
        Comparison(
            f"{work}, {how}{effort.against}",
            _rounds(contestants, run, work=_WORKS[work], effort=effort),
        )
        for work in effort.works
    ]


def _rounds(
    contestants: Sequence[Contestant],
    run: Callable[[Callable[[], Any], int], Any],
    *,
    work: str,
    effort: Effort,
) -> list[Result]:
    laps: dict[str, list[Lap]] = {each.name: [] for each in contestants}
    for turn in range(effort.rounds):
        first = turn % len(contestants)
        for each in (*contestants[first:], *contestants[:first]):
            calls = max(AT_ONCE if each.share == 1 else 5, int(effort.calls * each.share))
            laps[each.name].append(_lap(partial(run, getattr(each, work)), calls))
    return [Result(name, done) for name, done in laps.items()]


def _one_by_one(do: Callable[[], Any], calls: int) -> None:
    for _ in range(calls):
        do()


def compare_blocking(base_url: str, effort: Effort) -> list[Comparison]:
    """Compare the blocking clients, one call after the other."""
    with blocking(base_url, Keys()) as contestants:
        return _compare(contestants, _one_by_one, effort=effort, how="one by one")


def compare_threads(base_url: str, effort: Effort) -> list[Comparison]:
    """Compare the blocking clients in threads, which is how the packages serve many at once."""
    with blocking(base_url, Keys()) as contestants, ThreadPoolExecutor(AT_ONCE) as pool:

        def run(do: Callable[[], Any], calls: int) -> None:
            each = max(1, calls // AT_ONCE)
            for done in [pool.submit(_one_by_one, do, each) for _ in range(calls // each)]:
                done.result()

        return _compare(contestants, run, effort=effort, how=f"{AT_ONCE} threads")


def compare_async(base_url: str, effort: Effort) -> list[Comparison]:
    """Compare the asynchronous clients, with fifty calls under way at any time."""

    async def many(do: Callable[[], Any], calls: int) -> None:
        left = iter(range(calls))

        async def worker() -> None:
            for _ in left:
                await do()

        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))

    with asyncio.Runner() as runner:

        def run(do: Callable[[], Any], calls: int) -> None:
            runner.run(many(do, calls))

        making = concurrent(base_url, Keys())
        contestants = runner.run(making.__aenter__())
        try:
            return _compare(contestants, run, effort=effort, how=f"{AT_ONCE} at once")
        finally:
            runner.run(making.__aexit__(None, None, None))
