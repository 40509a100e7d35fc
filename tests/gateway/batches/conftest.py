"""A desk at which batches are made, approved and run, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.gateway.batches.making import Desk
from tests.gateway.store.conftest import anyio_backend, clock, empty_sqlite, postgres, url
from tests.gateway.store.making import Clock

__all__ = ["anyio_backend", "clock", "empty_sqlite", "postgres", "url"]


@pytest.fixture
async def desk(url: str, clock: Clock) -> AsyncIterator[Desk]:
    """Give a desk with one account in Uganda."""
    desk = Desk(url, clock)
    await desk.open()
    yield desk
    desk.close()
