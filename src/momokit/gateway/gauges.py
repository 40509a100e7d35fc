"""Gauges: what is measured now and then rather than counted as it happens."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from momokit.gateway.book import AccountBook
from momokit.gateway.core.payment import State
from momokit.gateway.metrics import Metrics
from momokit.gateway.store.audits import last_success
from momokit.gateway.store.database import database_url
from momokit.gateway.store.deliveries import next_delivery_due
from momokit.gateway.store.discrepancies import count_open
from momokit.gateway.store.lanes import shut_lanes
from momokit.gateway.store.measures import (
    budget_used,
    callback_coverage,
    database_size_bytes,
    open_incident_count,
    open_payments,
)
from momokit.gateway.store.store import Store
from momokit.gateway.store.switches import Name, find_switch


class Gauges:
    """Measures the store, the accounts and this machine, and shows it in the metrics."""

    def __init__(
        self,
        *,
        store: Store,
        book: AccountBook,
        metrics: Metrics,
        database: str,
        status_calls_per_second: int,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._book = book
        self._metrics = metrics
        self._folder = _folder_of(database)
        self._per_second = status_calls_per_second
        self._wall_clock = wall_clock
        self._stale_told = 0

    async def refresh(self) -> None:
        """Measure everything once."""
        await self._refresh_payments()
        await self._refresh_store()
        paused = Counter(a.market for a in self._book.accounts if a.paused_reason is not None)
        markets = {account.market for account in self._book.accounts}
        self._metrics.paused_accounts({market: paused[market] for market in markets})
        await self._refresh_guards()
        stale = self._store.stale_records
        self._metrics.stale_results(stale - self._stale_told)
        self._stale_told = stale
        counts, last = await self._store.read(lambda t: (count_open(t), last_success(t)))
        self._metrics.discrepancies(counts, last_success=last)
        if self._folder is not None:
            usage = shutil.disk_usage(self._folder)
            self._metrics.disk_free(usage.free / usage.total)

    async def _refresh_guards(self) -> None:
        shut, on = await self._store.read(
            lambda t: (shut_lanes(t), {name: find_switch(t, name) for name in Name})
        )
        self._metrics.breakers(
            (self._book.market_of(one.key.account_id), one.key.product, one.key.work.value)
            for one in shut
        )
        self._metrics.money_stopped(
            {name.value: one is not None and one.is_on for name, one in on.items()}
        )

    async def _refresh_payments(self) -> None:
        counts: Counter[tuple[str, State]] = Counter()
        ages: dict[State, float] = {State.CREATED: 0.0, State.PENDING: 0.0, State.UNKNOWN: 0.0}
        for one in await self._store.read(open_payments):
            counts[self._book.market_of(one.account_id), one.state] += one.count
            ages[one.state] = max(ages.get(one.state, 0.0), one.oldest_age_seconds)
        self._metrics.open_payments(counts)
        self._metrics.oldest_open(ages)

    async def _refresh_store(self) -> None:
        due, now = await self._store.read(lambda t: (next_delivery_due(t), t.now))
        self._metrics.webhook_lag(max(0.0, now - due) if due is not None else 0.0)
        self._metrics.clock_skew(abs(now - self._wall_clock()))
        self._metrics.callback_coverage(await self._store.read(callback_coverage))
        per_second = self._per_second
        used = await self._store.read(lambda t: budget_used(t, per_second=per_second))
        self._metrics.poll_budget(used)
        self._metrics.open_incidents(await self._store.read(open_incident_count))
        self._metrics.database_size(await self._store.read(database_size_bytes))


def _folder_of(database: str) -> Path | None:
    """Find the folder whose disk may fill up; None when the database is on another machine."""
    url = database_url(database)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return Path(url.database).absolute().parent
