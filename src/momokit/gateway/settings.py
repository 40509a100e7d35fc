"""The gateway's settings, from environment or one file, checked as a whole before it starts.

What would be unsafe is refused here with its reason; the reference page is made from `VARIABLES`.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from momokit.errors import ConfigurationError
from momokit.secret import Secret
from momokit.settings_text import read_env_lines, read_settings_text

LogFormat: TypeAlias = Literal["json", "console"]

KEY_BYTES = 32
PORT = 8702
METRICS_PORT = 8703
FILE_VARIABLE = "MOMO_GATEWAY_CONFIG"

VARIABLES: Mapping[str, str] = {
    "MOMO_GATEWAY_CONFIG": "a file with the settings below: TOML ([gateway]) or NAME=value lines",
    "MOMO_DATABASE_URL": "sqlite:///file, or postgresql://… (a file in your data directory)",
    "MOMO_GATEWAY_SECRET_KEY": "32 bytes in hex or base64 that seal the credentials stored",
    "MOMO_GATEWAY_SECRET_KEY_FILE": "a file with that key, readable by its owner alone",
    "MOMO_GATEWAY_PREVIOUS_SECRET_KEYS": "former keys, separated by commas, until all is resealed",
    "MOMO_GATEWAY_HOST": "where the API listens (127.0.0.1)",
    "MOMO_GATEWAY_PORT": "the API's port (8702); 0 for a free one",
    "MOMO_GATEWAY_BEHIND_TLS": "1 when a proxy that ends TLS stands in front; needed to listen"
    " beyond this machine",
    "MOMO_GATEWAY_PUBLIC_URL": "where MTN reaches this gateway, https://…; no callbacks without it",
    "MOMO_GATEWAY_METRICS_HOST": "where metrics are served (127.0.0.1)",
    "MOMO_GATEWAY_METRICS_PORT": "the port of the metrics (8703); 0 for none",
    "MOMO_GATEWAY_LEASE_SECONDS": "for how long a worker holds a payment it works at (60)",
    "MOMO_GATEWAY_SENDS_AT_ONCE": "payments one worker puts to MTN at the same time (16)",
    "MOMO_GATEWAY_QUESTIONS_AT_ONCE": "status questions one worker asks at the same time (16)",
    "MOMO_GATEWAY_WEBHOOKS_AT_ONCE": "webhooks one worker sends at the same time (32)",
    "MOMO_GATEWAY_WEBHOOKS_PER_ENDPOINT": "how many of those may go to one endpoint (8)",
    "MOMO_GATEWAY_STATUS_CALLS_PER_SECOND": "per account, all workers together; at most 10 (8)",
    "MOMO_GATEWAY_STORAGE_FREE_PERCENT": "no new money when less of SQLite's disk is free (5)",
    "MOMO_GATEWAY_STORAGE_FREE_MEBIBYTES": "or when less than this is free (1024)",
    "MOMO_GATEWAY_REQUESTS_PER_SECOND": "for each API key and API process, in the long run (500)",
    "MOMO_GATEWAY_HOLDER_CHECKS_PER_MINUTE": "look-ups of a number's holder, for each API key (60)",
    "MOMO_GATEWAY_DATABASE_WRITERS": "connections that write, on PostgreSQL (2)",
    "MOMO_GATEWAY_WEBHOOK_ALLOW_LOCAL": "1 to send webhooks to this machine, without TLS,"
    " in development",
    "MOMO_GATEWAY_SHUTDOWN_GRACE_SECONDS": "how long what is under way may take to end (30)",
    "MOMO_GATEWAY_LOG_FORMAT": "json (the default) or console",
    "MOMO_GATEWAY_LOG_LEVEL": "debug, info (the default), warning or error",
}
"""Every environment variable the gateway reads, and what it is for."""

_NAMES = {"MOMO_DATABASE_URL": "database_url"}
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
_LEVELS = ("debug", "info", "warning", "error")
_LIMITS: Mapping[str, tuple[float, float]] = {
    "port": (0, 65535),
    "metrics_port": (0, 65535),
    # A call to MTN must end within its lease, or a second worker takes the payment up.
    "lease_seconds": (45, 3600),
    "sends_at_once": (1, 1000),
    "questions_at_once": (1, 1000),
    "webhooks_at_once": (1, 1000),
    "webhooks_per_endpoint": (1, 1000),
    "status_calls_per_second": (1, 10),
    "storage_free_percent": (0, 90),
    "storage_free_mebibytes": (0, 1 << 30),
    "requests_per_second": (1, 100_000),
    "holder_checks_per_minute": (1, 100_000),
    "database_writers": (1, 64),
    "shutdown_grace_seconds": (1, 600),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewaySettings:
    """Everything the gateway is told. Raises ConfigurationError naming the setting."""

    secret_key: Secret | str | None = None
    previous_secret_keys: tuple[Secret | str, ...] = ()
    database_url: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = PORT
    behind_tls: bool = False
    public_url: str | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: int = METRICS_PORT
    lease_seconds: float = 60.0
    sends_at_once: int = 16
    questions_at_once: int = 16
    webhooks_at_once: int = 32
    webhooks_per_endpoint: int = 8
    status_calls_per_second: int = 8
    storage_free_percent: float = 5.0
    storage_free_mebibytes: int = 1024
    requests_per_second: int = 500
    holder_checks_per_minute: int = 60
    database_writers: int = 2
    webhook_allow_local: bool = False
    shutdown_grace_seconds: float = 30.0
    log_format: LogFormat = "json"
    log_level: str = "info"
    _keys: tuple[bytes, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_keys", _read_keys(self.secret_key, self.previous_secret_keys))
        object.__setattr__(self, "secret_key", Secret(self.secret_key or ""))
        hidden = tuple(Secret(key) for key in self.previous_secret_keys)
        object.__setattr__(self, "previous_secret_keys", hidden)
        object.__setattr__(self, "database_url", self.database_url or _default_database())
        _check_database(self.database_url)
        for name, (least, most) in _LIMITS.items():
            if not least <= getattr(self, name) <= most:
                raise ConfigurationError(f"{name} lies between {least} and {most}.", field=name)
        if not (is_loopback(self.host) or self.behind_tls):
            raise ConfigurationError(
                f"The API would listen on {self.host} without TLS.",
                field="host",
                hint="Put a proxy that ends TLS in front and set MOMO_GATEWAY_BEHIND_TLS=1,"
                " or listen on 127.0.0.1.",
            )
        if self.public_url is not None:
            object.__setattr__(self, "public_url", self.public_url.rstrip("/"))
            _check_public_url(self.public_url)
        if self.log_format not in ("json", "console"):
            raise ConfigurationError("Logs are json or console.", field="log_format")
        if self.log_level not in _LEVELS:
            raise ConfigurationError(f"Levels: {', '.join(_LEVELS)}.", field="log_level")

    @property
    def key(self) -> bytes:
        """The master key itself."""
        return self._keys[0]

    @property
    def previous_keys(self) -> tuple[bytes, ...]:
        """The former master keys."""
        return self._keys[1:]

    @property
    def is_sqlite(self) -> bool:
        """Tell whether everything is on this one machine."""
        return self.database_url.startswith("sqlite")

    @property
    def database_shown(self) -> str:
        """The database's address without its password."""
        return re.sub(r"//([^:/@]*):[^@]*@", r"//\1:••••@", self.database_url)

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        **given: Any,
    ) -> GatewaySettings:
        """Read a file, then the environment, which wins over it; arguments win over both."""
        env = os.environ if environ is None else environ
        file = path or env.get(FILE_VARIABLE)
        found = _read_file(Path(file)) if file else {}
        return cls(**{**found, **_from_variables(env), **given})


def is_loopback(host: str) -> bool:
    """Tell whether an address is this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def new_secret_key() -> str:
    """Make a master key to put where MOMO_GATEWAY_SECRET_KEY_FILE points."""
    return os.urandom(KEY_BYTES).hex()


def _read_keys(
    secret_key: Secret | str | None, previous: tuple[Secret | str, ...]
) -> tuple[bytes, ...]:
    if not secret_key:
        raise ConfigurationError(
            "There is no secret key, so credentials could not be stored safely.",
            field="secret_key",
            hint="Make one: (umask 077; openssl rand -hex 32 > gateway.key), then set"
            " MOMO_GATEWAY_SECRET_KEY_FILE=gateway.key. Keep a copy apart from the database.",
        )
    present = _key_bytes(Secret(secret_key).reveal(), field="secret_key")
    former = (_key_bytes(Secret(one).reveal(), field="previous_secret_keys") for one in previous)
    return (present, *former)


def _key_bytes(text: str, *, field: str) -> bytes:
    plain = "".join(text.split())
    key = b""
    if re.fullmatch(r"[0-9a-fA-F]{64}", plain):
        key = bytes.fromhex(plain)
    elif re.fullmatch(r"[A-Za-z0-9+/_-]{43}=?", plain):
        padded = plain.rstrip("=") + "="
        try:
            key = base64.urlsafe_b64decode(padded.replace("+", "-").replace("/", "_"))
        except binascii.Error:
            key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(
            "The secret key is not 32 bytes in hex or base64.",
            field=field,
            hint="openssl rand -hex 32 makes one.",
        )
    if len(set(key)) < KEY_BYTES // 4:
        raise ConfigurationError("The secret key is not random.", field=field)
    return key


def _default_database() -> str:
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return f"sqlite:///{Path(home) / 'momokit' / 'gateway.db'}"


def _check_database(url: str) -> None:
    scheme = url.partition(":")[0]
    if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return
    file = url.removeprefix("sqlite://")
    if scheme == "sqlite" and file not in ("", "/") and ":memory:" not in file:
        return
    memory = scheme == "sqlite"
    raise ConfigurationError(
        "A database in memory forgets payments." if memory else "This is not a database we know.",
        field="database_url",
        hint="sqlite:////path/to/gateway.db, or postgresql://user:password@host/database.",
    )


def _check_public_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise ConfigurationError("This is not an address.", field="public_url") from None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise ConfigurationError("Write https://host.", field="public_url")
    if parts.username or parts.password:
        raise ConfigurationError("Keys do not belong in the address.", field="public_url")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            "MTN calls back over https alone; over http a callback's path could be read.",
            field="public_url",
            hint="Use https. http is for an emulator on this machine.",
        )


def _from_variables(env: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for variable in VARIABLES:
        text = env.get(variable, "").strip()
        if not text or variable == FILE_VARIABLE:
            continue
        name = _NAMES.get(variable) or variable.removeprefix("MOMO_GATEWAY_").lower()
        if name == "secret_key_file":
            credentials = env.get("CREDENTIALS_DIRECTORY")
            found.setdefault("secret_key", _read_key_file(Path(text), credentials=credentials))
        else:
            found[name] = _value(name, text)
    return found


def _value(name: str, text: str) -> Any:
    """Read a setting's text as what the setting is."""
    if name == "previous_secret_keys":
        return tuple(Secret(one) for one in text.split(",") if one.strip())
    if name == "secret_key":
        return Secret(text)
    kinds = {one.name: str(one.type) for one in fields(GatewaySettings)}
    try:
        if kinds[name] == "int":
            return int(text)
        if kinds[name] == "float":
            return float(text)
    except ValueError:
        raise ConfigurationError(f"{name} is not a number.", field=name) from None
    if kinds[name] == "bool":
        if text.lower() not in _TRUE | _FALSE:
            raise ConfigurationError(f"{name} is 1 or 0.", field=name)
        return text.lower() in _TRUE
    return text


def _read_key_file(path: Path, *, credentials: str | None = None) -> Secret:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The key file {path} cannot be read: {type(error).__name__}.", field="secret_key_file"
        ) from None
    # What systemd hands over as a credential shows its access list as rights of the group.
    is_credential = credentials is not None and path.is_relative_to(credentials)
    forbidden = stat.S_IRWXO if is_credential else stat.S_IRWXG | stat.S_IRWXO
    if mode & forbidden:
        raise ConfigurationError(
            f"Others on this machine can get at the key file {path}.",
            field="secret_key_file",
            hint=f"chmod 600 {path}",
        )
    return Secret(text)


def _read_file(path: Path) -> dict[str, Any]:
    text = read_settings_text(path)
    if path.suffix != ".toml":
        return _from_variables(read_env_lines(text))
    try:
        table = tomllib.loads(text).get("gateway")
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid: {error}.", field="path") from None
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path} has no table [gateway].", field="path")
    return _from_table(table)


def _from_table(table: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {one.name: str(one.type) for one in fields(GatewaySettings) if one.init}
    found = dict(table)
    if "secret_key_file" in found:
        found.setdefault("secret_key", _read_key_file(Path(str(found.pop("secret_key_file")))))
    if "previous_secret_keys" in found:
        found["previous_secret_keys"] = tuple(found["previous_secret_keys"])
    for name, value in found.items():
        if name not in kinds:
            known = ", ".join(sorted(kinds))
            raise ConfigurationError(
                f"There is no setting {name!r}.", field=name, hint=f"Known: {known}."
            )
        wanted: Any = {"int": int, "bool": bool, "float": (int, float), "str": str}.get(kinds[name])
        is_flag = isinstance(value, bool)
        if wanted and (not isinstance(value, wanted) or is_flag != (wanted is bool)):
            raise ConfigurationError(f"{name} is not of the right kind.", field=name)
    return found
