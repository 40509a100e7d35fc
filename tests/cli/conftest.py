"""Fixtures of the command's tests."""

from __future__ import annotations

import pytest

from momokit.emulator import Emulator

from .runner import Momo


@pytest.fixture
def momo(momo_emulator: Emulator, momo_emulator_url: str) -> Momo:
    """Give the command with credentials of an emulator that is served over a real socket."""
    made = momo_emulator.provision()
    environment = {
        "MOMO_BASE_URL": momo_emulator_url,
        "MOMO_SUBSCRIPTION_KEY": made.subscription_key,
        "MOMO_API_USER": made.api_user,
        "MOMO_API_KEY": made.api_key,
        "NO_PROXY": "127.0.0.1",
    }
    return Momo(momo_emulator, momo_emulator_url, environment)
