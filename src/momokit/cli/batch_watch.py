"""Follow a batch while it is checked and paid: a bar, counts, money, rate and time left."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from momokit.cli.batch_show import FINALS, STATE_ORDER, has_ended, money, tally
from momokit.cli.output import console, tell
from momokit.cli.session import Session

if TYPE_CHECKING:
    from momokit.cli.gateway_http import GatewayClient

# Waiting for a person: the command that follows has nothing to follow.
WAITS_FOR_A_PERSON = frozenset({"checked", "paused"})
_WINDOW_SECONDS = 30.0
Batch: TypeAlias = Mapping[str, Any]


@dataclass(slots=True)
class Pace:
    """How fast rows come to their end, over the last half minute."""

    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, now: float, finished_rows: int) -> None:
        """Take in how many rows are finished."""
        self._seen.append((now, finished_rows))
        while now - self._seen[0][0] > _WINDOW_SECONDS:
            self._seen.popleft()

    @property
    def rows_per_second(self) -> float:
        """The rate; 0 as long as it cannot be told."""
        (start, before), (end, after) = self._seen[0], self._seen[-1]
        return (after - before) / (end - start) if end > start else 0.0

    def seconds_left(self, rows_left: int) -> float | None:
        """How long the rest will take at that rate."""
        rate = self.rows_per_second
        return rows_left / rate if rate > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one look at a running batch said."""

    batch: Batch
    done_rows: int
    rows: int
    rows_per_second: float
    seconds_left: float | None

    @property
    def counts(self) -> str:
        """Rows by state, in words."""
        progress = self.batch["progress"]
        return ", ".join(f"{progress[s]['rows']} {s}" for s in STATE_ORDER if s in progress)

    @property
    def paid(self) -> str:
        """How much is paid, of how much."""
        currency = self.batch["currency"]
        _, amount = tally(self.batch, "successful")
        return f"{money(str(amount), currency)} of {money(self.batch['amount'], currency)}"

    @property
    def pace(self) -> str:
        """Money, rate and time left."""
        words = [self.paid] if self.batch["progress"] else []
        if self.rows_per_second > 0:
            words.append(f"{self.rows_per_second:.1f} rows/s")
        if self.seconds_left is not None and self.done_rows < self.rows:
            words.append(f"{duration(self.seconds_left)} left")
        return "  ".join(words)

    @property
    def line(self) -> str:
        """Everything on one line."""
        head = f"{self.batch['state']}  {self.done_rows}/{self.rows} rows"
        return "  ".join(word for word in (head, self.counts, self.pace) if word)


def duration(seconds: float) -> str:
    """Write a length of time for people: 45 s, 12 min, 3 h 20 min."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def follow_batch(
    here: Session,
    gateway: GatewayClient,
    batch_id: str,
    *,
    interval_seconds: float,
    timeout_seconds: float | None = None,
    is_over: Callable[[Batch], bool] = has_ended,
) -> Batch:
    """Follow a batch until it is over, a person must act, or the time is up; gives it as it was
    last."""
    start = time.monotonic()
    pace = Pace()
    with _listener(here) as show:
        while True:
            batch: Batch = gateway.get(f"/v1/batches/{batch_id}")
            now = time.monotonic()
            done, _ = tally(batch, *FINALS)
            pace.add(now, done)
            left = pace.seconds_left(batch["rows_to_pay"] - done)
            show(
                News(
                    batch=batch,
                    done_rows=done,
                    rows=batch["rows_to_pay"],
                    rows_per_second=pace.rows_per_second,
                    seconds_left=left if left is not None else batch["seconds_left"],
                )
            )
            if is_over(batch) or has_ended(batch) or batch["state"] in WAITS_FOR_A_PERSON:
                return batch
            if timeout_seconds is not None and now - start >= timeout_seconds:
                return batch
            time.sleep(interval_seconds)


@contextmanager
def _listener(here: Session) -> Iterator[Callable[[News], None]]:
    """A living bar on a terminal; otherwise a line of text or of JSON for each change."""
    screen = console(here, err=True)
    if here.as_json or not screen.is_terminal:
        last: list[str] = []

        def say(news: News) -> None:
            key = f"{news.batch['state']} {news.counts}"
            if [key] != last:
                last[:] = [key]
                tell(here, news.line, event="progress", **_facts(news))

        yield say
        return
    from rich.console import Group
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    with Live(console=screen, refresh_per_second=8) as live:

        def draw(news: News) -> None:
            bar = Table.grid()
            total = max(news.rows, 1)
            drawn = ProgressBar(
                total=total, completed=news.done_rows, width=40, complete_style="green"
            )
            bar.add_row(drawn, f" {100 * news.done_rows // total} %")
            head = Text(f"{news.batch['state']}  {news.done_rows}/{news.rows} rows", style="bold")
            rest = (Text(line) for line in (news.counts, news.pace) if line)
            live.update(Group(head, bar, *rest))

        yield draw


def _facts(news: News) -> dict[str, Any]:
    left = news.seconds_left
    return {
        "batch": news.batch["id"],
        "state": news.batch["state"],
        "done_rows": news.done_rows,
        "rows": news.rows,
        "counts": {name: one["rows"] for name, one in news.batch["progress"].items()},
        "rows_per_second": round(news.rows_per_second, 2),
        "seconds_left": round(left, 1) if left is not None else None,
    }
