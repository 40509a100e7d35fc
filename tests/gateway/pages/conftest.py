"""The databases of the store's tests, for the pages too."""

from __future__ import annotations

from tests.gateway.journeys.conftest import sqlite_url
from tests.gateway.store.conftest import anyio_backend, clock, empty_sqlite, postgres, store, url

__all__ = ["anyio_backend", "clock", "empty_sqlite", "postgres", "sqlite_url", "store", "url"]
