"""Requests as fast as a server takes them, with next to no cost of their own.

An HTTP client costs more per call than the emulator does, so the load is prepared bytes on plain
connections, and an answer is read only as far as its status and its length.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence


class _Line(asyncio.Protocol):
    """One connection: sends the next request when the last one is answered."""

    def __init__(self, requests: Iterator[bytes], *, wanted: bytes) -> None:
        self._requests = requests
        self._wanted = b"HTTP/1.1 " + wanted
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        end = self._rest.find(b"\r\n\r\n")
        if end < 0:
            return
        _, _, length = self._rest[:end].lower().partition(b"\r\ncontent-length:")
        if len(self._rest) < end + 4 + int(length.split(b"\r\n", 1)[0]):
            return
        if not self._rest.startswith(self._wanted):
            self._fail(f"unexpected answer {self._rest[:200]!r}")
            return
        self._rest = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection was lost: {exc}")

    def _next(self) -> None:
        request = next(self._requests, None)
        assert self._transport is not None
        if request is not None:
            self._transport.write(request)
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))


def send_all(port: int, requests: Sequence[bytes], *, wanted: bytes, connections: int) -> float:
    """Send prepared requests over a number of connections; the seconds until all were answered.

    Raises RuntimeError when an answer has another status than `wanted`.
    """

    async def run() -> float:
        loop = asyncio.get_running_loop()
        waiting = iter(requests)
        start = time.perf_counter()
        lines = [
            (
                await loop.create_connection(
                    lambda: _Line(waiting, wanted=wanted), "127.0.0.1", port
                )
            )[1]
            for _ in range(connections)
        ]
        await asyncio.gather(*(line.done for line in lines))
        return time.perf_counter() - start

    return asyncio.run(run())
