"""Check a batch's rows before anything moves: against the past, and with MTN, at a bounded rate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from momokit.gateway.core.batch import BatchPolicy, BatchState
from momokit.gateway.core.batch_findings import Finding, Severity, doubt, error, warning
from momokit.gateway.core.batch_rows import BatchHash, row_hash
from momokit.gateway.core.holder import Holder
from momokit.gateway.core.names import Verdict, compare
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.store.batch_checks import (
    find_checks,
    keep_checks,
    sums_of,
)
from momokit.gateway.store.batch_past import Earlier, earlier_payments
from momokit.gateway.store.batch_rows import (
    OK,
    REJECTED,
    UNVERIFIED,
    BatchRow,
    change_rows,
    each_finding,
    included_rows,
    payee_digest,
    unchecked_rows,
)
from momokit.gateway.store.batches import (
    Batch,
    change_batch,
    find_batch,
    held_batch,
    let_go,
    read_policy,
    to_minor,
)
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.store import Store

ROWS_AT_ONCE = 200
HASHED_AT_ONCE = 1000
ASKED_AT_ONCE = 4

ASKED_CODES = frozenset({"name_differs", "name_unchecked", "account_inactive", "account_unchecked"})
PAST_CODES = frozenset({"paid_same_period", "paid_lately"})


class AskHolder(Protocol):
    """A question to MTN about a payee. It never raises: no answer is `could_not_check`."""

    def __call__(self, account_id: str, msisdn: str, /) -> Awaitable[Holder]:
        """Ask about the holder of a number."""
        ...


class AskBalance(Protocol):
    """A question to MTN about what is in the account. It never raises; None is no answer."""

    def __call__(self, account_id: str, currency: str, /) -> Awaitable[Decimal | None]:
        """Ask for the balance, in the currency's main unit."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Round:
    rows: list[BatchRow]
    digests: dict[int, str]
    earlier: list[Earlier]
    known: Mapping[str, Holder]
    policy: BatchPolicy
    now: float


async def check_rows(
    claimed: Batch, *, store: Store, ask: AskHolder, ask_balance: AskBalance
) -> None:
    """Check the next rows of a claimed batch; after the last one, sum it up and bind its hash."""
    known = await store.read(lambda t: _look(t, claimed))
    if not known.rows:
        await _finish(claimed, store, ask_balance)
        return
    unknown = _to_ask(claimed, known)
    quota = max(1, int(known.policy.checks_per_second))
    asked = dict(list(unknown.items())[:quota])
    put_off = unknown.keys() - asked.keys()
    answers = await _ask_all(claimed.account_id, asked, ask)
    pass_by("batch.check.after_ask")
    checked = [
        _checked(row, known, answers.get(known.digests[row.number]), claimed.check_holders)
        for row in known.rows
        if known.digests[row.number] not in put_off
    ]
    due_at = known.now + len(asked) / known.policy.checks_per_second

    def write(transaction: Transaction) -> None:
        batch = held_batch(transaction, claimed)
        if batch is None or batch.state is not BatchState.DRAFT:
            return
        if batch.updated_at != claimed.updated_at:
            let_go(transaction, claimed, due_at=transaction.now)  # A row was edited meanwhile.
            return
        change_rows(transaction, checked)
        keep_checks(transaction, claimed.account_id, answers)
        let_go(transaction, claimed, due_at=due_at)

    await store.write(write)
    pass_by("batch.check.after_commit")


def _look(transaction: Transaction, batch: Batch) -> _Round:
    rows = unchecked_rows(transaction, batch.id, limit=ROWS_AT_ONCE)
    digests = {row.number: payee_digest(transaction, row.personal.payee or "") for row in rows}
    wanted = sorted(set(digests.values()))
    return _Round(
        rows=rows,
        digests=digests,
        earlier=earlier_payments(
            transaction, wanted, account_id=batch.account_id, batch_id=batch.id,
            period=batch.period,
        ),
        known=find_checks(transaction, batch.account_id, wanted) if batch.check_holders else {},
        policy=read_policy(transaction, batch.account_id),
        now=transaction.now,
    )  # fmt: skip


def _to_ask(batch: Batch, known: _Round) -> dict[str, str]:
    if not batch.check_holders:
        return {}
    return {
        known.digests[row.number]: row.personal.payee
        for row in known.rows
        if row.personal.payee is not None and known.digests[row.number] not in known.known
    }


async def _ask_all(account_id: str, asked: Mapping[str, str], ask: AskHolder) -> dict[str, Holder]:
    places = asyncio.Semaphore(ASKED_AT_ONCE)

    async def one(msisdn: str) -> Holder:
        async with places:
            return await ask(account_id, msisdn)

    answers = await asyncio.gather(*(one(msisdn) for msisdn in asked.values()))
    return dict(zip(asked.keys(), answers, strict=True))


def _checked(row: BatchRow, known: _Round, answer: Holder | None, check_holders: bool) -> BatchRow:
    digest = known.digests[row.number]
    findings = [
        one for one in row.findings if one["code"] not in ASKED_CODES | PAST_CODES
    ]  # fmt: skip
    past = _past_findings(row, [one for one in known.earlier if one.payee_digest == digest])
    found = answer or known.known.get(digest)
    asked = _holder_findings(row, found) if check_holders and found is not None else []
    holder = (found.given_name, found.family_name) if found is not None else None
    added = [*past, *asked]
    return replace(
        row,
        personal=msgspec.structs.replace(row.personal, holder=holder),
        findings=(*findings, *(one.stored() for one in added)),
        check_state=_state_of(added),
    )


def _past_findings(row: BatchRow, earlier: Sequence[Earlier]) -> list[Finding]:
    """Say what was paid to the payee before: for the same period, or the same amount lately."""
    for one in reversed(earlier):
        day = datetime.fromtimestamp(one.at, UTC).date().isoformat()
        facts = {"amount": str(one.amount), "label": one.label, "day": day}
        if one.is_same_period:
            return [doubt("paid_same_period", **facts)]
        if one.amount == row.amount:
            return [warning("paid_lately", **facts)]
    return []


def _holder_findings(row: BatchRow, found: Holder) -> list[Finding]:
    findings: list[Finding] = []
    if found.active == "no":
        findings.append(error("account_inactive"))
    elif found.active != "yes":
        findings.append(doubt("account_unchecked"))
    if row.personal.name and found.active != "no":
        check = compare(row.personal.name, given=found.given_name, family=found.family_name)
        if check.verdict is Verdict.DIFFERS:
            findings.append(doubt("name_differs", score=str(check.score)))
        elif check.verdict is Verdict.COULD_NOT_CHECK:
            findings.append(doubt("name_unchecked"))
    return findings


def _state_of(added: Sequence[Finding]) -> str:
    if any(finding.severity is Severity.ERROR for finding in added):
        return REJECTED
    unknown = {"name_unchecked", "account_unchecked"}
    return UNVERIFIED if any(finding.code in unknown for finding in added) else OK


async def _finish(claimed: Batch, store: Store, ask_balance: AskBalance) -> None:
    """Sum the batch up. The hash is made while nobody waits for it, and bound if nothing changed
    meanwhile. The balance is for whoever approves: is there enough for all of it?"""
    balance = await ask_balance(claimed.account_id, claimed.currency)
    balance_minor = to_minor(balance, claimed.exponent) if balance is not None else None
    rows_hash, wanted, seen = await store.read(lambda t: _sum_up(t, claimed.id))

    def write(transaction: Transaction) -> None:
        batch = held_batch(transaction, claimed)
        if batch is None or batch.state is not BatchState.DRAFT:
            return
        if batch.updated_at != seen:
            let_go(transaction, claimed, due_at=transaction.now)
            return
        sums = sums_of(transaction, claimed.id)
        change_batch(
            transaction, batch, event="checked", to=BatchState.CHECKED, rows_hash=rows_hash,
            included_count=sums.rows, amount_minor=sums.amount_minor, wanted_overrides=wanted,
            due_at=None, lease_until=None, balance_minor=balance_minor, balance_at=transaction.now,
            details={
                "rows": sums.rows, "amount": str(batch.money(sums.amount_minor)),
                "hash": rows_hash, "to_override": wanted,
            },
        )  # fmt: skip

    await store.write(write)
    pass_by("batch.check.after_commit")


def _sum_up(transaction: Transaction, batch_id: str) -> tuple[str, list[str], float]:
    batch = find_batch(transaction, batch_id)
    assert batch is not None  # it is claimed
    total, after = BatchHash(), 0
    while rows := included_rows(transaction, batch_id, after=after, limit=HASHED_AT_ONCE):
        for row in rows:
            total.add(row.number, row_hash=_hash_of(row, currency=batch.currency))
        after = rows[-1].number
    found = [*batch.layout.findings]
    for findings in each_finding(transaction, batch_id):
        found += findings
    wanted = {str(one["code"]) for one in found if one["severity"] == Severity.OVERRIDE.value}
    # Keyed: with a hash that anybody can make, a batch of one row would tell whom it pays.
    return (
        transaction.veil.digest("batch rows", total.hexdigest()),
        sorted(wanted),
        batch.updated_at,
    )


def _hash_of(row: BatchRow, *, currency: str) -> str:
    return row_hash(
        payee=row.personal.payee or "",
        amount=row.amount if row.amount is not None else Decimal(0),
        currency=currency,
        reference=row.reference,
        note=row.personal.note,
    )
