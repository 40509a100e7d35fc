"""What importing costs, over a bare interpreter: each import in a fresh process, many times.

The imports take turns, so that a busy moment of the machine meets them all.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import Spread, markdown

TARGET_MILLIS = 60
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
    """One import: what it takes over the bare interpreter, in milliseconds."""

    title: str
    millis: Spread


def measure(*, rounds: int) -> list[ImportTime]:
    """Measure every import, and `momo --help` where the command is installed."""
    commands = {
        title: [sys.executable, "-c", statement] for title, statement in _STATEMENTS.items()
    }
    momo = Path(sys.executable).with_name("momo")
    if momo.exists() and not subprocess.call([momo, "--help"], stdout=_NOWHERE, stderr=_NOWHERE):
        commands["momo --help"] = [str(momo), "--help"]
    taken: dict[str, list[float]] = {title: [] for title in commands}
    for command in commands.values():
        _millis(command)
    for _ in range(rounds):
        for title, command in commands.items():
            taken[title].append(_millis(command))
    bare = taken.pop(_BARE)
    return [ImportTime(_BARE, Spread.of(bare))] + [
        # Against the bare start of the same round, which the same moment has met.
        ImportTime(title, Spread.of([each - zero for each, zero in zip(all_, bare, strict=True)]))
        for title, all_ in taken.items()
    ]


def table(times: list[ImportTime]) -> str:
    """Write the times as a table; the first row is the bare start itself."""
    rows = [
        (each.title if number == 0 else f"`{each.title}`", each.millis.text())
        for number, each in enumerate(times)
    ]
    return markdown(("process", "ms over a bare interpreter"), rows)


def _millis(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=_NOWHERE)
    return (time.perf_counter() - start) * 1e3
