"""Batches as the database keeps them: made, found, listed, and moved on under one lock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Row, and_, case, func, insert, or_, select, update

from momokit.gateway.core.batch import Action, BatchPolicy, BatchState, is_legal, refusal
from momokit.gateway.store.batch_history import Actor, add_batch_event
from momokit.gateway.store.batch_tables import batch_policies, batches
from momokit.gateway.store.cursors import before, cursor_of
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.records import NoSuchRow, StoreError, from_json, to_json

PAGE_LIMIT = 200


class WrongState(StoreError):
    """A batch is not where it would have to be for this."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a file besides its rows: its columns, and what was found in it as a whole.

    `columns` are (index, title, role) of each.
    """

    columns: list[tuple[int, str, str]]
    findings: list[dict[str, Any]] = msgspec.field(default_factory=list)
    notes: list[tuple[str, str]] = msgspec.field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewBatch:
    """A batch to make. Its rows follow, and `loaded` once they are all there."""

    id: str
    account_id: str
    maker: str
    api_key_id: str | None
    label: str
    currency: str
    exponent: int
    file_name: str
    check_holders: bool
    rows_per_second: float
    in_flight_cap: int
    period: str | None = None
    parent_id: str | None = None
    file_digest: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """A batch as it stands. Amounts ending in `_minor` are in the currency's smallest unit."""

    id: str
    account_id: str
    parent_id: str | None
    api_key_id: str | None
    maker: str
    label: str
    period: str | None
    currency: str
    exponent: int
    file_name: str
    file_digest: str | None
    content_digest: str | None
    layout: Layout = field(repr=False)
    state: BatchState
    rows_hash: str | None
    approvals_needed: int
    wanted_overrides: tuple[str, ...]
    loaded: bool
    check_holders: bool
    row_count: int
    included_count: int
    amount_minor: int
    rows_per_second: float
    in_flight_cap: int
    prepared_through: int
    paused_reason: str | None
    balance_minor: int | None
    balance_at: float | None
    spendable_minor: int | None
    released_at: float | None
    resumed_at: float | None
    due_at: float | None
    lease_until: float | None
    lease_token: int
    created_at: float
    updated_at: float
    submitted_at: float | None
    approved_at: float | None
    started_at: float | None
    ended_at: float | None

    @property
    def amount(self) -> Decimal:
        """What all rows that are to be paid come to, in the currency's main unit."""
        return self.money(self.amount_minor)

    def money(self, minor: int) -> Decimal:
        """Give an amount of the batch's currency in its main unit."""
        return Decimal(minor).scaleb(-self.exponent)


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchPage:
    """Some batches, newest first, and where the next page begins."""

    items: list[Batch]
    next_cursor: str | None


def to_minor(amount: Decimal, exponent: int) -> int:
    """Give an amount in the smallest unit. Raises ValueError when it has a finer part."""
    minor = amount.scaleb(exponent)
    if minor != minor.to_integral_value():
        raise ValueError("The amount has more decimals than its currency.")
    return int(minor)


def create_batch(transaction: Transaction, new: NewBatch, *, actor: Actor) -> Batch:
    """Make a batch without rows."""
    values = {name: getattr(new, name) for name in new.__slots__}
    transaction.connection.execute(
        insert(batches).values(
            **values,
            layout=_seal_layout(transaction, new.id, Layout(columns=[])),
            state=BatchState.DRAFT.value,
            created_at=transaction.now,
            updated_at=transaction.now,
        )
    )
    details = {"file_name": new.file_name, "account_id": new.account_id, "parent": new.parent_id}
    add_batch_event(transaction, new.id, event="created", actor=actor, details=details)
    return lock_batch(transaction, new.id)


def find_batch(transaction: Transaction, batch_id: str) -> Batch | None:
    """Find a batch by its id."""
    row = transaction.connection.execute(
        select(batches).where(batches.c.id == batch_id)
    ).one_or_none()
    return _to_batch(transaction, row) if row is not None else None


def lock_batch(transaction: Transaction, batch_id: str) -> Batch:
    """Find a batch, and let nobody else change it before this transaction ends."""
    row = transaction.connection.execute(
        select(batches).where(batches.c.id == batch_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NoSuchRow(f"There is no batch {batch_id}.")
    return _to_batch(transaction, row)


def lock_for(transaction: Transaction, batch_id: str, action: Action, actor: Actor) -> Batch:
    """Lock a batch for what somebody wants of it. Raises BatchRefused when that may not be."""
    batch = lock_batch(transaction, batch_id)
    refused = refusal(action, state=batch.state, maker=batch.maker, person=actor.person)
    if refused is not None:
        raise refused
    return batch


def list_batches(
    transaction: Transaction,
    *,
    account_id: str | None = None,
    states: Collection[BatchState] = (),
    maker: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> BatchPage:
    """List batches, newest first. Raises ValueError for a cursor that is not one of ours."""
    query = select(batches).order_by(batches.c.created_at.desc(), batches.c.id.desc())
    if account_id is not None:
        query = query.where(batches.c.account_id == account_id)
    if maker is not None:
        query = query.where(batches.c.maker == maker)
    if states:
        query = query.where(batches.c.state.in_([state.value for state in states]))
    if cursor is not None:
        query = query.where(before(batches.c.created_at, batches.c.id, cursor))
    wanted = min(limit, PAGE_LIMIT)
    rows = transaction.connection.execute(query.limit(wanted + 1)).all()
    items = [_to_batch(transaction, row) for row in rows[:wanted]]
    more = len(rows) > wanted
    return BatchPage(
        items=items,
        next_cursor=cursor_of(items[-1].created_at, items[-1].id) if more else None,
    )


def find_twin_file(transaction: Transaction, batch: Batch, *, content_digest: str) -> Batch | None:
    """Find the newest other batch with the same payments, unless it was turned down or dropped."""
    dropped = and_(batches.c.state == BatchState.CANCELLED.value, batches.c.approved_at.is_(None))
    row = transaction.connection.execute(
        select(batches)
        .where(
            batches.c.content_digest == content_digest,
            batches.c.account_id == batch.account_id,
            batches.c.id != batch.id,
            batches.c.state != BatchState.REJECTED.value,
            ~dropped,
        )
        .order_by(batches.c.created_at.desc())
        .limit(1)
    ).one_or_none()
    return _to_batch(transaction, row) if row is not None else None


def change_batch(
    transaction: Transaction,
    batch: Batch,
    *,
    event: str | None,
    actor: Actor | None = None,
    to: BatchState | None = None,
    details: Mapping[str, Any] | None = None,
    **values: Any,
) -> Batch:
    """Change a batch that is locked, and write down who did what. Raises WrongState.

    Without an `event` the change is work of the gateway's own that is not worth a line.
    """
    if to is not None and to is not batch.state:
        if not is_legal(batch.state, to):
            raise WrongState(f"{batch.id} cannot go from {batch.state} to {to}.")
        values["state"] = to.value
    if "layout" in values:
        values["layout"] = _seal_layout(transaction, batch.id, values["layout"])
    if "wanted_overrides" in values:
        values["wanted_overrides"] = to_json(list(values["wanted_overrides"]))
    transaction.connection.execute(
        update(batches).where(batches.c.id == batch.id).values(updated_at=transaction.now, **values)
    )
    if event is not None:
        told = dict(details or {}) | ({"state": to.value} if to is not None else {})
        add_batch_event(transaction, batch.id, event=event, actor=actor, details=told)
    transaction.wake()
    return lock_batch(transaction, batch.id)


def claim_batch(
    transaction: Transaction, *, lease_seconds: float, states: Collection[BatchState]
) -> Batch | None:
    """Take the oldest batch that is due in one of these states; it is ours until the lease ends."""
    free = or_(batches.c.lease_until.is_(None), batches.c.lease_until <= transaction.now)
    row = transaction.connection.execute(
        select(batches)
        .where(
            batches.c.due_at.is_not(None),
            batches.c.due_at <= transaction.now,
            batches.c.state.in_([state.value for state in states]),
            free,
        )
        .order_by(batches.c.created_at, batches.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    transaction.connection.execute(
        update(batches)
        .where(batches.c.id == row.id)
        .values(lease_until=transaction.now + lease_seconds, lease_token=row.lease_token + 1)
    )
    return lock_batch(transaction, row.id)


def held_batch(transaction: Transaction, claimed: Batch) -> Batch | None:
    """Lock a batch that was claimed; None when the lease was lost meanwhile."""
    batch = lock_batch(transaction, claimed.id)
    if batch.lease_token != claimed.lease_token or batch.lease_until is None:
        return None
    return batch


def let_go(transaction: Transaction, claimed: Batch, *, due_at: float | None) -> None:
    """Give a claimed batch back, to be looked at again at a time, or when something happens.

    What happened meanwhile (a pause, a resumption) has set another time; that one holds.
    """
    if held_batch(transaction, claimed) is None:
        return
    values: dict[str, Any] = {"lease_until": None, "due_at": due_at}
    now = lock_batch(transaction, claimed.id)
    if now.state is not claimed.state or now.due_at != claimed.due_at:
        values.pop("due_at")
    transaction.connection.execute(
        update(batches).where(batches.c.id == claimed.id).values(**values)
    )


def next_batch_due(transaction: Transaction, *, states: Collection[BatchState]) -> float | None:
    """Give the time at which the next batch in one of these states is to be looked at, by whoever
    is free then: one that a worker holds comes back when its lease ends."""
    held = batches.c.lease_until > batches.c.due_at
    at = case((held, batches.c.lease_until), else_=batches.c.due_at)
    return transaction.connection.execute(
        select(func.min(at)).where(
            batches.c.due_at.is_not(None),
            batches.c.state.in_([state.value for state in states]),
        )
    ).scalar_one_or_none()


def read_policy(transaction: Transaction, account_id: str) -> BatchPolicy:
    """Read what an account allows its batches; the defaults where nothing was set."""
    stored = transaction.connection.execute(
        select(batch_policies.c.policy).where(batch_policies.c.account_id == account_id)
    ).scalar_one_or_none()
    if stored is None:
        return BatchPolicy()
    return msgspec.convert(from_json(stored), BatchPolicy, strict=False)


def set_policy(
    transaction: Transaction, account_id: str, policy: BatchPolicy, *, by: str
) -> BatchPolicy:
    """Set what an account allows its batches from now on, and keep who did."""
    values = {"policy": to_json(policy), "changed_at": transaction.now, "changed_by": by}
    statement = insert_unless_there(transaction.connection, batch_policies)
    transaction.connection.execute(statement.values(account_id=account_id, **values))
    transaction.connection.execute(
        update(batch_policies).where(batch_policies.c.account_id == account_id).values(**values)
    )
    return policy


def _seal_layout(transaction: Transaction, batch_id: str, layout: Layout) -> bytes:
    return transaction.veil.seal(msgspec.json.encode(layout), place=f"batches {batch_id}")


def _to_batch(transaction: Transaction, row: Row[Any]) -> Batch:
    plain = dict(row._mapping)
    opened = transaction.veil.open(bytes(row.layout), place=f"batches {row.id}")
    plain["layout"] = msgspec.json.decode(opened, type=Layout)
    plain["state"] = BatchState(row.state)
    plain["wanted_overrides"] = tuple(from_json(row.wanted_overrides))
    return Batch(**plain)
