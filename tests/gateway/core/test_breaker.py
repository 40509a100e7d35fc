"""When a lane shuts, and for how long: the pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.gateway.core.breaker import (
    FAILURES_TO_SHUT,
    FORGET_SECONDS,
    Breaker,
    LaneState,
    Tally,
    answered,
    count,
    pause_seconds,
    probe_failed,
    shut,
)
from momokit.gateway.core.facts import (
    Doubt,
    Fact,
    NeverLeft,
    NoAnswer,
    NotKnown,
    Taken,
    Told,
    TurnedDown,
)


@pytest.mark.parametrize(
    ("fact", "lane_stop", "says"),
    [
        (Taken(), None, True),
        (TurnedDown(code="PAYEE_NOT_FOUND", status=404), None, True),
        (Told(status="PENDING"), None, True),
        (NotKnown(), None, True),
        (Doubt(why="503"), None, False),
        (NoAnswer(why="503"), None, False),
        (NeverLeft(why="no connection"), None, False),
        (NeverLeft(why="429", retry_after_seconds=3.0), None, False),
        (TurnedDown(code="NOT_ALLOWED", status=500), "a setting", None),
        (NeverLeft(why="401"), "a setting", None),
        (NoAnswer(why="401"), "a setting", None),
    ],
)
def test_what_a_result_says_of_its_lane(
    fact: Fact, lane_stop: str | None, says: bool | None
) -> None:
    """A refusal is an answer; a wrong setting says nothing of MTN's health."""
    assert answered(fact, lane_stop=lane_stop) is says


def test_failures_in_a_row_shut_a_lane_and_an_answer_between_them_does_not() -> None:
    """The count begins anew with each answer."""
    tally = Tally()
    for _ in range(FAILURES_TO_SHUT - 1):
        tally = count(tally, answered=False, now=0.0)
    almost = tally
    shuts = count(almost, answered=False, now=1.0).shuts
    forgiven = count(count(almost, answered=True, now=1.0), answered=False, now=1.0)
    assert (almost.shuts, shuts, forgiven.failures) == (False, True, 1)


def test_failures_far_apart_are_no_storm() -> None:
    """A payment whose question fails now and then shuts nothing."""
    tally, now = Tally(), 0.0
    for _ in range(20):
        tally = count(tally, answered=False, now=now)
        now += FORGET_SECONDS + 1
    assert not tally.shuts


@given(chance=st.floats(0, 1), opens=st.integers(1, 1000))
def test_a_lane_is_tried_at_least_once_a_minute(chance: float, opens: int) -> None:
    """However long a storm was, its end is noticed within one."""
    assert 5 <= pause_seconds(opens, chance=chance) < 60


@given(chance=st.floats(0, 1), fails=st.integers(0, 20))
def test_pauses_never_shrink_while_a_storm_goes_on(chance: float, fails: int) -> None:
    """Each probe without an answer shuts the lane for at least as long as the last."""
    breaker, now, pauses = shut(0.0, chance=0.0), 0.0, []
    for _ in range(fails):
        pauses.append(breaker.open_until - now)
        now = breaker.open_until
        breaker = probe_failed(breaker, now=now, chance=0.0)
    assert pauses == sorted(pauses)
    assert shut(now, chance=chance).open_until <= now + 6


@pytest.mark.parametrize(
    ("now", "probe_until", "state", "lets"),
    [
        (9.0, None, LaneState.OPEN, False),
        (10.0, None, LaneState.HALF_OPEN, True),
        (11.0, 20.0, LaneState.HALF_OPEN, False),
        (21.0, 20.0, LaneState.HALF_OPEN, True),
    ],
)
def test_one_probe_at_a_time(
    now: float, probe_until: float | None, state: LaneState, lets: bool
) -> None:
    """A second one is let through only when the first has not come back."""
    breaker = Breaker(opened_at=0.0, open_until=10.0, probe_until=probe_until)
    assert (breaker.state(now), breaker.lets_probe(now)) == (state, lets)
