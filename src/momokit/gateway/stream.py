"""A connection for the HTTP library, straight on asyncio, to an address that was judged before.

It takes half the time of the one that the library brings along, and it closes its socket however
a TLS handshake ends: also when the deadline of the send falls into it.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, cast

import httpcore2

from momokit.gateway.core.destinations import Address

UNREAD_LIMIT_BYTES = 65_536


async def connect(address: Address, port: int, *, within_seconds: float) -> Stream:
    """Connect to an address. Raises the HTTP library's ConnectError and ConnectTimeout."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(within_seconds):
            # An IP address is not looked up again: this goes where it says.
            _, stream = await loop.create_connection(Stream, str(address), port)
    except TimeoutError as error:
        raise httpcore2.ConnectTimeout from error
    except OSError as error:
        raise httpcore2.ConnectError from error
    return stream


class Stream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """One connection. Its times are bounded by the deadline of the whole send, not one by one."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._unread = bytearray()
        self._is_paused = False
        self._has_ended = False
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Keep what came; when nobody reads it, let the other side wait."""
        self._unread += data
        if len(self._unread) > UNREAD_LIMIT_BYTES and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Note that nothing more comes."""
        self._has_ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        self._has_ended = True
        self._failure = exc
        self._wake()

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
    ) -> bytes:
        """Read what is there, or wait for it; empty at the end."""
        while not self._unread and not self._has_ended:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if not self._unread and self._failure is not None:
            raise httpcore2.ReadError from self._failure
        data = bytes(self._unread[:max_bytes])
        del self._unread[:max_bytes]
        if self._is_paused and not self._has_ended:
            self._is_paused = False
            self._transport.resume_reading()
        return data

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
    ) -> None:
        """Send; a webhook is small, so that it is not waited for until it is gone."""
        if self._transport.is_closing():
            raise httpcore2.WriteError
        self._transport.write(buffer)

    async def aclose(self) -> None:
        """Close at once: whatever matters has been read, and nothing is waited for."""
        self._transport.abort()
        await asyncio.sleep(0)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        """Shake hands, and let the server prove its name."""
        loop = asyncio.get_running_loop()
        try:
            if self._unread:
                # Words said before TLS must not be taken for words said under it.
                raise ssl.SSLError("the server spoke before TLS began")
            transport = await loop.start_tls(
                self._transport, self, ssl_context, server_hostname=server_hostname
            )
            if transport is None:
                raise ConnectionResetError("the connection ended in the handshake")
            self._transport = transport
        except OSError as error:
            self._transport.abort()
            raise httpcore2.ConnectError from error
        except asyncio.CancelledError:
            self._transport.abort()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        """Tell the HTTP library whether an idle connection has been closed or spoken on."""
        if info == "is_readable":
            return bool(self._unread) or self._has_ended
        return self._transport.get_extra_info(info)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
