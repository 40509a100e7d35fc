"""Bringing a database to the present schema, from inside the program."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from momokit.gateway.store.data_keys import Wrap
from momokit.gateway.store.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(url: str, *, wrap: Wrap | None = None, to: str = "head") -> None:
    """Bring a database to the present schema, or to one on the way; nothing is done when it is
    there.

    Several processes may do this at the same time: one works, the others wait. `wrap`, the secret
    key, is needed where an early version left payments in clear: they are sealed on the way.
    """
    database = Database(url, writers=1)
    try:
        with database.writer.begin() as connection:
            if not database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(6066606)"))
            config = _config(connection)
            config.attributes["wrap"] = wrap
            command.upgrade(config, to)
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
