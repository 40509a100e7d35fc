"""A payment as the gateway keeps it: one movement of money, its state, and what is due for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

# Kinds in which we pay ("push"), and kinds in which a payer is asked to ("pull").
PUSH_KINDS = frozenset({"transfer", "deposit", "refund", "cash_transfer"})
PULL_KINDS = frozenset({"request_to_pay", "withdraw", "payment", "invoice", "pre_approval"})

OPEN_STATUSES = frozenset({"CREATED", "PENDING"})
"""MTN's words for a payment that is under way. Any word that is not known is taken for these."""


class State(StrEnum):
    """Where a payment stands. The words are MTN's, and `UNKNOWN`: no answer was had, it may be."""

    CREATED = "created"
    PENDING = "pending"
    UNKNOWN = "unknown"
    SUCCESSFUL = "successful"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Tell whether this is a last word."""
        return self in (State.SUCCESSFUL, State.FAILED)


class Work(StrEnum):
    """What is due for a payment: to put it to MTN, or to ask how it stands."""

    SUBMIT = "submit"
    SETTLE = "settle"


# State -> the states it may move on to. A final that follows another final is a contradiction:
# recorded, raised and sent as a correction, never silent.
MOVES: dict[State, frozenset[State]] = {
    State.CREATED: frozenset({State.PENDING, State.UNKNOWN, State.SUCCESSFUL, State.FAILED}),
    State.UNKNOWN: frozenset({State.PENDING, State.SUCCESSFUL, State.FAILED}),
    State.PENDING: frozenset({State.SUCCESSFUL, State.FAILED}),
    State.SUCCESSFUL: frozenset({State.FAILED}),
    State.FAILED: frozenset({State.SUCCESSFUL}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """What decisions are made from. Times are seconds since 1970, by the database's clock.

    `sending` is True from just before a send until its outcome is recorded: found so by another
    worker, it means that the first one died on the way. `doubtful` is True once a send got no
    readable answer; `accepted_at` is when MTN first said it has it; `absent_since` is when the
    present run of "not known" answers began, `absences` how many there were.
    """

    id: str
    kind: str
    state: State
    amount: Decimal
    currency: str
    external_id: str
    party_id: str | None = field(repr=False)
    created_at: float
    work: Work | None = None
    first_sent_at: float | None = None
    accepted_at: float | None = None
    final_at: float | None = None
    sending: bool = False
    doubtful: bool = False
    attempts: int = 0
    polls: int = 0
    absent_since: float | None = None
    absences: int = 0
    reason_code: str | None = None
    financial_transaction_id: str | None = None

    @property
    def is_push(self) -> bool:
        """Tell whether we pay, rather than ask to be paid."""
        return self.kind in PUSH_KINDS
