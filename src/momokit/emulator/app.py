"""The emulator's edge: an ASGI application that carries requests in, and replies and faults out.

It is raw ASGI and no framework: MTN's own paths go through one function that costs a few
microseconds, and the control API is a table of functions from JSON to JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any

from . import connection
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


class App:
    """The ASGI application around one emulator."""

    def __init__(self, emulator: Emulator, *, pages: ASGIApp | None) -> None:
        self._emulator = emulator
        self._pages = pages
        self._control = Control(emulator)
        self._closing = asyncio.Event()
        self._date: tuple[int, bytes] = (0, b"")

    def let_go(self) -> None:
        """End the requests that wait on purpose, so that the server can stop at once."""
        self._closing.set()

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
        if not connection.is_rough(reply):
            await _answer(reply, send=send, date=self._now(reply))
            return
        transport = scope.get(TRANSPORT)
        if transport is not None:
            date = self._now(reply)
            rough = connection.Rough(transport, receive=receive, closing=self._closing)
            await rough.carry_out(reply, date=date)
            if not rough.ended:
                await _answer(reply, send=send, date=date)
        else:
            # Another server than ours: no way to the socket. Say so rather than answer well.
            plain = reply._replace(status=reply.status or 500)
            await _answer(plain, send=send, date=self._now(reply))

    async def _steer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive, limit=8_388_608)
        query = scope["query_string"].decode("latin-1")
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").partition(b"://")[2]
        # A page of some other site, open in the developer's browser, is not to steer this.
        if origin and origin != headers.get(b"host"):
            reply = Reply(403)
        else:
            asked = Request(scope["method"], scope["path"], {}, body, query)
            reply = self._control.handle(asked)
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


async def _keep_saving(emulator: Emulator) -> None:
    while True:
        await asyncio.sleep(_SAVE_EVERY_SECONDS)
        try:
            await asyncio.to_thread(emulator.save)
        except OSError:
            _log.exception("the emulator's state file could not be written")
