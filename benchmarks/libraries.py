"""The three libraries as their users call them, for the comparison of behaviour.

Each is used in more than one way. *Plainly*: as the first example of its documentation has it, and
after an error the same call again. Then as carefully as its documentation, or at least its
signatures, allow.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import momo_api
import mtnmomo
from momo_api.products.collection import CollectionApi

from momokit import Client, Credentials, OutcomeUnknown

_NAMESPACE = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What opens the emulated account, and where it is."""

    base_url: str
    target_environment: str
    market: str
    currency: str
    api_user: str
    api_key: str
    subscription_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """The calls of one library, used in one way.

    `pay(amount, payer, order)` asks for money and gives the reference id; `again` is given the
    error too and does what the caller does after it; `status` reads how a reference id stands, in
    the library's words.
    """

    pay: Callable[[Any, str, str], str]
    again: Callable[[Any, str, str, Exception], str]
    status: Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One way to use one library; `open` gives its calls, with a client nobody has used yet.

    `own_id`: the caller knows the reference id before the call is made.
    """

    library: str
    how: str
    open: Callable[[Account], AbstractContextManager[Calls]]
    own_id: bool


@contextmanager
def _momokit(account: Account, *, with_key: bool, resolving: bool) -> Iterator[Calls]:
    keys = Credentials(
        subscription_key=account.subscription_key,
        api_user=account.api_user,
        api_key=account.api_key,
    )
    with Client(market=account.market, base_url=account.base_url, collection=keys) as client:

        def pay(amount: Any, payer: str, order: str) -> str:
            key: Any = {"idempotency_key": order} if with_key else {}
            accepted = client.collection.request_to_pay(amount=amount, payer=payer, **key)
            return accepted.reference_id

        def again(amount: Any, payer: str, order: str, error: Exception) -> str:
            if resolving and isinstance(error, OutcomeUnknown) and error.resolve is not None:
                resolve: Any = error.resolve
                return str(resolve(resend=True).reference_id)
            return pay(amount, payer, order)

        def status(reference_id: str) -> str:
            found = client.collection.request_to_pay_status(reference_id)
            reason = f", reason {found.reason.code}" if found.reason else ""
            return f"`{found.status}`, state “{found.state}”{reason}"

        yield Calls(pay=pay, again=again, status=status)


@contextmanager
def _momo_api(account: Account, *, with_id: bool) -> Iterator[Calls]:
    config = momo_api.Config.collection(account.subscription_key, account.api_user, account.api_key)
    # MomoApi knows MTN's hosts only; the class it makes takes the host as an argument.
    collection = CollectionApi(config, account.base_url, account.target_environment)

    def pay(amount: Any, payer: str, order: str) -> str:
        request = momo_api.PaymentRequest.make(amount, payer, order, account.currency)
        return collection.request_to_pay(request, _own(order) if with_id else None)

    def again(amount: Any, payer: str, order: str, _: Exception) -> str:
        if not with_id:
            return pay(amount, payer, order)
        # Its README: ask for the status, and send the same id again only when it is not known.
        try:
            collection.get_payment_status(_own(order))
        except momo_api.ResourceNotFoundException:
            return pay(amount, payer, order)
        return _own(order)

    def status(reference_id: str) -> str:
        found = collection.get_payment_status(reference_id)
        says = {
            "successful": found.is_successful(),
            "pending": found.is_pending(),
            "failed": found.is_failed(),
        }
        word = next((word for word, yes in says.items() if yes), "")
        reason = f", reason {found.reason.code}" if found.reason else ""
        return f"`{found.status}`, {f'is_{word}()' if word else 'none of its predicates'}{reason}"

    yield Calls(pay=pay, again=again, status=status)


@contextmanager
def _mtnmomo(account: Account, *, with_id: bool) -> Iterator[Calls]:
    keys = mtnmomo.ProductCredentials(account.subscription_key, account.api_user, account.api_key)
    config = mtnmomo.MoMoConfig(
        collection=keys,
        target_environment=account.target_environment,
        base_url=account.base_url,
    )
    with mtnmomo.MoMoClient(config) as client:
        collection = client.collection
        assert collection is not None

        def pay(amount: Any, payer: str, order: str) -> str:
            body = {
                "amount": amount,
                "currency": account.currency,
                "externalId": order,
                "payer": mtnmomo.Party("MSISDN", payer),
            }
            own = _own(order) if with_id else None
            return str(collection.request_to_pay(body, reference_id=own))

        def again(amount: Any, payer: str, order: str, _: Exception) -> str:
            return pay(amount, payer, order)

        def status(reference_id: str) -> str:
            found = collection.get_request_to_pay_status(reference_id)
            reason = f", reason {found.reason.code}" if found.reason else ""
            return f"`{found.status}`{reason}"

        yield Calls(pay=pay, again=again, status=status)


def _own(order: str) -> str:
    # MTN takes version 4 only, so the v5 of the README's example is given a 4 in its place.
    text = str(uuid.uuid5(_NAMESPACE, order))
    return f"{text[:14]}4{text[15:]}"


USAGES = (
    Usage(
        library="momokit",
        how="plainly",
        open=partial(_momokit, with_key=False, resolving=False),
        own_id=False,
    ),
    Usage(
        library="momokit",
        how="plainly, `resolve()` after doubt",
        open=partial(_momokit, with_key=False, resolving=True),
        own_id=False,
    ),
    Usage(
        library="momokit",
        how="with an idempotency key",
        open=partial(_momokit, with_key=True, resolving=False),
        own_id=True,
    ),
    Usage(
        library="mtn-momo-client",
        how="plainly",
        open=partial(_momo_api, with_id=False),
        own_id=False,
    ),
    Usage(
        library="mtn-momo-client",
        how="own id, asks before resending",
        open=partial(_momo_api, with_id=True),
        own_id=True,
    ),
    Usage(
        library="mtnmomo-py",
        how="plainly",
        open=partial(_mtnmomo, with_id=False),
        own_id=False,
    ),
    Usage(
        library="mtnmomo-py",
        how="own id",
        open=partial(_mtnmomo, with_id=True),
        own_id=True,
    ),
)
"""Every way in which a library is used here."""

PLAIN = tuple(usage for usage in USAGES if usage.how == "plainly")
"""One way for each library, for cases in which the others would not differ."""
