"""A local MTN MoMo: MTN's own paths, errors and oddities, on your own machine.

It shares no code with the client, so that each is an independent reading of MTN's API and each
checks the other. `Emulator` is the whole provider without any network; `running` puts it behind a
real socket for a test, and `momokit.emulator.serve.serve` in the foreground.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import create_app
    from .engine import Emulator
    from .exchange import Reply, Request
    from .serve import running
    from .settings import EmulatorSettings

__all__ = [
    "Emulator",
    "EmulatorSettings",
    "Reply",
    "Request",
    "create_app",
    "running",
]

# Resolved on first use: the pytest plugin lives in this package and is loaded by every pytest run
# of every project that has momokit installed, so importing the package must cost nothing.
_HOMES = {
    "Emulator": "engine",
    "EmulatorSettings": "settings",
    "Reply": "exchange",
    "Request": "exchange",
    "create_app": "app",
    "running": "serve",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
