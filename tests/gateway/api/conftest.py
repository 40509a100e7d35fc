"""A gateway's API on a real SQLite store."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from momokit.gateway.store.migrate import migrate
from momokit.gateway.store.store import Store
from tests.gateway.api.making import Shop
from tests.gateway.veiled import VEIL


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines on asyncio, which the store is made for."""
    return "asyncio"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one SQLite database with our schema, to be copied."""
    path = tmp_path_factory.mktemp("api") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
async def store(empty_database: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """Give an empty store."""
    shutil.copy(empty_database, tmp_path / "gateway.db")
    store = Store(f"sqlite:///{tmp_path / 'gateway.db'}", veil=VEIL)
    yield store
    store.close()


@pytest.fixture
async def shop(store: Store) -> AsyncIterator[Shop]:
    """Give an API with two accounts."""
    shop = Shop(store)
    await shop.open()
    yield shop
    await shop.close()
