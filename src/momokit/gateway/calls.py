"""HTTP/1.1 calls, one at a time over connections that are kept: what MTN and merchants need, and
no more.

A worker makes three calls for each payment, and a general HTTP library costs it more than
everything else it does. Here a request is written in one piece, the answer is read by the parser
that the server uses too (in C, and strict), and there are no redirects, cookies or encodings.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any

import httptools

from momokit.gateway.stream import Stream

HEAD_LIMIT_BYTES = 65_536
KEPT = 64
KEPT_SECONDS = 30.0
_READ_BYTES = 65_536


class Broken(Exception):
    """The connection ended, or what came is not HTTP; the request may have arrived."""


class TooLong(Exception):
    """The answer is longer than what it was given room for."""


class Line:
    """One connection. A call is `ask`, which gives the status, and then `rest`."""

    __slots__ = ("_done", "_framed", "_head", "_parser", "_size", "_spoiled", "_stream", "body",
                 "headers", "kept_since", "status")  # fmt: skip

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.kept_since = 0.0
        self._begin()

    @property
    def can_be_kept(self) -> bool:
        """Tell whether another call may follow: the last answer is whole and nothing came after."""
        return self._done and not self._spoiled and self.is_quiet

    @property
    def is_quiet(self) -> bool:
        """Tell whether the other side has neither hung up nor spoken unasked."""
        return not self._stream.get_extra_info("is_readable")

    async def ask(self, request: bytes) -> int:
        """Send a request and wait for the status of its answer. Raises Broken, and the stream's."""
        self._begin()
        await self._stream.write(request)
        seen = 0
        while not self._head:
            seen += await self._read()
            if seen > HEAD_LIMIT_BYTES and not self._head:
                raise Broken("its head has no end")
        return self.status

    async def rest(self, *, limit_bytes: int) -> bytes:
        """Read what follows the head. Raises Broken when it was cut, and TooLong."""
        while not self._done and self._size <= limit_bytes:
            await self._read()
        if self._size > limit_bytes:
            raise TooLong
        return self.body[0] if len(self.body) == 1 else b"".join(self.body)

    async def close(self) -> None:
        """Hang up."""
        await self._stream.aclose()

    async def _read(self) -> int:
        data = await self._stream.read(_READ_BYTES)
        if not data:
            self._spoiled = True
            # Without a length the end of the connection is the end of the answer.
            if not self._head or self._framed:
                raise Broken("it hung up")
            self._done = True
            return 0
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._spoiled = True
            if not self._done:
                raise Broken("that is not HTTP") from error
        return len(data)

    def _begin(self) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self._size = 0
        self._head = self._done = self._spoiled = self._framed = False

    # What follows is called by the parser.

    def on_message_begin(self) -> None:
        """Note an answer that nobody asked for."""
        self._spoiled = self._spoiled or self._done

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        name = name.lower()
        if name in (b"content-length", b"transfer-encoding"):
            self._framed = True
        if not self._done:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the status, unless it only says that the answer is still to come."""
        status = self._parser.get_status_code()
        if self._done:
            return
        if status < 200:
            self.headers.clear()
            self._framed = False
            return
        self.status = status
        self._head = True

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body."""
        if not self._done:
            self.body.append(data)
            self._size += len(data)

    def on_message_complete(self) -> None:
        """Note that the answer is whole."""
        if self._head:
            self._spoiled = self._spoiled or not self._parser.should_keep_alive()
            self._done = True


class Lines:
    """Connections that are kept for the next call to the same place."""

    def __init__(
        self,
        *,
        kept: int = KEPT,
        kept_seconds: float = KEPT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kept = kept
        self._kept_seconds = kept_seconds
        self._clock = clock
        self._free: dict[Hashable, deque[Line]] = {}
        self._count = 0

    async def take(self, place: Hashable, connect: Callable[[], Awaitable[Stream]]) -> Line:
        """Take a connection to a place; `connect` makes one where none is free."""
        free = self._free.get(place)
        while free:
            line = self._drop(place, free, free[-1])
            if line.is_quiet and self._clock() - line.kept_since < self._kept_seconds:
                return line
            await line.close()
        return Line(await connect())

    async def give_back(self, place: Hashable, line: Line) -> None:
        """Keep a connection for the next call, or close it when it is good for none."""
        if not line.can_be_kept:
            await line.close()
            return
        line.kept_since = self._clock()
        self._free.setdefault(place, deque()).append(line)
        self._count += 1
        if self._count > self._kept:
            await self._close_oldest()

    async def close(self) -> None:
        """Hang up on everybody."""
        while self._count:
            await self._close_oldest()

    async def _close_oldest(self) -> None:
        place, free = min(self._free.items(), key=lambda item: item[1][0].kept_since)
        await self._drop(place, free, free[0]).close()

    def _drop(self, place: Hashable, free: deque[Line], line: Line) -> Line:
        free.remove(line)
        self._count -= 1
        if not free:
            self._free.pop(place, None)
        return line


def write_request(
    method: str, target: str, headers: Iterable[tuple[str, str]], *, body: bytes
) -> bytes:
    """Write a request down. Raises ValueError for what would be read as something else."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    text = "\r\n".join(lines)
    breaks = len(lines) - 1
    if text.count("\r") != breaks or text.count("\n") != breaks or "\0" in text:
        raise ValueError("A header has a line break in it.")
    return b"%b\r\n\r\n%b" % (text.encode("latin-1"), body)
