"""The emulator's edge: an ASGI application that carries requests in, and replies and faults out.

It is raw ASGI and no framework: MTN's own paths go through one function that costs a few
microseconds, and the control API is a table of functions from JSON to JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from .control import Control
from .deliver import Deliverer
from .engine import Emulator
from .exchange import Reply, Request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)

TRANSPORT = "momokit.emulator.transport"
_MTN = ("/collection/", "/disbursement/", "/remittance/", "/v1_0/", "//")
_SAVE_EVERY_SECONDS = 0.5
_CALLBACK_WAIT_SECONDS = 5.0
_HANG_SECONDS = 600.0


class App:
    """The ASGI application around one emulator."""

    def __init__(self, emulator: Emulator, *, pages: ASGIApp | None) -> None:
        self._emulator = emulator
        self._pages = pages
        self._control = Control(emulator)
        self._date: tuple[int, bytes] = (0, b"")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            path: str = scope["path"]
            if path.startswith("/_emulator"):
                await self._steer(scope, receive, send)
            elif self._pages is None or path.startswith(_MTN):
                await self._provide(scope, receive, send)
            else:
                await self._pages(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1003})

    async def _provide(self, scope: Scope, receive: Receive, send: Send) -> None:
        emulator = self._emulator
        method: str = scope["method"]
        body = b""
        if method != "GET":
            body = await _read(receive, limit=emulator.settings.body_limit_bytes)
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        reply = emulator.handle(Request(method, scope["path"], headers, body, query))
        if reply.after_callback_of:
            await self._let_the_callback_go_first(reply.after_callback_of)
        if reply.delay_seconds:
            await asyncio.sleep(reply.delay_seconds)
        if needs_the_wire(reply):
            await _spoil(reply, scope=scope, receive=receive, send=send, date=self._now(reply))
        else:
            await _answer(reply, send=send, date=self._now(reply))

    async def _steer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive, limit=8_388_608)
        query = scope["query_string"].decode("latin-1")
        reply = self._control.handle(Request(scope["method"], scope["path"], {}, body, query))
        await _answer(reply, send=send, date=self._now(reply))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        tasks = [
            asyncio.create_task(Deliverer(self._emulator).run()),
            asyncio.create_task(_keep_saving(self._emulator)),
        ]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._emulator.save()
        await send({"type": "lifespan.shutdown.complete"})

    async def _let_the_callback_go_first(self, reference_id: str) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CALLBACK_WAIT_SECONDS):
                while self._emulator.undelivered(reference_id):  # noqa: ASYNC110
                    await asyncio.sleep(0.005)

    def _now(self, reply: Reply) -> bytes:
        second = int(self._emulator.clock.now() + reply.clock_offset_seconds)
        if self._date[0] != second:
            self._date = (second, formatdate(max(second, 0), usegmt=True).encode())
        return self._date[1]


def create_app(emulator: Emulator | None = None, *, pages: ASGIApp | None = None) -> App:
    """Make the ASGI application of an emulator; `pages` serves what is not MTN's or control."""
    return App(emulator or Emulator(), pages=pages)


def needs_the_wire(reply: Reply) -> bool:
    """Whether a reply does something to the connection that ASGI has no words for."""
    return bool(reply.cut or reply.truncate_after_bytes is not None or reply.drip or reply.phrase)


async def _read(receive: Receive, *, limit: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        # One byte above the limit is enough for the checks to see that it is exceeded.
        if size <= limit + len(part):
            parts.append(part)
    return b"".join(parts)


async def _answer(reply: Reply, *, send: Send, date: bytes) -> None:
    headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in reply.headers]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    headers.append((b"date", date))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def _raw(reply: Reply, *, date: bytes) -> tuple[bytes, bytes]:
    """Write a reply out by hand; its connection ends after it."""
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
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n", reply.body


async def _spoil(reply: Reply, *, scope: Scope, receive: Receive, send: Send, date: bytes) -> None:
    transport = scope.get(TRANSPORT)
    if transport is None:
        # Another server than ours: no way to the socket. Say so rather than answer well.
        plain = reply._replace(status=reply.status or 500)
        await _answer(
            plain._replace(body=plain.body[: reply.truncate_after_bytes]), send=send, date=date
        )
        return
    if reply.cut == "hang":
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HANG_SECONDS):
                await _until_gone(receive)
        transport.abort()
        return
    if not reply.cut:
        await _write(transport, reply, date=date)
    if reply.cut == "reset" or reply.then_reset:
        await _flushed(transport)
        _reset(transport)
    else:
        transport.close()
    await _until_gone(receive)


async def _write(transport: asyncio.Transport, reply: Reply, *, date: bytes) -> None:
    head, body = _raw(reply, date=date)
    limit = reply.truncate_after_bytes
    if limit is not None and body:
        body = body[:limit]
    elif limit is not None:
        head = head[:limit]
    if reply.then_reset and limit == 0:
        head = head[: len(head) // 2]
    if reply.drip is None:
        transport.write(head + body)
        return
    content, (step, pause_seconds) = head + body, reply.drip
    for start in range(0, len(content), step):
        if transport.is_closing():
            return
        transport.write(content[start : start + step])
        await asyncio.sleep(pause_seconds)


async def _flushed(transport: asyncio.Transport) -> None:
    for _ in range(100):
        if transport.get_write_buffer_size() == 0:
            return
        await asyncio.sleep(0.005)


def _reset(transport: asyncio.Transport) -> None:
    """End a connection so that the other side sees a reset: linger on, for no time."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _keep_saving(emulator: Emulator) -> None:
    while True:
        await asyncio.sleep(_SAVE_EVERY_SECONDS)
        try:
            await asyncio.to_thread(emulator.save)
        except OSError:
            _log.exception("the emulator's state file could not be written")
