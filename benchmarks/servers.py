"""Start the servers that are measured against, each in a process and on a core of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is, and the process to hold to account for its CPU time."""

    base_url: str
    port: int
    pid: int


@contextlib.contextmanager
def process(module: str, *arguments: str, core: int | None) -> Iterator[Place]:
    """Run `python -m module`, which prints its port, until the block ends."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            if core is not None:
                os.sched_setaffinity(child.pid, {core})
            assert child.stdout is not None
            line = child.stdout.readline()
            if not line.strip().isdigit():
                raise RuntimeError(f"{module} did not start")
            port = int(line)
            yield Place(f"http://127.0.0.1:{port}", port, child.pid)
        finally:
            child.terminate()


def cpu_seconds(pid: int) -> float:
    """Read how much CPU time another process has used, from Linux's own books; elsewhere nan."""
    book = Path(f"/proc/{pid}/stat")
    if not book.exists():
        return float("nan")
    fields = book.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cores() -> tuple[int | None, int | None]:
    """Choose a core for the caller and another for the server; None where there is no choice."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    found = sorted(os.sched_getaffinity(0))
    return (found[0], found[1]) if len(found) > 1 else (None, None)


@contextlib.contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Keep this process on one core until the block ends."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
