"""The clients that are compared, each used as its own documentation shows, doing the same work.

The work: ask a payer for 5,000 shillings (a POST answered 202), and read the account's balance (a
GET answered 200). Tokens are fetched before the clock starts and reused by all. Every payment has
a fresh reference id.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import httpx2
import momo_api
import mtnmomo
from momo_api.products.collection import CollectionApi
from mtnmomo._transport import Transport as MtnmomoTransport

from momokit import AsyncClient, Client, Credentials, Settings

PAYER = "256772123456"
MESSAGE = "Order 1042"
NOTE = "Thank you"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What opens the account."""

    api_user: str = "4e1f6a52-0e2c-4c1b-9d5e-7a3f0b2c9d10"
    api_key: str = "0123456789abcdef0123456789abcdef"
    subscription_key: str = "fedcba9876543210fedcba9876543210"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One client ready to work: its name, the two pieces of work, and how dear a call is.

    `share` is the part of a round's calls it is given: one that takes 20 ms a call needs fewer.
    """

    name: str
    pay: Callable[[], Any]
    balance: Callable[[], Any]
    share: float = 1.0


def payment_body(reference_id: str) -> dict[str, Any]:
    """Write the body of the payment that all of them send."""
    return {
        "amount": "5000",
        "currency": "UGX",
        "payer": {"partyIdType": "MSISDN", "partyId": PAYER},
        "externalId": reference_id,
        "payerMessage": MESSAGE,
        "payeeNote": NOTE,
    }


def settings(base_url: str, keys: Keys) -> Settings:
    """Settle momokit's account on the server under test."""
    return Settings(
        market="uganda",
        base_url=base_url,
        collection=Credentials(
            subscription_key=keys.subscription_key,
            api_user=keys.api_user,
            api_key=keys.api_key,
        ),
    )


def bare_headers(token: str, keys: Keys) -> dict[str, str]:
    """Write the headers that MTN wants on every call, for a client that knows nothing of MTN."""
    return {
        "Accept": "application/json",
        "Authorization": f"Bearer {token}",
        "Ocp-Apim-Subscription-Key": keys.subscription_key,
        "X-Target-Environment": "mtnuganda",
    }


def _token(base_url: str, keys: Keys) -> str:
    with httpx2.Client(base_url=base_url, auth=(keys.api_user, keys.api_key)) as http:
        key = {"Ocp-Apim-Subscription-Key": keys.subscription_key}
        reply = http.post("/collection/token/", headers=key)
        return str(reply.raise_for_status().json()["access_token"])


def _expect(status: int, wanted: int) -> None:
    if status != wanted:
        raise RuntimeError(f"the server answered {status}, not {wanted}")


@contextlib.contextmanager
def blocking(base_url: str, keys: Keys) -> Iterator[list[Contestant]]:
    """Give the blocking clients, ready to work."""
    with contextlib.ExitStack() as stack:
        momo = stack.enter_context(Client(settings(base_url, keys)))
        bare = stack.enter_context(httpx2.Client(base_url=base_url, limits=_LIMITS, timeout=30))
        pooled = stack.enter_context(_roomy())
        yield [
            Contestant(
                "momokit",
                lambda: momo.collection.request_to_pay(
                    amount=5000, payer=PAYER, payer_message=MESSAGE, payee_note=NOTE
                ),
                momo.collection.balance,
            ),
            _bare(bare, bare_headers(_token(base_url, keys), keys)),
            _momo_api("mtn-momo-client, as its README begins", base_url, keys, None, share=0.03),
            _momo_api("mtn-momo-client, given an httpx.Client", base_url, keys, pooled),
            stack.enter_context(_mtnmomo(base_url, keys)),
        ]


# The defaults keep 20 connections. At 50 at once the rest would be opened anew for every call, and
# httpx 0.28 would now and then close one under another thread's call, which ends in a time-out.
_LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=100)


def _roomy() -> httpx.Client:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    return httpx.Client(timeout=30, limits=limits)


def _bare(http: httpx2.Client, headers: dict[str, str]) -> Contestant:
    def pay() -> None:
        reference_id = str(uuid.uuid4())
        reply = http.post(
            "/collection/v1_0/requesttopay",
            json=payment_body(reference_id),
            headers={**headers, "X-Reference-Id": reference_id},
        )
        _expect(reply.status_code, 202)

    def balance() -> Any:
        reply = http.get("/collection/v1_0/account/balance", headers=headers)
        _expect(reply.status_code, 200)
        return reply.json()

    return Contestant("bare httpx2", pay, balance)


def _momo_api(
    name: str, base_url: str, keys: Keys, http: httpx.Client | None, *, share: float = 1.0
) -> Contestant:
    config = momo_api.Config.collection(keys.subscription_key, keys.api_user, keys.api_key)
    # MomoApi knows MTN's hosts only; the class it makes takes the host as an argument.
    collection = CollectionApi(config, base_url, "mtnuganda", http)

    def pay() -> str:
        reference_id = str(uuid.uuid4())
        request = momo_api.PaymentRequest.make("5000", PAYER, reference_id, "UGX", MESSAGE, NOTE)
        return collection.request_to_pay(request, reference_id)

    return Contestant(name, pay, collection.get_balance, share)


@contextlib.contextmanager
def _mtnmomo(base_url: str, keys: Keys) -> Iterator[Contestant]:
    config = mtnmomo.MoMoConfig(
        collection=mtnmomo.ProductCredentials(keys.subscription_key, keys.api_user, keys.api_key),
        target_environment="mtnuganda",
        base_url=base_url,
    )
    with _roomy() as http:
        client = mtnmomo.MoMoClient(config, MtnmomoTransport(base_url, client=http))
        collection = client.collection
        assert collection is not None

        def pay() -> str:
            reference_id = str(uuid.uuid4())
            body = payment_body(reference_id) | {"payer": mtnmomo.Party("MSISDN", PAYER)}
            return str(collection.request_to_pay(body, reference_id=reference_id))

        yield Contestant("mtnmomo-py", pay, collection.get_account_balance)


@contextlib.asynccontextmanager
async def concurrent(base_url: str, keys: Keys) -> AsyncIterator[list[Contestant]]:
    """Give the asynchronous clients, ready to work; the two packages have none."""
    headers = bare_headers(_token(base_url, keys), keys)
    async with (
        AsyncClient(settings(base_url, keys)) as momo,
        httpx2.AsyncClient(base_url=base_url, limits=_LIMITS, timeout=30) as bare,
    ):

        async def pay() -> Any:
            return await momo.collection.request_to_pay(
                amount=5000, payer=PAYER, payer_message=MESSAGE, payee_note=NOTE
            )

        yield [
            Contestant("momokit", pay, momo.collection.balance),
            _bare_async(bare, headers),
        ]


def _bare_async(http: httpx2.AsyncClient, headers: dict[str, str]) -> Contestant:
    async def pay() -> None:
        reference_id = str(uuid.uuid4())
        reply = await http.post(
            "/collection/v1_0/requesttopay",
            json=payment_body(reference_id),
            headers={**headers, "X-Reference-Id": reference_id},
        )
        _expect(reply.status_code, 202)

    async def balance() -> Any:
        reply = await http.get("/collection/v1_0/account/balance", headers=headers)
        _expect(reply.status_code, 200)
        return reply.json()

    return Contestant("bare httpx2", pay, balance)
