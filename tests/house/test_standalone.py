"""The project stands on its own: it names no place it was made in and keeps no secrets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.house import source

# Put together so that this file does not name them itself.
PLACES = [re.compile(rf"/{place}\b") for place in ("work", "opt/wheels", "opt/pypi")]
SHARED = ".." + "/shared"
KEY_LIKE = re.compile(r"(?i)\b(?:primary|subscription|api)[_-]?key\W{1,4}[0-9a-f]{32}\b")


def _files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], capture_output=True, text=True, check=False, cwd=source.ROOT
    ).stdout
    names = [name for name in listed.split("\0") if name]
    paths = [source.ROOT / name for name in names] or list(source.PACKAGE.rglob("*"))
    return [path for path in paths if path.is_file() and path.name != "uv.lock"]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_nothing_names_the_place_it_was_made_in() -> None:
    """No path of a workshop in anything that is shipped."""
    naming = [
        str(path.relative_to(source.ROOT))
        for path in _files()
        if any(place.search(_text(path)) for place in PLACES)
    ]

    assert naming == []


def test_only_tests_look_for_mtn_documents_beside_the_project() -> None:
    """Source, docs and tools do not depend on them."""
    looking = [
        str(path.relative_to(source.ROOT))
        for path in _files()
        if SHARED in _text(path) and "tests" not in path.relative_to(source.ROOT).parts
    ]

    assert looking == []


def test_no_key_is_kept_in_the_repository() -> None:
    """Nothing that looks like a real subscription or API key."""
    keeping = [
        str(path.relative_to(source.ROOT))
        for path in _files()
        if KEY_LIKE.search(_text(path)) and "tests" not in path.parts
    ]

    assert keeping == []
