"""Batches of disbursements: their states, who may do what, and when the next rows may leave. Pure.

A batch is made by one person and approved by another. What it has paid is not kept here: that is
counted from its payments, whose states are the only truth there is about money.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import floor

from momokit.errors import InvalidInput


class BatchState(StrEnum):
    """Where a batch stands."""

    DRAFT = "draft"
    CHECKED = "checked"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


_S = BatchState
MOVES: dict[BatchState, frozenset[BatchState]] = {
    _S.DRAFT: frozenset({_S.CHECKED, _S.CANCELLED}),
    _S.CHECKED: frozenset({_S.DRAFT, _S.SUBMITTED, _S.CANCELLED}),
    _S.SUBMITTED: frozenset({_S.CHECKED, _S.APPROVED, _S.REJECTED, _S.CANCELLED}),
    _S.APPROVED: frozenset({_S.PREPARING, _S.PAUSED, _S.CANCELLED}),
    _S.PREPARING: frozenset({_S.RUNNING, _S.PAUSED, _S.CANCELLED}),
    _S.RUNNING: frozenset({_S.PAUSED, _S.FINISHED, _S.CANCELLED}),
    _S.PAUSED: frozenset({_S.PREPARING, _S.RUNNING, _S.CANCELLED}),
    _S.FINISHED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.REJECTED: frozenset(),
}

EDITABLE = frozenset({_S.DRAFT, _S.CHECKED})
"""While a batch is in one of these its rows may change; the database refuses it in all others."""

APPROVED_STATES = frozenset({_S.APPROVED, _S.PREPARING, _S.RUNNING, _S.PAUSED, _S.FINISHED})
"""What only enough approvals lead to."""


class Action(StrEnum):
    """What a person may want to do with a batch."""

    EDIT = "edit"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    OVERRIDE = "override"
    APPROVE = "approve"
    REJECT = "reject"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"


_A = Action
_ALLOWED_IN: dict[Action, frozenset[BatchState]] = {
    _A.EDIT: EDITABLE,
    _A.SUBMIT: frozenset({_S.CHECKED}),
    _A.WITHDRAW: frozenset({_S.SUBMITTED}),
    _A.OVERRIDE: frozenset({_S.SUBMITTED}),
    _A.APPROVE: frozenset({_S.SUBMITTED}),
    _A.REJECT: frozenset({_S.SUBMITTED}),
    _A.PAUSE: frozenset({_S.APPROVED, _S.PREPARING, _S.RUNNING}),
    _A.RESUME: frozenset({_S.PAUSED}),
    _A.CANCEL: frozenset(set(_S) - {_S.FINISHED, _S.CANCELLED, _S.REJECTED}),
    _A.RETRY: frozenset({_S.RUNNING, _S.PAUSED, _S.FINISHED, _S.CANCELLED}),
}
_BY_MAKER = frozenset({_A.EDIT, _A.SUBMIT, _A.WITHDRAW})
_BY_ANOTHER = frozenset({_A.OVERRIDE, _A.APPROVE, _A.REJECT})


class BatchRefused(Exception):
    """Something that is not done with this batch now; `code` is stable, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def person_of(owner: str) -> str:
    """Give one form to a person's name: two spellings of one person are not two persons."""
    return " ".join(owner.split()).casefold()


def refusal(action: Action, *, state: BatchState, maker: str, person: str) -> BatchRefused | None:
    """Say why a person may not do something with a batch; None when they may."""
    if state not in _ALLOWED_IN[action]:
        return BatchRefused("batch_state", f"The batch is {state}; it takes no {action} now.")
    if action in _BY_MAKER and person != maker:
        said = f"Only the person who made the batch may {action} it."
        return BatchRefused("not_the_maker", said)
    if action in _BY_ANOTHER and person == maker:
        said = f"Whoever made the batch may not {action} it: that takes a second person."
        return BatchRefused("maker_cannot_check", said)
    return None


def is_legal(before: BatchState, after: BatchState) -> bool:
    """Tell whether a state may follow another."""
    return after in MOVES[before]


AMOUNT_LIMITS = ("second_approver_above", "max_per_payee", "max_per_batch", "max_per_day")
POLICY_BOUNDS = {
    "max_rows": (1, 100_000),
    "rows_per_second": (0.01, 200.0),
    # What is under way is what a pause has to take back in one go.
    "in_flight_cap": (1, 1000),
    "checks_per_second": (0.1, 10.0),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchPolicy:
    """What an account allows its batches. Amounts are in the currency's main unit; None: no limit.

    Raises InvalidInput naming the field.

    A total above `second_approver_above` takes two checkers. `max_per_day` holds for all batches
    of the account that were approved on one day (UTC), together.
    """

    second_approver_above: Decimal | None = None
    max_per_payee: Decimal | None = None
    max_per_batch: Decimal | None = None
    max_per_day: Decimal | None = None
    max_rows: int = 100_000
    rows_per_second: float = 5.0
    in_flight_cap: int = 50
    check_holders: bool = True
    checks_per_second: float = 5.0

    def __post_init__(self) -> None:
        for name, (least, most) in POLICY_BOUNDS.items():
            if not least <= getattr(self, name) <= most:
                raise InvalidInput(f"{name} lies between {least} and {most}.", field=name)
        for name in AMOUNT_LIMITS:
            limit = getattr(self, name)
            if limit is not None and not limit > 0:
                raise InvalidInput(f"{name} is more than nothing.", field=name)


def approvals_needed(total: Decimal, policy: BatchPolicy) -> int:
    """Say how many checkers a batch of this total takes."""
    above = policy.second_approver_above
    return 2 if above is not None and total > above else 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Exceeded:
    """A limit that a batch goes over: its name, and what it allows."""

    limit: str
    allowed: Decimal


def exceeded(
    policy: BatchPolicy,
    *,
    total: Decimal,
    largest_payee: Decimal,
    approved_today: Decimal = Decimal(0),
) -> Exceeded | None:
    """Name the first limit that a batch goes over, if there is one."""
    found = (
        ("max_per_payee", policy.max_per_payee, largest_payee),
        ("max_per_batch", policy.max_per_batch, total),
        ("max_per_day", policy.max_per_day, approved_today + total),
    )
    for name, allowed, asked in found:
        if allowed is not None and asked > allowed:
            return Exceeded(limit=name, allowed=allowed)
    return None


BURST_SECONDS = 2.0
"""After a pause in the work of the loop, the rows of so long a time may leave together, no more."""


def release_quota(
    *, rows_per_second: float, idle_seconds: float, in_flight: int, in_flight_cap: int
) -> int:
    """Say how many rows may leave now. `idle_seconds`: since rows were last released."""
    room = max(0, in_flight_cap - in_flight)
    earned = floor(rows_per_second * max(0.0, idle_seconds) + 1e-9)
    burst = max(1, floor(rows_per_second * BURST_SECONDS))
    return min(room, earned, burst)


class FloatVerdict(StrEnum):
    """What the money in the account says about the next row."""

    GO = "go"
    ASK = "ask"
    WAIT = "wait"
    LOW = "low"


def float_verdict(
    *, next_minor: int, spendable_minor: int | None, asked_just_now: bool, in_flight: int
) -> FloatVerdict:
    """Say whether the next row can be paid out of what was in the account when it was asked.

    `spendable_minor` is that balance less what was under way then and was released since; None
    when MTN gave no balance: then only its refusals can tell, and rows go. Money that is under way
    may have been taken off the balance already, so before that has settled nothing is called low.
    """
    if spendable_minor is None:
        return FloatVerdict.GO if asked_just_now else FloatVerdict.ASK
    if next_minor <= spendable_minor:
        return FloatVerdict.GO
    if not asked_just_now:
        return FloatVerdict.ASK
    return FloatVerdict.WAIT if in_flight else FloatVerdict.LOW


def affordable(amounts_minor: Sequence[int], *, spendable_minor: int | None) -> int:
    """Say how many of the next rows, in their order, fit into what can be spent."""
    if spendable_minor is None:
        return len(amounts_minor)
    left = spendable_minor
    for number, amount in enumerate(amounts_minor):
        left -= amount
        if left < 0:
            return number
    return len(amounts_minor)


FUNDS_REASONS = frozenset({"NOT_ENOUGH_FUNDS"})
FUNDS_REFUSALS_IN_A_ROW = 3


def is_out_of_funds(last_reasons: Sequence[str | None]) -> bool:
    """Tell whether the last rows that ended, newest first, all failed for want of money."""
    last = last_reasons[:FUNDS_REFUSALS_IN_A_ROW]
    return len(last) == FUNDS_REFUSALS_IN_A_ROW and all(one in FUNDS_REASONS for one in last)


CANCELLED = "CANCELLED"
EARLIER_ATTEMPT_PAID = "EARLIER_ATTEMPT_PAID"


def missing_overrides(needed: Collection[str], *, given: Collection[str]) -> list[str]:
    """Name the findings that a second person has yet to take upon themselves."""
    return sorted(set(needed) - set(given))


def seconds_left(*, rows_left: int, rows_per_second: float) -> float | None:
    """Estimate how long the rest of a batch takes at its rate; None when it does not move."""
    if rows_per_second <= 0:
        return None
    return rows_left / rows_per_second
