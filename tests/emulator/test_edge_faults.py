"""What goes wrong on a connection, over real sockets."""

from __future__ import annotations

import http.client
import time

import pytest

from momokit.emulator import running

from .caller import HOST
from .sockets import PAY, Wire


@pytest.mark.parametrize(
    ("fault", "seen", "moved"),
    [
        ("drop_request", "RemoteDisconnected", 0),
        ("drop_request(reset)", "ConnectionResetError", 0),
        ("drop_response", "RemoteDisconnected", 1),
        ("drop_response(reset)", "ConnectionResetError", 1),
        ("reset(before)", "ConnectionResetError", 0),
        ("reset(after)", "ConnectionResetError", 1),
        ("reset(headers)", "ConnectionResetError", 1),
        ("truncate(3)", "BadStatusLine", 1),
        ("html_error", "Bad Gateway", 0),
        ("slowloris(30, 0.001)", "Accepted", 1),
        ("delay(0.02)", "Accepted", 1),
    ],
)
def test_faults_are_carried_out_on_the_connection(
    wire: Wire, fault: str, seen: str, moved: int
) -> None:
    """Each transport fault is what the caller sees, and the money is as described."""
    reference, (_, reason, _, _) = wire.pay(X_Emulator_Fault=fault)

    assert reason == seen
    assert wire.caller.emulator.money_moved(reference).times == moved


@pytest.mark.parametrize(
    ("fault", "error"),
    [("truncate(10)", http.client.IncompleteRead), ("reset(body)", ConnectionResetError)],
)
def test_bodies_are_cut(wire: Wire, fault: str, error: type[Exception]) -> None:
    """A cut body is shorter than its Content-Length, by close or by reset."""
    reference, _ = wire.pay()

    with pytest.raises(error):
        wire.send("GET", f"{PAY}/{reference}", X_Emulator_Fault=fault)


def test_hanging_ends_when_the_caller_goes(wire: Wire) -> None:
    """A request that hangs gets nothing until the caller's own time limit."""
    connection = http.client.HTTPConnection(HOST, wire.port, timeout=0.05)
    headers = {**wire.caller.headers("collection"), "X-Emulator-Fault": "drop_response(hang)"}
    connection.request("GET", "/collection/v1_0/account/balance", headers=headers)

    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert wire.pay()[1][0] == 202


def test_stopping_lets_go_of_what_waits(caplog: pytest.LogCaptureFixture) -> None:
    """Requests that hang, drip or are late end quietly when the emulator stops."""
    connections = []
    with running() as server:
        headers = Wire(server).caller.headers("collection")
        for fault in ("drop_response(hang)", "delay(60)", "slowloris(1, 60)"):
            connection = http.client.HTTPConnection(HOST, server.port, timeout=5)
            sent = {**headers, "X-Emulator-Fault": fault}
            connection.request("GET", "/collection/v1_0/account/balance", headers=sent)
            connections.append(connection)
        deadline = time.monotonic() + 2
        while len(server.emulator.history) < 4 and time.monotonic() < deadline:
            time.sleep(0.005)
    for connection in connections:
        with pytest.raises((OSError, http.client.HTTPException)):
            connection.getresponse()
        connection.close()

    assert [entry.status for entry in server.emulator.history] == [200] * 4
    assert [record.getMessage() for record in caplog.records] == []


def test_clock_offset_shows_in_the_date(wire: Wire) -> None:
    """The Date header is the emulator's time, off by what the fault says."""
    wire.caller.emulator.clock.freeze(at=1_800_000_000.0)
    _, (_, _, right, _) = wire.pay()
    _, (_, _, wrong, _) = wire.pay(X_Emulator_Fault="clock_offset(-86400)")

    assert right["date"] == "Fri, 15 Jan 2027 08:00:00 GMT"
    assert wrong["date"] == "Thu, 14 Jan 2027 08:00:00 GMT"
