"""One emulator on a real socket for all journeys, made new for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from momokit.emulator import Emulator, running


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[tuple[Emulator, str]]:
    """Serve one emulator for the whole run: starting a server takes longer than a journey."""
    emulator = Emulator()
    with running(emulator) as server:
        yield emulator, server.base_url


@pytest.fixture
def momo_emulator(shared_emulator: tuple[Emulator, str]) -> Emulator:
    """The shared emulator, as new."""
    shared_emulator[0].reset()
    return shared_emulator[0]


@pytest.fixture
def momo_emulator_url(shared_emulator: tuple[Emulator, str]) -> str:
    """Where it listens."""
    return shared_emulator[1]
