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

SETTING_CODES = frozenset(
    {
        "INVALID_CALLBACK_URL_HOST",
        "INVALID_CURRENCY",
        "NOT_ALLOWED",
        "NOT_ALLOWED_TARGET_ENVIRONMENT",
        "UNKNOWN_PATH",
    }
)
"""Refusals that are about the account's settings, not about a payment: they would meet every
payment alike, and what they met can go once the setting is mended. The last one is ours, for a path
that MTN's gateway does not have."""

CANCELLABLE_KINDS = frozenset({"invoice", "pre_approval"})
"""Kinds that MTN can be asked to cancel after it has them."""


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
    present run of "not known" answers began, `absences` how many there were. `refused_code` is why
    MTN refused the last send, until it is known to know nothing of it. `cancel_reference_id` is
    set once MTN is to be asked to cancel, `cancel_taken_at` once it said that it will. `settled_by`
    names the person whose word the last word is; None is MTN's, or our own knowledge.
    `released_at` is when its batch let it go, for one that has a batch.
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
    refused_code: str | None = None
    cancel_reference_id: str | None = None
    cancel_taken_at: float | None = None
    settled_by: str | None = None
    released_at: float | None = None

    @property
    def sendable_since(self) -> float:
        """Say from when it could be sent: what waits for its batch, from when that let it go."""
        return self.released_at or self.created_at

    @property
    def is_push(self) -> bool:
        """Tell whether we pay, rather than ask to be paid."""
        return self.kind in PUSH_KINDS

    @property
    def is_proven_failed(self) -> bool:
        """Tell whether it is beyond doubt that no money moved and none will: only then may the
        same be paid under a new reference id without a person's say.

        A failure that is still to be asked about, for its reason or for a person's word, is none.
        """
        return self.state is State.FAILED and self.work is None and not self.sending

    @property
    def wants_cancel(self) -> bool:
        """Tell whether MTN is still to be asked to cancel it."""
        return self.cancel_reference_id is not None and self.cancel_taken_at is None
