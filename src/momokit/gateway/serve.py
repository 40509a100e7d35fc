"""Ports and signals: where the gateway listens, and how it is told to end."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from prometheus_client import start_http_server

from momokit.errors import ConfigurationError
from momokit.gateway.metrics import Metrics
from momokit.gateway.settings import GatewaySettings

BACKLOG = 2048


class Server(uvicorn.Server):
    """Serves the API; signals are the gateway's own business, since more than this must end."""

    def __init__(self, app: Any, *, grace_seconds: float) -> None:
        config = uvicorn.Config(
            app,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=int(grace_seconds),
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Take a port before anything else begins, so that a taken one is told in a sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host.strip("[]"), port))
        taken.listen(BACKLOG)
    except OSError as error:
        taken.close()
        raise _cannot_listen(error, host, port, field="port") from None
    return taken


def address_of(listening: socket.socket) -> str:
    """Give the address under which this machine reaches a socket."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - shown, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def metrics_served(metrics: Metrics, settings: GatewaySettings) -> Iterator[None]:
    """Serve the metrics on a port of their own, apart from what the world can reach."""
    host, port = settings.metrics_host, settings.metrics_port
    if port == 0:
        yield
        return
    try:
        server, thread = start_http_server(port, host, registry=metrics.registry)
    except OSError as error:
        raise _cannot_listen(error, host, port, field="metrics_port") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on SIGTERM and SIGINT while a `with` block lasts."""
    loop = asyncio.get_running_loop()
    taken = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # Outside the main thread, as in tests, there are no signals to take.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop)
            taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)


def _cannot_listen(error: OSError, host: str, port: int, *, field: str) -> ConfigurationError:
    why = "it is taken" if error.errno == errno.EADDRINUSE else error.strerror
    name = f"MOMO_GATEWAY_{field.upper()}"
    return ConfigurationError(
        f"Cannot listen on {host}, port {port}: {why}.", field=field, hint=f"Set {name}."
    )
