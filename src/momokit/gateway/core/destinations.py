"""Where webhooks may go: how an address must be written, and which networks are out of bounds.

Pure: a name is looked up elsewhere, and every address it leads to is then judged here. An address
is read by one grammar, and what was read is what is connected to, so that no second reader can
understand it otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

import idna

from momokit.errors import InvalidInput

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

URL_LIMIT = 2048
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What an operator allows. As it is: https, port 443, public addresses.

    `networks` are allowed although they are not public, and names without a public form with them.
    """

    ports: frozenset[int] = frozenset({443})
    any_port: bool = False
    plain_http: bool = False
    networks: tuple[Network, ...] = ()


PUBLIC = Allowance()
DEVELOPMENT = Allowance(
    any_port=True,
    plain_http=True,
    networks=tuple(
        ip_network(text)
        for text in (
            "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7",
        )
    ),
)  # fmt: skip
"""For work without real money: this machine and private networks, without TLS, on any port."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """An address as it was understood. `host` is ASCII: a name, or an IP address."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Give what belongs into the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


_NOT_PUBLIC_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host: a connection to it goes to this machine
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers; one cloud's metadata too
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # relays to 6to4
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",  # measurements
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo, ORCHID, measurements: all of the protocols' own
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 hides an IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_NEVER: tuple[Address, ...] = (
    IPv4Address("169.254.169.254"),
    IPv4Address("169.254.170.2"),
    IPv4Address("100.100.100.200"),
    IPv4Address("168.63.129.16"),
    IPv4Address("192.0.0.192"),
    IPv6Address("fd00:ec2::254"),
)
"""Where clouds hand out the keys of a machine; no allowance opens these."""

_PRIVATE_NAMES = frozenset(
    {
        "arpa", "corp", "example", "home", "internal", "intranet", "invalid", "lan", "local",
        "localdomain", "localhost", "onion", "private", "test",
    }
)  # fmt: skip

_URL = re.compile(r"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?#]+)(?P<target>[/?][!-~]*)?")
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>[0-9]+))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def read_destination(url: str, *, allowance: Allowance = PUBLIC) -> Destination:
    """Read an address that a merchant gave, for webhooks. Raises InvalidInput that says why not."""
    if len(url) > URL_LIMIT:
        raise _refused(f"it is longer than {URL_LIMIT} characters")
    # A backslash is a slash to some readers and none to others; a blank or a tab vanishes for some.
    if re.search(r"[\x00-\x20\x7f\\#]", url):
        raise _refused("it has a blank, a control character, a backslash or a fragment in it")
    parts = _URL.fullmatch(url)
    if parts is None:
        raise _refused("it is not of the form https://host/path, in ASCII after the host")
    scheme = parts["scheme"].lower()
    if scheme != "https" and not (scheme == "http" and allowance.plain_http):
        raise _refused("only https is allowed")
    if "@" in parts["authority"]:
        raise _refused("a user or a password has no place in it")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        raise _refused("its host or port cannot be read")
    host = _literal_v6(authority["v6"]) if authority["v6"] else _name(authority["name"])
    _check_host(host, allowance=allowance)
    port = _port(authority["port"], scheme=scheme, allowance=allowance)
    target = parts["target"] or "/"
    return Destination(
        scheme=scheme, host=host, port=port, target=target if target[0] == "/" else f"/{target}"
    )


def literal_address(host: str) -> Address | None:
    """Give the IP address that a host is, if it is none of the names."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def may_be_reached(address: Address, *, allowance: Allowance = PUBLIC) -> bool:
    """Tell whether a webhook may be sent to an IP address."""
    if isinstance(address, IPv6Address) and address in _NAT64:
        # The translator of a network without IPv4: judged by the address behind it.
        return may_be_reached(IPv4Address(address.packed[-4:]), allowance=allowance)
    if address in _NEVER or address.is_multicast or address.is_unspecified:
        return False
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    return _is_public(address) or any(address in network for network in allowance.networks)


def read_networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Read the networks that an operator allows. Raises InvalidInput."""
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise InvalidInput(f"A network is not usable: {error}.", field="networks") from None


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _NOT_PUBLIC_V6)


def _literal_v6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise _refused("what is in brackets is no IPv6 address") from None


def _name(text: str) -> str:
    """Bring a name to the form in which it is looked up, or an IPv4 address to its only form."""
    host = text.lower() if text.isascii() else text
    if not host.isascii() or "xn--" in host:
        try:
            host = idna.encode(host, uts46=True, std3_rules=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise _refused("its name is not a valid internationalised one") from None
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused("its name is not a valid host name")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            # Resolvers read 127.1, 0x7f000001 and 017700000001 as addresses; here only one form is.
            host = str(IPv4Address(host))
        except ValueError:
            raise _refused("an IPv4 address has four decimal numbers") from None
    return host


def _check_host(host: str, *, allowance: Allowance) -> None:
    address = literal_address(host)
    if address is not None:
        if not may_be_reached(address, allowance=allowance):
            raise _refused("its address is not a public one")
        return
    labels = host.split(".")
    if (len(labels) == 1 or labels[-1] in _PRIVATE_NAMES) and not allowance.networks:
        raise _refused("its name is not a public one")


def _port(text: str | None, *, scheme: str, allowance: Allowance) -> int:
    if text is None:
        port = _DEFAULT_PORTS[scheme]
    elif len(text) > 5 or text.startswith("0") or int(text) > 65535:
        raise _refused("its port cannot be read")
    else:
        port = int(text)
    if not allowance.any_port and port not in allowance.ports:
        listed = ", ".join(map(str, sorted(allowance.ports)))
        raise _refused(f"its port is not among the allowed ones ({listed})")
    return port


def _refused(why: str) -> InvalidInput:
    # The address itself is not repeated: its path may be the merchant's secret.
    return InvalidInput(f"The address cannot be used for webhooks: {why}.", field="url")
