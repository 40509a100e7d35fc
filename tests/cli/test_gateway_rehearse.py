"""`momo gateway rehearse`: the main job of `make run`, unattended."""

from __future__ import annotations

import subprocess
import sys


def test_a_payment_goes_through_emulator_and_gateway_as_processes_do() -> None:
    """The real command settles one payment over real HTTP, moves money once, and says so."""
    ran = subprocess.run(
        [
            sys.executable, "-m", "momokit.cli.main", "gateway", "rehearse", "--once",
            "--port", "0", "--emulator-port", "0",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )  # fmt: skip

    assert "SUCCESSFUL: money moved 1×" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.returncode == 0
