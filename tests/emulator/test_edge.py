"""The emulator over real sockets: answers, callbacks, control, start and stop."""

from __future__ import annotations

import http.client
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from momokit.emulator import Emulator, EmulatorSettings, create_app, running
from momokit.emulator.serve import Server

from .caller import HOST, Caller
from .sockets import PAY, Merchant, Wire


def test_answers_travel_whole(wire: Wire) -> None:
    """Accepted: 202, an empty body, a Date and no trace of the server underneath."""
    reference, (status, reason, headers, body) = wire.pay()
    answer = wire.send("GET", f"{PAY}/{reference}")

    assert (status, reason, body) == (202, "Accepted", b"")
    assert set(headers) == {"content-length", "date"}
    assert json.loads(answer[3])["status"] == "SUCCESSFUL"
    assert answer[2]["content-type"] == "application/json;charset=utf-8"


def test_connections_are_kept_alive(wire: Wire) -> None:
    """Many requests go over one connection."""
    connection = http.client.HTTPConnection(HOST, wire.port, timeout=5)
    headers = wire.caller.headers("collection")
    statuses = []
    for _ in range(5):
        connection.request("GET", "/collection/v1_0/account/balance", headers=headers)
        reply = connection.getresponse()
        reply.read()
        statuses.append((reply.status, connection.sock is not None))
    connection.close()

    assert statuses == [(200, True)] * 5


def test_bad_key_has_azures_reason_phrase(wire: Wire) -> None:
    """The status line of a bad key says Access Denied."""
    status, reason, headers, _ = wire.send(
        "GET", "/collection/v1_0/account/balance", Ocp_Apim_Subscription_Key="x"
    )

    assert (status, reason) == (401, "Access Denied")
    assert headers["www-authenticate"].startswith("AzureApiManagementKey realm=")


@pytest.mark.parametrize("framing", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_bodyless_post_without_length_is_411(wire: Wire, framing: bytes) -> None:
    """A token request without Content-Length, or chunked, gets the 411 page."""
    end = b"0\r\n\r\n" if framing else b""
    received = wire.raw(
        b"POST /collection/token/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Ocp-Apim-Subscription-Key: 0123456789abcdef\r\n" + framing + b"\r\n" + end
    )

    assert received.startswith(b"HTTP/1.1 411 ")
    assert b"<!DOCTYPE html>" in received


def test_callbacks_arrive(wire: Wire, merchant: Merchant) -> None:
    """A callback is posted to the address with its query, headers and body, and is in history."""
    wire.pay(X_Callback_Url=merchant.url)
    merchant.wait(1)
    method, path, headers, body = merchant.got[0]

    assert (method, path) == ("POST", "/cb?secret=1")
    assert headers["User-Agent"] == "LWAC Http Client 1.0"
    assert "X-Reference-Id" not in headers
    assert json.loads(body)["status"] == "SUCCESSFUL"


def test_callback_before_202(wire: Wire, merchant: Merchant) -> None:
    """With the fault the callback has arrived when the 202 does."""
    _, (status, _, _, _) = wire.pay(
        X_Callback_Url=merchant.url, X_Emulator_Fault="callback_before_202"
    )

    assert (status, len(merchant.got)) == (202, 1)


def test_failed_callbacks_are_repeated_by_the_clock(wire: Wire, merchant: Merchant) -> None:
    """Under the retry regime a refused callback comes again when the clock moves on."""
    emulator = wire.caller.emulator
    emulator.change_settings(callback_regime="retry")
    emulator.clock.freeze()
    merchant.status = 500
    wire.pay(X_Callback_Url=merchant.url)
    merchant.wait(1)
    _wait_for_history(emulator, status=500)
    merchant.status = 204
    emulator.clock.advance(seconds=1)
    merchant.wait(2)
    _wait_for_history(emulator, status=204)
    emulator.change_settings(callback_regime="once")

    assert len(merchant.got) == 2
    assert emulator.state.outbox == []


def test_refused_callback_connection_is_in_the_history(wire: Wire) -> None:
    """Where nobody listens, the history says so and nothing breaks; https is tried as such."""
    with socket.socket() as closed:
        closed.bind((HOST, 0))
        port = closed.getsockname()[1]
        for scheme in ("http", "https"):
            wire.pay(X_Callback_Url=f"{scheme}://{HOST}:{port}/cb")
        _wait_for_history(wire.caller.emulator, status=0, count=2)
    notes = [e.note for e in wire.caller.emulator.history if e.direction == "callback"]

    assert [note.partition(":")[0] for note in notes] == ["ConnectionRefusedError"] * 2


def _wait_for_history(emulator: Emulator, *, status: int, count: int = 1) -> None:
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        done = [e for e in emulator.history if e.direction == "callback" and e.status == status]
        if len(done) >= count:
            return
        time.sleep(0.005)


def test_control_over_http(wire: Wire) -> None:
    """The control API answers beside MTN's paths."""
    _, _, _, body = wire.send("GET", "/_emulator/health")

    assert json.loads(body)["status"] == "ok"


def test_control_is_closed_to_other_sites(wire: Wire) -> None:
    """A web page of another origin cannot steer the emulator; one of its own can."""
    foreign = wire.send("POST", "/_emulator/reset", Origin="http://evil.test")
    own = wire.send("GET", "/_emulator/health", Origin=f"http://{HOST}:{wire.port}")

    assert (foreign[0], own[0]) == (403, 200)


def test_unknown_paths_are_the_gateways_404(wire: Wire) -> None:
    """Without pages, every other path is the gateway's 404."""
    status, _, _, body = wire.send("GET", "/somewhere")

    assert (status, json.loads(body)["statusCode"]) == (404, 404)


def test_large_bodies_are_refused_and_not_kept(wire: Wire) -> None:
    """A body above the limit is 413, however large it is."""
    limit = wire.caller.emulator.settings.body_limit_bytes
    note = {"payerMessage": "x" * (limit * 3)}
    reference = wire.caller.emulator.state.uuid4()
    status, _, _, _ = wire.send("POST", PAY, body=note, X_Reference_Id=reference)

    assert status == 413


def test_pages_are_served_beside(served: Server) -> None:
    """What is neither MTN's nor control goes to the pages that the application was given."""
    seen: list[str] = []

    async def pages(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])

    app = create_app(Emulator(), pages=pages)

    async def visit() -> None:
        for path in ("/", "/phone", "/static/a.css"):
            await app({"type": "http", "path": path}, None, None)  # type: ignore[arg-type]

    import anyio

    anyio.run(visit)
    assert seen == ["/", "/phone", "/static/a.css"]


def test_another_server_cannot_cut_but_answers() -> None:
    """Without our own server underneath, a fault on the connection becomes a plain answer."""
    caller = Caller()
    caller.emulator.faults.add("drop_response")
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    async def visit() -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/collection/v1_0/account/balance",
            "headers": [],
            "query_string": b"",
        }
        await create_app(caller.emulator)(scope, receive, send)

    import anyio

    anyio.run(visit)
    assert sent[0]["status"] == 401


def test_state_file_is_written_at_the_end(tmp_path: Path) -> None:
    """A served emulator keeps its state file and writes it when it stops."""
    settings = EmulatorSettings(state_file=str(tmp_path / "state.json"))
    with running(Emulator(settings)) as server:
        reference, _ = Wire(server).pay()
    again = Emulator(settings)

    assert again.money_moved(reference).times == 1


def test_fixtures_of_the_plugin(momo_emulator: Emulator, momo_emulator_url: str) -> None:
    """The plugin's two fixtures are one emulator, without and with a socket."""
    momo_emulator.provision()
    host, _, port = momo_emulator_url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.request("GET", "/_emulator/health")
    answer = json.loads(connection.getresponse().read())
    connection.close()

    assert answer["requests"] == len(momo_emulator.history) == 0
