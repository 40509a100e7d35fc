"""Both ends of the emulator's sockets for its tests: a caller, and a merchant that is called."""

from __future__ import annotations

import http.client
import json
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from momokit.emulator.serve import Server

from .caller import HOST, Caller

PAY = "/collection/v1_0/requesttopay"


class Merchant:
    """A merchant's callback address that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, dict[str, str], bytes]] = []
        self.status = 200
        merchant = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                merchant.got.append((self.command, self.path, dict(self.headers), body))
                self.send_response(merchant.status)
                self.send_header("content-length", "0")
                self.end_headers()

            do_PUT = do_POST

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self.server.server_address[1]}/cb?secret=1"

    def wait(self, count: int) -> None:
        """Wait until so many callbacks have come, at most two seconds."""
        deadline = time.monotonic() + 2
        while len(self.got) < count and time.monotonic() < deadline:
            time.sleep(0.005)


class Wire:
    """Sends requests over a socket with the credentials of a caller."""

    def __init__(self, server: Server) -> None:
        self.caller = Caller(server.emulator)
        self.port = server.port

    def send(
        self, method: str, path: str, *, body: Any = None, **headers: str
    ) -> tuple[int, str, dict[str, str], bytes]:
        """Send one request on a connection of its own and read the whole answer."""
        sent = self.caller.headers("collection")
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        content = None if body is None else json.dumps(body)
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request(method, path, content, sent)
            reply = connection.getresponse()
            return reply.status, reply.reason, dict(reply.getheaders()), reply.read()
        finally:
            connection.close()

    def pay(self, **headers: str) -> tuple[str, tuple[int, str, dict[str, str], bytes]]:
        """Send a request to pay."""
        reference = self.caller.emulator.state.uuid4()
        body = self.caller.body("payer", "256772000000")
        headers = {"X_Reference_Id": reference, **headers}
        try:
            return reference, self.send("POST", PAY, body=body, **headers)
        except (OSError, http.client.HTTPException) as broken:
            return reference, (0, type(broken).__name__, {}, b"")

    def raw(self, content: bytes) -> bytes:
        """Send bytes as they are and read until the connection ends."""
        with socket.create_connection((HOST, self.port), timeout=5) as connection:
            connection.sendall(content)
            received = b""
            while part := connection.recv(65536):
                received += part
            return received
