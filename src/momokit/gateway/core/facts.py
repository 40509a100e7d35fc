"""What can be learned about a payment, and what a decision about it holds. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from momokit.gateway.core.payment import State, Work


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """MTN has it: 202, or 409 on our own id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnedDown:
    """MTN said no to this send."""

    code: str | None
    status: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NeverLeft:
    """This send certainly did not reach MTN.

    `setting` names what an operator may have to put right when this goes on.
    """

    why: str
    retry_after_seconds: float | None = None
    setting: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """This send may have reached MTN; no readable answer came."""

    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """MTN's answer to the status question."""

    status: str | None
    reason_code: str | None = None
    financial_transaction_id: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    party_id: str | None = field(default=None, repr=False)
    external_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotKnown:
    """MTN knows no such reference id at present."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoAnswer:
    """The status question got no usable answer. `failures` counts those in a row, this one too."""

    why: str
    failures: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawn:
    """The merchant takes back what has not left yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelAsked:
    """The merchant wants MTN to cancel what it has: an invoice or a pre-approval.

    `reference_id` is that of the cancellation itself, made before anything is sent.
    """

    reference_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelAnswered:
    """MTN answered the request to cancel: it takes it, or refuses. What became of it, its status
    alone tells."""

    taken: bool
    code: str | None = None
    status: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonSays:
    """A person puts on record how a payment ended, and on what evidence."""

    outcome: Literal["successful", "failed"]
    evidence: str = field(repr=False)
    because: str = field(repr=False)
    by: str
    financial_transaction_id: str | None = None


Fact: TypeAlias = (
    Taken
    | TurnedDown
    | NeverLeft
    | Doubt
    | Told
    | NotKnown
    | NoAnswer
    | Withdrawn
    | CancelAsked
    | CancelAnswered
    | PersonSays
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What to write. `changes` are columns of the payment besides `state`, `work` and `due_at`.

    `event` goes into the history; `notify` is the webhook to the merchant, if any; `incident` is
    raised to the operators, if any; `review` puts the payment before a person; `held` leaves it
    with its batch, which will let it go.
    """

    state: State
    work: Work | None
    due_at: float | None
    event: str
    details: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    notify: str | None = None
    incident: str | None = None
    review: bool = False
    held: bool = False
