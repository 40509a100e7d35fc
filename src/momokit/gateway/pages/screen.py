"""What one page shows: a checkout as its payer sees it, with nothing in it that others must not.

The payer's number is shown masked, even to the payer: the page can be opened by whoever has its
address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from momokit.gateway.core.checkout import Phase, is_over
from momokit.gateway.core.invoice import InvoiceState, balance_of
from momokit.gateway.core.numbers import NumberForm, number_form
from momokit.gateway.core.payer_words import STATE_WORDS, words_for_payer
from momokit.gateway.core.payment import State
from momokit.gateway.core.return_url import with_reference
from momokit.gateway.pages.words import Speech
from momokit.gateway.store.attempts import Seen
from momokit.gateway.store.invoice_life import due_date
from momokit.gateway.store.records import StoredPayment
from momokit.gateway.store.standing import attempt_of
from momokit.market import Market
from momokit.party import Party


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen:
    """One page, ready to be drawn."""

    phase: Phase
    merchant: str
    description: str
    amount: str | None
    form: Form | None
    payer: str | None = field(default=None, repr=False)
    told: str = ""
    failed: str | None = None
    part: str | None = None
    return_url: str | None = field(default=None, repr=False)
    until: str | None = None
    bill: BillSummary | None = None
    is_elsewhere: bool = False

    @property
    def is_live(self) -> bool:
        """Tell whether the page may change by itself."""
        return self.phase in (Phase.WAITING, Phase.CHECKING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """What a payer fills in. `number` says which attempt it is, `visit` is a link's new page."""

    number: int
    button: str
    phone: NumberForm
    asks_amount: bool
    currency: str
    amount_hint: str = ""
    visit: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class BillSummary:
    """What the page of an invoice says of it."""

    number: str
    total: str
    paid: str | None
    left: str
    due: str | None
    is_overdue: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Problems:
    """What was wrong with what the payer sent, in their language."""

    phone: str | None = None
    amount: str | None = None
    whole: str | None = None

    @property
    def any(self) -> bool:
        """Tell whether there is one."""
        return any((self.phone, self.amount, self.whole))


def screen_of(seen: Seen, *, market: Market, speech: Speech, visit: str | None = None) -> Screen:
    """Lay out what a payer sees of a checkout."""
    checkout, payment, phase = seen.checkout, seen.payment, seen.phase
    span = seen.span if phase is Phase.OPEN else None
    fixed = span.fixed if span is not None else checkout.amount
    if payment is not None and phase in (Phase.WAITING, Phase.CHECKING, Phase.PAID):
        fixed = payment.payment.amount
    amount = speech.money(fixed, checkout.currency) if fixed is not None else None
    is_shown = payment is not None and phase is not Phase.OPEN
    return Screen(
        phase=phase,
        merchant=checkout.merchant_name,
        description=checkout.description,
        amount=amount,
        form=_form(seen, market=market, speech=speech, visit=visit),
        payer=masked_payer(payment) if is_shown and payment is not None else None,
        told=told_of(payment, speech) if is_shown else "",
        failed=_failed(seen, speech),
        part=_part(seen, speech),
        return_url=return_address(seen),
        until=_until(seen, speech),
        bill=_bill(seen, speech),
        is_elsewhere=phase is Phase.WAITING and (payment is None or payment.state.is_final),
    )


def masked_payer(payment: StoredPayment) -> str:
    """Show enough of the payer's number to recognise it, and too little to use it."""
    kind, identifier = payment.party_type, payment.payment.party_id
    if kind is None or identifier is None:
        return "•••"
    return Party(kind, identifier).masked  # type: ignore[arg-type]


def told_of(payment: StoredPayment | None, speech: Speech) -> str:
    """Say in a sentence how a payment stands."""
    if payment is None:
        return ""
    words = STATE_WORDS.get(payment.state) or words_for_payer(payment.payment.reason_code)
    return words.in_language(speech.language)


def return_address(seen: Seen) -> str | None:
    """Give the way back to the shop, with what it recognises the payer by."""
    checkout = seen.checkout
    if checkout.return_url is None:
        return None
    facts = {"checkout_id": checkout.id}
    if checkout.merchant_reference is not None:
        facts["reference"] = checkout.merchant_reference
    return with_reference(checkout.return_url, facts)


def _form(seen: Seen, *, market: Market, speech: Speech, visit: str | None) -> Form | None:
    span = seen.span
    if seen.phase is not Phase.OPEN or span is None:
        return None
    currency, hint = seen.checkout.currency, ""
    button = speech("pay_any")
    if span.fixed is not None:
        button = speech("pay", amount=speech.money(span.fixed, currency))
    elif span.most is not None:
        least, most = (speech.money(one, currency) for one in (span.least, span.most))
        hint = speech("between", least=least, most=most)
    else:
        hint = speech("at_least", least=speech.money(span.least, currency))
    return Form(
        number=seen.tries,
        button=button,
        phone=number_form(market),
        asks_amount=span.fixed is None,
        currency=currency,
        amount_hint=hint,
        visit=visit,
    )


def _failed(seen: Seen, speech: Speech) -> str | None:
    """Say why the last attempt came to nothing, once that is sure."""
    payment = seen.payment
    if payment is None or payment.state is not State.FAILED or not is_over(attempt_of(payment)):
        return None
    return words_for_payer(payment.payment.reason_code).in_language(speech.language)


def _part(seen: Seen, speech: Speech) -> str | None:
    payment = seen.payment
    if seen.invoice is None or payment is None or payment.state is not State.SUCCESSFUL:
        return None
    if seen.phase is Phase.PAID:
        return None
    return speech("part", amount=speech.money(payment.payment.amount, seen.checkout.currency))


def _until(seen: Seen, speech: Speech) -> str | None:
    ends = seen.checkout.expires_at
    if seen.invoice is not None:
        ends = seen.invoice.terms.expires_at
    if seen.phase is not Phase.OPEN or ends is None:
        return None
    return speech("until", time=speech.time(ends))


def _bill(seen: Seen, speech: Speech) -> BillSummary | None:
    invoice = seen.invoice
    if invoice is None:
        return None
    terms, paid = invoice.terms, seen.standing.paid
    state = invoice.state_at(seen.now, seen.standing)
    is_due = due_date(terms.due_at) is not None and balance_of(terms, seen.standing) > Decimal(0)
    return BillSummary(
        number=invoice.number,
        total=speech.money(terms.total, invoice.currency),
        paid=speech.money(paid, invoice.currency) if paid > 0 else None,
        left=speech.money(balance_of(terms, seen.standing), invoice.currency),
        due=speech("due", date=speech.date((terms.due_at or 1) - 1)) if is_due else None,
        is_overdue=state is InvoiceState.OVERDUE,
    )
