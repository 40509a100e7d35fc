"""The databases of the store's tests, for journeys too."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gateway.store.conftest import (
    anyio_backend,
    empty_database,
    empty_sqlite,
    postgres,
    url,
)

__all__ = ["anyio_backend", "empty_sqlite", "postgres", "postgres_url", "sqlite_url", "url"]


@pytest.fixture
def sqlite_url(empty_sqlite: Path, tmp_path: Path) -> str:
    """Give the address of an empty SQLite database with our schema."""
    shutil.copy(empty_sqlite, tmp_path / "gateway.db")
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture
def postgres_url(postgres: Callable[[str], str]) -> str:
    """Give the address of an empty PostgreSQL database with our schema."""
    return empty_database(postgres)
