"""Accounts, balances and holders: the questions that are put to MTN, the emulator standing in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from momokit.emulator import Emulator
from momokit.errors import NotSent
from momokit.gateway.api import accounts
from momokit.gateway.provider import Provider
from momokit.gateway.store.store import Store
from momokit.settings import Credentials
from tests.gateway.api.making import GHANA, MSISDN, UGANDA, Shop

pytestmark = pytest.mark.anyio

CHECK = f"/v1/accounts/{UGANDA}/holders/check"


@pytest.fixture
async def lively(
    store: Store, momo_emulator: Emulator, momo_emulator_url: str
) -> AsyncIterator[Shop]:
    """Give an API whose accounts are with an emulator."""
    made = momo_emulator.provision()
    keys = Credentials(
        subscription_key=made.subscription_key, api_user=made.api_user, api_key=made.api_key
    )
    shop = Shop(store, base_url=momo_emulator_url, credentials=keys)
    provider = Provider(shop.book.settings_of)
    await shop.open(clients=provider.client, markets={UGANDA: "sandbox"})
    yield shop
    await shop.close()
    await provider.close()


async def test_accounts_are_listed(shop: Shop) -> None:
    """An account shows its market and products, and none of its keys."""
    caller = await shop.key("read")
    answer = await caller.get("/v1/accounts")
    assert [
        (one["name"], one["market"], one["products"], one["paused"])
        for one in answer.json()["items"]
    ] == [
        (GHANA, "ghana", ["collection", "disbursement", "remittance"], False),
        (UGANDA, "uganda", ["collection", "disbursement"], False),
    ]
    assert "kkkk" not in answer.text
    assert "ssss" not in answer.text


async def test_a_dead_line_is_an_answer(shop: Shop) -> None:
    """With MTN out of reach, balance and holder say "could not check" with a 200."""

    class Dead:
        """A client's account whose every question fails as a dead line does."""

        def __getattr__(self, name: str) -> Any:
            return self

        async def balance(self, currency: str | None) -> Any:
            raise NotSent("No connection to MTN was had.")

        async def is_active(self, party: Any) -> Any:
            raise NotSent("No connection to MTN was had.")

    object.__setattr__(shop.api.edge, "clients", lambda account_id: Dead())
    caller = await shop.key("read")
    balance = await caller.get(f"/v1/accounts/{UGANDA}/balance")
    holder = await caller.ask("POST", CHECK, {"party": MSISDN})
    assert balance.status_code == holder.status_code == 200
    assert balance.json()["checked"] == "could_not_check"
    assert balance.json()["available_balance"] is None
    assert balance.json()["why"] == "No connection to MTN was had."
    assert (holder.json()["active"], holder.json()["found"]) == ("could_not_check",) * 2
    assert MSISDN not in holder.text


async def test_a_process_without_a_line_says_so(shop: Shop) -> None:
    """Where no client is given, the questions to MTN are a 503."""
    caller = await shop.key("read")
    answer = await caller.get(f"/v1/accounts/{UGANDA}/balance")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")


async def test_a_balance_is_asked_once_and_has_an_age(lively: Shop) -> None:
    """Ten readers at once make one question; each answer says how old it is."""
    caller = await lively.key("read")
    path = f"/v1/accounts/{UGANDA}/balance"
    answers = await asyncio.gather(*(caller.get(path) for _ in range(10)))
    told = [answer.json() for answer in answers]
    assert {one["as_of"] for one in told} == {told[0]["as_of"]}
    assert told[0]["checked"] == "yes"
    assert told[0]["available_balance"] is not None
    assert 0 <= told[0]["age_seconds"] < accounts.BALANCE_KEPT_SECONDS


async def test_a_holder_is_active_and_has_a_name(lively: Shop) -> None:
    """A number is checked and named, and only its masked form comes back."""
    caller = await lively.key("collect")
    answer = await caller.ask("POST", CHECK, {"party": MSISDN})
    told = answer.json()
    assert (answer.status_code, told["active"], told["found"]) == (200, "yes", "yes"), told
    assert told["name"]
    assert told["party"] == "256••••••001"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/v1/accounts/{UGANDA}/balance?product=remittance", 409, "product_not_held"),
        (f"/v1/accounts/{UGANDA}/balance?product=savings", 400, "invalid_request"),
        (f"/v1/accounts/{UGANDA}/balance?currency=x", 400, "invalid_request"),
        ("/v1/accounts/nobody/balance", 404, "account_unknown"),
    ],
)
async def test_a_question_that_will_not_do(shop: Shop, path: str, status: int, code: str) -> None:
    """A wrong number, product or account is refused before MTN is asked."""
    caller = await shop.key("read")
    answer: httpx2.Response = await caller.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"party": "12"}, 400, "party"),
        ({}, 400, "party"),
        ({"party": MSISDN, "product": "savings"}, 400, "product"),
        ({"party": MSISDN, "product": "remittance"}, 409, "product"),
    ],
)
async def test_a_holder_that_cannot_be_asked_about(
    shop: Shop, body: Any, status: int, field: str
) -> None:
    """A wrong number or product is refused before MTN is asked, and not repeated."""
    caller = await shop.key("read")
    answer = await caller.ask("POST", CHECK, body)
    assert (answer.status_code, answer.json()["field"]) == (status, field), answer.text
    assert MSISDN not in answer.text
