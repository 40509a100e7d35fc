"""The schema: what the migrations make, and what the database itself refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, delete, text, update
from sqlalchemy.exc import DBAPIError

from momokit.gateway.store.database import SCHEMA, Database, database_url
from momokit.gateway.store.migrate import head, migrate
from momokit.gateway.store.records import NotUnique
from momokit.gateway.store.schema import metadata
from momokit.gateway.store.store import Store
from momokit.gateway.store.tables import events
from tests.gateway.store.making import accept, new_payment
from tests.gateway.veiled import VEIL

pytestmark = pytest.mark.anyio


def test_the_migrations_make_exactly_the_tables(url: str) -> None:
    """The newest schema and the tables in the code are the same on both databases."""
    database = Database(url)
    with database.reader.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    database.close()
    assert differences == []


def test_migrating_again_does_nothing(url: str) -> None:
    """A database that is up to date is left as it is."""
    migrate(url)
    database = Database(url)
    with database.reader.connect() as connection:
        versions = connection.execute(text("SELECT version_num FROM alembic_version")).all()
    database.close()
    assert len(versions) == 1


async def test_a_migrated_store_is_ready(store: Store) -> None:
    """Readiness is that the database answers and has the schema."""
    assert await store.is_ready()


async def test_a_store_without_a_schema_is_not_ready(tmp_path: Path) -> None:
    """An empty database answers, and is not ready."""
    store = Store(f"sqlite:///{tmp_path / 'empty.db'}", veil=VEIL)
    ready = await store.is_ready()
    store.close()
    assert not ready


def test_the_program_works_with_the_newest_schema() -> None:
    """What readiness compares with is the head of the migrations."""
    assert head() == SCHEMA


@pytest.mark.parametrize("statement", [update(events).values(event="forged"), delete(events)])
async def test_history_is_only_added_to(store: Store, statement: object) -> None:
    """The database refuses to change or to drop a line of history."""
    await accept(store, "a")
    with pytest.raises(DBAPIError, match="history is only added to"):
        await store.write(lambda t: t.connection.execute(statement))  # type: ignore[call-overload]
    story = await store.timeline("pay_a")
    assert story is not None
    assert [event.event for event in story.events] == ["created"]


@pytest.mark.parametrize("column", ["id", "external_id", "reference_id", "callback_token_hash"])
async def test_what_must_be_unique_is_unique(store: Store, column: str) -> None:
    """A second payment with a number of the first is refused by the database, and no other is."""
    first = new_payment("a")
    await store.accept(first, idempotency=None)
    with pytest.raises(NotUnique):
        await store.accept(new_payment("b", **{column: getattr(first, column)}), idempotency=None)
    await accept(store, "c")


def test_sqlite_is_durable_and_strict(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite runs with a write-ahead log, full syncs and foreign keys."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('db') / 'a.db'}")
    with database.writer.connect() as connection:
        found = {name: _pragma(connection, name) for name in EXPECTED}
    database.close()
    assert found == EXPECTED


EXPECTED = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000}


def _pragma(connection: Connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_name_of_postgresql_is_understood(scheme: str) -> None:
    """The driver is ours to choose."""
    assert database_url(f"{scheme}://u@h/d").drivername == "postgresql+psycopg"


def test_other_databases_are_refused() -> None:
    """What we do not test on we do not run on."""
    with pytest.raises(ValueError, match="SQLite or PostgreSQL"):
        database_url("mysql://u@h/d")
