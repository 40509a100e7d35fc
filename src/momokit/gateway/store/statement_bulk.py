"""The quick way for lines: kept in bulk, and matched in bulk where nothing is in doubt.

A line is beyond doubt when it names one payment by number, that names no other line, and everything
it says is what our books say. What the matcher would make of it is then certain: a match, and
nothing found. All else is left to the matcher.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, or_, select, update

from momokit.gateway.core.payment import PUSH_KINDS, State
from momokit.gateway.core.reconciliation import CONFIDENCE, Rule
from momokit.gateway.core.statement_profile import Profile
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.statement_rows import COLUMNS
from momokit.gateway.store.statement_tables import IS_MATCH
from momokit.gateway.store.statement_tables import statement_lines as lines
from momokit.gateway.store.statements import Statement
from momokit.gateway.store.tables import payments

PAYS_OUT = sorted(PUSH_KINDS | {"payment"})


def insert_rows(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep rows, in the order of `COLUMNS`, except those that are there already.

    The statement is SQLAlchemy's; the rows go to the driver as they are, which takes a third of
    the time.
    """
    if not rows:
        return
    text, positional = _insert_text(connection)
    if positional:
        connection.exec_driver_sql(text, list(rows))
    else:
        connection.exec_driver_sql(text, [dict(zip(COLUMNS, row, strict=True)) for row in rows])


def match_agreeing(
    transaction: Transaction,
    mine: tuple[ColumnElement[bool], ...],
    *,
    statement: Statement,
    profile: Profile,
    contested: Collection[str],
) -> None:
    """Give lines that are beyond doubt to their payments: by MTN's number, then by ours."""
    judged = [way for way in ("in", "out") if way in profile.fees]
    loose: list[ColumnElement[bool]] = [
        *mine, lines.c.relation.is_(None), lines.c.role == "payment", lines.c.status == "moved",
    ]  # fmt: skip
    if contested:
        loose.append(lines.c.identity.not_in(list(contested)))
    if judged:
        # What a fee should be is reckoned by the matcher.
        loose.append(or_(lines.c.fee.is_(None), lines.c.direction.not_in(judged)))
    number = payments.c.financial_transaction_id
    other, named = payments.alias(), payments.alias()
    only_one = ~exists(
        select(other.c.id).where(
            other.c.account_id == payments.c.account_id, other.c.id != payments.c.id,
            other.c.financial_transaction_id == number,
        )
    )  # fmt: skip
    ours = (payments.c.external_id, payments.c.reference_id)
    same_number = or_(lines.c.external_id.is_(None), *(lines.c.external_id == one for one in ours))
    _match(
        transaction, Rule.FINANCIAL_ID, [*loose, number == lines.c.financial_transaction_id,
        same_number, only_one], statement=statement, profile=profile,
    )  # fmt: skip
    unheard = ~exists(
        select(named.c.id).where(
            named.c.account_id == lines.c.account_id,
            named.c.financial_transaction_id == lines.c.financial_transaction_id,
        )
    )
    # With a number of MTN's that our books know as another payment's it would be in doubt.
    unheard = or_(lines.c.financial_transaction_id.is_(None), unheard)
    _match(
        transaction, Rule.EXTERNAL_ID, [*loose, payments.c.external_id == lines.c.external_id,
        unheard], statement=statement, profile=profile,
    )  # fmt: skip


def _match(
    transaction: Transaction,
    rule: Rule,
    where: list[ColumnElement[bool]],
    *,
    statement: Statement,
    profile: Profile,
) -> None:
    slack = profile.tolerance_seconds
    way = case((payments.c.kind.in_(PAYS_OUT), "out"), else_="in")
    agreeing = [
        payments.c.account_id == statement.account_id,
        payments.c.state == State.SUCCESSFUL.value,
        payments.c.amount == lines.c.amount,
        payments.c.currency == lines.c.currency,
        way == lines.c.direction,
        or_(
            lines.c.party_hash.is_(None), payments.c.party_hash.is_(None),
            and_(payments.c.party_type.is_not(None), payments.c.party_type != "MSISDN"),
            lines.c.party_hash == payments.c.party_hash,
        ),
        lines.c.until >= payments.c.created_at - slack,
        or_(payments.c.final_at.is_(None), lines.c.at <= payments.c.final_at + slack),
    ]  # fmt: skip
    if statement.product:
        agreeing.append(payments.c.product == statement.product)
    matched = lines.alias()
    free = ~exists(
        select(matched.c.id).where(
            matched.c.payment_id == payments.c.id, _written_out(matched.c.relation)
        )
    )
    transaction.connection.execute(
        update(lines)
        .where(*where, *agreeing, free)
        .values(
            payment_id=payments.c.id, relation="match", rule=rule.value,
            confidence=CONFIDENCE[rule],
        )
    )  # fmt: skip


def _written_out(relation: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = relation == IS_MATCH.right
    return found


def _insert_text(connection: Connection) -> tuple[str, bool]:
    dialect = connection.dialect
    statement = insert_unless_there(connection, lines).values(dict.fromkeys(COLUMNS))
    compiled = statement.compile(dialect=dialect, column_keys=list(COLUMNS))
    return str(compiled), bool(dialect.positional)
