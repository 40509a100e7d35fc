"""Secrets: shown by `reveal()` alone."""

from __future__ import annotations

import copy
import logging
import pickle

import pytest

from momokit import Secret


def test_only_reveal_shows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Not repr, str, format, a container, a log or an exception."""
    secret = Secret("hunter2")
    with caplog.at_level(logging.INFO):
        logging.getLogger("x").info("%s %r", secret, secret)
    shown = f"{secret} {secret!r} {secret!s} {[secret]} {ValueError(secret)!r} {caplog.text}"
    assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"


def test_a_secret_of_a_secret_is_the_same() -> None:
    """Wrapping twice does no harm."""
    assert Secret(Secret("a")) == Secret("a")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a") != "a"


def test_an_empty_secret_is_false() -> None:
    """So that `if key:` reads as for a text."""
    assert not Secret("")
    assert Secret("a")


def test_a_secret_does_not_leave_the_process() -> None:
    """Pickling would write it in the clear."""
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret("hunter2"))
    with pytest.raises(TypeError):
        copy.deepcopy(Secret("hunter2"))


def test_a_secret_has_no_open_attributes() -> None:
    """`vars()` of an object that holds one shows nothing either."""
    assert not hasattr(Secret("hunter2"), "__dict__")
