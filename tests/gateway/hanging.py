"""A receiver that hangs until the test lets it go on."""

from __future__ import annotations

import socket
import threading

from tests.client.raw_server import answer


class Hanging:
    """Answers properly, once it is released."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        self.release.wait(timeout=10)
        answer()(connection)
