"""Lanes that are shut because MTN does not answer, as all workers see them.

A lane has a row while it is shut and none while it is in order, so that nothing is written, and
next to nothing read, as long as all is well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, and_, delete, or_, select, update

from momokit.gateway.core.breaker import (
    EARLY_QUESTION_SECONDS,
    SLOW_QUESTION_SECONDS,
    Breaker,
    LaneState,
    probe_failed,
    shut,
)
from momokit.gateway.core.payment import Work
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.guard_tables import lanes
from momokit.gateway.store.switches import note
from momokit.gateway.store.tables import payments

BY = "breaker"


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneKey:
    """Names a lane: one product of one account, for sends or for questions."""

    account_id: str
    product: str
    work: Work


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """A lane that is shut."""

    key: LaneKey
    breaker: Breaker


Conditions: TypeAlias = tuple[ColumnElement[bool], ...]


def shut_lanes(transaction: Transaction) -> list[Lane]:
    """List the lanes that are shut, in a fixed order."""
    query = select(lanes).order_by(lanes.c.account_id, lanes.c.product, lanes.c.work)
    return [_to_lane(row) for row in transaction.connection.execute(query)]


def lane_states(transaction: Transaction) -> dict[LaneKey, LaneState]:
    """Say how the lanes that are shut stand now."""
    return {one.key: one.breaker.state(transaction.now) for one in shut_lanes(transaction)}


def shut_lane(transaction: Transaction, key: LaneKey, *, chance: float) -> bool:
    """Shut a lane, for all workers; False when it was shut already."""
    breaker = shut(transaction.now, chance=chance)
    made = transaction.connection.execute(
        insert_unless_there(transaction.connection, lanes)
        .values(
            account_id=key.account_id, product=key.product, work=key.work.value,
            opened_at=breaker.opened_at, open_until=breaker.open_until, opens=breaker.opens,
        )
        .returning(lanes.c.opens)
    )  # fmt: skip
    if made.first() is None:
        return False
    _note(transaction, key, "lane_shut", because="MTN gave no readable answer, many times in a row")
    return True


def end_probe(
    transaction: Transaction,
    key: LaneKey,
    *,
    opened_at: float,
    answered: bool | None,
    chance: float,
) -> bool:
    """Write what a probe found: an answer opens the lane, none keeps it shut for longer.

    None for `answered` is a probe that tried nothing. True when the lane is open by it.
    """
    query = select(lanes).where(*_is(key)).with_for_update()
    row = transaction.connection.execute(query).one_or_none()
    if row is None or row.opened_at != opened_at:
        return False
    if answered:
        _open(transaction, key)
        return True
    if key.work is Work.SUBMIT:
        breaker = _to_lane(row).breaker
        if answered is False:
            breaker = probe_failed(breaker, now=transaction.now, chance=chance)
        transaction.connection.execute(
            update(lanes)
            .where(*_is(key))
            .values(open_until=breaker.open_until, opens=breaker.opens, probe_until=None)
        )
    return False


def open_by_hand(transaction: Transaction, account_id: str, *, because: str, by: str) -> int:
    """Open all lanes of an account that are shut, when a person knows better; count them."""
    mine = [one.key for one in shut_lanes(transaction) if one.key.account_id == account_id]
    for key in mine:
        _open(transaction, key, because=because, by=by)
    return len(mine)


def outside(shut: Sequence[Lane], *, work: Work) -> Conditions:
    """Give the conditions under which a payment is in no lane that is shut for this work."""
    in_lanes = [
        and_(payments.c.account_id == one.key.account_id, payments.c.product == one.key.product)
        for one in shut
        if one.key.work is work
    ]
    return (~or_(*in_lanes),) if in_lanes else ()


def inside(lane: Lane, *, now: float) -> Conditions:
    """Give the conditions under which a payment can be the probe of a lane that is shut."""
    key = lane.key
    mine = (
        payments.c.account_id == key.account_id,
        payments.c.product == key.product,
        payments.c.work == key.work.value,
        or_(payments.c.lease_until.is_(None), payments.c.lease_until <= now),
    )
    if key.work is Work.SUBMIT:
        return (*mine, payments.c.due_at <= now, ~payments.c.sending)
    # The pauses between questions grow long in a storm; the end of it must not wait for one.
    return mine if _long_unasked(lane, now) else (*mine, payments.c.due_at <= now)


def probing_lanes(shut: Sequence[Lane], *, work: Work, now: float) -> list[Lane]:
    """List the lanes that one call may try now.

    As long as questions go unanswered, the question is the probe, and no money is.
    """
    silent = {
        (one.key.account_id, one.key.product)
        for one in shut
        if one.key.work is Work.SETTLE and not _long_unasked(one, now - SLOW_QUESTION_SECONDS)
    }
    return [
        one
        for one in shut
        if one.key.work is work
        and one.breaker.lets_probe(now)
        and (work is Work.SETTLE or (one.key.account_id, one.key.product) not in silent)
    ]


def _long_unasked(lane: Lane, now: float) -> bool:
    return now >= lane.breaker.open_until + EARLY_QUESTION_SECONDS


def take_probe(transaction: Transaction, lane: Lane, *, lease_until: float) -> bool:
    """Take the place of the one that tries a lane; False when another worker has it."""
    values: dict[str, float] = {"probe_until": lease_until}
    if lane.key.work is Work.SETTLE:
        values = {"open_until": transaction.now + SLOW_QUESTION_SECONDS}
    done = transaction.connection.execute(
        update(lanes)
        .where(
            *_is(lane.key),
            lanes.c.opened_at == lane.breaker.opened_at,
            lanes.c.open_until <= transaction.now,
            or_(lanes.c.probe_until.is_(None), lanes.c.probe_until <= transaction.now),
        )
        .values(values)
    )
    return done.rowcount == 1


def _open(
    transaction: Transaction, key: LaneKey, *, because: str = "MTN answers again", by: str = BY
) -> None:
    connection, now = transaction.connection, transaction.now
    connection.execute(delete(lanes).where(*_is(key)))
    _note(transaction, key, "lane_opened", because=because, by=by)
    if key.work is Work.SETTLE:
        # Who answers questions may well take payments: the probe of the sends need not wait.
        sends = LaneKey(account_id=key.account_id, product=key.product, work=Work.SUBMIT)
        soon = (lanes.c.open_until > now, lanes.c.probe_until.is_(None))
        connection.execute(update(lanes).where(*_is(sends), *soon).values(open_until=now))
    tried = payments.c.ask_failures > 0 if key.work is Work.SETTLE else payments.c.attempts > 0
    connection.execute(
        update(payments)
        .where(
            payments.c.account_id == key.account_id,
            payments.c.product == key.product,
            payments.c.work == key.work.value,
            payments.c.due_at > now,
            tried,
        )
        .values(due_at=now)
    )
    transaction.wake()


def _note(transaction: Transaction, key: LaneKey, what: str, *, because: str, by: str = BY) -> None:
    details = {"product": key.product, "work": key.work.value}
    note(transaction, what, because=because, by=by, account_id=key.account_id, details=details)


def _is(key: LaneKey) -> Conditions:
    return (
        lanes.c.account_id == key.account_id,
        lanes.c.product == key.product,
        lanes.c.work == key.work.value,
    )


def _to_lane(row: Row[Any]) -> Lane:
    return Lane(
        key=LaneKey(account_id=row.account_id, product=row.product, work=Work(row.work)),
        breaker=Breaker(
            opened_at=row.opened_at,
            open_until=row.open_until,
            opens=row.opens,
            probe_until=row.probe_until,
        ),
    )
