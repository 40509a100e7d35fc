"""One aiohttp session for all calls of a kind, with everything off that could act by itself.

aiohttp follows redirects, keeps cookies, asks again when a kept connection turns out to be closed,
and takes what a server said unasked for the next answer. None of it may happen to money.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from momokit.gateway.core.destinations import Address

HEAD_LINE_BYTES = 16_384
# A time that is rounded up could end after the deadline, and "not sent" would read "unknown".
_NEVER_ROUNDED_SECONDS = 86_400.0
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")

Look = Callable[[str], Awaitable[Sequence[Address]]]
"""Gives the addresses of a name that may be connected to, in order."""


class Spoiled(aiohttp.ClientConnectionError):
    """The server spoke before it was asked. Nothing was sent on that connection."""


class Unsendable(ValueError):
    """A header has a sign that would be read as something else. Nothing was sent."""


class Connections:
    """Connections to many places, kept for the next call. Close it when done.

    Its session is made by the first call, on the event loop of that call.
    """

    def __init__(self, look: Look, *, kept_seconds: float) -> None:
        self._look = look
        self._kept_seconds = kept_seconds
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        tls: ssl.SSLContext | bool,
        connect_seconds: float | None,
    ) -> aiohttp.ClientResponse:
        """Send a request once and give its answer, the body still to be read.

        Raises `Unsendable`, `Spoiled`, and aiohttp's errors.
        """
        fields = list(headers)
        for name, value in fields:
            if not value.isascii() or any(sign in name + value for sign in "\r\n\0"):
                raise Unsendable("A header has a sign that cannot be sent.")
        session = self._session or self._open()
        return await session.request(
            method,
            URL(url, encoded=True),
            headers=fields,
            data=body or None,
            ssl=tls,
            allow_redirects=False,
            skip_auto_headers=_AUTOMATIC,
            timeout=aiohttp.ClientTimeout(
                total=None, connect=connect_seconds, ceil_threshold=_NEVER_ROUNDED_SECONDS
            ),
        )

    async def close(self) -> None:
        """Hang up on everybody."""
        session, self._session = self._session, None
        if session is not None:
            assert session.connector is not None
            await session.connector.close(abort_ssl=True)
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            # Who calls bounds how many there are at once: accounts, and places of a host.
            limit=0,
            keepalive_timeout=self._kept_seconds,
            use_dns_cache=False,
            timeout_ceil_threshold=_NEVER_ROUNDED_SECONDS,
            resolver=_Resolver(self._look),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            request_class=_Request,
            max_line_size=HEAD_LINE_BYTES,
            max_field_size=HEAD_LINE_BYTES,
        )
        # aiohttp asks GET, PUT and DELETE again when a kept connection broke, and has no public
        # switch for it. A test counts what arrives at a socket, and fails when this stops working.
        self._session._retry_connection = False
        return self._session


class _Request(aiohttp.ClientRequest):
    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        # What came while nobody asked would be taken for the answer to this request.
        if conn.protocol is None or conn.protocol.should_close:
            raise Spoiled
        return await super().send(conn)


class _Resolver(AbstractResolver):
    def __init__(self, look: Look) -> None:
        self._look = look

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del family
        return [_result(host, address, port) for address in await self._look(host)]

    async def close(self) -> None:
        """Keep the name service: who gave it closes it."""


def _result(host: str, address: Address, port: int) -> ResolveResult:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return ResolveResult(
        hostname=host, host=str(address), port=port, family=family,
        proto=0, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )  # fmt: skip


async def read_up_to(reply: aiohttp.ClientResponse, *, limit_bytes: int) -> bytes:
    """Read an answer's body, or as much of it as exceeds the limit. Raises aiohttp's."""
    parts: list[bytes] = []
    size = 0
    async for part in reply.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > limit_bytes:
            break
    return parts[0] if len(parts) == 1 else b"".join(parts)
