"""The composition root: each role has its parts, unsafe set-ups do not start, ends are clean."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import create_engine, text

from momokit.errors import ConfigurationError
from momokit.gateway.app import Gateway, account_problems, build
from momokit.gateway.book import new_account
from momokit.gateway.seal import Sealer
from momokit.gateway.serve import listen
from momokit.gateway.start import migrate_database, open_store
from momokit.gateway.store.accounts import add_account, pause_account
from momokit.gateway.store.database import database_url
from momokit.settings import Settings
from tests.gateway.opened import HEX, client_settings, opened, settings_at
from tests.gateway.store.conftest import postgres

__all__ = ["postgres"]

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines on asyncio."""
    return "asyncio"


async def add(place: Path, settings: Settings) -> None:
    """Put an account into the database."""
    account = new_account("shop", settings, sealer=Sealer(bytes.fromhex(HEX)))
    async with opened(place) as store:
        await store.write(lambda t: add_account(t, account))


async def while_running(gateway: Gateway, look: Callable[[], Awaitable[Any]]) -> Any:
    """Run a gateway, look at it, stop it, and let go of it."""
    ready = asyncio.Event()
    running = asyncio.create_task(gateway.run(ready=lambda _: ready.set()))
    await ready.wait()
    try:
        return await look()
    finally:
        gateway.stop()
        await running
        await gateway.close()


async def test_one_process_serves_works_and_ends_in_peace(tmp_path: Path) -> None:
    """From an empty directory: database made and migrated, requests answered, all closed."""
    gateway = await build(settings_at(tmp_path / "data"), "all")

    async def look() -> httpx2.Response:
        async with httpx2.AsyncClient(trust_env=False) as client:
            return await client.get(f"{gateway.base_url}/readyz")

    response = await while_running(gateway, look)

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert (gateway.api is not None, gateway.worker is not None) == (True, True)
    assert "server" not in response.headers


async def test_the_database_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """It holds phone numbers; so do its journal and its copy in shared memory."""
    gateway = await build(settings_at(tmp_path / "data"), "all")
    modes = modes_in(tmp_path / "data", "gateway.db*")
    await gateway.close()

    assert len(modes) >= 2
    assert [
        mode for name, mode in modes.items() if not name.endswith(".lock") and mode & 0o077
    ] == []


def modes_in(place: Path, pattern: str) -> dict[str, int]:
    """Read who may do what with files."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.glob(pattern)}


@pytest.mark.parametrize("role", ["api", "worker"])
async def test_sqlite_is_for_one_process_alone(role: Any, tmp_path: Path) -> None:
    """The parts apart want PostgreSQL, and are told so."""
    with pytest.raises(ConfigurationError) as caught:
        await build(settings_at(tmp_path), role)

    assert caught.value.field == "database_url"
    assert "momo gateway serve" in caught.value.hint


async def test_no_second_gateway_runs_on_the_same_file(tmp_path: Path) -> None:
    """It is refused while the first one lives, and starts after it."""
    settings = settings_at(tmp_path)
    first = await build(settings)
    with pytest.raises(ConfigurationError, match="Another gateway"):
        await build(settings)
    await first.close()
    second = await build(settings)
    await second.close()


async def test_a_database_that_does_not_answer_is_told_without_its_password(
    tmp_path: Path,
) -> None:
    """Nobody listens there; the sentence can be shown to anyone."""
    url = "postgresql://momo:geheim@127.0.0.1:1/momo?connect_timeout=1"
    with pytest.raises(ConfigurationError, match="does not answer") as caught:
        await build(settings_at(tmp_path, database_url=url), "worker")

    assert "geheim" not in str(caught.value)


async def test_an_unmigrated_database_names_the_command_that_mends_it(tmp_path: Path) -> None:
    """A file that is some other database is not worked on."""
    (tmp_path / "gateway.db").touch()
    with pytest.raises(ConfigurationError) as caught:
        await open_store(settings_at(tmp_path))

    assert "momo gateway migrate" in caught.value.hint


async def test_the_parts_apart_run_on_postgresql_once_it_is_migrated(
    postgres: Callable[[str], str],
    tmp_path: Path,
) -> None:
    """A fresh database is refused with the command that mends it; then any number may run."""
    _create_database(postgres("postgres"), "parts")
    settings = settings_at(tmp_path, database_url=postgres("parts"))
    with pytest.raises(ConfigurationError) as caught:
        await build(settings, "api")
    await asyncio.to_thread(migrate_database, settings)
    api, worker, other = [await build(settings, role) for role in ("api", "worker", "worker")]

    async def look() -> int:
        async with httpx2.AsyncClient(trust_env=False) as client:
            return (await client.get(f"{api.base_url}/readyz")).status_code

    async def nothing() -> None:
        return None

    statuses = await asyncio.gather(
        while_running(api, look), while_running(worker, nothing), while_running(other, nothing)
    )

    assert "momo gateway migrate" in caught.value.hint
    assert list(statuses) == [200, None, None]
    assert (api.worker, worker.api) == (None, None)


def _create_database(url: str, name: str) -> None:
    engine = create_engine(database_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()


async def test_a_taken_port_is_told_in_a_sentence(tmp_path: Path) -> None:
    """The setting to change is named, and nothing stays open."""
    with listen("127.0.0.1", 0) as taken:
        settings = settings_at(tmp_path, port=taken.getsockname()[1])
        gateway = await build(settings)
        with pytest.raises(ConfigurationError, match="it is taken") as caught:
            await gateway.run()
        await gateway.close()

    assert caught.value.field == "port"


async def test_metrics_have_a_port_of_their_own(tmp_path: Path) -> None:
    """They are served while the gateway runs, and not by its public API."""
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    gateway = await build(settings_at(tmp_path, metrics_port=port))

    async def look() -> tuple[httpx2.Response, httpx2.Response]:
        async with httpx2.AsyncClient(trust_env=False) as client:
            return (
                await client.get(f"http://127.0.0.1:{port}/metrics"),
                await client.get(f"{gateway.base_url}/metrics"),
            )

    own, public = await while_running(gateway, look)

    assert 'momo_build_info{role="all"' in own.text
    assert public.status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, None),
        ({"public_url": "https://pay.shop.example"}, None),
        ({"public_url": "http://127.0.0.1:8702"}, "public_url"),
        ({"public_url": "https://pay.shop.example:8443"}, "public_url"),
        ({"public_url": "https://203.0.113.9"}, "public_url"),
        ({"webhook_allow_local": True}, "webhook_allow_local"),
    ],
)
async def test_real_money_does_not_start_with_what_is_for_development(
    changes: dict[str, Any], field: str | None, tmp_path: Path
) -> None:
    """An account in production narrows what the settings may be."""
    await add(tmp_path, client_settings(market="uganda", base_url=None))
    found = None
    try:
        gateway = await build(settings_at(tmp_path, **changes))
        await gateway.close()
    except ConfigurationError as error:
        found = error.field

    assert found == field


async def test_a_call_may_not_outlast_its_lease(tmp_path: Path) -> None:
    """A second worker would take the payment up while the first still waits for MTN."""
    await add(tmp_path, client_settings(deadline_seconds=60))
    with pytest.raises(ConfigurationError) as caught:
        await build(settings_at(tmp_path))
    gateway = await build(settings_at(tmp_path, lease_seconds=75))
    problems = list(account_problems(gateway.book, gateway.settings))
    await gateway.close()

    assert caught.value.field == "lease_seconds"
    assert problems == []


async def test_gauges_count_what_is_open_and_paused(tmp_path: Path) -> None:
    """An account that sends nothing shows up before anyone complains."""
    await add(tmp_path, client_settings())
    gateway = await build(settings_at(tmp_path))
    account = gateway.book.account(None)
    await gateway.store.write(lambda t: pause_account(t, account.id, reason="wait"))
    await gateway.refresh_book()
    await gateway.refresh_gauges()
    text = gateway.metrics.render().decode()
    await gateway.close()

    assert 'momo_accounts_paused{country="sandbox"} 1.0' in text


async def test_an_account_added_meanwhile_that_does_not_suit_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Real money arriving in a gateway set up for development is said in the log."""
    gateway = await build(settings_at(tmp_path, webhook_allow_local=True))
    told = client_settings(market="uganda", base_url=None)
    account = new_account("shop", told, sealer=Sealer(bytes.fromhex(HEX)))
    await gateway.store.write(lambda t: add_account(t, account))
    await gateway.refresh_book()
    await gateway.refresh_book()
    await gateway.close()

    assert caplog.text.count("settings do not suit an account") == 1
