"""The queue of discrepancies: raised once each, owned, noted, and closed by two people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, select, update

from momokit.gateway.core.discrepancy import RESOLUTIONS, Finding, Kind, Stand, next_stand
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.records import NoSuchRow, StoreError, from_json, to_json
from momokit.gateway.store.statement_tables import IS_OPEN, discrepancies, discrepancy_events

PAGE_LIMIT = 200
SYSTEM = "momokit"
OPEN_STANDS = (Stand.OPEN.value, Stand.PROPOSED.value)
_class: ColumnElement[str] = discrepancies.c["class"]


class NotAllowed(StoreError):
    """A step that the queue does not allow now, or not to this person. `code` says which rule."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True, slots=True)
class Discrepancy:
    """One thing that does not agree, and what people did about it."""

    id: int
    account_id: str
    product: str
    kind: Kind
    subject: str
    payment_id: str | None
    line_id: int | None
    statement_id: str | None
    day: str | None
    amount: str | None
    currency: str | None
    details: Mapping[str, Any] = field(repr=False)
    fingerprint: str
    state: Stand
    owner: str | None
    note: str | None = field(repr=False)
    found_at: float
    seen_at: float
    resolution: str | None
    resolution_note: str | None = field(repr=False)
    proposed_by: str | None
    proposed_at: float | None
    closed_by: str | None
    closed_at: float | None
    reopened: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DiscrepancyEvent:
    """One step in the story of a discrepancy."""

    at: float
    event: str
    actor: str
    note: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which discrepancies are wanted; what is None does not matter."""

    account_ids: Collection[str] | None = None
    kinds: Collection[Kind] | None = None
    states: Collection[Stand] | None = None
    owner: str | None = None
    statement_id: str | None = None
    payment_id: str | None = None


def raise_findings(
    transaction: Transaction,
    findings: Sequence[Finding],
    *,
    account_id: str,
    product: str,
    statement_id: str | None = None,
    line_ids: Mapping[str, int] | None = None,
) -> int:
    """Put findings into the queue, each once however often it is found; tell how many are new.

    What was closed stays closed as long as its facts are the same; what was gone is opened again.
    """
    by_key = {(one.kind.value, one.subject): one for one in findings}
    if not by_key:
        return 0
    known = _known(transaction, account_id, by_key)
    fresh = [one for key, one in by_key.items() if key not in known]
    if fresh:
        rows = [
            _row(one, transaction.now) | {
                "account_id": account_id, "product": product, "statement_id": statement_id,
                "line_id": (line_ids or {}).get(one.identity or ""),
            }
            for one in fresh
        ]  # fmt: skip
        made = transaction.connection.execute(
            insert(discrepancies).returning(discrepancies.c.id), rows
        ).scalars()
        _tell(transaction, [(row_id, "found", SYSTEM, None) for row_id in made])
    for key, row in known.items():
        _see_again(transaction, row, by_key[key])
    return len(fresh)


def let_go(transaction: Transaction, ids: Iterable[int]) -> int:
    """Note that discrepancies are found no more; what people had decided is not touched."""
    wanted = list(ids)
    if not wanted:
        return 0
    done = (
        transaction.connection.execute(
            update(discrepancies)
            .where(discrepancies.c.id.in_(wanted), IS_OPEN)
            .values(
                state=Stand.GONE.value, proposed_by=None, proposed_at=None,
                resolution=None, resolution_note=None,
            )
            .returning(discrepancies.c.id)
        )
        .scalars()
        .all()
    )  # fmt: skip
    _tell(transaction, [(row_id, "gone", SYSTEM, None) for row_id in done])
    return len(done)


def let_go_of(
    transaction: Transaction, account_id: str, kind: Kind, subjects: Sequence[str]
) -> int:
    """Note of what these subjects name that it is found no more."""
    if not subjects:
        return 0
    query = select(discrepancies.c.id).where(
        discrepancies.c.account_id == account_id,
        _class == kind.value,
        discrepancies.c.subject.in_(subjects),
    )
    return let_go(transaction, list(transaction.connection.execute(query).scalars()))


def find_discrepancy(transaction: Transaction, discrepancy_id: int) -> Discrepancy | None:
    """Find one by its number."""
    row = transaction.connection.execute(
        select(discrepancies).where(discrepancies.c.id == discrepancy_id)
    ).one_or_none()
    return to_discrepancy(row) if row is not None else None


def list_discrepancies(
    transaction: Transaction, wanted: Wanted, *, after_id: int = 0, limit: int = 50
) -> list[Discrepancy]:
    """List discrepancies, the oldest first."""
    query = select(discrepancies).where(discrepancies.c.id > after_id)
    if wanted.account_ids is not None:
        query = query.where(discrepancies.c.account_id.in_(list(wanted.account_ids)))
    if wanted.kinds is not None:
        query = query.where(_class.in_([one.value for one in wanted.kinds]))
    if wanted.states is not None:
        query = query.where(discrepancies.c.state.in_([one.value for one in wanted.states]))
    for column, value in (
        (discrepancies.c.owner, wanted.owner),
        (discrepancies.c.statement_id, wanted.statement_id),
        (discrepancies.c.payment_id, wanted.payment_id),
    ):
        if value is not None:
            query = query.where(column == value)
    rows = transaction.connection.execute(query.order_by(discrepancies.c.id).limit(limit))
    return [to_discrepancy(row) for row in rows]


def story(transaction: Transaction, discrepancy_id: int) -> list[DiscrepancyEvent]:
    """Tell who did what about a discrepancy, oldest first."""
    query = (
        select(discrepancy_events)
        .where(discrepancy_events.c.discrepancy_id == discrepancy_id)
        .order_by(discrepancy_events.c.id)
    )
    return [
        DiscrepancyEvent(at=row.at, event=row.event, actor=row.actor, note=row.note)
        for row in transaction.connection.execute(query)
    ]


def assign(
    transaction: Transaction,
    discrepancy_id: int,
    *,
    actor: str,
    owner: str | None = None,
    note: str | None = None,
) -> Discrepancy:
    """Give a discrepancy an owner, or a note, or both. Raises NoSuchRow."""
    changes = {
        name: value for name, value in (("owner", owner), ("note", note)) if value is not None
    }
    row = _locked(transaction, discrepancy_id)
    _change(transaction, row.id, changes)
    said = f"owner {owner}" if owner is not None else None
    _tell(
        transaction, [(row.id, "assigned" if owner is not None else "noted", actor, note or said)]
    )
    return _found(transaction, row.id)


def propose(
    transaction: Transaction,
    discrepancy_id: int,
    *,
    actor: str,
    resolution: str,
    note: str | None,
) -> Discrepancy:
    """Propose how a discrepancy ends; another person closes it. Raises NoSuchRow, NotAllowed."""
    if resolution not in RESOLUTIONS:
        raise NotAllowed(f"Known resolutions: {', '.join(RESOLUTIONS)}.", code="resolution")
    row = _locked(transaction, discrepancy_id)
    if row.state not in OPEN_STANDS:
        raise NotAllowed(f"It is {row.state}; there is nothing to propose.", code="state")
    values = {
        "state": Stand.PROPOSED.value, "resolution": resolution, "resolution_note": note,
        "proposed_by": actor, "proposed_at": transaction.now,
    }  # fmt: skip
    _change(transaction, row.id, values)
    _tell(transaction, [(row.id, f"proposed {resolution}", actor, note)])
    return _found(transaction, row.id)


def close(
    transaction: Transaction,
    discrepancy_id: int,
    *,
    actor: str,
    fingerprint: str | None = None,
) -> Discrepancy:
    """Close what another person proposed to close. Raises NoSuchRow, NotAllowed.

    `fingerprint` is of what the person saw: facts that changed since are looked at first.
    """
    row = _locked(transaction, discrepancy_id)
    if row.state != Stand.PROPOSED.value:
        raise NotAllowed("Nobody has proposed how it ends.", code="state")
    if row.proposed_by == actor:
        raise NotAllowed("Whoever proposed it cannot close it.", code="four_eyes")
    if fingerprint is not None and fingerprint != row.fingerprint:
        raise NotAllowed("Its facts have changed since; read it again.", code="changed")
    values = {
        "state": Stand.CLOSED.value, "closed_by": actor, "closed_at": transaction.now,
    }  # fmt: skip
    _change(transaction, row.id, values)
    _tell(transaction, [(row.id, "closed", actor, None)])
    return _found(transaction, row.id)


def reopen(
    transaction: Transaction, discrepancy_id: int, *, actor: str, note: str | None
) -> Discrepancy:
    """Turn a proposal down, or open again what was closed. Raises NoSuchRow, NotAllowed."""
    row = _locked(transaction, discrepancy_id)
    if row.state not in (Stand.PROPOSED.value, Stand.CLOSED.value):
        raise NotAllowed(f"It is {row.state} already.", code="state")
    was_closed = row.state == Stand.CLOSED.value
    _change(transaction, row.id, _opened() | {"reopened": row.reopened + int(was_closed)})
    _tell(transaction, [(row.id, "reopened" if was_closed else "turned down", actor, note)])
    return _found(transaction, row.id)


def count_open(transaction: Transaction) -> dict[Kind, int]:
    """Count what is not closed, by class, for the metrics and the overview."""
    query = select(_class, func.count()).where(IS_OPEN).group_by(_class)
    counted = {Kind(kind): count for kind, count in transaction.connection.execute(query)}
    return {kind: counted.get(kind, 0) for kind in Kind}


def to_discrepancy(row: Row[Any]) -> Discrepancy:
    """Take a discrepancy out of its row."""
    plain = dict(row._mapping)
    kind = Kind(plain.pop("class"))
    return Discrepancy(
        **plain | {"kind": kind, "state": Stand(row.state), "details": from_json(row.details)}
    )


def _known(
    transaction: Transaction, account_id: str, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Row[Any]]:
    query = select(discrepancies).where(
        discrepancies.c.account_id == account_id,
        discrepancies.c.subject.in_({subject for _, subject in keys}),
    )
    rows = transaction.connection.execute(query)
    return {key: row for row in rows if (key := (row._mapping["class"], row.subject)) in keys}


def _row(one: Finding, now: float) -> dict[str, Any]:
    return {
        "class": one.kind.value,
        "subject": one.subject,
        "payment_id": one.payment_id,
        "day": one.day,
        "amount": one.amount,
        "currency": one.currency,
        "details": to_json(dict(one.details)),
        "fingerprint": one.fingerprint,
        "state": Stand.OPEN.value,
        "found_at": now,
        "seen_at": now,
    }


def _see_again(transaction: Transaction, row: Row[Any], finding: Finding) -> None:
    same = row.fingerprint == finding.fingerprint
    stand = next_stand(Stand(row.state), same_facts=same)
    values: dict[str, Any] = {"seen_at": transaction.now}
    if not same:
        values |= {
            "details": to_json(dict(finding.details)), "fingerprint": finding.fingerprint,
            "amount": finding.amount, "currency": finding.currency,
        }  # fmt: skip
    if stand.value != row.state:
        values |= _opened() | {"reopened": row.reopened + 1}
        _tell(transaction, [(row.id, "came back", SYSTEM, None)])
    _change(transaction, row.id, values)


def _opened() -> dict[str, Any]:
    empty = ("resolution", "resolution_note", "proposed_by", "proposed_at", "closed_by")
    return {"state": Stand.OPEN.value, "closed_at": None, **dict.fromkeys(empty)}


def _locked(transaction: Transaction, discrepancy_id: int) -> Row[Any]:
    row = transaction.connection.execute(
        select(discrepancies).where(discrepancies.c.id == discrepancy_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NoSuchRow(f"There is no discrepancy {discrepancy_id}.")
    return row


def _change(transaction: Transaction, row_id: int, values: Mapping[str, Any]) -> None:
    if values:
        transaction.connection.execute(
            update(discrepancies).where(discrepancies.c.id == row_id).values(**values)
        )


def _found(transaction: Transaction, row_id: int) -> Discrepancy:
    found = find_discrepancy(transaction, row_id)
    assert found is not None
    return found


def _tell(transaction: Transaction, events: Sequence[tuple[int, str, str, str | None]]) -> None:
    if events:
        transaction.connection.execute(
            insert(discrepancy_events),
            [
                {
                    "discrepancy_id": row_id, "at": transaction.now, "event": event,
                    "actor": actor, "note": note,
                }
                for row_id, event, actor, note in events
            ],
        )  # fmt: skip
