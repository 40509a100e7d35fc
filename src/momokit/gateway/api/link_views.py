"""What callers get of checkouts, payment links and invoices."""

from __future__ import annotations

from typing import Any

import msgspec

from momokit.gateway.api.views import PartyView, masked
from momokit.gateway.core.checkout import Phase
from momokit.gateway.core.invoice import InvoiceState, Standing
from momokit.gateway.store.attempts import Seen
from momokit.gateway.store.deliveries import moment, moment_or_none
from momokit.gateway.store.invoice_life import plain, public_invoice
from momokit.gateway.store.invoices import Invoice, InvoiceEvent
from momokit.gateway.store.links import Checkout


class CheckoutView(msgspec.Struct, frozen=True, kw_only=True):
    """A page to pay on. `state`: open, waiting (on the payer's phone), checking (MTN's last word
    is not had), paid, expired or cancelled. `payment_id` is the last attempt's."""

    id: str
    state: Phase
    url: str
    qr_url: str
    account_id: str
    amount: str | None
    minimum_amount: str | None
    maximum_amount: str | None
    currency: str
    merchant_name: str
    description: str
    merchant_reference: str | None
    return_url: str | None
    language: str | None
    attempts: int
    payment_id: str | None
    link_id: str | None
    invoice_id: str | None
    metadata: dict[str, Any]
    expires_at: str | None
    created_at: str


class CheckoutList(msgspec.Struct, frozen=True, kw_only=True):
    """Some checkouts, newest first; `next_cursor` is null on the last page."""

    items: list[CheckoutView]
    next_cursor: str | None


class LinkView(msgspec.Struct, frozen=True, kw_only=True):
    """A payment link. `state`: open, expired or cancelled; `paid` counts what came by it."""

    id: str
    state: Phase
    url: str
    qr_url: str
    account_id: str
    amount: str | None
    minimum_amount: str | None
    maximum_amount: str | None
    currency: str
    merchant_name: str
    description: str
    merchant_reference: str | None
    return_url: str | None
    language: str | None
    paid: int
    metadata: dict[str, Any]
    expires_at: str | None
    created_at: str


class LinkList(msgspec.Struct, frozen=True, kw_only=True):
    """Some payment links, newest first; `next_cursor` is null on the last page."""

    items: list[LinkView]
    next_cursor: str | None


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an invoice."""

    description: str
    quantity: str
    unit_amount: str
    amount: str


class InvoiceView(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice. What is paid is verified money alone; `amount_reserved` is under way or in
    doubt, and nobody can pay it a second time. `url` is there once it was sent by its page."""

    id: str
    number: str
    state: InvoiceState
    cancelling: bool
    account_id: str
    currency: str
    amount: str
    amount_paid: str
    amount_due: str
    amount_reserved: str
    amount_refunded: str
    amount_overpaid: str
    allow_partial: bool
    minimum_amount: str | None
    merchant_name: str
    description: str
    payer_name: str | None
    payer: PartyView | None
    lines: list[LineView]
    due_date: str | None
    reminders: list[int]
    language: str | None
    url: str | None
    metadata: dict[str, Any]
    expires_at: str | None
    sent_at: str | None
    paid_at: str | None
    cancelled_at: str | None
    created_at: str


class InvoiceList(msgspec.Struct, frozen=True, kw_only=True):
    """Some invoices, newest first; `next_cursor` is null on the last page."""

    items: list[InvoiceView]
    next_cursor: str | None


class InvoiceEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to an invoice, and what was paid by then."""

    sequence: int
    at: str
    event: str
    state: InvoiceState
    amount_paid: str
    payment_id: str | None


class InvoiceTimeline(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice's story, oldest first, and the payments made for it."""

    invoice: InvoiceView
    entries: list[InvoiceEntry]
    payment_ids: list[str]


def checkout_view(seen: Seen, *, root: str) -> CheckoutView:
    """Show a checkout."""
    checkout = seen.checkout
    return CheckoutView(
        **_shared(checkout, root=root),
        state=seen.phase,
        attempts=seen.tries,
        payment_id=seen.payment.id if seen.payment is not None else None,
        link_id=checkout.link_id,
        invoice_id=checkout.invoice_id,
    )


def link_view(link: Checkout, *, root: str, phase: Phase, paid: int) -> LinkView:
    """Show a payment link."""
    return LinkView(**_shared(link, root=root), state=phase, paid=paid)


def invoice_view(
    invoice: Invoice, standing: Standing, *, url: str | None, reveal: bool = False
) -> InvoiceView:
    """Show an invoice. `reveal` shows the payer's number in plain."""
    payer = None
    if invoice.payer is not None:
        shown = invoice.payer if reveal else masked("MSISDN", invoice.payer)
        payer = PartyView(type="MSISDN", id=shown)
    terms = invoice.terms
    return InvoiceView(
        **public_invoice(invoice, standing),
        allow_partial=terms.allow_partial,
        minimum_amount=plain(terms.least) if terms.least is not None else None,
        merchant_name=invoice.merchant_name,
        description=invoice.description,
        payer_name=invoice.payer_name,
        payer=payer,
        lines=[
            LineView(
                description=line.description,
                quantity=plain(line.quantity),
                unit_amount=plain(line.unit_amount),
                amount=plain(line.amount.normalize()),
            )
            for line in invoice.lines
        ],
        reminders=list(terms.reminders),
        language=invoice.language,
        url=url,
        sent_at=moment_or_none(invoice.sent_at),
        cancelled_at=moment_or_none(invoice.cancelled_at),
    )


def entry_view(event: InvoiceEvent) -> InvoiceEntry:
    """Show one line of an invoice's history."""
    return InvoiceEntry(
        sequence=event.sequence,
        at=moment(event.at),
        event=event.event,
        state=event.state,
        amount_paid=plain(event.paid),
        payment_id=event.payment_id,
    )


def page_url(root: str, token: str) -> str:
    """Give the address of a page."""
    return f"{root}/pay/{token}"


def _shared(checkout: Checkout, *, root: str) -> dict[str, Any]:
    url = page_url(root, checkout.token)
    amounts = {
        "amount": checkout.amount,
        "minimum_amount": checkout.least,
        "maximum_amount": checkout.most,
    }
    return {
        "id": checkout.id,
        "url": url,
        "qr_url": f"{url}/qr.svg",
        "account_id": checkout.account_id,
        **{name: plain(one) if one is not None else None for name, one in amounts.items()},
        "currency": checkout.currency,
        "merchant_name": checkout.merchant_name,
        "description": checkout.description,
        "merchant_reference": checkout.merchant_reference,
        "return_url": checkout.return_url,
        "language": checkout.language,
        "metadata": dict(checkout.metadata),
        "expires_at": moment_or_none(checkout.expires_at),
        "created_at": moment(checkout.created_at),
    }
