"""The exit codes of `momo`: stable, so that a script can go by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from momokit.errors import (
    InvalidInput,
    MissingExtra,
    MomoError,
    NotSent,
    OutcomeUnknown,
    Refused,
    Unavailable,
)

if TYPE_CHECKING:
    from momokit.models import State

OK = 0
UNEXPECTED = 1
USAGE = 2
REFUSED = 3
NOT_SENT = 4
UNKNOWN = 5
OPEN = 6
NOT_CHECKED = 7
PROBLEMS_FOUND = 8
INTERRUPTED = 130

EXIT_CODES: Mapping[int, str] = {
    OK: "done; a payment waited for was successful",
    UNEXPECTED: "something unexpected; a fault of momokit's own, perhaps",
    USAGE: "the command, a value or the settings are not right; nothing was sent",
    REFUSED: "MTN refused, the payment failed, or the answer is no",
    NOT_SENT: "MTN could not be had; nothing moved and the same command may be repeated",
    UNKNOWN: "the outcome is UNKNOWN: ask for its status before anything else",
    OPEN: "the payment is still open; that is not a failure",
    NOT_CHECKED: "could not check, or MTN does not know the reference id (yet); that is not a no",
    PROBLEMS_FOUND: "a check (doctor, a batch's file, a statement) found problems",
    INTERRUPTED: "interrupted; if something was being sent, ask for its status",
}
"""Every exit code, and what it says."""

_BY_ERROR: tuple[tuple[type[MomoError], int], ...] = (
    (OutcomeUnknown, UNKNOWN),
    (Refused, REFUSED),
    (NotSent, NOT_SENT),
    (Unavailable, NOT_SENT),
    (InvalidInput, USAGE),
    (MissingExtra, USAGE),
)
_BY_STATE: Mapping[State, int] = {"successful": OK, "failed": REFUSED, "open": OPEN}


def code_of_error(error: MomoError) -> int:
    """Say with which code a command ends that met this error."""
    told = getattr(error, "exit_code", None)
    if isinstance(told, int):
        return told
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), UNEXPECTED)


def code_of_state(state: State) -> int:
    """Say with which code a command ends that learned how a payment stands."""
    return _BY_STATE[state]
