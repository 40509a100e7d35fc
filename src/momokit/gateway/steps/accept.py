"""Take a payment in: check it, fix its id and its bytes, and store it, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from momokit.errors import InvalidInput
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.orders import Order, new_payment
from momokit.gateway.store.accepting import TooMuch, Twin, no_twin, refund_cap
from momokit.gateway.store.accounts import Account
from momokit.gateway.store.guards import LimitExceeded
from momokit.gateway.store.records import (
    AcceptResult,
    Check,
    IdempotencyClaim,
    NewPayment,
    NoSuchRow,
    StoredPayment,
)
from momokit.gateway.store.space import StorageLow
from momokit.gateway.store.store import Store
from momokit.gateway.store.switches import Name, Stopped
from momokit.operations.forms import Forms
from momokit.operations.registry import find_kind
from momokit.settings import Settings

TWIN_SECONDS = 600.0
"""The same party, amount and reference within this time is taken for a double click."""


_STOPPED = {Name.MONEY: "money_stopped", Name.RESTORE: "restore_hold"}


class Book(Protocol):
    """The accounts, as the composition root keeps them."""

    def account(self, name: str | None, /) -> Account:
        """Give an account by name or id; None is the only one there is. Raises InvalidInput."""

    def forms_of(self, account_id: str, /) -> Forms:
        """Give the forms of an account's market."""

    def settings_of(self, account_id: str, /) -> Settings:
        """Give an account's settings: which products it has keys for."""


class Refusal(Exception):
    """The order is well formed and still not taken; `code` is stable, the message is for people.

    `payment_id` names the payment that is meant, where one is.
    """

    def __init__(self, code: str, message: str, *, payment_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.payment_id = payment_id


async def accept(
    order: Order,
    *,
    store: Store,
    book: Book,
    idempotency: IdempotencyClaim | None,
    api_key_id: str | None,
    public_url: str | None,
    reserves: Callable[[NewPayment], Sequence[Check]] = lambda _new: (),
) -> AcceptResult:
    """Store a payment once, whatever repeats the request.

    `reserves` gives conditions of whoever asks, which may write what belongs to the payment; what
    they raise is passed on.
    Raises InvalidInput naming the field, and Refusal with a code. Nothing is stored then, and the
    idempotency key stays free.
    """
    account = book.account(order.account)
    if account.paused_reason is not None:
        raise Refusal("account_paused", f"The account takes no payments: {account.paused_reason}")
    product = str(order.details.get("product") or find_kind(order.kind).product)
    if getattr(book.settings_of(account.id), product, None) is None:
        # Found out only when it is sent, it would close the account's lane for all its payments.
        raise Refusal("product_not_held", f"The account has no keys for {product}.")
    forms = book.forms_of(account.id)
    original = await _original(order, store, account.id)
    new = new_payment(
        order, forms=forms, account_id=account.id, api_key_id=api_key_id, public_url=public_url,
        original=original,
    )  # fmt: skip
    pass_by("accept.before_commit")
    try:
        checks = [*_checks(order, new), *reserves(new)]
        result = await store.accept(new, idempotency=idempotency, checks=checks)
    except Twin as twin:
        raise Refusal(
            "possible_duplicate",
            f"The same was asked for a moment ago ({twin.payment_id}); allow_duplicate overrides.",
            payment_id=twin.payment_id,
        ) from None
    except TooMuch as much:
        raise Refusal(
            "refund_exceeds_payment", str(much), payment_id=order.original_payment_id
        ) from None
    except NoSuchRow as missing:
        raise Refusal("original_unknown", str(missing)) from None
    except (Stopped, LimitExceeded, StorageLow) as shut:
        raise _refused_by_guard(shut) from None
    pass_by("accept.after_commit")
    return result


def _refused_by_guard(error: Stopped | LimitExceeded | StorageLow) -> Refusal:
    if isinstance(error, Stopped):
        return Refusal(_STOPPED[error.switch.name], str(error))
    code = "limit_exceeded" if isinstance(error, LimitExceeded) else "storage_low"
    return Refusal(code, str(error))


def _checks(order: Order, new: NewPayment) -> list[Check]:
    checks: list[Check] = []
    if order.kind == "refund":
        checks.append(refund_cap(new))
    elif not order.allow_duplicate and new.party_id is not None:
        checks.append(no_twin(new, within_seconds=TWIN_SECONDS))
    return checks


async def _original(order: Order, store: Store, account_id: str) -> StoredPayment | None:
    if order.kind != "refund":
        return None
    if not order.original_payment_id:
        raise InvalidInput("A refund names the payment it gives back.", field="original_payment_id")
    found = await store.payment(order.original_payment_id)
    if found is None or found.account_id != account_id:
        raise Refusal("original_unknown", "There is no such payment in this account.")
    if found.payment.kind != "request_to_pay":
        raise Refusal(
            "not_refundable", "Only a request to pay can be refunded.", payment_id=found.id
        )
    return found
