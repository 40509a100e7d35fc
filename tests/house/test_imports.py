"""Who imports whom, and what an import costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import source

HTTP_LIBRARIES = ("httpx2", "httpcore2", "aiohttp", "requests")
SERVER_LIBRARIES = ("litestar", "uvicorn", "jinja2", "starlette")


def loaded_by(code: str) -> set[str]:
    """Run code in a fresh interpreter and give the names of all modules it loaded."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return {line.split(".")[0] for line in run.stdout.splitlines()}


def test_import_momokit_loads_no_http_library() -> None:
    """Who only verifies a webhook pays for no HTTP library."""
    assert loaded_by("import momokit") & {*HTTP_LIBRARIES, *SERVER_LIBRARIES, "asyncio"} == set()


def test_momo_help_loads_neither_http_nor_asgi() -> None:
    """`momo --help` answers at once."""
    code = (
        "import sys; sys.argv = ['momo', '--help']\n"
        "from momokit.cli.main import main\n"
        "import io, contextlib\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    try:\n        main()\n    except SystemExit:\n        pass"
    )

    assert loaded_by(code) & {*HTTP_LIBRARIES, *SERVER_LIBRARIES, "asyncio", "rich"} == set()


def test_the_pytest_plugin_costs_other_projects_nothing() -> None:
    """Being installed beside pytest loads no server and no HTTP library."""
    loaded = loaded_by("import momokit.emulator.pytest_plugin")

    assert loaded & {*HTTP_LIBRARIES, *SERVER_LIBRARIES} == set()


def test_the_import_contracts_are_kept() -> None:
    """The layers in pyproject.toml are the layers in the code."""
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [str(linter), "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=source.ROOT,
        timeout=120,
    )

    assert run.returncode == 0, run.stdout


def test_the_blocking_client_is_fresh() -> None:
    """What is in `_sync` is what `_async` gives."""
    run = subprocess.run(
        [sys.executable, "tools/unasync.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=source.ROOT,
        timeout=120,
    )

    assert run.stderr == ""
    assert run.returncode == 0


def _imports(path: Path) -> set[str]:
    """The modules of ours that a file imports, hidden imports included."""
    own = source.name_of(path)
    package = own if path.stem == "__init__" else own.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(source.tree(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = node.module or ""
            if node.level:
                parts = package.split(".")
                base = parts[: len(parts) - node.level + 1]
                home = ".".join([*base, home] if home else base)
            found.add(home)
            found.update(f"{home}.{alias.name}" for alias in node.names)
    return found


def _circle(graph: dict[str, set[str]]) -> list[str]:
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return trail[trail.index(name) :]
        if name in done:
            return []
        for target in sorted(graph[name]):
            found = visit(target, [*trail, name])
            if found:
                return found
        done.add(name)
        return []

    for name in sorted(graph):
        found = visit(name, [])
        if found:
            return found
    return []


def test_there_is_no_import_circle_hidden_ones_included() -> None:
    """No module needs itself by a detour, not even inside a function or for types alone."""
    names = {source.name_of(path): path for path in source.modules()}
    # The package's own doors re-export; inside the package nobody goes through them.
    doors = {"momokit", "momokit.emulator"}
    graph = {
        name: {target for target in _imports(path) if target in names and target != name}
        for name, path in names.items()
        if name not in doors
    }
    graph = {name: targets - doors for name, targets in graph.items()}

    assert _circle(graph) == []


@pytest.mark.parametrize("path", source.modules(), ids=source.name_of)
def test_inside_the_package_nobody_goes_through_its_door(path: Path) -> None:
    """Import from the defining module, so that circles cannot hide in the root."""
    if source.name_of(path) == "momokit" or "cli" in path.parts:
        pytest.skip("the door itself, and the command, which comes from outside")
    through = [
        node
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.ImportFrom)
        and node.level == 0
        and node.module == "momokit"
        and {alias.name for alias in node.names} - {"__version__"}
    ]

    assert through == []
