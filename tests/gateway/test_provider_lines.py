"""The way to MTN over real sockets: what was certainly not sent, and that nothing is sent twice."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from types import MappingProxyType

import httpx2
import pytest

from momokit.gateway.provider_lines import ProviderLines
from momokit.operations.exchange import MAX_BODY_BYTES, TransportFailure
from momokit.settings import Settings
from momokit.wire import failure_of
from tests.client.raw_server import RawServer, answer, head, raw_server, reset

pytestmark = pytest.mark.anyio

METHODS = ["GET", "POST", "PUT", "DELETE"]


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines on asyncio."""
    return "asyncio"


@pytest.fixture
async def lines() -> AsyncIterator[ProviderLines]:
    """Give the connections of a process, and close them."""
    lines = ProviderLines()
    yield lines
    await lines.close()


async def _call(
    transport: httpx2.AsyncBaseTransport | None,
    url: str,
    *,
    method: str = "POST",
    body: bytes = b"{}",
    seconds: float = 5.0,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> tuple[int, bytes] | TransportFailure:
    assert transport is not None
    request = httpx2.Request(
        method,
        f"{url}/collection/v1_0/requesttopay?x=%2F",
        headers={**headers, "Content-Length": str(len(body))},
        stream=httpx2.ByteStream(body),
        extensions={
            "timeout": {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}
        },
    )
    try:
        reply = await transport.handle_async_request(request)
    except httpx2.HTTPError as error:
        return failure_of(error)
    return reply.status_code, b"".join([part async for part in reply.stream])  # type: ignore[union-attr]


def _settings(server_url: str, **given: int) -> Settings:
    return Settings(base_url=server_url, **given)  # type: ignore[arg-type]


async def test_a_call_leaves_as_it_was_given(lines: ProviderLines) -> None:
    """No header is added and no address rewritten; connections are shared and used again."""
    with raw_server(answer(b"ok", "202 Accepted")) as server:
        transports = [lines.transport(_settings(server.url)) for _ in range(2)]
        replies = [
            await _call(transport, server.url, headers={"X-Reference-Id": "r1"})
            for transport in transports
        ]
        connections = server.connections

    first, *fields = server.requests[0].partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert (replies, connections) == ([(202, b"ok")] * 2, 1)
    assert first == "POST /collection/v1_0/requesttopay?x=%2F HTTP/1.1"
    assert sorted(name.partition(":")[0].lower() for name in fields) == [
        "content-length", "host", "x-reference-id",
    ]  # fmt: skip
    assert server.requests[0].endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize("method", METHODS)
async def test_a_kept_connection_that_breaks_sends_nothing_twice(
    lines: ProviderLines, method: str
) -> None:
    """A server that hangs up on the second request has had it once, and it may have counted."""
    with raw_server(answer(b"ok")) as server:
        transport = lines.transport(_settings(server.url))
        await _call(transport, server.url, method=method)
        server.behave = lambda connection: connection.close()
        failure = await _call(transport, server.url, method=method)
        server.behave = reset
        other = await _call(transport, server.url, method=method)
        asked = len(server.requests)

    assert isinstance(failure, TransportFailure)
    assert isinstance(other, TransportFailure)
    assert (failure.sent, failure.kind, other.sent, asked) == (True, "cut", True, 3)


async def test_words_nobody_asked_for_are_no_answer(lines: ProviderLines) -> None:
    """What a server adds to an answer is not taken for the answer to the next payment."""
    with raw_server(answer(b"ok")) as server:
        transport = lines.transport(_settings(server.url))
        later: list[socket.socket] = []

        def keep(connection: socket.socket) -> None:
            later.append(connection)
            answer(b"first")(connection)

        server.behave = keep
        first = await _call(transport, server.url)
        later[0].sendall(head("200 OK", 5) + b"false")
        await asyncio.sleep(0.05)
        failure = await _call(transport, server.url)
        asked = len(server.requests)
        third = await _call(transport, server.url)

    assert (first, third) == ((200, b"first"), (200, b"first"))
    assert isinstance(failure, TransportFailure)
    assert (failure.sent, failure.kind, asked) == (False, "connect", 1)


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (reset, "reset"),
        (lambda connection: connection.close(), "cut"),
        (lambda connection: (connection.sendall(head("202 Acc", 9)), connection.close()), "cut"),
        (lambda connection: connection.sendall(b"SSH-2.0\r\n\r\n"), "cut"),
    ],
    ids=["reset", "closed", "cut body", "not http"],
)  # fmt: skip
async def test_what_breaks_after_the_request_may_have_been_sent(
    lines: ProviderLines, behave: Callable[[socket.socket], None], kind: str
) -> None:
    """Unknown is never told as not sent."""
    with raw_server(behave) as server:
        failure = await _call(lines.transport(_settings(server.url)), server.url)

    assert isinstance(failure, TransportFailure)
    assert (failure.sent, failure.kind, len(server.requests)) == (True, kind, 1)


async def test_nobody_listening_has_been_sent_nothing(lines: ProviderLines) -> None:
    """A refused connection is told as such."""
    with raw_server(answer()) as server:
        url = server.url
    failure = await _call(lines.transport(_settings(url)), url)

    assert isinstance(failure, TransportFailure)
    assert (failure.sent, failure.kind) == (False, "connect")


async def test_a_server_that_never_accepts_has_been_sent_nothing(lines: ProviderLines) -> None:
    """A connection that takes too long is told before the deadline, as not sent."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with socket.create_connection(listener.getsockname()):
            failure = await _call(lines.transport(_settings(url)), url, seconds=0.1)

    assert isinstance(failure, TransportFailure)
    assert (failure.sent, failure.kind) == (False, "connect")


async def test_no_room_is_told_as_not_sent(lines: ProviderLines) -> None:
    """An account has no more calls under way than it may have."""
    held = threading.Event()

    def hold(connection: socket.socket) -> None:
        held.wait(5)
        answer(b"ok")(connection)

    with raw_server(hold) as server:
        transport = lines.transport(_settings(server.url, max_connections=1))
        first = asyncio.create_task(_call(transport, server.url))
        await _until_asked(server)
        second = await _call(transport, server.url, seconds=0.02)
        held.set()
        answered = await first

    assert isinstance(second, TransportFailure)
    assert (second.sent, answered, len(server.requests)) == (False, (200, b"ok"), 1)


async def test_a_header_that_would_be_read_as_two_is_not_sent(lines: ProviderLines) -> None:
    """Nothing is smuggled into a request."""
    with raw_server(answer()) as server:
        failure = await _call(
            lines.transport(_settings(server.url)), server.url, headers={"x": "a\r\nX-Evil: 1"}
        )

    assert isinstance(failure, TransportFailure)
    assert (failure.sent, server.requests) == (False, [])


async def test_an_endless_answer_is_cut_off(lines: ProviderLines) -> None:
    """It is read a little past what the client takes, and the connection is not used again."""
    with raw_server(answer(b"x" * (MAX_BODY_BYTES * 8))) as server:
        transport = lines.transport(_settings(server.url))
        replies = [await _call(transport, server.url) for _ in range(2)]
        connections = server.connections

    sizes = [len(reply[1]) for reply in replies if isinstance(reply, tuple)]
    assert [MAX_BODY_BYTES < size < MAX_BODY_BYTES * 4 for size in sizes] == [True, True]
    assert connections == 2


async def _until_asked(server: RawServer) -> None:
    while not server.requests:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.001)
