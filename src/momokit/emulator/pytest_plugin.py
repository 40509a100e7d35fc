"""The emulator's pytest fixtures: `momo_emulator`, and `momo_emulator_url` on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .engine import Emulator


@pytest.fixture
def momo_emulator() -> Emulator:
    """Give the test a fresh emulator without a network: call `momo_emulator.handle(request)`.

    Ask for `momo_emulator_url` beside it to reach the same emulator over HTTP.
    """
    from .engine import Emulator

    return Emulator()


@pytest.fixture
def momo_emulator_url(momo_emulator: Emulator) -> Iterator[str]:
    """Serve the test's `momo_emulator` on a free local port and give its base URL."""
    from .serve import running

    with running(momo_emulator) as server:
        yield server.base_url
