"""Make a batch's payments after its approval: every id and every byte on disk before any leaves.

One payment for each row, for ever: killed in the middle, it goes on behind the last row it stored.
"""

from __future__ import annotations

from typing import Protocol

from momokit.errors import InvalidInput
from momokit.gateway.core.batch import BatchState
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.orders import Order, new_payment
from momokit.gateway.store.batch_rows import BatchRow, included_rows
from momokit.gateway.store.batch_running import PreparedRow, prepare_rows
from momokit.gateway.store.batches import Batch, change_batch, held_batch
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.guards import LimitExceeded
from momokit.gateway.store.store import Store
from momokit.operations.forms import Forms

ROWS_AT_ONCE = 200


class Book(Protocol):
    """The accounts, as the composition root keeps them."""

    def forms_of(self, account_id: str, /) -> Forms:
        """Give the forms of an account's market."""
        ...


async def prepare(claimed: Batch, *, store: Store, book: Book, public_url: str | None) -> None:
    """Store the payments of the next rows of a claimed batch; after the last it may run."""
    rows = await store.read(
        lambda t: included_rows(
            t, claimed.id, after=claimed.prepared_through, limit=ROWS_AT_ONCE
        )
    )  # fmt: skip
    forms = book.forms_of(claimed.account_id)
    try:
        made = [_prepared(row, claimed, forms, public_url) for row in rows]
    except InvalidInput as error:
        said = f"A row cannot be made a payment of: {error.field}."
        await store.write(lambda t: _stop(t, claimed, said))
        return
    pass_by("batch.prepare.before_commit")
    try:
        await store.write(lambda t: _write(t, claimed, made))
    except LimitExceeded as error:
        said = f"The account's limits do not allow it: {error.exceeded.limit}."
        await store.write(lambda t: _stop(t, claimed, said))
        return
    pass_by("batch.prepare.after_commit")


def _prepared(row: BatchRow, batch: Batch, forms: Forms, public_url: str | None) -> PreparedRow:
    assert row.amount is not None and row.amount_minor is not None  # noqa: PT018 - it is payable
    order = Order(
        kind="transfer",
        amount=str(row.amount),
        currency=batch.currency,
        account=batch.account_id,
        party=row.personal.payee,
        merchant_reference=row.reference or None,
        payer_message=row.personal.note or None,
        payee_note=row.personal.note or None,
        metadata={"batch_id": batch.id, "row": str(row.number)},
    )
    new = new_payment(
        order, forms=forms, account_id=batch.account_id, api_key_id=batch.api_key_id,
        public_url=public_url,
    )  # fmt: skip
    return PreparedRow(row=row.number, amount_minor=row.amount_minor, new=new)


def _write(transaction: Transaction, claimed: Batch, made: list[PreparedRow]) -> None:
    batch = held_batch(transaction, claimed)
    if batch is None or batch.state not in (BatchState.APPROVED, BatchState.PREPARING):
        return
    if batch.state is BatchState.APPROVED:
        batch = change_batch(transaction, batch, event="preparing", to=BatchState.PREPARING)
    through = made[-1].row if made else batch.prepared_through
    prepare_rows(transaction, batch, made, through=through)
    ready = len(made) < ROWS_AT_ONCE
    if ready:
        batch = change_batch(
            transaction, batch, event="running", to=BatchState.RUNNING,
            started_at=batch.started_at or transaction.now,
        )  # fmt: skip
    change_batch(transaction, batch, event=None, lease_until=None, due_at=transaction.now)


def _stop(transaction: Transaction, claimed: Batch, because: str) -> None:
    batch = held_batch(transaction, claimed)
    if batch is None or batch.state not in (BatchState.APPROVED, BatchState.PREPARING):
        return
    change_batch(
        transaction, batch, event="paused", to=BatchState.PAUSED, paused_reason=because,
        lease_until=None, due_at=None, details={"because": because},
    )  # fmt: skip
