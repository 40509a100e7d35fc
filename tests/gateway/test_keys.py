"""API keys: shown once, stored as a digest, rotated without a gap."""

from __future__ import annotations

from pathlib import Path

import pytest

from momokit.errors import InvalidInput
from momokit.gateway.keys import (
    SCOPES,
    create_key,
    digest,
    make_key,
    recognise,
    rotate_key,
)
from momokit.gateway.store.accounts import list_keys, revoke_key
from momokit.gateway.store.migrate import migrate
from momokit.gateway.store.records import NoSuchRow
from momokit.gateway.store.store import Store
from tests.gateway.store.making import Clock
from tests.gateway.veiled import VEIL

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines on asyncio."""
    return "asyncio"


def test_a_key_says_what_it_is_for_and_tells_nothing_else() -> None:
    """Its beginning names live or test; only a digest of it goes into the store."""
    live = make_key(label="shop", scopes=["read", "collect"], live=True)
    test = make_key(label="shop", scopes=["read"], live=False)
    text = live.text.reveal()

    assert (text[:8], test.text.reveal()[:8]) == ("mk_live_", "mk_test_")
    assert len(text) == len("mk_live_") + 43
    assert live.key.key_hash == digest(text)
    assert live.key.prefix == text[:12]
    assert live.key.scopes == ("collect", "read")
    assert text not in repr(live)
    assert live.text != test.text


@pytest.mark.parametrize("scopes", [[], ["everything"], ["read", "write"]])
def test_scopes_that_there_are_not_are_refused(scopes: list[str]) -> None:
    """A typing error does not make a key that can do nothing, or more than was meant."""
    with pytest.raises(InvalidInput) as caught:
        make_key(label="shop", scopes=scopes, live=True)

    assert caught.value.field == "scopes"
    assert [scope for scope in SCOPES if scope not in caught.value.hint] == []


async def test_a_key_lives_and_ends_by_the_clock_of_the_database(tmp_path: Path) -> None:
    """It is recognised while it is valid; not after its time, revoked, or a letter off."""
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    migrate(url)
    clock = Clock()
    store = Store(url, veil=VEIL, clock=clock)
    new = make_key(label="shop", scopes=["read"], live=True)
    text = new.text.reveal()
    await store.write(lambda t: create_key(t, new, lifetime_seconds=60))
    during = await store.read(lambda t: recognise(t, text))
    other = await store.read(lambda t: recognise(t, text[:-1]))
    clock.advance(61)
    after = await store.read(lambda t: recognise(t, text))
    store.close()

    assert during is not None
    assert during.label == "shop"
    assert (other, after) == (None, None)


async def test_a_rotated_key_overlaps_with_its_successor(tmp_path: Path) -> None:
    """Both work for the time given, then the new one alone, with the same rights."""
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    migrate(url)
    clock = Clock()
    store = Store(url, veil=VEIL, clock=clock)
    old = make_key(label="shop", scopes=["read", "collect"], live=False)
    await store.write(lambda t: create_key(t, old))
    new = await store.write(lambda t: rotate_key(t, old.key.id, overlap_seconds=100))
    texts = (old.text.reveal(), new.text.reveal())
    valid = []
    for seconds in (0, 99, 2):
        clock.advance(seconds)
        found = await store.read(lambda t: [recognise(t, text) for text in texts])
        valid.append([one is not None for one in found])
    rotated = {key.id: key for key in await store.read(list_keys)}[new.key.id]
    with pytest.raises(NoSuchRow):
        await store.write(lambda t: rotate_key(t, old.key.id))
    await store.write(lambda t: revoke_key(t, new.key.id))
    revoked = await store.read(lambda t: recognise(t, texts[1]))
    store.close()

    assert valid == [[True, True], [True, True], [False, True]]
    assert (rotated.label, rotated.scopes) == ("shop", ("collect", "read"))
    assert texts[1].startswith("mk_test_")
    assert revoked is None
