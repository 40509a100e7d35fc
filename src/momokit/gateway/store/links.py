"""Checkouts and payment links in the database, found by a token of which only a digest is kept.

A `checkout` is paid once; a `link` makes a checkout for everyone who pays by it; an `invoice` is
the page of an invoice. What a page shows of people is sealed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, func, select, update

from momokit.gateway.core.checkout import Span
from momokit.gateway.store.cursors import before, cursor_of
from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.link_tables import attempts, checkouts
from momokit.gateway.store.tables import payments
from momokit.gateway.store.veil import Veil

CHECKOUT, LINK, INVOICE = "checkout", "link", "invoice"
PAGE_LIMIT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """A page to pay on. Its amount is fixed, or lies from `least` to `most`; an invoice's page
    asks for what the invoice still wants."""

    id: str
    kind: str
    account_id: str
    token: str = field(repr=False)
    currency: str
    merchant_name: str
    description: str = field(default="", repr=False)
    return_url: str | None = field(default=None, repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    amount: Decimal | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    merchant_reference: str | None = None
    language: str | None = None
    link_id: str | None = None
    invoice_id: str | None = None
    expires_at: float | None = None
    closed_at: float | None = None
    api_key_id: str | None = None
    created_at: float = 0.0

    @property
    def span(self) -> Span:
        """Say which amounts are taken; an invoice says so for its own page."""
        if self.amount is not None:
            return Span(least=self.amount, most=self.amount)
        return Span(least=self.least or Decimal(1), most=self.most)


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckoutFilter:
    """Which checkouts are wanted; what is None does not matter."""

    kind: str
    account_ids: Collection[str] | None = None
    api_key_id: str | None = None
    link_id: str | None = None
    merchant_reference: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckoutPage:
    """Some checkouts, newest first, and where the next page begins, if there is one."""

    items: list[Checkout]
    next_cursor: str | None


class _Hidden(msgspec.Struct, frozen=True, array_like=True):
    token: str
    merchant_name: str
    description: str
    return_url: str | None
    metadata: dict[str, Any]


_SEALED = ("token", "merchant_name", "description", "return_url", "metadata")


def add_checkout(transaction: Transaction, checkout: Checkout) -> Checkout:
    """Store a checkout; one whose token is there already is left as it is."""
    hidden = _Hidden(**{name: getattr(checkout, name) for name in _SEALED})
    sealed = transaction.veil.seal(msgspec.msgpack.encode(hidden), place=f"checkouts {checkout.id}")
    plain = {
        column.name: getattr(checkout, column.name)
        for column in checkouts.c
        if column.name not in ("sealed", "token_hash", "amount", "least", "most")
    }
    statement = insert_unless_there(transaction.connection, checkouts).values(
        plain
        | {name: _text(getattr(checkout, name)) for name in ("amount", "least", "most")}
        | {
            "sealed": sealed,
            "token_hash": _digest(transaction.veil, checkout.token),
            "created_at": transaction.now,
        }
    )
    transaction.connection.execute(statement)
    found = find_by_token(transaction, checkout.token)
    assert found is not None
    return found


def find_checkout(
    transaction: Transaction, checkout_id: str, *, locked: bool = False
) -> Checkout | None:
    """Find a checkout by its id; `locked`, nobody else changes it meanwhile."""
    return _find(transaction, checkouts.c.id == checkout_id, locked=locked)


def find_by_token(transaction: Transaction, token: str) -> Checkout | None:
    """Find the checkout whose page has this token."""
    return _find(transaction, checkouts.c.token_hash == _digest(transaction.veil, token))


def find_by_invoice(transaction: Transaction, invoice_id: str) -> Checkout | None:
    """Find the page of an invoice, if it has one."""
    return _find(transaction, checkouts.c.invoice_id == invoice_id)


def close_checkout(transaction: Transaction, checkout_id: str) -> None:
    """Let nobody begin to pay here any more; what is begun is followed to its end."""
    transaction.connection.execute(
        update(checkouts)
        .where(checkouts.c.id == checkout_id, checkouts.c.closed_at.is_(None))
        .values(closed_at=transaction.now)
    )


def list_checkouts(
    transaction: Transaction, wanted: CheckoutFilter, *, cursor: str | None = None, limit: int = 50
) -> CheckoutPage:
    """List checkouts, newest first. A cursor that is not ours is a ValueError."""
    size = max(1, min(limit, PAGE_LIMIT))
    query = select(checkouts).where(checkouts.c.kind == wanted.kind)
    for name in ("api_key_id", "link_id", "merchant_reference"):
        if getattr(wanted, name) is not None:
            query = query.where(checkouts.c[name] == getattr(wanted, name))
    if wanted.account_ids is not None:
        query = query.where(checkouts.c.account_id.in_(list(wanted.account_ids)))
    if cursor is not None:
        query = query.where(before(checkouts.c.created_at, checkouts.c.id, cursor))
    query = query.order_by(checkouts.c.created_at.desc(), checkouts.c.id.desc()).limit(size + 1)
    rows = transaction.connection.execute(query).all()
    items = [_to_checkout(row, transaction.veil) for row in rows[:size]]
    more = len(rows) > size
    return CheckoutPage(
        items=items,
        next_cursor=cursor_of(items[-1].created_at, items[-1].id) if more else None,
    )


def count_paid(transaction: Transaction, link_id: str) -> int:
    """Count the payments that came by a link."""
    query = (
        select(func.count())
        .select_from(attempts)
        .join(checkouts, checkouts.c.id == attempts.c.checkout_id)
        .join(payments, payments.c.id == attempts.c.payment_id)
        .where(checkouts.c.link_id == link_id, payments.c.state == "successful")
    )
    return int(transaction.connection.execute(query).scalar_one())


def _find(
    transaction: Transaction, condition: ColumnElement[bool], *, locked: bool = False
) -> Checkout | None:
    query = select(checkouts).where(condition)
    row = transaction.connection.execute(query.with_for_update() if locked else query).one_or_none()
    return _to_checkout(row, transaction.veil) if row is not None else None


def _to_checkout(row: Row[Any], veil: Veil) -> Checkout:
    hidden = msgspec.msgpack.decode(
        veil.open(bytes(row.sealed), place=f"checkouts {row.id}"), type=_Hidden
    )
    plain = dict(row._mapping)
    del plain["sealed"], plain["token_hash"]
    amounts = {
        name: Decimal(plain[name]) if plain[name] is not None else None
        for name in ("amount", "least", "most")
    }
    return Checkout(**plain | amounts, **{name: getattr(hidden, name) for name in _SEALED})


def _digest(veil: Veil, token: str) -> str:
    return veil.digest("checkout token", token)


def _text(amount: Decimal | None) -> str | None:
    return str(amount) if amount is not None else None
