"""Webhooks over real sockets: what arrives, and what a strange server can do to the sender."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ssl
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from momokit.gateway.core.destinations import DEVELOPMENT, Allowance
from momokit.gateway.sender import USER_AGENT, Sender, SendResult
from tests.client.raw_server import Drip, RawServer, answer, head, raw_server, reset
from tests.gateway.certificates import Authority
from tests.gateway.hanging import Hanging

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000.0  # Friday, 15 January 2027, 08:00:00 UTC
UNTRUSTED = "its certificate is not trusted, or not valid for its name"
BODY = b'{"type":"payment.successful"}'
HERE = Allowance(any_port=True, plain_http=True, networks=(ip_network("127.0.0.1/32"),))


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines on asyncio."""
    return "asyncio"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    """Give a sender that may reach this machine."""
    sender = Sender(allowance=DEVELOPMENT, clock=lambda: NOW)
    yield sender
    await sender.close()


class Names:
    """A name service whose answers the test gives, in order; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(self, host: str, /) -> Sequence[str]:
        """Give the next answer."""
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def _send(sender: Sender, url: str, **headers: str) -> SendResult:
    return await sender.send(url, BODY, headers)


def _lines(request: bytes) -> list[str]:
    return request.partition(b"\r\n\r\n")[0].decode().split("\r\n")


async def test_a_webhook_arrives_as_it_was_given(sender: Sender) -> None:
    """The body is sent byte for byte, with the headers that a receiver needs."""
    with raw_server(answer()) as server:
        result = await _send(sender, f"{server.url}/hooks?shop=7", **{"webhook-id": "evt_1"})
    [request] = server.requests
    first, *fields = _lines(request)

    assert result == SendResult(status=200)
    assert result.delivered
    assert first == "POST /hooks?shop=7 HTTP/1.1"
    assert dict(field.split(": ", 1) for field in fields) == {
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Content-Length": str(len(BODY)),
        "webhook-id": "evt_1",
    }
    assert request.endswith(b"\r\n\r\n" + BODY)


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content"])
async def test_only_two_hundreds_are_deliveries(sender: Sender, status: str) -> None:
    """Every 2xx is a yes."""
    with raw_server(answer(b"", status)) as server:
        assert (await _send(sender, server.url)).delivered


@pytest.mark.parametrize(
    ("status", "line", "expected"),
    [
        ("400 Bad Request", "X: 1", SendResult(status=400, error="HTTP 400")),
        ("404 Not Found", "X: 1", SendResult(status=404, error="HTTP 404")),
        ("410 Gone", "X: 1", SendResult(status=410, error="HTTP 410", gone=True)),
        (
            "429 Too Many Requests", "Retry-After: 90",
            SendResult(status=429, error="HTTP 429", retry_after_seconds=90.0),
        ),
        (
            "503 Service Unavailable", "Retry-After: Fri, 15 Jan 2027 08:02:00 GMT",
            SendResult(status=503, error="HTTP 503", retry_after_seconds=120.0),
        ),
        ("500 Oops", "Retry-After: soon", SendResult(status=500, error="HTTP 500")),
    ],
)  # fmt: skip
async def test_a_refusal_is_told_with_the_receivers_wish(
    sender: Sender, status: str, line: str, expected: SendResult
) -> None:
    """The status is kept, and when the receiver wants the next try; its words are not."""
    with raw_server(answer(b"secret words", status, line)) as server:
        assert await _send(sender, server.url) == expected


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Again", "308 Permanent"])
async def test_a_redirect_is_not_followed(sender: Sender, status: str) -> None:
    """A receiver cannot send us elsewhere; where it points to hears nothing."""
    with raw_server(answer()) as other, raw_server(reset) as server:
        server.behave = answer(b"", status, f"Location: {other.url}/inside")
        result = await _send(sender, server.url)

    assert (result.delivered, other.requests) == (False, [])
    assert result.error == f"HTTP {status[:3]} (redirects are not followed)"


async def test_a_connection_is_used_again(sender: Sender) -> None:
    """Many webhooks to one receiver need one connection."""
    with raw_server(answer(b"ok")) as server:
        results = [await _send(sender, server.url) for _ in range(5)]
        connections = server.connections

    assert ([result.status for result in results], connections) == ([200] * 5, 1)


async def test_a_long_answer_is_not_read(sender: Sender) -> None:
    """Past one kilobyte the connection is dropped; the status counts all the same."""
    with raw_server(answer(b"x" * 5_000_000)) as server:
        results = [await _send(sender, server.url) for _ in range(2)]
        connections = server.connections

    assert ([result.status for result in results], connections) == ([200, 200], 2)


async def _limited(deadline_seconds: float = 0.15, **given: Any) -> Sender:
    return Sender(allowance=DEVELOPMENT, deadline_seconds=deadline_seconds, **given)


async def test_an_answer_that_drips_cannot_hold_the_sender() -> None:
    """The status has come, so that what follows has until the deadline, and changes nothing."""
    sender = await _limited()
    drip = Drip(b"x" * 200, first=head("200 OK", 200))
    with raw_server(drip) as server:
        result = await _send(sender, server.url)
    await sender.close()

    assert (result, drip.was_heard_for_long) == (SendResult(status=200), False)


async def test_fm_37_a_slow_receiver_is_given_up_at_the_deadline() -> None:
    """One deadline stands over everything, however each byte is timed."""
    sender = await _limited()
    drip = Drip(head("200 OK", 0, "X: " + "y" * 200))
    with raw_server(drip) as dripping, raw_server(lambda connection: None) as silent:
        results = [await _send(sender, server.url) for server in (dripping, silent)]
    await sender.close()

    assert results == [SendResult(error="no answer within 0.15 s")] * 2
    assert not drip.was_heard_for_long


@pytest.mark.parametrize(
    "behave",
    [
        reset,
        lambda connection: connection.close(),
        lambda connection: (connection.sendall(b"SSH-2.0-x\r\n\r\n"), connection.close()),
        lambda connection: (connection.sendall(b"HTTP/1.1 200 OK\r\nCon"), connection.close()),
    ],
    ids=["reset", "closed", "not http", "cut"],
)
async def test_a_broken_answer_is_a_result(sender: Sender, behave: Any) -> None:
    """Nothing that a server does is raised."""
    with raw_server(behave) as server:
        result = await _send(sender, server.url)

    assert result == SendResult(error="the connection broke, or what came is not HTTP")


async def test_a_head_without_end_is_cut_off(sender: Sender) -> None:
    """A server cannot fill our memory with headers."""
    with raw_server(answer(b"", "200 OK", *(f"X-{n}: {'y' * 900}" for n in range(400)))) as server:
        result = await _send(sender, server.url)

    assert not result.delivered


async def test_nobody_listening_is_a_result(sender: Sender) -> None:
    """A closed port is told as such."""
    with raw_server(answer()) as server:
        port = server.port
    result = await _send(sender, f"http://127.0.0.1:{port}/")

    assert result == SendResult(error="no connection")


async def test_a_refused_address_is_a_result_without_the_address() -> None:
    """The guard speaks through the result, and does not repeat a path that may be secret."""
    sender = Sender()
    results = [
        await _send(sender, url)
        for url in ("http://127.0.0.1:1/token-7", "https://10.0.0.1/token-7", "nonsense token-7")
    ]
    await sender.close()

    assert [result.delivered for result in results] == [False] * 3
    assert [result.error for result in results if "token-7" in str(result.error)] == []
    assert all(str(result.error).startswith("The address cannot be used") for result in results)


async def test_a_header_that_cannot_be_sent_is_a_result(sender: Sender) -> None:
    """What is wrong with a message does not stop the worker."""
    with raw_server(answer()) as server:
        results = [
            await _send(sender, server.url, **{"webhook-id": value})
            for value in ("é", "a\r\nX-Evil: 1")
        ]

    assert ([result.delivered for result in results], server.requests) == ([False, False], [])


async def test_a_name_that_changes_its_address_gains_nothing() -> None:
    """It is looked up once for a connection, and what was judged is what is connected to."""
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    sender = Sender(allowance=HERE, resolver=names)
    with raw_server(answer(b"", "200 OK", "Connection: close")) as server:
        url = f"http://merchant.com:{server.port}/"
        first = await _send(sender, url)
        asked = len(names.asked)
        second = await _send(sender, url)
        connections = server.connections
    await sender.close()

    assert (first, asked, connections) == (SendResult(status=200), 1, 1)
    assert second == SendResult(error="its name leads to an address that is not public")


async def test_a_dead_address_leaves_the_next_one() -> None:
    """A receiver with several addresses is reached while one of them answers."""
    allowed = Allowance(any_port=True, plain_http=True, networks=(ip_network("127.0.0.0/8"),))
    sender = Sender(allowance=allowed, resolver=Names(["127.0.0.9", "127.0.0.1"]))
    with raw_server(answer()) as server:
        result = await _send(sender, f"http://merchant.com:{server.port}/")
    await sender.close()

    assert result.delivered


async def test_an_unknown_name_is_a_result() -> None:
    """It is told apart from a server that is down."""
    sender = Sender(allowance=HERE, resolver=Names([]))
    result = await _send(sender, "http://merchant.com/")
    await sender.close()

    assert result == SendResult(error="its name cannot be resolved")


class Secure:
    """A server with a certificate, and the names that clients asked it for."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self.asked: list[str | None] = []
        context.sni_callback = self._note

    def _note(self, _socket: object, name: str | None, _context: object) -> None:
        self.asked.append(name)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Give an authority of the test's own."""
    return Authority(tmp_path)


def _over_tls(authority: Authority) -> Sender:
    return Sender(allowance=HERE, resolver=Names(["127.0.0.1"]), tls=authority.trusted())


async def _both(sender: Sender, server: RawServer, *hosts: str) -> list[SendResult]:
    results = [await _send(sender, f"https://{host}:{server.port}/") for host in hosts]
    await sender.close()
    return results


async def test_tls_is_verified_against_the_name(authority: Authority) -> None:
    """Connected to by address, the server is asked for, and must prove, its name."""
    secure = Secure(authority.server("merchant.com"))
    with raw_server(answer(), tls=secure.context) as server:
        results = await _both(_over_tls(authority), server, "merchant.com")

    assert (results, secure.asked) == ([SendResult(status=200)], ["merchant.com"])
    assert _lines(server.requests[0])[1] == f"Host: merchant.com:{server.port}"


async def test_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    """The body does not leave, not even over a connection that is open for another name."""
    secure = Secure(authority.server("merchant.com"))
    with raw_server(answer(), tls=secure.context) as server:
        results = await _both(_over_tls(authority), server, "merchant.com", "other.com")

    assert (results[0], len(server.requests)) == (SendResult(status=200), 1)
    assert results[1] == SendResult(error=UNTRUSTED)


async def test_a_stranger_s_certificate_is_refused(authority: Authority) -> None:
    """Only the authorities of the machine are trusted when no other is named."""
    sender = Sender(allowance=HERE, resolver=Names(["127.0.0.1"]))
    with raw_server(answer(), tls=authority.server("merchant.com")) as server:
        results = await _both(sender, server, "merchant.com")

    assert results == [SendResult(error=UNTRUSTED)]
    assert server.requests == []


async def test_a_server_without_tls_is_refused(authority: Authority) -> None:
    """Nothing is sent in the clear because a server would like it, and no socket is left behind."""
    names = Names(["127.0.0.1"])
    tls = authority.trusted()
    sender = Sender(allowance=HERE, resolver=names, tls=tls, deadline_seconds=0.15)
    with raw_server(answer()) as server:
        results = await _both(sender, server, "merchant.com")
    gc.collect()  # A socket that was forgotten warns now, and warnings are errors.

    assert results == [SendResult(error="no answer within 0.15 s")]
    assert server.requests == []


async def test_words_said_before_tls_are_no_answer(authority: Authority) -> None:
    """A server, or whoever stands before it, cannot say yes in the clear and then turn to TLS."""
    context = authority.server("merchant.com")

    async def speak(_reader: object, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(head("200 OK", 0))
            await writer.start_tls(context)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sender = _over_tls(authority)
        result = await _send(sender, f"https://merchant.com:{port}/")
        await sender.close()
        await asyncio.sleep(0.01)  # The server's side ends too.

    assert result == SendResult(error="no TLS connection")


async def test_fm_37_a_host_takes_no_more_than_its_places() -> None:
    """A receiver that hangs holds its own places; another one is served meanwhile."""
    sender = Sender(allowance=DEVELOPMENT, per_host=1, place_seconds=0.03)
    hanging = Hanging()
    with raw_server(hanging) as server, raw_server(answer()) as other:
        held = asyncio.create_task(_send(sender, server.url))
        await asyncio.sleep(0)
        crowded = await _send(sender, server.url)
        served = await _send(sender, other.url)
        was_held = not held.done()
        hanging.release.set()
        last = [await held, await _send(sender, server.url)]
    await sender.close()

    assert crowded == SendResult(error="too many sends to this host are under way")
    assert (served, was_held) == (SendResult(status=200), True)
    assert last == [SendResult(status=200)] * 2


async def test_a_send_can_be_cancelled(sender: Sender) -> None:
    """Stopping the worker stops its sends; the place is free again."""
    with raw_server(lambda connection: None) as server:
        task = asyncio.create_task(_send(sender, server.url))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.behave = answer()
        assert (await _send(sender, server.url)).delivered
