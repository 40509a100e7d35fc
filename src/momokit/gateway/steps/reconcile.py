"""Reconcile what was imported: name payments, pair what is left, raise what does not agree."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from momokit.gateway.core.discrepancy import Finding, Kind
from momokit.gateway.core.statement import plain_amount
from momokit.gateway.core.statement_profile import Profile, read_profile
from momokit.gateway.store.audits import flow_since, latest_statement
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.discrepancies import let_go_of, raise_findings
from momokit.gateway.store.reconciling import (
    look_again,
    missing_payments,
    pair_leftovers,
    raise_lonely,
    raise_missing,
    statements_of,
)
from momokit.gateway.store.records import NoSuchRow
from momokit.gateway.store.statement_lines import name_again
from momokit.gateway.store.statements import Statement, find_statement
from momokit.gateway.store.store import Store

LINES_AT_ONCE = 1_000
PARTIES_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """What came of it: lines given to payments, what was left over, and what has gone."""

    named: int = 0
    paired: int = 0
    at_provider_only: int = 0
    at_ours_only: int = 0
    gone: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """The balance proof up to now. `difference` is what nothing explains; None: nobody could say.

    The statement's closing balance, and what our books moved since, is held against what MTN says
    is there; what is under way may be in it or not.
    """

    statement_id: str
    currency: str
    as_of: float
    closing: Decimal
    taken_in_since: Decimal
    paid_out_since: Decimal
    coming_in: Decimal
    going_out: Decimal
    expected: Decimal
    at_provider: Decimal | None
    difference: Decimal | None


async def reconcile_statement(statement: Statement, *, store: Store, again: bool) -> Reconciled:
    """Do for one statement all that follows its import; `again` looks for payments once more."""
    profile = read_profile(statement.profile)
    named = 0
    if again:
        named = await _chunks(
            store, partial(name_again, statement=statement, profile=profile), LINES_AT_ONCE
        )
    paired = await _pair(store, statement, profile)
    lonely = await _chunks(store, partial(raise_lonely, statement=statement), LINES_AT_ONCE)
    missing = await _missing(store, statement)
    return Reconciled(named=named, paired=paired, at_provider_only=lonely, at_ours_only=missing)


async def reconcile_account(
    account_id: str,
    *,
    store: Store,
    only: Statement | None = None,
) -> Reconciled:
    """Reconcile an account's statements, or `only` one just imported; let go of what has gone."""
    ids = await store.read(lambda t: statements_of(t, account_id))
    profiles: dict[str, Profile] = {}
    total = Reconciled()
    for statement_id in ids:
        statement = await store.read(partial(_find, statement_id=statement_id))
        profiles[statement_id] = read_profile(statement.profile)
        if only is None or only.id == statement_id:
            one = await reconcile_statement(statement, store=store, again=only is None)
            total = _sum(total, one)
    gone = await _chunks(
        store, partial(look_again, account_id=account_id, profiles=profiles), LINES_AT_ONCE
    )
    return _sum(total, Reconciled(gone=gone))


async def prove_balance(
    account_id: str,
    *,
    product: str,
    store: Store,
    ask: Callable[[str], Awaitable[Decimal | None]],
    currency: str,
) -> Proof | None:
    """Hold the latest statement, and what moved since, against MTN's balance; None without one.

    `ask` gives the balance in a currency, or None when MTN gave no answer.
    """
    statement_id = await store.read(
        lambda t: latest_statement(t, account_id=account_id, product=product)
    )
    if statement_id is None:
        return None
    statement = await store.read(partial(_find, statement_id=statement_id))
    since = statement.last_line_at or statement.started_at
    at_provider = await ask(currency)
    flow, now = await store.read(
        lambda t: (
            flow_since(t, account_id=account_id, product=product, currency=currency, since=since),
            t.now,
        )
    )
    closing = Decimal(statement.closing_balance or "0")
    expected = closing + flow.taken_in - flow.paid_out
    proof = Proof(
        statement_id=statement.id,
        currency=currency,
        as_of=now,
        closing=closing,
        taken_in_since=flow.taken_in,
        paid_out_since=flow.paid_out,
        coming_in=flow.coming_in,
        going_out=flow.going_out,
        expected=expected,
        at_provider=at_provider,
        difference=_unexplained(expected, at_provider, flow.coming_in, flow.going_out),
    )
    await store.write(lambda t: _tell_drift(t, account_id, product, proof))
    return proof


def _unexplained(
    expected: Decimal, found: Decimal | None, coming_in: Decimal, going_out: Decimal
) -> Decimal | None:
    """Say what is missing or too much, when neither books nor what is under way explain it."""
    if found is None:
        return None
    least, most = expected - going_out, expected + coming_in
    return found - most if found > most else min(found - least, Decimal(0))


def _tell_drift(transaction: Transaction, account_id: str, product: str, proof: Proof) -> None:
    subject = f"balance:{product}:{proof.currency}"
    if proof.difference:
        finding = Finding(
            kind=Kind.BALANCE_DRIFT, subject=subject, amount=plain_amount(proof.difference),
            currency=proof.currency, details={"what": "the statement and MTN's balance"},
        )  # fmt: skip
        raise_findings(
            transaction, [finding], account_id=account_id, product=product,
            statement_id=proof.statement_id,
        )  # fmt: skip
    elif proof.difference is not None:
        let_go_of(transaction, account_id, Kind.BALANCE_DRIFT, [subject])


async def _pair(store: Store, statement: Statement, profile: Profile) -> int:
    count, after = 0, ""
    while True:
        unit = partial(
            pair_leftovers, statement=statement, profile=profile, after_party=after,
            limit=PARTIES_AT_ONCE,
        )  # fmt: skip
        following, done = await store.write(unit)
        count += done
        if following is None:
            return count
        after = following


async def _chunks(store: Store, work: Callable[..., tuple[int | None, int]], limit: int) -> int:
    count, after = 0, 0
    while True:
        following, done = await store.write(partial(work, after_id=after, limit=limit))
        count += done
        if following is None:
            return count
        after = following


async def _missing(store: Store, statement: Statement) -> int:
    count = 0
    after: tuple[float, str] | None = (0.0, "")
    while after is not None:
        look = partial(missing_payments, statement=statement, after=after, limit=LINES_AT_ONCE)
        after, rows = await store.read(look)
        await store.write(partial(raise_missing, rows=rows, statement=statement))
        count += len(rows)
    return count


def _find(transaction: Transaction, statement_id: str) -> Statement:
    found = find_statement(transaction, statement_id)
    if found is None:
        raise NoSuchRow(f"There is no statement {statement_id}.")
    return found


def _sum(one: Reconciled, other: Reconciled) -> Reconciled:
    return Reconciled(
        named=one.named + other.named,
        paired=one.paired + other.paired,
        at_provider_only=one.at_provider_only + other.at_provider_only,
        at_ours_only=one.at_ours_only + other.at_ours_only,
        gone=one.gone + other.gone,
    )
