"""What is printed: the receipt of a payment, and an invoice with what was paid of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from momokit.gateway.core.invoice import InvoiceState, Standing, balance_of
from momokit.gateway.pages.screen import masked_payer
from momokit.gateway.pages.words import Speech
from momokit.gateway.store.attempts import Seen
from momokit.gateway.store.invoice_life import due_date, plain
from momokit.gateway.store.invoices import Invoice
from momokit.gateway.store.records import StoredPayment

_STATES = {
    InvoiceState.EXPIRED: "expired_state",
    InvoiceState.CANCELLED: "cancelled_state",
    InvoiceState.PAID: "paid_state",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """One payment that MTN has confirmed, as paper says it: names and values in order."""

    merchant: str
    amount: str
    facts: Sequence[tuple[str, str]] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintedLine:
    """One line of an invoice."""

    description: str
    quantity: str
    unit_amount: str
    amount: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintedInvoice:
    """An invoice as paper says it."""

    merchant: str
    number: str
    state: str
    tone: str
    description: str
    payer: str | None = field(repr=False)
    issued: str
    due: str | None
    lines: Sequence[PrintedLine]
    total: str
    paid: str | None
    under_way: str | None
    left: str
    payments: Sequence[tuple[str, str, str]]


def receipt_of(payment: StoredPayment, seen: Seen, *, speech: Speech) -> Receipt:
    """Lay out the receipt of a payment that was successful."""
    checkout, paid = seen.checkout, payment.payment
    facts = [
        (speech("for"), checkout.description),
        (speech("reference"), payment.merchant_reference or ""),
        (speech("paid_on"), speech.time(paid.final_at or payment.updated_at)),
        (speech("paid_by"), masked_payer(payment)),
        (speech("mtn_number"), paid.financial_transaction_id or ""),
        (speech("payment_number"), payment.id),
    ]
    return Receipt(
        merchant=checkout.merchant_name,
        amount=speech.money(paid.amount, paid.currency),
        facts=[(name, value) for name, value in facts if value],
    )


def printed_invoice(
    invoice: Invoice,
    standing: Standing,
    payments: Sequence[StoredPayment],
    *,
    now: float,
    speech: Speech,
) -> PrintedInvoice:
    """Lay out an invoice; `payments` are those of it that were successful."""
    terms, currency = invoice.terms, invoice.currency
    state = invoice.state_at(now, standing)
    lines = [
        PrintedLine(
            description=line.description,
            quantity=plain(line.quantity),
            unit_amount=speech.money(line.unit_amount, currency),
            amount=speech.money(line.amount, currency),
        )
        for line in invoice.lines
    ]
    has_due = due_date(terms.due_at) is not None
    return PrintedInvoice(
        merchant=invoice.merchant_name,
        number=invoice.number,
        state=speech(_STATES.get(state, state.value)),
        tone="good" if state is InvoiceState.PAID else "bad" if not state.is_payable else "wait",
        description=invoice.description,
        payer=invoice.payer_name,
        issued=speech.date(invoice.sent_at or invoice.created_at),
        due=speech("due", date=speech.date((terms.due_at or 1) - 1)) if has_due else None,
        lines=lines,
        total=speech.money(terms.total, currency),
        paid=speech.money(standing.paid, currency) if standing.paid > 0 else None,
        under_way=speech.money(standing.reserved, currency) if standing.reserved > 0 else None,
        left=speech.money(balance_of(terms, standing), currency),
        payments=[
            (
                speech.date(one.payment.final_at or one.updated_at),
                one.payment.financial_transaction_id or one.id,
                speech.money(one.payment.amount, currency),
            )
            for one in payments
        ],
    )
