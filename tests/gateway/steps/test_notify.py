"""Telling the merchant: signed, sent once, recorded; and what follows from each answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from momokit.gateway.core.deliveries import TRIES
from momokit.gateway.core.destinations import DEVELOPMENT
from momokit.gateway.core.facts import Taken
from momokit.gateway.sender import Sender, SendResult
from momokit.gateway.steps.notify import SECRET_UNUSABLE, Notified, Outcome, notify
from momokit.gateway.store import accounts, deliveries
from momokit.gateway.store.deliveries import ClaimedDelivery, Delivery
from momokit.gateway.store.store import Store
from momokit.webhooks import new_secret, verify
from tests.client.raw_server import answer, raw_server
from tests.gateway.hanging import Hanging
from tests.gateway.store.making import START, Clock, accept, add_endpoint, on

pytestmark = pytest.mark.anyio

OLD, NEW = new_secret(), new_secret()


@dataclass
class Heard:
    """One webhook as a receiver gets it."""

    url: str
    body: bytes
    headers: dict[str, str]


@dataclass
class Merchants:
    """Stands for the sender and all receivers: keeps what was sent, answers as told."""

    result: SendResult = field(default_factory=lambda: SendResult(status=200))
    heard: list[Heard] = field(default_factory=list)

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> SendResult:
        """Take one webhook."""
        self.heard.append(Heard(url, body, dict(headers)))
        return self.result


@pytest.fixture
def merchants() -> Merchants:
    """Give receivers that say yes."""
    return Merchants()


async def _told(store: Store, *names: str) -> None:
    await accept(store, *names)
    for name in names:
        await store.record(f"pay_{name}", on(Taken()), lease_token=None)


async def _claim(store: Store) -> list[ClaimedDelivery]:
    return await store.claim_deliveries(limit=100, lease_seconds=60)


async def _notify(
    claimed: ClaimedDelivery, store: Store, sender: Any, *, secrets: Sequence[str] = (NEW,)
) -> Notified:
    return await notify(
        claimed, store=store, sender=sender, secrets_of=lambda _sealed: secrets,
        clock=lambda: START, chance=lambda: 0.0,
    )  # fmt: skip


async def _kept(store: Store) -> Delivery:
    [kept] = await store.read(deliveries.list_deliveries)
    return kept


async def test_a_webhook_is_signed_sent_and_recorded(store: Store, merchants: Merchants) -> None:
    """The whole way of one that arrives at once."""
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    [claimed] = await _claim(store)
    notified = await _notify(claimed, store, merchants)
    [heard] = merchants.heard
    kept = await _kept(store)

    assert notified.outcome is Outcome.DELIVERED
    assert (heard.url, heard.body) == ("http://127.0.0.1:1/end_1", claimed.delivery.body)
    assert verify(heard.body, heard.headers, secrets=NEW, now_seconds=START).message_id == "evt_a_2"
    assert json.loads(heard.body)["id"] == "evt_a_2"
    assert (kept.delivered_at, kept.attempts, kept.last_status, kept.due_at) == (
        START, 1, 200, None,
    )  # fmt: skip


async def test_a_retry_has_the_same_id_and_a_new_time(
    store: Store, clock: Clock, merchants: Merchants
) -> None:
    """A receiver that drops what it has seen drops it; one that checks its age accepts it."""
    merchants.result = SendResult(status=500, error="HTTP 500")
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    for _ in range(2):
        [claimed] = await _claim(store)
        now = clock.now
        await notify(
            claimed, store=store, sender=merchants, secrets_of=lambda _sealed: [NEW],
            clock=lambda now=now: now, chance=lambda: 0.0,
        )  # fmt: skip
        clock.advance(5)
    first, second = merchants.heard
    kept = await _kept(store)

    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "evt_a_2"
    assert first.body == second.body
    assert [one.headers["webhook-timestamp"] for one in (first, second)] == [
        f"{START:.0f}", f"{START + 5:.0f}",
    ]  # fmt: skip
    assert (kept.attempts, kept.due_at, kept.last_error) == (2, START + 5 + 30, "HTTP 500")


async def test_both_secrets_sign_while_one_is_replaced(store: Store, merchants: Merchants) -> None:
    """A receiver with the old secret and one with the new are both satisfied; a third is not."""
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    [claimed] = await _claim(store)
    await _notify(claimed, store, merchants, secrets=[NEW, OLD])
    [heard] = merchants.heard

    for secret in (OLD, NEW):
        assert verify(heard.body, heard.headers, secrets=secret, now_seconds=START)
    assert len(heard.headers["webhook-signature"].split(" ")) == 2


async def test_a_receivers_wish_for_a_pause_is_kept(store: Store, merchants: Merchants) -> None:
    """Retry-After moves the next try, by the database's clock."""
    merchants.result = SendResult(status=429, error="HTTP 429", retry_after_seconds=900)
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    [claimed] = await _claim(store)
    notified = await _notify(claimed, store, merchants)

    assert (notified.outcome, (await _kept(store)).due_at) == (Outcome.RETRY, START + 900)


async def test_gone_switches_the_endpoint_off_and_keeps_its_queue(
    store: Store, merchants: Merchants
) -> None:
    """Nothing more is sent after a 410, until a person switches it on: then all that it missed."""
    merchants.result = SendResult(status=410, error="HTTP 410", gone=True)
    await add_endpoint(store, "end_1")
    await _told(store, "a", "b")
    first, second = await _claim(store)
    gone = await _notify(first, store, merchants)
    [endpoint] = await store.read(accounts.list_endpoints)
    merchants.result = SendResult(error="no connection")
    await _notify(second, store, merchants)
    off = await _claim(store)
    kept = await store.read(deliveries.list_deliveries)

    assert (gone.outcome, endpoint.disabled_at, off) == (Outcome.ENDPOINT_GONE, START, [])
    assert [one.given_up_at for one in kept] == [None, None]
    assert [one.due_at for one in kept] == [START + 5, START + 5]


async def test_fm_37_a_webhook_is_given_up_after_its_last_try(
    store: Store, clock: Clock, merchants: Merchants
) -> None:
    """After three days and more it is put aside, and can still be replayed."""
    merchants.result = SendResult(error="no connection")
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    outcomes = []
    for _ in range(TRIES):
        [claimed] = await _claim(store)
        outcomes.append((await _notify(claimed, store, merchants)).outcome)
        kept = await _kept(store)
        clock.now = kept.due_at or clock.now
    replayed = await store.write(lambda t: deliveries.replay(t, kept.id))
    merchants.result = SendResult(status=200)
    [again] = await _claim(store)
    last = await _notify(again, store, merchants)

    assert outcomes == [Outcome.RETRY] * (TRIES - 1) + [Outcome.GIVEN_UP]
    assert (kept.attempts, kept.due_at, kept.last_error) == (TRIES, None, "no connection")
    assert kept.given_up_at is not None
    assert kept.given_up_at - START >= 72 * 3600
    assert (replayed, last.outcome) == (True, Outcome.DELIVERED)


@pytest.mark.parametrize(
    "result", [SendResult(status=200), SendResult(status=410, error="HTTP 410", gone=True)]
)
async def test_fm_35_a_late_result_changes_nothing(
    store: Store, clock: Clock, merchants: Merchants, result: SendResult
) -> None:
    """A worker that lost its lease neither records nor switches an endpoint off."""
    merchants.result = result
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    [late] = await _claim(store)
    clock.advance(60)
    [second] = await _claim(store)
    told = await _notify(late, store, merchants)
    kept = await _kept(store)
    [endpoint] = await store.read(accounts.list_endpoints)

    assert told.outcome is Outcome.LEASE_LOST
    assert (kept.attempts, kept.lease_token) == (0, second.lease_token)
    assert endpoint.disabled_at is None


@pytest.mark.parametrize("secrets", [[], ["whsec_short"], ["not base64 !"]])
async def test_a_secret_that_cannot_be_used_is_seen_and_not_told(
    store: Store, merchants: Merchants, secrets: list[str]
) -> None:
    """Nothing leaves unsigned; the delivery says why, without the secret."""
    await add_endpoint(store, "end_1")
    await _told(store, "a")
    [claimed] = await _claim(store)
    notified = await _notify(claimed, store, merchants, secrets=secrets)
    kept = await _kept(store)

    assert (merchants.heard, notified.outcome) == ([], Outcome.RETRY)
    assert (kept.last_error, kept.last_status) == (SECRET_UNUSABLE, None)


async def test_secrets_that_cannot_be_opened_are_the_endpoints_own_trouble(
    store: Store, merchants: Merchants
) -> None:
    """A seal that is broken is recorded like any failure; the worker goes on."""

    def broken(_sealed: bytes) -> list[str]:
        raise RuntimeError("the seal of " + NEW)

    await add_endpoint(store, "end_1")
    await _told(store, "a")
    [claimed] = await _claim(store)
    notified = await notify(claimed, store=store, sender=merchants, secrets_of=broken)

    assert (merchants.heard, notified.result.error) == ([], SECRET_UNUSABLE)


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    """Give the real sender, which may reach this machine."""
    sender = Sender(allowance=DEVELOPMENT, deadline_seconds=0.2)
    yield sender
    await sender.close()


def _received(request: bytes) -> tuple[bytes, dict[str, str]]:
    top, _, body = request.partition(b"\r\n\r\n")
    lines = top.decode().split("\r\n")[1:]
    return body, dict(line.split(": ", 1) for line in lines)


async def test_a_receiver_with_the_published_library_accepts_it(
    store: Store, sender: Sender
) -> None:
    """Over a real socket, `standardwebhooks` verifies it with either secret, and no other."""
    with raw_server(answer()) as server:
        await add_endpoint(store, "end_1", "payment.pending")
        await store.write(
            lambda t: accounts.change_endpoint(t, "end_1", {"url": f"{server.url}/hooks"})
        )
        await _told(store, "a")
        [claimed] = await _claim(store)
        notified = await notify(
            claimed, store=store, sender=sender, secrets_of=lambda _sealed: [NEW, OLD]
        )
    body, headers = _received(server.requests[0])
    told = [Webhook(secret).verify(body, headers) for secret in (NEW, OLD)]

    assert notified.outcome is Outcome.DELIVERED
    assert [one["type"] for one in told] == ["payment.pending"] * 2
    assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body + b" ", headers)


async def test_fm_37_a_dead_endpoint_slows_no_other(store: Store) -> None:
    """While one receiver hangs, another's webhooks are sent and recorded."""
    sender = Sender(allowance=DEVELOPMENT)
    with raw_server(Hanging()) as dead, raw_server(answer()) as alive:
        for name, server in (("end_dead", dead), ("end_live", alive)):
            await add_endpoint(store, name)
            change = partial(accounts.change_endpoint, endpoint_id=name)
            await store.write(partial(change, changes={"url": server.url}))
        await _told(store, "a", "b", "c")
        waiting, served = [], []
        for claimed in await _claim(store):
            task = asyncio.create_task(_notify(claimed, store, sender))
            (served if claimed.url == alive.url else waiting).append(task)
        outcomes = [(await task).outcome for task in served]
        still_waiting = [task.done() for task in waiting]
        dead.behave.release.set()
        late = [(await task).outcome for task in waiting]
    await sender.close()

    assert outcomes == [Outcome.DELIVERED] * 3
    assert (still_waiting, late) == ([False] * 3, [Outcome.DELIVERED] * 3)
