"""Opening the gateway's database: made when it is a file, refused when it is not ready."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from momokit.errors import ConfigurationError
from momokit.gateway.seal import Sealer
from momokit.gateway.settings import GatewaySettings
from momokit.gateway.store.data_keys import open_veil
from momokit.gateway.store.database import Database, is_migrated
from momokit.gateway.store.migrate import migrate
from momokit.gateway.store.space import DiskGate
from momokit.gateway.store.store import Store
from momokit.gateway.store.veil import Veil


def sqlite_file(settings: GatewaySettings) -> Path:
    """Name the file of the one-machine database."""
    return Path(make_url(settings.database_url).database or "")


def is_missing(settings: GatewaySettings) -> bool:
    """Tell whether the one-machine database is still to be made."""
    if not settings.is_sqlite:
        return False
    path = sqlite_file(settings)
    return not path.exists() or path.stat().st_size == 0


def make_sqlite_file(settings: GatewaySettings) -> None:
    """Make the database's file, which only its owner can read: it holds phone numbers."""
    path = sqlite_file(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigurationError(
            f"The database {path} cannot be opened: {error.strerror}.", field="database_url"
        ) from None


def claim_sqlite(settings: GatewaySettings) -> IO[Any]:
    """Let no second gateway run on the same file; close what is given to end that."""
    make_sqlite_file(settings)
    path = sqlite_file(settings)
    lock = open(path.with_name(f"{path.name}.lock"), "a")  # noqa: SIM115 - held while we run
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise ConfigurationError(
            f"Another gateway runs on {path}.",
            field="database_url",
            hint="SQLite is for one process. For several, use PostgreSQL.",
        ) from None
    return lock


def disk_gate(settings: GatewaySettings) -> DiskGate:
    """Watch the disk of the one-machine database."""
    return DiskGate(
        sqlite_file(settings).absolute().parent,
        least_percent=settings.storage_free_percent,
        least_bytes=settings.storage_free_mebibytes << 20,
    )


async def open_store(
    settings: GatewaySettings,
    *,
    migrates: bool = False,
    clock: Callable[[], float] | None = None,
) -> Store:
    """Open the database, brought to the present schema when `migrates`; its own clock rules.

    Raises ConfigurationError when it does not answer, waits for `momo gateway migrate`, or was
    sealed with another secret key.
    """
    if is_missing(settings) and not migrates:
        raise ConfigurationError(
            f"There is no database {settings.database_shown} yet.",
            field="database_url",
            hint="momo gateway migrate makes it; so does momo gateway serve.",
        )
    try:
        if migrates:
            await asyncio.to_thread(migrate_database, settings)
        veil = await asyncio.to_thread(_open_veil, settings)
    except OperationalError:
        raise _unreachable(settings) from None
    return Store(settings.database_url, veil=veil, writers=settings.database_writers, clock=clock)


def migrate_database(settings: GatewaySettings) -> None:
    """Bring the database to the present schema."""
    if settings.is_sqlite:
        make_sqlite_file(settings)
    try:
        migrate(settings.database_url, wrap=sealer_of(settings))
    except OperationalError:
        raise _unreachable(settings) from None


def sealer_of(settings: GatewaySettings) -> Sealer:
    """Give what seals and opens under the gateway's secret key."""
    return Sealer(settings.key, previous=settings.previous_keys)


def _open_veil(settings: GatewaySettings) -> Veil:
    with (
        closing(Database(settings.database_url, writers=1)) as database,
        database.writer.begin() as connection,
    ):
        if not is_migrated(connection):
            raise ConfigurationError(
                f"The database {settings.database_shown} has not the schema of this version.",
                field="database_url",
                hint="Bring it there with: momo gateway migrate",
            )
        return open_veil(connection, sealer_of(settings), now=database.now(connection))


def _unreachable(settings: GatewaySettings) -> ConfigurationError:
    return ConfigurationError(
        f"The database {settings.database_shown} does not answer.",
        field="database_url",
        hint="Look whether it runs, and whether user and password are right.",
    )
