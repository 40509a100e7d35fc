"""The veil: what it seals opens in its place alone, and what it digests tells nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from momokit.errors import ConfigurationError
from momokit.gateway.seal import Sealer
from momokit.gateway.store.data_keys import open_veil, renew_data_keys
from momokit.gateway.store.database import Database
from momokit.gateway.store.store import Store
from momokit.gateway.store.veil import Veil, VeilBroken
from tests.gateway.store.making import START
from tests.gateway.veiled import VEIL

NUMBER = "256772987654"
PLACE = "payments pay_a"
OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def test_what_is_sealed_opens_in_its_place_and_shows_nothing() -> None:
    """A value comes back as it was, from its own row alone, and nothing of it can be read."""
    sealed = VEIL.seal(NUMBER.encode(), place=PLACE)

    assert VEIL.open(sealed, place=PLACE) == NUMBER.encode()
    assert [word in sealed for word in (NUMBER.encode(), base64.b64encode(NUMBER.encode()))] == [
        False,
        False,
    ]
    with pytest.raises(VeilBroken):
        VEIL.open(sealed, place="payments pay_b")


@pytest.mark.parametrize("at", [0, 1, 3, 18, 19, 30, 31, -1])
def test_a_changed_byte_is_noticed(at: int) -> None:
    """Damage anywhere is an error, and never another value."""
    sealed = bytearray(VEIL.seal(b"a value", place=PLACE))
    sealed[at] ^= 1

    with pytest.raises(VeilBroken):
        VEIL.open(bytes(sealed), place=PLACE)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01\x00\x02", b"plain text, never sealed" * 4])
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    """Plain text in a sealed column is not taken for a value."""
    with pytest.raises(VeilBroken):
        VEIL.open(sealed, place=PLACE)


def test_another_process_with_the_same_keys_opens_it() -> None:
    """What one worker sealed every other opens, though each seals under a key of its own."""
    keys = {"keys": {2: OLD}, "look_up_key": NEW}
    one, other = Veil(**keys), Veil(**keys)  # type: ignore[arg-type]
    sealed = one.seal(b"a value", place=PLACE)

    assert sealed[:19] != other.seal(b"a value", place=PLACE)[:19]
    assert other.open(sealed, place=PLACE) == b"a value"


def test_a_derived_key_is_left_before_it_wears_out() -> None:
    """After so many values the next one has another salt, and all of them open."""
    veil = Veil(keys={2: OLD}, look_up_key=NEW, seals_per_salt=3)
    sealed = [veil.seal(b"a value", place=PLACE) for _ in range(7)]

    assert len({one[:19] for one in sealed}) == 3
    assert len({one[19:31] for one in sealed}) == 7
    assert {veil.open(one, place=PLACE) for one in sealed} == {b"a value"}


def test_threads_share_one_veil() -> None:
    """Writers and readers seal and open at the same time."""
    veil = Veil(keys={2: OLD}, look_up_key=NEW, seals_per_salt=10)

    def go(number: int) -> bool:
        plain = f"value {number}".encode()
        return veil.open(veil.seal(plain, place=PLACE), place=PLACE) == plain

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(go, range(400)))


def test_an_older_data_key_still_opens() -> None:
    """The highest key seals; the ones before it open what they sealed."""
    before = Veil(keys={2: OLD}, look_up_key=NEW).seal(b"a value", place=PLACE)
    after = Veil(keys={2: OLD, 3: NEW}, look_up_key=NEW)

    assert after.open(before, place=PLACE) == b"a value"
    assert after.seal(b"a value", place=PLACE)[:3] == b"\x01\x00\x03"


def test_a_digest_finds_again_and_takes_the_key() -> None:
    """Equal values of one sort are alike; without the key nobody finds the number behind one."""
    other = Veil(keys={2: OLD}, look_up_key=OLD)

    assert VEIL.digest("party", NUMBER) == VEIL.digest("party", NUMBER)
    assert VEIL.digest("party", NUMBER) != VEIL.digest("callback", NUMBER)
    assert VEIL.digest("party", NUMBER) != other.digest("party", NUMBER)


def test_a_veil_shows_no_key() -> None:
    """Neither its text nor what it is made of shows in a traceback."""
    shown = repr(Veil(keys={2: OLD}, look_up_key=NEW))

    assert shown == "Veil(key=2, …)"


@pytest.fixture
def opener(url: str) -> Callable[[Sealer], Veil]:
    """Give what opens the data keys of a database under a secret key."""

    def open_with(sealer: Sealer) -> Veil:
        database = Database(url)
        try:
            with database.writer.begin() as connection:
                return open_veil(connection, sealer, now=START)
        finally:
            database.close()

    return open_with


def test_data_keys_are_made_once(opener: Callable[[Sealer], Veil]) -> None:
    """Whoever opens the database later has the keys of whoever opened it first."""
    first, later = opener(Sealer(OLD)), opener(Sealer(OLD))
    sealed = first.seal(b"a value", place=PLACE)

    assert later.open(sealed, place=PLACE) == b"a value"
    assert later.digest("party", NUMBER) == first.digest("party", NUMBER)


def test_many_processes_that_start_together_have_the_same_keys(
    opener: Callable[[Sealer], Veil],
) -> None:
    """Of several that find none, one makes them."""
    with ThreadPoolExecutor(6) as threads:
        veils = list(threads.map(opener, [Sealer(OLD)] * 6))

    assert len({veil.digest("party", NUMBER) for veil in veils}) == 1
    sealed = veils[0].seal(b"a value", place=PLACE)
    assert [veil.open(sealed, place=PLACE) for veil in veils] == [b"a value"] * 6


def test_the_wrong_secret_key_is_told_as_such(opener: Callable[[Sealer], Veil]) -> None:
    """Another secret key is a setting to mend, and makes no second set of data keys."""
    first = opener(Sealer(OLD))
    with pytest.raises(ConfigurationError) as caught:
        opener(Sealer(NEW))

    assert caught.value.field == "secret_key"
    assert opener(Sealer(OLD)).digest("party", NUMBER) == first.digest("party", NUMBER)


@pytest.mark.anyio
async def test_a_new_secret_key_means_two_rows_sealed_anew(
    opener: Callable[[Sealer], Veil], url: str
) -> None:
    """After the change the former key opens nothing, and what was sealed before still opens."""
    veil = opener(Sealer(OLD))
    sealed = veil.seal(b"a value", place=PLACE)
    both = Sealer(NEW, previous=[OLD])
    store = Store(url, veil=opener(both))
    counts = [await store.write(lambda t: renew_data_keys(t, both)) for _ in range(2)]
    store.close()

    assert counts == [2, 0]
    assert opener(Sealer(NEW)).open(sealed, place=PLACE) == b"a value"
    with pytest.raises(ConfigurationError):
        opener(Sealer(OLD))
