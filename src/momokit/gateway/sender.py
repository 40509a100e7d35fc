"""Webhooks over the network: one POST, bounded in every way, to a server nobody here has chosen.

Guarded against addresses inside (see `destination`); no redirects; no cookies, no proxy of the
environment; an answer is its status and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import lru_cache, partial

import httpcore2
import httpx2

from momokit._version import __version__
from momokit.errors import InvalidInput
from momokit.gateway.core.deliveries import read_retry_after
from momokit.gateway.core.destinations import PUBLIC, Allowance, Destination, read_destination
from momokit.gateway.destination import (
    ForbiddenDestination,
    GuardedNetwork,
    Resolver,
    SystemResolver,
    UnknownHost,
)

USER_AGENT = f"momokit-webhooks/{__version__}"
DEADLINE_SECONDS = 15.0
PLACE_SECONDS = 15.0
ANSWER_LIMIT_BYTES = 1024
PER_HOST = 8
_DRAIN_SECONDS = 2.0
_GONE = 410


@dataclass(frozen=True, kw_only=True, slots=True)
class SendResult:
    """What became of one send. `gone`: the receiver wants no more of them, ever."""

    status: int | None = None
    error: str | None = None
    retry_after_seconds: float | None = None
    gone: bool = False

    @property
    def delivered(self) -> bool:
        """Tell whether the receiver said that it has it."""
        return self.error is None and self.status is not None and 200 <= self.status < 300


class Sender:
    """Sends webhooks. Close it when done.

    A send has `deadline_seconds` for everything, once it has one of the `per_host` places; a place
    is waited for `place_seconds` at most. `tls`, `resolver` and `clock` are for tests, and `tls`
    for operators with an authority of their own.
    """

    def __init__(
        self,
        *,
        allowance: Allowance = PUBLIC,
        deadline_seconds: float = DEADLINE_SECONDS,
        place_seconds: float = PLACE_SECONDS,
        per_host: int = PER_HOST,
        tls: ssl.SSLContext | None = None,
        resolver: Resolver | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # What is sent goes to the same few addresses; each is read once.
        self._read = lru_cache(maxsize=256)(partial(read_destination, allowance=allowance))
        self._deadline_seconds = deadline_seconds
        self._clock = clock
        self._places = _Places(per_host=per_host, wait_seconds=place_seconds)
        self._resolver = resolver or SystemResolver()
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls if tls is not None else httpx2.create_ssl_context(),
            max_connections=None,  # The places bound them, and what the worker takes on.
            max_keepalive_connections=64,
            keepalive_expiry=30.0,
            http1=True,
            http2=False,
            network_backend=GuardedNetwork(resolver=self._resolver, allowance=allowance),
        )

    async def close(self) -> None:
        """Let go of every connection and thread."""
        await self._pool.aclose()
        if isinstance(self._resolver, SystemResolver):
            self._resolver.close()

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> SendResult:
        """Post a body once and say what became of it; nothing but cancellation is raised."""
        try:
            destination = self._read(url)
            async with self._places.take(destination.authority):
                return await self._exchange(destination, body, headers)
        except Exception as failure:  # Whatever a stranger's server causes is a result.
            return SendResult(error=self._words_for(failure))

    async def _exchange(
        self, destination: Destination, body: bytes, headers: Mapping[str, str]
    ) -> SendResult:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._deadline_seconds
        async with asyncio.timeout_at(ends_at):
            response = await self._pool.handle_async_request(_request(destination, body, headers))
        try:
            # The status is known, so nothing that happens from here on can change the result.
            with suppress(Exception):
                async with asyncio.timeout_at(min(ends_at, loop.time() + _DRAIN_SECONDS)):
                    await _drain(response)
        finally:
            with suppress(Exception):
                await response.aclose()
        return self._result_of(response)

    def _result_of(self, response: httpcore2.Response) -> SendResult:
        status = response.status
        if 200 <= status < 300:
            return SendResult(status=status)
        wish = next((v for name, v in response.headers if name.lower() == b"retry-after"), b"")
        redirect = " (redirects are not followed)" if 300 <= status < 400 else ""
        return SendResult(
            status=status,
            error=f"HTTP {status}{redirect}",
            retry_after_seconds=read_retry_after(wish.decode("latin-1"), now=self._clock()),
            gone=status == _GONE,
        )

    def _words_for(self, failure: Exception) -> str:
        match failure:
            case InvalidInput():
                return failure.message
            case ForbiddenDestination() | UnknownHost() | _Crowded():
                return str(failure)
            case TimeoutError() | httpcore2.TimeoutException():
                return f"no answer within {self._deadline_seconds:g} s"
            case httpcore2.ConnectError():
                return _words_for_no_connection(failure)
            case httpcore2.NetworkError() | httpcore2.RemoteProtocolError():
                return "the connection broke, or what came is not HTTP"
        return f"not sent ({type(failure).__name__})"


def _words_for_no_connection(failure: BaseException) -> str:
    """Look for what TLS said: the libraries in between have wrapped it, once or twice."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its certificate is not trusted, or not valid for its name"
        if isinstance(cause, ssl.SSLError):
            return "no TLS connection"
        cause = cause.__cause__ or cause.__context__
    return "no connection"


def _request(
    destination: Destination, body: bytes, headers: Mapping[str, str]
) -> httpcore2.Request:
    fields = {
        "Host": destination.authority,
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **headers,
    }
    return httpcore2.Request(
        "POST",
        httpcore2.URL(
            scheme=destination.scheme,
            host=destination.host,
            port=destination.port,
            target=destination.target,
        ),
        headers=[(name.encode("ascii"), value.encode("ascii")) for name, value in fields.items()],
        content=body,
    )


async def _drain(response: httpcore2.Response) -> None:
    """Read a short answer, so that its connection can be used again; drop a long one."""
    seen = 0
    async with aclosing(response.aiter_stream()) as chunks:
        async for chunk in chunks:
            seen += len(chunk)
            if seen > ANSWER_LIMIT_BYTES:
                return


class _Crowded(Exception):
    def __init__(self) -> None:
        super().__init__("too many sends to this host are under way")


class _Places:
    """So many sends to one host at a time; a host with none under way takes no memory."""

    def __init__(self, *, per_host: int, wait_seconds: float) -> None:
        self._per_host = per_host
        self._wait_seconds = wait_seconds
        self._hosts: dict[str, tuple[asyncio.Semaphore, set[object]]] = {}

    @contextlib.asynccontextmanager
    async def take(self, host: str) -> AsyncIterator[None]:
        free, users = self._hosts.setdefault(host, (asyncio.Semaphore(self._per_host), set()))
        user = object()
        users.add(user)
        try:
            await self._acquire(free)
            try:
                yield
            finally:
                free.release()
        finally:
            users.discard(user)
            if not users:
                self._hosts.pop(host, None)

    async def _acquire(self, free: asyncio.Semaphore) -> None:
        if not free.locked():
            await free.acquire()
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await free.acquire()
        except TimeoutError:
            raise _Crowded from None
