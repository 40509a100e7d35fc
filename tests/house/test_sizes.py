"""Files and functions stay small enough to be read."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house import source

FORBIDDEN_NAMES = {"utils", "util", "helpers", "common", "manager", "base", "misc"}


def test_no_file_has_more_than_400_lines() -> None:
    """A longer file is a design question."""
    long = {
        str(path.relative_to(source.ROOT)): count
        for path in source.modules()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }

    assert long == {}


def test_no_function_has_more_than_70_lines() -> None:
    """A longer function does more than one thing."""
    long = {
        f"{path.name}:{node.name}": source.length(node)
        for path in source.modules()
        for node in source.functions(path)
        if source.length(node) > 70
    }

    assert long == {}


def test_nine_functions_in_ten_have_at_most_30_lines() -> None:
    """The rule for most functions is stricter than the limit."""
    lengths = sorted(
        source.length(node) for path in source.modules() for node in source.functions(path)
    )

    assert lengths[len(lengths) * 9 // 10] <= 30


def test_no_module_is_a_drawer_for_anything() -> None:
    """Names such as `utils` say nothing about what is inside."""
    drawers = [path.name for path in source.modules() if path.stem in FORBIDDEN_NAMES]

    assert drawers == []


def _lacking_docstrings(path: Path) -> list[str]:
    lacking = [] if ast.get_docstring(source.tree(path)) or not path.stat().st_size else [path.name]
    for node in ast.walk(source.tree(path)):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            public = not node.name.startswith("_")
            if public and ast.get_docstring(node) is None and _is_top_or_method(path, node):
                lacking.append(f"{path.name}:{node.name}")
    return lacking


def _is_top_or_method(path: Path, node: ast.AST) -> bool:
    tops = source.tree(path).body
    members = [
        member
        for top in tops
        if isinstance(top, ast.ClassDef) and not top.name.startswith("_")
        for member in top.body
    ]
    return node in tops or node in members


def test_every_public_name_says_what_it_is_for() -> None:
    """Modules, public classes, functions and methods have docstrings."""
    lacking = [name for path in source.modules() for name in _lacking_docstrings(path)]

    assert lacking == []


def test_every_test_says_what_holds() -> None:
    """Each test has a one-sentence docstring."""
    lacking = [
        f"{path.name}:{node.name}"
        for path in sorted((source.ROOT / "tests").rglob("test_*.py"))
        for node in source.functions(path)
        if node.name.startswith("test_") and ast.get_docstring(node) is None
    ]

    assert lacking == []
