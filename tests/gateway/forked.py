"""Gateways that are forked, to be killed: one program imports everything, each run is a fork of it.

The program reads a line of JSON for each run from its standard input, and answers how the run
ended: with what `main` gave, or minus the signal that killed it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from momokit.gateway.crashpoints import arm

Nursery: TypeAlias = subprocess.Popen[str]

HANGS_SECONDS = 60


def serve(main: Callable[[dict[str, Any]], Coroutine[Any, Any, int]]) -> None:
    """Fork a process for each line, one after the other."""
    for line in sys.stdin:
        told = json.loads(line)
        child = os.fork()
        if child == 0:
            # Whatever hangs ends, says where it stood, and is a failure of its test alone.
            signal.signal(signal.SIGALRM, _tell_where)
            signal.alarm(int(told["patience_seconds"]) + HANGS_SECONDS)
            arm(at=told["crash_at"], nth=told["nth"])
            try:
                os._exit(asyncio.run(main(told)))
            finally:  # A child that fails must not go on to read its parent's lines.
                os._exit(2)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _tell_where(_signal: int, _frame: Any) -> None:
    for task in asyncio.all_tasks():
        task.print_stack(file=sys.stderr)
    sys.stderr.flush()
    os._exit(3)


@contextmanager
def nursery_of(module: str) -> Iterator[Nursery]:
    """Start the program that forks a gateway for each line it is given."""
    with subprocess.Popen(
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def run_in(nursery: Nursery, told: dict[str, Any], *, crash_at: str = "", nth: int = 1) -> int:
    """Run a gateway to its end, and give how it ended."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(json.dumps({**told, "crash_at": crash_at, "nth": nth}) + "\n")
    nursery.stdin.flush()
    return int(nursery.stdout.readline())
