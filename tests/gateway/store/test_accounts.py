"""Accounts, API keys and endpoints: kept, changed, ended."""

from __future__ import annotations

import pytest

from momokit.gateway.store import accounts
from momokit.gateway.store.accounts import ApiKey
from momokit.gateway.store.records import NoSuchRow, NotUnique
from momokit.gateway.store.store import Store
from tests.gateway.store.making import START, Clock, add_account, add_endpoint

pytestmark = pytest.mark.anyio


def _key(name: str, **changes: object) -> ApiKey:
    fields: dict[str, object] = {
        "id": f"key_{name}", "label": name, "prefix": "mk_live_ab", "key_hash": f"hash-{name}",
        "scopes": ("collect", "read"),
    }  # fmt: skip
    return ApiKey(**fields | changes)  # type: ignore[arg-type]


async def test_accounts_are_kept_and_changed(store: Store) -> None:
    """What is put in comes out, and changes hold."""
    changes = {"settings": {"limit": 5}, "credentials_sealed": b"new"}
    changed = await store.write(lambda t: accounts.change_account(t, "acc_1", changes))
    assert await store.read(accounts.list_accounts) == [changed]
    assert (changed.settings, changed.credentials_sealed) == ({"limit": 5}, b"new")
    assert changed.created_at == START


async def test_an_account_is_there_once(store: Store) -> None:
    """A second one of the same name is refused, and one that is not there cannot be changed."""
    with pytest.raises(NotUnique):
        await add_account(store, "acc_1")
    with pytest.raises(NoSuchRow):
        await store.write(lambda t: accounts.change_account(t, "acc_9", {"market": "ghana"}))


async def test_a_key_is_valid_until_it_ends(store: Store, clock: Clock) -> None:
    """A key is found by its digest until its time is over or it is revoked."""
    await store.write(lambda t: accounts.add_key(t, _key("a", expires_at=START + 10)))
    await store.write(lambda t: accounts.add_key(t, _key("b")))
    found = await store.read(lambda t: accounts.find_key(t, "hash-a"))
    clock.advance(10)
    await store.write(lambda t: accounts.revoke_key(t, "key_b"))
    ended = [
        await store.read(lambda t: accounts.find_key(t, "hash-a")),
        await store.read(lambda t: accounts.find_key(t, "hash-b")),
    ]
    assert found is not None
    assert (found.id, found.scopes, ended) == ("key_a", ("collect", "read"), [None, None])
    assert len(await store.read(accounts.list_keys)) == 2


async def test_a_key_is_rotated_by_giving_it_an_end(store: Store, clock: Clock) -> None:
    """An old key goes on for a while beside the new one."""
    await store.write(lambda t: accounts.add_key(t, _key("a")))
    await store.write(lambda t: accounts.change_key(t, "key_a", expires_at=START + 60))
    before = await store.read(lambda t: accounts.find_key(t, "hash-a"))
    clock.advance(60)
    after = await store.read(lambda t: accounts.find_key(t, "hash-a"))
    assert (before is not None, after) == (True, None)


async def test_the_use_of_a_key_is_noted_to_the_minute(store: Store, clock: Clock) -> None:
    """A busy key does not cause a write for every request."""
    await store.write(lambda t: accounts.add_key(t, _key("a")))
    used = []
    for seconds in (0, 30, 31):
        clock.advance(seconds)
        await store.write(lambda t: accounts.touch_keys(t, ["key_a"]))
        [key] = await store.read(accounts.list_keys)
        used.append(key.last_used_at)
    assert used == [START, START, START + 61]


async def test_endpoints_are_kept_and_changed(store: Store) -> None:
    """What is put in comes out, and changes hold."""
    await add_endpoint(store, "end_1", "payment.failed")
    changes = {"event_filter": ["payment.successful"], "secrets_sealed": b"two"}
    changed = await store.write(lambda t: accounts.change_endpoint(t, "end_1", changes))
    assert await store.read(accounts.list_endpoints) == [changed]
    assert changed.event_filter == ("payment.successful",)


def test_secrets_are_not_shown() -> None:
    """Neither a digest nor what is sealed appears where values are printed."""
    assert "hash-a" not in repr(_key("a"))
