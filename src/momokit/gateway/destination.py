"""The way to a merchant's server: look a name up once, judge every address, hand out those alone.

The check and the connection use the same answer of the name service, so that a name which is
public when it is checked and private when it is used (rebinding) gains nothing. TLS is verified
against the name, as ever.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import Protocol

from momokit.gateway.core.destinations import (
    PUBLIC,
    Address,
    Allowance,
    literal_address,
    may_be_reached,
)

RESOLVER_THREADS = 32
ADDRESSES_TRIED = 4


class ForbiddenDestination(Exception):
    """The name leads to where webhooks must not go. The address is not told: it may be internal."""

    def __init__(self) -> None:
        super().__init__("its name leads to an address that is not public")


class UnknownHost(Exception):
    """The name leads nowhere."""

    def __init__(self) -> None:
        super().__init__("its name cannot be resolved")


class Resolver(Protocol):
    """Looks names up."""

    async def resolve(self, host: str, /) -> Sequence[str]:
        """Give all addresses of a name. Raises OSError or UnknownHost when there are none."""
        ...


class SystemResolver:
    """The machine's own name service, in threads of its own.

    A name that takes long is asked for once, however many wait for it, so that a dead name service
    of one merchant leaves threads for the others.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="momokit-resolver")
        self._asked: dict[str, asyncio.Future[Sequence[str]]] = {}

    async def resolve(self, host: str, /) -> Sequence[str]:
        """Give all addresses of a name."""
        asked = self._asked.get(host)
        if asked is None:
            asked = asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host)
            self._asked[host] = asked
            asked.add_done_callback(lambda done: self._forget(host, done))
        # Shielded: one who gives up must not take the answer from the others.
        return await asyncio.shield(asked)

    def close(self) -> None:
        """Look nothing more up."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _forget(self, host: str, done: asyncio.Future[Sequence[str]]) -> None:
        self._asked.pop(host, None)
        if not done.cancelled():
            done.exception()  # Looked at, so that nobody is told of a failure nobody waits for.


def _look_up(host: str) -> Sequence[str]:
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


async def addresses_of(
    host: str, *, resolver: Resolver, allowance: Allowance = PUBLIC
) -> list[Address]:
    """Give the addresses to connect to, in order. One that is out of bounds forbids them all.

    Raises ForbiddenDestination and UnknownHost.
    """
    literal = literal_address(host)
    if literal is not None:
        found = [literal]
    else:
        try:
            found = [ip_address(text) for text in dict.fromkeys(await resolver.resolve(host))]
        except OSError as error:
            raise UnknownHost from error
        except ValueError as error:
            raise ForbiddenDestination from error
    if not found:
        raise UnknownHost
    if not all(may_be_reached(address, allowance=allowance) for address in found):
        raise ForbiddenDestination
    return in_turns(found)


def in_turns(found: Sequence[Address]) -> list[Address]:
    """Take both kinds of addresses in turns, so that one kind that is dead uses up not all."""
    first = [address for address in found if address.version == found[0].version]
    other = [address for address in found if address.version != found[0].version]
    pairs = chain.from_iterable(zip_longest(first, other))
    return [address for address in pairs if address is not None]
