"""The gateway's settings: what is read from where, and what is refused as unsafe."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from momokit.errors import ConfigurationError
from momokit.gateway.settings import VARIABLES, GatewaySettings, new_secret_key

KEY = bytes(range(32))
HEX = KEY.hex()


def refused(**given: Any) -> ConfigurationError:
    """Give the error with which settings are refused."""
    with pytest.raises(ConfigurationError) as caught:
        GatewaySettings(**{"secret_key": HEX, **given})
    return caught.value


@pytest.mark.parametrize(
    "text",
    [HEX, HEX.upper(), f"{HEX}\n", base64.b64encode(KEY).decode(),
     base64.urlsafe_b64encode(KEY).decode().rstrip("=")],
)  # fmt: skip
def test_a_secret_key_is_read_in_hex_and_in_base64(text: str) -> None:
    """However an operator's tool writes 32 bytes, they are the same key."""
    assert GatewaySettings(secret_key=text).key == KEY


@pytest.mark.parametrize("text", [None, "", "secret", HEX[:-2], "00" * 32, "ab" * 32])
def test_no_key_and_weak_keys_are_refused(text: str | None) -> None:
    """Without a real key nothing is started, since credentials would be stored unsafely."""
    error = refused(secret_key=text)

    assert error.field == "secret_key"
    assert text is None or len(text) < 20 or text not in str(error)


def test_a_new_key_is_one_that_is_taken() -> None:
    """What the gateway makes for itself passes its own check."""
    made = new_secret_key()

    assert GatewaySettings(secret_key=made).key == bytes.fromhex(made)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"host": "0.0.0.0"}, "host"),
        ({"host": "gateway.internal"}, "host"),
        ({"public_url": "http://shop.example"}, "public_url"),
        ({"public_url": "shop.example"}, "public_url"),
        ({"public_url": "https://user:pw@shop.example"}, "public_url"),
        ({"public_url": "https://shop.example/?a=1"}, "public_url"),
        ({"database_url": "sqlite://"}, "database_url"),
        ({"database_url": "sqlite:///:memory:"}, "database_url"),
        ({"database_url": "mysql://db/x"}, "database_url"),
        ({"port": 70_000}, "port"),
        ({"lease_seconds": 10}, "lease_seconds"),
        ({"status_calls_per_second": 11}, "status_calls_per_second"),
        ({"sends_at_once": 0}, "sends_at_once"),
        ({"shutdown_grace_seconds": 0}, "shutdown_grace_seconds"),
        ({"log_format": "xml"}, "log_format"),
        ({"log_level": "loud"}, "log_level"),
    ],
)  # fmt: skip
def test_what_is_unsafe_or_senseless_is_refused_by_name(given: dict[str, Any], field: str) -> None:
    """Each refusal names the setting to change."""
    assert refused(**given).field == field


def test_listening_to_the_world_takes_a_word_about_tls() -> None:
    """Behind a proxy that ends TLS any address may be listened on."""
    settings = GatewaySettings(secret_key=HEX, host="0.0.0.0", behind_tls=True)

    assert settings.host == "0.0.0.0"


def test_the_environment_is_read_whole() -> None:
    """Numbers, flags, lists and texts arrive as what they are."""
    settings = GatewaySettings.load(
        environ={
            "MOMO_GATEWAY_SECRET_KEY": HEX,
            "MOMO_GATEWAY_PREVIOUS_SECRET_KEYS": f"{bytes(range(1, 33)).hex()},",
            "MOMO_DATABASE_URL": "postgresql://momo:geheim@db/momo",
            "MOMO_GATEWAY_PORT": "9000",
            "MOMO_GATEWAY_LEASE_SECONDS": "90.5",
            "MOMO_GATEWAY_BEHIND_TLS": "yes",
            "MOMO_GATEWAY_PUBLIC_URL": "https://pay.shop.example/",
            "MOMO_GATEWAY_LOG_FORMAT": "console",
        }
    )

    assert settings.previous_keys == (bytes(range(1, 33)),)
    assert (settings.port, settings.lease_seconds, settings.behind_tls) == (9000, 90.5, True)
    assert settings.public_url == "https://pay.shop.example"
    assert settings.is_sqlite is False
    assert settings.log_format == "console"


@pytest.mark.parametrize(
    ("name", "text", "field"),
    [
        ("MOMO_GATEWAY_PORT", "many", "port"),
        ("MOMO_GATEWAY_LEASE_SECONDS", "soon", "lease_seconds"),
        ("MOMO_GATEWAY_BEHIND_TLS", "perhaps", "behind_tls"),
    ],
)
def test_a_variable_of_the_wrong_kind_is_refused(name: str, text: str, field: str) -> None:
    """A typing error in the environment is not taken for a default."""
    with pytest.raises(ConfigurationError) as caught:
        GatewaySettings.load(environ={"MOMO_GATEWAY_SECRET_KEY": HEX, name: text})

    assert caught.value.field == field


def test_every_setting_has_a_variable_that_is_described() -> None:
    """Nothing can be set that the table of variables does not know."""
    names = {name.removeprefix("MOMO_GATEWAY_").removeprefix("MOMO_").lower() for name in VARIABLES}
    fields = {name for name in GatewaySettings.__dataclass_fields__ if not name.startswith("_")}

    assert fields - names == set()
    assert names - fields == {"config", "secret_key_file"}


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """The key is as private as the file it is in."""
    path = tmp_path / "gateway.key"
    path.write_text(HEX)
    path.chmod(0o640)
    environ = {"MOMO_GATEWAY_SECRET_KEY_FILE": str(path)}
    with pytest.raises(ConfigurationError) as caught:
        GatewaySettings.load(environ=environ)
    path.chmod(0o600)

    assert (caught.value.field, caught.value.hint) == ("secret_key_file", f"chmod 600 {path}")
    assert GatewaySettings.load(environ=environ).key == KEY


def test_a_key_handed_over_by_systemd_is_taken_as_it_is(tmp_path: Path) -> None:
    """A credential's access list shows as a right of the group, and is none."""
    path = tmp_path / "gateway.key"
    path.write_text(HEX)
    path.chmod(0o440)
    environ = {"MOMO_GATEWAY_SECRET_KEY_FILE": str(path)}

    with pytest.raises(ConfigurationError):
        GatewaySettings.load(environ=environ)
    environ["CREDENTIALS_DIRECTORY"] = str(tmp_path)
    assert GatewaySettings.load(environ=environ).key == KEY


def test_a_file_is_read_and_the_environment_wins_over_it(tmp_path: Path) -> None:
    """One file holds the settings; a variable changes one of them for one run."""
    path = tmp_path / "gateway.toml"
    path.write_text(f'[gateway]\nsecret_key = "{HEX}"\nport = 9001\nhost = "::1"\n')
    settings = GatewaySettings.load(path, environ={"MOMO_GATEWAY_PORT": "9002"}, metrics_port=0)

    assert (settings.port, settings.host, settings.metrics_port) == (9002, "::1", 0)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[gateway]\nprot = 1\n", "prot"),
        ('[gateway]\nport = "9000"\n', "port"),
        ("[gateway]\nbehind_tls = 1\n", "behind_tls"),
        ("[momokit]\n", "path"),
        ("[gateway\n", "path"),
    ],
)
def test_a_file_that_is_not_right_is_refused(text: str, field: str, tmp_path: Path) -> None:
    """An unknown name or a wrong kind in the file is named."""
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        GatewaySettings.load(path, environ={"MOMO_GATEWAY_SECRET_KEY": HEX})

    assert caught.value.field == field


def test_no_secret_is_in_the_representation() -> None:
    """Printing settings tells neither key nor password."""
    settings = GatewaySettings(
        secret_key=HEX,
        previous_secret_keys=(bytes(range(1, 33)).hex(),),
        database_url="postgresql://momo:geheim@db/momo",
    )
    shown = f"{settings!r} {settings.database_shown}"

    assert [one for one in (HEX, "geheim", bytes(range(1, 33)).hex()) if one in shown] == []
    assert settings.database_shown == "postgresql://momo:••••@db/momo"
