"""Secrets at rest: sealed for one row, opened by one key, changed over without a loss."""

from __future__ import annotations

import pytest

from momokit.errors import ConfigurationError
from momokit.gateway.seal import SealBroken, Sealer

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
CANARY = b"canary-4f1c-api-key-of-nobody"


def test_what_is_sealed_opens_again_and_shows_nothing() -> None:
    """A value comes back as it was, and nothing of it can be read in what is stored."""
    sealer = Sealer(OLD)
    sealed = sealer.seal(CANARY, row_id="acc_1")

    assert sealer.open(sealed, row_id="acc_1") == CANARY
    assert all(CANARY[at : at + 4] not in sealed for at in range(len(CANARY) - 3))
    assert OLD not in sealed
    assert CANARY.decode() not in repr(sealer)


def test_the_same_value_is_never_sealed_alike() -> None:
    """Two rows with the same key cannot be recognised as such."""
    sealer = Sealer(OLD)

    assert sealer.seal(CANARY, row_id="acc_1") != sealer.seal(CANARY, row_id="acc_1")


def test_a_value_opens_in_its_own_row_alone() -> None:
    """Credentials that were copied to another account do not open there."""
    sealer = Sealer(OLD)
    sealed = sealer.seal(CANARY, row_id="acc_1")

    with pytest.raises(SealBroken):
        sealer.open(sealed, row_id="acc_2")


@pytest.mark.parametrize("at", [0, 15, 30, 60, 85, -1])
def test_one_changed_byte_is_noticed(at: int) -> None:
    """Damage anywhere is an error, and never another value."""
    sealer = Sealer(OLD)
    sealed = bytearray(sealer.seal(CANARY, row_id="acc_1"))
    sealed[at] ^= 1

    with pytest.raises(SealBroken):
        sealer.open(bytes(sealed), row_id="acc_1")


@pytest.mark.parametrize("sealed", [b"", b"mk1", b"plain text that was never sealed"])
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    """Plain text in a sealed column is not taken for a value."""
    with pytest.raises(SealBroken):
        Sealer(OLD).open(sealed, row_id="acc_1")


def test_a_former_key_still_opens_and_renewing_ends_its_use() -> None:
    """After the master key was changed, old rows open until they are put under the new one."""
    sealed = Sealer(OLD).seal(CANARY, row_id="acc_1")
    both = Sealer(NEW, previous=[OLD])
    renewed = both.renew(sealed, row_id="acc_1")

    assert both.open(sealed, row_id="acc_1") == CANARY
    assert [both.is_current(one) for one in (sealed, renewed)] == [False, True]
    assert Sealer(NEW).open(renewed, row_id="acc_1") == CANARY


def test_another_key_is_told_as_such() -> None:
    """The wrong master key is a setting to mend, not damage."""
    sealed = Sealer(OLD).seal(CANARY, row_id="acc_1")

    with pytest.raises(ConfigurationError) as caught:
        Sealer(NEW).open(sealed, row_id="acc_1")

    assert caught.value.field == "secret_key"


def test_several_texts_are_sealed_as_one() -> None:
    """An endpoint's secrets keep their order."""
    sealer = Sealer(OLD)
    sealed = sealer.seal_texts("whe_1", ["whsec_new", "whsec_old"])

    assert sealer.open_texts("whe_1", sealed) == ["whsec_new", "whsec_old"]
