"""What callers get of statements and discrepancies; numbers of people are masked."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from momokit.gateway.core.discrepancy import WORDS
from momokit.gateway.core.statement import plain_amount, plain_or_none
from momokit.gateway.core.statement_balance import DayProof
from momokit.gateway.store.deliveries import moment, moment_or_none
from momokit.gateway.store.discrepancies import Discrepancy, DiscrepancyEvent
from momokit.gateway.store.statement_reads import LineRead
from momokit.gateway.store.statements import Statement

_NUMBER = re.compile(r"\d[\d .-]{4,}\d")


class DayView(msgspec.Struct, frozen=True, kw_only=True):
    """One day of a statement. `difference` is what its balances leave unexplained; 0: they hold."""

    day: str
    currency: str
    lines: int
    taken_in: str
    paid_out: str
    fees: str
    opening_balance: str | None
    closing_balance: str | None
    difference: str | None
    broken_row: int | None


class TallyView(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines are of one sort; `relation` and `rule` are null for lines of no payment."""

    role: str
    relation: str | None
    rule: str | None
    lines: int


class StatementView(msgspec.Struct, frozen=True, kw_only=True):
    """A statement as it was imported. `state` is importing, imported or failed."""

    id: str
    account_id: str
    product: str | None
    filename: str
    profile: str
    state: str
    period_from: str | None
    period_to: str | None
    opening_balance: str | None
    closing_balance: str | None
    rows: int
    new_lines: int
    repeated_lines: int
    unreadable_rows: int
    imported_by: str
    started_at: str
    finished_at: str | None
    error: str | None
    same_as_before: bool = False
    tallies: list[TallyView] | None = None
    days: list[DayView] | None = None


class StatementList(msgspec.Struct, frozen=True, kw_only=True):
    """The statements that the key may see, newest first."""

    items: list[StatementView]


class DiscrepancyView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not agree. `state` is open, proposed, closed or gone.

    `class` is one of the twelve; `fingerprint` changes with the facts: send it back when closing.
    """

    id: int
    account_id: str
    kind: str = msgspec.field(name="class")
    what: str
    remedy: str
    state: str
    payment_id: str | None
    statement_id: str | None
    day: str | None
    amount: str | None
    currency: str | None
    details: dict[str, Any]
    fingerprint: str
    owner: str | None
    note: str | None
    found_at: str
    seen_at: str
    age_seconds: float
    resolution: str | None
    resolution_note: str | None
    proposed_by: str | None
    closed_by: str | None
    closed_at: str | None
    reopened: int


class DiscrepancyPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some discrepancies, oldest first; `next_after` is null on the last page."""

    items: list[DiscrepancyView]
    next_after: int | None


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of MTN's statement. `texts` are the parties, or why it is unreadable and its cells."""

    statement_id: str
    row: int
    role: str
    status: str
    at: str | None
    direction: str | None
    amount: str | None
    currency: str | None
    fee: str | None
    balance: str | None
    financial_transaction_id: str | None
    external_id: str | None
    relation: str | None
    rule: str | None
    confidence: int | None
    texts: list[str]


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """What was done about a discrepancy, by whom."""

    at: str
    event: str
    actor: str
    note: str | None


class DiscrepancyStory(msgspec.Struct, frozen=True, kw_only=True):
    """A discrepancy with MTN's line and everything that was done about it."""

    discrepancy: DiscrepancyView
    line: LineView | None
    story: list[StepView]


def statement_view(one: Statement, **more: Any) -> StatementView:
    """Show a statement."""
    return StatementView(
        id=one.id,
        account_id=one.account_id,
        product=one.product or None,
        filename=one.filename,
        profile=one.profile_name,
        state=one.state,
        period_from=moment_or_none(one.period_from),
        period_to=moment_or_none(one.period_to),
        opening_balance=one.opening_balance,
        closing_balance=one.closing_balance,
        rows=one.row_count,
        new_lines=one.new_lines,
        repeated_lines=one.repeated_lines,
        unreadable_rows=one.unreadable_rows,
        imported_by=one.imported_by,
        started_at=moment(one.started_at),
        finished_at=moment_or_none(one.finished_at),
        error=one.error,
        **more,
    )


def tally_views(counted: dict[tuple[str, str, str], int]) -> list[TallyView]:
    """Show how many lines are of which sort."""
    return [
        TallyView(role=role, relation=relation or None, rule=rule or None, lines=count)
        for (role, relation, rule), count in sorted(counted.items())
    ]


def day_view(one: DayProof) -> DayView:
    """Show a day's balance proof."""
    return DayView(
        day=one.day,
        currency=one.currency,
        lines=one.lines,
        taken_in=plain_amount(one.taken_in),
        paid_out=plain_amount(one.paid_out),
        fees=plain_amount(one.fees),
        opening_balance=plain_or_none(one.opening),
        closing_balance=plain_or_none(one.closing),
        difference=plain_or_none(one.difference),
        broken_row=one.broken_row,
    )


def discrepancy_view(one: Discrepancy, *, now: float, language: str) -> DiscrepancyView:
    """Show a discrepancy, with its class in words."""
    what, remedy = WORDS[one.kind]
    french = language == "fr"
    return DiscrepancyView(
        id=one.id,
        account_id=one.account_id,
        kind=one.kind.value,
        what=what.fr if french else what.en,
        remedy=remedy.fr if french else remedy.en,
        state=one.state.value,
        payment_id=one.payment_id,
        statement_id=one.statement_id,
        day=one.day,
        amount=one.amount,
        currency=one.currency,
        details=dict(one.details),
        fingerprint=one.fingerprint,
        owner=one.owner,
        note=one.note,
        found_at=moment(one.found_at),
        seen_at=moment(one.seen_at),
        age_seconds=round(max(0.0, now - one.found_at), 3),
        resolution=one.resolution,
        resolution_note=one.resolution_note,
        proposed_by=one.proposed_by,
        closed_by=one.closed_by,
        closed_at=moment_or_none(one.closed_at),
        reopened=one.reopened,
    )


def line_view(one: LineRead, *, reveal: bool) -> LineView:
    """Show a line; numbers in its texts are masked unless they may be seen."""
    texts = one.texts if reveal else [masked_text(text) for text in one.texts]
    return LineView(
        statement_id=one.statement_id,
        row=one.row_number,
        role=one.role,
        status=one.status,
        at=moment_or_none(one.at),
        direction=one.direction,
        amount=one.amount,
        currency=one.currency,
        fee=one.fee,
        balance=one.balance,
        financial_transaction_id=one.financial_transaction_id,
        external_id=one.external_id,
        relation=one.relation,
        rule=one.rule,
        confidence=one.confidence,
        texts=texts,
    )


def step_view(one: DiscrepancyEvent) -> StepView:
    """Show one step of a story."""
    return StepView(at=moment(one.at), event=one.event, actor=one.actor, note=one.note)


def masked_text(text: str) -> str:
    """Leave of every long number in a text its last three digits."""
    return _NUMBER.sub(lambda found: f"{'•' * (len(found[0]) - 3)}{found[0][-3:]}", text)
