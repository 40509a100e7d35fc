"""The door of the command `momo`; without the `cli` extra it says how to install it."""

from __future__ import annotations

import io
import sys

from momokit.errors import MissingExtra


def main() -> None:
    """Run `momo` with the arguments of this process, and end it with one of `EXIT_CODES`."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character gets a question mark in its place, not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        from momokit.cli.group import momo
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        print(f"momo: {MissingExtra('cli', missing='click')}", file=sys.stderr)
        sys.exit(2)
    momo(prog_name="momo")


if __name__ == "__main__":
    main()
