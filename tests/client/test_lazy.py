"""Importing momokit is light: values and errors at once, the clients when they are used."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import momokit


def loaded_after(code: str) -> set[str]:
    """Run code in a new interpreter and give the modules it has loaded."""
    printed = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(printed.stdout.split())


def test_importing_momokit_loads_no_http_library() -> None:
    """Who verifies a webhook or reads a number pays for no network."""
    loaded = loaded_after("import momokit; momokit.MSISDN; momokit.read_callback")
    heavy = {"httpx", "httpx2", "httpcore2", "h11", "anyio", "asyncio", "msgspec", "ssl"}
    assert loaded & heavy == set()


def test_the_client_is_loaded_when_it_is_named() -> None:
    """And neither the gateway nor the emulator with it."""
    loaded = loaded_after("from momokit import Client")
    assert "httpx2" in loaded
    assert not {name for name in loaded if name.startswith(("momokit.gateway", "momokit.emulator"))}
    assert "momokit._async.client" not in loaded


@pytest.mark.parametrize("name", sorted(momokit._HOMES))
def test_every_later_name_is_there(name: str) -> None:
    """Each public name resolves, and is listed."""
    assert getattr(momokit, name) is getattr(import_module(momokit._HOMES[name]), name)
    assert name in dir(momokit)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The lazy door does not hide misspellings."""
    with pytest.raises(AttributeError, match="no attribute 'Clinet'"):
        _ = momokit.Clinet  # type: ignore[attr-defined]
