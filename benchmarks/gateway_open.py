"""What a hundred thousand open payments cost while nothing happens, and how soon a gateway that was
killed works again among them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path

from sqlalchemy import update

from benchmarks.gateway_database import Database
from benchmarks.gateway_fill import accept_all, copy_payment, orders
from benchmarks.gateway_load import Line
from benchmarks.gateway_place import Site, site
from benchmarks.gateway_settled import ROLES
from benchmarks.tables import markdown
from momokit.gateway.store.tables import payments

BUSY = 1000
BUSY_SECONDS = 1.0
SETTLE_SECONDS = 5.0
PATIENCE_SECONDS = 120.0
_OPEN = {
    "state": "'pending'",
    "work": "'settle'",
    "due_at": "o.created_at + 86400 + copies.n * 0.1",
    "attempts": "1",
    "first_sent_at": "o.created_at",
    "accepted_at": "o.created_at",
}
"""What makes a copy of a payment that was taken in one that MTN has accepted and not settled."""


async def measure(database: Database, *, count: int, idle_seconds: float) -> list[str]:
    """Run it on one database; give a row of the table."""
    async with site(database) as one:
        roles = ROLES[database.name]
        original = await _never_sent(one)
        one.start(*roles)
        await one.ready()
        small = _megabytes(one)
        await asyncio.to_thread(copy_payment, database, original, count, changes=_OPEN)
        large, idle = await _idle(one, idle_seconds)
        async with one.store() as store:
            await accept_all(store, list(orders(one, BUSY)))
        await Line(one.port).ask(one.payment(0))
        await asyncio.sleep(BUSY_SECONDS)
        one.kill()
        began = time.perf_counter()
        told = len(one.receiver.seen)
        one.start(*roles)
        answered, settled = await asyncio.gather(
            _since(began, _first_answer(one)),
            _since(began, one.receiver.until(told + 1, patience_seconds=PATIENCE_SECONDS)),
        )
        return [
            f"{database.name}, {' + '.join(roles)}",
            small,
            large,
            f"{idle * 100:.1f} %",
            f"{answered:.1f}",
            f"{settled:.1f}",
        ]


def table(rows: list[list[str]], *, count: int) -> str:
    """Write the rows down."""
    heads = (
        f"{count:,} open payments",
        "MB with none",
        "MB with all",
        "idle, of a core",
        "s to an answer",
        "s to a payment settled",
    )
    return markdown(heads, rows)


async def _never_sent(one: Site) -> str:
    """Take one payment in whose time has not come, to be copied."""
    async with one.store() as store:
        [new] = orders(one, 1, start=9_999_999)
        await store.accept(new, idempotency=None)
        later = update(payments).values(due_at=payments.c.created_at + 86400.0)
        await store.write(lambda t: t.connection.execute(later))
    return new.id


async def _idle(one: Site, seconds: float) -> tuple[str, float]:
    """Let time pass; give the memory, and the share of a core that was used."""
    await asyncio.sleep(SETTLE_SECONDS)
    before, start = _used(one), time.perf_counter()
    await asyncio.sleep(seconds)
    share = (_used(one) - before) / (time.perf_counter() - start)
    return _megabytes(one), share


async def _first_answer(one: Site) -> None:
    await one.ready()
    answer = await Line(one.port).ask(one.payment(1))
    if not answer.startswith(b"HTTP/1.1 202"):
        raise RuntimeError(f"unexpected answer {answer[:200]!r}")


async def _since(began: float, what: Awaitable[None]) -> float:
    await what
    return time.perf_counter() - began


def _used(one: Site) -> float:
    return sum(used for name, used in one.cpu().items() if name in one.processes)


def _megabytes(one: Site) -> str:
    """Give the memory that each process has resident."""
    found = []
    for process in one.processes.values():
        status = Path(f"/proc/{process.pid}/status").read_text()
        kilobytes = int(status.split("VmRSS:")[1].split()[0])
        found.append(f"{kilobytes / 1024:.0f}")
    return " + ".join(found)
