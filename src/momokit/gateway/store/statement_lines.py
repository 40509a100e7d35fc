"""Lines of statements: kept once each, and given to the payments they speak of.

Lines come by the thousand; each chunk asks for its payments once, decides by the pure matcher, and
is committed by itself, so that a million of them holds up no payment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, select, update

from momokit.gateway.core.disagreement import compare
from momokit.gateway.core.discrepancy import Finding, Kind
from momokit.gateway.core.reconciliation import (
    Index,
    Ours,
    Pair,
    Rule,
    Theirs,
    contest,
    is_evidence,
    named,
)
from momokit.gateway.core.statement_profile import Profile
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.discrepancies import raise_findings
from momokit.gateway.store.inbox import hurry
from momokit.gateway.store.statement_bulk import insert_rows, match_agreeing
from momokit.gateway.store.statement_rows import (
    PAYMENT_COLUMNS,
    Prepared,
    to_ours,
    to_theirs,
)
from momokit.gateway.store.statement_tables import IS_MATCH
from momokit.gateway.store.statement_tables import statement_lines as lines
from momokit.gateway.store.statements import Statement
from momokit.gateway.store.tables import payments


@dataclass(frozen=True, kw_only=True, slots=True)
class Added:
    """What became of a chunk: lines that are new, lines known before, and findings raised."""

    new: int = 0
    repeated: int = 0
    raised: int = 0
    hurried: int = 0


def add_lines(
    transaction: Transaction,
    chunk: Prepared,
    *,
    statement: Statement,
    profile: Profile,
) -> Added:
    """Keep the lines of a chunk that are new, and give each to the payment it names, if any.

    Those beyond doubt are given in one statement by the database; the matcher sees the rest.
    """
    transaction.lock(f"statements {statement.account_id}")
    connection = transaction.connection
    before = connection.execute(select(func.max(lines.c.id))).scalar() or 0
    insert_rows(connection, chunk.rows)
    mine = (lines.c.statement_id == statement.id, lines.c.id > before)
    new = connection.execute(select(func.count()).where(*mine)).scalar_one()
    if not new:
        return Added(repeated=len(chunk.rows))
    match_agreeing(
        transaction, mine, statement=statement, profile=profile, contested=chunk.contested
    )
    rest = connection.execute(select(lines).where(*mine, lines.c.relation.is_(None))).all()
    placed, raised = _place_rows(transaction, rest, statement=statement, profile=profile)
    if chunk.faults:
        raised += _raise_unreadable(transaction, chunk.faults, mine=mine, statement=statement)
    return Added(
        new=new, repeated=len(chunk.rows) - new, raised=raised,
        hurried=hurry_payments(transaction, placed),
    )  # fmt: skip


def name_again(
    transaction: Transaction,
    *,
    statement: Statement,
    profile: Profile,
    after_id: int,
    limit: int,
) -> tuple[int | None, int]:
    """Look once more for the payments of lines that had none; give where to go on, and how many.

    A payment's numbers may have been learned only after its line was imported.
    """
    transaction.lock(f"statements {statement.account_id}")
    query = (
        select(lines)
        .where(lines.c.account_id == statement.account_id, lines.c.relation.is_(None))
        .where(lines.c.statement_id == statement.id, lines.c.id > after_id)
        .order_by(lines.c.id)
        .limit(limit)
    )
    rows = transaction.connection.execute(query).all()
    placed, _ = _place_rows(transaction, rows, statement=statement, profile=profile)
    hurry_payments(transaction, placed)
    return (rows[-1].id if len(rows) == limit else None), len(placed)


def give_to_payments(
    transaction: Transaction, pairs: Sequence[Pair], *, ids: dict[str, int]
) -> None:
    """Write of lines that are kept already whose they are."""
    if not pairs:
        return
    transaction.connection.execute(
        update(lines)
        .where(lines.c.id == bindparam("line_id"))
        .values(
            payment_id=bindparam("to_payment"), relation=bindparam("to_relation"),
            rule=bindparam("to_rule"), confidence=bindparam("to_confidence"),
        ),
        [
            {
                "line_id": ids[pair.line.identity], "to_payment": pair.payment.id,
                "to_relation": pair.relation, "to_rule": pair.rule.value,
                "to_confidence": pair.confidence,
            }
            for pair in pairs
        ],
    )  # fmt: skip


def hurry_payments(transaction: Transaction, pairs: Iterable[Pair]) -> int:
    """Bring forward the question about payments of which a line says something else.

    A file is evidence and no more: only MTN's answer moves a state.
    """
    ids = sorted({pair.payment.id for pair in pairs if is_evidence(pair)})
    for payment_id in ids:
        hurry(transaction, payment_id, reopens=True)
    return len(ids)


def payments_by(transaction: Transaction, column: Any, values: Collection[str]) -> list[Ours]:
    """Find payments by one of their numbers."""
    if not values:
        return []
    query = select(*PAYMENT_COLUMNS).where(column.in_(list(values)))
    return [to_ours(row) for row in transaction.connection.execute(query)]


def _place_rows(
    transaction: Transaction, rows: Sequence[Row[Any]], *, statement: Statement, profile: Profile
) -> tuple[list[Pair], int]:
    """Give lines that are kept to the payments they name; say what does not agree."""
    pairs = _name(transaction, [to_theirs(row) for row in rows])
    placed, lost = _settle_contests(transaction, pairs)
    _demote(transaction, lost)
    give_to_payments(transaction, placed, ids={row.identity: row.id for row in rows})
    sure = [pair for _, pair in lost if pair.rule is not Rule.AMOUNT_PARTY_TIME]
    found = [finding for pair in (*placed, *sure) for finding in compare(pair, profile)]
    return placed, raise_for(transaction, found, statement=statement)


def _name(transaction: Transaction, theirs: Sequence[Theirs]) -> list[Pair]:
    """Find the payments that lines name, each sort of number asked for once."""
    wanted = [one for one in theirs if one.role in ("payment", "fee", "reversal")]
    numbers = {one.financial_transaction_id for one in wanted} - {None}
    found = payments_by(transaction, payments.c.financial_transaction_id, _texts(numbers))
    index = Index.of(found)
    pairs = {one.identity: named(one, index) for one in wanted}
    ours = _texts({one.external_id for one in wanted if pairs[one.identity] is None})
    if ours:
        more = payments_by(transaction, payments.c.external_id, ours)
        more += payments_by(transaction, payments.c.reference_id, ours)
        index = Index.of([*found, *more])
        pairs = {one.identity: pairs[one.identity] or named(one, index) for one in wanted}
    return [pair for pair in pairs.values() if pair is not None]


def _settle_contests(
    transaction: Transaction, pairs: Sequence[Pair]
) -> tuple[list[Pair], list[tuple[int, Pair]]]:
    """Let each payment keep its best line, old or new; give new pairs, and old ones that lost."""
    if not pairs:
        return [], []
    by_id = {pair.payment.id: pair.payment for pair in pairs}
    query = select(lines).where(lines.c.payment_id.in_(by_id), IS_MATCH)
    old: dict[str, tuple[int, Pair]] = {}
    for row in transaction.connection.execute(query):
        pair = Pair(
            line=to_theirs(row), payment=by_id[row.payment_id], rule=Rule(row.rule),
            confidence=row.confidence,
        )  # fmt: skip
        old[row.identity] = (row.id, pair)
    told = contest([*pairs, *(pair for _, pair in old.values())])
    fresh = [pair for pair in told if pair.line.identity not in old]
    lost = [
        (old[pair.line.identity][0], pair)
        for pair in told
        if pair.line.identity in old and pair.relation != "match"
    ]
    return fresh, lost


def _demote(transaction: Transaction, lost: Sequence[tuple[int, Pair]]) -> None:
    """Take a payment from lines that spoke of it less surely; a mere guess is let go of."""
    for line_id, pair in lost:
        if pair.rule is Rule.AMOUNT_PARTY_TIME:
            values: dict[str, Any] = {
                "payment_id": None,
                "relation": None,
                "rule": None,
                "confidence": None,
            }
        else:
            values = {"relation": pair.relation}
        transaction.connection.execute(update(lines).where(lines.c.id == line_id).values(values))


def raise_for(
    transaction: Transaction, findings: Sequence[Finding], *, statement: Statement
) -> int:
    """Put findings about lines into the queue, with the numbers of their lines."""
    if not findings:
        return 0
    wanted = _texts({one.identity for one in findings})
    query = select(lines.c.identity, lines.c.id).where(
        lines.c.account_id == statement.account_id,
        lines.c.identity.in_(wanted),
    )
    ids = {row.identity: row.id for row in transaction.connection.execute(query)}
    return raise_findings(
        transaction, findings, account_id=statement.account_id, product=statement.product,
        statement_id=statement.id, line_ids=ids,
    )  # fmt: skip


def _raise_unreadable(
    transaction: Transaction,
    faults: Mapping[str, str],
    *,
    mine: tuple[ColumnElement[bool], ...],
    statement: Statement,
) -> int:
    rows = transaction.connection.execute(
        select(lines.c.identity, lines.c.row_number).where(*mine, lines.c.role == "unreadable")
    )
    findings = [
        Finding(
            kind=Kind.UNREADABLE_ROW,
            subject=f"row:{row.identity}",
            identity=row.identity,
            details={"row": row.row_number, "column": faults.get(row.identity, "")},
        )
        for row in rows
    ]
    return raise_for(transaction, findings, statement=statement)


def _texts(values: Iterable[str | None]) -> list[str]:
    return sorted(value for value in values if value)
