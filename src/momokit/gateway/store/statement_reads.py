"""Reading lines of statements back: one for a person to look at, all of a span for an export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select

from momokit.gateway.core.journal import Movement
from momokit.gateway.core.statement_profile import Profile, day_of, read_profile, zone_of
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.records import from_json
from momokit.gateway.store.statement_rows import open_texts
from momokit.gateway.store.statement_tables import statement_lines as lines
from momokit.gateway.store.statement_tables import statements
from momokit.gateway.store.tables import payments

ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Which lines are wanted: of one statement, or of an account in a span of time."""

    account_id: str
    statement_id: str | None = None
    begins: float | None = None
    ends: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LineRead:
    """A line as it is kept. `texts` are the parties, or why a row is unreadable, and its cells."""

    id: int
    statement_id: str
    row_number: int
    role: str
    status: str
    at: float | None
    direction: str | None
    amount: str | None
    currency: str | None
    fee: str | None
    balance: str | None
    financial_transaction_id: str | None
    external_id: str | None
    payment_id: str | None
    relation: str | None
    rule: str | None
    confidence: int | None
    texts: list[str] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Matched:
    """A line with the payment it speaks of, for an export."""

    row: Row[Any]
    day: str
    profile: Profile

    def movement(self) -> Movement:
        """Give it as the ledger takes it."""
        row = self.row
        return Movement(
            day=self.day,
            role=row.role,
            relation=row.relation,
            direction=row.direction,
            amount=Decimal(row.amount),
            fee=Decimal(row.fee or 0),
            currency=row.currency,
            reference=row.payment_id or row.financial_transaction_id or f"line {row.id}",
            kind=row.kind,
            fee_in_amount=self.profile.fee_in_amount,
        )


def find_line(transaction: Transaction, line_id: int) -> LineRead | None:
    """Find a line by its number, and open what it keeps of people."""
    row = transaction.connection.execute(select(lines).where(lines.c.id == line_id)).one_or_none()
    if row is None:
        return None
    names = [name for name in LineRead.__slots__ if name != "texts"]
    known = {name: getattr(row, name) for name in names}
    return LineRead(**known, texts=open_texts(transaction.veil, row))


def each_line(transaction: Transaction, span: Span, *, money_only: bool) -> Iterator[Matched]:
    """Go through the lines of a span in the order of their statements, a thousand at a time."""
    for statement_id, profile in _statements(transaction, span):
        zone = zone_of(profile.zone)
        query = (
            select(lines, payments.c.kind, payments.c.merchant_reference,
                   payments.c.amount.label("our_amount"))
            .outerjoin(payments, payments.c.id == lines.c.payment_id)
            .where(lines.c.statement_id == statement_id, lines.c.at.is_not(None))
            .order_by(lines.c.id)
            .execution_options(yield_per=ROWS_AT_ONCE)
        )  # fmt: skip
        if span.begins is not None:
            query = query.where(lines.c.at >= span.begins)
        if span.ends is not None:
            query = query.where(lines.c.at < span.ends)
        if money_only:
            query = query.where(lines.c.status.in_(["moved", "reversed"]))
        for row in transaction.connection.execute(query):
            yield Matched(row=row, day=day_of(row.at, zone), profile=profile)


def _statements(transaction: Transaction, span: Span) -> list[tuple[str, Profile]]:
    query = select(statements.c.id, statements.c.profile).where(
        statements.c.account_id == span.account_id
    )
    if span.statement_id is not None:
        query = query.where(statements.c.id == span.statement_id)
    if span.begins is not None:
        query = query.where(statements.c.period_to >= span.begins)
    if span.ends is not None:
        query = query.where(statements.c.period_from < span.ends)
    rows = transaction.connection.execute(query.order_by(statements.c.started_at, statements.c.id))
    return [(row.id, read_profile(from_json(row.profile))) for row in rows]
