"""Bill a payer: make an invoice, send it by its page or through MTN, take it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from momokit.errors import InvalidInput
from momokit.gateway.core.invoice import (
    REMINDERS,
    Line,
    Standing,
    Terms,
    balance_of,
    check_terms,
    total_of,
)
from momokit.gateway.orders import Order, note_of
from momokit.gateway.store.attempts import Overtaken, reserve_at_mtn
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.invoice_life import send_invoice
from momokit.gateway.store.invoices import Invoice, add_invoice, find_invoice, next_number
from momokit.gateway.store.links import INVOICE, Checkout, add_checkout, find_by_invoice
from momokit.gateway.store.records import AcceptResult, IdempotencyClaim, NotUnique
from momokit.gateway.store.standing import standing_of
from momokit.gateway.store.store import Store
from momokit.operations.forms import Forms

MTN_LIFE_SECONDS = 7 * 86_400


Accept: TypeAlias = Callable[..., Awaitable[AcceptResult]]
"""The step that takes a payment in, handed over by whoever calls this one. It raises InvalidInput,
and a refusal of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bill:
    """What a merchant bills: lines or one amount, as texts; a day it is due by, a payer."""

    id: str
    account_id: str
    merchant_name: str
    amount: str | None = None
    lines: Sequence[tuple[str, str, str]] = field(default=(), repr=False)
    currency: str | None = None
    number: str | None = None
    description: str = field(default="", repr=False)
    payer_name: str | None = field(default=None, repr=False)
    payer: str | None = field(default=None, repr=False)
    due_on: date | None = None
    expires_at: float | None = None
    allow_partial: bool = False
    least: str | None = None
    reminders: Sequence[int] | None = None
    language: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    api_key_id: str | None = None


def draft_of(bill: Bill, *, forms: Forms, now: float) -> Invoice:
    """Check a bill and make a draft of it. Raises InvalidInput naming the field."""
    currency = bill.currency or forms.market.currency
    lines = tuple(_line(number, *one) for number, one in enumerate(bill.lines))
    if (bill.amount is None) == (not lines):
        raise InvalidInput("Give an amount, or lines; not both.", field="amount")
    total = total_of(lines, currency=currency) if lines else None
    money = forms.money(total if total is not None else bill.amount or "", currency=currency)
    due_at = end_of_day(bill.due_on) if bill.due_on is not None else None
    reminders = tuple(bill.reminders) if bill.reminders is not None else REMINDERS
    least = None
    if bill.least is not None:
        least = forms.money(bill.least, currency=currency, field="minimum_amount").amount
    terms = Terms(
        total=money.amount,
        allow_partial=bill.allow_partial,
        least=least,
        due_at=due_at,
        expires_at=bill.expires_at,
        reminders=tuple(sorted(set(reminders), reverse=True)) if due_at is not None else (),
    )
    check_terms(terms, now=now)
    payer = forms.party(bill.payer, field="payer.phone").id if bill.payer is not None else None
    return Invoice(
        id=bill.id,
        account_id=bill.account_id,
        number=bill.number or "",
        currency=money.currency,
        terms=terms,
        merchant_name=bill.merchant_name,
        lines=lines,
        description=bill.description,
        payer_name=bill.payer_name,
        payer=payer,
        metadata=bill.metadata,
        language=bill.language,
        api_key_id=bill.api_key_id,
    )


def keep_draft(transaction: Transaction, draft: Invoice) -> str:
    """Store a draft, with a number of ours when it has none. Raises NotUnique."""
    number = draft.number or next_number(transaction, draft.account_id)
    return add_invoice(transaction, replace(draft, number=number)).id


def send_page(transaction: Transaction, invoice_id: str, *, page: Checkout) -> Checkout:
    """Send an invoice by its page, which stays the same however often it is sent.

    `page` is what it gets the first time. Raises NoSuchRow, NotSendable.
    """
    send_invoice(transaction, invoice_id)
    return find_by_invoice(transaction, invoice_id) or add_checkout(transaction, page)


def page_of(invoice: Invoice, *, checkout_id: str, token: str) -> Checkout:
    """Lay out the page of an invoice."""
    return Checkout(
        id=checkout_id,
        kind=INVOICE,
        account_id=invoice.account_id,
        token=token,
        currency=invoice.currency,
        merchant_name=invoice.merchant_name,
        description=invoice.description or invoice.number,
        metadata=invoice.metadata,
        merchant_reference=invoice.number,
        language=invoice.language,
        invoice_id=invoice.id,
        api_key_id=invoice.api_key_id,
    )


async def bill_at_mtn(
    invoice_id: str,
    *,
    payee: str,
    validity_seconds: int,
    store: Store,
    accept: Accept,
    idempotency: IdempotencyClaim,
    **tools: Any,
) -> AcceptResult:
    """Put all that is still owed to the payer as MTN's own invoice (MTN: CreateInvoice).

    While that is open nothing else takes money for the same. Raises NotPayable or Overtaken when
    it cannot be had now, InvalidInput, and what `accept` refuses with.
    """

    def look(transaction: Transaction) -> tuple[Invoice, Standing]:
        return find_invoice(transaction, invoice_id), standing_of(transaction, invoice_id)

    invoice, standing = await store.read(look)
    if invoice.payer is None:
        raise InvalidInput("MTN's invoice needs the payer's number.", field="payer")
    owed = balance_of(invoice.terms, standing)
    order = Order(
        kind="invoice",
        amount=format(owed or invoice.terms.total, "f"),
        account=invoice.account_id,
        currency=invoice.currency,
        party=f"+{invoice.payer}",
        merchant_reference=invoice.number,
        metadata=dict(invoice.metadata)
        | {"invoice_id": invoice.id, "invoice_number": invoice.number},
        details={
            "payee": payee,
            "validity_seconds": validity_seconds,
            "description": note_of(invoice.description or invoice.number),
        },
        allow_duplicate=True,
    )
    try:
        return await accept(
            order,
            store=store,
            idempotency=idempotency,
            reserves=lambda new: [reserve_at_mtn(new, invoice_id=invoice_id)],
            **tools,
        )
    except NotUnique:
        raise Overtaken("Another payment of this invoice is under way.") from None


def end_of_day(day: date) -> float:
    """Give the end of a day, UTC: until then an invoice that is due that day is in time."""
    return (
        datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
        + timedelta(days=1).total_seconds()
    )


def _line(number: int, description: str, quantity: str, unit_amount: str) -> Line:
    with suppress(ArithmeticError):
        line = Line(
            description=description, quantity=Decimal(quantity), unit_amount=Decimal(unit_amount)
        )
        if line.quantity.is_finite() and line.unit_amount.is_finite() and line.quantity > 0:
            return line
    raise InvalidInput(
        f"Line {number + 1} has a quantity or an amount that is no number above zero.",
        field="lines",
    )
