"""What happens to an invoice: it is sent, paid, reminded of, overdue, over; told as it happens."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.exc import DBAPIError

from momokit.gateway.core.invoice import (
    InvoiceState,
    Stage,
    Standing,
    balance_of,
    overpaid,
    reminder_is_due,
)
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.deliveries import InvoiceNotice, insert_invoice_deliveries, moment
from momokit.gateway.store.incidents import raise_incidents
from momokit.gateway.store.invoices import (
    Invoice,
    due_invoices,
    find_invoice,
    look_again_at,
    write_invoice,
    write_invoice_event,
)
from momokit.gateway.store.records import StoreError
from momokit.gateway.store.standing import standing_of

log = logging.getLogger(__name__)

LATER_SECONDS = 3600.0


class NotSendable(StoreError):
    """An invoice that is over is not sent; `state` says what it is."""

    def __init__(self, state: InvoiceState) -> None:
        super().__init__(f"The invoice is {state}.")
        self.state = state


def public_invoice(invoice: Invoice, standing: Standing) -> dict[str, Any]:
    """Show an invoice as its merchant sees it in webhooks; who is to pay is left out."""
    terms = invoice.terms
    return {
        "id": invoice.id,
        "number": invoice.number,
        "state": invoice.state.value,
        "cancelling": invoice.cancelling_at is not None and invoice.cancelled_at is None,
        "account_id": invoice.account_id,
        "currency": invoice.currency,
        "amount": plain(terms.total),
        "amount_paid": plain(standing.paid),
        "amount_due": plain(balance_of(terms, standing)),
        "amount_reserved": plain(standing.reserved),
        "amount_refunded": plain(standing.refunded),
        "amount_overpaid": plain(overpaid(terms, standing)),
        "due_date": due_date(terms.due_at),
        "expires_at": moment(terms.expires_at) if terms.expires_at is not None else None,
        "paid_at": moment(invoice.paid_at) if invoice.paid_at is not None else None,
        "metadata": dict(invoice.metadata),
        "created_at": moment(invoice.created_at),
    }


def plain(amount: Decimal) -> str:
    """Write an amount in plain digits."""
    return format(amount, "f")


def due_date(due_at: float | None) -> str | None:
    """Name the day by whose end an invoice is due (UTC)."""
    if due_at is None:
        return None
    return datetime.fromtimestamp(due_at - 1, UTC).date().isoformat()


def send_invoice(transaction: Transaction, invoice_id: str) -> Invoice:
    """Note that an invoice goes out, again if need be. Raises NoSuchRow, NotSendable."""
    invoice = find_invoice(transaction, invoice_id, locked=True)
    standing = standing_of(transaction, invoice_id)
    now = transaction.now
    # Dates that passed while it was a draft are past: nobody is reminded of them now.
    looked_at = invoice.looked_at if invoice.sent_at is not None else now
    sent = replace(invoice, stage=Stage.SENT, sent_at=invoice.sent_at or now, looked_at=looked_at)
    state = sent.state_at(transaction.now, standing)
    if invoice.stage is Stage.CANCELLED or not state.is_payable or invoice.cancelling_at:
        raise NotSendable(state if invoice.stage is not Stage.CANCELLED else invoice.state)
    sent = _tell(transaction, replace(sent, state=state), "invoice.sent", standing)
    write_invoice(transaction, sent)
    return sent


def remind_of_invoice(transaction: Transaction, invoice_id: str) -> Invoice:
    """Ask the merchant's application to remind the payer. Raises NoSuchRow, NotSendable."""
    invoice = find_invoice(transaction, invoice_id, locked=True)
    standing = standing_of(transaction, invoice_id)
    state = invoice.state_at(transaction.now, standing)
    if not state.is_payable or invoice.cancelling_at is not None:
        raise NotSendable(state)
    told = _tell(transaction, replace(invoice, state=state), "invoice.reminder_due", standing)
    write_invoice(transaction, told)
    return told


def cancel_invoice(transaction: Transaction, invoice_id: str) -> Invoice:
    """Take an invoice back: nobody begins to pay it any more.

    While a payment of it is open or unknown it is cancelling, not cancelled: that payment's end
    decides. Raises NoSuchRow, and NotSendable for one that is paid.
    """
    invoice = find_invoice(transaction, invoice_id, locked=True)
    if invoice.stage is Stage.CANCELLED or invoice.cancelling_at is not None:
        return invoice
    state = invoice.state_at(transaction.now, standing_of(transaction, invoice_id))
    if state is InvoiceState.PAID:
        raise NotSendable(state)
    write_invoice(transaction, replace(invoice, cancelling_at=transaction.now))
    return follow_invoice(transaction, invoice_id)


def follow_invoice(
    transaction: Transaction, invoice_id: str, *, payment_id: str | None = None, came: bool = False
) -> Invoice:
    """Draw the conclusion anew: from the payments, the dates, and what the merchant did.

    `came` says that the money of `payment_id` has just been verified.
    """
    before = find_invoice(transaction, invoice_id, locked=True)
    standing = standing_of(transaction, invoice_id)
    after = _concluded(transaction, before, standing)
    for event in _events(before, after, came=came):
        after = _tell(transaction, after, event, standing, payment_id=payment_id)
    if came and payment_id is not None:
        after = _raise_what_is_odd(transaction, before, after, standing, payment_id)
    write_invoice(transaction, after)
    return after


def follow_time(transaction: Transaction, *, limit: int = 100) -> int:
    """See to the invoices for which a date has passed; tell how many there were.

    Each is looked at once for each of its dates, whichever process does it.
    """
    found = due_invoices(transaction, limit=limit)
    for invoice_id in found:
        try:
            with transaction.connection.begin_nested():
                _follow_dates(transaction, invoice_id)
        except DBAPIError:
            raise
        except Exception as error:
            # One that cannot be read holds up no other; it is tried again later.
            log.error(
                "an invoice cannot be followed: %s", type(error).__name__,
                extra={"invoice_id": invoice_id},
            )  # fmt: skip
            look_again_at(transaction, invoice_id, at=transaction.now + LATER_SECONDS)
    return len(found)


def follow_or_later(
    transaction: Transaction, invoice_id: str, *, payment_id: str, came: bool
) -> None:
    """Let an invoice follow a payment; should that fail, the payment is recorded all the same.

    A person is told then, and the invoice is looked at again by the clock.
    """
    try:
        with transaction.connection.begin_nested():
            follow_invoice(transaction, invoice_id, payment_id=payment_id, came=came)
    except DBAPIError:
        raise
    except Exception:
        raise_incidents(transaction, [(payment_id, "The payment's invoice could not follow it.")])
        look_again_at(transaction, invoice_id, at=transaction.now)


def _follow_dates(transaction: Transaction, invoice_id: str) -> None:
    invoice = find_invoice(transaction, invoice_id)
    after = follow_invoice(transaction, invoice_id)
    reminds = reminder_is_due(invoice.terms, since=invoice.looked_at, now=transaction.now)
    if reminds and after.state.is_payable and after.cancelling_at is None:
        standing = standing_of(transaction, invoice_id)
        after = _tell(transaction, after, "invoice.reminder_due", standing)
    write_invoice(transaction, replace(after, looked_at=transaction.now))


def _concluded(transaction: Transaction, before: Invoice, standing: Standing) -> Invoice:
    now, after = transaction.now, before
    is_paid = standing.paid >= before.terms.total
    if before.cancelling_at is not None and is_paid:
        # The money came first: there is nothing left to take back.
        after = replace(after, cancelling_at=None)
    elif before.cancelling_at is not None and standing.reserved == 0:
        cancelled_at = before.cancelled_at or now
        after = replace(after, stage=Stage.CANCELLED, cancelled_at=cancelled_at)
    paid_at = (before.paid_at or now) if is_paid else None
    return replace(after, state=after.state_at(now, standing), paid_at=paid_at)


def _events(before: Invoice, after: Invoice, *, came: bool) -> Sequence[str]:
    if came:
        if after.state is not InvoiceState.PAID:
            return ["invoice.partly_paid"]
        return ["invoice.paid"] if before.state is not InvoiceState.PAID else []
    if before.state is after.state:
        return []
    was_paid = before.state is InvoiceState.PAID
    if was_paid or (before.state, after.state) == (InvoiceState.PARTLY_PAID, InvoiceState.SENT):
        # MTN took back what it had said.
        return ["invoice.corrected"]
    return [f"invoice.{after.state.value}"]


def _raise_what_is_odd(
    transaction: Transaction, before: Invoice, after: Invoice, standing: Standing, payment_id: str
) -> Invoice:
    text = None
    if overpaid(after.terms, standing) > 0:
        text = "An invoice was paid more than it asked for; what is too much is to be given back."
        after = _tell(transaction, after, "invoice.overpaid", standing, payment_id=payment_id)
    elif before.stage is Stage.CANCELLED:
        text = "Money came for an invoice that is cancelled; it is to be given back."
    if text is not None:
        raise_incidents(transaction, [(payment_id, text)])
    return after


def _tell(
    transaction: Transaction,
    invoice: Invoice,
    event: str,
    standing: Standing,
    *,
    payment_id: str | None = None,
) -> Invoice:
    """Write an event into the history, and the webhooks that tell of it."""
    told = replace(invoice, sequence=invoice.sequence + 1)
    write_invoice_event(transaction, told, event, paid=standing.paid, payment_id=payment_id)
    data = public_invoice(told, standing) | {"payment_id": payment_id}
    notice = InvoiceNotice(
        invoice_id=told.id,
        account_id=told.account_id,
        event=event,
        sequence=told.sequence,
        data=data,
    )
    insert_invoice_deliveries(transaction, notice)
    return told
