"""Bringing a database to the present schema, from inside the program."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from momokit.gateway.store.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(url: str) -> None:
    """Bring a database to the present schema; nothing is done when it is there.

    Several processes may do this at the same time: one works, the others wait.
    """
    database = Database(url, writers=1)
    try:
        with database.writer.begin() as connection:
            if not database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(6066606)"))
            command.upgrade(_config(connection), "head")
    finally:
        database.close()


def head() -> str | None:
    """Name the newest schema."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
