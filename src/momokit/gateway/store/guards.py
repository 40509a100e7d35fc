"""Limits where money is taken in: looked at, and counted, in the transaction that accepts.

The day's sums are rows of their own, one for an account and one for each payee, so that a limit
costs the same however many payments there were. A payment that was counted says under which day;
when it fails, its share goes back to that day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update

from momokit.gateway.core.limits import (
    DAY_SECONDS,
    NEW_PAYEE_SECONDS,
    PAYING_KINDS,
    Exceeded,
    Limits,
    Today,
    day_of,
    exceeded_by_collection,
    exceeded_by_send,
    limits_in,
    limits_text,
    read_limits,
)
from momokit.gateway.core.payment import State
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.guard_tables import spent
from momokit.gateway.store.personal import party_hash
from momokit.gateway.store.records import (
    Check,
    NewPayment,
    NoSuchRow,
    StoreError,
    from_json,
    to_json,
)
from momokit.gateway.store.switches import note, refuse_while_stopped
from momokit.gateway.store.tables import accounts, payments

ALL = ""
"""Stands where a payee's hash would: the sum of the whole account."""

KEPT_DAYS = 40


class LimitExceeded(StoreError):
    """A payment is more than a limit leaves. `exceeded` says which limit, and what is left."""

    def __init__(self, exceeded: Exceeded) -> None:
        super().__init__(exceeded.message)
        self.exceeded = exceeded


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """A payment whose share of a day's sum changes hands: `amount` is negative to give it back."""

    account_id: str
    currency: str
    day: int
    party_hash: str | None
    amount: Decimal


def gate(transaction: Transaction, news: Sequence[NewPayment]) -> dict[str, int]:
    """Let new payments in, or raise Stopped or LimitExceeded; give the day each was counted under.

    Those that are not counted are left out. All of them stand or fall together.
    """
    refuse_while_stopped(transaction)
    by_account = _limits_of(transaction, {new.account_id for new in news})
    paying: dict[tuple[str, str], list[NewPayment]] = {}
    for new in news:
        limits = by_account.get(new.account_id)
        if limits and new.kind in PAYING_KINDS:
            paying.setdefault((new.account_id, new.currency), []).append(new)
        elif limits:
            _refuse(exceeded_by_collection(limits, amount=new.amount, currency=new.currency))
    counted: dict[str, int] = {}
    # In one order, so that two transactions do not wait for each other's sums.
    for (account_id, currency), ones in sorted(paying.items()):
        veil = transaction.veil
        amounts = [(party_hash(veil, one.party_type, one.party_id), one.amount) for one in ones]
        day = _take(transaction, account_id, currency, by_account[account_id], amounts)
        if day is not None:
            counted |= {one.id: day for one in ones}
    return counted


def limits_check(new: NewPayment) -> Check:
    """Make the condition that a payment stays within its account's limits; it counts nothing.

    What is accepted through the store is looked at, and counted, without it.
    """

    def check(transaction: Transaction) -> None:
        party = party_hash(transaction.veil, new.party_type, new.party_id)
        _refuse(
            room_for(
                transaction, account_id=new.account_id, currency=new.currency,
                amounts=[(party, new.amount)],
            )
        )  # fmt: skip

    return check


def room_for(
    transaction: Transaction,
    *,
    account_id: str,
    currency: str,
    amounts: Iterable[tuple[str | None, Decimal]],
) -> Exceeded | None:
    """Tell which limit many payments out would meet, if one; nothing is counted.

    `amounts` are the payments one by one, each with its payee's hash (`personal.party_hash`).
    """
    limits = limits_in(_limits_of(transaction, {account_id}).get(account_id, {}), currency)
    if limits is None or isinstance(limits, Exceeded):
        return limits
    asked = list(amounts)
    parties = {party for party, _ in asked if party is not None}
    day = day_of(transaction.now)
    sums = _read(transaction, account_id, currency, day, parties) if limits.counts else {}
    try:
        _add(transaction, account_id, currency, limits, asked, sums)
    except LimitExceeded as error:
        return error.exceeded
    return None


def take(
    transaction: Transaction,
    *,
    account_id: str,
    currency: str,
    amounts: Iterable[tuple[str | None, Decimal]],
) -> int | None:
    """Count many payments out, in the transaction that stores them; all of them or none.

    Gives the day for their `counted_day`, None where nothing is counted. Raises LimitExceeded.
    """
    limits = _limits_of(transaction, {account_id}).get(account_id, {})
    return _take(transaction, account_id, currency, limits, list(amounts))


def count_ends(transaction: Transaction, changes: Sequence[tuple[Any, State]]) -> None:
    """Give back the shares of payments that failed, and take again those of failures undone.

    `changes` are rows as they were, each with the state it moves to.
    """
    moved = [
        Counted(
            account_id=row.account_id,
            currency=row.currency,
            day=row.counted_day,
            party_hash=row.party_hash,
            amount=Decimal(row.amount) * (-1 if after is State.FAILED else 1),
        )
        for row, after in changes
        if row.counted_day is not None
        and (row.state == State.FAILED.value) != (after is State.FAILED)
    ]
    by_sum: dict[tuple[str, str, int], list[Counted]] = {}
    for one in moved:
        by_sum.setdefault((one.account_id, one.currency, one.day), []).append(one)
    for (account_id, currency, day), ones in sorted(by_sum.items()):
        parties = {ALL, *(one.party_hash for one in ones if one.party_hash is not None)}
        sums = _locked(transaction, account_id, currency, day, parties)
        for one in ones:
            for party in (ALL, one.party_hash):
                if party in sums:
                    sums[party] = max(Decimal(0), sums[party] + one.amount)
        _write(transaction, account_id, currency, day, sums)


def set_limits(
    transaction: Transaction,
    account_id: str,
    limits: Mapping[str, Limits],
    *,
    because: str,
    by: str,
) -> None:
    """Set an account's limits, all of them, and note who did; today's sums are counted anew.

    Raises NoSuchRow.
    """
    before = transaction.connection.execute(
        select(accounts.c.limits).where(accounts.c.id == account_id).with_for_update()
    ).one_or_none()
    if before is None:
        raise NoSuchRow(f"There is no account {account_id}.")
    text = to_json(limits_text(limits))
    transaction.connection.execute(
        update(accounts).where(accounts.c.id == account_id).values(limits=text)
    )
    _count_today(transaction, account_id)
    note(
        transaction, "limits_set", account_id=account_id, because=because, by=by,
        details={"before": before.limits, "after": text},
    )  # fmt: skip


def spent_today(transaction: Transaction, account_id: str) -> dict[str, Decimal]:
    """Tell what an account with limits has paid out today, by currency."""
    rows = transaction.connection.execute(
        select(spent.c.currency, spent.c.amount).where(
            spent.c.account_id == account_id,
            spent.c.day == day_of(transaction.now),
            spent.c.party_hash == ALL,
        )
    )
    return {currency: Decimal(amount) for currency, amount in rows}


def forget_old_sums(transaction: Transaction) -> None:
    """Drop sums of days long past, to which nothing will be given back that matters."""
    oldest = day_of(transaction.now) - KEPT_DAYS
    transaction.connection.execute(delete(spent).where(spent.c.day < oldest))


def _refuse(exceeded: Exceeded | None) -> None:
    if exceeded is not None:
        raise LimitExceeded(exceeded)


def _limits_of(transaction: Transaction, account_ids: set[str]) -> dict[str, dict[str, Limits]]:
    """Read limits so that nobody changes them before this transaction ends."""
    rows = transaction.connection.execute(
        select(accounts.c.id, accounts.c.limits)
        .where(accounts.c.id.in_(sorted(account_ids)))
        .order_by(accounts.c.id)
        .with_for_update(read=True)
    )
    return {row.id: read_limits(from_json(row.limits)) for row in rows if row.limits is not None}


def _take(
    transaction: Transaction,
    account_id: str,
    currency: str,
    all_limits: Mapping[str, Limits],
    amounts: Sequence[tuple[str | None, Decimal]],
) -> int | None:
    limits = limits_in(all_limits, currency)
    if isinstance(limits, Exceeded):
        raise LimitExceeded(limits)
    if limits is None:
        return None
    if not limits.counts:
        _add(transaction, account_id, currency, limits, amounts, {})
        return None
    day = day_of(transaction.now)
    parties = {party for party, _ in amounts if party is not None}
    sums = _locked(transaction, account_id, currency, day, parties)
    _add(transaction, account_id, currency, limits, amounts, sums)
    _write(transaction, account_id, currency, day, sums)
    return day


def _add(
    transaction: Transaction,
    account_id: str,
    currency: str,
    limits: Limits,
    amounts: Sequence[tuple[str | None, Decimal]],
    sums: dict[str, Decimal],
) -> None:
    """Add payments to the day's sums, one by one. Raises LimitExceeded at the first over."""
    known: set[str] = set()
    if limits.new_payee_per_day is not None:
        parties = {party for party, _ in amounts if party is not None}
        known = _known_payees(transaction, account_id, parties)
    zero = Decimal(0)
    for party, amount in amounts:
        today = Today(
            account=sums.get(ALL, zero),
            payee=sums.get(party, zero) if party is not None else zero,
            payee_is_new=party is not None and party not in known,
        )
        _refuse(exceeded_by_send(limits, amount=amount, currency=currency, today=today))
        sums[ALL] = today.account + amount
        if party is not None:
            sums[party] = today.payee + amount


def _known_payees(transaction: Transaction, account_id: str, parties: set[str]) -> set[str]:
    """Find those who were paid, with success, long enough ago not to be new any more."""
    known: set[str] = set()
    for names in batched(sorted(parties)):
        asked = select(payments.c.party_hash).where(
            payments.c.account_id == account_id,
            payments.c.party_hash.in_(names),
            payments.c.created_at <= transaction.now - NEW_PAYEE_SECONDS,
            payments.c.kind.in_(sorted(PAYING_KINDS)),
            payments.c.state == State.SUCCESSFUL.value,
        )
        known |= set(transaction.connection.execute(asked.distinct()).scalars())
    return known


def _locked(
    transaction: Transaction, account_id: str, currency: str, day: int, parties: set[str]
) -> dict[str, Decimal]:
    """Read sums, made where there were none, so that nobody else adds to them meanwhile.

    The account's own sum sorts first: who holds it is alone with those of its payees.
    """
    at = {"account_id": account_id, "currency": currency, "day": day, "amount": "0"}
    for names in batched(sorted({ALL, *parties})):
        transaction.connection.execute(
            insert_unless_there(transaction.connection, spent),
            [at | {"party_hash": name} for name in names],
        )
    return _read(transaction, account_id, currency, day, parties, locks=True)


def _read(
    transaction: Transaction,
    account_id: str,
    currency: str,
    day: int,
    parties: set[str],
    *,
    locks: bool = False,
) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for names in batched(sorted({ALL, *parties})):
        query = (
            select(spent.c.party_hash, spent.c.amount)
            .where(*_of_day(account_id, day, currency), spent.c.party_hash.in_(names))
            .order_by(spent.c.party_hash)
        )
        rows = transaction.connection.execute(query.with_for_update() if locks else query)
        found |= {name: Decimal(amount) for name, amount in rows}
    return found


def _write(
    transaction: Transaction, account_id: str, currency: str, day: int, sums: Mapping[str, Decimal]
) -> None:
    transaction.connection.execute(
        update(spent)
        .where(*_of_day(account_id, day, currency), spent.c.party_hash == bindparam("of"))
        .values(amount=bindparam("sum")),
        [{"of": party, "sum": str(amount)} for party, amount in sums.items()],
    )


def _count_today(transaction: Transaction, account_id: str) -> None:
    """Make today's sums from the payments themselves, as limits may be new."""
    connection, day = transaction.connection, day_of(transaction.now)
    mine = (
        payments.c.account_id == account_id,
        payments.c.created_at >= day * DAY_SECONDS,
        payments.c.kind.in_(sorted(PAYING_KINDS)),
        payments.c.state != State.FAILED.value,
    )
    connection.execute(delete(spent).where(spent.c.account_id == account_id, spent.c.day == day))
    connection.execute(update(payments).where(*mine).values(counted_day=day))
    sums: dict[tuple[str, str], Decimal] = {}
    query = select(payments.c.currency, payments.c.party_hash, payments.c.amount).where(*mine)
    for currency, party, amount in connection.execute(query):
        for of in {ALL, party or ALL}:
            sums[currency, of] = sums.get((currency, of), Decimal(0)) + Decimal(amount)
    rows = [
        {"account_id": account_id, "currency": currency, "day": day, "party_hash": of,
         "amount": str(amount)}
        for (currency, of), amount in sums.items()
    ]  # fmt: skip
    if rows:
        connection.execute(insert(spent), rows)


def _of_day(account_id: str, day: int, currency: str) -> tuple[ColumnElement[bool], ...]:
    return (
        spent.c.account_id == account_id,
        spent.c.currency == currency,
        spent.c.day == day,
    )


def batched(names: Sequence[str], *, size: int = 500) -> Iterator[list[str]]:
    """Cut a long list, since a statement takes only so many values."""
    for start in range(0, len(names), size):
        yield list(names[start : start + size])
