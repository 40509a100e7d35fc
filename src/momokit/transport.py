"""The drivers: run an operation over HTTP, blocking or on asyncio.

Only this module and `wire` touch the network. HTTP/1.1, TLS verified always, no redirects, no
cookies; every answer is bounded in size and every call in time. A driver sends replies in, throws
failures in, sleeps when asked to, and knows nothing of MTN.
"""

from __future__ import annotations

import asyncio
import inspect
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

import httpx2

from momokit.operations.exchange import (
    MAX_BODY_BYTES,
    Alone,
    DeadlinePassed,
    Observer,
    Operation,
    Recall,
    Remember,
    Request,
    Response,
    Tell,
    TransportFailure,
    Wait,
    Within,
)
from momokit.operations.token import TokenStore
from momokit.wire import Backend, Wire, ends_at_seconds, failure_of, limits, proxy_of, verify, whole

T = TypeVar("T")


class Transport(Wire):
    """Runs operations, blocking. Safe to share between threads.

    `transport` is any httpx2 transport; `observe` is told of every call; `sleep`, `clock`
    (monotonic seconds) and `chance` are for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        transport: httpx2.BaseTransport | None = None,
        token_store: TokenStore | None = None,
        proxy: str | None = None,
        ca_file: str | None = None,
        max_connections: int = 100,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[float, float], float] = random.uniform,
        observe: Observer | None = None,
    ) -> None:
        super().__init__(base_url, chance=chance, observe=observe)
        if transport is None:
            made = httpx2.HTTPTransport(
                verify=verify(base_url, ca_file),
                limits=limits(max_connections),
                proxy=proxy or proxy_of(base_url),
            )
            made._pool._network_backend = Backend(clock)
            transport = made
        self._transport = transport
        self._store = token_store
        self._sleep = sleep
        self._clock = clock
        self._locks: dict[Any, threading.Lock] = {}
        self._locks_lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def run(self, operation: Operation[T], *, deadline_seconds: float) -> T:
        """Run an operation to its end: its result, or what it raises."""
        ends_at = self._clock() + deadline_seconds
        token = ends_at_seconds.set(ends_at)
        try:
            return self._drive(operation, ends_at)
        finally:
            ends_at_seconds.reset(token)

    def _drive(self, operation: Operation[T], ends_at: float) -> T:
        answer: Any = None
        trouble: Exception | None = None
        try:
            while True:
                try:
                    if trouble is None:
                        effect = operation.send(answer)
                    else:
                        effect, trouble = operation.throw(trouble), None
                except StopIteration as stop:
                    return stop.value  # type: ignore[no-any-return]
                try:
                    answer = self._carry_out(effect, ends_at)
                except Exception as error:
                    trouble = error
        finally:
            operation.close()  # cancelled or interrupted: let it tidy up now, not some day

    def _carry_out(self, effect: Any, ends_at: float) -> Any:
        if type(effect) is Request:
            return self._observed(effect, ends_at)
        if type(effect) is Wait:
            pause = self.wait_seconds(effect)
            if self._clock() + pause >= ends_at:
                raise DeadlinePassed
            return self._sleep(pause)
        if type(effect) is Alone:
            lock = self._lock(effect.key)
            if not lock.acquire(timeout=max(0.0, ends_at - self._clock())):
                raise DeadlinePassed
            try:
                return self._drive(effect.operation(), ends_at)
            finally:
                lock.release()
        if type(effect) is Within:
            inner_ends_at = min(ends_at, self._clock() + effect.seconds)
            token = ends_at_seconds.set(inner_ends_at)
            try:
                return self._drive(effect.operation(), inner_ends_at)
            finally:
                ends_at_seconds.reset(token)
        if type(effect) is Recall:
            return self._store.load(effect.key) if self._store is not None else None
        if type(effect) is Remember:
            if self._store is not None:
                self._store.save(effect.key, effect.token)
            return None
        if type(effect) is Tell:
            effect.listener(effect.news)
            return None
        raise AssertionError(f"unknown effect {effect!r}")

    def _lock(self, key: Any) -> threading.Lock:
        with self._locks_lock:
            return self._locks.setdefault(key, threading.Lock())

    def _observed(self, request: Request, ends_at: float) -> Response:
        began = self._clock()
        try:
            response = self._exchange(request, ends_at)
        except TransportFailure as failure:
            self.tell(request, failure, seconds=self._clock() - began)
            raise
        self.tell(request, response, seconds=self._clock() - began)
        return response

    def _exchange(self, request: Request, ends_at: float) -> Response:
        left = ends_at - self._clock()
        if left <= 0:
            raise DeadlinePassed
        try:
            reply = self._transport.handle_request(self.build(request, left))
            try:
                chunks, size = [], 0
                stream: Iterator[bytes] = iter(reply.stream)  # type: ignore[arg-type]
                for chunk in stream:
                    size += len(chunk)
                    if size > MAX_BODY_BYTES:
                        raise TransportFailure("too_large", sent=True)
                    if self._clock() > ends_at:
                        raise TransportFailure("timeout", sent=True, detail="deadline")
                    chunks.append(chunk)
            finally:
                reply.close()
        except (httpx2.HTTPError, OSError) as error:
            raise failure_of(error) from error
        return whole(reply, chunks)


class AsyncTransport(Wire):
    """Runs operations on asyncio. To be used on one event loop."""

    def __init__(
        self,
        base_url: str,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        token_store: TokenStore | None = None,
        proxy: str | None = None,
        ca_file: str | None = None,
        max_connections: int = 100,
        sleep: Callable[[float], Any] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[float, float], float] = random.uniform,
        observe: Observer | None = None,
    ) -> None:
        super().__init__(base_url, chance=chance, observe=observe)
        self._transport = transport or httpx2.AsyncHTTPTransport(
            verify=verify(base_url, ca_file),
            limits=limits(max_connections),
            proxy=proxy or proxy_of(base_url),
        )
        self._store = token_store
        self._sleep = sleep
        self._clock = clock
        self._locks: dict[Any, asyncio.Lock] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def run(self, operation: Operation[T], *, deadline_seconds: float) -> T:
        """Run an operation to its end: its result, or what it raises."""
        return await self._drive(operation, self._clock() + deadline_seconds)

    async def _drive(self, operation: Operation[T], ends_at: float) -> T:
        answer: Any = None
        trouble: Exception | None = None
        try:
            while True:
                try:
                    if trouble is None:
                        effect = operation.send(answer)
                    else:
                        effect, trouble = operation.throw(trouble), None
                except StopIteration as stop:
                    return stop.value  # type: ignore[no-any-return]
                try:
                    answer = await self._carry_out(effect, ends_at)
                except Exception as error:
                    trouble = error
        finally:
            operation.close()  # cancelled or interrupted: let it tidy up now, not some day

    async def _carry_out(self, effect: Any, ends_at: float) -> Any:
        if type(effect) is Request:
            return await self._observed(effect, ends_at)
        if type(effect) is Wait:
            pause = self.wait_seconds(effect)
            if self._clock() + pause >= ends_at:
                raise DeadlinePassed
            return await self._sleep(pause)
        if type(effect) is Alone:
            lock = self._locks.setdefault(effect.key, asyncio.Lock())
            try:
                # Not wait_for(): on Python 3.11 it can swallow a cancellation.
                async with asyncio.timeout(max(0.0, ends_at - self._clock())):
                    await lock.acquire()
            except TimeoutError:
                raise DeadlinePassed from None
            try:
                return await self._drive(effect.operation(), ends_at)
            finally:
                lock.release()
        if type(effect) is Within:
            return await self._drive(
                effect.operation(), min(ends_at, self._clock() + effect.seconds)
            )
        if type(effect) is Recall and self._store is not None:
            return await _settled(self._store.load(effect.key))
        if type(effect) is Remember and self._store is not None:
            return await _settled(self._store.save(effect.key, effect.token))
        if type(effect) in (Recall, Remember):
            return None
        if type(effect) is Tell:
            return await _settled(effect.listener(effect.news))
        raise AssertionError(f"unknown effect {effect!r}")

    async def _observed(self, request: Request, ends_at: float) -> Response:
        began = self._clock()
        try:
            response = await self._exchange(request, ends_at)
        except TransportFailure as failure:
            self.tell(request, failure, seconds=self._clock() - began)
            raise
        self.tell(request, response, seconds=self._clock() - began)
        return response

    async def _exchange(self, request: Request, ends_at: float) -> Response:
        left = ends_at - self._clock()
        if left <= 0:
            raise DeadlinePassed
        try:
            async with asyncio.timeout(left):
                reply = await self._transport.handle_async_request(self.build(request, left))
                try:
                    chunks, size = [], 0
                    stream: AsyncIterator[bytes] = reply.stream.__aiter__()  # type: ignore[union-attr]
                    async for chunk in stream:
                        size += len(chunk)
                        if size > MAX_BODY_BYTES:
                            raise TransportFailure("too_large", sent=True)
                        chunks.append(chunk)
                finally:
                    await reply.aclose()
        except (httpx2.HTTPError, OSError, TimeoutError) as error:
            raise failure_of(error) from error
        return whole(reply, chunks)


async def _settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
