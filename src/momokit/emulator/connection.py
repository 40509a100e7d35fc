"""Carries out on a connection what ASGI has no words for: cuts, resets, drips and silence."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from .exchange import Reply

_HANG_SECONDS = 600.0


def is_rough(reply: Reply) -> bool:
    """Whether a reply is late, or does something to its connection."""
    return bool(
        reply.delay_seconds
        or reply.cut
        or reply.drip
        or reply.phrase
        or reply.truncate_after_bytes is not None
    )


class Rough:
    """One connection on which an answer goes wrong."""

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        closing: asyncio.Event,
    ) -> None:
        self._transport = transport
        self._receive = receive
        self._closing = closing
        self.ended = False
        """Whether the connection is over; else the reply is still to be sent as usual."""

    async def carry_out(self, reply: Reply, *, date: bytes) -> None:
        """Do what the reply describes; a reply that is only late is left to the caller."""
        if await self._pause(reply.delay_seconds):
            await self._end(by_reset=True)
        elif reply.cut == "hang":
            await self._hang()
        elif reply.cut:
            await self._end(by_reset=reply.cut == "reset")
        elif reply.drip or reply.phrase or reply.truncate_after_bytes is not None:
            await self._write(reply, date=date)
            await self._end(by_reset=reply.then_reset)

    async def _pause(self, seconds: float) -> bool:
        """Wait; says whether the server wants to stop instead."""
        if seconds:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)
        return self._closing.is_set()

    async def _hang(self) -> None:
        gone = asyncio.ensure_future(self._until_gone())
        stopped = asyncio.ensure_future(self._closing.wait())
        waits = {gone, stopped}
        await asyncio.wait(waits, timeout=_HANG_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        await self._end(by_reset=True)

    async def _write(self, reply: Reply, *, date: bytes) -> None:
        head, body = _written(reply, date=date), reply.body
        limit = reply.truncate_after_bytes
        if limit is not None and body:
            body = body[:limit]
        elif limit is not None:
            head = head[:limit]
        if reply.then_reset and limit == 0:
            head = head[: len(head) // 2]
        if reply.drip is None:
            self._transport.write(head + body)
            return
        content, (step, pause_seconds) = head + body, reply.drip
        for start in range(0, len(content), step):
            if self._transport.is_closing():
                return
            self._transport.write(content[start : start + step])
            if await self._pause(pause_seconds):
                return

    async def _end(self, *, by_reset: bool) -> None:
        self.ended = True
        if by_reset:
            await self._flushed()
            _reset(self._transport)
        else:
            self._transport.close()
        await self._until_gone()

    async def _flushed(self) -> None:
        for _ in range(100):
            if self._transport.get_write_buffer_size() == 0:
                return
            await asyncio.sleep(0.005)

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _written(reply: Reply, *, date: bytes) -> bytes:
    """Write a reply's head out by hand; its connection ends after it."""
    try:
        phrase = reply.phrase or HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = ""
    lines = [
        f"HTTP/1.1 {reply.status} {phrase}",
        *(f"{name}: {value}" for name, value in reply.headers),
        f"content-length: {len(reply.body)}",
        f"date: {date.decode()}",
        "connection: close",
    ]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"


def _reset(transport: asyncio.Transport) -> None:
    """End a connection so that the other side sees a reset: linger on, for no time."""
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
