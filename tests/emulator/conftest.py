"""Fixtures of the emulator's tests."""

from __future__ import annotations

import pytest

from .caller import Caller


@pytest.fixture
def caller() -> Caller:
    """Give a caller of a fresh emulator whose clock stands still."""
    made = Caller()
    made.emulator.clock.freeze(at=1_800_000_000.0)
    return made
