"""A client's settings, from arguments, environment or file, checked as a whole before use.

The table of environment variables is `VARIABLES`; the reference page is made from it.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from momokit.callbacks import check_callback_url
from momokit.errors import ConfigurationError, InvalidInput
from momokit.market import Market
from momokit.secret import Secret
from momokit.settings_text import read_env_lines, read_settings_text

Product: TypeAlias = Literal["collection", "disbursement", "remittance"]
PRODUCTS: tuple[Product, ...] = ("collection", "disbursement", "remittance")


def product_named(name: str) -> Product:
    """Give a product by its name, where the name comes from a table of ours or from the store."""
    return next(product for product in PRODUCTS if product == name)


VARIABLES: Mapping[str, str] = {
    "MOMO_MARKET": "the market: uganda, ghana, ivory coast …, or sandbox (the default)",
    "MOMO_BASE_URL": "MTN's host, when it is not the market's own: the emulator's address, say",
    "MOMO_SUBSCRIPTION_KEY": "primary subscription key for products that have none of their own",
    "MOMO_SECONDARY_SUBSCRIPTION_KEY": "secondary one, used when the primary is refused",
    "MOMO_API_USER": "API user (a UUID) for all products that have none of their own",
    "MOMO_API_KEY": "API key of that user",
    "MOMO_COLLECTION_SUBSCRIPTION_KEY": "collection: primary subscription key",
    "MOMO_COLLECTION_SECONDARY_SUBSCRIPTION_KEY": "collection: secondary subscription key",
    "MOMO_COLLECTION_API_USER": "collection: API user",
    "MOMO_COLLECTION_API_KEY": "collection: API key",
    "MOMO_DISBURSEMENT_SUBSCRIPTION_KEY": "disbursement: primary subscription key",
    "MOMO_DISBURSEMENT_SECONDARY_SUBSCRIPTION_KEY": "disbursement: secondary subscription key",
    "MOMO_DISBURSEMENT_API_USER": "disbursement: API user",
    "MOMO_DISBURSEMENT_API_KEY": "disbursement: API key",
    "MOMO_REMITTANCE_SUBSCRIPTION_KEY": "remittance: primary subscription key",
    "MOMO_REMITTANCE_SECONDARY_SUBSCRIPTION_KEY": "remittance: secondary subscription key",
    "MOMO_REMITTANCE_API_USER": "remittance: API user",
    "MOMO_REMITTANCE_API_KEY": "remittance: API key",
    "MOMO_CALLBACK_URL": "where MTN shall call back; {reference_id} in it is filled in",
    "MOMO_DEADLINE_SECONDS": "how long one call may take in all, tries included (30)",
    "MOMO_CLEAN_NOTES": "1 to clean notes that MTN would refuse, instead of refusing them",
    "MOMO_PROXY": "outgoing proxy, http://user:password@host:port; HTTPS_PROXY is honoured too",
    "MOMO_CA_FILE": "a file with the certificate authorities to trust, instead of the usual ones",
}
"""Every environment variable the client reads, and what it is for."""

_PORTALS = {
    "momodeveloper.mtn.com": "the developer portal's website",
    "momoapi.mtn.com": "the production portal's website",
    "ericssonbasicapi1.azure-api.net": "a production gateway that is no more",
    "ericssonbasicapi2.azure-api.net": "a sandbox gateway that is no more",
}
_SANDBOX_HOST = "sandbox.momodeveloper.mtn.com"
_PRODUCTION_HOST = "proxy.momoapi.mtn.com"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What opens one product: subscription key (with a spare one), API user and API key.

    Hidden in `repr`.
    """

    subscription_key: Secret | str
    api_user: str
    api_key: Secret | str
    secondary_subscription_key: Secret | str | None = None

    def __repr__(self) -> str:
        return f"Credentials(api_user={self.api_user!r}, …)"

    @property
    def subscription_keys(self) -> tuple[Secret, ...]:
        """The keys in the order in which they are tried."""
        keys = (self.subscription_key, self.secondary_subscription_key)
        return tuple(Secret(key) for key in keys if key)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything a client is told. What does not fit together is refused here, with the reason.

    Give `market` and, per product that you hold, its `Credentials`. `base_url` is for the emulator
    or a proxy of your own; the market knows MTN's host. `deadline_seconds` bounds each call with
    all its tries. Raises ConfigurationError naming the setting.
    """

    market: Market | str = "sandbox"
    base_url: str | None = None
    collection: Credentials | None = None
    disbursement: Credentials | None = None
    remittance: Credentials | None = None
    subscription_key: Secret | str | None = None
    callback_url: str | None = None
    deadline_seconds: float = 30.0
    clean_notes: bool = False
    proxy: Secret | str | None = None
    ca_file: str | None = None
    max_connections: int = 100
    status_calls_per_second: int = 8
    _place: Market = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_place", _market(self.market))
        for name in ("subscription_key", "proxy"):  # wherever they came from, `repr` hides them
            value: Secret | str | None = getattr(self, name)
            object.__setattr__(self, name, Secret(value) if value else None)
        for product in PRODUCTS:
            credentials: Credentials | None = getattr(self, product)
            if credentials is not None:
                _check_credentials(product, credentials)
        _check_host(self.host_url, market=self.place)
        if self.callback_url is not None and not self.is_local:
            _check_callback(self.callback_url, market=self.place)
        if not 0 < self.deadline_seconds <= 3600:
            raise ConfigurationError(
                "A call's deadline lies between 0 and 3600 seconds.", field="deadline_seconds"
            )
        if not 1 <= self.status_calls_per_second <= 10:
            raise ConfigurationError(
                "MTN allows at most 10 status calls a second.", field="status_calls_per_second"
            )
        if self.max_connections < 1:
            raise ConfigurationError("At least one connection is needed.", field="max_connections")
        if self.proxy:
            _check_proxy(Secret(self.proxy).reveal())
        if self.ca_file is not None and not Path(self.ca_file).is_file():
            raise ConfigurationError(f"There is no file {self.ca_file}.", field="ca_file")

    @property
    def place(self) -> Market:
        """The market, looked up."""
        return self._place

    @property
    def host_url(self) -> str:
        """The host all calls go to, without a slash at its end."""
        return (self.base_url or self.place.base_url).rstrip("/")

    @property
    def is_local(self) -> bool:
        """Tell whether calls stay on this machine, as with the emulator."""
        return (urlsplit(self.host_url).hostname or "") in _LOOPBACK

    def credentials(self, product: Product) -> Credentials:
        """Give a product's credentials, or say how to give them."""
        found: Credentials | None = getattr(self, product)
        if found is None:
            raise ConfigurationError(
                f"There are no credentials for {product}.",
                field=product,
                hint=f"Give {product}=Credentials(…), or set"
                f" MOMO_{product.upper()}_SUBSCRIPTION_KEY, MOMO_API_USER and MOMO_API_KEY."
                " Each product has its own subscription key.",
            )
        return found

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Settings:
        """Read the environment (see `VARIABLES`); arguments given here win."""
        env = os.environ if environ is None else environ
        found = {
            name: env[name].strip() for name in VARIABLES if env.get(name) and env[name].strip()
        }
        return cls(**{**_from_variables(found), **given})

    @classmethod
    def from_file(cls, path: str | Path, **given: Any) -> Settings:
        """Read a file: TOML or JSON with the names of `Settings`, or lines NAME=value of
        `VARIABLES` (.env)."""
        return cls(**{**_read_file(Path(path)), **given})

    def with_changes(self, **changes: Any) -> Settings:
        """Give a copy with some settings changed, checked again as a whole."""
        return replace(self, **changes)


def _market(name: Market | str) -> Market:
    try:
        return Market.get(name)
    except InvalidInput as error:
        raise ConfigurationError(error.message, field="market", hint=error.hint) from None


def _check_credentials(product: str, credentials: Credentials) -> None:
    if not _UUID.fullmatch(credentials.api_user):
        raise ConfigurationError(
            f"The {product} API user is not a UUID.",
            field=f"{product}.api_user",
            hint="The API user is the id under which it was made; the API key is another value.",
        )
    for name in ("subscription_key", "secondary_subscription_key", "api_key"):
        value = getattr(credentials, name)
        text = value.reveal() if isinstance(value, Secret) else value
        if name == "secondary_subscription_key" and not text:
            continue
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise ConfigurationError(
                f"The {product} {name.replace('_', ' ')} is empty or has stray characters.",
                field=f"{product}.{name}",
                hint="Copy it again; a space or a line break may have come along.",
            )


def _check_host(url: str, *, market: Market) -> None:
    host, parts = _split(url, field="base_url")
    if parts.username or parts.password:
        raise ConfigurationError("Keys do not belong in the address.", field="base_url")
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{url!r} is not the address of a host.",
            field="base_url",
            hint="Write https://host, without a product's path.",
        )
    if parts.path.rpartition("/")[2] in PRODUCTS:
        raise ConfigurationError(
            "The address must not name a product: each call adds its own.",
            field="base_url",
            hint="Write https://host, without a product's path.",
        )
    if host in _PORTALS:
        raise ConfigurationError(
            f"{host} is {_PORTALS[host]}, not an API host.",
            field="base_url",
            hint=f"The market {market.name} is served by {market.base_url}; leave base_url out.",
        )
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise ConfigurationError(
            "Keys and tokens are not sent without TLS, except to this machine.",
            field="base_url",
            hint="Use https.",
        )
    wrong = _PRODUCTION_HOST if market.is_sandbox else _SANDBOX_HOST
    if host == wrong:
        raise ConfigurationError(
            f"The market {market.name} is not served by {host}.",
            field="base_url",
            hint=f"It is served by {market.base_url}; leave base_url out, or change the market.",
        )


def _split(url: str, *, field: str) -> tuple[str, SplitResult]:
    try:
        parts = urlsplit(url)
        _ = parts.port  # is read on access, and raises when it is no port
        return (parts.hostname or "").lower(), parts
    except ValueError:
        raise ConfigurationError("This is not an address.", field=field) from None


def _check_proxy(url: str) -> None:
    host, parts = _split(url, field="proxy")  # the address may hold a password: it is not shown
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigurationError(
            "A proxy is given as http://host:port, with user:password@ where it wants them.",
            field="proxy",
        )


def _check_callback(url: str, *, market: Market) -> None:
    sample = url.replace("{reference_id}", "00000000-0000-4000-8000-000000000000")
    try:
        check_callback_url(sample, market=market)
    except InvalidInput as error:
        raise ConfigurationError(error.message, field="callback_url", hint=error.hint) from None


def _from_variables(found: Mapping[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for name, key in (
        ("MOMO_MARKET", "market"),
        ("MOMO_BASE_URL", "base_url"),
        ("MOMO_CALLBACK_URL", "callback_url"),
        ("MOMO_PROXY", "proxy"),
        ("MOMO_CA_FILE", "ca_file"),
        ("MOMO_SUBSCRIPTION_KEY", "subscription_key"),
    ):
        if name in found:
            settings[key] = found[name]
    if "MOMO_CLEAN_NOTES" in found:
        settings["clean_notes"] = found["MOMO_CLEAN_NOTES"].lower() in ("1", "true", "yes", "on")
    if "MOMO_DEADLINE_SECONDS" in found:
        try:
            settings["deadline_seconds"] = float(found["MOMO_DEADLINE_SECONDS"])
        except ValueError:
            raise ConfigurationError(
                "MOMO_DEADLINE_SECONDS is not a number.", field="deadline_seconds"
            ) from None
    for product in PRODUCTS:
        credentials = _credentials_from(found, product)
        if credentials is not None:
            settings[product] = credentials
    return settings


def _credentials_from(found: Mapping[str, str], product: str) -> Credentials | None:
    def value(name: str) -> str | None:
        return found.get(f"MOMO_{product.upper()}_{name}") or found.get(f"MOMO_{name}")

    key, user, api_key = value("SUBSCRIPTION_KEY"), value("API_USER"), value("API_KEY")
    if not (key and user and api_key):
        own = [name for name in found if name.startswith(f"MOMO_{product.upper()}_")]
        if own:
            missing = [
                name
                for name, text in (
                    ("SUBSCRIPTION_KEY", key), ("API_USER", user), ("API_KEY", api_key),
                )
                if not text
            ]  # fmt: skip
            raise ConfigurationError(
                f"The {product} credentials are not complete.",
                field=f"{product}.{missing[0].lower()}",
                hint=f"Missing: {', '.join(f'MOMO_{product.upper()}_{name}' for name in missing)}.",
            )
        return None
    return Credentials(
        subscription_key=Secret(key),
        secondary_subscription_key=Secret(value("SECONDARY_SUBSCRIPTION_KEY") or ""),
        api_user=user,
        api_key=Secret(api_key),
    )


def _read_file(path: Path) -> dict[str, Any]:
    text = read_settings_text(path)
    try:
        if path.suffix == ".toml":
            return _from_table(tomllib.loads(text))
        if path.suffix == ".json":
            table: object = json.loads(text)
            return _from_table(table)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid: {error}.", field="path") from None
    return _from_variables(read_env_lines(text))


def _from_table(table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ConfigurationError("The settings file must hold a table of settings.", field="path")
    inner = table.get("momokit", table)
    if not isinstance(inner, dict):
        raise ConfigurationError("[momokit] must be a table of settings.", field="momokit")
    settings: dict[str, Any] = dict(inner)
    shared: dict[str, Any] = {
        name: settings.pop(name)
        for name in ("api_user", "api_key", "secondary_subscription_key")
        if name in settings
    }
    if "subscription_key" in settings:
        shared["subscription_key"] = settings["subscription_key"]
    for product in PRODUCTS:
        own = settings.get(product)
        if isinstance(own, dict):
            try:
                settings[product] = Credentials(**{**shared, **own})
            except TypeError as error:
                raise ConfigurationError(
                    f"The {product} credentials do not fit: {error}.", field=product
                ) from None
        elif {"api_user", "api_key", "subscription_key"} <= shared.keys():
            settings[product] = Credentials(**shared)
    known = {name for name in Settings.__dataclass_fields__ if not name.startswith("_")}
    for name in settings:
        if name not in known:
            raise ConfigurationError(
                f"There is no setting {name!r}.",
                field=name,
                hint=f"Known: {', '.join(sorted(known))}.",
            )
    return settings
