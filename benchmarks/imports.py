"""What importing costs, over a bare interpreter: each import in a fresh process, many times.

The imports take turns, so that a busy moment of the machine meets them all.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.tables import Spread, markdown

_NOWHERE = subprocess.DEVNULL
_BARE = "a bare interpreter"
_STATEMENTS = {
    _BARE: "pass",
    "import momokit": "import momokit",
    "from momokit import Money, MSISDN, read_callback": (
        "from momokit import Money, MSISDN, read_callback"
    ),
    "from momokit import Client": "from momokit import Client",
    "from momokit import AsyncClient": "from momokit import AsyncClient",
    "import httpx2": "import httpx2",
    "import momo_api (mtn-momo-client)": "import momo_api",
    "import mtnmomo (mtnmomo-py)": "import mtnmomo",
}


@dataclass(frozen=True, slots=True)
class ImportTime:
    """One import: what it takes over the bare interpreter, in milliseconds of wall and of CPU."""

    title: str
    wall: Spread
    cpu: Spread


def measure(*, rounds: int) -> list[ImportTime]:
    """Measure every import, and `momo --help` where the command is installed."""
    commands = {
        title: [sys.executable, "-c", statement] for title, statement in _STATEMENTS.items()
    }
    momo = Path(sys.executable).with_name("momo")
    if momo.exists() and not subprocess.call([momo, "--help"], stdout=_NOWHERE, stderr=_NOWHERE):
        commands["momo --help"] = [str(momo), "--help"]
    taken: dict[str, list[_Start]] = {title: [] for title in commands}
    for command in commands.values():
        _start(command)
    for _ in range(rounds):
        for title, command in commands.items():
            taken[title].append(_start(command))
    bare = taken.pop(_BARE)
    nothing = [_Start(0, 0)] * rounds
    return [_over(nothing, _BARE, bare), *(_over(bare, *each) for each in taken.items())]


def table(times: list[ImportTime]) -> str:
    """Write the times as a table; the first row is the bare start itself."""
    rows = [
        (each.title if number == 0 else f"`{each.title}`", each.wall.text(), each.cpu.text())
        for number, each in enumerate(times)
    ]
    return markdown(("over a bare interpreter", "ms", "ms of CPU"), rows)


class _Start(NamedTuple):
    wall: float
    cpu: float


def _over(bare: list[_Start], title: str, starts: list[_Start]) -> ImportTime:
    # Against the bare start of the same round, which the same moment has met.
    pairs = list(zip(starts, bare, strict=True))
    return ImportTime(
        title,
        Spread.of([each.wall - zero.wall for each, zero in pairs]),
        Spread.of([each.cpu - zero.cpu for each, zero in pairs]),
    )


def _start(command: list[str]) -> _Start:
    wall, cpu = time.perf_counter(), _children_seconds()
    subprocess.run(command, check=True, stdout=_NOWHERE)
    return _Start((time.perf_counter() - wall) * 1e3, (_children_seconds() - cpu) * 1e3)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
