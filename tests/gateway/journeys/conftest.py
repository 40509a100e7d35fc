"""The databases of the store's tests, for journeys too."""

from tests.gateway.store.conftest import empty_sqlite, postgres, url

__all__ = ["empty_sqlite", "postgres", "url"]
