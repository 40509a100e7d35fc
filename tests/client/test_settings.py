"""Settings: from arguments, environment or file, refused as a whole when they do not fit."""

from __future__ import annotations

import json
import re
import traceback
from pathlib import Path
from typing import Any

import pytest

from momokit import Client, ConfigurationError, Credentials, Secret, Settings
from momokit.settings import VARIABLES
from momokit.settings_text import read_env_lines
from tests.client.driving import API_KEY, API_USER, SECOND_KEY, SUBSCRIPTION_KEY

SHARED = {
    "MOMO_SUBSCRIPTION_KEY": SUBSCRIPTION_KEY,
    "MOMO_API_USER": API_USER,
    "MOMO_API_KEY": API_KEY,
}
SECRETS = (SUBSCRIPTION_KEY, SECOND_KEY, API_KEY, "hunter2")


def credentials(**changes: Any) -> Credentials:
    """Give good credentials, with changes."""
    good: dict[str, Any] = {
        "subscription_key": SUBSCRIPTION_KEY,
        "secondary_subscription_key": SECOND_KEY,
        "api_user": API_USER,
        "api_key": API_KEY,
    }
    return Credentials(**{**good, **changes})


def refused(**given: Any) -> ConfigurationError:
    """Give the refusal of settings."""
    with pytest.raises(ConfigurationError) as caught:
        Settings(**given)
    return caught.value


def test_a_market_gives_everything_else() -> None:
    """Host, target environment, currency and numbering follow from it."""
    settings = Settings(market="uganda")
    assert settings.host_url == "https://proxy.momoapi.mtn.com"
    assert settings.place.target_environment == "mtnuganda"
    assert Settings().host_url == "https://sandbox.momodeveloper.mtn.com"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"market": "production"}, "market"),
        ({"market": "prod"}, "market"),
        ({"market": "atlantis"}, "market"),
        ({"market": 5}, "market"),
        ({"base_url": "https://momodeveloper.mtn.com"}, "base_url"),
        ({"base_url": "https://momoapi.mtn.com/"}, "base_url"),
        ({"base_url": "https://ericssonbasicapi2.azure-api.net"}, "base_url"),
        ({"base_url": "http://sandbox.momodeveloper.mtn.com"}, "base_url"),
        ({"base_url": "http://10.0.0.5:8701"}, "base_url"),
        ({"base_url": "http://localhost.evil.example"}, "base_url"),
        ({"base_url": "https://proxy.momoapi.mtn.com"}, "base_url"),
        (
            {"market": "uganda", "base_url": "https://sandbox.momodeveloper.mtn.com"},
            "base_url",
        ),
        ({"base_url": "sandbox.momodeveloper.mtn.com"}, "base_url"),
        ({"base_url": "ftp://127.0.0.1"}, "base_url"),
        ({"base_url": "https://[::1"}, "base_url"),
        ({"base_url": "http://127.0.0.1:port"}, "base_url"),
        ({"base_url": "https://host.example/collection"}, "base_url"),
        ({"base_url": "https://host.example/?key=1"}, "base_url"),
        ({"base_url": "https://u:hunter2@host.example"}, "base_url"),
        ({"base_url": "ftp://u:hunter2@host.example?x"}, "base_url"),
        ({"market": "uganda", "callback_url": "http://shop.example/x"}, "callback_url"),
        ({"market": "uganda", "callback_url": "https://10.0.0.1/x"}, "callback_url"),
        ({"callback_url": "https://shop.example/a b"}, "callback_url"),
        ({"deadline_seconds": 0}, "deadline_seconds"),
        ({"deadline_seconds": float("nan")}, "deadline_seconds"),
        ({"deadline_seconds": float("inf")}, "deadline_seconds"),
        ({"status_calls_per_second": 0}, "status_calls_per_second"),
        ({"status_calls_per_second": 11}, "status_calls_per_second"),
        ({"max_connections": 0}, "max_connections"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file"),
        ({"proxy": "proxy.example:3128"}, "proxy"),
        ({"proxy": "u:hunter2@proxy.example"}, "proxy"),
        ({"proxy": "http://u:hunter2@[proxy"}, "proxy"),
        ({"collection": credentials(api_user="me")}, "collection.api_user"),
        ({"collection": credentials(api_key="")}, "collection.api_key"),
        ({"collection": credentials(api_key="hunter2\n")}, "collection.api_key"),
        ({"remittance": credentials(subscription_key="a b")}, "remittance.subscription_key"),
        (
            {"disbursement": credentials(secondary_subscription_key="é")},
            "disbursement.secondary_subscription_key",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field_named(
    given: dict[str, Any], field: str
) -> None:
    """Nothing is guessed or corrected, and no secret is in the refusal."""
    error = refused(**given)
    assert error.field == field
    shown = "".join(traceback.format_exception(error)) + repr(vars(error))
    assert not any(secret in shown for secret in SECRETS)


def test_production_is_no_target_environment() -> None:
    """The commonest mistake is answered with what to write instead."""
    assert "each country is its own" in str(refused(market="production"))


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:8701", "http://localhost:8701/", "http://[::1]:8701"]
)
def test_the_emulator_may_be_spoken_to_without_tls(base_url: str) -> None:
    """This machine alone, in any market, and then any callback address will do."""
    settings = Settings(
        market="uganda", base_url=base_url, callback_url="http://127.0.0.1:9000/{reference_id}"
    )
    assert settings.is_local is True
    assert not settings.host_url.endswith("/")


def test_an_own_proxy_of_mtn_is_allowed() -> None:
    """A host that we do not know, over TLS, is the caller's business."""
    settings = Settings(market="rwanda", base_url="https://proxy.momoapi.mtn.co.rw")
    assert settings.is_local is False


# Environment


def test_shared_variables_serve_every_product() -> None:
    """One API user and one key may do for all."""
    settings = Settings.from_env({**SHARED, "MOMO_MARKET": "ghana"})
    for product in ("collection", "disbursement", "remittance"):
        found = settings.credentials(product)
        assert found.api_user == API_USER
        assert [key.reveal() for key in found.subscription_keys] == [SUBSCRIPTION_KEY]
    assert settings.place.name == "ghana"


def test_a_products_own_variables_win() -> None:
    """Subscription keys go by product; the spare one is tried second."""
    settings = Settings.from_env(
        {
            **SHARED,
            "MOMO_COLLECTION_SUBSCRIPTION_KEY": "own-key",
            "MOMO_COLLECTION_SECONDARY_SUBSCRIPTION_KEY": SECOND_KEY,
        }
    )
    keys = [key.reveal() for key in settings.credentials("collection").subscription_keys]
    assert keys == ["own-key", SECOND_KEY]


def test_half_a_products_credentials_are_refused() -> None:
    """A product that was begun must be complete; the missing names are listed."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env({"MOMO_COLLECTION_SUBSCRIPTION_KEY": "x", "MOMO_API_USER": API_USER})
    assert caught.value.field == "collection.api_key"
    assert "MOMO_COLLECTION_API_KEY" in caught.value.hint


def test_arguments_win_over_the_environment() -> None:
    """Also where the environment alone would be refused."""
    env = {**SHARED, "MOMO_MARKET": "production", "MOMO_CALLBACK_URL": " "}
    assert Settings.from_env(env, market="ghana").place.name == "ghana"
    with Client.from_env(env, market="ghana") as client:
        assert client.settings.place.name == "ghana"


def test_every_variable_is_read() -> None:
    """Each variable in the table changes the settings."""
    values = {
        "MARKET": "ghana",
        "BASE_URL": "http://127.0.0.1:1",
        "CALLBACK_URL": "https://shop.example/x",
        "DEADLINE_SECONDS": "7.5",
        "CLEAN_NOTES": "1",
        "PROXY": "http://u:hunter2@127.0.0.1:3128",
        "CA_FILE": __file__,
        "API_USER": API_USER,
    }
    bare = Settings.from_env({})
    for name in VARIABLES:
        rest = name.removeprefix("MOMO_")
        value = next((v for suffix, v in values.items() if rest.endswith(suffix)), "some-key")
        base = dict(SHARED) if "SECONDARY" in name else {}
        if any(product in rest for product in ("COLLECTION", "DISBURSEMENT", "REMITTANCE")):
            base = dict(SHARED)
        if rest in ("API_USER", "API_KEY"):
            base = {k: v for k, v in SHARED.items() if k != name}
        before = (
            repr(settings_facts(Settings.from_env(base))) if base else repr(settings_facts(bare))
        )
        if rest.endswith("API_USER") and base.get("MOMO_API_USER"):
            value = "11111111-2222-4333-8444-555555555555"
        after = repr(settings_facts(Settings.from_env({**base, name: value})))
        assert after != before, name


def settings_facts(settings: Settings) -> list[Any]:
    """Lay settings open for comparison."""
    facts: list[Any] = []
    for name in Settings.__dataclass_fields__:
        value = getattr(settings, name)
        if isinstance(value, Credentials):
            keys = [key.reveal() for key in value.subscription_keys]
            value = (value.api_user, Secret(value.api_key).reveal(), keys)
        facts.append(value.reveal() if isinstance(value, Secret) else value)
    return facts


@pytest.mark.parametrize("text", ["soon", "0", "-1", "1e9"])
def test_a_deadline_that_is_none_is_refused(text: str) -> None:
    """There is no call without a deadline."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env({"MOMO_DEADLINE_SECONDS": text})
    assert caught.value.field == "deadline_seconds"


# Files

TABLE = {
    "market": "ghana",
    "deadline_seconds": 12,
    "api_user": API_USER,
    "api_key": API_KEY,
    "collection": {"subscription_key": SUBSCRIPTION_KEY},
    "disbursement": {
        "subscription_key": "d-key",
        "secondary_subscription_key": SECOND_KEY,
        "api_key": "d-api-key",
    },
}
TOML = f"""
[momokit]
market = "ghana"
deadline_seconds = 12
api_user = "{API_USER}"
api_key = "{API_KEY}"
[momokit.collection]
subscription_key = "{SUBSCRIPTION_KEY}"
[momokit.disbursement]
subscription_key = "d-key"
secondary_subscription_key = "{SECOND_KEY}"
api_key = "d-api-key"
"""
DOTENV = f"""
# made by a tool
export MOMO_MARKET=ghana
MOMO_DEADLINE_SECONDS = "12"
MOMO_API_USER={API_USER}
MOMO_API_KEY='{API_KEY}'
MOMO_COLLECTION_SUBSCRIPTION_KEY={SUBSCRIPTION_KEY}
MOMO_DISBURSEMENT_SUBSCRIPTION_KEY=d-key
MOMO_DISBURSEMENT_SECONDARY_SUBSCRIPTION_KEY={SECOND_KEY}
MOMO_DISBURSEMENT_API_KEY=d-api-key
UNRELATED=1
not a line
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("momo.toml", TOML),
        ("momo.json", json.dumps(TABLE)),
        ("momo.json", json.dumps({"momokit": TABLE})),
        (".env", DOTENV),
        (".env", "\ufeff" + DOTENV.replace("\n", "\r\n")),
    ],
)
def test_the_three_kinds_of_file_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    """TOML, JSON and .env lead to the same settings."""
    path = tmp_path / name
    path.write_bytes(text.encode())
    settings = Settings.from_file(path)
    assert (settings.place.name, settings.deadline_seconds) == ("ghana", 12)
    assert Secret(settings.credentials("collection").api_key).reveal() == API_KEY
    own = settings.credentials("disbursement")
    assert [key.reveal() for key in own.subscription_keys] == ["d-key", SECOND_KEY]
    assert Secret(own.api_key).reveal() == "d-api-key"
    with pytest.raises(ConfigurationError, match="no credentials for remittance"):
        settings.credentials("remittance")


@pytest.mark.parametrize(
    ("name", "text", "field"),
    [
        ("a.toml", "market = ", "path"),
        ("a.json", "{", "path"),
        ("a.json", "[]", "path"),
        ("a.json", '{"momokit": 5}', "momokit"),
        ("a.json", '{"marktet": "ghana"}', "marktet"),
        ("a.json", '{"_place": "ghana"}', "_place"),
        ("a.json", '{"collection": {"api_user": "x"}}', "collection"),
        ("a.json", '{"collection": {"apiuser": "x"}}', "collection"),
        ("a.toml", 'market = "production"', "market"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, name: str, text: str, field: str) -> None:
    """With the setting's name, or "path" when it is the file itself."""
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_file(path)
    assert caught.value.field == field


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """As our error, not the system's."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Settings.from_file(tmp_path / "none.toml")


def test_lines_are_read_as_shells_write_them() -> None:
    """`export`, quotes and comments; anything else is passed over."""
    text = "A=1\nexport B='x y'\n# C=2\nD=\"#\"\nE\nF=a=b\n"
    assert read_env_lines(text) == {"A": "1", "B": "x y", "D": "#", "F": "a=b"}


# Secrecy


def test_nothing_prints_a_secret() -> None:
    """Settings, credentials, clients and their errors hide keys and the proxy's password."""
    settings = Settings(
        subscription_key=SUBSCRIPTION_KEY,
        proxy="http://u:hunter2@127.0.0.1:3128",
        collection=credentials(),
        disbursement=credentials(subscription_key=Secret(SECOND_KEY)),
    )
    with Client(settings) as client:
        shown = repr(settings) + str(settings) + repr(client) + repr(client.settings)
        shown += repr(settings.collection) + f"{settings.disbursement}" + repr(vars(client))
    assert not any(secret in shown for secret in SECRETS), shown
    assert re.search(r"Credentials\(api_user='7c6b", shown)


def test_changes_are_checked_again() -> None:
    """A copy with changes is as strict as the first."""
    settings = Settings(market="uganda", collection=credentials())
    assert settings.with_changes(deadline_seconds=5.0).deadline_seconds == 5.0
    assert settings.with_changes(market="ghana").place.name == "ghana"
    with pytest.raises(ConfigurationError):
        settings.with_changes(base_url="http://shop.example")
    with pytest.raises(ConfigurationError):
        Client(settings, market="production")
