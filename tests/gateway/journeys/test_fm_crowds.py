"""Rows of the failure matrix about many at once: one key, many ids, tokens that end, restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx2
import pytest

from momokit.emulator import EmulatorSettings
from momokit.gateway.app import Gateway, Role, build
from momokit.gateway.book import new_account
from momokit.gateway.seal import Sealer
from momokit.gateway.serve import listen
from momokit.gateway.store.accounts import add_account
from tests.gateway.journeys.whole import HEX, PAYEE, PAYER, Whole, whole

pytestmark = pytest.mark.anyio

TOKEN_SECONDS = 20


async def test_fm_22_a_hundred_equal_posts_at_once_are_one_payment(url: str) -> None:
    """Over HTTP, under one key: all are told of the same payment, and MTN moves its money once."""
    body = {"kind": "transfer", "amount": "5", "party": PAYEE}
    async with whole(url) as gateway:
        answers = await asyncio.gather(
            *(gateway.post("/v1/payments", body, key="one") for _ in range(100))
        )
        await gateway.until_quiet()
        books = [one.id for one in await gateway.all()]
        truths = await gateway.truths(books)
        sent = len(gateway.emulator.payments())

    told = {one.json().get("id") for one in answers if one.status_code == 202}
    assert {one.status_code for one in answers} <= {202, 409}
    assert told == set(books)
    assert (truths, sent) == ([("successful", 1)], 1)


async def test_fm_13_tokens_that_end_all_the_time_cost_one_refresh_each(sqlite_url: str) -> None:
    """MTN ends each token long before it said it would: of many senders that are refused at once
    one refreshes, and no payment notices."""
    emulator = EmulatorSettings(token_lifetime_seconds=TOKEN_SECONDS)
    async with whole(sqlite_url, emulator=emulator, sends_at_once=16) as gateway:
        began = gateway.clock.now()
        amounts = [str(n + 1) for n in range(60)]
        ids = await asyncio.gather(*(gateway.pay("transfer", amount=one) for one in amounts))
        await gateway.until_quiet()
        truths = await gateway.truths(ids)
        passed = gateway.clock.now() - began
        tokens = gateway.asked("CreateAccessToken")

    assert truths == [("successful", 1)] * 60
    assert 2 <= tokens <= passed / TOKEN_SECONDS + 1


async def _second_account(gateway: Whole) -> None:
    """Open another account at the same provider, with credentials of its own."""
    first = gateway.gateway.book.settings_of((await gateway.account()).id)
    made = gateway.emulator.provision(callback_host="127.0.0.1")
    assert first.collection is not None
    keys = replace(
        first.collection,
        subscription_key=made.subscription_key, api_user=made.api_user, api_key=made.api_key,
    )  # fmt: skip
    client = replace(first, collection=keys, disbursement=keys)
    account = new_account("other", client, sealer=Sealer(bytes.fromhex(HEX)))
    await gateway.gateway.store.write(lambda t: add_account(t, account))
    await gateway.gateway.book.refresh()


async def test_fm_30_two_hundred_at_once_over_two_accounts_keep_their_own(sqlite_url: str) -> None:
    """Each id that MTN heard came with the very bytes that our books have under it."""
    async with whole(sqlite_url, sends_at_once=64) as gateway:
        await _second_account(gateway)
        wanted = [("request_to_pay", PAYER), ("transfer", PAYEE)] * 100
        ids = await asyncio.gather(
            *(
                gateway.pay(
                    kind, amount=str(n + 1), party=party, account=("shop", "other")[n // 2 % 2]
                )
                for n, (kind, party) in enumerate(wanted)
            )
        )
        await gateway.until_quiet()
        books = [await gateway.stored(one) for one in ids]
        heard = [
            (one.reference_id, one.body)
            for one in gateway.emulator.history
            if one.operation in ("RequesttoPay", "Transfer")
        ]
        truths = await gateway.truths(ids)

    ours = [(one.request.reference_id, one.request.body.decode()) for one in books]
    assert len({one.account_id for one in books}) == 2
    assert sorted(heard) == sorted(ours)
    assert truths == [("successful", 1)] * 200


@dataclass
class Fleet:
    """Gateways on one PostgreSQL that come and go, and the ports at which requests are taken."""

    first: Whole
    running: list[tuple[Gateway, asyncio.Task[None]]] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    async def start(self, role: Role) -> None:
        """Let a process of a role begin."""
        with listen("127.0.0.1", 0) as free:
            port = int(free.getsockname()[1])
        clock = self.first.clock
        settings = replace(self.first.gateway.settings, port=port)
        gateway = await build(settings, role, clock=clock.now)
        ready = asyncio.Event()
        task = asyncio.create_task(gateway.run(ready=lambda _: ready.set()))
        await ready.wait()
        self.running.append((gateway, task))
        if role == "api":
            self.ports.append(port)

    async def stop_oldest(self) -> None:
        """Do to the oldest what a deployment does."""
        gateway, task = self.running.pop(0)
        if gateway.role == "api":
            self.ports.remove(gateway.settings.port)
        gateway.stop()
        await task
        await gateway.close()

    async def post(self, number: int) -> str:
        """Ask for a payment until it is taken, wherever somebody answers; give its id."""
        body = {"kind": "transfer", "amount": str(number + 1), "party": PAYEE}
        for attempt in range(500):
            port = self.ports[(number + attempt) % len(self.ports)]
            try:
                answer = await self.first.http.post(
                    f"http://127.0.0.1:{port}/v1/payments",
                    json=body, headers={"Idempotency-Key": f"stream-{number}"},
                )  # fmt: skip
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code == 202:
                return str(answer.json()["id"])
            assert answer is None or answer.status_code in (409, 503), answer.text
            await asyncio.sleep(0.01)
        raise AssertionError("nobody takes it")


@asynccontextmanager
async def fleet(gateway: Whole) -> AsyncIterator[Fleet]:
    """Put an API and a worker of their own in the place of the one process."""
    one = Fleet(gateway)
    try:
        await one.start("api")
        await one.start("worker")
        yield one
    finally:
        while one.running:
            await one.stop_oldest()


async def test_fm_39_a_rolling_restart_under_a_stream_loses_none_and_pays_none_twice(
    postgres_url: str,
) -> None:
    """APIs and workers are replaced one by one while requests stream in; whoever gets no answer
    asks again by its key, and every payment is there once and is paid once."""
    taken: dict[int, str] = {}
    async with whole(postgres_url) as gateway, fleet(gateway) as rolled:

        async def stream(numbers: range) -> None:
            for number in numbers:
                taken[number] = await rolled.post(number)

        streams = asyncio.gather(*(stream(range(n, 160, 4)) for n in range(4)))
        for round_of in range(3):
            while len(taken) < 40 * (round_of + 1):  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)
            await rolled.start("api")
            await rolled.start("worker")
            await rolled.stop_oldest()
            await rolled.stop_oldest()
        await streams
        await gateway.until_quiet()
        truths = await gateway.truths(list(taken.values()))
        listed = len(await gateway.all())
        sent = len(gateway.emulator.payments())

    assert len(set(taken.values())) == 160
    assert (listed, sent) == (160, 160)
    assert truths == [("successful", 1)] * 160
