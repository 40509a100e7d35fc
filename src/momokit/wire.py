"""What both drivers share of the network: building requests, reading failures, deadlines."""

from __future__ import annotations

import contextvars
import logging
import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from momokit._version import __version__
from momokit.errors import ConfigurationError
from momokit.operations.exchange import (
    Exchanged,
    Observer,
    Request,
    Response,
    TransportFailure,
    Wait,
    error_code,
)

log = logging.getLogger("momokit")

USER_AGENT = f"momokit/{__version__}"
_CONNECT_SECONDS = 10.0

# When the current call must end, on the monotonic clock; read by the network stream below.
ends_at_seconds: contextvars.ContextVar[float] = contextvars.ContextVar("momokit_ends_at")

_NOT_SENT: tuple[type[Exception], ...] = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


class Wire:
    """What both drivers share: the host, the headers of every request, and the reading of
    failures."""

    def __init__(
        self,
        base_url: str,
        *,
        chance: Callable[[float, float], float],
        observe: Observer | None = None,
    ) -> None:
        self._observe = observe
        self.url = httpx2.URL(base_url)
        self._prefix = self.url.raw_path.rstrip(b"/")
        self._chance = chance
        # Reading a URL is a tenth of a call's cost, and what pays goes to the same few.
        self._url_of = lru_cache(maxsize=64)(self._make_url)
        self._common = [
            (b"Host", self.url.netloc),
            (b"Accept", b"application/json"),
            (b"User-Agent", USER_AGENT.encode()),
        ]

    def build(self, request: Request, left_seconds: float) -> httpx2.Request:
        """Give an httpx2 request that is complete, with what is left of the time."""
        headers = list(self._common)
        for name, value in request.headers.items():
            headers.append((name.encode("ascii"), value.encode("latin-1", "replace")))
        if request.body or request.method != "GET":
            # MTN's gateway answers 411 with a page when a bodyless POST does not say so.
            headers.append((b"Content-Length", b"%d" % len(request.body)))
        # A little less than the whole, so that "not sent" is told before the deadline says
        # "unknown".
        connect = min(_CONNECT_SECONDS, left_seconds * 0.9)
        timeout = {
            "connect": connect,
            "read": left_seconds,
            "write": left_seconds,
            "pool": left_seconds * 0.9,
        }
        return httpx2.Request(
            request.method,
            self._url_of(request.path),
            headers=headers,
            stream=httpx2.ByteStream(request.body),
            extensions={"timeout": timeout},
        )

    def tell(
        self, request: Request, answer: Response | TransportFailure, *, seconds: float
    ) -> None:
        """Tell the observer, if there is one, how a call went. What it raises is only logged."""
        if self._observe is None:
            return
        if isinstance(answer, Response):
            code = error_code(answer) if answer.status >= 400 else None
            told = Exchanged(request.operation, answer.status, code, None, seconds)
        else:
            told = Exchanged(request.operation, None, None, answer.kind, seconds)
        try:
            self._observe(told)
        except Exception as error:
            log.warning("the observer of calls failed (%s)", type(error).__name__)

    def _make_url(self, path: str) -> httpx2.URL:
        return self.url.copy_with(raw_path=self._prefix + path.encode("ascii"))

    def wait_seconds(self, wait: Wait) -> float:
        """Draw the length of a wait between its bounds."""
        if wait.high_seconds <= wait.low_seconds:
            return wait.low_seconds
        return self._chance(wait.low_seconds, wait.high_seconds)


def failure_of(error: Exception) -> TransportFailure:
    """Say what a failure of the network means: above all, whether anything was sent."""
    detail = type(error).__name__
    if isinstance(error, _NOT_SENT):
        return TransportFailure("connect", sent=False, detail=detail)
    if isinstance(error, (httpx2.TimeoutException, TimeoutError)):
        return TransportFailure("timeout", sent=True, detail=detail)
    if isinstance(error, httpx2.RemoteProtocolError):
        return TransportFailure("cut", sent=True, detail=detail)
    return TransportFailure("reset", sent=True, detail=detail)


def whole(reply: httpx2.Response, chunks: list[bytes]) -> Response:
    """Put an answer together; one that is encoded, which was not asked for, is a failure."""
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in reply.headers.raw
    }
    encoding = headers.get("content-encoding", "identity")
    if encoding not in ("identity", ""):  # we ask for none, so this is not MTN's plain answer
        raise TransportFailure("encoded", sent=True, detail=encoding[:40])
    return Response(reply.status_code, headers, body)


def limits(max_connections: int) -> httpx2.Limits:
    """Bound the connections kept to one host."""
    return httpx2.Limits(
        max_connections=max_connections,
        max_keepalive_connections=max_connections,
        keepalive_expiry=30.0,
    )


def verify(base_url: str, ca_file: str | None) -> ssl.SSLContext | bool:
    """TLS is always verified; there is no switch. An own authority is trusted by file only."""
    if base_url.startswith("http:"):
        # Not used, and empty: it trusts nobody. Loading the usual authorities costs 20 ms and more.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(
            f"The certificate file {ca_file} cannot be read: {type(error).__name__}.",
            field="ca_file",
        ) from None


def proxy_of(base_url: str) -> str | None:
    """Find the proxy that the environment names for this host (HTTPS_PROXY, NO_PROXY)."""
    url = httpx2.URL(base_url)
    if url.scheme == "http":
        return None  # only this machine is spoken to without TLS: no key leaves it in the clear
    proxies: Mapping[str, str] = getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    if not found or proxy_bypass(url.netloc.decode("ascii")):
        return None
    return found if "://" in found else f"http://{found}"


class Backend(httpcore2.SyncBackend):
    """Network streams that obey the call's deadline at every read, so that a drip cannot outlive
    it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock

    def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore2.NetworkStream:
        """Connect as usual, and give a stream that knows the deadline."""
        return _Stream(super().connect_tcp(*args, **kwargs), self._clock)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        left = ends_at_seconds.get() - self._clock()
        if left <= 0:
            raise httpcore2.ReadTimeout("deadline")
        return self._stream.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        # What connecting has used up is gone; and "not sent" is still told before "unknown".
        left = max(0.001, (ends_at_seconds.get() - self._clock()) * 0.9)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
