"""The command explains itself, and costs nothing to ask."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from momokit.cli.command import Command
from momokit.cli.exits import EXIT_CODES
from momokit.cli.group import PLACES, momo
from momokit.cli.options import KINDS
from momokit.operations.registry import KINDS as REGISTERED

from .runner import run


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            if isinstance(found, click.Group):
                yield from _commands(found, (*path, name))
            else:
                yield (*path, name)


def _find(path: tuple[str, ...]) -> click.Command:
    found: click.Command = momo
    for name in path:
        assert isinstance(found, click.Group)
        with click.Context(found) as context:
            found = found.get_command(context, name) or pytest.fail(f"no command {name}")
    return found


ALL = tuple(_commands(momo))


def _in_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_shows_an_example(path: tuple[str, ...]) -> None:
    """Help ends with lines that can be copied, and each of them begins with the command."""
    found = _find(path)
    ran = run(*path, "--help")

    assert ran.code == 0
    assert isinstance(found, Command)
    assert found.examples
    assert any(f"momo {' '.join(path)}" in example for example in found.examples)
    assert all(f"  $ {example}\n" in ran.out for example in found.examples)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_can_answer_in_json(path: tuple[str, ...]) -> None:
    """`--json` is an option everywhere."""
    assert "--json" in run(*path, "--help").out


@pytest.mark.parametrize("path", [path for path in ALL if len(path) == 1], ids=" ".join)
def test_the_overview_promises_what_is_there(path: tuple[str, ...]) -> None:
    """The table of short helps, which spares loading a command, names only real commands."""
    assert isinstance(_find(path), click.Command)
    assert PLACES[path[0]].what in " ".join(run("--help").out.split())


def test_the_help_lists_every_exit_code() -> None:
    """A script's author finds the codes where he looks first."""
    shown = run("--help").out

    assert [line for line in EXIT_CODES.values() if line not in shown] == []


def test_the_kinds_to_ask_about_are_those_the_client_knows() -> None:
    """No kind can be submitted and not be asked about."""
    assert {kind.replace("-", "_") for kind in KINDS} == {kind.name for kind in REGISTERED}


def test_help_loads_no_http_library_no_server_and_no_drawing() -> None:
    """`momo --help` answers at once."""
    code = (
        "import sys; sys.argv = ['momo', '--help']\n"
        "from momokit.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'httpx2', 'uvicorn', 'litestar', 'rich', 'asyncio', 'jinja2'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))\n"
    )

    assert _in_python(code).stdout.splitlines()[-1] == "LOADED []"


def test_without_click_the_command_says_how_to_install_it() -> None:
    """A missing extra is a sentence, not a traceback."""
    ran = _in_python(
        "import sys; sys.modules['click'] = None\nfrom momokit.cli.main import main\nmain()"
    )

    assert ran.returncode == 2
    assert ran.stderr.strip().endswith("pip install 'momokit[cli]'")
    assert "Traceback" not in ran.stderr


def test_without_the_emulator_extra_the_demo_says_how_to_install_it() -> None:
    """The same for the server the emulator stands on."""
    ran = _in_python(
        "import sys; sys.modules['uvicorn'] = None; sys.argv = ['momo', 'demo', '--json']\n"
        "from momokit.cli.main import main\nmain()"
    )

    assert ran.returncode == 2
    assert "pip install 'momokit[emulator]'" in ran.stderr
    assert '"error": "MissingExtra"' in ran.stderr


def test_a_mistyped_command_is_guessed() -> None:
    """After a typing error the command says which one was meant, and exits as for any misuse."""
    ran = run("balanse")

    assert ran.code == 2
    assert "Did you mean 'balance'?" in ran.err


def test_misuse_is_told_in_json_as_well() -> None:
    """Arguments that do not fit are an error object like any other."""
    ran = run("status", "--json", "cheque", "x")

    assert ran.code == 2
    assert ran.out == ""
    assert ran.error["exit_code"] == 2


def test_the_version_is_shown() -> None:
    """`--version` names the program and its version."""
    assert run("--version").out.startswith("momo ")
