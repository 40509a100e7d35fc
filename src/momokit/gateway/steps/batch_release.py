"""Let a batch's payments go, at its rate, while there is money for the next one.

The balance is asked with no transaction open. What was let go and is not settled counts as spent
until it is, so that the rows behind do not go out on the same money.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from momokit.gateway.core.batch import (
    BatchState,
    FloatVerdict,
    affordable,
    float_verdict,
    is_out_of_funds,
    release_quota,
)
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.store.accounts import is_paused
from momokit.gateway.store.batch_retries import free_retries
from momokit.gateway.store.batch_running import (
    HeldRow,
    account_flight_minor,
    flight_of,
    has_open_rows,
    held_rows,
    hold_back_rows,
    last_reasons,
    overtake_rows,
    overtaken_rows,
    release_rows,
    unclaimed_rows,
    withdraw_rows,
)
from momokit.gateway.store.batches import Batch, change_batch, held_batch, let_go, to_minor
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.store import Store
from momokit.gateway.store.switches import Stopped, refuse_while_stopped

LOW_FLOAT = "low_float"
BALANCE_KEPT_SECONDS = 60.0
NO_BALANCE_KEPT_SECONDS = 15.0
LOOK_AGAIN_SECONDS = 2.0
RELEASED_AT_ONCE = 200
WITHDRAWN_AT_ONCE = 200
HELD_BACK_AT_ONCE = 5000


class AskBalance(Protocol):
    """A question to MTN about what is in the account. It never raises; None is no answer."""

    def __call__(self, account_id: str, currency: str, /) -> Awaitable[Decimal | None]:
        """Ask for the balance, in the currency's main unit."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _View:
    batch: Batch
    held: list[HeldRow]
    in_flight: int
    flight_minor: int
    quota: int
    stopped: bool
    is_open: bool
    out_of_funds: bool
    now: float


async def release(claimed: Batch, *, store: Store, ask: AskBalance) -> None:
    """Let the next rows of a claimed batch go, or see that it pauses, waits or is finished."""
    view = await store.read(lambda t: _look(t, claimed))
    if view.out_of_funds and view.held:
        await store.write(lambda t: pause_batch(t, claimed, because=LOW_FLOAT))
        return
    if not view.held and not view.is_open:
        await store.write(lambda t: _finish(t, claimed))
        return
    if view.stopped or not view.held or view.quota < 1:
        await _wait(claimed, view, store)
        return
    spendable, asked = view.batch.spendable_minor, view.batch.balance_minor is None
    if _is_stale(view):
        spendable, asked = await _ask(view, ask, store), True
    verdict = float_verdict(
        next_minor=view.held[0].amount_minor, spendable_minor=spendable, asked_just_now=asked,
        in_flight=view.in_flight,
    )  # fmt: skip
    if verdict is FloatVerdict.ASK:
        spendable = await _ask(view, ask, store)
        verdict = float_verdict(
            next_minor=view.held[0].amount_minor, spendable_minor=spendable, asked_just_now=True,
            in_flight=view.in_flight,
        )  # fmt: skip
    if verdict is FloatVerdict.LOW:
        await store.write(lambda t: pause_batch(t, claimed, because=LOW_FLOAT))
    elif verdict is FloatVerdict.WAIT:
        await _wait(claimed, view, store)
    else:
        count = affordable([one.amount_minor for one in view.held], spendable_minor=spendable)
        pass_by("batch.release.before_commit")
        await store.write(lambda t: _release(t, claimed, view.held[:count]))
        pass_by("batch.release.after_commit")


async def end_cancelled(claimed: Batch, *, store: Store) -> None:
    """End the payments of a cancelled batch that never left, some at a time."""
    pass_by("batch.cancel.before_commit")

    def unit(transaction: Transaction) -> None:
        batch = held_batch(transaction, claimed)
        if batch is None or batch.state is not BatchState.CANCELLED:
            return
        held = held_rows(transaction, batch.id, limit=WITHDRAWN_AT_ONCE)
        withdraw_rows(transaction, [one.payment_id for one in held])
        if held:
            let_go(transaction, claimed, due_at=transaction.now)
            return
        if has_open_rows(transaction, batch.id):
            let_go(transaction, claimed, due_at=transaction.now + LOOK_AGAIN_SECONDS)
            return
        free_retries(transaction, batch.id)
        change_batch(
            transaction, batch, event="ended", ended_at=transaction.now, due_at=None,
            lease_until=None,
        )  # fmt: skip

    await store.write(unit)
    pass_by("batch.cancel.after_commit")


def pause_batch(transaction: Transaction, claimed: Batch, *, because: str) -> None:
    """Pause a claimed batch, and take back what nobody has taken up, in one transaction."""
    batch = held_batch(transaction, claimed)
    if batch is None or batch.state is not BatchState.RUNNING:
        return
    taken = unclaimed_rows(transaction, batch.id, limit=HELD_BACK_AT_ONCE)
    hold_back_rows(transaction, taken)
    change_batch(
        transaction, batch, event="paused", to=BatchState.PAUSED, paused_reason=because,
        due_at=None, lease_until=None, spendable_minor=None,
        details={"because": because, "held_back": len(taken)},
    )  # fmt: skip


def _look(transaction: Transaction, claimed: Batch) -> _View:
    flight = flight_of(transaction, claimed.id)
    # After a start or a pause one row goes first, alone: no time before counts for it.
    idle_seconds = 1 / claimed.rows_per_second
    if claimed.released_at is not None and claimed.released_at > (claimed.resumed_at or 0.0):
        idle_seconds = transaction.now - claimed.released_at
    quota = release_quota(
        rows_per_second=claimed.rows_per_second,
        idle_seconds=idle_seconds,
        in_flight=flight.rows,
        in_flight_cap=claimed.in_flight_cap,
    )
    held = held_rows(transaction, claimed.id, limit=min(max(1, quota), RELEASED_AT_ONCE))
    return _View(
        batch=claimed,
        held=held,
        in_flight=flight.rows,
        flight_minor=account_flight_minor(transaction, claimed),
        quota=quota,
        stopped=_is_stopped(transaction, claimed.account_id),
        is_open=bool(held) or has_open_rows(transaction, claimed.id),
        out_of_funds=is_out_of_funds(last_reasons(transaction, claimed)),
        now=transaction.now,
    )


def _is_stopped(transaction: Transaction, account_id: str) -> bool:
    try:
        refuse_while_stopped(transaction)
    except Stopped:
        return True
    return is_paused(transaction, account_id)


def _is_stale(view: _View) -> bool:
    at = view.batch.balance_at
    kept = NO_BALANCE_KEPT_SECONDS if view.batch.balance_minor is None else BALANCE_KEPT_SECONDS
    return at is None or view.now - at > kept


async def _ask(view: _View, ask: AskBalance, store: Store) -> int | None:
    """Ask what is in the account, and keep what of it can be spent.

    What was under way before the question counts as not yet taken off, whatever came of it since.
    """
    batch = view.batch
    balance = await ask(batch.account_id, batch.currency)
    minor = to_minor(balance, batch.exponent) if balance is not None else None
    spendable = minor - view.flight_minor if minor is not None else None

    def keep(transaction: Transaction) -> None:
        held = held_batch(transaction, batch)
        if held is not None:
            change_batch(
                transaction, held, event=None, balance_minor=minor, balance_at=transaction.now,
                spendable_minor=spendable,
            )  # fmt: skip

    await store.write(keep)
    return spendable


def _release(transaction: Transaction, claimed: Batch, rows: list[HeldRow]) -> None:
    batch = held_batch(transaction, claimed)
    if batch is None or batch.state is not BatchState.RUNNING:
        return
    over = overtaken_rows(transaction, rows, batch.id) if batch.parent_id is not None else set()
    overtake_rows(transaction, sorted(over))
    going = [one for one in rows if one.payment_id not in over]
    release_rows(transaction, [one.payment_id for one in going])
    spent = sum(one.amount_minor for one in going)
    left = batch.spendable_minor - spent if batch.spendable_minor is not None else None
    change_batch(
        transaction, batch, event=None, released_at=transaction.now, spendable_minor=left,
        lease_until=None, due_at=transaction.now + 1 / batch.rows_per_second,
    )  # fmt: skip


async def _wait(claimed: Batch, view: _View, store: Store) -> None:
    pause = LOOK_AGAIN_SECONDS
    if view.held and view.quota < 1 and view.in_flight < claimed.in_flight_cap:
        pause = 1 / claimed.rows_per_second
    await store.write(
        lambda t: let_go(t, claimed, due_at=t.now + max(0.05, min(pause, LOOK_AGAIN_SECONDS)))
    )


def _finish(transaction: Transaction, claimed: Batch) -> None:
    batch = held_batch(transaction, claimed)
    if batch is None or batch.state is not BatchState.RUNNING:
        return
    if has_open_rows(transaction, batch.id):
        return
    change_batch(
        transaction, batch, event="finished", to=BatchState.FINISHED, ended_at=transaction.now,
        due_at=None, lease_until=None,
    )  # fmt: skip
