"""The gateway's figures: `python -m benchmarks gateway [settled|open|million|callbacks|accept]`.

Each is held to a promise that stands on the page about benchmarks. Everything runs on one machine:
the gateway as an operator starts it, MTN (the emulator), the database, and the merchant.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmarks import gateway_latency, gateway_million, gateway_open, gateway_settled
from benchmarks.gateway_database import Database, postgresql, sqlite

DATABASES: tuple[Callable[[], AbstractContextManager[Database]], ...] = (sqlite, postgresql)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is run."""

    payments: int
    rounds: int
    open: int
    idle_seconds: float
    finished: int
    arrival_seconds: float


FULL = Size(
    payments=1200, rounds=3, open=100_000, idle_seconds=30.0, finished=1_000_000,
    arrival_seconds=10.0,
)  # fmt: skip
QUICK = Size(
    payments=200, rounds=1, open=2000, idle_seconds=3.0, finished=5000, arrival_seconds=2.0
)


def settled(size: Size) -> Iterator[str]:
    """Payments a second, beside a bare prototype."""
    for make in DATABASES:
        with make() as database:
            yield asyncio.run(
                gateway_settled.compare(database, count=size.payments, rounds=size.rounds)
            )


def open_payments(size: Size) -> Iterator[str]:
    """Memory and idle cost of open payments, and the return after a kill."""
    rows = []
    for make in DATABASES:
        with make() as database:
            measured = gateway_open.measure(
                database, count=size.open, idle_seconds=size.idle_seconds
            )
            rows.append(asyncio.run(measured))
    yield gateway_open.table(rows, count=size.open)


def million(size: Size) -> Iterator[str]:
    """Payments a second, over many that are finished."""
    for make in DATABASES:
        yield asyncio.run(
            gateway_million.compare(
                make, finished=size.finished, count=size.payments, rounds=size.rounds
            )
        )


def callbacks(size: Size) -> Iterator[str]:
    """How soon a callback is answered."""
    rows = []
    for make in DATABASES:
        with make() as database:
            measured = gateway_latency.callbacks(database, seconds=size.arrival_seconds)
            rows.append(asyncio.run(measured))
    yield gateway_latency.table(rows)


def accept(size: Size) -> Iterator[str]:
    """How soon a payment is accepted."""
    rows = []
    for make in DATABASES:
        with make() as database:
            measured = gateway_latency.accepts(database, seconds=size.arrival_seconds)
            rows.append(asyncio.run(measured))
    yield gateway_latency.table(rows)


PARTS: dict[str, Callable[[Size], Iterator[str]]] = {
    "settled": settled,
    "open": open_payments,
    "million": million,
    "callbacks": callbacks,
    "accept": accept,
}


def tables_of(part: str, *, quick: bool) -> Iterator[str]:
    """Run a part; give its tables, and at the end how busy the machine was."""
    yield from PARTS[part](QUICK if quick else FULL)
    one, five, _ = os.getloadavg()
    yield (
        f"Load of the machine: {one:.1f} over the last minute, {five:.1f} over five;"
        f" {os.cpu_count()} cores."
    )
