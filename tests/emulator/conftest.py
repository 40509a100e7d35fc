"""Fixtures of the emulator's tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from momokit.emulator import running
from momokit.emulator.serve import Server

from .caller import Caller
from .sockets import Merchant, Wire


@pytest.fixture
def caller() -> Caller:
    """Give a caller of a fresh emulator whose clock stands still."""
    made = Caller()
    made.emulator.clock.freeze(at=1_800_000_000.0)
    return made


@pytest.fixture
def merchant() -> Iterator[Merchant]:
    """Give a merchant that listens for callbacks."""
    listening = Merchant()
    thread = threading.Thread(target=listening.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield listening
    listening.server.shutdown()
    listening.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    """Give one running emulator for the tests of this file."""
    with running() as server:
        yield server


@pytest.fixture
def wire(served: Server) -> Wire:
    """Give a caller over a socket, of an emulator that knows nothing yet."""
    served.emulator.reset()
    return Wire(served)
