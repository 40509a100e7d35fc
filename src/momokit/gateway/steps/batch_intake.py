"""Take a file of disbursements in: read it, check each row on its own, store it, pay nothing."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import BinaryIO, Protocol

from momokit.errors import InvalidInput
from momokit.gateway.core.batch import BatchPolicy, BatchRefused, BatchState
from momokit.gateway.core.batch_findings import Finding, Severity, doubt
from momokit.gateway.core.batch_rows import CheckedRow, Rules
from momokit.gateway.core.cells import pack_cells
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.sheets.checking import FileCheck
from momokit.gateway.sheets.limits import DEFAULT_LIMITS
from momokit.gateway.sheets.refusal import SheetRefused
from momokit.gateway.store.accounts import Account
from momokit.gateway.store.batch_history import Actor
from momokit.gateway.store.batch_rows import (
    REJECTED,
    UNCHECKED,
    BatchRow,
    Personal,
    insert_rows,
)
from momokit.gateway.store.batches import (
    Batch,
    Layout,
    NewBatch,
    change_batch,
    create_batch,
    find_twin_file,
    lock_batch,
    read_policy,
    to_minor,
)
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.idempotency import claim_keys
from momokit.gateway.store.records import IdempotencyClaim, Outcome
from momokit.gateway.store.store import Store
from momokit.money import CURRENCIES
from momokit.operations.forms import Forms

ROWS_AT_ONCE = 500
"""So many rows are written in one transaction, so that nobody else's waits for a whole file."""


class Book(Protocol):
    """The accounts, as the composition root keeps them."""

    def account(self, name: str | None, /) -> Account:
        """Give an account by name or id; None is the only one there is. Raises InvalidInput."""
        ...

    def forms_of(self, account_id: str, /) -> Forms:
        """Give the forms of an account's market."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """What is said along with a file. `digest` is the SHA-256 of its bytes.

    `check_holders` asks MTN about each payee; `rows_per_second` is how fast it will be paid. What
    is None is as the account has it.
    """

    file_name: str
    digest: str
    label: str = ""
    account: str | None = None
    currency: str | None = None
    period: str | None = None
    check_holders: bool | None = None
    rows_per_second: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenIn:
    """The batch that a file became; `replayed` when the same request had made it before."""

    batch: Batch
    replayed: bool


async def take_in(
    source: BinaryIO,
    upload: Upload,
    *,
    store: Store,
    book: Book,
    actor: Actor,
    idempotency: IdempotencyClaim,
) -> TakenIn:
    """Store a file as a batch, once, whatever repeats the request.

    A repetition after a crash finds the batch half stored and goes on from there: its rows are
    what they were, as the bytes are the same. Raises SheetRefused for a file that cannot be read,
    InvalidInput naming the field, BatchRefused for a key that stood for another request.
    """
    account = book.account(upload.account)
    market = book.forms_of(account.id).market
    policy = await store.read(lambda t: read_policy(t, account.id))
    currency = upload.currency or market.currency
    if currency not in market.currencies:
        raise InvalidInput(f"{market.country} does not take {currency}.", field="currency")
    rules = Rules(market=market, currency=currency, max_amount=policy.max_per_payee)
    limits = replace(DEFAULT_LIMITS, max_rows=min(policy.max_rows, DEFAULT_LIMITS.max_rows))
    check = FileCheck(source, filename=upload.file_name, rules=rules, limits=limits)
    rows = iter(check)
    # What cannot be read at all is refused before anything of it is stored.
    first = await asyncio.to_thread(_next_rows, rows)
    new = _new_batch(upload, account=account, currency=currency, policy=policy, actor=actor)
    pass_by("batch.upload.before_commit")
    began, replayed = await store.write(lambda t: _begin(t, new, idempotency, actor))
    pass_by("batch.upload.after_commit")
    if began.loaded or began.state is not BatchState.DRAFT:
        return TakenIn(batch=began, replayed=replayed)
    try:
        await _store_rows(store, began, first, rows)
    except SheetRefused:
        await store.write(lambda t: _give_up(t, began.id))
        raise
    pass_by("batch.upload.before_loaded")
    batch = await store.write(lambda t: _loaded(t, began.id, check))
    return TakenIn(batch=batch, replayed=replayed)


def row_of(checked: CheckedRow, *, batch_id: str, exponent: int) -> BatchRow:
    """Make the row to be stored of one that was checked on its own."""
    payable = checked.is_payable and checked.amount is not None and checked.payee is not None
    return BatchRow(
        batch_id=batch_id,
        number=checked.number,
        personal=Personal(
            cells=pack_cells(checked.row.cells),
            payee=checked.payee.reveal() if checked.payee is not None else None,
            name=checked.name,
            national_id=checked.national_id,
            note=checked.note,
        ),
        reference=checked.reference,
        amount=checked.amount,
        amount_minor=to_minor(checked.amount, exponent) if checked.amount is not None else None,
        check_state=UNCHECKED if payable else REJECTED,
        findings=tuple(finding.stored() for finding in checked.findings),
    )


def _new_batch(
    upload: Upload, *, account: Account, currency: str, policy: BatchPolicy, actor: Actor
) -> NewBatch:
    wanted = upload.rows_per_second
    checks = upload.check_holders
    return NewBatch(
        id=f"bat_{uuid.uuid4().hex}",
        account_id=account.id,
        maker=actor.person,
        api_key_id=actor.api_key_id,
        label=upload.label or upload.file_name,
        currency=currency,
        exponent=CURRENCIES[currency].exponent,
        file_name=upload.file_name,
        # The account's own rule may be stricter than what is asked for, and never laxer.
        check_holders=policy.check_holders or bool(checks),
        rows_per_second=min(wanted or policy.rows_per_second, policy.rows_per_second),
        in_flight_cap=policy.in_flight_cap,
        period=upload.period,
        file_digest=upload.digest,
    )


def _begin(
    transaction: Transaction, new: NewBatch, idempotency: IdempotencyClaim, actor: Actor
) -> tuple[Batch, bool]:
    state = claim_keys(transaction, [(idempotency, new.id)])[0]
    if state.outcome is Outcome.NEW:
        digest = transaction.veil.digest("batch file", new.file_digest or "")
        return create_batch(transaction, replace(new, file_digest=digest), actor=actor), False
    if state.outcome is Outcome.CONFLICT or state.payment_id is None:
        raise BatchRefused("idempotency_mismatch", "The key stood for another request.")
    return lock_batch(transaction, state.payment_id), True


async def _store_rows(
    store: Store, batch: Batch, first: Sequence[CheckedRow], rest: Iterator[CheckedRow]
) -> None:
    checked = first
    while checked:
        rows = [row_of(one, batch_id=batch.id, exponent=batch.exponent) for one in checked]
        await store.write(lambda t, rows=rows: insert_rows(t, rows))  # type: ignore[misc]
        pass_by("batch.upload.after_rows")
        checked = await asyncio.to_thread(_next_rows, rest)


def _next_rows(rows: Iterator[CheckedRow]) -> list[CheckedRow]:
    return list(islice(rows, ROWS_AT_ONCE))


def _loaded(transaction: Transaction, batch_id: str, check: FileCheck) -> Batch:
    batch = lock_batch(transaction, batch_id)
    if batch.loaded:
        return batch
    summary = check.summary
    content = transaction.veil.digest("batch content", summary.content_hash)
    findings: list[Finding] = list(summary.findings)
    twin = find_twin_file(transaction, batch, content_digest=content)
    if twin is not None:
        day = datetime.fromtimestamp(twin.created_at, UTC).date().isoformat()
        findings.append(doubt("same_file", label=twin.label, day=day))
    layout = Layout(
        columns=[(one.index, one.title, one.role.value) for one in check.columns],
        findings=[finding.stored() for finding in findings],
        notes=[(words.en, words.fr) for words in check.notes],
    )
    grave = sum(finding.severity is Severity.ERROR for finding in findings)
    return change_batch(
        transaction, batch, event="loaded", loaded=True, row_count=summary.rows, layout=layout,
        content_digest=content, due_at=transaction.now,
        details={"rows": summary.rows, "errors_in_file": grave},
    )  # fmt: skip


def _give_up(transaction: Transaction, batch_id: str) -> None:
    batch = lock_batch(transaction, batch_id)
    change_batch(
        transaction, batch, event="unreadable", to=BatchState.CANCELLED, ended_at=transaction.now
    )
