"""The emulator on a real socket: in the foreground for a person, in a thread for a test."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import socket
import threading
from collections.abc import Iterator
from typing import NamedTuple

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .app import TRANSPORT, App, ASGIApp, create_app
from .engine import Emulator

_START_SECONDS = 10.0
_STOP_SECONDS = 10.0


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which also gives the application the connection to end badly."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[TRANSPORT] = self.transport  # type: ignore[literal-required]


class _Uvicorn(uvicorn.Server):
    """uvicorn's server, which first lets go of the requests that wait on purpose."""

    def __init__(self, app: App) -> None:
        super().__init__(_config(app))
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.let_go()
        await super().shutdown(sockets)


class Server(NamedTuple):
    """A running emulator and where it is."""

    emulator: Emulator
    base_url: str
    port: int


def serve(
    emulator: Emulator, *, host: str = "127.0.0.1", port: int = 8701, pages: bool = True
) -> None:
    """Serve an emulator until the process is told to stop."""
    app = create_app(emulator, pages=find_pages(emulator) if pages else None)
    with _listen(host, port) as listening:
        _Uvicorn(app).run(sockets=[listening])


@contextlib.contextmanager
def running(
    emulator: Emulator | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    pages: bool = False,
) -> Iterator[Server]:
    """Serve an emulator in a thread for as long as the `with` block lasts.

    Raises RuntimeError when it does not come up.
    """
    emulator = emulator or Emulator()
    app = create_app(emulator, pages=find_pages(emulator) if pages else None)
    with _listen(host, port) as listening:
        bound: int = listening.getsockname()[1]
        server = _Uvicorn(app)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name="momo-emulator", daemon=True
        )
        thread.start()
        try:
            _wait_until_started(server, thread=thread)
            yield Server(emulator, f"http://{host}:{bound}", bound)
        finally:
            server.should_exit = True
            thread.join(_STOP_SECONDS)


def find_pages(emulator: Emulator) -> ASGIApp | None:
    """Make the front page and the phone page, where they are installed."""
    name = f"{__package__}.pages"
    if importlib.util.find_spec(name) is None:
        return None
    made: ASGIApp = importlib.import_module(name).create_pages(emulator)
    return made


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


def _wait_until_started(server: uvicorn.Server, *, thread: threading.Thread) -> None:
    pause = threading.Event()
    waited_seconds = 0.0
    while not server.started:
        if not thread.is_alive() or waited_seconds > _START_SECONDS:
            raise RuntimeError("the emulator did not start")
        pause.wait(0.005)
        waited_seconds += 0.005
