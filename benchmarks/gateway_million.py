"""Whether a million finished payments slow down those that are under way.

Two gateways of the same kind, one with empty tables and one with full ones, run in turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, AsyncExitStack

from sqlalchemy import select

from benchmarks.gateway_database import Database
from benchmarks.gateway_fill import copy_payment
from benchmarks.gateway_place import Site, site
from benchmarks.gateway_settled import ROLES, Lap, from_store, table, through_api
from momokit.gateway.store.tables import payments


async def compare(
    make: Callable[[], AbstractContextManager[Database]],
    *,
    finished: int,
    count: int,
    rounds: int,
) -> str:
    """Run both in turns; give the table."""
    laps: dict[str, list[Lap]] = {}
    async with AsyncExitStack() as stack:
        sites: dict[str, Site] = {}
        for title in ("empty tables", f"{finished:,} finished"):
            database = stack.enter_context(make())
            one = await stack.enter_async_context(site(database))
            one.start(*ROLES[database.name])
            await one.ready()
            await through_api(one, count // 5)
            sites[title] = one
        await _fill(sites[f"{finished:,} finished"], finished)
        for _ in range(rounds):
            for title, one in sites.items():
                laps.setdefault(f"{title}, through the API", []).append(
                    await through_api(one, count)
                )
            for title, one in sites.items():
                laps.setdefault(f"{title}, from the store", []).append(await from_store(one, count))
        return table(one.database.name, laps)


async def _fill(one: Site, finished: int) -> None:
    async with one.store() as store:
        done = select(payments.c.id).where(payments.c.work.is_(None)).limit(1)
        original: str = await store.read(lambda t: t.connection.execute(done).scalar_one())
    await asyncio.to_thread(copy_payment, one.database, original, finished)
