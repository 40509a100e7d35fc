"""The merchant's side, cheap: posts prepared requests to the gateway and hears its webhooks.

Both live in the benchmark's own process, on one event loop, and read no more of HTTP than they
need, so that what they use of the two cores is little beside the gateway.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

_RECEIVED = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


class _Hook(asyncio.Protocol):
    """One connection of the gateway to the merchant: takes webhooks off it, and says yes."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            head = self._rest[:end].lower()
            whole = end + 4 + int(_header(head, b"content-length") or b"0")
            if len(self._rest) < whole:
                return
            self._rest = self._rest[whole:]
            assert self._transport is not None
            self._transport.write(_RECEIVED)
            self._receiver.take(_header(head, b"webhook-id"))


class Receiver:
    """Counts the webhooks it has had, each once."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.port = 0
        self._wanted = 0
        self._enough = asyncio.Event()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where webhooks are sent."""
        return f"http://127.0.0.1:{self.port}/hooks"

    async def open(self) -> None:
        """Listen on a port of this machine."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Hook(self), "127.0.0.1", 0, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        self._server = server

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    def take(self, webhook_id: bytes) -> None:
        """Count one."""
        self.seen.add(webhook_id)
        if len(self.seen) >= self._wanted:
            self._enough.set()

    async def until(self, count: int, *, patience_seconds: float) -> None:
        """Wait until so many different webhooks have come. Raises TimeoutError."""
        self._wanted = count
        self._enough.clear()
        if len(self.seen) >= count:
            return
        async with asyncio.timeout(patience_seconds):
            await self._enough.wait()


def _header(head: bytes, name: bytes) -> bytes:
    _, found, rest = head.partition(b"\r\n" + name + b":")
    return rest.split(b"\r\n", 1)[0].strip() if found else b""


class _Caller(asyncio.Protocol):
    """One connection to the gateway, with one request under way at a time."""

    def __init__(self) -> None:
        self._rest = b""
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._rest += data
        end = self._rest.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._rest[:end].lower()
        if len(self._rest) < end + 4 + int(_header(head, b"content-length") or b"0"):
            return
        answer, self._rest = self._rest, b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"the gateway hung up: {exc}"))


@dataclass(slots=True)
class Line:
    """What requests go over: connections that are used again, and made when all are busy."""

    port: int
    _free: deque[_Caller] = field(default_factory=deque)

    async def ask(self, request: bytes) -> bytes:
        """Send one request and give the whole answer."""
        if self._free:
            caller = self._free.pop()
        else:
            loop = asyncio.get_running_loop()
            _, caller = await loop.create_connection(_Caller, "127.0.0.1", self.port)
        answer = await caller.ask(request)
        self._free.append(caller)
        return answer


async def flood(line: Line, requests: Sequence[bytes], *, at_once: int, wanted: bytes) -> None:
    """Send all requests, so many under way at a time (a closed loop)."""
    waiting = iter(requests)

    async def one() -> None:
        for request in waiting:
            _check(await line.ask(request), wanted)

    await asyncio.gather(*(one() for _ in range(at_once)))


async def arrive(
    line: Line, requests: Sequence[bytes], *, per_second: float, wanted: bytes, seed: int = 1
) -> list[float]:
    """Send requests when they arrive, answered or not (an open loop); the seconds each took.

    Arrivals come by chance, as customers do. Each answer is timed from the moment it was due to be
    asked for, so that a server that stalls is not spared the requests it kept from being sent.
    """
    chance = random.Random(seed)
    took: list[float] = []

    async def one(request: bytes, due: float) -> None:
        _check(await line.ask(request), wanted)
        took.append(time.perf_counter() - due)

    under_way = []
    due = time.perf_counter()
    for request in requests:
        due += chance.expovariate(per_second)
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        under_way.append(asyncio.create_task(one(request, due)))
    await asyncio.gather(*under_way)
    return took


def post(path: str, body: bytes, *, headers: str = "") -> bytes:
    """Write a POST down."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _check(answer: bytes, wanted: bytes) -> None:
    if not answer.startswith(b"HTTP/1.1 " + wanted):
        raise RuntimeError(f"unexpected answer {answer[:600]!r}")
