"""The hold after a restore: what must be asked about before money moves again, and how far that is.

Books restored from a copy do not know what was paid since the copy was made. Until MTN was asked
about everything that may have changed meanwhile nothing is taken in and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select

from momokit.gateway.core.payment import State, Work
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.records import StoredPayment, StoreError, to_stored
from momokit.gateway.store.switches import Name, Switch, find_switch, keep_details, turn
from momokit.gateway.store.tables import payments

LOOK_BACK_SECONDS = 86_400.0
"""What was final up to this long before the copy is asked about again too."""

_FINAL = (State.SUCCESSFUL.value, State.FAILED.value)


class NotAudited(StoreError):
    """The hold is not released before MTN was asked about what may have changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """The hold as it stands. `since` is when the copy was made; `asked` counts payments asked
    about, `moved` those of which MTN knew more than these books, `audited_at` is when all were."""

    switch: Switch
    since: float
    cursor: tuple[float, str] | None
    asked: int
    moved: int
    audited_at: float | None


def find_hold(transaction: Transaction) -> Hold | None:
    """Read the hold, if money is held."""
    switch = find_switch(transaction, Name.RESTORE)
    return _to_hold(switch) if switch is not None and switch.is_on else None


def hold_on(transaction: Transaction, *, because: str, by: str, since: float | None = None) -> Hold:
    """Hold money, for books restored in another way than from a copy that is marked."""
    moment = since if since is not None else transaction.now
    details = {"since": moment}
    return _to_hold(
        turn(transaction, Name.RESTORE, on=True, because=because, by=by, details=details)
    )


def gap_page(transaction: Transaction, hold: Hold, *, limit: int) -> list[StoredPayment]:
    """Read the next payments to ask about: all that are open, and finals of the gap."""
    query = select(payments).where(
        or_(
            payments.c.state.not_in(_FINAL),
            payments.c.final_at >= hold.since - LOOK_BACK_SECONDS,
        )
    )
    if hold.cursor is not None:
        at, last_id = hold.cursor
        later = and_(payments.c.created_at == at, payments.c.id > last_id)
        query = query.where(or_(payments.c.created_at > at, later))
    query = query.order_by(payments.c.created_at, payments.c.id).limit(limit)
    rows = transaction.connection.execute(query)
    return [to_stored(row, transaction.veil) for row in rows]


def advance(
    transaction: Transaction, hold: Hold, *, last: StoredPayment | None, asked: int, moved: int
) -> bool:
    """Note how far the audit is; without a last payment it is done. False: another was faster."""
    details = dict(hold.switch.details) | {
        "asked": hold.asked + asked,
        "moved": hold.moved + moved,
    }
    if last is None:
        details["audited_at"] = transaction.now
    else:
        details["cursor"] = [last.payment.created_at, last.id]
    return keep_details(transaction, Name.RESTORE, details, instead_of=hold.switch.details)


def waiting_to_be_sent(transaction: Transaction) -> list[str]:
    """List payments that these books never sent: their merchants may have done without since."""
    query = (
        select(payments.c.id)
        .where(payments.c.state == State.CREATED.value, payments.c.work == Work.SUBMIT.value)
        .order_by(payments.c.created_at, payments.c.id)
    )
    return list(transaction.connection.execute(query).scalars())


def count_open(transaction: Transaction) -> int:
    """Count the payments that are not over."""
    query = select(func.count()).where(payments.c.state.not_in(_FINAL))
    return int(transaction.connection.execute(query).scalar_one())


def release(
    transaction: Transaction, *, because: str, by: str, unaudited: bool = False
) -> Hold | None:
    """Let money move again; None when it was not held.

    Raises NotAudited as long as the audit is not done, unless a person takes that on with
    `unaudited`; who did, and why, is kept.
    """
    hold = find_hold(transaction)
    if hold is None:
        return None
    if hold.audited_at is None and not unaudited:
        raise NotAudited("MTN was not asked about all payments yet that may have changed.")
    details: Mapping[str, Any] = dict(hold.switch.details) | {"unaudited": hold.audited_at is None}
    turn(transaction, Name.RESTORE, on=False, because=because, by=by, details=details)
    return hold


def _to_hold(switch: Switch) -> Hold:
    details = switch.details
    cursor = details.get("cursor")
    return Hold(
        switch=switch,
        since=float(details.get("since", switch.changed_at)),
        cursor=(float(cursor[0]), str(cursor[1])) if cursor else None,
        asked=int(details.get("asked", 0)),
        moved=int(details.get("moved", 0)),
        audited_at=details.get("audited_at"),
    )
