"""The accounts as the running gateway knows them: credentials opened, settings checked, by name.

They are kept in memory, so that taking a payment in asks no database for them; `refresh` brings
what was changed meanwhile, by the command or by another process.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from momokit.errors import InvalidInput, MomoError
from momokit.gateway.seal import Sealer
from momokit.gateway.store.accounts import Account, list_accounts
from momokit.gateway.store.store import Store
from momokit.operations.forms import Forms
from momokit.secret import Secret
from momokit.settings import PRODUCTS, Credentials, Settings

log = logging.getLogger("momokit.gateway")

_PLAIN = (
    "deadline_seconds",
    "clean_notes",
    "ca_file",
    "max_connections",
    "status_calls_per_second",
)
"""An account's settings that are no secret."""

_KEYS = ("subscription_key", "secondary_subscription_key", "api_user", "api_key")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One account, ready for work."""

    account: Account
    settings: Settings
    forms: Forms = field(repr=False)


class AccountBook:
    """All accounts. Load it once before use."""

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer
        self._entries: Mapping[str, Entry] = {}
        self._by_name: Mapping[str, Entry] = {}

    async def load(self) -> None:
        """Read all accounts and open their credentials.

        Raises ConfigurationError when the secret key does not open them.
        """
        rows = await self._store.read(list_accounts)
        self._keep({row.id: self._entry(row, None) for row in rows})

    async def refresh(self) -> set[str]:
        """Read again; give the ids of the accounts whose clients must be made anew.

        An account that cannot be opened stays as it was, and stops no other from being refreshed.
        """
        rows = await self._store.read(list_accounts)
        before = self._entries
        entries: dict[str, Entry] = {}
        for row in rows:
            try:
                entries[row.id] = self._entry(row, before.get(row.id))
            except MomoError as error:
                log.error(
                    "account cannot be opened: %s", error.message, extra={"account_id": row.id}
                )
                if row.id in before:
                    entries[row.id] = before[row.id]
        self._keep(entries)
        return {
            account_id
            for account_id, entry in before.items()
            if account_id not in entries or entries[account_id].settings is not entry.settings
        }

    def _keep(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries
        self._by_name = {one.account.name: one for one in entries.values()}

    @property
    def accounts(self) -> list[Account]:
        """The accounts by name."""
        return [self._by_name[name].account for name in sorted(self._by_name)]

    def account(self, name: str | None = None, /) -> Account:
        """Find an account by name or id; None is the only one there is.

        Raises InvalidInput (field `account`).
        """
        if name is not None:
            found = self._by_name.get(name) or self._entries.get(name)
            if found is None:
                raise InvalidInput("There is no such account.", field="account")
            return found.account
        if len(self._entries) == 1:
            return next(iter(self._entries.values())).account
        if not self._entries:
            raise InvalidInput(
                "There is no account yet.",
                field="account",
                hint="The operator adds one with: momo gateway accounts add.",
            )
        raise InvalidInput("There are several accounts; name one.", field="account")

    def settings_of(self, account_id: str, /) -> Settings:
        """Give an account's settings for a client, credentials opened."""
        return self._known(account_id).settings

    def forms_of(self, account_id: str, /) -> Forms:
        """Give the forms of an account's market."""
        return self._known(account_id).forms

    def market_of(self, account_id: str, /) -> str:
        """Name an account's market, for metrics."""
        found = self._entries.get(account_id)
        return found.settings.place.name if found is not None else "unknown"

    def _known(self, account_id: str) -> Entry:
        found = self._entries.get(account_id)
        if found is None:
            raise InvalidInput("There is no such account.", field="account")
        return found

    def _entry(self, account: Account, before: Entry | None) -> Entry:
        # The same settings object stays while nothing changed: clients are compared by it.
        if before is not None and _essence(before.account) == _essence(account):
            return Entry(account=account, settings=before.settings, forms=before.forms)
        settings = open_settings(account, sealer=self._sealer)
        forms = Forms(
            market=settings.place,
            new_id=lambda: str(uuid.uuid4()),
            clean_notes=settings.clean_notes,
            trusts_callback_urls=settings.is_local,
        )
        return Entry(account=account, settings=settings, forms=forms)


def new_account(name: str, settings: Settings, *, sealer: Sealer) -> Account:
    """Make an account of a client's settings, credentials sealed."""
    account_id = f"acc_{uuid.uuid4().hex[:24]}"
    return Account(id=account_id, name=name, **columns_of(settings, account_id, sealer=sealer))


def columns_of(settings: Settings, account_id: str, *, sealer: Sealer) -> dict[str, Any]:
    """Lay out a client's settings as an account's row keeps them."""
    hidden: dict[str, Any] = {
        product: _reveal(credentials)
        for product in PRODUCTS
        if (credentials := getattr(settings, product)) is not None
    }
    if settings.proxy:
        hidden["proxy"] = Secret(settings.proxy).reveal()
    return {
        "market": settings.place.name,
        "base_url": settings.base_url or "",
        "settings": {name: getattr(settings, name) for name in _PLAIN},
        "credentials_sealed": sealer.seal(msgspec.json.encode(hidden), row_id=account_id),
    }


def open_settings(account: Account, *, sealer: Sealer) -> Settings:
    """Make a client's settings of an account's row."""
    hidden = msgspec.json.decode(
        sealer.open(account.credentials_sealed, row_id=account.id), type=dict[str, Any]
    )
    products: dict[str, Any] = {
        name: Credentials(**hidden[name]) for name in PRODUCTS if name in hidden
    }
    plain = {name: value for name, value in account.settings.items() if name in _PLAIN}
    return Settings(
        market=account.market,
        base_url=account.base_url or None,
        proxy=hidden.get("proxy"),
        **products,
        **plain,
    )


def _essence(account: Account) -> tuple[Any, ...]:
    settings = tuple(sorted(account.settings.items()))
    return account.market, account.base_url, settings, account.credentials_sealed


def _reveal(credentials: Credentials) -> dict[str, str]:
    found = {name: getattr(credentials, name) for name in _KEYS}
    return {name: Secret(value).reveal() for name, value in found.items() if value}
