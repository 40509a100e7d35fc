"""How long those wait who are answered while the workers work: MTN with a callback, and merchants.

Requests come by chance and whether or not the last one was answered (an open loop), so a moment
in which the gateway stands still is felt by all who come in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy import func, select

from benchmarks.gateway_database import Database
from benchmarks.gateway_fill import accept_all, orders
from benchmarks.gateway_load import arrive, post
from benchmarks.gateway_place import Site, site
from benchmarks.gateway_settled import ROLES
from benchmarks.tables import markdown
from momokit.gateway.store.store import Store
from momokit.gateway.store.tables import payments

CALLBACKS_PER_SECOND = 300
ACCEPTS_PER_SECOND = 200
PATIENCE_SECONDS = 180.0
_BODY = b'{"financialTransactionId":"1","externalId":"x","amount":"5000","status":"PENDING"}'


async def callbacks(database: Database, *, seconds: float) -> list[str]:
    """Post a callback for a payment that is open each time; the worker asks about each."""
    async with site(database, payers="phone") as one:
        one.start(*ROLES[database.name])
        await one.ready()
        paths = await _sent(one, int(CALLBACKS_PER_SECOND * seconds))
        requests = [post(path, _BODY) for path in paths]
        title = f"callbacks, {CALLBACKS_PER_SECOND}/s"
        return await _row(one, title, requests, CALLBACKS_PER_SECOND, wanted=b"200")


async def accepts(database: Database, *, seconds: float) -> list[str]:
    """Post payments, which the worker carries to their end meanwhile."""
    async with site(database) as one:
        one.start(*ROLES[database.name])
        await one.ready()
        count = int(ACCEPTS_PER_SECOND * seconds)
        warm = [one.payment(number) for number in range(count, count + 200)]
        await arrive(one.line(), warm, per_second=ACCEPTS_PER_SECOND / 2, wanted=b"202")
        requests = [one.payment(number) for number in range(count)]
        row = await _row(
            one, f"payments accepted, {ACCEPTS_PER_SECOND}/s", requests, ACCEPTS_PER_SECOND,
            wanted=b"202",
        )  # fmt: skip
        await one.receiver.until(count + 200, patience_seconds=PATIENCE_SECONDS)
        return row


def table(rows: list[list[str]]) -> str:
    """Write the rows down."""
    heads = ("answered", "database", "p50 ms", "p90 ms", "p99 ms", "longest", "gateway's CPU ms")
    return markdown(heads, rows)


async def _row(
    one: Site, title: str, requests: Sequence[bytes], per_second: float, *, wanted: bytes
) -> list[str]:
    before = _used(one)
    took = sorted(await arrive(one.line(), requests, per_second=per_second, wanted=wanted))
    cpu_millis = (_used(one) - before) / len(requests) * 1000
    shares = (took[int(len(took) * share)] for share in (0.5, 0.9, 0.99))
    times = [f"{seconds * 1000:,.1f}" for seconds in (*shares, took[-1])]
    return [title, one.database.name, *times, f"{cpu_millis:.2f}"]


def _used(one: Site) -> float:
    return sum(used for name, used in one.cpu().items() if name in one.processes)


async def _sent(one: Site, count: int) -> list[str]:
    """Let payments be accepted and sent; give the paths to which MTN calls back."""
    async with one.store() as store:
        news = list(orders(one, count))
        await accept_all(store, news)
        await store.write(lambda transaction: transaction.wake())
        ends = time.monotonic() + PATIENCE_SECONDS
        while await _pending(store) < count:
            if time.monotonic() > ends:
                raise TimeoutError("the payments were not sent in time")
            await asyncio.sleep(0.2)
    return [urlsplit(new.headers["X-Callback-Url"]).path for new in news]


async def _pending(store: Store) -> int:
    query = select(func.count()).where(payments.c.state == "pending")
    found: int = await store.read(lambda t: t.connection.execute(query).scalar_one())
    return found
