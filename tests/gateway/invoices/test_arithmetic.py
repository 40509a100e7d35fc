"""Invoices on paper: whatever is paid and in whatever order, no more is asked for than is owed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.errors import InvalidInput
from momokit.gateway.core.checkout import check_amount, read_amount, shown_amount
from momokit.gateway.core.invoice import (
    DAY_SECONDS,
    InvoiceState,
    Line,
    Stage,
    Standing,
    Terms,
    balance_of,
    check_terms,
    next_moment,
    overpaid,
    payable,
    reminder_is_due,
    reminder_moments,
    state_of,
    total_of,
)

NOW = 1_800_000_000.0
AMOUNTS = st.integers(1, 10**9).map(lambda cents: Decimal(cents) / 100)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    """Draw terms that can be kept."""
    total = draw(AMOUNTS)
    partial = draw(st.booleans())
    least = None
    if partial and draw(st.booleans()):
        least = min(draw(AMOUNTS), total)
    due = draw(st.one_of(st.none(), st.floats(NOW - 10**7, NOW + 10**7)))
    gap = draw(st.floats(0, 10**6))
    expires = draw(st.one_of(st.none(), st.just((due if due is not None else NOW) + gap)))
    days = tuple(draw(st.lists(st.integers(-30, 30), max_size=5)))
    return Terms(
        total=total, allow_partial=partial, least=least, due_at=due, expires_at=expires,
        reminders=days,
    )  # fmt: skip


@given(terms(), st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=12))
def test_no_order_of_payments_takes_more_than_the_total(
    agreed: Terms, wishes: list[tuple[float, bool]]
) -> None:
    """Pay what may be paid, some of it never coming: the sum never exceeds what is owed."""
    standing = Standing()
    for share, comes in wishes:
        span = payable(agreed, standing)
        if span is None:
            break
        assert span.most is not None
        assert Decimal(0) < span.least <= span.most
        amount = span.least + (span.most - span.least) * Decimal(str(round(share, 6)))
        check_amount(amount, span)
        standing = replace(standing, reserved=standing.reserved + amount)
        if comes:
            standing = replace(
                standing, paid=standing.paid + amount, reserved=standing.reserved - amount
            )
        assert standing.paid + standing.reserved <= agreed.total
        assert overpaid(agreed, standing) == 0


@given(terms(), AMOUNTS, AMOUNTS, AMOUNTS)
def test_what_is_under_way_is_not_asked_for_again(
    agreed: Terms, paid: Decimal, reserved: Decimal, refunded: Decimal
) -> None:
    """What may be paid is at most the balance less what is open or in doubt."""
    standing = Standing(paid=paid, reserved=reserved, refunded=refunded)
    span = payable(agreed, standing)
    left = balance_of(agreed, standing) - reserved

    assert (span is not None and span.most) == (left if span is not None else False)
    assert span is None or left > 0
    assert agreed.allow_partial or span is None or reserved == 0


@given(terms(), AMOUNTS, st.floats(NOW - 10**7, NOW + 2 * 10**7))
def test_money_counts_before_dates(agreed: Terms, paid: Decimal, now: float) -> None:
    """What is paid in whole is paid, whatever the day; a state follows from facts alone."""
    states = {stage: state_of(stage, agreed, Standing(paid=paid), now=now) for stage in Stage}
    whole = paid >= agreed.total

    assert [state is InvoiceState.PAID for state in states.values()] == [whole] * 3
    assert whole or states[Stage.DRAFT] is InvoiceState.DRAFT
    assert whole or states[Stage.CANCELLED] is InvoiceState.CANCELLED
    assert whole or not states[Stage.CANCELLED].is_payable


@given(terms(), st.lists(st.floats(1, 10**6), max_size=20))
def test_each_date_is_met_once_however_often_one_looks(agreed: Terms, steps: list[float]) -> None:
    """Looking at any times, each reminder falls into exactly one look."""
    since = NOW - 10**7 - 40 * DAY_SECONDS
    first, met = since, 0
    for step in [*steps, 10**8]:
        now = since + step
        met += len([at for at in reminder_moments(agreed) if since < at <= now])
        assert reminder_is_due(agreed, since=since, now=now) == any(
            since < at <= now for at in reminder_moments(agreed)
        )
        since = now

    assert met == len([at for at in reminder_moments(agreed) if first < at])
    assert next_moment(agreed, after=since) is None


@given(st.lists(st.tuples(st.integers(1, 999), st.integers(1, 10**6)), min_size=1, max_size=20))
def test_lines_add_up(lines: list[tuple[int, int]]) -> None:
    """The total is the exact sum of quantity times price."""
    made = [
        Line(description="x", quantity=Decimal(n), unit_amount=Decimal(cents) / 100)
        for n, cents in lines
    ]

    assert total_of(made, currency="GHS") == Decimal(sum(n * c for n, c in lines)) / 100


def test_a_line_of_half_a_coin_is_refused() -> None:
    """Who rounds is for the merchant to say: half a shilling is no amount."""
    line = Line(description="x", quantity=Decimal("0.5"), unit_amount=Decimal(5))
    with pytest.raises(InvalidInput) as refused:
        total_of([line], currency="UGX")

    assert refused.value.field == "lines"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"least": Decimal(1)}, "minimum_amount"),
        ({"allow_partial": True, "least": Decimal(11)}, "minimum_amount"),
        ({"expires_at": NOW - 1}, "expires_at"),
        ({"due_at": NOW + 10, "expires_at": NOW + 5}, "expires_at"),
        ({"reminders": (400,)}, "reminders"),
        ({"reminders": tuple(range(13))}, "reminders"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused(changes: dict[str, object], field: str) -> None:
    """Each names its field."""
    with pytest.raises(InvalidInput) as refused:
        check_terms(replace(Terms(total=Decimal(10)), **changes), now=NOW)  # type: ignore[arg-type]

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("text", "currency", "read"),
    [
        ("5000", "UGX", "5000"),
        ("5 000", "UGX", "5000"),
        ("5,000", "UGX", "5000"),
        ("5.000", "XAF", "5000"),
        ("1,234,567", "UGX", "1234567"),
        ("12\u202f500", "XOF", "12500"),
        ("12,50", "GHS", "12.50"),
        ("1,234.50", "GHS", "1234.50"),
        ("1,234", "GHS", "1234"),
        ("0005", "UGX", "5"),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, currency: str, read: str) -> None:
    """Separators that can be read in one way only are read."""
    assert read_amount(text, currency=currency) == read


@pytest.mark.parametrize("text", ["", "abc", "1,23,4", "5e3", "-5", "1.2.3", "٥", "1.234,50"])
def test_amounts_that_could_be_two_are_refused(text: str) -> None:
    """Everything else is asked for again."""
    with pytest.raises(InvalidInput):
        read_amount(text, currency="GHS")


@pytest.mark.parametrize(
    ("amount", "currency", "language", "shown"),
    [
        ("12500", "UGX", "en", "UGX\u00a012,500"),
        ("12500", "XAF", "fr", "12\u202f500\u00a0XAF"),
        ("12.5", "GHS", "en", "GHS\u00a012.50"),
        ("1234567.5", "ZMW", "fr", "1\u202f234\u202f567,50\u00a0ZMW"),
    ],
)
def test_amounts_are_shown_as_people_read_them(
    amount: str, currency: str, language: str, shown: str
) -> None:
    """With the market's decimals, in the order and with the separators of the language."""
    assert shown_amount(Decimal(amount), currency=currency, language=language) == shown
