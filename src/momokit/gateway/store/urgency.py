"""What is asked about first, and what a closed lane lets through all the same."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select, text

from momokit.gateway.core.payment import PUSH_KINDS, Work
from momokit.gateway.core.schedule import send_window_seconds
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.sharing import shared
from momokit.gateway.store.switches import Name, Switch
from momokit.gateway.store.tables import accounts, payments

LOOKED_THROUGH = 256
"""Among so many of an account's questions, those longest due, the urgent ones are put first. What
lies behind is not looked at: a backlog costs little so, and what is not urgent has its turn."""

# Word for word the condition of its index, or the databases do not see that it fits.
HINTED = text("hinted AND work = 'settle'")

_is_push = payments.c.kind.in_(sorted(PUSH_KINDS))


def hinted_first(claimable: Sequence[Any]) -> Select[Any]:
    """Write down how the questions that a callback has hurried are found, those first due first."""
    asked_for = select(payments).where(*claimable, HINTED).order_by(payments.c.due_at)
    return shared(asked_for, owner=payments.c.account_id, key=payments.c.id)


def pushes_first(claimable: Sequence[Any]) -> Select[Any]:
    """Write down how all other questions are found: about money that we pay before money that is
    paid to us, the oldest first."""

    def near(owner: ColumnElement[Any]) -> ColumnElement[bool]:
        longest_due = (
            select(payments.c.id)
            .where(*claimable, payments.c.account_id == owner)
            .order_by(payments.c.due_at)
            .limit(LOOKED_THROUGH)
            .correlate(None)
        )
        return payments.c.id.in_(longest_due)

    order = (case((_is_push, 0), else_=1), payments.c.created_at)
    base = select(payments).where(*claimable).order_by(*order)
    return shared(base, owner=payments.c.account_id, key=payments.c.id, near=near)


def needing_no_send(
    transaction: Transaction,
    claimable: Sequence[ColumnElement[bool]],
    *,
    closed_too: Collection[str],
    stopped: Switch | None,
    beside: Sequence[Row[Any]],
    limit: int,
) -> list[Row[Any]]:
    """Take, where nothing may be sent, what needs nothing sent: what may be on its way since a
    worker died, which MTN is asked about, and what is too late by now, which ends.

    That is in accounts that are paused, in those of `closed_too`, and everywhere while money is
    `stopped`. Held after a restore nothing ends: it may have been sent since the copy was made.
    """
    closed = [accounts.c.paused_reason.is_not(None), accounts.c.id.in_(sorted(closed_too))]
    query = select(accounts.c.id).where(closed_to_sends_at_most()).order_by(accounts.c.id)
    if stopped is None:
        query = query.where(or_(*closed))
    held = stopped is not None and stopped.name is Name.RESTORE
    wanted = payments.c.sending if held else or_(payments.c.sending, _too_late(transaction.now))
    rows: list[Row[Any]] = []
    for account_id in transaction.connection.execute(query).scalars().all():
        longest_due = (
            select(payments.c.id)
            .where(*claimable, payments.c.account_id == account_id)
            .order_by(payments.c.due_at)
            .limit(LOOKED_THROUGH)
        )
        taken = [row.id for row in (*beside, *rows)]
        found = (
            select(payments)
            .where(payments.c.id.in_(longest_due), payments.c.id.not_in(taken), wanted)
            .order_by(payments.c.due_at)
            .limit(limit - len(rows))
            .with_for_update(skip_locked=True)
        )
        rows += transaction.connection.execute(found).all()
        if len(rows) >= limit:
            break
    return rows


def _too_late(now: float) -> ColumnElement[bool]:
    since = func.coalesce(payments.c.released_at, payments.c.created_at)
    return or_(
        and_(_is_push, since < now - send_window_seconds(is_push=True)),
        and_(~_is_push, since < now - send_window_seconds(is_push=False)),
    )


def lane_lets_work(work: Work) -> ColumnElement[bool]:
    """Tell whether an account's pause lets this work through at all."""
    if work is Work.SETTLE:
        # To learn the truth about money that has left is right even while nothing new may leave.
        return closed_to_sends_at_most()
    return accounts.c.paused_reason.is_(None)


def closed_to_sends_at_most() -> ColumnElement[bool]:
    """Tell whether an account works, or is closed to sends and to nothing else."""
    return or_(accounts.c.paused_reason.is_(None), accounts.c.paused_work == Work.SUBMIT.value)
