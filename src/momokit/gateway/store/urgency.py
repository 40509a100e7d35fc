"""What is asked about first, and what a closed lane lets through all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select, text

from momokit.gateway.core.payment import PUSH_KINDS, Work
from momokit.gateway.core.schedule import send_window_seconds
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.sharing import share_out
from momokit.gateway.store.tables import accounts, payments

LOOKED_THROUGH = 256
"""Among so many of an account's questions, those longest due, the urgent ones are put first. What
lies behind is not looked at: a backlog costs little so, and what is not urgent has its turn."""

# Word for word the condition of its index, or the databases do not see that it fits.
_HINTED = text("hinted AND work = 'settle'")

_is_push = payments.c.kind.in_(sorted(PUSH_KINDS))


def most_urgent(
    transaction: Transaction,
    claimable: Sequence[ColumnElement[bool]],
    *,
    owners: Sequence[Any],
    limit: int,
) -> list[Row[Any]]:
    """Take questions that are due: those a callback has hurried, then money that we pay before
    money that is paid to us, the oldest first; the same share for each account."""
    asked_for = select(payments).where(*claimable, _HINTED).order_by(payments.c.due_at)
    rows = share_out(
        transaction, asked_for, owner=payments.c.account_id, key=payments.c.id,
        owners=owners, limit=limit,
    )  # fmt: skip
    if len(rows) >= limit:
        return rows

    def near(owner: Any) -> ColumnElement[bool]:
        longest_due = (
            select(payments.c.id)
            .where(*claimable, payments.c.account_id == owner)
            .order_by(payments.c.due_at)
            .limit(LOOKED_THROUGH)
            .correlate(None)
        )
        return payments.c.id.in_(longest_due)

    base = (
        select(payments)
        .where(*claimable, payments.c.id.not_in([row.id for row in rows]))
        .order_by(case((_is_push, 0), else_=1), payments.c.created_at)
    )
    return rows + share_out(
        transaction, base, owner=payments.c.account_id, key=payments.c.id,
        owners=owners, limit=limit - len(rows), near=near,
    )  # fmt: skip


def may_be_claimed_to_send(now: float) -> ColumnElement[bool]:
    """Tell which sends may be claimed: all of an open lane, and of one that is closed what needs
    nothing sent. That is what may be on its way since a worker died, which MTN is asked about, and
    what is too late by now, which ends."""
    lane_is_open = payments.c.account_id.in_(
        select(accounts.c.id).where(accounts.c.paused_reason.is_(None))
    )
    since = func.coalesce(payments.c.released_at, payments.c.created_at)
    too_late = or_(
        and_(_is_push, since < now - send_window_seconds(is_push=True)),
        and_(~_is_push, since < now - send_window_seconds(is_push=False)),
    )
    return or_(lane_is_open, payments.c.sending, too_late)


def lane_lets_work(work: Work) -> ColumnElement[bool]:
    """Tell whether an account's pause lets this work through at all."""
    if work is Work.SETTLE:
        # To learn the truth about money that has left is right even while nothing new may leave.
        return closed_to_sends_at_most()
    return accounts.c.paused_reason.is_(None)


def closed_to_sends_at_most() -> ColumnElement[bool]:
    """Tell whether an account works, or is closed to sends and to nothing else."""
    return or_(accounts.c.paused_reason.is_(None), accounts.c.paused_work == Work.SUBMIT.value)
