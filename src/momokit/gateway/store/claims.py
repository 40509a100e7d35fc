"""Claims: which worker works at which payment, until when, and how often MTN may be asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, or_, select, update

from momokit.gateway.core.payment import Work
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.lanes import (
    Lane,
    inside,
    outside,
    probing_lanes,
    shut_lanes,
    take_probe,
)
from momokit.gateway.store.personal import open_personal
from momokit.gateway.store.records import Claimed, to_payment, to_request
from momokit.gateway.store.sharing import share_out
from momokit.gateway.store.switches import is_guarded, stopped_by
from momokit.gateway.store.tables import accounts, payments, status_budget
from momokit.gateway.store.urgency import (
    lane_lets_work,
    most_urgent,
    needing_no_send,
)

BUDGET_KEPT_SECONDS = 60


def claim_payments(
    transaction: Transaction,
    *,
    work: Work,
    limit: int,
    lease_seconds: float,
    account_ids: Collection[str] | None = None,
) -> list[Claimed]:
    """Take payments that are due, the most urgent first and the same share for each account.

    A claim to submit is at the same time the note that a send may be on its way.
    """
    due = (
        payments.c.work == work.value,
        payments.c.due_at <= transaction.now,
        _is_free(transaction.now),
    )
    sending, guarded = work is Work.SUBMIT, is_guarded(transaction)
    shut = shut_lanes(transaction) if guarded else []
    stopped = stopped_by(transaction) if guarded and sending else None
    lease_until = transaction.now + lease_seconds
    rows: list[Row[Any]] = []
    probes: list[tuple[Row[Any], Lane]] = []
    if stopped is None:
        claimable = (*due, *outside(shut, work=work))
        rows += _by_turns(transaction, claimable, work=work, limit=limit, account_ids=account_ids)
    if shut and stopped is None and len(rows) < limit:
        probes = _probes(transaction, shut, work=work, beside=rows, until=lease_until)
        rows += [row for row, _ in probes]
    if guarded and sending and len(rows) < limit:
        silent = {one.key.account_id for one in shut if one.key.work is work}
        rows += needing_no_send(
            transaction, due, closed_too=silent, stopped=stopped, beside=rows,
            limit=limit - len(rows),
        )  # fmt: skip
    if rows:
        note = {"sending": True} if work is Work.SUBMIT else _asking(transaction.now)
        transaction.connection.execute(
            update(payments)
            .where(payments.c.id.in_([row.id for row in rows]))
            .values(lease_until=lease_until, lease_token=payments.c.lease_token + 1, **note)
        )
    tried = {row.id: lane.breaker.opened_at for row, lane in probes}
    return [
        _claimed(
            transaction, row, work=work, lease_until=lease_until, lane_opened_at=tried.get(row.id)
        )
        for row in rows
    ]


def _by_turns(
    transaction: Transaction,
    claimable: Sequence[ColumnElement[bool]],
    *,
    work: Work,
    limit: int,
    account_ids: Collection[str] | None,
) -> list[Row[Any]]:
    """Take the same share for each account that works."""

    def owners_of(wanted: Sequence[ColumnElement[bool]]) -> list[str]:
        return _owners(transaction, work=work, claimable=wanted, account_ids=account_ids)

    if work is Work.SETTLE:
        return most_urgent(transaction, claimable, owners_of=owners_of, limit=limit)
    owners = owners_of(claimable)
    base = select(payments).where(*claimable).order_by(payments.c.due_at)
    return share_out(
        transaction, base, owner=payments.c.account_id, key=payments.c.id,
        owners=owners, limit=limit,
    )  # fmt: skip


def _probes(
    transaction: Transaction,
    shut: Sequence[Lane],
    *,
    work: Work,
    beside: Sequence[Row[Any]],
    until: float,
) -> list[tuple[Row[Any], Lane]]:
    """Take the one payment that may try each lane that is shut, where it is time for that."""
    taken: list[tuple[Row[Any], Lane]] = []
    conditions = [payments.c.id.not_in([row.id for row in beside]), lane_lets_work(work)]
    for lane in probing_lanes(shut, work=work, now=transaction.now):
        query = (
            select(payments)
            .join(accounts, accounts.c.id == payments.c.account_id)
            .where(*inside(lane, now=transaction.now), *conditions)
            .order_by(payments.c.due_at)
            .limit(1)
            .with_for_update(skip_locked=True, of=payments)
        )
        row = transaction.connection.execute(query).one_or_none()
        if row is not None and take_probe(transaction, lane, lease_until=until):
            taken.append((row, lane))
    return taken


def _claimed(
    transaction: Transaction,
    row: Row[Any],
    *,
    work: Work,
    lease_until: float,
    lane_opened_at: float | None,
) -> Claimed:
    personal = open_personal(transaction.veil, row)
    return Claimed(
        payment=to_payment(row, personal),
        id=row.id,
        account_id=row.account_id,
        work=work,
        lease_token=row.lease_token + 1,
        lease_until=lease_until,
        was_sending=row.sending,
        ask_failures=row.ask_failures,
        request=to_request(row, personal),
        lane_opened_at=lane_opened_at,
    )


def extend_lease(
    transaction: Transaction, *, payment_id: str, lease_token: int, lease_seconds: float
) -> bool:
    """Hold on to a payment for longer; False when it is ours no more."""
    done = transaction.connection.execute(
        update(payments)
        .where(*_held(payment_id, lease_token))
        .values(lease_until=transaction.now + lease_seconds)
    )
    return done.rowcount == 1


def release_unsent(transaction: Transaction, *, payment_id: str, lease_token: int) -> bool:
    """Give back a claim with which nothing was done: not one byte has left."""
    done = transaction.connection.execute(
        update(payments)
        .where(*_held(payment_id, lease_token))
        .values(lease_until=None, sending=False)
    )
    return done.rowcount == 1


def next_due(transaction: Transaction, *, work: Work) -> float | None:
    """Give the time at which the next payment that nobody holds is due for this work.

    The payments of a worker that died come back when their lease ends, which this does not show:
    wait no longer than a lease.
    """
    waiting = (payments.c.work == work.value, or_(payments.c.lease_until.is_(None),
               payments.c.lease_until <= transaction.now))  # fmt: skip
    soonest = (
        select(payments.c.due_at)
        .where(payments.c.account_id == accounts.c.id, *waiting)
        .order_by(payments.c.due_at)
        .limit(1)
        .scalar_subquery()
    )
    rows = transaction.connection.execute(select(soonest).where(lane_lets_work(work))).scalars()
    return min((due_at for due_at in rows if due_at is not None), default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetRequest:
    """So many calls wanted of an account's in this second."""

    account_id: str
    wanted: int
    per_second: int


def take_budgets(transaction: Transaction, requests: Sequence[BudgetRequest]) -> list[int]:
    """Take from accounts' calls of this second, which all workers share; tell how many each."""
    second, connection = int(transaction.now), transaction.connection
    ids = sorted({request.account_id for request in requests})
    connection.execute(
        insert_unless_there(connection, status_budget),
        [{"account_id": one, "second": second, "used": 0} for one in ids],
    )
    values = {"these": ids, "this": second}
    rows = connection.execute(_USED, values).all()
    before: dict[str, int] = {row[0]: row[1] for row in rows}
    used = dict(before)
    granted = []
    for request in requests:
        left = request.per_second - used[request.account_id]
        granted.append(max(0, min(request.wanted, left)))
        used[request.account_id] += granted[-1]
    changed = [
        {"this_account": one, "this": second, "now_used": used[one]}
        for one in ids
        if used[one] != before[one]
    ]
    if changed:
        connection.execute(_USE, changed)
    if 0 in before.values():
        connection.execute(_FORGET, {"these": ids, "past": second - BUDGET_KEPT_SECONDS})
    return granted


_USED = (
    select(status_budget.c.account_id, status_budget.c.used)
    .where(
        status_budget.c.account_id.in_(bindparam("these", expanding=True)),
        status_budget.c.second == bindparam("this"),
    )
    .order_by(status_budget.c.account_id)
    .with_for_update()
)
_USE = (
    update(status_budget)
    .where(
        status_budget.c.account_id == bindparam("this_account"),
        status_budget.c.second == bindparam("this"),
    )
    .values(used=bindparam("now_used"))
)
_FORGET = delete(status_budget).where(
    status_budget.c.account_id.in_(bindparam("these", expanding=True)),
    status_budget.c.second < bindparam("past"),
)


def _owners(
    transaction: Transaction,
    *,
    work: Work,
    claimable: Sequence[ColumnElement[bool]],
    account_ids: Collection[str] | None,
) -> list[str]:
    """List the accounts that have something due, whoever waits longest first."""
    oldest = (
        select(payments.c.due_at)
        .where(payments.c.account_id == accounts.c.id, *claimable)
        .order_by(payments.c.due_at)
        .limit(1)
        .scalar_subquery()
    )
    query = select(accounts.c.id, oldest.label("oldest")).where(lane_lets_work(work))
    if account_ids is not None:
        query = query.where(accounts.c.id.in_(list(account_ids)))
    rows = [row for row in transaction.connection.execute(query) if row.oldest is not None]
    return [row.id for row in sorted(rows, key=lambda row: row.oldest)]


def _held(payment_id: str, lease_token: int) -> tuple[ColumnElement[bool], ...]:
    """Give the conditions under which a payment is still ours."""
    return (
        payments.c.id == payment_id,
        payments.c.lease_token == lease_token,
        payments.c.lease_until.is_not(None),
    )


def _is_free(now: float) -> ColumnElement[bool]:
    return or_(payments.c.lease_until.is_(None), payments.c.lease_until <= now)


def _asking(now: float) -> dict[str, float | bool]:
    return {"asked_at": now, "hinted": False}
