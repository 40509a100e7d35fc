"""When to try again: how an answer is judged, how long to wait, and when to stop. Pure.

The rule is to read the code in the body, not the HTTP class: most of MTN's 500s are permanent
errors of configuration, and repeating them helps nobody.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum

from momokit.errors import InvalidInput

PERMANENT_CODES = frozenset(
    {
        "APPROVAL_REJECTED",
        "INVALID_CALLBACK_URL_HOST",
        "INVALID_CURRENCY",
        "NOT_ALLOWED",
        "NOT_ALLOWED_TARGET_ENVIRONMENT",
        "NOT_ENOUGH_FUNDS",
        "NOT_SUCCESSFULLY_COMPLETED",
        "PAYEE_LIMIT_REACHED",
        "PAYEE_NOT_ALLOWED_TO_RECEIVE",
        "PAYEE_NOT_FOUND",
        "PAYER_LIMIT_REACHED",
        "PAYER_NOT_FOUND",
        "PREAPPROVAL_EXIST_PENDING",
        "RESOURCE_NOT_FOUND",
        "SENDER_ACCOUNT_NOT_ACTIVE",
        "TRANSFER_TYPE_UNKNOWN",
        "VALIDATION_ERROR",
        "login_failed",
        "login failed",
    }
)
"""Codes with which MTN says a plain no, whatever the HTTP status around them."""

_PLAIN_REFUSALS = frozenset({400, 403, 404, 405, 410, 411, 413, 414, 415, 422, 431})


class Verdict(Enum):
    """What one answer means for the request that got it."""

    DONE = "done"
    EXISTS = "exists"
    REFUSED = "refused"
    UNAUTHORISED = "unauthorised"
    THROTTLED = "throttled"
    UNKNOWN = "unknown"


def judge(
    status: int,
    code: str | None,
    *,
    readable: bool = True,
    done: frozenset[int] = frozenset({200, 201, 202, 204}),
) -> Verdict:
    """Read an answer to a request (failure matrix: reading MTN's answers).

    `readable` is False when a body was there and was not JSON: a 200 or 202 with a page in it, from
    a proxy or a captive portal, is no acceptance. `done` are the statuses with which MTN says yes
    to this request; any other 2xx was said by something in between.
    """
    if status in done and readable:
        return Verdict.DONE
    if status == 409 and code in (None, "RESOURCE_ALREADY_EXIST"):
        return Verdict.EXISTS
    if status == 401:
        return Verdict.UNAUTHORISED
    if status == 429:
        return Verdict.THROTTLED
    if status == 409 or status in _PLAIN_REFUSALS or code in PERMANENT_CODES:
        return Verdict.REFUSED
    return Verdict.UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How hard the client tries before it reports back; the same id and bytes go out each time.

    `attempts` counts the first one. Waits double from `first_wait_seconds` up to
    `longest_wait_seconds`, drawn at random between half and whole. `budget_ratio` bounds retries to
    a share of all calls once the reserve of `budget_reserve` is spent, so that an outage is not
    answered with a storm.
    """

    attempts: int = 4
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 8.0
    budget_ratio: float = 0.1
    budget_reserve: int = 20

    def __post_init__(self) -> None:
        if not 1 <= self.attempts <= 20:
            raise InvalidInput("attempts must lie between 1 and 20.", field="attempts")
        if self.first_wait_seconds < 0 or self.longest_wait_seconds < self.first_wait_seconds:
            raise InvalidInput(
                "Waits must not be negative, nor the longest shorter than the first.",
                field="first_wait_seconds",
            )

    def wait_seconds(
        self, attempt: int, *, retry_after_seconds: float | None = None
    ) -> tuple[float, float]:
        """Give the bounds between which to wait after attempt number `attempt` (1 is the first)."""
        whole = min(self.longest_wait_seconds, self.first_wait_seconds * 2 ** (attempt - 1))
        if retry_after_seconds is not None:
            return (retry_after_seconds, retry_after_seconds + whole / 2)
        return (whole / 2, whole)


class RetryBudget:
    """The share of calls that may be retries, shared by all calls of one client and safe between
    threads."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._ratio = policy.budget_ratio
        self._most = float(policy.budget_reserve)
        self._left = self._most
        self._lock = threading.Lock()

    def earn(self) -> None:
        """Count one first attempt."""
        with self._lock:
            self._left = min(self._most, self._left + self._ratio)

    def spend(self) -> bool:
        """Take one retry out of the budget; False when it is used up."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True


def retry_after_seconds(value: str | None) -> float | None:
    """Read a Retry-After header given in seconds; dates and nonsense count as not given.

    At most an hour.
    """
    if value is None or not value.strip().isascii() or not value.strip().isdigit():
        return None
    return min(float(value.strip()), 3600.0)


class StatusPace:
    """Keeps status questions under MTN's limit: at most `per_second` begin within one second.

    MTN allows ten a second for one set of credentials; the default of eight leaves room for other
    tools.
    """

    def __init__(self, per_second: int = 8) -> None:
        if per_second < 1:
            raise InvalidInput(
                "At least one status call a second must be allowed.",
                field="status_calls_per_second",
            )
        self._per_second = per_second
        self._slots: list[float] = []
        self._lock = threading.Lock()

    def reserve(self, now_seconds: float) -> float:
        """Book the next free moment, on the clock of `now_seconds`, and give it."""
        with self._lock:
            recent = [slot for slot in self._slots if slot > now_seconds - 1.0]
            # Threads may come with clock readings slightly out of order; slots stay in order.
            start = max(now_seconds, recent[-1]) if recent else now_seconds
            if len(recent) >= self._per_second:
                start = max(start, recent[-self._per_second] + 1.0)
            self._slots = [*recent, start]
            return start

    def give_back(self, moment: float) -> None:
        """Free a booked moment that will not be used, so that a queue cannot outgrow its callers'
        patience."""
        with self._lock:
            if moment in self._slots:
                self._slots.remove(moment)
