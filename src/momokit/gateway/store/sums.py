"""The sums of a day: what each account has paid out on it, in all and to each payee."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update

from momokit.gateway.core.limits import DAY_SECONDS, PAYING_KINDS, day_of
from momokit.gateway.core.payment import State
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.guard_tables import spent
from momokit.gateway.store.tables import payments

ALL = ""
"""Stands where a payee's hash would: the sum of the whole account."""

KEPT_DAYS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """A payment whose share of a day's sum changes hands: `amount` is negative to give it back."""

    account_id: str
    currency: str
    day: int
    party_hash: str | None
    amount: Decimal


def locked_sums(
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
    return read_sums(transaction, account_id, currency, day, parties, locks=True)


def read_sums(
    transaction: Transaction,
    account_id: str,
    currency: str,
    day: int,
    parties: set[str],
    *,
    locks: bool = False,
) -> dict[str, Decimal]:
    """Read the sums of an account and of payees on a day; with `locks`, for writing."""
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


def write_sums(
    transaction: Transaction, account_id: str, currency: str, day: int, sums: Mapping[str, Decimal]
) -> None:
    """Write the sums of a day that were locked before."""
    transaction.connection.execute(
        update(spent)
        .where(*_of_day(account_id, day, currency), spent.c.party_hash == bindparam("of"))
        .values(amount=bindparam("sum")),
        [{"of": party, "sum": str(amount)} for party, amount in sums.items()],
    )


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
        sums = locked_sums(transaction, account_id, currency, day, parties)
        for one in ones:
            for party in (ALL, one.party_hash):
                if party in sums:
                    sums[party] = max(Decimal(0), sums[party] + one.amount)
        write_sums(transaction, account_id, currency, day, sums)


def count_today(transaction: Transaction, account_id: str) -> None:
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
