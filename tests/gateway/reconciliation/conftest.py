"""The store's databases, for reconciliation."""

from __future__ import annotations

from tests.gateway.store.conftest import (
    anyio_backend,
    clock,
    empty_sqlite,
    postgres,
    store,
    url,
)

__all__ = ["anyio_backend", "clock", "empty_sqlite", "postgres", "store", "url"]
