"""Pay on a page: one attempt at a checkout, made a payment and taken in like any other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from momokit.errors import InvalidInput
from momokit.gateway.core.checkout import Phase, Span, check_amount, read_amount
from momokit.gateway.orders import Order, note_of
from momokit.gateway.store.attempts import NotPayable, Overtaken, Seen, reserve, see
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.links import CHECKOUT, Checkout, find_by_token
from momokit.gateway.store.records import AcceptResult, NotUnique
from momokit.gateway.store.store import Store

Accept: TypeAlias = Callable[..., Awaitable[AcceptResult]]
"""The step that takes a payment in, handed over by whoever calls this one. It raises InvalidInput,
and a refusal of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a payer asks for on a page. `number` counts the attempts that their page knew of.

    So a form that is sent twice, from a second tab or after going back, is one attempt.
    """

    checkout: Checkout
    number: int
    phone: str = field(repr=False)
    amount: str | None = None


async def pay(
    wish: Wish, *, store: Store, accept: Accept, public_url: str | None, **tools: Any
) -> Seen:
    """Begin an attempt, unless another is there; give where the checkout stands afterwards.

    `tools` are handed on to `accept`. Raises InvalidInput naming the field, and what `accept`
    refuses with; then there is no attempt.
    """
    seen = await look(wish.checkout, store=store)
    span = seen.span
    if seen.tries != wish.number or seen.phase is not Phase.OPEN or span is None:
        return seen
    order = order_of(wish, seen, amount=_amount(wish, seen.checkout.currency, span))
    with suppress(Overtaken, NotPayable, NotUnique):
        await accept(
            order,
            store=store,
            idempotency=None,
            api_key_id=seen.checkout.api_key_id,
            public_url=public_url,
            reserves=lambda new: [reserve(new, checkout=seen.checkout, number=wish.number)],
            **tools,
        )
    return await look(wish.checkout, store=store)


async def look(checkout: Checkout, *, store: Store) -> Seen:
    """Look where a checkout stands; one that is not stored yet is as it would be."""

    def unit(transaction: Transaction) -> Seen:
        return see(transaction, find_by_token(transaction, checkout.token) or checkout)

    return await store.read(unit)


def order_of(wish: Wish, seen: Seen, *, amount: Decimal) -> Order:
    """Say what is asked of the payer, as an order like a merchant's own."""
    checkout, invoice = seen.checkout, seen.invoice
    metadata = dict(checkout.metadata) | {"checkout_id": checkout.id}
    if checkout.link_id is not None:
        metadata["link_id"] = checkout.link_id
    if invoice is not None:
        metadata |= {"invoice_id": invoice.id, "invoice_number": invoice.number}
    own = checkout.merchant_reference
    reference = own or (invoice.number if invoice is not None else checkout.link_id or checkout.id)
    # Many may buy the same by one link, and an invoice be paid in equal parts; but that one number
    # pays one order on two pages is a mistake.
    may_repeat = own is None or checkout.kind != CHECKOUT or checkout.link_id is not None
    return Order(
        kind="request_to_pay",
        amount=format(amount, "f"),
        account=checkout.account_id,
        currency=checkout.currency,
        party=wish.phone,
        merchant_reference=reference,
        payer_message=note_of(checkout.description or checkout.merchant_name),
        payee_note=note_of(reference),
        metadata=metadata,
        allow_duplicate=may_repeat,
    )


def _amount(wish: Wish, currency: str, span: Span) -> Decimal:
    if span.fixed is not None:
        return span.fixed
    if not (wish.amount or "").strip():
        raise InvalidInput("An amount is wanted.", field="amount")
    amount = Decimal(read_amount(wish.amount or "", currency=currency))
    check_amount(amount, span)
    return amount
