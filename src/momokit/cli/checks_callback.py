"""Doctor's checks of the callback address: can MTN reach it, and will it?"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from momokit.callbacks import check_callback_url
from momokit.cli.findings import Finding
from momokit.errors import InvalidInput
from momokit.settings import Settings

_CONNECT_SECONDS = 10.0
_DAY_SECONDS = 86_400.0
_SOON_DAYS = 21
_SAMPLE_ID = "00000000-0000-4000-8000-000000000000"
_KNOWN_ISSUERS = (
    "amazon", "asseco", "certum", "cloudflare", "comodo", "digicert", "entrust", "globalsign",
    "godaddy", "google trust", "let's encrypt", "sectigo", "unizeto", "zerossl",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Certificate:
    """What matters of a server's certificate; it was verified when this exists."""

    issuer: str
    ends_at: float


def resolve(host: str, port: int) -> list[str]:
    """Look a host name up; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def certificate_of(host: str, port: int) -> Certificate:
    """Connect and verify as MTN does; raises OSError, of which ssl.SSLError is one."""
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=_CONNECT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        told = secured.getpeercert() or {}
    issuer = {str(name): str(value) for ((name, value),) in _names(told.get("issuer"))}
    ends = told.get("notAfter")
    return Certificate(
        issuer=issuer.get("organizationName") or issuer.get("commonName", "unknown"),
        ends_at=ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else 0.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What these checks ask the world: the DNS, a TLS handshake, the time."""

    resolve: Callable[[str, int], list[str]] = resolve
    certificate_of: Callable[[str, int], Certificate] = certificate_of
    wall_clock: Callable[[], float] = time.time


def check_callback(
    settings: Settings, url: str | None, *, registered: dict[str, str], outside: Outside
) -> Iterator[Finding]:
    """Check the callback address; `registered` has each product's registered host, if known."""
    if not url:
        yield Finding(
            "callback URL",
            "warning",
            "There is none: MTN will call nobody back.",
            "Everything works by asking, only later. Set MOMO_CALLBACK_URL or give --callback-url.",
        )
        return
    try:
        check_callback_url(
            url.replace("{reference_id}", _SAMPLE_ID),
            market=settings.place,
            allow_local=settings.is_local,
        )
    except InvalidInput as error:
        remedy = error.hint or "Give https://, a DNS name of your own and a path, on port 443."
        yield Finding("callback URL", "problem", error.message, remedy)
        return
    parts = urlsplit(url)
    host = parts.hostname or ""
    yield Finding("callback URL", "ok", f"{parts.scheme}://{parts.netloc} is of a form MTN takes")
    yield from _registered(settings, host, registered=registered)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    reachable = True
    for finding in _name(settings, host, port=port, outside=outside):
        reachable = reachable and finding.status in ("ok", "warning")
        yield finding
    if secure and reachable:
        yield _certificate(host, port=port, outside=outside)


def _registered(settings: Settings, host: str, *, registered: dict[str, str]) -> Iterator[Finding]:
    for product, known in registered.items():
        check = f"{product}: callback host"
        if known.lower() == host.lower():
            yield Finding(check, "ok", f"{known} is registered for the API user")
        else:
            yield Finding(
                check,
                "problem",
                f"The API user is registered for {known}, the callback URL is on {host}.",
                f"Make another API user with --callback-host {host}; it cannot be changed.",
            )
    if not settings.place.is_sandbox:
        yield Finding(
            "callback host",
            "by_hand",
            f"Whether {host} is registered cannot be read in production.",
            "Compare it, letter by letter, with the Provider Callback Host in the partner portal.",
        )


def _name(settings: Settings, host: str, *, port: int, outside: Outside) -> Iterator[Finding]:
    check = "callback host name"
    try:
        addresses = outside.resolve(host, port)
    except OSError:
        yield Finding(
            check, "problem", f"{host} does not resolve.", "Check the name and its DNS records."
        )
        return
    hidden = [address for address in addresses if not _is_public(address)]
    if not hidden:
        yield Finding(check, "ok", f"{host} resolves to {', '.join(addresses)}")
    elif settings.is_local:
        yield Finding(check, "ok", f"{host} is near, which will do for the emulator")
    else:
        yield Finding(
            check,
            "problem",
            f"{host} resolves to {', '.join(hidden)}, which MTN cannot reach.",
            "Point its public DNS record at a public address.",
        )


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_global
    except ValueError:
        return False


def _certificate(host: str, *, port: int, outside: Outside) -> Finding:
    check = "callback certificate"
    try:
        found = outside.certificate_of(host, port)
    except ssl.SSLCertVerificationError as error:
        return Finding(
            check,
            "problem",
            f"It does not verify: {error.verify_message}.",
            "Serve a certificate for this very name from a public authority, with the whole chain.",
        )
    except OSError as error:
        return Finding(
            check,
            "not_checked",
            f"No TLS connection to {host}, port {port}, from here: {type(error).__name__}.",
            "See that the port is open to the internet; a firewall may let MTN in and not you.",
        )
    days = int((found.ends_at - outside.wall_clock()) // _DAY_SECONDS)
    if days < _SOON_DAYS:
        return Finding(
            check, "warning", f"It ends in {days} days.", "Renew it, best of all automatically."
        )
    if not any(word in found.issuer.lower() for word in _KNOWN_ISSUERS):
        return Finding(
            check,
            "warning",
            f"Its authority, {found.issuer}, may not be known to MTN.",
            "Ask MTN to load that authority's certificates, a month ahead.",
        )
    return Finding(check, "ok", f"from {found.issuer}, {days} days left")


def _names(issuer: object) -> tuple[tuple[tuple[str, str]], ...]:
    return issuer if isinstance(issuer, tuple) else ()
