"""Tell the merchant: one claimed webhook signed, sent once, and the outcome recorded."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from momokit.gateway.core.deliveries import next_try_seconds
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.sender import SendResult
from momokit.gateway.store.accounts import disable_endpoint
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.deliveries import ClaimedDelivery, DeliveryResult, record_deliveries
from momokit.gateway.store.store import Store
from momokit.webhooks import sign

SECRET_UNUSABLE = "the endpoint's secret cannot be used"  # noqa: S105 - words, no secret


class Sends(Protocol):
    """What posts a webhook: the sender, or a test's own."""

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> SendResult:
        """Post once; never raise."""
        ...


class Outcome(StrEnum):
    """What became of one try."""

    DELIVERED = "delivered"
    RETRY = "retry"
    GIVEN_UP = "given_up"
    ENDPOINT_GONE = "endpoint_gone"
    LEASE_LOST = "lease_lost"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notified:
    """How one try went, for logs and metrics."""

    delivery_id: int
    endpoint_id: str
    outcome: Outcome
    result: SendResult


async def notify(
    claimed: ClaimedDelivery,
    *,
    store: Store,
    sender: Sends,
    secrets_of: Callable[[bytes], Sequence[str]],
    clock: Callable[[], float] = time.time,
    chance: Callable[[], float] = random.random,
) -> Notified:
    """Carry one claimed webhook through to its record.

    `secrets_of` opens the endpoint's sealed secrets: all that are in force sign, so that a secret
    can be changed without a loss. A receiver that says 410 gets nothing more until a person
    switches it on again; its queue is kept.
    """
    pass_by("notify.after_claim")
    headers = _signed(claimed, secrets_of, timestamp_seconds=int(clock()))
    if headers is None:
        result = SendResult(error=SECRET_UNUSABLE)
    else:
        pass_by("notify.before_send")
        result = await sender.send(claimed.url, claimed.delivery.body, headers)
        pass_by("notify.after_send")
    outcome = await _record(claimed, result, store=store, chance=chance())
    pass_by("notify.after_record")
    return Notified(
        delivery_id=claimed.delivery.id,
        endpoint_id=claimed.delivery.endpoint_id,
        outcome=outcome,
        result=result,
    )


def _signed(
    claimed: ClaimedDelivery,
    secrets_of: Callable[[bytes], Sequence[str]],
    *,
    timestamp_seconds: int,
) -> dict[str, str] | None:
    try:
        return sign(
            claimed.delivery.body,
            secrets=secrets_of(claimed.secrets_sealed),
            message_id=claimed.delivery.webhook_id,
            timestamp_seconds=timestamp_seconds,
        )
    except Exception:
        # Whatever is wrong with a secret concerns its endpoint alone, and is shown there; the
        # error is not kept, as it could carry the secret.
        return None


async def _record(
    claimed: ClaimedDelivery, result: SendResult, *, store: Store, chance: float
) -> Outcome:
    if result.delivered:
        done = DeliveryResult(
            delivery_id=claimed.delivery.id,
            lease_token=claimed.lease_token,
            delivered=True,
            status=result.status,
        )
        recorded = await store.record_delivery(done)
        return Outcome.DELIVERED if recorded else Outcome.LEASE_LOST
    pause_seconds = next_try_seconds(
        claimed.delivery.attempts + 1,
        chance=chance,
        retry_after_seconds=result.retry_after_seconds,
    )

    def unit(transaction: Transaction) -> Outcome:
        return _record_failure(transaction, claimed, result, pause_seconds=pause_seconds)

    return await store.write(unit)


def _record_failure(
    transaction: Transaction,
    claimed: ClaimedDelivery,
    result: SendResult,
    *,
    pause_seconds: float | None,
) -> Outcome:
    """Write a failed try by the database's clock, and switch off an endpoint that is gone."""
    failed = DeliveryResult(
        delivery_id=claimed.delivery.id,
        lease_token=claimed.lease_token,
        delivered=False,
        status=result.status,
        error=result.error,
        retry_at=transaction.now + pause_seconds if pause_seconds is not None else None,
    )
    [recorded] = record_deliveries(transaction, [failed])
    if not recorded:
        return Outcome.LEASE_LOST
    if result.gone:
        disable_endpoint(transaction, claimed.delivery.endpoint_id)
        return Outcome.ENDPOINT_GONE
    return Outcome.RETRY if pause_seconds is not None else Outcome.GIVEN_UP
