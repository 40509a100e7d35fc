"""Steer a batch by hand: pause it, go on, drop the rest, edit a row, pay again what failed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from sqlalchemy.exc import DBAPIError

from momokit.errors import InvalidInput
from momokit.gateway.core.batch import (
    Action,
    BatchRefused,
    BatchState,
)
from momokit.gateway.core.batch_file import Column, Role
from momokit.gateway.core.batch_findings import Finding, doubt, warning
from momokit.gateway.core.batch_rows import CheckedRow, Rules, check_row
from momokit.gateway.core.cells import Cell, Row, pack_cells, unpack_cells
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.store.batch_history import Actor
from momokit.gateway.store.batch_retries import failed_rows, free_retries
from momokit.gateway.store.batch_rows import (
    REJECTED,
    UNCHECKED,
    BatchRow,
    Personal,
    change_rows,
    find_row,
    insert_retries,
    same_payee_rows,
)
from momokit.gateway.store.batch_running import hold_back_rows, unclaimed_rows
from momokit.gateway.store.batches import (
    Batch,
    Layout,
    NewBatch,
    change_batch,
    create_batch,
    lock_batch,
    lock_for,
    read_policy,
    to_minor,
)
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.idempotency import claim_keys
from momokit.gateway.store.records import IdempotencyClaim, NoSuchRow, Outcome
from momokit.gateway.store.store import Store
from momokit.market import Market
from momokit.operations.forms import Forms

ROWS_AT_ONCE = 200
HELD_BACK_AT_ONCE = 5000
EDITABLE_ROLES = {
    "phone": Role.PHONE,
    "amount": Role.AMOUNT,
    "name": Role.NAME,
    "reference": Role.REFERENCE,
    "note": Role.NOTE,
}


class Book(Protocol):
    """The accounts, as the composition root keeps them."""

    def forms_of(self, account_id: str, /) -> Forms:
        """Give the forms of an account's market."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """What to change of a row: texts by what they are (phone, amount …), and whether it is paid."""

    texts: Mapping[str, str]
    excluded: bool | None = None


async def pause(store: Store, batch_id: str, *, actor: Actor, because: str) -> Batch:
    """Stop a batch where it stands; what a worker has taken up is still paid."""

    def unit(transaction: Transaction) -> Batch:
        batch = lock_for(transaction, batch_id, Action.PAUSE, actor)
        taken = unclaimed_rows(transaction, batch.id, limit=HELD_BACK_AT_ONCE)
        hold_back_rows(transaction, taken)
        return change_batch(
            transaction, batch, event="paused", actor=actor, to=BatchState.PAUSED, due_at=None,
            paused_reason=because, spendable_minor=None,
            details={"because": because, "held_back": len(taken)},
        )  # fmt: skip

    pass_by("batch.pause.before_commit")
    batch = await store.write(unit)
    pass_by("batch.pause.after_commit")
    return batch


async def resume(store: Store, batch_id: str, *, actor: Actor) -> Batch:
    """Let a paused batch go on where it stopped. The balance is asked anew."""

    def unit(transaction: Transaction) -> Batch:
        batch = lock_for(transaction, batch_id, Action.RESUME, actor)
        # Not all payments were made, or none: that comes first, and skips what is there.
        return change_batch(
            transaction, batch, event="resumed", actor=actor, to=BatchState.PREPARING,
            paused_reason=None, resumed_at=transaction.now, due_at=transaction.now,
            spendable_minor=None,
        )  # fmt: skip

    pass_by("batch.resume.before_commit")
    batch = await store.write(unit)
    pass_by("batch.resume.after_commit")
    return batch


async def cancel(store: Store, batch_id: str, *, actor: Actor, because: str) -> Batch:
    """Drop what of a batch has not left; what has is followed to its end."""

    def unit(transaction: Transaction) -> Batch:
        batch = lock_for(transaction, batch_id, Action.CANCEL, actor)
        approved = batch.approved_at is not None
        hold_back_rows(
            transaction, unclaimed_rows(transaction, batch.id, limit=HELD_BACK_AT_ONCE)
        )  # fmt: skip
        if not approved:
            free_retries(transaction, batch.id)
        return change_batch(
            transaction, batch, event="cancelled", actor=actor, to=BatchState.CANCELLED,
            due_at=transaction.now if approved else None,
            ended_at=None if approved else transaction.now, paused_reason=None,
            details={"because": because},
        )  # fmt: skip

    return await store.write(unit)


async def edit_row(
    store: Store, batch_id: str, number: int, edit: Edit, *, book: Book, actor: Actor
) -> BatchRow:
    """Change a row before it is submitted, or leave it out; the batch is checked again.

    Raises InvalidInput for a text that the file has no column for, NoSuchRow, BatchRefused.
    """

    def unit(transaction: Transaction) -> BatchRow:
        batch = lock_for(transaction, batch_id, Action.EDIT, actor)
        found = find_row(transaction, batch_id, number)
        if found is None:
            raise NoSuchRow(f"There is no row {number}.")
        row = found.row
        if edit.texts:
            market = book.forms_of(batch.account_id).market
            row = _rewritten(transaction, batch, row, edit.texts, market)
        if edit.excluded is not None:
            row = replace(row, excluded=edit.excluded)
        change_rows(transaction, [row])
        change_batch(
            transaction, batch, event="row_edited", actor=actor, to=BatchState.DRAFT,
            rows_hash=None, due_at=transaction.now if batch.loaded else None,
            details={
                "row": number, "changed": sorted(edit.texts), "excluded": row.excluded,
            },
        )  # fmt: skip
        return row

    return await store.write(unit)


async def retry_failed(
    store: Store,
    batch_id: str,
    *,
    actor: Actor,
    idempotency: IdempotencyClaim,
    with_cancelled: bool = False,
) -> Batch:
    """Make a linked batch of the rows that are proven to have failed; it needs approval anew."""
    new_id = f"bat_{uuid.uuid4().hex}"

    def begin(transaction: Transaction) -> Batch:
        state = claim_keys(transaction, [(idempotency, new_id)])[0]
        if state.outcome is Outcome.CONFLICT or state.payment_id is None:
            raise BatchRefused("idempotency_mismatch", "The key stood for another request.")
        if state.outcome is Outcome.REPLAYED:
            return lock_batch(transaction, state.payment_id)
        batch = lock_for(transaction, batch_id, Action.RETRY, actor)
        if not failed_rows(transaction, batch.id, with_cancelled=with_cancelled, after=0, limit=1):
            said = "No row is proven to have failed that is not paid again already."
            raise BatchRefused("nothing_to_retry", said)
        return create_batch(transaction, _successor(batch, new_id, actor), actor=actor)

    successor = await store.write(begin)
    pass_by("batch.retry.after_commit")
    after = 0
    while not successor.loaded and successor.state is BatchState.DRAFT:
        copy = partial(_copy, batch_id=successor.id, with_cancelled=with_cancelled, after=after)
        successor, after = await store.write(copy)
    return successor


def _successor(batch: Batch, new_id: str, actor: Actor) -> NewBatch:
    return NewBatch(
        id=new_id,
        account_id=batch.account_id,
        maker=actor.person,
        api_key_id=actor.api_key_id,
        label=f"{batch.label} (again)"[:200],
        currency=batch.currency,
        exponent=batch.exponent,
        file_name=batch.file_name,
        check_holders=batch.check_holders,
        rows_per_second=batch.rows_per_second,
        in_flight_cap=batch.in_flight_cap,
        period=batch.period,
        parent_id=batch.id,
    )


def _copy(
    transaction: Transaction, *, batch_id: str, with_cancelled: bool, after: int
) -> tuple[Batch, int]:
    successor = lock_batch(transaction, batch_id)
    assert successor.parent_id is not None
    parent = lock_batch(transaction, successor.parent_id)
    rows = failed_rows(
        transaction, parent.id, with_cancelled=with_cancelled, after=after, limit=ROWS_AT_ONCE
    )
    again = [
        replace(
            row, batch_id=successor.id, retry_of=(parent.id, row.number), check_state=UNCHECKED,
            excluded=False,
        )
        for row in rows
    ]  # fmt: skip
    try:
        insert_retries(transaction, again)
    except DBAPIError as error:
        said = "What became of these rows has just changed: try again."
        raise BatchRefused("rows_changed", said) from error
    count = successor.row_count + len(rows)
    if len(rows) == ROWS_AT_ONCE:
        return change_batch(transaction, successor, event=None, row_count=count), rows[-1].number
    layout = Layout(columns=parent.layout.columns)
    done = change_batch(
        transaction, successor, event="loaded", loaded=True, row_count=count, layout=layout,
        due_at=transaction.now, details={"rows": count, "retry_of": parent.id},
    )  # fmt: skip
    change_batch(
        transaction, parent, event="retried", details={"batch_id": successor.id, "rows": count}
    )
    return done, after


def _rewritten(
    transaction: Transaction, batch: Batch, row: BatchRow, texts: Mapping[str, str], market: Market
) -> BatchRow:
    columns = [
        Column(index=index, title=title, role=Role(role))
        for index, title, role in batch.layout.columns
    ]
    cells = list(unpack_cells(row.personal.cells))
    for name, text in texts.items():
        role = EDITABLE_ROLES[name]
        column = next((one for one in columns if one.role is role), None)
        if column is None:
            raise InvalidInput("The file has no such column.", field=name)
        cells += [Cell("")] * (column.index + 1 - len(cells))
        cells[column.index] = Cell(text)
    policy = read_policy(transaction, batch.account_id)
    rules = Rules(market=market, currency=batch.currency, max_amount=policy.max_per_payee)
    checked = check_row(Row(row.number, tuple(cells)), columns=columns, rules=rules)
    payee, amount = checked.payee, checked.amount
    twins = same_payee_rows(transaction, batch.id, payee.reveal()) if payee is not None else {}
    twins.pop(row.number, None)
    found = [*checked.findings, *_twin_findings(checked, twins)]
    return replace(
        row,
        personal=Personal(
            cells=pack_cells(cells),
            payee=payee.reveal() if payee is not None else None,
            name=checked.name,
            national_id=checked.national_id,
            note=checked.note,
        ),
        reference=checked.reference,
        amount=amount,
        amount_minor=to_minor(amount, batch.exponent) if amount is not None else None,
        check_state=UNCHECKED if checked.is_payable else REJECTED,
        findings=tuple(one.stored() for one in found),
    )


def _twin_findings(checked: CheckedRow, twins: Mapping[int, object]) -> list[Finding]:
    for number, amount in sorted(twins.items()):
        if amount == checked.amount:
            return [doubt("same_payee_and_amount", row=str(number))]
    return [warning("same_payee", row=str(min(twins)))] if twins else []
