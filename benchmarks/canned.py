"""A server that answers MTN's paths from memory, so that a client's cost is all that is measured.

It keeps nothing and checks nothing: a POST is answered 202, a token or a balance from a constant.
Run in a process of its own: `python -m benchmarks.canned`; it prints its port.
"""

from __future__ import annotations

import asyncio

TOKEN = b'{"access_token":"' + b"t" * 1200 + b'","token_type":"access_token","expires_in":3600}'
BALANCE = b'{"availableBalance":"1000000","currency":"UGX"}'


def _reply(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


_ACCEPTED = _reply(b"202 Accepted", b"")
_TOKEN = _reply(b"200 OK", TOKEN)
_BALANCE = _reply(b"200 OK", BALANCE)


class Canned(asyncio.Protocol):
    """One connection: takes requests off the stream and writes the constant that fits."""

    def __init__(self) -> None:
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that has arrived whole."""
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            head = self._rest[:end]
            whole = end + 4 + _content_length(head)
            if len(self._rest) < whole:
                return
            self._rest = self._rest[whole:]
            assert self._transport is not None
            self._transport.write(_answer_to(head))


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


def _answer_to(head: bytes) -> bytes:
    if head.startswith(b"GET"):
        return _BALANCE
    return _TOKEN if b"/token/" in head.split(b"\r\n", 1)[0] else _ACCEPTED


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Canned, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
