"""What is done after lines were imported: the last resort, what is left over, what has gone.

Each function works on one chunk and tells where the next one begins, so that each is committed by
itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, select, tuple_

from momokit.gateway.core.disagreement import compare, lonely, missing
from momokit.gateway.core.discrepancy import Kind
from momokit.gateway.core.payment import State
from momokit.gateway.core.reconciliation import Pair, Rule, pair_weakly
from momokit.gateway.core.statement_profile import Profile
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.discrepancies import let_go, raise_findings
from momokit.gateway.store.statement_lines import (
    give_to_payments,
    hurry_payments,
    raise_for,
)
from momokit.gateway.store.statement_rows import PAYMENT_COLUMNS, to_ours, to_theirs
from momokit.gateway.store.statement_tables import (
    IS_MATCH,
    IS_OPEN,
    discrepancies,
    statements,
)
from momokit.gateway.store.statement_tables import statement_lines as lines
from momokit.gateway.store.statements import IMPORTED, Statement
from momokit.gateway.store.tables import payments

EDGE_SECONDS = 300.0
"""How far MTN's clock and ours may be apart at the edges of a statement."""


def pair_leftovers(
    transaction: Transaction,
    *,
    statement: Statement,
    profile: Profile,
    after_party: str,
    limit: int,
) -> tuple[str | None, int]:
    """Pair lines of some parties by amount, party and time; give where to go on, and how many."""
    transaction.lock(f"statements {statement.account_id}")
    loose = _loose(statement)
    parties = transaction.connection.execute(
        select(lines.c.party_hash)
        .where(*loose, lines.c.party_hash > after_party)
        .group_by(lines.c.party_hash)
        .order_by(lines.c.party_hash)
        .limit(limit)
    ).scalars().all()  # fmt: skip
    if not parties:
        return None, 0
    rows = transaction.connection.execute(
        select(lines).where(*loose, lines.c.party_hash.in_(parties))
    ).all()
    ids = {row.identity: row.id for row in rows}
    pairs = pair_weakly(
        [to_theirs(row) for row in rows], _candidates(transaction, statement, parties),
        window_seconds=profile.window_seconds,
    )  # fmt: skip
    give_to_payments(transaction, pairs, ids=ids)
    findings = [finding for pair in pairs for finding in compare(pair, profile)]
    raise_for(transaction, findings, statement=statement)
    hurry_payments(transaction, pairs)
    return (str(parties[-1]) if len(parties) == limit else None), len(pairs)


def raise_lonely(
    transaction: Transaction, *, statement: Statement, after_id: int, limit: int
) -> tuple[int | None, int]:
    """Put lines that belong to no payment into the queue."""
    rows = transaction.connection.execute(
        select(lines)
        .where(lines.c.account_id == statement.account_id, lines.c.relation.is_(None))
        .where(lines.c.statement_id == statement.id, lines.c.id > after_id)
        .order_by(lines.c.id)
        .limit(limit)
    ).all()
    found = [finding for row in rows if (finding := lonely(to_theirs(row))) is not None]
    raise_for(transaction, found, statement=statement)
    return (rows[-1].id if len(rows) == limit else None), len(found)


def missing_payments(
    transaction: Transaction,
    *,
    statement: Statement,
    after: tuple[float, str],
    limit: int,
) -> tuple[tuple[float, str] | None, list[Any]]:
    """Find successful payments that lived wholly within a statement's time and are not in it."""
    begins, ends = statement.period_from, statement.period_to
    if begins is None or ends is None:
        return None, []
    place = tuple_(payments.c.final_at, payments.c.id)
    query = (
        select(*PAYMENT_COLUMNS)
        .where(
            payments.c.account_id == statement.account_id,
            payments.c.final_at >= max(begins, after[0]),
            payments.c.final_at <= ends - EDGE_SECONDS,
            place > tuple_(*after),
            payments.c.created_at >= begins + EDGE_SECONDS,
            payments.c.state == State.SUCCESSFUL.value,
            payments.c.kind != "pre_approval",
            ~_is_matched(),
            *_of_product(statement),
        )
        .order_by(payments.c.final_at, payments.c.id)
        .limit(limit)
    )
    rows = list(transaction.connection.execute(query))
    return ((rows[-1].final_at, rows[-1].id) if len(rows) == limit else None), rows


def raise_missing(transaction: Transaction, rows: Sequence[Any], *, statement: Statement) -> int:
    """Put payments that MTN's statement does not have into the queue."""
    return raise_findings(
        transaction, [missing(to_ours(row)) for row in rows], account_id=statement.account_id,
        product=statement.product, statement_id=statement.id,
    )  # fmt: skip


def look_again(
    transaction: Transaction,
    *,
    account_id: str,
    profiles: dict[str, Profile],
    after_id: int,
    limit: int,
) -> tuple[int | None, int]:
    """Let go of discrepancies that are no more; give where to go on, and how many went.

    Those that a person must judge (a balance, an unreadable row, money twice) stay until one does.
    """
    query = (
        select(discrepancies)
        .where(discrepancies.c.account_id == account_id, discrepancies.c.id > after_id)
        .where(IS_OPEN)
        .order_by(discrepancies.c.id)
        .limit(limit)
    )
    rows = transaction.connection.execute(query).all()
    lined = _rows_by_id(transaction, lines, [row.line_id for row in rows])
    paid = _rows_by_id(transaction, payments, [row.payment_id for row in rows])
    matched = _matches(transaction, [row.payment_id for row in rows])
    gone = [
        row.id
        for row in rows
        if not _still_there(row, lined=lined, paid=paid, matched=matched, profiles=profiles)
    ]
    return (rows[-1].id if len(rows) == limit else None), let_go(transaction, gone)


def readable_now(transaction: Transaction, *, statement: Statement, identities: set[str]) -> int:
    """Let go of unreadable rows of the same file that another reading of it has made sense of."""
    old = select(statements.c.id).where(
        statements.c.account_id == statement.account_id,
        statements.c.file_hash == statement.file_hash,
        statements.c.id != statement.id,
    )
    rows = transaction.connection.execute(
        select(discrepancies.c.id, discrepancies.c.subject)
        .join(lines, lines.c.id == discrepancies.c.line_id)
        .where(
            discrepancies.c["class"] == Kind.UNREADABLE_ROW.value,
            IS_OPEN,
            lines.c.statement_id.in_(old),
        )
    )
    return let_go(
        transaction,
        [row.id for row in rows if row.subject.removeprefix("row:") not in identities],
    )


def statements_of(transaction: Transaction, account_id: str) -> list[str]:
    """List the ids of an account's statements, the earliest first."""
    query = (
        select(statements.c.id)
        .where(statements.c.account_id == account_id, statements.c.state == IMPORTED)
        .order_by(statements.c.period_from, statements.c.id)
    )
    return list(transaction.connection.execute(query).scalars())


def _loose(statement: Statement) -> tuple[ColumnElement[bool], ...]:
    return (
        lines.c.account_id == statement.account_id,
        lines.c.relation.is_(None),
        lines.c.statement_id == statement.id,
        lines.c.role == "payment",
        lines.c.external_id.is_(None),
        lines.c.party_hash.is_not(None),
    )


def _candidates(
    transaction: Transaction, statement: Statement, parties: Sequence[Any]
) -> list[Any]:
    query = select(*PAYMENT_COLUMNS).where(
        payments.c.account_id == statement.account_id,
        payments.c.party_hash.in_(parties),
        ~_is_matched(),
        *_of_product(statement),
    )
    return [to_ours(row) for row in transaction.connection.execute(query)]


def _of_product(statement: Statement) -> list[ColumnElement[bool]]:
    return [payments.c.product == statement.product] if statement.product else []


def _is_matched() -> ColumnElement[bool]:
    return exists().where(lines.c.payment_id == payments.c.id, IS_MATCH)


def _rows_by_id(transaction: Transaction, table: Any, ids: Sequence[Any]) -> dict[Any, Row[Any]]:
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    rows = transaction.connection.execute(select(table).where(table.c.id.in_(wanted)))
    return {row.id: row for row in rows}


def _matches(transaction: Transaction, ids: Sequence[str | None]) -> dict[str, Row[Any]]:
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    query = select(lines).where(lines.c.payment_id.in_(wanted), IS_MATCH)
    return {row.payment_id: row for row in transaction.connection.execute(query)}


def _still_there(
    row: Row[Any],
    *,
    lined: dict[Any, Row[Any]],
    paid: dict[Any, Row[Any]],
    matched: dict[str, Row[Any]],
    profiles: dict[str, Profile],
) -> bool:
    kind = Kind(row._mapping["class"])
    line, payment = lined.get(row.line_id), paid.get(row.payment_id)
    if kind is Kind.AT_PROVIDER_ONLY:
        return line is not None and line.relation is None
    if kind is Kind.AT_OURS_ONLY:
        return (
            payment is not None
            and payment.state == State.SUCCESSFUL.value
            and payment.id not in matched
        )
    if kind is Kind.DUPLICATE_AT_PROVIDER:
        return line is not None and line.relation == "duplicate"
    if payment is None or row.subject != f"payment:{payment.id}":
        return True
    match = matched.get(payment.id)
    profile = profiles.get(match.statement_id) if match is not None else None
    if match is None or profile is None:
        return match is not None
    pair = Pair(
        line=to_theirs(match), payment=to_ours(payment), rule=Rule(match.rule),
        confidence=match.confidence,
    )  # fmt: skip
    return any(finding.kind is kind for finding in compare(pair, profile))
