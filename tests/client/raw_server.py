"""A server of bare sockets on this machine, to misbehave in ways that no HTTP library allows."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

Behaviour: TypeAlias = Callable[[socket.socket], None]
TOKEN = {"access_token": "token-1", "token_type": "access_token", "expires_in": 3600}


@dataclass
class RawServer:
    """Reads whole requests, answers token calls, and leaves the rest to its behaviour."""

    behave: Behaviour
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.closing = False

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def serve(self) -> None:
        """Accept until closed."""
        while not self.closing:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                while request := read_request(connection):
                    if b"/token/ HTTP" in request.split(b"\r\n")[0]:
                        answer(json.dumps(TOKEN).encode())(connection)
                    else:
                        self.requests.append(request)
                        self.behave(connection)


@contextlib.contextmanager
def raw_server(behave: Behaviour, *, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Run a server for as long as the block lasts."""
    server = RawServer(behave, tls)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing = True
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        thread.join(timeout=2)
        server.listener.close()


def read_request(connection: socket.socket) -> bytes:
    """Read one request with its body; empty when the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        body += chunk
    return head + b"\r\n\r\n" + body


def head(status: str, length: int, *lines: str) -> bytes:
    """Write the head of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {length}", *lines, "", ""]).encode()


def answer(body: bytes = b"", status: str = "200 OK", *lines: str) -> Behaviour:
    """Answer properly."""
    return lambda connection: connection.sendall(head(status, len(body), *lines) + body)


class Drip:
    """Sends `first`, then `data` byte by byte, so that no single read ever waits long."""

    def __init__(self, data: bytes, *, first: bytes = b"", pause_seconds: float = 0.02) -> None:
        self.data, self.first, self.pause_seconds = data, first, pause_seconds
        self.was_heard_for_long = False

    def __call__(self, connection: socket.socket) -> None:
        connection.sendall(self.first)
        for number in range(len(self.data)):
            self.was_heard_for_long |= number > len(self.data) // 2
            connection.sendall(self.data[number : number + 1])
            time.sleep(self.pause_seconds)


def reset(connection: socket.socket) -> None:
    """Break the connection off hard."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
