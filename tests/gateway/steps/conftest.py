"""The databases and the clock of the store's tests, for steps too."""

from tests.gateway.store.conftest import anyio_backend, clock, empty_sqlite, postgres, store, url

__all__ = ["anyio_backend", "clock", "empty_sqlite", "postgres", "store", "url"]
