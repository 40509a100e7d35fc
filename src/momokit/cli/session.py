"""What one run of `momo` was told on its command line, and the settings and client made from it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from momokit import Client, Settings

CONFIG_VARIABLE = "MOMO_CONFIG"


@dataclass(frozen=True, slots=True, kw_only=True)
class InHand:
    """What is being sent: known before it leaves, so that no interruption can lose it."""

    kind: str
    product: str
    reference_id: str
    asks: str = ""

    @property
    def question(self) -> str:
        """The command that asks what became of it."""
        if self.asks:
            return self.asks
        words = f"momo status {self.kind.replace('_', '-')} {self.reference_id}"
        return f"{words} --product remittance" if self.product == "remittance" else words


@dataclass(slots=True)
class Session:
    """One run of the command: the options that every command takes, and what is in hand."""

    config: str | None = None
    market: str | None = None
    base_url: str | None = None
    as_json: bool = False
    verbose: bool = False
    no_color: bool = False
    in_hand: InHand | None = None
    _handler: logging.Handler | None = field(default=None, repr=False)

    @property
    def in_color(self) -> bool:
        """Whether screens may be coloured."""
        return not (self.no_color or self.as_json or os.environ.get("NO_COLOR"))

    def settings(self, **given: Any) -> Settings:
        """Read the settings: from the file that was named, otherwise from the environment.

        Raises ConfigurationError when they do not fit together.
        """
        from momokit.settings import Settings

        wanted = {**self._given(), **given}
        config = self.config or os.environ.get(CONFIG_VARIABLE)
        if config:
            return Settings.from_file(config, **wanted)
        return Settings.from_env(**wanted)

    def client(self, settings: Settings | None = None, **extra: Any) -> Client:
        """Make a client; this is what loads the HTTP library."""
        from momokit import Client

        return Client(settings or self.settings(), **extra)

    def listen_to_log(self, handler: logging.Handler) -> None:
        """Show momokit's own log lines, which hold no secrets, until `close`."""
        if self._handler is None:
            self._handler = handler
            logger = logging.getLogger("momokit")
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)

    def close(self) -> None:
        """Undo what outlives one run in the same process."""
        if self._handler is not None:
            logger = logging.getLogger("momokit")
            logger.removeHandler(self._handler)
            logger.setLevel(logging.NOTSET)
            self._handler = None

    def _given(self) -> Mapping[str, str]:
        named = {"market": self.market, "base_url": self.base_url}
        return {name: value for name, value in named.items() if value}


def session() -> Session:
    """Give the session of the command that is running."""
    return click.get_current_context().find_root().ensure_object(Session)
