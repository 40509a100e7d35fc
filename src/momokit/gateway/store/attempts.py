"""Attempts to pay a checkout or an invoice: reserved in the transaction that stores the payment.

Whoever pays twice at once (two clicks, two tabs, two channels) meets here: the row of the invoice
or the checkout is locked, what is open or unknown counts as paid, and the tables' constraints hold
even where this code would not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update

from momokit.gateway.core.checkout import (
    ATTEMPTS_LIMIT,
    Phase,
    Span,
    check_amount,
    phase_of,
)
from momokit.gateway.core.invoice import Standing, payable
from momokit.gateway.core.payment import State
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.invoice_life import follow_or_later
from momokit.gateway.store.invoices import Invoice, find_invoice
from momokit.gateway.store.link_tables import attempts
from momokit.gateway.store.links import Checkout, add_checkout, find_checkout
from momokit.gateway.store.records import Check, NewPayment, StoredPayment, StoreError, to_stored
from momokit.gateway.store.standing import attempt_of, attempts_of_invoice, standing_of
from momokit.gateway.store.tables import payments

PAGE, MTN = "page", "mtn"


class Overtaken(StoreError):
    """Another attempt came first: look at that one."""


class NotPayable(StoreError):
    """Nothing can be paid here now; `phase` says where it stands."""

    def __init__(self, phase: str) -> None:
        super().__init__(f"It cannot be paid now: it is {phase}.")
        self.phase = phase


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """A payment whose state has changed; a refund names what it gives back."""

    payment_id: str
    original_payment_id: str | None
    state: State


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A checkout with all that decides where it stands, as of `now`."""

    checkout: Checkout
    tries: int
    payment: StoredPayment | None
    invoice: Invoice | None
    standing: Standing
    now: float

    @property
    def phase(self) -> Phase:
        """Say where it stands."""
        last = attempt_of(self.payment) if self.payment is not None else None
        checkout, invoice = self.checkout, self.invoice
        left = invoice is not None and self.standing.paid < invoice.terms.total
        phase = phase_of(
            last,
            now=self.now,
            expires_at=checkout.expires_at,
            is_closed=checkout.closed_at is not None or self.tries >= ATTEMPTS_LIMIT,
            can_be_paid_again=left,
        )
        if phase is not Phase.OPEN or invoice is None:
            return phase
        if self.standing.paid >= invoice.terms.total:
            return Phase.PAID
        state = invoice.state_at(self.now, self.standing)
        if not state.is_payable or invoice.cancelling_at is not None:
            return Phase.EXPIRED if state == "expired" else Phase.CANCELLED
        return Phase.OPEN if self.span is not None else Phase.WAITING

    @property
    def span(self) -> Span | None:
        """Say which amounts are taken; None when none is."""
        if self.invoice is not None:
            return payable(self.invoice.terms, self.standing)
        return self.checkout.span


def see(transaction: Transaction, checkout: Checkout) -> Seen:
    """Look at a checkout and at everything it depends on."""
    invoice, standing = None, Standing()
    if checkout.invoice_id is not None:
        invoice = find_invoice(transaction, checkout.invoice_id)
        standing = standing_of(transaction, checkout.invoice_id)
    query = (
        select(payments)
        .join(attempts, attempts.c.payment_id == payments.c.id)
        .where(attempts.c.checkout_id == checkout.id)
        .order_by(attempts.c.number.desc())
        .limit(1)
    )
    last = transaction.connection.execute(query).one_or_none()
    return Seen(
        checkout=checkout,
        tries=_count(transaction, checkout.id),
        payment=to_stored(last, transaction.veil) if last is not None else None,
        invoice=invoice,
        standing=standing,
        now=transaction.now,
    )


def reserve(new: NewPayment, *, checkout: Checkout, number: int) -> Check:
    """Make the condition that this is the one attempt at a checkout, and the attempt itself.

    A checkout that is not stored yet (that of a link, say) is stored with it. The check raises
    Overtaken, NotPayable, and InvalidInput for an amount that is not taken any more.
    """

    def check(transaction: Transaction) -> None:
        if checkout.invoice_id is not None:
            find_invoice(transaction, checkout.invoice_id, locked=True)
        if checkout.link_id is not None:
            _begin(transaction, checkout)
        present = find_checkout(transaction, checkout.id, locked=True)
        if present is None:
            raise Overtaken("Another checkout has this token.")
        seen = see(transaction, present)
        if seen.tries != number:
            raise Overtaken("Another attempt came first.")
        if seen.phase is not Phase.OPEN or seen.span is None:
            raise NotPayable(seen.phase)
        check_amount(new.amount, seen.span)
        _let_go(transaction, attempts.c.checkout_id == present.id)
        _insert(
            transaction, new, channel=PAGE, checkout_id=present.id, number=number,
            invoice_id=present.invoice_id,
        )  # fmt: skip

    return check


def reserve_at_mtn(new: NewPayment, *, invoice_id: str) -> Check:
    """Make the condition that MTN's own invoice takes all that an invoice still wants.

    The check raises NotPayable; and Overtaken when another amount is wanted by now.
    """

    def check(transaction: Transaction) -> None:
        invoice = find_invoice(transaction, invoice_id, locked=True)
        standing = standing_of(transaction, invoice_id)
        state = invoice.state_at(transaction.now, standing)
        span = payable(invoice.terms, standing)
        if not state.is_payable or invoice.cancelling_at is not None or span is None:
            raise NotPayable(state)
        if new.amount != span.most or standing.reserved > 0:
            raise Overtaken("Another payment of this invoice is under way.")
        _let_go(transaction, attempts.c.invoice_id == invoice_id, attempts.c.checkout_id.is_(None))
        _insert(transaction, new, channel=MTN, invoice_id=invoice_id)

    return check


def follow_payments(transaction: Transaction, moved: Sequence[Moved]) -> None:
    """Let invoices follow the payments whose state has just changed, in the same transaction."""
    if not moved:
        return
    came = {one.payment_id for one in moved if one.state is State.SUCCESSFUL}
    ids = {one.payment_id for one in moved} | {one.original_payment_id for one in moved}
    query = select(attempts.c.invoice_id, attempts.c.payment_id).where(
        attempts.c.payment_id.in_(sorted(one for one in ids if one is not None)),
        attempts.c.invoice_id.is_not(None),
    )
    for invoice_id, payment_id in sorted(map(tuple, transaction.connection.execute(query))):
        follow_or_later(transaction, invoice_id, payment_id=payment_id, came=payment_id in came)


def open_at_mtn(transaction: Transaction, invoice_id: str) -> list[str]:
    """Name the payments that are MTN's invoices for this one and not over yet."""
    return [
        row.id
        for row in attempts_of_invoice(transaction, invoice_id)
        if row.channel == MTN and not State(row.state).is_final
    ]


def _begin(transaction: Transaction, checkout: Checkout) -> None:
    """Store a checkout that is made of a link, which must still be good."""
    link = find_checkout(transaction, checkout.link_id or "")
    phase = Phase.CANCELLED
    if link is not None:
        is_closed = link.closed_at is not None
        phase = phase_of(None, now=transaction.now, expires_at=link.expires_at, is_closed=is_closed)
    # One that was begun in time is finished, whatever became of the link.
    if find_checkout(transaction, checkout.id) is None:
        if phase is not Phase.OPEN:
            raise NotPayable(phase)
        add_checkout(transaction, checkout)


def _count(transaction: Transaction, checkout_id: str) -> int:
    query = select(func.count()).where(attempts.c.checkout_id == checkout_id)
    return int(transaction.connection.execute(query).scalar_one())


def _let_go(transaction: Transaction, *conditions: Any) -> None:
    # Only here, under the lock and after the look above: each earlier attempt is proven to be over.
    transaction.connection.execute(
        update(attempts).where(*conditions, attempts.c.holds).values(holds=False)
    )


def _insert(transaction: Transaction, new: NewPayment, **columns: Any) -> None:
    row = {"payment_id": new.id, "holds": True, "created_at": transaction.now} | columns
    transaction.connection.execute(insert(attempts), [row])


def paid_payments(transaction: Transaction, checkout: Checkout) -> list[StoredPayment]:
    """List the successful payments of a checkout, or of its invoice by whatever channel."""
    of = attempts.c.checkout_id == checkout.id
    if checkout.invoice_id is not None:
        of = attempts.c.invoice_id == checkout.invoice_id
    query = (
        select(payments)
        .join(attempts, attempts.c.payment_id == payments.c.id)
        .where(of, payments.c.state == State.SUCCESSFUL.value)
        .order_by(payments.c.final_at, payments.c.id)
    )
    return [to_stored(row, transaction.veil) for row in transaction.connection.execute(query)]
