"""A merchant's invoice: what is owed, what may be paid, and where it stands. Pure.

It is paid by verified money alone: by payments that MTN has said are successful. Payments that are
open or unknown count against what may still be paid, so that it is never paid twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from momokit.errors import InvalidInput
from momokit.gateway.core.checkout import Span
from momokit.money import Money

DAY_SECONDS = 86_400
REMINDERS = (3, 0)
"""When nothing else is said: three days before it is due, and on the day."""

REMINDERS_LIMIT, LINES_LIMIT = 12, 100
REMINDER_DAYS = range(-365, 366)


class Stage(StrEnum):
    """What the merchant has made of an invoice."""

    DRAFT = "draft"
    SENT = "sent"
    CANCELLED = "cancelled"


class InvoiceState(StrEnum):
    """Where an invoice stands. Overdue is still payable; expired is not."""

    DRAFT = "draft"
    SENT = "sent"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    OVERDUE = "overdue"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def is_payable(self) -> bool:
        """Tell whether money is taken for it."""
        return self in (InvoiceState.SENT, InvoiceState.PARTLY_PAID, InvoiceState.OVERDUE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of an invoice: so many of something, at so much each."""

    description: str = field(repr=False)
    quantity: Decimal
    unit_amount: Decimal

    @property
    def amount(self) -> Decimal:
        """What the line comes to."""
        return self.quantity * self.unit_amount


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What was agreed. `reminders` are days before the due day, negative after it."""

    total: Decimal
    allow_partial: bool = False
    least: Decimal | None = None
    due_at: float | None = None
    expires_at: float | None = None
    reminders: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What was paid (verified), what is under way or in doubt, and what was given back."""

    paid: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)


def total_of(lines: Sequence[Line], *, currency: str) -> Decimal:
    """Add the lines up. Raises InvalidInput for a line that comes to a fraction of the smallest
    coin: who rounds, and which way, is for the merchant to say."""
    if not 1 <= len(lines) <= LINES_LIMIT:
        raise InvalidInput(f"An invoice has 1 to {LINES_LIMIT} lines.", field="lines")
    for number, line in enumerate(lines):
        try:
            Money(line.amount, currency)
        except InvalidInput as error:
            raise InvalidInput(
                f"Line {number + 1}: {error.message}", field="lines", hint=error.hint
            ) from None
    return Money(sum((line.amount for line in lines), Decimal(0)), currency).amount


def balance_of(terms: Terms, standing: Standing) -> Decimal:
    """Give what is still owed. Money given back does not make it owed again."""
    return max(Decimal(0), terms.total - standing.paid)


def overpaid(terms: Terms, standing: Standing) -> Decimal:
    """Give what was paid beyond the total and is not yet given back."""
    return max(Decimal(0), standing.paid - standing.refunded - terms.total)


def payable(terms: Terms, standing: Standing) -> Span | None:
    """Say what may be paid now; None when nothing may.

    What is under way or in doubt counts as paid here: it may well be.
    """
    free = terms.total - standing.paid - standing.reserved
    if free <= 0:
        return None
    if not terms.allow_partial:
        return Span(least=free, most=free) if standing.reserved == 0 else None
    return Span(least=min(terms.least or smallest(terms.total), free), most=free)


def smallest(total: Decimal) -> Decimal:
    """Give the least that a part payment may be when nothing is said: one of the main unit."""
    return min(Decimal(1), total)


def state_of(stage: Stage, terms: Terms, standing: Standing, *, now: float) -> InvoiceState:
    """Say where an invoice stands. Money that came counts before any date."""
    if standing.paid >= terms.total:
        return InvoiceState.PAID
    if stage is Stage.CANCELLED:
        return InvoiceState.CANCELLED
    if stage is Stage.DRAFT:
        return InvoiceState.DRAFT
    if terms.expires_at is not None and now >= terms.expires_at:
        return InvoiceState.EXPIRED
    if terms.due_at is not None and now >= terms.due_at:
        return InvoiceState.OVERDUE
    return InvoiceState.PARTLY_PAID if standing.paid > 0 else InvoiceState.SENT


def reminder_moments(terms: Terms) -> list[float]:
    """Give the times at which the payer is to be reminded, in order."""
    if terms.due_at is None:
        return []
    # The due time is the end of the due day: a reminder comes when its day begins.
    morning = terms.due_at - DAY_SECONDS
    moments = {morning - days * DAY_SECONDS for days in terms.reminders}
    return sorted(at for at in moments if terms.expires_at is None or at < terms.expires_at)


def next_moment(terms: Terms, *, after: float) -> float | None:
    """Give the next time at which time itself changes something, or a reminder is due."""
    moments = [*reminder_moments(terms), terms.due_at, terms.expires_at]
    return min((at for at in moments if at is not None and at > after), default=None)


def reminder_is_due(terms: Terms, *, since: float, now: float) -> bool:
    """Tell whether a reminder fell due since the last look; several missed ones are one."""
    return any(since < at <= now for at in reminder_moments(terms))


def check_terms(terms: Terms, *, now: float) -> None:
    """Refuse terms that cannot be kept. Raises InvalidInput naming the field."""
    if terms.least is not None:
        if not terms.allow_partial:
            raise InvalidInput("Part payments are not allowed.", field="minimum_amount")
        if terms.least > terms.total:
            raise InvalidInput("It is more than the whole.", field="minimum_amount")
    if terms.expires_at is not None and terms.expires_at <= now:
        raise InvalidInput("It would be over already.", field="expires_at")
    if None not in (terms.due_at, terms.expires_at) and terms.expires_at < terms.due_at:  # type: ignore[operator]
        raise InvalidInput("It would end before it is due.", field="expires_at")
    if len(terms.reminders) > REMINDERS_LIMIT or not set(terms.reminders) <= set(REMINDER_DAYS):
        raise InvalidInput(
            f"At most {REMINDERS_LIMIT} reminders, within a year of the due date.",
            field="reminders",
        )
