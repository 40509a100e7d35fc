"""Two persons: whoever makes a batch does not approve it, and no path around that is open."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import DBAPIError

from momokit.gateway.core.batch import BatchRefused, BatchState, person_of
from momokit.gateway.keys import make_key
from momokit.gateway.steps import batch_sign, batch_steer
from momokit.gateway.steps.batch_steer import Edit
from momokit.gateway.store.batch_history import broken_line, list_approvals
from momokit.gateway.store.batch_tables import batch_approvals, batch_events, batch_rows, batches
from momokit.gateway.store.batches import Batch
from momokit.gateway.store.tables import payments
from tests.gateway.batches.making import CHECKER, FAST, MAKER, SECOND, Desk, line
from tests.gateway.store.making import new_payment

pytestmark = pytest.mark.anyio

REFUSED = (DBAPIError,)


async def test_the_maker_cannot_approve(desk: Desk) -> None:
    """The code refuses it before the database has to."""
    batch = await desk.submitted(line(1))
    with pytest.raises(BatchRefused) as refused:
        await desk.approve(batch, actor=MAKER)
    assert refused.value.code == "maker_cannot_check"


def test_two_keys_of_one_owner_are_one_person() -> None:
    """A person stays one person under another key, another case and other spaces."""
    one = make_key(label="office", scopes=["disburse"], live=False, owner="Amina  K")
    two = make_key(label="phone", scopes=["approve"], live=False, owner=" amina k ")
    assert person_of(one.key.owner or "") == person_of(two.key.owner or "")


def word(batch: Batch, **changes: Any) -> dict[str, Any]:
    """Write an approval by hand."""
    values = {
        "batch_id": batch.id, "maker": batch.maker, "checker": "brian", "what": "approve",
        "codes": "[]", "hash": batch.rows_hash, "bound_batch_id": batch.id,
        "bound_hash": batch.rows_hash, "at": 0.0,
    }  # fmt: skip
    return values | changes


async def test_the_database_refuses_the_makers_own_word(desk: Desk) -> None:
    """Not even by hand does a maker's approval get in, under whatever maker it claims."""
    batch = await desk.submitted(line(1))
    for values in (
        word(batch, checker="amina"),
        word(batch, maker="brian", checker="amina"),  # names another maker than the batch has
        word(batch, bound_hash="other"),
        word(batch, hash="other", bound_hash="other"),
    ):
        with pytest.raises(REFUSED):
            await desk.sql(insert(batch_approvals), values)
    assert await desk.store.read(lambda t: list_approvals(t, batch.id)) == []


@pytest.mark.parametrize(
    "values",
    [
        {"state": "approved"},
        {"state": "preparing"},
        {"state": "running"},
        {"state": "paused"},
        {"state": "finished"},
        {"maker": "brian"},
        {"approvals_needed": 0},
        {"rows_hash": "other"},
        {"amount_minor": 1},
    ],
)
async def test_the_database_refuses_to_run_what_nobody_approved(
    desk: Desk, values: dict[str, Any]
) -> None:
    """A submitted batch is neither run nor changed by hand."""
    batch = await desk.submitted(line(1))
    with pytest.raises(REFUSED):
        await desk.sql(update(batches).values(**values))
    assert await desk.batch(batch) == batch


async def test_one_word_is_not_two(desk: Desk) -> None:
    """Above the threshold it takes two checkers, and one of them twice is not two."""
    await desk.policy(replace(FAST, second_approver_above=Decimal(500)))
    batch = await desk.submitted(line(1, 1000))
    first = await desk.approve(batch)
    with pytest.raises(BatchRefused) as again:
        await desk.approve(batch)
    with pytest.raises(REFUSED):
        await desk.sql(update(batches).values(state="approved"))
    second = await desk.approve(batch, actor=SECOND)
    assert (first.state, again.value.code) == (BatchState.SUBMITTED, "word_given")
    assert (batch.approvals_needed, second.state) == (2, BatchState.APPROVED)


@pytest.mark.parametrize(
    "statement",
    [
        update(batch_rows).values(amount="9", amount_minor=9),
        update(batch_rows).values(payee_digest="other"),
        update(batch_rows).values(excluded=True),
        update(batch_rows).values(findings="[]"),
        delete(batch_rows),
    ],
)
async def test_rows_under_approval_do_not_change(desk: Desk, statement: Any) -> None:
    """The database refuses any edit of a row from the submission on."""
    batch = await desk.submitted(line(1))
    with pytest.raises(REFUSED, match="under approval"):
        await desk.sql(statement)
    with pytest.raises(BatchRefused):
        await batch_steer.edit_row(
            desk.store, batch.id, 2, Edit(texts={"amount": "9"}), book=desk.book, actor=MAKER
        )


async def test_an_approval_is_of_the_rows_that_were_seen(desk: Desk) -> None:
    """Edited after an approval, a batch has none: it is approved by its new hash or not at all."""
    await desk.policy(replace(FAST, second_approver_above=Decimal(500)))
    batch = await desk.submitted(line(1, 1000), line(2, 2000))
    await desk.approve(batch)
    await batch_sign.withdraw(desk.store, batch.id, actor=MAKER)
    await batch_steer.edit_row(
        desk.store, batch.id, 2, Edit(texts={"amount": "1500"}), book=desk.book, actor=MAKER
    )
    await desk.check(batch)
    changed = await batch_sign.submit(desk.store, batch.id, actor=MAKER)
    words = await desk.store.read(lambda t: list_approvals(t, batch.id))
    with pytest.raises(BatchRefused) as refused:
        await desk.approve(batch, actor=SECOND)
    after = await desk.approve(changed, actor=SECOND)
    assert [one.counts for one in words] == [False]
    assert refused.value.code == "hash_changed"
    assert (changed.rows_hash != batch.rows_hash, changed.amount) == (True, 3500)
    assert after.state is BatchState.SUBMITTED


async def test_a_voided_approval_is_not_bound_again(desk: Desk) -> None:
    """What an edit has voided stays void, by hand too."""
    await desk.policy(replace(FAST, second_approver_above=Decimal(500)))
    batch = await desk.submitted(line(1, 1000))
    await desk.approve(batch)
    for statement in (
        update(batch_approvals).values(bound_hash=batch.rows_hash, bound_batch_id=batch.id),
        update(batch_approvals).values(checker="chantal"),
        delete(batch_approvals),
    ):
        with pytest.raises(REFUSED):
            await desk.sql(statement)


async def test_only_the_maker_edits_and_submits(desk: Desk) -> None:
    """A checker who could edit would approve their own rows."""
    batch = await desk.checked(line(1))
    for attempt in (
        batch_sign.submit(desk.store, batch.id, actor=CHECKER),
        batch_steer.edit_row(
            desk.store, batch.id, 2, Edit(texts={"amount": "9"}), book=desk.book, actor=CHECKER
        ),
    ):
        with pytest.raises(BatchRefused) as refused:
            await attempt
        assert refused.value.code == "not_the_maker"


async def test_a_payment_is_made_for_an_approved_row_alone(desk: Desk) -> None:
    """The database takes no payment for a batch that is not being prepared, nor another amount."""
    batch = await desk.submitted(line(1, 1000))
    new = new_payment("x", amount=Decimal(1000))
    await desk.store.accept(new, idempotency=None)
    for values in (
        {"batch_id": batch.id, "batch_row": 2, "batch_minor": 1000},
        {"batch_minor": 5},
    ):
        with pytest.raises(REFUSED, match="approved row"):
            await desk.sql(update(payments).values(**values))
    with pytest.raises(REFUSED, match="approved row"):
        await desk.sql(
            text(
                "INSERT INTO payments (id, account_id, kind, product, operation, state, amount,"
                " currency, external_id, reference_id, path, sealed, status_path, lease_token,"
                " sending, doubtful, hinted, attempts, polls, ask_failures, absences, review,"
                " sequence, created_at, updated_at, batch_id, batch_row, batch_minor) SELECT"
                " 'pay_y', account_id, kind, product, operation, state, amount, currency, 'y',"
                " 'y', path, sealed, status_path, 0, sending, doubtful, hinted, 0, 0, 0, 0,"
                " review, 1, created_at, updated_at, :batch, 2, 1000 FROM payments"
            ),
            {"batch": batch.id},
        )


@pytest.mark.parametrize(("limit", "allowed"), [("max_per_payee", 1998), ("max_per_batch", 2998)])
async def test_a_batch_over_a_limit_is_not_submitted(desk: Desk, limit: str, allowed: int) -> None:
    """What one payee gets in all, and what the batch comes to, stay within the account's limits."""
    batch = await desk.checked(line(1, 1000), line(1, 999, reference="again"), line(2, 1000))
    await desk.policy(replace(FAST, **{limit: Decimal(allowed)}))
    with pytest.raises(BatchRefused, match=limit) as refused:
        await batch_sign.submit(desk.store, batch.id, actor=MAKER)
    await desk.policy(replace(FAST, **{limit: Decimal(allowed + 1)}))
    submitted = await batch_sign.submit(desk.store, batch.id, actor=MAKER)
    assert (refused.value.code, submitted.amount) == ("batch_limit", 2999)


async def test_the_batches_of_one_day_stay_within_its_limit(desk: Desk) -> None:
    """Two batches, each within the limit, are not both approved on one day; the next day, yes."""
    await desk.policy(replace(FAST, max_per_day=Decimal(1999)))
    first, second = await desk.submitted(line(1, 1000)), await desk.submitted(line(2, 1000))
    await desk.approve(first)
    with pytest.raises(BatchRefused, match="max_per_day"):
        await desk.approve(second)
    desk.clock.advance(86_400.0)
    assert (await desk.approve(second)).state is BatchState.APPROVED


async def test_a_rejected_batch_is_over(desk: Desk) -> None:
    """A rejection is for good, by hand too."""
    batch = await desk.submitted(line(1))
    rejected = await batch_sign.reject(
        desk.store, batch.id, actor=CHECKER, seen_hash=batch.rows_hash or "", because="No."
    )
    with pytest.raises(BatchRefused):
        await desk.approve(batch)
    with pytest.raises(REFUSED):
        await desk.sql(update(batches).values(state="submitted"))
    assert rejected.state is BatchState.REJECTED


async def test_an_approval_repeated_is_one(desk: Desk) -> None:
    """The same key approves once, however often it is sent."""
    batch = await desk.submitted(line(1))
    claim = desk.claim("approve-1")
    for _ in range(3):
        after = await batch_sign.approve(
            desk.store, batch.id, actor=CHECKER, seen_hash=batch.rows_hash or "",
            idempotency=claim,
        )  # fmt: skip
    words = await desk.store.read(lambda t: list_approvals(t, batch.id))
    assert (after.state, len(words)) == (BatchState.APPROVED, 1)


@pytest.mark.parametrize(
    "statement", [update(batch_events).values(actor="x"), delete(batch_events)]
)
async def test_the_history_of_a_batch_is_only_added_to(desk: Desk, statement: Any) -> None:
    """The database refuses to change or to drop a line."""
    await desk.submitted(line(1))
    with pytest.raises(REFUSED, match="history is only added to"):
        await desk.sql(statement)


async def test_a_line_changed_behind_the_databases_back_is_found(desk: Desk) -> None:
    """With the triggers off, a changed line no longer fits the chain."""
    batch = await desk.submitted(line(1))
    whole = await desk.store.read(lambda t: broken_line(t, batch.id))
    sqlite = desk.store.is_sqlite
    off = "DROP TRIGGER batch_events_no_update" if sqlite else (
        "SET LOCAL session_replication_role = replica"
    )  # fmt: skip

    def tamper(transaction: Any) -> None:
        transaction.connection.execute(text(off))
        transaction.connection.execute(
            update(batch_events).where(batch_events.c.sequence == 2).values(actor="chantal")
        )

    await desk.store.write(tamper)
    assert whole is None
    assert await desk.store.read(lambda t: broken_line(t, batch.id)) == 2
