"""Which webhooks a worker sends next: a fair share for each endpoint, few for one that fails."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select, update

from momokit.gateway.core.places import Room
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.deliveries import ClaimedDelivery, to_delivery
from momokit.gateway.store.sharing import share_out
from momokit.gateway.store.tables import deliveries, webhook_endpoints


def claim_deliveries(
    transaction: Transaction, *, limit: int, lease_seconds: float, room: Room | None = None
) -> list[ClaimedDelivery]:
    """Take webhooks that are due, the same share for each endpoint, so that none holds up others.

    `room` says how many places each endpoint may have. One that is switched off keeps its queue.
    """
    claimable = (
        deliveries.c.due_at <= transaction.now,
        or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= transaction.now),
    )
    endpoints = _waiting_endpoints(transaction, claimable)
    room = room or Room(each=limit)
    rows: list[Row[Any]] = []
    # Those that answer come first; those that failed last share what is set aside for them.
    for failed, most in ((False, limit), (True, room.for_failed)):
        owners = [one for one in endpoints if (one in room.failed) is failed]
        base = select(deliveries).where(*claimable).order_by(deliveries.c.due_at, deliveries.c.id)
        rows += share_out(
            transaction, base, owner=deliveries.c.endpoint_id, key=deliveries.c.id,
            owners=owners, limit=min(most, limit - len(rows)), most=room.of,
        )  # fmt: skip
    if rows:
        transaction.connection.execute(
            update(deliveries)
            .where(deliveries.c.id.in_([row.id for row in rows]))
            .values(
                lease_until=transaction.now + lease_seconds,
                lease_token=deliveries.c.lease_token + 1,
            )
        )
    return [
        ClaimedDelivery(
            delivery=to_delivery(row, transaction.veil),
            url=endpoints[row.endpoint_id].url,
            secrets_sealed=bytes(endpoints[row.endpoint_id].secrets_sealed),
            lease_token=row.lease_token + 1,
        )
        for row in rows
    ]


def _waiting_endpoints(
    transaction: Transaction, claimable: tuple[ColumnElement[bool], ...]
) -> dict[str, Row[Any]]:
    """Find the endpoints that have something due, whoever waits longest first."""
    oldest = (
        select(deliveries.c.due_at)
        .where(deliveries.c.endpoint_id == webhook_endpoints.c.id, *claimable)
        .order_by(deliveries.c.due_at)
        .limit(1)
        .scalar_subquery()
    )
    query = select(webhook_endpoints, oldest.label("oldest")).where(
        webhook_endpoints.c.disabled_at.is_(None)
    )
    rows = [row for row in transaction.connection.execute(query) if row.oldest is not None]
    return {row.id: row for row in sorted(rows, key=lambda row: row.oldest)}
