"""The gateway's way to MTN: aiohttp's connections, which all accounts of one host share.

It takes the place of the HTTP library's transport under the client, and fails in its words: the
client reads from them whether anything can have been sent.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address

import aiohttp
import httpx2

from momokit.gateway.connections import Connections, Spoiled, Unsendable, read_up_to
from momokit.gateway.core.destinations import Address
from momokit.gateway.destination import SystemResolver, in_turns
from momokit.operations.exchange import MAX_BODY_BYTES
from momokit.settings import Settings
from momokit.wire import proxy_of, verify

KEPT_SECONDS = 30.0


class ProviderLines:
    """All connections to MTN. Close it when done."""

    def __init__(self) -> None:
        self._resolver = SystemResolver()
        self._connections = Connections(self._addresses, kept_seconds=KEPT_SECONDS)
        self._usual: ssl.SSLContext | None = None

    def transport(self, settings: Settings) -> httpx2.AsyncBaseTransport | None:
        """Give an account's transport; None where a proxy stands between, which is the library's
        business.

        Raises ConfigurationError for a file of authorities that cannot be read.
        """
        if settings.proxy or proxy_of(settings.host_url):
            return None
        return ProviderTransport(
            self._connections,
            tls=self._context(settings) if settings.host_url.startswith("https:") else True,
            max_connections=settings.max_connections,
        )

    async def close(self) -> None:
        """Let go of every connection and thread."""
        await self._connections.close()
        self._resolver.close()

    def _context(self, settings: Settings) -> ssl.SSLContext:
        # Who is trusted is part of where a connection is kept: each context has its own.
        made = verify(settings.host_url, settings.ca_file)
        if isinstance(made, ssl.SSLContext):
            made.set_alpn_protocols(["http/1.1"])
            return made
        # One for all: reading the usual authorities costs 20 ms and more.
        if self._usual is None:
            self._usual = httpx2.create_ssl_context()
            self._usual.set_alpn_protocols(["http/1.1"])
        return self._usual

    async def _addresses(self, host: str) -> Sequence[Address]:
        found = dict.fromkeys(await self._resolver.resolve(host))
        return in_turns([ip_address(text.partition("%")[0]) for text in found])


class ProviderTransport(httpx2.AsyncBaseTransport):
    """One account's transport: its share of the connections, bounded."""

    def __init__(
        self, connections: Connections, *, tls: ssl.SSLContext | bool, max_connections: int
    ) -> None:
        self._connections = connections
        self._tls = tls
        self._room = asyncio.Semaphore(max_connections)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Make one call, and read its answer whole."""
        times = request.extensions["timeout"]
        async with self._place(within_seconds=times["pool"]):
            try:
                return await self._exchange(request, connect_seconds=times["connect"])
            except (aiohttp.ClientError, ValueError, OSError) as error:
                raise _in_the_clients_words(error) from error

    async def _exchange(
        self, request: httpx2.Request, *, connect_seconds: float
    ) -> httpx2.Response:
        stream = request.stream
        assert isinstance(stream, httpx2.ByteStream)
        reply = await self._connections.ask(
            request.method,
            str(request.url),
            headers=[(n.decode("latin-1"), v.decode("latin-1")) for n, v in request.headers.raw],
            body=b"".join([part async for part in stream]),
            tls=self._tls,
            connect_seconds=connect_seconds,
        )
        try:
            # Given on as far as it was read: the client finds it too long, and says so.
            body = await read_up_to(reply, limit_bytes=MAX_BODY_BYTES)
        finally:
            # Read to its end, it has given its connection back; cut short, it is good for none.
            reply.close()
        return httpx2.Response(
            reply.status, headers=list(reply.raw_headers), stream=httpx2.ByteStream(body)
        )

    @asynccontextmanager
    async def _place(self, *, within_seconds: float) -> AsyncIterator[None]:
        if self._room.locked():
            try:
                async with asyncio.timeout(within_seconds):
                    await self._room.acquire()
            except TimeoutError as error:
                raise httpx2.PoolTimeout("too many calls are under way") from error
        else:
            await self._room.acquire()
        try:
            yield
        finally:
            self._room.release()


def _in_the_clients_words(error: Exception) -> httpx2.HTTPError:
    """Say it so that only what certainly sent nothing reads as not sent."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return httpx2.ConnectTimeout("no connection in time")
        case aiohttp.ClientConnectorError() | Spoiled():
            return httpx2.ConnectError("no connection")
        case aiohttp.InvalidURL():
            return httpx2.UnsupportedProtocol("the address cannot be used")
        case TimeoutError():
            return httpx2.ReadTimeout("no answer in time")
        case aiohttp.ServerDisconnectedError():
            return httpx2.RemoteProtocolError("it hung up")
        case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError():
            return httpx2.RemoteProtocolError("it was cut, or is not HTTP")
        case Unsendable():
            return httpx2.UnsupportedProtocol(str(error))
    return httpx2.ReadError("the connection broke")
