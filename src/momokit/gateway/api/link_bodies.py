"""What callers send to make checkouts, payment links and invoices: strict, every field named."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from momokit.errors import InvalidInput
from momokit.gateway.api.bodies import Amount, Metadata, Name, Phone, Reference, Strict, Url
from momokit.gateway.core.checkout import LONGEST_LIFE_SECONDS, SHORTEST_LIFE_SECONDS
from momokit.gateway.core.invoice import LINES_LIMIT, REMINDERS_LIMIT
from momokit.gateway.core.return_url import check_return_url
from momokit.operations.forms import Forms

Language: TypeAlias = Literal["en", "fr"]
Words: TypeAlias = Annotated[
    str, Meta(max_length=140, description="What it is for; the payer reads it")
]
Shown: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=60, description="Who is paid, as the payer knows them")
]
Life: TypeAlias = Annotated[int, Meta(ge=SHORTEST_LIFE_SECONDS, le=LONGEST_LIFE_SECONDS)]
Number: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,38}[A-Za-z0-9]$|^[A-Za-z0-9]$",
        description="Yours, or ours when it is left out; unique in the account",
    ),
]
Quantity: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?$")]
Digits: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]{1,15}(\.[0-9]{1,3})?$")]
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class CheckoutBody(Strict, frozen=True, kw_only=True):
    """A page to pay on: one fixed amount, or one that the payer chooses from a span."""

    amount: Amount | None = None
    minimum_amount: Amount | None = None
    maximum_amount: Amount | None = None
    currency: str | None = None
    account: Name | None = None
    merchant_name: Shown | None = None
    description: Words = ""
    merchant_reference: Reference | None = None
    return_url: Url | None = None
    language: Language | None = None
    expires_in_seconds: Life | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)


class PayerBody(Strict, frozen=True, kw_only=True):
    """Who is to pay: a name to print, a number for MTN's own invoice. Both may be left out."""

    name: Name | None = None
    phone: Phone | None = None


class LineBody(Strict, frozen=True, kw_only=True):
    """One line of an invoice: so many of something, at so much each."""

    description: Annotated[str, Meta(min_length=1, max_length=140)]
    unit_amount: Digits
    quantity: Quantity = "1"


class InvoiceBody(Strict, frozen=True, kw_only=True):
    """A bill: one amount or lines, a day it is due by, and whether it may be paid in parts."""

    amount: Amount | None = None
    lines: Annotated[list[LineBody], Meta(max_length=LINES_LIMIT)] = msgspec.field(
        default_factory=list
    )
    currency: str | None = None
    account: Name | None = None
    number: Number | None = None
    merchant_name: Shown | None = None
    description: Words = ""
    payer: PayerBody = msgspec.field(default_factory=PayerBody)
    due_date: date | None = None
    expires_at: datetime | None = None
    allow_partial: bool = False
    minimum_amount: Amount | None = None
    reminders: Annotated[list[int], Meta(max_length=REMINDERS_LIMIT)] | None = None
    language: Language | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)


class SendBody(Strict, frozen=True, kw_only=True):
    """How an invoice goes out: by its page, or as MTN's own invoice to the payer's phone.

    `payee` is the number that MTN's invoice is paid to; only the channel `mtn` has it.
    """

    channel: Literal["link", "mtn"] = "link"
    payee: Phone | None = None
    validity_seconds: Annotated[int, Meta(ge=60, le=31_536_000)] | None = None


class ShopCheckoutBody(Strict, frozen=True, kw_only=True):
    """What a simple shop sends to have a page to pay on."""

    amount: Annotated[str, Meta(max_length=40)] | int
    order: Reference | None = None
    description: Words = ""
    return_url: Url | None = None


def span_of(
    body: CheckoutBody, forms: Forms
) -> tuple[str, Decimal | None, Decimal | None, Decimal | None]:
    """Read currency, amount, least and most. Raises InvalidInput naming the field."""
    currency = body.currency or forms.market.currency
    if body.amount is not None:
        if body.minimum_amount is not None or body.maximum_amount is not None:
            raise InvalidInput("A fixed amount has no bounds.", field="minimum_amount")
        return currency, forms.money(body.amount, currency=currency).amount, None, None
    if body.minimum_amount is None:
        raise InvalidInput(
            "An amount is wanted, or the least that the payer may choose.", field="amount"
        )
    least = forms.money(body.minimum_amount, currency=currency, field="minimum_amount").amount
    if body.maximum_amount is None:
        return currency, None, least, None
    most = forms.money(body.maximum_amount, currency=currency, field="maximum_amount").amount
    if most < least:
        raise InvalidInput("It is less than the least.", field="maximum_amount")
    return currency, None, least, most


def check_texts(body: CheckoutBody | InvoiceBody | ShopCheckoutBody) -> None:
    """Refuse texts that would not be shown as they are, and addresses that lead astray."""
    for name in ("merchant_name", "description"):
        if _CONTROL.search(getattr(body, name, None) or ""):
            raise InvalidInput("It has characters that cannot be shown.", field=name)
    return_url = getattr(body, "return_url", None)
    if return_url is not None:
        check_return_url(return_url)
