"""The two databases behind one face: engines, their settings, and the database's clock."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL

from momokit.gateway.store.veil import Veil

CHANNEL = "momokit_work"
"""The name under which PostgreSQL tells other processes that something is due."""

SCHEMA = "0007"
"""The schema this version of the program works with: the newest of the migrations."""

BUSY_TIMEOUT_SECONDS = 10.0
READERS = 4

_CLOCKS = {
    "sqlite": text("SELECT (julianday('now') - 2440587.5) * 86400.0"),
    "postgresql": text("SELECT extract(epoch FROM clock_timestamp())::float8"),
}


# In one order, so that two who lock the same names do not wait for each other.
_LOCK = text(
    "SELECT pg_advisory_xact_lock(number) FROM (SELECT DISTINCT hashtextextended(name, 0) AS number"
    " FROM unnest(CAST(:names AS text[])) AS name ORDER BY number) AS numbers"
)


class Transaction:
    """What one unit of work has: a connection, the time it runs at, a veil and a bell to ring.

    Whatever it writes of people goes through `veil`, and comes out through it.
    """

    __slots__ = ("connection", "now", "veil", "woken")

    def __init__(self, connection: Connection, *, now: float, veil: Veil) -> None:
        self.connection = connection
        self.now = now
        self.veil = veil
        self.woken = False

    def wake(self) -> None:
        """Tell the workers, once this is committed, that something is due."""
        self.woken = True

    def lock(self, *names: str) -> None:
        """Let nobody else who locks one of these names go on before this transaction ends.

        On SQLite there is one writer at a time anyway.
        """
        if names and self.connection.dialect.name == "postgresql":
            self.connection.execute(_LOCK, {"names": list(names)})


class Database:
    """Engines for one database: writers and readers apart, and the clock both go by.

    Without a veil there are no transactions to be had, only connections: to migrate by.
    """

    def __init__(
        self,
        url: str,
        *,
        veil: Veil | None = None,
        clock: Callable[[], float] | None = None,
        writers: int = 2,
    ) -> None:
        self._veil = veil
        self.url = database_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.writer_count = 1 if self.is_sqlite else writers
        self.writer = _engine(self.url, size=self.writer_count, begin="BEGIN IMMEDIATE")
        # One more than there are reading threads: it listens.
        self.reader = _engine(self.url, size=READERS + 1, begin="BEGIN")
        self._clock = clock

    def now(self, connection: Connection) -> float:
        """Give the time that everything in this database is measured by."""
        if self._clock is not None:
            return self._clock()
        return float(connection.execute(_CLOCKS[connection.dialect.name]).scalar_one())

    def transaction(self, connection: Connection) -> Transaction:
        """Begin one unit of work, or many, at the present time."""
        if self._veil is None:
            raise RuntimeError("This database was opened without its data keys.")
        return Transaction(connection, now=self.now(connection), veil=self._veil)

    def backup(self, path: Path, *, mark: Callable[[Any], None]) -> None:
        """Copy a SQLite database to a file while it is in use.

        The copy has its name only once it is whole and `mark` has seen to it.
        """
        if not self.is_sqlite:
            raise ValueError("PostgreSQL is backed up with its own tools, such as pg_dump.")
        import sqlite3

        partial = path.with_name(f"{path.name}.partial")
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with self.reader.connect() as connection, closing(sqlite3.connect(partial)) as copy:
            source: Any = connection.connection.driver_connection
            source.backup(copy)
            mark(copy)
        partial.replace(path)

    def close(self) -> None:
        """Let go of every connection."""
        self.writer.dispose()
        self.reader.dispose()


def database_url(url: str) -> URL:
    """Read a database's address, and name the driver we use for it."""
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in _CLOCKS:
        raise ValueError(f"{parsed.drivername} is not a database we know: SQLite or PostgreSQL.")
    return parsed


def is_migrated(connection: Connection) -> bool:
    """Tell whether a database has the schema that this version of the program needs."""
    # Read by hand, so that a running gateway does not load the tools of migration.
    if not inspect(connection).has_table("alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars()
    return list(found) == [SCHEMA]


def insert_unless_there(connection: Connection, table: Table) -> Any:
    """Begin an INSERT that leaves a row alone which is there already (to be found by RETURNING)."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def _engine(url: URL, *, size: int, begin: str) -> Engine:
    if url.get_backend_name() != "sqlite":
        engine = create_engine(
            url, pool_size=size, max_overflow=0, pool_pre_ping=True, hide_parameters=True
        )
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    engine = create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    # A payment is promised once it is committed: a server that answers before the commit is on
    # disk is told to wait. A stronger setting, which waits for a standby too, is left as it is.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') = 'off'"
        )
    connection.commit()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would open transactions of its own, and late: a writer must hold the lock from
    # the start, or two that read before they write would refuse each other.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
