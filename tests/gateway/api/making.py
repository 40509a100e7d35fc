"""What tests of the API are made of: a gateway's API on a real store, and keys to ask it with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import httpx2

from momokit.gateway.api.app import Api, create_api
from momokit.gateway.api.edge import ApiRates, Receipts
from momokit.gateway.book import AccountBook, new_account
from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import Decision, Fact, NotKnown, TurnedDown
from momokit.gateway.core.payment import Payment
from momokit.gateway.keys import create_key, make_key
from momokit.gateway.pages.receipts import batch_receipt_page, row_receipt_page
from momokit.gateway.seal import Sealer
from momokit.gateway.store import accounts
from momokit.gateway.store.records import Recorded
from momokit.gateway.store.store import Store
from momokit.settings import Credentials, Settings

UGANDA, GHANA = "shop-uganda", "shop-ghana"
PHONE, MSISDN = "0770 000 001", "256770000001"
GHANA_PHONE = "0240 000 001"
PUBLIC_URL = "https://pay.example.com"
BASE_URL = "http://127.0.0.1:9"
CREDENTIALS = Credentials(
    subscription_key="s" * 32, api_user="0d2f9f1e-5a3c-4c8e-9d55-7b0f0e6a1c11", api_key="k" * 32
)


@dataclass(frozen=True)
class Told:
    """The settings that the API asks for."""

    public_url: str | None = PUBLIC_URL


@dataclass
class Counted:
    """Keeps what the API counts."""

    requests: list[tuple[str, str, int]] = field(default_factory=list)
    callbacks: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Keep an answer."""
        self.requests.append((method, route, status))

    def callback(self, *, outcome: str, seconds: float) -> None:
        """Keep a callback."""
        self.callbacks.append(outcome)

    def idempotency(self, *, outcome: str) -> None:
        """Keep what became of a key."""
        self.keys.append(outcome)


class Shop:
    """A gateway's API with two accounts, asked in this process over ASGI."""

    def __init__(
        self, store: Store, *, base_url: str = BASE_URL, credentials: Credentials = CREDENTIALS
    ) -> None:
        self.store = store
        self.sealer = Sealer(b"k" * 32)
        self.book = AccountBook(store, self.sealer)
        self.counted = Counted()
        self.rates: ApiRates | None = None
        self.base_url = base_url
        self.credentials = credentials
        self.account_ids: dict[str, str] = {}
        self.key_ids: dict[str, str] = {}
        self.api: Api
        self.http: httpx2.AsyncClient

    async def open(
        self,
        *,
        clients: Callable[[str], Any] | None = None,
        markets: Mapping[str, str] = MappingProxyType({UGANDA: "uganda", GHANA: "ghana"}),
    ) -> None:
        """Add the accounts and begin to serve."""
        for name, market in markets.items():
            account = new_account(name, self.settings(market), sealer=self.sealer)
            await self.store.write(lambda t, a=account: accounts.add_account(t, a))  # type: ignore[misc]
            self.account_ids[name] = account.id
        await self.book.load()
        self.api = create_api(
            self.store,
            self.book,
            Told(),
            metrics=self.counted,
            rates=self.rates,
            clients=clients,
            seal=self.sealer.seal_texts,
            unseal=self.sealer.open_texts,
            receipts=Receipts(of_batch=batch_receipt_page, of_row=row_receipt_page),
        )
        transport = httpx2.ASGITransport(app=self.api)
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://gateway")

    async def close(self) -> None:
        """Stop serving."""
        await self.http.aclose()

    def settings(self, market: str) -> Settings:
        """Make a client's settings for a market, at an address of this machine."""
        keys = self.credentials
        remittance = keys if market == "ghana" else None
        return Settings(
            market=market, base_url=self.base_url, collection=keys, disbursement=keys,
            remittance=remittance,
        )  # fmt: skip

    async def key(self, *scopes: str, account: str | None = None, **more: Any) -> Caller:
        """Make an API key with these scopes, for all accounts or one."""
        account_id = self.account_ids[account] if account is not None else None
        new = make_key(label="test", scopes=scopes, live=False, account_id=account_id)
        made = await self.store.write(lambda t: create_key(t, new, **more))
        return Caller(self, made.text.reveal(), made.key.id)

    async def learn(self, payment_id: str, fact: Fact) -> Recorded:
        """Record a fact about a payment, as the worker does; a no is confirmed, as by MTN."""

        def decided(payment: Payment, now: float) -> Decision:
            return decide(payment, fact, now=now)

        recorded = await self.store.record(payment_id, decided, lease_token=None)
        assert recorded is not None
        if isinstance(fact, TurnedDown):
            return await self.learn(payment_id, NotKnown())
        return recorded


@dataclass(frozen=True)
class Caller:
    """An application of the merchant's, with its key."""

    shop: Shop
    text: str
    key_id: str

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Send one request."""
        sent = {"Authorization": f"Bearer {self.text}", **(headers or {})}
        if key is not None:
            sent["Idempotency-Key"] = key
        return await self.shop.http.request(method, path, json=body, headers=sent)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        """Read something."""
        return await self.ask("GET", path, headers=headers)

    async def pay(self, key: str, **fields: Any) -> httpx2.Response:
        """Make a payment: a request to pay in Uganda, unless said otherwise."""
        return await self.ask("POST", "/v1/payments", order(**fields), key=key)


def order(**fields: Any) -> dict[str, Any]:
    """Lay out a request to pay."""
    plain: dict[str, Any] = {
        "kind": "request_to_pay",
        "account": UGANDA,
        "amount": "5000",
        "party": PHONE,
    }
    return {name: value for name, value in (plain | fields).items() if value is not None}
