"""Runs `momo` in this process, in an environment that holds only what the test gives it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner

from momokit.cli.group import momo
from momokit.emulator import Emulator
from momokit.settings import VARIABLES

OURS = (*VARIABLES, "MOMO_CONFIG", "MOMO_CONSENT_TOKEN", "MOMO_TRACEBACK", "NO_COLOR")


@dataclass(frozen=True)
class Ran:
    """What one run of the command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines of JSON on stderr."""
        return [json.loads(line) for line in self.err.splitlines()]

    @property
    def error(self) -> dict[str, Any]:
        """The error that ended it."""
        return next(event for event in self.events if event["event"] == "error")


@dataclass(frozen=True)
class Momo:
    """The command, set up for one emulator."""

    emulator: Emulator
    url: str
    environment: Mapping[str, str]

    def __call__(self, *args: str, stdin: str | None = None, **environment: str) -> Ran:
        """Run it; `environment` adds to what the emulator needs."""
        return run(*args, stdin=stdin, **{**self.environment, **environment})

    @property
    def operations(self) -> list[str]:
        """MTN's operation ids, in the order in which the emulator was asked."""
        return [entry.operation for entry in self.emulator.history if entry.direction == "in"]


def run(*args: str, stdin: str | None = None, **environment: str) -> Ran:
    """Run `momo` with these arguments and no settings but these."""
    env: dict[str, str | None] = dict.fromkeys(OURS)
    result = CliRunner().invoke(momo, list(args), input=stdin, env={**env, **environment})
    return Ran(result.exit_code, result.stdout, result.stderr)
