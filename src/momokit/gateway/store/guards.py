"""Limits where money is taken in: looked at, and counted, in the transaction that accepts.

The day's sums are rows of their own, one for an account and one for each payee, so that a limit
costs the same however many payments there were. A payment that was counted says under which day;
when it fails, its share goes back to that day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from sqlalchemy import exists, select, update

from momokit.gateway.core.limits import (
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
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.guard_tables import switches
from momokit.gateway.store.personal import party_hash
from momokit.gateway.store.records import (
    NewPayment,
    NoSuchRow,
    StoreError,
    from_json,
    to_json,
)
from momokit.gateway.store.sums import (
    ALL,
    batched,
    count_today,
    locked_sums,
    read_sums,
    write_sums,
)
from momokit.gateway.store.switches import note, refuse_while_stopped
from momokit.gateway.store.tables import accounts, payments


class LimitExceeded(StoreError):
    """A payment is more than a limit leaves. `exceeded` says which limit, and what is left."""

    def __init__(self, exceeded: Exceeded) -> None:
        super().__init__(exceeded.message)
        self.exceeded = exceeded


def gate(transaction: Transaction, news: Sequence[NewPayment]) -> dict[str, int]:
    """Let new payments in, or raise Stopped or LimitExceeded; give the day each was counted under.

    Those that are not counted are left out. All of them stand or fall together.
    """
    by_account, stopped = _conditions_of(transaction, {new.account_id for new in news})
    if stopped:
        refuse_while_stopped(transaction)
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
    sums = read_sums(transaction, account_id, currency, day, parties) if limits.counts else {}
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
    count_today(transaction, account_id)
    note(
        transaction, "limits_set", account_id=account_id, because=because, by=by,
        details={"before": before.limits, "after": text},
    )  # fmt: skip


def _refuse(exceeded: Exceeded | None) -> None:
    if exceeded is not None:
        raise LimitExceeded(exceeded)


def _limits_of(transaction: Transaction, account_ids: set[str]) -> dict[str, dict[str, Limits]]:
    return _conditions_of(transaction, account_ids)[0]


def _conditions_of(
    transaction: Transaction, account_ids: set[str]
) -> tuple[dict[str, dict[str, Limits]], bool]:
    """Read limits so that nobody changes them before this transaction ends; is money stopped?"""
    stopped = exists().where(switches.c.is_on)
    rows = transaction.connection.execute(
        select(accounts.c.id, accounts.c.limits, stopped.label("stopped"))
        .where(accounts.c.id.in_(sorted(account_ids)))
        .order_by(accounts.c.id)
        .with_for_update(read=True, of=accounts)
    ).all()
    limits = {row.id: read_limits(from_json(row.limits)) for row in rows if row.limits is not None}
    return limits, any(row.stopped for row in rows)


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
    sums = locked_sums(transaction, account_id, currency, day, parties)
    _add(transaction, account_id, currency, limits, amounts, sums)
    write_sums(transaction, account_id, currency, day, sums)
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
