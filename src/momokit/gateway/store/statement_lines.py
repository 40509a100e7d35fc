"""Lines of statements: kept once each, and given to the payments they speak of.

Lines come by the thousand; each chunk asks for its payments once, decides by the pure matcher, and
is committed by itself, so that a million of them holds up no payment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update

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
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.discrepancies import raise_findings
from momokit.gateway.store.inbox import hurry
from momokit.gateway.store.statement_rows import (
    ASIDE,
    PAYMENT_COLUMNS,
    Prepared,
    to_ours,
    to_theirs,
)
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
    chunk: Sequence[Prepared],
    *,
    statement: Statement,
    profile: Profile,
) -> Added:
    """Keep the lines of a chunk that are new, and give each to the payment it names, if any."""
    transaction.lock(f"statements {statement.account_id}")
    known = _known(transaction, statement, [one.identity for one in chunk])
    fresh = [one for one in chunk if one.identity not in known]
    theirs = [one.theirs for one in fresh if one.theirs is not None]
    pairs = _name(transaction, theirs)
    placed, demoted = _settle_contests(transaction, pairs)
    _demote(transaction, demoted)
    by_identity = {one.line.identity: one for one in placed}
    rows: list[dict[str, Any]] = [
        one.row | _columns_of(by_identity.get(one.identity)) for one in fresh
    ]
    for row in rows:
        if row["role"] == "own_funds":
            row["relation"] = ASIDE
    if rows:
        transaction.connection.execute(insert_unless_there(transaction.connection, lines), rows)
    raised = _raise(transaction, placed, demoted, statement=statement, profile=profile)
    raised += _raise_unreadable(transaction, fresh, statement=statement)
    hurried = hurry_payments(transaction, placed)
    return Added(new=len(fresh), repeated=len(chunk) - len(fresh), raised=raised, hurried=hurried)


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
    ids = {row.identity: row.id for row in rows}
    pairs = _name(transaction, [to_theirs(row) for row in rows])
    placed, demoted = _settle_contests(transaction, pairs)
    _demote(transaction, demoted)
    give_to_payments(transaction, placed, ids=ids)
    _raise(transaction, placed, demoted, statement=statement, profile=profile)
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


def _known(transaction: Transaction, statement: Statement, identities: Sequence[str]) -> set[str]:
    query = select(lines.c.identity).where(
        lines.c.account_id == statement.account_id,
        lines.c.identity.in_(identities),
    )
    return set(transaction.connection.execute(query).scalars())


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
    query = select(lines).where(lines.c.payment_id.in_(by_id), lines.c.relation == "match")
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


def _columns_of(pair: Pair | None) -> dict[str, Any]:
    if pair is None:
        return {}
    return {
        "payment_id": pair.payment.id,
        "relation": pair.relation,
        "rule": pair.rule.value,
        "confidence": pair.confidence,
    }


def _raise(
    transaction: Transaction,
    placed: Sequence[Pair],
    demoted: Sequence[tuple[int, Pair]],
    *,
    statement: Statement,
    profile: Profile,
) -> int:
    lost = [pair for _, pair in demoted if pair.rule is not Rule.AMOUNT_PARTY_TIME]
    found = [finding for pair in (*placed, *lost) for finding in compare(pair, profile)]
    return raise_for(transaction, found, statement=statement)


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
    transaction: Transaction, fresh: Sequence[Prepared], *, statement: Statement
) -> int:
    findings = [
        Finding(
            kind=Kind.UNREADABLE_ROW,
            subject=f"row:{one.identity}",
            identity=one.identity,
            details={"row": one.row["row_number"], "column": one.fault},
        )
        for one in fresh
        if one.theirs is None
    ]
    return raise_for(transaction, findings, statement=statement)


def _texts(values: Iterable[str | None]) -> list[str]:
    return sorted(value for value in values if value)
