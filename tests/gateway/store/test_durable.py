"""Power loss: what was acknowledged had been synced, and what had not is dropped whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from momokit.gateway.core.payment import Work
from momokit.gateway.store.database import Database, database_url
from momokit.gateway.store.store import Store
from tests.gateway.store.making import Clock, accept, add_account
from tests.gateway.veiled import VEIL

pytestmark = pytest.mark.anyio


def test_fm_19_a_commit_is_on_disk_before_it_is_answered(url: str) -> None:
    """Whatever the server's own setting is: WAL and full syncs here, synchronous commits there."""
    if url.startswith("postgresql"):
        _set_default(url, "off")
    database = Database(url)
    try:
        with database.writer.begin() as connection:
            if database.is_sqlite:
                found = [
                    connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                    for name in ("journal_mode", "synchronous")
                ]
                expected = ["wal", 2]
            else:
                found = [connection.execute(text("SHOW synchronous_commit")).scalar_one()]
                expected = ["on"]
    finally:
        database.close()
        if url.startswith("postgresql"):
            _set_default(url, "on")

    assert found == expected


@pytest.mark.parametrize("torn", [b"", b"\0" * 4096, b"torn" * 777])
async def test_fm_19_a_tail_that_was_not_synced_is_dropped_whole(
    empty_sqlite: Path, tmp_path: Path, torn: bytes
) -> None:
    """As after a power cut: of each copy made when a payment was acknowledged, with a torn page
    behind it, all that was acknowledged comes back, and the work goes on."""
    path = tmp_path / "gateway.db"
    shutil.copy(empty_sqlite, path)
    store = Store(f"sqlite:///{path}", veil=VEIL, clock=Clock())
    await add_account(store, "acc_1")
    names = [f"p{number}" for number in range(5)]
    for number, name in enumerate(names):
        await accept(store, name)
        place = tmp_path / f"after-{number}"
        place.mkdir()
        shutil.copy(path, place)
        (place / "gateway.db-wal").write_bytes(path.with_name("gateway.db-wal").read_bytes() + torn)
    store.close()

    for number in range(len(names)):
        again = Store(
            f"sqlite:///{tmp_path / f'after-{number}' / 'gateway.db'}", veil=VEIL, clock=Clock()
        )
        claimed = await again.claim(Work.SUBMIT, limit=10, lease_seconds=30)
        sound = await again.read(
            lambda t: t.connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
        )
        again.close()
        assert sorted(one.id for one in claimed) == [f"pay_{name}" for name in names[: number + 1]]
        assert sound == "ok"


def _set_default(url: str, value: str) -> None:
    engine = create_engine(database_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER ROLE CURRENT_USER SET synchronous_commit = {value}"))
    engine.dispose()
