"""The tree of errors: what each says, and that each survives a process boundary."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from momokit import errors
from momokit.errors import (
    AlreadyExists,
    ConfigurationError,
    InvalidInput,
    MissingExtra,
    MomoError,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Refused,
    SignatureError,
    Unavailable,
)

REFERENCE_ID = "0b5cbd2e-3f3b-4f0e-8f4e-0d2a4c1f9b01"
DETAILS: dict[str, Any] = {
    "hint": "Ask first.",
    "operation": "RequesttoPay",
    "reference_id": REFERENCE_ID,
    "status": 500,
    "code": "NOT_ALLOWED",
    "detail": "no",
    "attempts": 3,
}
PROVIDER_ERRORS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ProviderError)
]


def some_errors() -> list[MomoError]:
    """Make one of each kind."""
    return [
        *(kind("It failed.", **DETAILS) for kind in PROVIDER_ERRORS),
        RateLimited("Held back.", retry_after_seconds=3.0, **DETAILS),
        OutcomeUnknown("Perhaps.", resolve=lambda: None, **DETAILS),
        InvalidInput("Bad.", field="amount", hint="Better."),
        ConfigurationError("Bad.", field="market"),
        MissingExtra("cli", missing="click"),
        SignatureError("Not ours."),
    ]


@pytest.mark.parametrize("error", some_errors(), ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling(error: MomoError) -> None:
    """Worker processes and task queues pass errors on: the facts cross, the client does not."""
    error.add_note("momokit: seen")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert back.__notes__ == ["momokit: seen"]
    state = {name: value for name, value in vars(error).items() if not callable(value)}
    assert {**vars(back), "resolve": None} == {**state, "resolve": None}
    assert str(copy.copy(error)) == str(error)


def test_an_unknown_outcome_crosses_without_its_client() -> None:
    """`resolve` belongs to an open client; the reference id is what counts."""
    back = pickle.loads(pickle.dumps(OutcomeUnknown("?", resolve=lambda: None, **DETAILS)))
    assert (back.resolve, back.reference_id) == (None, REFERENCE_ID)


@pytest.mark.parametrize("kind", PROVIDER_ERRORS)
def test_the_reference_id_is_in_the_text(kind: type[ProviderError]) -> None:
    """A log line of the error alone is enough to find the payment again."""
    assert REFERENCE_ID in str(kind("It failed.", **DETAILS))


def test_only_an_unknown_outcome_is_unsafe_to_repeat() -> None:
    """The line that matters runs between it and the rest."""
    unsafe = {type(error) for error in some_errors() if not error.retry_is_safe}
    assert unsafe == {OutcomeUnknown}


def test_the_tree_is_as_drawn() -> None:
    """Who catches Refused or NotSent never catches an unknown outcome."""
    assert not issubclass(OutcomeUnknown, (Refused, NotSent, Unavailable))
    assert not issubclass(Unavailable, (Refused, NotSent))
    assert issubclass(AlreadyExists, Refused)
    assert issubclass(RateLimited, NotSent)
    assert issubclass(InvalidInput, ValueError)
    assert issubclass(MissingExtra, ImportError)
    assert all(issubclass(kind, MomoError) for kind in PROVIDER_ERRORS)


def test_a_missing_extra_says_how_to_install_it() -> None:
    """The sentence can be pasted."""
    assert "pip install 'momokit[gateway]'" in str(MissingExtra("gateway", missing="litestar"))
