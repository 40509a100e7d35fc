"""Invoices in the database: one writer of their state, which follows verified payments and time.

Their state is a conclusion, drawn anew each time a payment of theirs moves or a date passes, in
the transaction in which that happens, with its history and its webhooks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, insert, select, update

from momokit.gateway.core.invoice import (
    InvoiceState,
    Line,
    Stage,
    Standing,
    Terms,
    next_moment,
    state_of,
)
from momokit.gateway.store.cursors import before, cursor_of
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.link_tables import invoice_counters, invoice_events, invoices
from momokit.gateway.store.records import NoSuchRow, NotUnique, from_json, to_json
from momokit.gateway.store.veil import Veil

PAGE_LIMIT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Invoice:
    """A merchant's bill. Times are seconds since 1970."""

    id: str
    account_id: str
    number: str
    currency: str
    terms: Terms
    merchant_name: str
    lines: tuple[Line, ...] = field(default=(), repr=False)
    description: str = field(default="", repr=False)
    payer_name: str | None = field(default=None, repr=False)
    payer: str | None = field(default=None, repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    language: str | None = None
    stage: Stage = Stage.DRAFT
    state: InvoiceState = InvoiceState.DRAFT
    sequence: int = 0
    sent_at: float | None = None
    cancelling_at: float | None = None
    cancelled_at: float | None = None
    paid_at: float | None = None
    next_at: float | None = None
    looked_at: float = 0.0
    api_key_id: str | None = None
    created_at: float = 0.0
    updated_at: float = 0.0

    def state_at(self, now: float, standing: Standing) -> InvoiceState:
        """Say where it stands, as of now."""
        return state_of(self.stage, self.terms, standing, now=now)


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceFilter:
    """Which invoices are wanted; what is None does not matter. `payer` is an MSISDN's digits."""

    account_ids: Collection[str] | None = None
    api_key_id: str | None = None
    states: Collection[InvoiceState] | None = None
    number: str | None = None
    payer: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoicePage:
    """Some invoices, newest first, and where the next page begins, if there is one."""

    items: list[Invoice]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceEvent:
    """One line of an invoice's history. `paid` is what was paid by then."""

    sequence: int
    at: float
    event: str
    state: InvoiceState
    paid: Decimal
    payment_id: str | None


class _Hidden(msgspec.Struct, frozen=True, array_like=True):
    merchant_name: str
    description: str
    payer_name: str | None
    payer: str | None
    lines: list[tuple[str, str, str]]
    metadata: dict[str, Any]


def add_invoice(transaction: Transaction, invoice: Invoice) -> Invoice:
    """Store a draft. Raises NotUnique when the account has an invoice of that number."""
    now, terms = transaction.now, invoice.terms
    row = {
        "id": invoice.id,
        "account_id": invoice.account_id,
        "number": invoice.number,
        "sealed": _seal(transaction.veil, invoice),
        "payer_hash": _payer_hash(transaction.veil, invoice.payer),
        "currency": invoice.currency,
        "total": str(terms.total),
        "allow_partial": terms.allow_partial,
        "least": str(terms.least) if terms.least is not None else None,
        "due_at": terms.due_at,
        "expires_at": terms.expires_at,
        "reminders": to_json(terms.reminders),
        "language": invoice.language,
        "stage": Stage.DRAFT.value,
        "state": InvoiceState.DRAFT.value,
        "sequence": 0,
        "looked_at": now,
        "api_key_id": invoice.api_key_id,
        "created_at": now,
        "updated_at": now,
    }
    statement = insert_unless_there(transaction.connection, invoices).values(row)
    if transaction.connection.execute(statement.returning(invoices.c.id)).first() is None:
        raise NotUnique(f"There is an invoice {invoice.number} already.")
    return find_invoice(transaction, invoice.id)


def next_number(transaction: Transaction, account_id: str) -> str:
    """Give the next number of an account's invoices: without gaps, and none that is taken."""
    transaction.lock(f"invoice numbers {account_id}")
    transaction.connection.execute(
        insert_unless_there(transaction.connection, invoice_counters).values(
            account_id=account_id, last=0
        )
    )
    query = select(invoice_counters.c.last).where(invoice_counters.c.account_id == account_id)
    last = int(transaction.connection.execute(query).scalar_one())
    number = ""
    while not number or _has_number(transaction, account_id, number):
        last += 1
        number = f"INV-{last:06}"
    transaction.connection.execute(
        update(invoice_counters)
        .where(invoice_counters.c.account_id == account_id)
        .values(last=last)
    )
    return number


def find_invoice(transaction: Transaction, invoice_id: str, *, locked: bool = False) -> Invoice:
    """Find an invoice; `locked`, nobody else changes it meanwhile. Raises NoSuchRow."""
    query = select(invoices).where(invoices.c.id == invoice_id)
    found = transaction.connection.execute(
        query.with_for_update() if locked else query
    ).one_or_none()
    if found is None:
        raise NoSuchRow(f"There is no invoice {invoice_id}.")
    return _to_invoice(found, transaction.veil)


def list_invoices(
    transaction: Transaction, wanted: InvoiceFilter, *, cursor: str | None = None, limit: int = 50
) -> InvoicePage:
    """List invoices, newest first. A cursor that is not ours is a ValueError."""
    size = max(1, min(limit, PAGE_LIMIT))
    query = select(invoices).where(*_conditions(transaction.veil, wanted))
    if cursor is not None:
        query = query.where(before(invoices.c.created_at, invoices.c.id, cursor))
    query = query.order_by(invoices.c.created_at.desc(), invoices.c.id.desc()).limit(size + 1)
    rows = transaction.connection.execute(query).all()
    items = [_to_invoice(row, transaction.veil) for row in rows[:size]]
    more = len(rows) > size
    return InvoicePage(
        items=items,
        next_cursor=cursor_of(items[-1].created_at, items[-1].id) if more else None,
    )


def list_invoice_events(transaction: Transaction, invoice_id: str) -> list[InvoiceEvent]:
    """Tell an invoice's story, oldest first."""
    query = (
        select(invoice_events)
        .where(invoice_events.c.invoice_id == invoice_id)
        .order_by(invoice_events.c.sequence)
    )
    return [
        InvoiceEvent(
            sequence=row.sequence,
            at=row.at,
            event=row.event,
            state=InvoiceState(row.state),
            paid=Decimal(row.paid),
            payment_id=row.payment_id,
        )
        for row in transaction.connection.execute(query)
    ]


def write_invoice(transaction: Transaction, invoice: Invoice) -> None:
    """Write what may change about an invoice, and when time next changes something.

    `looked_at` is up to when its dates have been seen to.
    """
    is_payable = invoice.state.is_payable
    next_at = next_moment(invoice.terms, after=invoice.looked_at) if is_payable else None
    transaction.connection.execute(
        update(invoices)
        .where(invoices.c.id == invoice.id)
        .values(
            stage=invoice.stage.value,
            state=invoice.state.value,
            sequence=invoice.sequence,
            sent_at=invoice.sent_at,
            cancelling_at=invoice.cancelling_at,
            cancelled_at=invoice.cancelled_at,
            paid_at=invoice.paid_at,
            next_at=next_at,
            looked_at=invoice.looked_at,
            updated_at=transaction.now,
        )
    )


def write_invoice_event(
    transaction: Transaction, invoice: Invoice, event: str, *, paid: Decimal, payment_id: str | None
) -> None:
    """Add a line to an invoice's history."""
    row = {
        "invoice_id": invoice.id,
        "sequence": invoice.sequence,
        "at": transaction.now,
        "event": event,
        "state": invoice.state.value,
        "paid": str(paid),
        "payment_id": payment_id,
    }
    transaction.connection.execute(insert(invoice_events), [row])


def due_invoices(transaction: Transaction, *, limit: int) -> list[str]:
    """Lock the invoices for which a date has passed; those that another process has are left."""
    query = (
        select(invoices.c.id)
        .where(invoices.c.next_at <= transaction.now)
        .order_by(invoices.c.next_at, invoices.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(transaction.connection.execute(query).scalars())


def look_again_at(transaction: Transaction, invoice_id: str, *, at: float) -> None:
    """Have an invoice looked at by the clock at a time."""
    transaction.connection.execute(
        update(invoices).where(invoices.c.id == invoice_id).values(next_at=at)
    )


def _conditions(veil: Veil, wanted: InvoiceFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.account_ids is not None:
        found.append(invoices.c.account_id.in_(list(wanted.account_ids)))
    if wanted.api_key_id is not None:
        found.append(invoices.c.api_key_id == wanted.api_key_id)
    if wanted.states is not None:
        found.append(invoices.c.state.in_([state.value for state in wanted.states]))
    if wanted.number is not None:
        found.append(invoices.c.number == wanted.number)
    if wanted.payer is not None:
        found.append(invoices.c.payer_hash == _payer_hash(veil, wanted.payer))
    return found


def _has_number(transaction: Transaction, account_id: str, number: str) -> bool:
    query = select(invoices.c.id).where(
        invoices.c.account_id == account_id, invoices.c.number == number
    )
    return transaction.connection.execute(query).first() is not None


def _seal(veil: Veil, invoice: Invoice) -> bytes:
    hidden = _Hidden(
        merchant_name=invoice.merchant_name,
        description=invoice.description,
        payer_name=invoice.payer_name,
        payer=invoice.payer,
        lines=[(one.description, str(one.quantity), str(one.unit_amount)) for one in invoice.lines],
        metadata=dict(invoice.metadata),
    )
    return veil.seal(msgspec.msgpack.encode(hidden), place=f"invoices {invoice.id}")


def _payer_hash(veil: Veil, payer: str | None) -> str | None:
    return veil.digest("party", f"MSISDN {payer}") if payer is not None else None


def _to_invoice(row: Row[Any], veil: Veil) -> Invoice:
    plain = dict(row._mapping)
    opened = veil.open(bytes(plain.pop("sealed")), place=f"invoices {row.id}")
    hidden = msgspec.msgpack.decode(opened, type=_Hidden)
    del plain["payer_hash"]
    least = plain.pop("least")
    terms = Terms(
        total=Decimal(plain.pop("total")),
        allow_partial=plain.pop("allow_partial"),
        least=Decimal(least) if least is not None else None,
        due_at=plain.pop("due_at"),
        expires_at=plain.pop("expires_at"),
        reminders=tuple(from_json(plain.pop("reminders"))),
    )
    plain |= {"stage": Stage(row.stage), "state": InvoiceState(row.state)}
    return Invoice(
        **plain,
        terms=terms,
        merchant_name=hidden.merchant_name,
        description=hidden.description,
        payer_name=hidden.payer_name,
        payer=hidden.payer,
        lines=tuple(
            Line(description=words, quantity=Decimal(quantity), unit_amount=Decimal(unit))
            for words, quantity, unit in hidden.lines
        ),
        metadata=hidden.metadata,
    )
