"""What MTN said of payees, kept so that it need not be asked again; and what a batch comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
from sqlalchemy import func, or_, select, update

from momokit.gateway.core.holder import Holder
from momokit.gateway.store.batch_rows import OK, UNVERIFIED
from momokit.gateway.store.batch_running import Tally
from momokit.gateway.store.batch_tables import batch_rows, batches, payee_checks
from momokit.gateway.store.batches import Batch
from momokit.gateway.store.database import Transaction, insert_unless_there

YES_KEPT_SECONDS = 30 * 86400.0
NO_KEPT_SECONDS = 3600.0
"""A no is asked again soon: the payee may have been told to open an account."""


def find_checks(
    transaction: Transaction, account_id: str, digests: Sequence[str]
) -> dict[str, Holder]:
    """Find what MTN said of payees not long ago."""
    rows = transaction.connection.execute(
        select(payee_checks).where(
            payee_checks.c.account_id == account_id,
            payee_checks.c.payee_digest.in_(list(digests)),
            or_(
                payee_checks.c.at > transaction.now - NO_KEPT_SECONDS,
                (payee_checks.c.active == "yes")
                & (payee_checks.c.at > transaction.now - YES_KEPT_SECONDS),
            ),
        )
    )
    found: dict[str, Holder] = {}
    for row in rows:
        place = _place(account_id, row.payee_digest)
        given, family = msgspec.json.decode(
            transaction.veil.open(bytes(row.sealed), place=place),
            type=tuple[str | None, str | None],
        )
        found[row.payee_digest] = Holder(
            active=row.active, given_name=given, family_name=family
        )  # fmt: skip
    return found


def keep_checks(transaction: Transaction, account_id: str, answers: Mapping[str, Holder]) -> None:
    """Keep what MTN said; where it gave no answer nothing is kept."""
    for digest, answer in answers.items():
        if not answer.is_worth_keeping:
            continue
        names = msgspec.json.encode((answer.given_name, answer.family_name))
        values = {
            "at": transaction.now,
            "active": answer.active,
            "sealed": transaction.veil.seal(names, place=_place(account_id, digest)),
        }
        statement = insert_unless_there(transaction.connection, payee_checks)
        transaction.connection.execute(
            statement.values(account_id=account_id, payee_digest=digest, **values)
        )
        transaction.connection.execute(
            update(payee_checks)
            .where(
                payee_checks.c.account_id == account_id, payee_checks.c.payee_digest == digest
            )
            .values(**values)
        )  # fmt: skip


def sums_of(transaction: Transaction, batch_id: str) -> Tally:
    """Count the rows that are to be paid, and sum their money."""
    row = transaction.connection.execute(
        select(
            func.count().label("rows"), func.sum(batch_rows.c.amount_minor).label("minor")
        ).where(
            batch_rows.c.batch_id == batch_id,
            ~batch_rows.c.excluded,
            batch_rows.c.check_state.in_((OK, UNVERIFIED)),
        )
    ).one()
    return Tally(rows=row.rows, amount_minor=int(row.minor or 0))


def largest_payee_minor(transaction: Transaction, batch_id: str) -> int:
    """Sum what the payee who gets most of a batch gets."""
    largest = transaction.connection.execute(
        select(func.sum(batch_rows.c.amount_minor).label("minor"))
        .where(batch_rows.c.batch_id == batch_id, ~batch_rows.c.excluded)
        .group_by(batch_rows.c.payee_digest)
        .order_by(func.sum(batch_rows.c.amount_minor).desc().nulls_last())
        .limit(1)
    ).scalar_one_or_none()
    return int(largest or 0)


def approved_today(transaction: Transaction, batch: Batch) -> Decimal:
    """Sum the other batches of the account and currency that were approved today (UTC)."""
    midnight = transaction.now // 86400 * 86400
    total = transaction.connection.execute(
        select(func.sum(batches.c.amount_minor)).where(
            batches.c.account_id == batch.account_id,
            batches.c.currency == batch.currency,
            batches.c.approved_at >= midnight,
            batches.c.id != batch.id,
        )
    ).scalar_one_or_none()
    return batch.money(int(total or 0))


def _place(account_id: str, digest: str) -> str:
    return f"payee_checks {account_id} {digest}"
