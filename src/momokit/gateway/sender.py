"""Webhooks over the network: one POST, bounded in every way, to a server nobody here has chosen.

Guarded against addresses inside (see `destination`); no redirects; no cookies, no proxy of the
environment; an answer is its status and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial

import aiohttp
import httpx2

from momokit._version import __version__
from momokit.errors import InvalidInput
from momokit.gateway.connections import Connections, Spoiled, read_up_to
from momokit.gateway.core.deliveries import read_retry_after
from momokit.gateway.core.destinations import (
    PUBLIC,
    Address,
    Allowance,
    Destination,
    literal_address,
    read_destination,
)
from momokit.gateway.destination import (
    ADDRESSES_TRIED,
    ForbiddenDestination,
    Resolver,
    SystemResolver,
    UnknownHost,
    addresses_of,
)

USER_AGENT = f"momokit-webhooks/{__version__}"
DEADLINE_SECONDS = 15.0
PLACE_SECONDS = 15.0
ANSWER_LIMIT_BYTES = 1024
PER_HOST = 8
CONNECT_SECONDS = 10.0
KEPT_SECONDS = 15.0
_DRAIN_SECONDS = 2.0
_GONE = 410


@dataclass(frozen=True, kw_only=True, slots=True)
class SendResult:
    """What became of one send. `gone`: the receiver wants no more of them, ever."""

    status: int | None = None
    error: str | None = None
    retry_after_seconds: float | None = None
    gone: bool = False

    @property
    def delivered(self) -> bool:
        """Tell whether the receiver said that it has it."""
        return self.error is None and self.status is not None and 200 <= self.status < 300


class Sender:
    """Sends webhooks. Close it when done.

    A send has `deadline_seconds` for everything, once it has one of the `per_host` places; a place
    is waited for `place_seconds` at most. `tls`, `resolver` and `clock` are for tests, and `tls`
    for operators with an authority of their own.
    """

    def __init__(
        self,
        *,
        allowance: Allowance = PUBLIC,
        deadline_seconds: float = DEADLINE_SECONDS,
        place_seconds: float = PLACE_SECONDS,
        per_host: int = PER_HOST,
        tls: ssl.SSLContext | None = None,
        resolver: Resolver | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # What is sent goes to the same few addresses; each is read once.
        self._read = lru_cache(maxsize=256)(partial(read_destination, allowance=allowance))
        self._deadline_seconds = deadline_seconds
        self._clock = clock
        self._places = _Places(per_host=per_host, wait_seconds=place_seconds)
        self._resolver = resolver or SystemResolver()
        self._allowance = allowance
        self._tls = tls if tls is not None else httpx2.create_ssl_context()
        self._tls.set_alpn_protocols(["http/1.1"])
        # The places bound how many there are at once, and what the worker takes on.
        self._connections = Connections(self._addresses, kept_seconds=KEPT_SECONDS)

    async def close(self) -> None:
        """Let go of every connection and thread."""
        await self._connections.close()
        if isinstance(self._resolver, SystemResolver):
            self._resolver.close()

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> SendResult:
        """Post a body once and say what became of it; nothing but cancellation is raised."""
        try:
            destination = self._read(url)
            async with self._places.take(destination.authority):
                return await self._exchange(destination, body, headers)
        except Exception as failure:  # Whatever a stranger's server causes is a result.
            return SendResult(error=self._words_for(failure))

    async def _exchange(
        self, destination: Destination, body: bytes, headers: Mapping[str, str]
    ) -> SendResult:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._deadline_seconds
        async with asyncio.timeout_at(ends_at):
            reply = await self._ask(destination, body, headers)
        try:
            # The status is known, so nothing that happens from here on can change the result. A
            # short answer is read, so that its connection can be used again; a long one is not.
            with suppress(Exception):
                async with asyncio.timeout_at(min(ends_at, loop.time() + _DRAIN_SECONDS)):
                    await read_up_to(reply, limit_bytes=ANSWER_LIMIT_BYTES)
        finally:
            reply.close()
        return self._result_of(reply.status, reply.headers.get("Retry-After", ""))

    async def _ask(
        self, destination: Destination, body: bytes, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        if literal_address(destination.host) is not None:
            # The library asks nobody for the address of an address.
            await self._addresses(destination.host)
        return await self._connections.ask(
            "POST",
            f"{destination.scheme}://{destination.authority}{destination.target}",
            headers=_fields(destination, body, headers),
            body=body,
            tls=self._tls,
            connect_seconds=CONNECT_SECONDS,
        )

    async def _addresses(self, host: str) -> Sequence[Address]:
        found = await addresses_of(host, resolver=self._resolver, allowance=self._allowance)
        return found[:ADDRESSES_TRIED]

    def _result_of(self, status: int, wish: str) -> SendResult:
        if 200 <= status < 300:
            return SendResult(status=status)
        redirect = " (redirects are not followed)" if 300 <= status < 400 else ""
        return SendResult(
            status=status,
            error=f"HTTP {status}{redirect}",
            retry_after_seconds=read_retry_after(wish, now=self._clock()),
            gone=status == _GONE,
        )

    def _words_for(self, failure: Exception) -> str:
        match failure:
            case InvalidInput():
                return failure.message
            case ForbiddenDestination() | UnknownHost() | _Crowded():
                return str(failure)
            case TimeoutError():
                return f"no answer within {self._deadline_seconds:g} s"
            case aiohttp.ClientConnectorCertificateError():
                return "its certificate is not trusted, or not valid for its name"
            case aiohttp.ClientConnectorSSLError():
                return "no TLS connection"
            case aiohttp.ClientConnectorDNSError():
                return str(UnknownHost())
            case aiohttp.ClientConnectorError():
                return "no connection"
            case (
                aiohttp.ClientOSError()
                | aiohttp.ServerDisconnectedError()
                | aiohttp.ClientResponseError()
                | Spoiled()
            ):
                return "the connection broke, or what came is not HTTP"
        return f"not sent ({type(failure).__name__})"


def _fields(
    destination: Destination, body: bytes, headers: Mapping[str, str]
) -> list[tuple[str, str]]:
    return [
        ("Host", destination.authority),
        ("User-Agent", USER_AGENT),
        ("Accept", "*/*"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        *headers.items(),
    ]


class _Crowded(Exception):
    def __init__(self) -> None:
        super().__init__("too many sends to this host are under way")


class _Places:
    """So many sends to one host at a time; a host with none under way takes no memory."""

    def __init__(self, *, per_host: int, wait_seconds: float) -> None:
        self._per_host = per_host
        self._wait_seconds = wait_seconds
        self._hosts: dict[str, tuple[asyncio.Semaphore, set[object]]] = {}

    @contextlib.asynccontextmanager
    async def take(self, host: str) -> AsyncIterator[None]:
        free, users = self._hosts.setdefault(host, (asyncio.Semaphore(self._per_host), set()))
        user = object()
        users.add(user)
        try:
            await self._acquire(free)
            try:
                yield
            finally:
                free.release()
        finally:
            users.discard(user)
            if not users:
                self._hosts.pop(host, None)

    async def _acquire(self, free: asyncio.Semaphore) -> None:
        if not free.locked():
            await free.acquire()
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await free.acquire()
        except TimeoutError:
            raise _Crowded from None
