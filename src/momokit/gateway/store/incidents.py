"""Incidents: what a person should look at, each once however often it is seen again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from momokit.gateway.store.database import Transaction
from momokit.gateway.store.tables import incidents


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """Something about a payment that a person should look at.

    `times` counts how often it was seen while it was open, `last_seen_at` when the last time was.
    """

    id: int
    payment_id: str
    at: float
    text: str
    closed_at: float | None
    times: int = 1
    last_seen_at: float | None = None


def raise_incidents(
    transaction: Transaction, seen: Iterable[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Put incidents before a person, as pairs of payment and text; give those that are new.

    One that is open already is counted, not raised anew. The payments' rows are locked by whoever
    calls, so that two cannot raise the same at once.
    """
    new: set[tuple[str, str]] = set()
    now, connection = transaction.now, transaction.connection
    for payment_id, text in seen:
        counted = connection.execute(
            update(incidents)
            .where(
                incidents.c.payment_id == payment_id,
                incidents.c.text == text,
                incidents.c.closed_at.is_(None),
            )
            .values(times=incidents.c.times + 1, last_seen_at=now)
        )
        if counted.rowcount == 0:
            new.add((payment_id, text))
            connection.execute(
                insert(incidents).values(
                    payment_id=payment_id, at=now, text=text, times=1, last_seen_at=now
                )
            )
    return new


def open_incidents(transaction: Transaction, *, limit: int = 100) -> list[Incident]:
    """List what nobody has looked at yet, oldest first."""
    query = (
        select(incidents)
        .where(incidents.c.closed_at.is_(None))
        .order_by(incidents.c.at, incidents.c.id)
        .limit(limit)
    )
    return [Incident(**row._mapping) for row in transaction.connection.execute(query)]


def close_incident(transaction: Transaction, incident_id: int) -> bool:
    """Note that a person has looked at it."""
    done = transaction.connection.execute(
        update(incidents)
        .where(incidents.c.id == incident_id, incidents.c.closed_at.is_(None))
        .values(closed_at=transaction.now)
    )
    return done.rowcount == 1
