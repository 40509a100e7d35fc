"""The gateway's way to MTN: connections that all accounts of one host share, at a tenth of the cost
of the library's own.

It takes the place of the HTTP library's transport under the client, and fails in its words: the
client reads from them whether anything can have been sent.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import httpcore2
import httpx2

from momokit.gateway.calls import Broken, Line, Lines, TooLong, write_request
from momokit.gateway.core.destinations import Address, literal_address
from momokit.gateway.destination import SystemResolver, UnknownHost, connect_to_one, in_turns
from momokit.gateway.stream import Stream
from momokit.operations.exchange import MAX_BODY_BYTES
from momokit.settings import Settings
from momokit.wire import proxy_of, verify

KEPT = 256


class ProviderLines:
    """All connections to MTN. Close it when done."""

    def __init__(self) -> None:
        self._lines = Lines(kept=KEPT)
        self._resolver = SystemResolver()
        self._usual: ssl.SSLContext | None = None

    def transport(self, settings: Settings) -> httpx2.AsyncBaseTransport | None:
        """Give an account's transport; None where a proxy stands between, which is the library's
        business.

        Raises ConfigurationError for a file of authorities that cannot be read.
        """
        if settings.proxy or proxy_of(settings.host_url):
            return None
        url = httpx2.URL(settings.host_url)
        place = Place(
            scheme=url.scheme,
            host=url.raw_host.decode("ascii"),
            port=url.port or (443 if url.scheme == "https" else 80),
            context=self._context(settings) if url.scheme == "https" else None,
            resolver=self._resolver,
        )
        return ProviderTransport(place, lines=self._lines, max_connections=settings.max_connections)

    async def close(self) -> None:
        """Let go of every connection and thread."""
        await self._lines.close()
        self._resolver.close()

    def _context(self, settings: Settings) -> ssl.SSLContext:
        made = verify(settings.host_url, settings.ca_file)
        if isinstance(made, ssl.SSLContext):
            made.set_alpn_protocols(["http/1.1"])
            return made
        # One for all: reading the usual authorities costs 20 ms and more.
        if self._usual is None:
            self._usual = httpx2.create_ssl_context()
            self._usual.set_alpn_protocols(["http/1.1"])
        return self._usual


class Place:
    """One host of MTN, and how it is reached."""

    def __init__(
        self,
        *,
        scheme: str,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        resolver: SystemResolver,
    ) -> None:
        # Who is trusted is part of the place: a connection is no good to who trusts others.
        self.key = (scheme, host, port, context)
        self._host = host.strip("[]")
        self._port = port
        self._context = context
        self._resolver = resolver

    async def connect(self, *, within_seconds: float) -> Stream:
        """Connect, TLS included. Raises what says that nothing was sent."""
        try:
            async with asyncio.timeout(within_seconds):
                stream = await connect_to_one(await self._addresses(), self._port)
                if self._context is not None:
                    await stream.start_tls(self._context, self._host)
                return stream
        except (TimeoutError, httpcore2.ConnectTimeout) as error:
            raise httpx2.ConnectTimeout("no connection in time") from error
        except (OSError, httpcore2.ConnectError, UnknownHost) as error:
            raise httpx2.ConnectError("no connection") from error

    async def _addresses(self) -> list[Address]:
        literal = literal_address(self._host)
        if literal is not None:
            return [literal]
        found = dict.fromkeys(await self._resolver.resolve(self._host))
        return in_turns([ip_address(text.partition("%")[0]) for text in found])


class ProviderTransport(httpx2.AsyncBaseTransport):
    """One account's transport: its share of the connections, bounded."""

    def __init__(self, place: Place, *, lines: Lines, max_connections: int) -> None:
        self._place = place
        self._lines = lines
        self._room = asyncio.Semaphore(max_connections)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Make one call, and read its answer whole."""
        times = request.extensions["timeout"]
        written = await _written(request)
        async with self._line(pool_seconds=times["pool"], connect_seconds=times["connect"]) as line:
            try:
                status = await line.ask(written)
                body = await _body(line)
            except Broken as error:
                raise httpx2.RemoteProtocolError(str(error)) from error
            except httpcore2.NetworkError as error:
                raise httpx2.ReadError("the connection broke") from error
            return httpx2.Response(status, headers=line.headers, stream=httpx2.ByteStream(body))

    @asynccontextmanager
    async def _line(self, *, pool_seconds: float, connect_seconds: float) -> AsyncIterator[Line]:
        if self._room.locked():
            try:
                async with asyncio.timeout(pool_seconds):
                    await self._room.acquire()
            except TimeoutError as error:
                raise httpx2.PoolTimeout("too many calls are under way") from error
        else:
            await self._room.acquire()
        try:
            line = await self._lines.take(
                self._place.key, lambda: self._place.connect(within_seconds=connect_seconds)
            )
            try:
                yield line
            finally:
                await self._lines.give_back(self._place.key, line)
        finally:
            self._room.release()


async def _written(request: httpx2.Request) -> bytes:
    stream = request.stream
    assert isinstance(stream, httpx2.ByteStream)
    body = b"".join([part async for part in stream])
    headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in request.headers.raw]
    target = request.url.raw_path.decode("ascii")
    try:
        return write_request(request.method, target, headers, body=body)
    except ValueError as error:
        raise httpx2.UnsupportedProtocol(str(error)) from error


async def _body(line: Line) -> bytes:
    try:
        return await line.rest(limit_bytes=MAX_BODY_BYTES)
    except TooLong:
        # Given on as far as it was read: the client finds it too long, and says so.
        return b"".join(line.body)
