"""Put a batch before a second person, and take that person's word: the database holds who is who.

Each of these is one transaction under the batch's lock, with its line in the batch's history.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from momokit.gateway.core.batch import (
    Action,
    BatchRefused,
    BatchState,
    approvals_needed,
    exceeded,
    missing_overrides,
)
from momokit.gateway.core.batch_findings import Severity
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.store.batch_checks import (
    approved_today,
    largest_payee_minor,
)
from momokit.gateway.store.batch_history import (
    APPROVE,
    OVERRIDE,
    Actor,
    add_approval,
    list_approvals,
)
from momokit.gateway.store.batch_past import paid_meanwhile
from momokit.gateway.store.batch_retries import free_retries
from momokit.gateway.store.batch_rows import REJECTED, count_checks, recheck_rows
from momokit.gateway.store.batches import (
    Batch,
    change_batch,
    lock_batch,
    lock_for,
    read_policy,
)
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.idempotency import claim_keys
from momokit.gateway.store.records import IdempotencyClaim, NotUnique, Outcome
from momokit.gateway.store.store import Store

T = TypeVar("T")


async def submit(store: Store, batch_id: str, *, actor: Actor) -> Batch:
    """Put a checked batch before a second person; its rows change no more from now on."""

    def unit(transaction: Transaction) -> Batch:
        batch = lock_for(transaction, batch_id, Action.SUBMIT, actor)
        _refuse_what_is_wrong(transaction, batch)
        policy = read_policy(transaction, batch.account_id)
        # First the number of checkers, while the batch is still open to change.
        batch = change_batch(
            transaction, batch, event=None, approvals_needed=approvals_needed(batch.amount, policy)
        )
        return change_batch(
            transaction, batch, event="submitted", actor=actor, to=BatchState.SUBMITTED,
            submitted_at=transaction.now, due_at=None,
            details={"hash": batch.rows_hash, "approvals_needed": batch.approvals_needed},
        )  # fmt: skip

    return await store.write(unit)


async def withdraw(store: Store, batch_id: str, *, actor: Actor) -> Batch:
    """Take a submitted batch back, to change its rows."""

    def unit(transaction: Transaction) -> Batch:
        batch = lock_for(transaction, batch_id, Action.WITHDRAW, actor)
        return change_batch(
            transaction, batch, event="withdrawn", actor=actor, to=BatchState.CHECKED
        )

    return await store.write(unit)


async def recheck(store: Store, batch_id: str, *, actor: Actor) -> Batch:
    """Check again what could not be checked, or was found wrong by MTN."""

    def unit(transaction: Transaction) -> Batch:
        batch = lock_for(transaction, batch_id, Action.EDIT, actor)
        recheck_rows(transaction, batch.id)
        return change_batch(
            transaction, batch, event="recheck", actor=actor, to=BatchState.DRAFT,
            rows_hash=None, due_at=transaction.now,
        )  # fmt: skip

    return await store.write(unit)


async def override(
    store: Store, batch_id: str, *, actor: Actor, seen_hash: str, codes: Sequence[str], because: str
) -> Batch:
    """Take findings upon oneself, as a second person, for these rows and no others."""

    def unit(transaction: Transaction) -> Batch:
        batch = _signable(transaction, batch_id, Action.OVERRIDE, actor, seen_hash)
        if strange := sorted(set(codes) - set(batch.wanted_overrides)):
            raise BatchRefused("nothing_to_override", f"Nothing of {strange[0]} was found here.")
        _add_word(transaction, batch, actor, OVERRIDE, codes=codes, because=because)
        return change_batch(
            transaction, batch, event="overridden", actor=actor,
            details={"codes": sorted(codes), "because": because, "hash": seen_hash},
        )  # fmt: skip

    return await store.write(unit)


async def approve(
    store: Store,
    batch_id: str,
    *,
    actor: Actor,
    seen_hash: str,
    idempotency: IdempotencyClaim | None = None,
) -> Batch:
    """Approve a batch as it was seen; with enough approvals its payments are made and run."""

    def unit(transaction: Transaction) -> Batch:
        if _replayed(transaction, idempotency, batch_id):
            return lock_batch(transaction, batch_id)
        batch = _signable(transaction, batch_id, Action.APPROVE, actor, seen_hash)
        given = _codes_given(transaction, batch)
        if missing := missing_overrides(batch.wanted_overrides, given=given):
            said = f"Nobody has taken these findings upon themselves: {', '.join(missing)}."
            raise BatchRefused("overrides_missing", said)
        _refuse_over_limits(transaction, batch)
        _add_word(transaction, batch, actor, APPROVE)
        batch = change_batch(
            transaction, batch, event="approved", actor=actor, details={"hash": seen_hash}
        )
        words = list_approvals(transaction, batch.id)
        checkers = {one.checker for one in words if one.counts and one.what == APPROVE}
        if len(checkers) < batch.approvals_needed:
            return batch
        return change_batch(
            transaction, batch, event="approval_complete", to=BatchState.APPROVED,
            approved_at=transaction.now, due_at=transaction.now,
            details={"checkers": sorted(checkers)},
        )  # fmt: skip

    pass_by("batch.approve.before_commit")
    batch = await store.write(unit)
    pass_by("batch.approve.after_commit")
    return batch


async def reject(
    store: Store, batch_id: str, *, actor: Actor, seen_hash: str, because: str
) -> Batch:
    """Turn a batch down, for good."""

    def unit(transaction: Transaction) -> Batch:
        batch = _signable(transaction, batch_id, Action.REJECT, actor, seen_hash)
        free_retries(transaction, batch.id)
        return change_batch(
            transaction, batch, event="rejected", actor=actor, to=BatchState.REJECTED,
            ended_at=transaction.now, due_at=None, details={"because": because},
        )  # fmt: skip

    return await store.write(unit)


def _signable(
    transaction: Transaction, batch_id: str, action: Action, actor: Actor, seen_hash: str
) -> Batch:
    batch = lock_for(transaction, batch_id, action, actor)
    if seen_hash != batch.rows_hash:
        said = "The rows are not the ones that were seen: read the batch again."
        raise BatchRefused("hash_changed", said)
    return batch


def _refuse_what_is_wrong(transaction: Transaction, batch: Batch) -> None:
    rejected = count_checks(transaction, batch.id).get(REJECTED, 0)
    if rejected:
        said = f"{rejected} rows cannot be paid as they are: correct them or leave them out."
        raise BatchRefused("rows_rejected", said)
    grave = [one["code"] for one in batch.layout.findings if one["severity"] == Severity.ERROR]
    if grave:
        raise BatchRefused("file_rejected", f"The file has to be corrected: {', '.join(grave)}.")
    if not batch.included_count:
        raise BatchRefused("nothing_to_pay", "There is no row to pay.")
    _refuse_over_limits(transaction, batch)


def _refuse_over_limits(transaction: Transaction, batch: Batch) -> None:
    """Hold a batch against its account's limits, no other batch being approved at this moment."""
    transaction.lock(f"batches of {batch.account_id}")
    over = exceeded(
        read_policy(transaction, batch.account_id),
        total=batch.amount,
        largest_payee=batch.money(largest_payee_minor(transaction, batch.id)),
        approved_today=approved_today(transaction, batch),
    )
    if over is not None:
        said = f"The batch is over the account's {over.limit} of {over.allowed} {batch.currency}."
        raise BatchRefused("batch_limit", said)
    if batch.state is BatchState.SUBMITTED and paid_meanwhile(transaction, batch):
        said = "Another batch with one of these payees was approved meanwhile: check it again."
        raise BatchRefused("checks_outdated", said)


def _codes_given(transaction: Transaction, batch: Batch) -> set[str]:
    words = list_approvals(transaction, batch.id)
    return {code for one in words if one.counts and one.what == OVERRIDE for code in one.codes}


def _add_word(
    transaction: Transaction,
    batch: Batch,
    actor: Actor,
    what: str,
    *,
    codes: Sequence[str] = (),
    because: str | None = None,
) -> None:
    try:
        add_approval(
            transaction, batch_id=batch.id, maker=batch.maker, rows_hash=batch.rows_hash or "",
            actor=actor, what=what, codes=codes, because=because,
        )  # fmt: skip
    except NotUnique:
        raise BatchRefused("word_given", "This person has given that word already.") from None


def _replayed(
    transaction: Transaction, idempotency: IdempotencyClaim | None, batch_id: str
) -> bool:
    if idempotency is None:
        return False
    state = claim_keys(transaction, [(idempotency, batch_id)])[0]
    if state.outcome is Outcome.CONFLICT:
        raise BatchRefused("idempotency_mismatch", "The key stood for another request.")
    return state.outcome is Outcome.REPLAYED
