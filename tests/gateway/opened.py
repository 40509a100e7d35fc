"""A fresh store on SQLite and what stands on it, for tests of the gateway's own parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from momokit.gateway.settings import GatewaySettings
from momokit.gateway.start import open_store
from momokit.gateway.store.store import Store
from momokit.settings import Credentials, Settings

HEX = bytes(range(32)).hex()
CANARY = "c0ffee00c0ffee00c0ffee00c0ffee01"
USER = "5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11"


def settings_at(place: Path, **changes: Any) -> GatewaySettings:
    """Give settings for a gateway whose database is in this directory."""
    given: dict[str, Any] = {
        "secret_key": HEX,
        "database_url": f"sqlite:///{place / 'gateway.db'}",
        "port": 0,
        "metrics_port": 0,
    }
    return GatewaySettings(**given | changes)


def client_settings(**changes: Any) -> Settings:
    """Give a client's settings whose every secret is the canary."""
    keys = Credentials(subscription_key=CANARY, api_user=USER, api_key=CANARY)
    given: dict[str, Any] = {"base_url": "http://127.0.0.1:9", "collection": keys}
    return Settings(**given | changes)


@asynccontextmanager
async def opened(place: Path) -> AsyncIterator[Store]:
    """Open a new store in a directory."""
    store = await open_store(settings_at(place), migrates=True)
    try:
        yield store
    finally:
        store.close()
