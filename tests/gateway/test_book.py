"""The book of accounts: found by name, credentials opened, changes noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from momokit.errors import ConfigurationError, InvalidInput
from momokit.gateway.book import AccountBook, columns_of, new_account
from momokit.gateway.seal import Sealer
from momokit.gateway.store.accounts import add_account, change_account, pause_account
from momokit.gateway.store.store import Store
from momokit.secret import Secret
from momokit.settings import Settings
from tests.gateway.opened import CANARY, HEX, client_settings, opened

pytestmark = pytest.mark.anyio
SEALER = Sealer(bytes.fromhex(HEX))


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines on asyncio."""
    return "asyncio"


async def add(store: Store, name: str, settings: Settings) -> str:
    """Add an account and give its id."""
    account = new_account(name, settings, sealer=SEALER)
    await store.write(lambda t: add_account(t, account))
    return account.id


def files_in(place: Path) -> bytes:
    """Read the database's file and its journal."""
    return b"".join(path.read_bytes() for path in place.iterdir())


async def test_an_account_comes_back_with_its_credentials_opened(tmp_path: Path) -> None:
    """What was stored sealed is what a client is made with."""
    told = client_settings(
        proxy=f"http://me:{CANARY}@proxy.example:3128", deadline_seconds=12.0, clean_notes=True
    )
    async with opened(tmp_path) as store:
        account_id = await add(store, "shop", told)
        book = AccountBook(store, SEALER)
        await book.load()
        found = book.settings_of(account_id)
        forms = book.forms_of(account_id)

    keys = found.credentials("collection")
    assert Secret(keys.api_key).reveal() == CANARY
    assert keys.subscription_keys == (Secret(CANARY),)
    assert (found.host_url, found.deadline_seconds) == ("http://127.0.0.1:9", 12.0)
    assert found.proxy == told.proxy
    assert (forms.market, forms.clean_notes, forms.trusts_callback_urls) == (told.place, True, True)


async def test_no_canary_is_in_the_database(tmp_path: Path) -> None:
    """Neither the file nor its journal holds a key in the clear."""
    async with opened(tmp_path) as store:
        await add(store, "shop", client_settings(proxy=f"http://me:{CANARY}@proxy.example:3128"))
        written = files_in(tmp_path)

    assert b"shop" in written
    assert CANARY.encode() not in written


async def test_accounts_are_found_by_name_by_id_and_alone(tmp_path: Path) -> None:
    """No name will do while there is one account; with two it must be said."""
    async with opened(tmp_path) as store:
        book = AccountBook(store, SEALER)
        await book.load()
        with pytest.raises(InvalidInput, match="no account yet"):
            book.account(None)
        account_id = await add(store, "shop", client_settings())
        await book.refresh()
        found = [book.account(name).id for name in (None, "shop", account_id)]
        await add(store, "other", client_settings())
        await book.refresh()
        names = [account.name for account in book.accounts]
        with pytest.raises(InvalidInput, match="several"):
            book.account(None)
        with pytest.raises(InvalidInput, match="no such account"):
            book.account("nobody")

    assert found == [account_id] * 3
    assert names == ["other", "shop"]


async def test_refreshing_names_only_accounts_whose_clients_are_out_of_date(tmp_path: Path) -> None:
    """New keys want a new client; a pause or a new neighbour does not."""
    async with opened(tmp_path) as store:
        account_id = await add(store, "shop", client_settings())
        book = AccountBook(store, SEALER)
        await book.load()
        await add(store, "other", client_settings())
        await store.write(lambda t: pause_account(t, account_id, reason="wait"))
        unchanged = await book.refresh()
        paused = book.account("shop").paused_reason
        changes = columns_of(client_settings(deadline_seconds=9.0), account_id, sealer=SEALER)
        await store.write(lambda t: change_account(t, account_id, changes))
        changed = await book.refresh()

    assert (unchanged, paused) == (set(), "wait")
    assert changed == {account_id}
    assert book.settings_of(account_id).deadline_seconds == 9.0


async def test_the_wrong_secret_key_is_noticed_when_accounts_are_loaded(tmp_path: Path) -> None:
    """A gateway with another key does not start and fail later, payment by payment."""
    async with opened(tmp_path) as store:
        await add(store, "shop", client_settings())
        with pytest.raises(ConfigurationError) as caught:
            await AccountBook(store, Sealer(bytes(range(1, 33)))).load()

    assert caught.value.field == "secret_key"


async def test_one_account_that_does_not_open_holds_up_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A row sealed with another key is told in the log and stays as it was; the rest goes on."""
    stranger = Sealer(bytes(range(1, 33)))
    async with opened(tmp_path) as store:
        account_id = await add(store, "shop", client_settings())
        book = AccountBook(store, SEALER)
        await book.load()
        changes = columns_of(client_settings(), account_id, sealer=stranger)
        await store.write(lambda t: change_account(t, account_id, changes))
        await add(store, "other", client_settings())
        changed = await book.refresh()

    assert changed == set()
    assert [account.name for account in book.accounts] == ["other", "shop"]
    assert "cannot be opened" in caplog.text
    assert CANARY not in caplog.text
