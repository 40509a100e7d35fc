"""The drivers over real sockets, in both colours: deadlines, cuts, size, TLS, proxies."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from momokit import ConfigurationError, NotSent, OutcomeUnknown, RetryPolicy, Unavailable
from momokit.operations.exchange import Request, TransportFailure
from momokit.wire import Wire, failure_of, proxy_of
from tests.client.colours import COLOURS, Colour, perform
from tests.client.raw_server import Drip, answer, head, raw_server, reset

REF = "5f0c2b1a-6b7c-4d8e-9f00-112233445566"
PENDING = b'{"status": "PENDING"}'
ONCE = RetryPolicy(attempts=1)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the proxies that the machine happens to have."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def pay(client: Any) -> Any:
    """Send a transfer."""
    return client.disbursement.transfer(amount="5", payee="46733123999", reference_id=REF)


def ask(client: Any) -> Any:
    """Ask for its status."""
    return client.disbursement.transfer_status(REF)


# Each of these would be a good answer, to a payment and to a question, if one waited for its end.
DRIPS = {
    "body": lambda: Drip(PENDING + b" " * 150, first=head("202 Accepted", len(PENDING) + 150)),
    "headers": lambda: Drip(
        b"X-Slow: " + b"x" * 150 + b"\r\nContent-Length: 21\r\n\r\n" + PENDING,
        first=b"HTTP/1.1 202 Accepted\r\n",
    ),
}


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("part", DRIPS)
def test_a_slow_drip_ends_at_the_deadline(part: str, colour: Colour) -> None:
    """An answer that never pauses long, and takes three seconds, is unknown: it would have been
    an answer in the end."""
    drip = DRIPS[part]()
    with raw_server(drip) as server:
        with pytest.raises(OutcomeUnknown) as caught:
            perform(colour, pay, base_url=server.url, deadline_seconds=1.0)
        assert caught.value.reference_id == REF
        with pytest.raises(Unavailable):
            perform(colour, ask, base_url=server.url, deadline_seconds=1.0)
        assert drip.was_heard_for_long is False


@pytest.mark.parametrize("colour", COLOURS)
def test_an_answer_that_never_comes_ends_at_the_deadline(colour: Colour) -> None:
    """Silence is doubt."""
    with raw_server(lambda connection: None) as server, pytest.raises(OutcomeUnknown):
        perform(colour, pay, base_url=server.url, deadline_seconds=1.0)


BROKEN = {
    "too large": answer(PENDING + b" " * 300 * 1024, "202 Accepted"),
    "too large, length untold": lambda c: (
        c.sendall(b"HTTP/1.1 202 Accepted\r\n\r\n" + PENDING + b" " * 300 * 1024),
        c.close(),
    ),
    "cut": lambda c: (c.sendall(head("202 Accepted", 100) + b"{"), c.close()),
    "cut head": lambda c: (c.sendall(b"HTTP/1.1 202 Acc"), c.close()),
    "closed": lambda c: c.close(),
    "reset": reset,
    "no http": lambda c: (c.sendall(b"220 mail.example ESMTP\r\n"), c.close()),
    "encoded": answer(gzip.compress(PENDING), "202 Accepted", "Content-Encoding: gzip"),
    "page": answer(b"<html>", "200 OK"),
    "empty": answer(b"", "200 OK"),
    "redirect": answer(b"", "307 Temporary Redirect", "Location: https://127.0.0.1:1/"),
}


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_answer_is_unknown_for_money_and_unavailable_for_a_question(
    how: str, colour: Colour
) -> None:
    """Nothing unreadable is told as a yes or a no."""
    with raw_server(BROKEN[how]) as server:
        with pytest.raises(OutcomeUnknown) as caught:
            perform(colour, pay, base_url=server.url, retry=ONCE)
        assert caught.value.reference_id == REF
        with pytest.raises(Unavailable):
            perform(colour, ask, base_url=server.url, retry=ONCE)
        assert len(server.requests) == 2


@pytest.mark.parametrize("colour", COLOURS)
def test_a_redirect_is_not_followed(colour: Colour) -> None:
    """Keys and bodies go to the host that was configured, and nowhere else."""
    with raw_server(answer(PENDING)) as elsewhere:
        location = f"Location: {elsewhere.url}/"
        redirecting = answer(b"", "302 Found", location)
        with raw_server(redirecting) as server, pytest.raises(Unavailable):
            perform(colour, ask, base_url=server.url, retry=ONCE)
        assert elsewhere.connections == 0


@pytest.mark.parametrize("colour", COLOURS)
def test_no_cookie_is_kept(colour: Colour) -> None:
    """What one answer sets, the next request does not send."""

    async def twice(client: Any) -> None:
        await ask(client)
        await ask(client)

    def twice_blocking(client: Any) -> None:
        ask(client)
        ask(client)

    with raw_server(answer(PENDING, "200 OK", "Set-Cookie: a=b")) as server:
        perform(colour, twice if colour == "async" else twice_blocking, base_url=server.url)
    assert len(server.requests) == 2
    assert not any(b"cookie" in request.lower() for request in server.requests)


@pytest.mark.parametrize("colour", COLOURS)
def test_a_connection_that_the_server_has_closed_is_replaced(colour: Colour) -> None:
    """A stale kept-alive connection costs at most one more try, and never the payment."""

    def once(connection: socket.socket) -> None:
        connection.sendall(head("200 OK", len(PENDING)) + PENDING)
        connection.close()

    async def thrice(client: Any) -> list[str]:
        return [(await ask(client)).status for _ in range(3)]

    def thrice_blocking(client: Any) -> list[str]:
        return [ask(client).status for _ in range(3)]

    with raw_server(once) as server:
        call = thrice if colour == "async" else thrice_blocking
        assert perform(colour, call, base_url=server.url) == ["PENDING"] * 3


@pytest.mark.parametrize("colour", COLOURS)
def test_a_refused_connection_is_not_sent(colour: Colour) -> None:
    """Nobody listening means that nothing happened."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSent) as caught:
        perform(colour, pay, base_url=f"http://127.0.0.1:{port}")
    assert caught.value.reference_id == REF


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a self-signed certificate for 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on this machine, so no certificate can be made")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


@pytest.mark.parametrize("colour", COLOURS)
def test_tls_is_verified_always(colour: Colour, certificate: tuple[Path, Path]) -> None:
    """A stranger's certificate is refused before a key is sent; an own authority is trusted by
    file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with raw_server(answer(PENDING), tls=context) as server:
        with pytest.raises(NotSent):
            perform(colour, pay, base_url=server.url, retry=ONCE)
        assert server.requests == []
        told = perform(colour, ask, base_url=server.url, ca_file=str(certificate[0]))
    assert told.status == "PENDING"


@pytest.mark.parametrize("colour", COLOURS)
def test_a_file_that_is_no_certificate_is_refused(colour: Colour) -> None:
    """At construction, with the setting named."""
    with pytest.raises(ConfigurationError) as caught:
        perform(colour, ask, base_url="https://127.0.0.1:1", ca_file=__file__)
    assert caught.value.field == "ca_file"


# Proxies


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("said_by", ["environment", "setting"])
def test_a_proxy_is_used(said_by: str, colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS goes through it by CONNECT; one that refuses means not sent."""
    with raw_server(answer(b"", "403 Forbidden")) as proxy:
        given = {"proxy": proxy.url} if said_by == "setting" else {}
        if said_by == "environment":
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(NotSent):
            perform(colour, pay, market="sandbox", retry=ONCE, **given)
    assert proxy.requests[0].startswith(b"CONNECT sandbox.momodeveloper.mtn.com:443 HTTP/1.1")
    assert b"Ocp-Apim" not in b"".join(proxy.requests)


def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts may be exempt, and this machine is never spoken to through a proxy in the clear."""
    mtn = "https://proxy.momoapi.mtn.com"
    assert proxy_of(mtn) is None
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:2")
    monkeypatch.setenv("HTTPS_PROXY", "127.0.0.1:3")
    assert proxy_of(mtn) == "http://127.0.0.1:3"
    assert proxy_of("http://127.0.0.1:8701") is None
    monkeypatch.setenv("NO_PROXY", "example.com,.mtn.com")
    assert proxy_of(mtn) is None


# The pieces


@pytest.mark.parametrize(
    ("error", "kind", "sent"),
    [
        (httpx2.ConnectError("x"), "connect", False),
        (httpx2.ConnectTimeout("x"), "connect", False),
        (httpx2.PoolTimeout("x"), "connect", False),
        (httpx2.ProxyError("x"), "connect", False),
        (httpx2.ReadTimeout("x"), "timeout", True),
        (httpx2.WriteTimeout("x"), "timeout", True),
        (TimeoutError(), "timeout", True),
        (httpx2.RemoteProtocolError("x"), "cut", True),
        (httpx2.ReadError("x"), "reset", True),
        (httpx2.WriteError("x"), "reset", True),
        (ConnectionResetError(), "reset", True),
        (OSError("anything else"), "reset", True),
    ],
)
def test_only_what_surely_never_left_is_told_as_not_sent(
    error: Exception, kind: str, sent: bool
) -> None:
    """When in doubt, it was sent."""
    failure: TransportFailure = failure_of(error)
    assert (failure.kind, failure.sent) == (kind, sent)


def test_a_request_is_built_whole() -> None:
    """Length for every method but GET, one host, no query, the path below a prefix."""
    wire = Wire("https://host.example:8443/prefix/", chance=lambda low, high: high)
    post = wire.build(Request("x", "POST", "/token/"), 4.0)
    assert post.url == "https://host.example:8443/prefix/token/"
    assert post.headers["content-length"] == "0"
    assert post.headers["host"] == "host.example:8443"
    assert "accept-encoding" not in post.headers
    assert post.extensions["timeout"] == {"connect": 3.6, "read": 4.0, "write": 4.0, "pool": 3.6}
    get = wire.build(Request("x", "GET", "/y", {"X-A": "1"}), 400.0)
    assert "content-length" not in get.headers
    assert get.headers["x-a"] == "1"
    assert get.extensions["timeout"]["connect"] == 10.0
