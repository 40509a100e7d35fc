"""MTN's status words, by the kind of thing they are said of, read as our states. Pure.

Money kinds end with SUCCESSFUL or FAILED and nothing else. A pre-approval, which moves no money,
and an invoice are also shown with words of their own; each stands for one of the two here. A word
that is in no table is open: never taken for an end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from momokit.gateway.core.payment import OPEN_STATUSES, State


class Reading(NamedTuple):
    """What a status word means: the state, None for a word not known here; and why it failed."""

    state: State | None
    reason: str | None = None


_ENDS: Mapping[str, Reading] = {
    "SUCCESSFUL": Reading(State.SUCCESSFUL),
    "FAILED": Reading(State.FAILED),
} | {word: Reading(State.PENDING) for word in OPEN_STATUSES}

_ENDED: Mapping[str, Reading] = {
    "CANCELLED": Reading(State.FAILED, "TRANSACTION_CANCELED"),
    "CANCELED": Reading(State.FAILED, "TRANSACTION_CANCELED"),
    "EXPIRED": Reading(State.FAILED, "EXPIRED"),
    "REJECTED": Reading(State.FAILED, "APPROVAL_REJECTED"),
}
_GRANTED: Mapping[str, Reading] = {
    "APPROVED": Reading(State.SUCCESSFUL),
    "ACTIVE": Reading(State.SUCCESSFUL),
}

WORDS: Mapping[str, Mapping[str, Reading]] = {
    "invoice": {**_ENDS, **_ENDED},
    "pre_approval": {**_ENDS, **_ENDED, **_GRANTED},
}
"""Words of the kinds that have some of their own; every other kind has MTN's four."""


def read_word(kind: str, status: str | None) -> Reading:
    """Say what MTN's status word means for this kind; what is not known is no end."""
    return WORDS.get(kind, _ENDS).get(status or "", Reading(None))
