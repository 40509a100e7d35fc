"""Who did what to a batch: its history, each line sealed onto the one before, and approvals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.exc import IntegrityError

from momokit.gateway.store.batch_tables import batch_approvals, batch_events
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.records import NotUnique, from_json, to_json

APPROVE, OVERRIDE = "approve", "override"


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who acts: the person, and the API key they used."""

    person: str
    api_key_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchEvent:
    """One line of a batch's history. No actor: the gateway itself."""

    batch_id: str
    sequence: int
    at: float
    event: str
    actor: str | None
    api_key_id: str | None
    details: dict[str, Any]
    before_hash: str
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """A second person's word on a batch. It counts while `bound_hash` is there."""

    checker: str
    what: str
    codes: tuple[str, ...]
    because: str | None
    at: float
    hash: str
    bound_hash: str | None

    @property
    def counts(self) -> bool:
        """Tell whether it is about the rows as they are."""
        return self.bound_hash is not None


def add_batch_event(
    transaction: Transaction,
    batch_id: str,
    *,
    event: str,
    actor: Actor | None,
    details: Mapping[str, Any],
) -> None:
    """Add a line to a batch's history; whoever calls holds the batch's lock."""
    last = transaction.connection.execute(
        select(batch_events.c.sequence, batch_events.c.hash)
        .where(batch_events.c.batch_id == batch_id)
        .order_by(batch_events.c.sequence.desc())
        .limit(1)
    ).one_or_none()
    line = {
        "batch_id": batch_id,
        "sequence": last.sequence + 1 if last is not None else 1,
        "at": transaction.now,
        "event": event,
        "actor": actor.person if actor is not None else None,
        "api_key_id": actor.api_key_id if actor is not None else None,
        "details": to_json(dict(details)),
        "before_hash": last.hash if last is not None else "",
    }
    transaction.connection.execute(
        insert(batch_events).values(**line, hash=_digest(transaction, line))
    )


def list_batch_events(transaction: Transaction, batch_id: str) -> list[BatchEvent]:
    """Read a batch's history, oldest first."""
    rows = transaction.connection.execute(
        select(batch_events)
        .where(batch_events.c.batch_id == batch_id)
        .order_by(batch_events.c.sequence)
    )
    return [
        BatchEvent(
            **{name: getattr(row, name) for name in BatchEvent.__slots__ if name != "details"},
            details=from_json(row.details),
        )
        for row in rows
    ]


def broken_line(transaction: Transaction, batch_id: str) -> int | None:
    """Find the first line of a history that was changed or taken out; None when it is whole."""
    rows = transaction.connection.execute(
        select(batch_events)
        .where(batch_events.c.batch_id == batch_id)
        .order_by(batch_events.c.sequence)
    ).all()
    before = ""
    for number, row in enumerate(rows, start=1):
        line = {name: row._mapping[name] for name in _CHAINED}
        fits = row.sequence == number and row.before_hash == before
        if not fits or row.hash != _digest(transaction, line):
            return number
        before = row.hash
    return None


def broken_histories(transaction: Transaction) -> tuple[int, dict[str, int]]:
    """Go through the histories of all batches; tell how many there are, and where those that were
    tampered with no longer fit."""
    ids = transaction.connection.execute(
        select(batch_events.c.batch_id).distinct().order_by(batch_events.c.batch_id)
    )
    found = {one: broken_line(transaction, one) for one in ids.scalars().all()}
    return len(found), {one: line for one, line in found.items() if line is not None}


def add_approval(
    transaction: Transaction,
    *,
    batch_id: str,
    maker: str,
    rows_hash: str,
    actor: Actor,
    what: str,
    codes: Sequence[str] = (),
    because: str | None = None,
) -> None:
    """Write down a second person's word, bound to the rows as they are.

    Raises NotUnique when they gave it already, or made the batch themselves: it is the database
    that refuses.
    """
    try:
        transaction.connection.execute(
            insert(batch_approvals).values(
                batch_id=batch_id,
                maker=maker,
                checker=actor.person,
                api_key_id=actor.api_key_id,
                what=what,
                codes=to_json(sorted(codes)),
                because=because,
                hash=rows_hash,
                bound_batch_id=batch_id,
                bound_hash=rows_hash,
                at=transaction.now,
            )
        )
    except IntegrityError as error:
        raise NotUnique("That person has given their word already, or may not give it.") from error


def list_approvals(transaction: Transaction, batch_id: str) -> list[Approval]:
    """Read all that second persons said of a batch, oldest first."""
    rows = transaction.connection.execute(
        select(batch_approvals)
        .where(batch_approvals.c.batch_id == batch_id)
        .order_by(batch_approvals.c.id)
    )
    return [_to_approval(row) for row in rows]


_CHAINED = (
    "batch_id", "sequence", "at", "event", "actor", "api_key_id", "details", "before_hash",
)  # fmt: skip


def _digest(transaction: Transaction, line: Mapping[str, Any]) -> str:
    # With the look-up key: whoever changes a line in the database cannot make the chain fit again.
    return transaction.veil.digest("batch event", to_json([line[name] for name in _CHAINED]))


def _to_approval(row: Row[Any]) -> Approval:
    plain = {name: getattr(row, name) for name in Approval.__slots__ if name != "codes"}
    return Approval(**plain, codes=tuple(from_json(row.codes)))
