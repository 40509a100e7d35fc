"""A batch at work: its payments made, let go, held back and ended, and how far it has come.

All of it goes by the payments' own rows; what moves a payment's state is `record_many` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, func, or_, select, update
from sqlalchemy.orm import aliased

from momokit.gateway.core import batch_release
from momokit.gateway.core.batch import FUNDS_REFUSALS_IN_A_ROW, BatchState
from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import Decision, Withdrawn
from momokit.gateway.core.payment import Payment, State, Work
from momokit.gateway.store.accepting import insert_held
from momokit.gateway.store.batch_tables import batch_rows, batches
from momokit.gateway.store.batches import Batch
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.guards import take
from momokit.gateway.store.personal import party_hash
from momokit.gateway.store.recording import RecordRequest, record_many
from momokit.gateway.store.records import NewPayment
from momokit.gateway.store.tables import payments

STUCK_SECONDS = 600.0
"""A payment under way for longer is waited for, and takes no place from the rows behind it."""

_HELD = and_(payments.c.state == State.CREATED.value, payments.c.work.is_(None))


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedRow:
    """The payment made for a row, and the row's amount in the smallest unit."""

    row: int
    amount_minor: int
    new: NewPayment


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldRow:
    """A payment that waits for its batch."""

    payment_id: str
    row: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """How many rows, and how much money in the smallest unit."""

    rows: int = 0
    amount_minor: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a batch has come, by the states of its payments; `ready` are those that wait."""

    by_state: dict[str, Tally]
    in_flight: int
    in_flight_minor: int

    @property
    def ready(self) -> Tally:
        """What waits to be let go."""
        return self.by_state.get("ready", Tally())

    @property
    def open_rows(self) -> int:
        """How many have no last word yet, those that wait included."""
        finals = {State.SUCCESSFUL.value, State.FAILED.value}
        return sum(tally.rows for name, tally in self.by_state.items() if name not in finals)


def prepare_rows(
    transaction: Transaction, batch: Batch, rows: Sequence[PreparedRow], *, through: int
) -> None:
    """Store the payments of the next rows, up to the row `through`. The batch is locked.

    Raises LimitExceeded when the account's limits do not leave room for them.
    """
    parties = [(_party(transaction, one.new), one.new.amount) for one in rows]
    day = take(
        transaction, account_id=batch.account_id, currency=batch.currency, amounts=parties
    )  # fmt: skip
    of_batch = {"batch_id": batch.id, "counted_day": day}
    held = [
        (one.new, {**of_batch, "batch_row": one.row, "batch_minor": one.amount_minor})
        for one in rows
    ]  # fmt: skip
    if held:
        insert_held(transaction, held)
    transaction.connection.execute(
        update(batches).where(batches.c.id == batch.id).values(prepared_through=through)
    )


def progress_of(transaction: Transaction, batch_id: str) -> Progress:
    """Count a batch's payments and sum their money, by state."""
    name = case((_HELD, "ready"), else_=payments.c.state)
    query = (
        select(
            name.label("name"),
            func.count().label("rows"),
            func.sum(payments.c.batch_minor).label("minor"),
        )
        .where(payments.c.batch_id == batch_id)
        .group_by(name)
    )
    tallies = {
        row.name: Tally(rows=row.rows, amount_minor=int(row.minor or 0))
        for row in transaction.connection.execute(query)
    }
    flight = flight_of(transaction, batch_id)
    return Progress(by_state=tallies, in_flight=flight.rows, in_flight_minor=flight.amount_minor)


def flight_of(transaction: Transaction, batch_id: str) -> Tally:
    """Count what was let go and has no last word, but for what has been under way too long."""
    recent = payments.c.released_at > transaction.now - STUCK_SECONDS
    open_states = (State.PENDING.value, State.UNKNOWN.value)
    row = transaction.connection.execute(
        select(func.count().label("rows"), func.sum(payments.c.batch_minor).label("minor")).where(
            payments.c.batch_id == batch_id,
            or_(
                and_(payments.c.state == State.CREATED.value, payments.c.work.is_not(None)),
                and_(payments.c.state.in_(open_states), recent),
            ),
        )
    ).one()
    return Tally(rows=row.rows, amount_minor=int(row.minor or 0))


def account_flight_minor(transaction: Transaction, batch: Batch) -> int:
    """Sum what all batches of the account have under way in the batch's currency."""
    ids = select(batches.c.id).where(
        batches.c.account_id == batch.account_id,
        batches.c.currency == batch.currency,
        batches.c.state.in_(
            [BatchState.RUNNING.value, BatchState.PAUSED.value, BatchState.CANCELLED.value]
        ),
    )
    found = transaction.connection.execute(ids).scalars().all()
    return sum(flight_of(transaction, one).amount_minor for one in found)


def held_rows(transaction: Transaction, batch_id: str, *, limit: int) -> list[HeldRow]:
    """Give the next payments that wait, in the order of the file."""
    query = (
        select(payments.c.id, payments.c.batch_row, payments.c.batch_minor)
        .where(payments.c.batch_id == batch_id, _HELD)
        .order_by(payments.c.batch_row)
        .limit(limit)
    )
    return [
        HeldRow(payment_id=row.id, row=row.batch_row, amount_minor=row.batch_minor)
        for row in transaction.connection.execute(query)
    ]


def has_open_rows(transaction: Transaction, batch_id: str) -> bool:
    """Tell whether any payment of a batch has no last word yet."""
    open_states = [state.value for state in State if not state.is_final]
    query = select(payments.c.id).where(
        payments.c.batch_id == batch_id, payments.c.state.in_(open_states)
    )
    return transaction.connection.execute(query.limit(1)).one_or_none() is not None


def overtaken_rows(transaction: Transaction, held: Sequence[HeldRow], batch_id: str) -> set[str]:
    """Of payments that wait, name those whose earlier attempt has been paid after all."""
    earlier = aliased(payments)
    query = (
        select(payments.c.id)
        .join(
            batch_rows,
            and_(
                batch_rows.c.batch_id == payments.c.batch_id,
                batch_rows.c.row == payments.c.batch_row,
            ),
        )
        .join(
            earlier,
            and_(
                earlier.c.batch_id == batch_rows.c.retry_of_batch,
                earlier.c.batch_row == batch_rows.c.retry_of_row,
            ),
        )
        .where(
            payments.c.batch_id == batch_id,
            payments.c.id.in_([one.payment_id for one in held]),
            earlier.c.state != State.FAILED.value,
        )
    )
    return set(transaction.connection.execute(query).scalars())


def release_rows(transaction: Transaction, ids: Sequence[str]) -> int:
    """Let payments go; tell how many went."""
    return _record(transaction, ids, batch_release.release)


def overtake_rows(transaction: Transaction, ids: Sequence[str]) -> int:
    """End payments whose earlier attempt was paid after all."""
    return _record(transaction, ids, batch_release.overtaken)


def withdraw_rows(transaction: Transaction, ids: Sequence[str]) -> int:
    """End payments that never left, as cancelled."""
    return _record(transaction, ids, lambda payment, now: decide(payment, Withdrawn(), now=now))


def unclaimed_rows(transaction: Transaction, batch_id: str, *, limit: int) -> list[str]:
    """Give payments that were let go and that no worker has taken up, nor ever sent.

    Rows that a worker is about to take are passed over: they go.
    """
    query = (
        select(payments.c.id)
        .where(
            payments.c.batch_id == batch_id,
            payments.c.state == State.CREATED.value,
            payments.c.work == Work.SUBMIT.value,
            payments.c.first_sent_at.is_(None),
            ~payments.c.sending,
            ~payments.c.doubtful,
            payments.c.lease_until.is_(None),
        )
        .order_by(payments.c.batch_row)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(transaction.connection.execute(query).scalars())


def hold_back_rows(transaction: Transaction, ids: Sequence[str]) -> int:
    """Take payments back that were let go and that nobody has taken up."""
    return _record(transaction, ids, batch_release.hold_back)


def last_reasons(transaction: Transaction, batch: Batch) -> list[str | None]:
    """Give why the last rows to end failed, newest first; None for one that did not.

    Only what ended since the batch last began to run: what was before has been seen to.
    """
    since = batch.resumed_at or batch.started_at or 0.0
    query = (
        select(payments.c.state, payments.c.reason_code)
        .where(payments.c.batch_id == batch.id, payments.c.final_at > since)
        .order_by(payments.c.final_at.desc())
        .limit(FUNDS_REFUSALS_IN_A_ROW)
    )
    return [
        row.reason_code if row.state == State.FAILED.value else None
        for row in transaction.connection.execute(query)
    ]


def _party(transaction: Transaction, new: NewPayment) -> str | None:
    return party_hash(transaction.veil, new.party_type, new.party_id)


def _record(
    transaction: Transaction, ids: Sequence[str], follow: Callable[[Payment, float], Decision]
) -> int:
    requests = [
        RecordRequest(payment_id=one, decide=follow, lease_token=None) for one in ids
    ]  # fmt: skip
    done = 0
    for result in record_many(transaction, requests) if requests else []:
        if isinstance(result, batch_release.NotHeld):
            continue  # A worker was faster; the payment is on its way and is followed there.
        if isinstance(result, Exception):
            raise result
        done += 1
    return done
