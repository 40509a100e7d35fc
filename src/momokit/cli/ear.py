"""A small local address that hears callbacks, for the commands that show one arriving."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from momokit.callbacks import MAX_BODY_BYTES, CallbackHint, read_callback

HOST = "127.0.0.1"


class Ear(NamedTuple):
    """Where callbacks are heard, and what was heard."""

    url: str
    heard: queue.Queue[CallbackHint]

    def next(self, *, within_seconds: float) -> CallbackHint | None:
        """Give the next callback, or None when none came in time."""
        try:
            return self.heard.get(timeout=within_seconds)
        except queue.Empty:
            return None


@contextmanager
def listening() -> Iterator[Ear]:
    """Hear callbacks on a free local port for as long as the `with` block lasts."""
    heard: queue.Queue[CallbackHint] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), MAX_BODY_BYTES)
            body = self.rfile.read(length)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            heard.put(read_callback(body, headers=dict(self.headers), path=self.path))

        do_PUT = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent: this runs beside a timeline on the same screen."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Ear(f"http://{HOST}:{server.server_address[1]}/callbacks/{{reference_id}}", heard)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
