"""How many payments a second come to their end, the whole way: posted, put to MTN, settled, told.

A round is over when the merchant has had the last webhook. *Through the API*: the payments are
posted while others are on their way already, so the gateway does everything at once. *From the
store*: they were accepted before, with the lanes closed; what is timed is the workers, and the
callbacks that come meanwhile. *Bare*: the same as through the API, by a prototype.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from benchmarks.gateway_database import Database
from benchmarks.gateway_fill import accept_all, orders
from benchmarks.gateway_load import Line, Receiver, flood, post
from benchmarks.gateway_place import Site, free_port, site
from benchmarks.servers import Place, cpu_seconds, process
from benchmarks.tables import Spread, markdown
from momokit.gateway.store.accounts import pause_account, resume_account
from momokit.gateway.store.database import Transaction

POSTS_AT_ONCE = 32
PATIENCE_SECONDS = 300.0
ROLES = {"SQLite": ("serve",), "PostgreSQL": ("api", "worker", "worker")}
_SURROUNDINGS = ("database", "emulator", "merchant")


@dataclass(frozen=True, slots=True)
class Lap:
    """One round: payments a second, and the CPU milliseconds a payment cost, by process."""

    per_second: float
    cpu_millis: dict[str, float]

    @property
    def gateway_millis(self) -> float:
        """What the gateway's own processes used for a payment."""
        return sum(used for name, used in self.cpu_millis.items() if name not in _SURROUNDINGS)


async def compare(database: Database, *, count: int, rounds: int) -> str:
    """Run gateway and prototype in turns on one database; give the table."""
    laps: dict[str, list[Lap]] = {}
    async with site(database) as one, _bare(one) as bare:
        one.start(*ROLES[database.name])
        await one.ready()
        await through_api(one, count // 5)  # Tokens, connections and statements are made now.
        await bare(count // 5)
        for _ in range(rounds):
            laps.setdefault("gateway, through the API", []).append(await through_api(one, count))
            laps.setdefault("gateway, from the store", []).append(await from_store(one, count))
            laps.setdefault("bare prototype", []).append(await bare(count))
    return table(database.name, laps)


def table(title: str, laps: dict[str, list[Lap]]) -> str:
    """Write laps down, one line for each kind."""
    heads = (f"{title}", "settled/s", "its CPU ms", "database's", "emulator's", "merchant's")
    return markdown(heads, [_row(name, each) for name, each in laps.items()])


def _row(name: str, laps: Sequence[Lap]) -> list[str]:
    rest = (Spread.of([lap.cpu_millis[which] for lap in laps]).text(2) for which in _SURROUNDINGS)
    rate = Spread.of([lap.per_second for lap in laps]).text()
    return [name, rate, Spread.of([lap.gateway_millis for lap in laps]).text(2), *rest]


async def through_api(one: Site, count: int) -> Lap:
    """Post payments as fast as they are taken, and wait until the last is told."""
    requests = [one.payment(number) for number in range(count)]
    return await _timed(one.receiver, count, one.cpu, lambda: _post(one, requests))


async def from_store(one: Site, count: int) -> Lap:
    """Accept payments with the lanes closed; then open them, and wait until the last is told."""
    async with one.store() as store:
        await store.write(lambda transaction: _lanes(transaction, one, are_open=False))
        await accept_all(store, list(orders(one, count)))
        await store.write(lambda transaction: _lanes(transaction, one, are_open=True))
        # Another process's writes ring no bell on SQLite; a request to the API does.
        rings = [one.payment(count, rings=True)]
        return await _timed(one.receiver, count + 1, one.cpu, lambda: _post(one, rings))


def _lanes(transaction: Transaction, one: Site, *, are_open: bool) -> None:
    for account in one.accounts:
        if are_open:
            resume_account(transaction, account.id)
        else:
            pause_account(transaction, account.id, reason="the benchmark gets ready")


async def _post(one: Site, requests: Sequence[bytes]) -> None:
    await flood(one.line(), requests, at_once=POSTS_AT_ONCE, wanted=b"202")


async def _timed(
    receiver: Receiver,
    count: int,
    cpu: Callable[[], dict[str, float]],
    begin: Callable[[], Awaitable[None]],
) -> Lap:
    told = len(receiver.seen)
    before, start = cpu(), time.perf_counter()
    await begin()
    await receiver.until(told + count, patience_seconds=PATIENCE_SECONDS)
    took = time.perf_counter() - start
    after = cpu()
    used = {name: (after[name] - before[name]) / count * 1000 for name in before}
    return Lap(count / took, used)


@contextlib.asynccontextmanager
async def _bare(one: Site) -> AsyncIterator[Callable[[int], Awaitable[Lap]]]:
    """Start the prototype beside a gateway, with the same surroundings; give what runs a lap."""
    port = free_port()
    roles = [role.replace("serve", "all") for role in ROLES[one.database.name]]
    given = [one.database.url, str(one.emulator.port), str(one.receiver.port), str(port)]
    places: list[Place] = []

    def cpu() -> dict[str, float]:
        mine = {str(place.pid): cpu_seconds(place.pid) for place in places}
        return mine | {name: used for name, used in one.cpu().items() if name in _SURROUNDINGS}

    async def lap(count: int) -> Lap:
        bodies = (json.dumps({"party": f"25677{n % 10_000_000:07}"}) for n in range(count))
        requests = [post("/pay", body.encode()) for body in bodies]

        async def begin() -> None:
            await flood(Line(port), requests, at_once=POSTS_AT_ONCE, wanted=b"202")

        return await _timed(one.receiver, count, cpu, begin)

    with contextlib.ExitStack() as running:
        for role in roles:
            started = process("benchmarks.gateway_bare", *given, role, core=None)
            places.append(running.enter_context(started))
        yield lap
