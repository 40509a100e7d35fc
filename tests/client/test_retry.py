"""When to try again: the table of verdicts, the waits, the budget, and the pace of questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.errors import InvalidInput
from momokit.retry import (
    PERMANENT_CODES,
    RetryBudget,
    RetryPolicy,
    StatusPace,
    Verdict,
    judge,
    retry_after_seconds,
)

DONE, EXISTS, REFUSED = Verdict.DONE, Verdict.EXISTS, Verdict.REFUSED
UNAUTHORISED, THROTTLED, UNKNOWN = Verdict.UNAUTHORISED, Verdict.THROTTLED, Verdict.UNKNOWN

TABLE: tuple[tuple[int, str | None, Verdict], ...] = (
    (202, None, DONE),
    (200, None, DONE),
    (204, None, DONE),
    (409, "RESOURCE_ALREADY_EXIST", EXISTS),
    (409, None, EXISTS),
    (409, "NOT_SUCCESSFULLY_COMPLETED", REFUSED),
    (400, None, REFUSED),
    (400, "VALIDATION_ERROR", REFUSED),
    (401, None, UNAUTHORISED),
    (401, "login_failed", UNAUTHORISED),
    (403, None, REFUSED),
    (404, "RESOURCE_NOT_FOUND", REFUSED),
    (411, None, REFUSED),
    (429, None, THROTTLED),
    (429, "INTERNAL_PROCESSING_ERROR", THROTTLED),
    *((500, code, REFUSED) for code in sorted(PERMANENT_CODES)),
    (500, "INTERNAL_PROCESSING_ERROR", UNKNOWN),
    (500, "SERVICE_UNAVAILABLE", UNKNOWN),
    (500, "COULD_NOT_PERFORM_TRANSACTION", UNKNOWN),
    (500, "A_CODE_OF_TOMORROW", UNKNOWN),
    (500, None, UNKNOWN),
    (502, None, UNKNOWN),
    (503, "SERVICE_UNAVAILABLE", UNKNOWN),
    (504, None, UNKNOWN),
    (301, None, UNKNOWN),
    (302, None, UNKNOWN),
    (408, None, UNKNOWN),
    (418, None, UNKNOWN),
    (499, None, UNKNOWN),
    (203, None, UNKNOWN),
    (599, None, UNKNOWN),
)


@pytest.mark.parametrize(("status", "code", "verdict"), TABLE)
def test_an_answer_is_judged_by_its_code(status: int, code: str | None, verdict: Verdict) -> None:
    """The code in the body decides before the HTTP class does."""
    assert judge(status, code) is verdict


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_page_is_no_yes(status: int) -> None:
    """A body that is not JSON was not written by MTN, whatever its status."""
    assert judge(status, None, readable=False) is UNKNOWN


def test_a_yes_that_mtn_does_not_say_here_is_unknown() -> None:
    """What is created is answered by 202; 200 then comes from something else."""
    assert judge(200, None, done=frozenset({202})) is UNKNOWN
    assert judge(202, None, done=frozenset({202})) is DONE


@given(st.integers(100, 599), st.none() | st.text(max_size=20))
def test_no_server_error_is_a_yes(status: int, code: str | None) -> None:
    """Only 2xx is a yes, and every answer gets some verdict."""
    verdict = judge(status, code)
    assert (verdict is DONE) == (status in (200, 201, 202, 204))


def test_waits_double_up_to_the_longest() -> None:
    """Half of each wait is certain, the rest is drawn."""
    policy = RetryPolicy(first_wait_seconds=1.0, longest_wait_seconds=5.0)
    assert [policy.wait_seconds(n) for n in (1, 2, 3, 4, 20)] == [
        (0.5, 1.0),
        (1.0, 2.0),
        (2.0, 4.0),
        (2.5, 5.0),
        (2.5, 5.0),
    ]


def test_a_wait_that_was_asked_for_is_kept() -> None:
    """Retry-After is the least, with spread on top."""
    assert RetryPolicy().wait_seconds(1, retry_after_seconds=9.0) == (9.0, 9.25)


@pytest.mark.parametrize(
    ("given_policy", "field"),
    [
        ({"attempts": 0}, "attempts"),
        ({"attempts": 21}, "attempts"),
        ({"first_wait_seconds": -1.0}, "first_wait_seconds"),
        ({"first_wait_seconds": 9.0}, "first_wait_seconds"),
    ],
)
def test_a_policy_out_of_bounds_is_refused(given_policy: dict[str, float], field: str) -> None:
    """Retrying without bounds cannot be set up."""
    with pytest.raises(InvalidInput) as caught:
        RetryPolicy(**given_policy)  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        (" 12 ", 12.0),
        ("99999999", 3600.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("²", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_seconds(header: str | None, seconds: float | None) -> None:
    """Dates and nonsense count as not given, and an hour is the most."""
    assert retry_after_seconds(header) == seconds


@given(st.lists(st.booleans(), max_size=200))
def test_retries_stay_within_their_share(calls: list[bool]) -> None:
    """Retries never exceed the reserve plus a tenth of the calls."""
    budget = RetryBudget(RetryPolicy(budget_reserve=5, budget_ratio=0.1))
    first, spent = 0, 0
    for is_first in calls:
        if is_first:
            budget.earn()
            first += 1
        elif budget.spend():
            spent += 1
    assert spent <= 5 + first * 0.1 + 1e-6


@given(
    st.lists(st.floats(-0.01, 0.4), min_size=1, max_size=120),
    st.integers(1, 10),
    st.integers(0, 7),
)
def test_no_second_holds_more_than_its_share_of_questions(
    steps: list[float], per_second: int, given_back_every: int
) -> None:
    """At most `per_second` questions begin in any second, also when some are given back."""
    pace = StatusPace(per_second)
    now, moments = 50.0, []
    for number, step in enumerate(steps):
        now += step
        moment = pace.reserve(now)
        assert moment >= now
        if given_back_every and number % given_back_every == 0 and moment > now:
            pace.give_back(moment)
        else:
            moments.append(moment)
    for begin in moments:
        assert sum(begin <= moment < begin + 0.999999 for moment in moments) <= per_second


def test_places_that_are_given_back_do_not_lengthen_the_queue() -> None:
    """A thousand callers who cannot wait leave the queue as it was."""
    pace = StatusPace(8)
    for _ in range(8):
        pace.reserve(10.0)
    for _ in range(1000):
        pace.give_back(pace.reserve(10.0))
    assert pace.reserve(10.0) == 11.0


def test_at_least_one_question_a_second() -> None:
    """A pace of nothing would never ask."""
    with pytest.raises(InvalidInput, match="status"):
        StatusPace(0)
