"""The emulator's parts, loaded when a command needs them, or the sentence that installs them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from momokit.errors import MissingExtra

if TYPE_CHECKING:
    from momokit.emulator.engine import Emulator
    from momokit.emulator.serve import Server


def make_emulator(**settings: Any) -> Emulator:
    """Make an emulator with these settings; raises ValueError for one it cannot have."""
    from momokit.emulator.engine import Emulator
    from momokit.emulator.settings import EmulatorSettings

    return Emulator(EmulatorSettings(**settings))


def served(
    emulator: Emulator, *, host: str = "127.0.0.1", port: int = 0, pages: bool = False
) -> AbstractContextManager[Server]:
    """Serve an emulator over HTTP while a `with` block lasts; raises MissingExtra."""
    try:
        from momokit.emulator.serve import running

        if pages:
            import jinja2  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("momokit"):
            raise
        raise MissingExtra("emulator", missing=error.name) from None
    return running(emulator, host=host, port=port, pages=pages)
