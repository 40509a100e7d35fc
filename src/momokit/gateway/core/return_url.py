"""Where a payer goes back to: an address of the shop's, with the reference appended. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from momokit.errors import InvalidInput

_LOCAL = frozenset({"localhost"})


def check_return_url(url: str) -> None:
    """Refuse an address that a link must not lead to. Raises InvalidInput (`return_url`).

    https alone; http only to this machine, for development. A script or a name and password in
    front of the host would show the payer one thing and do another.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("This is not an address.") from None
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _refused("It has characters that do not belong in an address.")
    if parts.scheme not in ("https", "http") or not host:
        raise _refused("A shop's address begins with https://.")
    if parts.username is not None or parts.password is not None:
        raise _refused("Names and passwords do not belong in the address.")
    if parts.fragment:
        raise _refused("It has a part behind #, which the shop would never see.")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise _refused("Only an address on this machine goes without TLS.")


def with_reference(url: str, facts: Mapping[str, str]) -> str:
    """Append what the shop recognises the payer by; its own parameters stay."""
    parts = urlsplit(url)
    given = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in facts
    ]
    return urlunsplit(parts._replace(query=urlencode([*given, *facts.items()])))


def _is_this_machine(host: str) -> bool:
    if host in _LOCAL:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(message: str) -> InvalidInput:
    return InvalidInput(message, field="return_url", hint="Write https://shop.example/orders/1007.")
