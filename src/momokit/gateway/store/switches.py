"""Switches that stop money for everybody, and the history of whoever touched a guard.

`money` is the kill switch. `restore` holds a database that was restored from a copy: what was paid
since the copy was made is not in it, so nothing may be sent before MTN was asked what it knows.
Either way nothing is taken in and nothing is sent; what has left is still followed to its end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, exists, insert, or_, select, update

from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.guard_tables import guard_events, lanes, switches
from momokit.gateway.store.records import StoreError, from_json, to_json
from momokit.gateway.store.tables import accounts

COPY_BECAUSE = "This is a copy made by a backup: what was paid since is not in it."
COPY_BY = "backup"


class Name(StrEnum):
    """The switches there are."""

    MONEY = "money"
    RESTORE = "restore"


class Stopped(StoreError):
    """Money is stopped: nothing is taken in. `switch` says by what, and why."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(f"No money is taken or sent: {switch.because}")
        self.switch = switch


@dataclass(frozen=True, kw_only=True, slots=True)
class Switch:
    """One switch as it stands: since when, why and by whom it was last turned."""

    name: Name
    is_on: bool
    changed_at: float
    because: str
    by: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class GuardEvent:
    """One line of the guards' history."""

    id: int
    at: float
    what: str
    account_id: str | None
    because: str
    by: str
    details: Mapping[str, Any]


def find_switch(transaction: Transaction, name: Name) -> Switch | None:
    """Read a switch; None when it was never turned."""
    query = select(switches).where(switches.c.name == name.value)
    row = transaction.connection.execute(query).one_or_none()
    return _to_switch(row) if row is not None else None


def stopped_by(transaction: Transaction) -> Switch | None:
    """Tell what stops money at present, if anything; the hold before the kill switch."""
    query = select(switches).where(switches.c.is_on).order_by(switches.c.name.desc())
    row = transaction.connection.execute(query).first()
    return _to_switch(row) if row is not None else None


def is_guarded(transaction: Transaction) -> bool:
    """Tell whether a switch is on, a lane shut or an account paused: as a rule the only look."""
    return bool(transaction.connection.execute(_IS_GUARDED).scalar_one())


_IS_GUARDED = select(
    or_(
        exists(select(lanes)),
        exists().where(switches.c.is_on),
        exists().where(accounts.c.paused_reason.is_not(None)),
    )
)


def refuse_while_stopped(transaction: Transaction) -> None:
    """Raise Stopped when money is stopped."""
    switch = stopped_by(transaction)
    if switch is not None:
        raise Stopped(switch)


def turn(
    transaction: Transaction,
    name: Name,
    *,
    on: bool,
    because: str,
    by: str,
    details: Mapping[str, Any] | None = None,
) -> Switch:
    """Turn a switch and note who did. What is claimed from now on goes by it."""
    told = to_json(dict(details or {}))
    values = {
        "is_on": on, "changed_at": transaction.now, "because": because, "by": by, "details": told,
    }  # fmt: skip
    connection = transaction.connection
    connection.execute(insert_unless_there(connection, switches).values(name=name.value, **values))
    row = connection.execute(
        update(switches).where(switches.c.name == name.value).values(values).returning(switches)
    ).one()
    verb = "on" if on else "off"
    note(transaction, f"{name.value}_{verb}", because=because, by=by, details={"said": told})
    transaction.wake()
    return _to_switch(row)


def keep_details(
    transaction: Transaction, name: Name, details: Mapping[str, Any], *, instead_of: Any
) -> bool:
    """Write what a switch that is on carries with it; False when it says something else by now."""
    done = transaction.connection.execute(
        update(switches)
        .where(
            switches.c.name == name.value,
            switches.c.is_on,
            switches.c.details == to_json(dict(instead_of)),
        )
        .values(details=to_json(dict(details)))
    )
    return done.rowcount == 1


def note(
    transaction: Transaction,
    what: str,
    *,
    because: str,
    by: str,
    account_id: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write a line of the guards' history, which the database lets nobody change."""
    transaction.connection.execute(
        insert(guard_events).values(
            at=transaction.now, what=what, account_id=account_id, because=because, by=by,
            details=to_json(dict(details or {})),
        )
    )  # fmt: skip


def list_guard_events(
    transaction: Transaction, *, account_id: str | None = None, limit: int = 50
) -> list[GuardEvent]:
    """Read the guards' history, newest first."""
    query = select(guard_events).order_by(guard_events.c.id.desc()).limit(limit)
    if account_id is not None:
        query = query.where(guard_events.c.account_id == account_id)
    rows = transaction.connection.execute(query)
    return [GuardEvent(**dict(row._mapping) | {"details": from_json(row.details)}) for row in rows]


def mark_copy(copy: sqlite3.Connection, *, now: float) -> None:
    """Mark a copy of the database, so that a gateway started on it begins with money held."""
    copy.execute(
        "INSERT OR REPLACE INTO switches (name, is_on, changed_at, because, by, details)"
        " VALUES (?, 1, ?, ?, ?, ?)",
        (Name.RESTORE.value, now, COPY_BECAUSE, COPY_BY, to_json({"since": now})),
    )
    copy.commit()


def _to_switch(row: Row[Any]) -> Switch:
    plain = dict(row._mapping)
    return Switch(**plain | {"name": Name(row.name), "details": from_json(row.details)})
