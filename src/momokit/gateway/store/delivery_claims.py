"""Which webhooks a worker sends next: a fair share for each endpoint, few for one that fails."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double, Row, bindparam, or_, select, update

from momokit.gateway.core.places import Room
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.deliveries import ClaimedDelivery, to_delivery
from momokit.gateway.store.sharing import share_out, shared
from momokit.gateway.store.tables import deliveries, webhook_endpoints


def claim_deliveries(
    transaction: Transaction, *, limit: int, lease_seconds: float, room: Room | None = None
) -> list[ClaimedDelivery]:
    """Take webhooks that are due, the same share for each endpoint, so that none holds up others.

    `room` says how many places each endpoint may have. One that is switched off keeps its queue.
    """
    endpoints = _waiting_endpoints(transaction)
    room = room or Room(each=limit)
    rows: list[Row[Any]] = []
    # Those that answer come first; those that failed last share what is set aside for them.
    for failed, most in ((False, limit), (True, room.for_failed)):
        owners = [one for one in endpoints if (one in room.failed) is failed]
        rows += share_out(
            transaction, _SHARED, owners=owners, limit=min(most, limit - len(rows)),
            most=room.of, values={"now": transaction.now},
        )  # fmt: skip
    if rows:
        until = transaction.now + lease_seconds
        transaction.connection.execute(_HOLD, {"these": [row.id for row in rows], "until": until})
    return [
        ClaimedDelivery(
            delivery=to_delivery(row, transaction.veil),
            url=endpoints[row.endpoint_id].url,
            secrets_sealed=bytes(endpoints[row.endpoint_id].secrets_sealed),
            lease_token=row.lease_token + 1,
        )
        for row in rows
    ]


def _waiting_endpoints(transaction: Transaction) -> dict[str, Row[Any]]:
    """Find the endpoints that have something due, whoever waits longest first."""
    found = transaction.connection.execute(_WAITING, {"now": transaction.now})
    rows = [row for row in found if row.oldest is not None]
    return {row.id: row for row in sorted(rows, key=lambda row: row.oldest)}


_NOW = bindparam("now", type_=Double)
_CLAIMABLE = (
    deliveries.c.due_at <= _NOW,
    or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= _NOW),
)
_SHARED = shared(
    select(deliveries).where(*_CLAIMABLE).order_by(deliveries.c.due_at, deliveries.c.id),
    owner=deliveries.c.endpoint_id,
    key=deliveries.c.id,
)
_OLDEST = (
    select(deliveries.c.due_at)
    .where(deliveries.c.endpoint_id == webhook_endpoints.c.id, *_CLAIMABLE)
    .order_by(deliveries.c.due_at)
    .limit(1)
    .scalar_subquery()
)
_WAITING = select(webhook_endpoints, _OLDEST.label("oldest")).where(
    webhook_endpoints.c.disabled_at.is_(None)
)
_HOLD = (
    update(deliveries)
    .where(deliveries.c.id.in_(bindparam("these", expanding=True)))
    .values(lease_until=bindparam("until", type_=Double), lease_token=deliveries.c.lease_token + 1)
)
