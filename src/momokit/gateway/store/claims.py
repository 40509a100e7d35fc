"""Claims: which worker works at which payment, until when, and how often MTN may be asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Row,
    Select,
    bindparam,
    delete,
    literal,
    or_,
    select,
    update,
)

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
from momokit.gateway.store.sharing import share_out, shared
from momokit.gateway.store.switches import is_guarded, stopped_by
from momokit.gateway.store.tables import accounts, payments, status_budget
from momokit.gateway.store.urgency import (
    HINTED,
    hinted_first,
    lane_lets_work,
    needing_no_send,
    pushes_first,
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
    due = _due(work, literal(transaction.now, Double))
    sending, guarded = work is Work.SUBMIT, is_guarded(transaction)
    shut = shut_lanes(transaction) if guarded else []
    stopped = stopped_by(transaction) if guarded and sending else None
    lease_until = transaction.now + lease_seconds
    rows: list[Row[Any]] = []
    probes: list[tuple[Row[Any], Lane]] = []
    if stopped is None:
        out = outside(shut, work=work)
        turns = _turns(work, (*_due(work, _NOW), *out)) if out else _TURNS[work]
        rows += _by_turns(transaction, turns, limit=limit, account_ids=account_ids)
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
        held = {"these": [row.id for row in rows], "until": lease_until}
        if work is Work.SETTLE:
            held["asked"] = transaction.now
        transaction.connection.execute(_HOLD[work], held)
    tried = {row.id: lane.breaker.opened_at for row, lane in probes}
    return [
        _claimed(
            transaction, row, work=work, lease_until=lease_until, lane_opened_at=tried.get(row.id)
        )
        for row in rows
    ]


_NOW = bindparam("now", type_=Double)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Turn:
    """Two statements, written down once: who has something due, and what it is."""

    owners: Select[Any]
    theirs: Select[Any]


def _due(work: Work, now: ColumnElement[float]) -> tuple[ColumnElement[bool], ...]:
    is_free = or_(payments.c.lease_until.is_(None), payments.c.lease_until <= now)
    return payments.c.work == work.value, payments.c.due_at <= now, is_free


def _turns(work: Work, claimable: Sequence[Any]) -> tuple[_Turn, ...]:
    """Write down what is taken first, and then what is left."""
    owners = _owners(work, claimable)
    if work is Work.SETTLE:
        hinted = _owners(work, (*claimable, HINTED))
        return (
            _Turn(owners=hinted, theirs=hinted_first(claimable)),
            _Turn(owners=owners, theirs=pushes_first(claimable)),
        )
    oldest = select(payments).where(*claimable).order_by(payments.c.due_at)
    theirs = shared(oldest, owner=payments.c.account_id, key=payments.c.id)
    return (_Turn(owners=owners, theirs=theirs),)


def _by_turns(
    transaction: Transaction,
    turns: Sequence[_Turn],
    *,
    limit: int,
    account_ids: Collection[str] | None,
) -> list[Row[Any]]:
    """Take the same share for each account that works."""
    values = {"now": transaction.now}
    rows: list[Row[Any]] = []
    for turn in turns:
        found = transaction.connection.execute(turn.owners, values).all()
        waiting = [
            row
            for row in found
            if row.oldest is not None and (account_ids is None or row.id in account_ids)
        ]
        # Whoever waits longest is first.
        owners = [row.id for row in sorted(waiting, key=lambda row: row.oldest)]
        rows += share_out(
            transaction, turn.theirs, owners=owners, limit=limit - len(rows), beside=rows,
            values=values,
        )  # fmt: skip
        if len(rows) >= limit:
            break
    return rows


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


def _owners(work: Work, claimable: Sequence[Any]) -> Select[Any]:
    """Write down how the accounts that have something due are found."""
    oldest = (
        select(payments.c.due_at)
        .where(payments.c.account_id == accounts.c.id, *claimable)
        .order_by(payments.c.due_at)
        .limit(1)
        .scalar_subquery()
    )
    return select(accounts.c.id, oldest.label("oldest")).where(lane_lets_work(work))


_TURNS = {work: _turns(work, _due(work, _NOW)) for work in Work}
"""Of every claim but those beside a lane that is shut."""


def _held(payment_id: str, lease_token: int) -> tuple[ColumnElement[bool], ...]:
    """Give the conditions under which a payment is still ours."""
    return (
        payments.c.id == payment_id,
        payments.c.lease_token == lease_token,
        payments.c.lease_until.is_not(None),
    )


_THESE = update(payments).where(payments.c.id.in_(bindparam("these", expanding=True)))
_LEASE: dict[str, Any] = {
    "lease_until": bindparam("until", type_=Double),
    "lease_token": payments.c.lease_token + 1,
}
_HOLD = {
    Work.SUBMIT: _THESE.values(_LEASE | {"sending": True}),
    Work.SETTLE: _THESE.values(_LEASE | {"asked_at": bindparam("asked"), "hinted": False}),
}
