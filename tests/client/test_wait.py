"""Waiting for an outcome: patient through outages, and never a failure by time-out."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.errors import InvalidInput, PermissionDenied, Unavailable
from momokit.models import Progress, WaitResult
from momokit.operations import collection
from momokit.operations.ask import PollPlan, wait_for
from momokit.operations.exchange import Request, Tell, Within
from momokit.operations.registry import status_of
from tests.client.driving import (
    NO_CONNECTION,
    PAGE,
    REFERENCE_ID,
    TIMEOUT,
    Answer,
    Clock,
    Drive,
    access_for,
    drive,
    reply,
)

PENDING = reply(200, {"status": "PENDING"})
SUCCESSFUL = reply(200, {"status": "SUCCESSFUL", "financialTransactionId": "363440463"})
FAILED = reply(200, {"status": "FAILED", "reason": "APPROVAL_REJECTED"})
NOT_FOUND = reply(404, {"code": "RESOURCE_NOT_FOUND"})


def wait(
    script: Any,
    *,
    timeout_seconds: float = 330.0,
    plan: PollPlan | None = None,
    on_progress: Any = None,
    clock: Clock | None = None,
) -> Drive:
    """Wait for a request to pay, on a clock of its own."""
    clock = clock or Clock()
    access = access_for(clock=clock)
    operation = wait_for(
        access,
        lambda: status_of(access, collection.REQUEST_TO_PAY, REFERENCE_ID),
        reference_id=REFERENCE_ID,
        timeout_seconds=timeout_seconds,
        call_seconds=30.0,
        plan=plan or PollPlan(),
        on_progress=on_progress,
    )
    return drive(operation, script, clock=clock, ends_at=clock.now + timeout_seconds + 30.0)


def forever(answer: Answer) -> Any:
    """Answer every question alike."""
    return lambda request: answer


def test_a_success_ends_the_wait() -> None:
    """The first final word is the result."""
    result: WaitResult = wait([PENDING, PENDING, SUCCESSFUL]).value
    assert (result.state, result.polls, result.reason) == ("successful", 3, None)


def test_a_failure_tells_its_reason() -> None:
    """FAILED comes with MTN's reason."""
    result: WaitResult = wait([FAILED]).value
    assert result.state == "failed"
    assert result.reason is not None
    assert result.reason.code == "APPROVAL_REJECTED"


@pytest.mark.parametrize("status", ["PENDING", "CREATED", "ONGOING", "successful", "TIMEOUT", ""])
def test_time_up_is_open_and_no_failure(status: str) -> None:
    """Any word but MTN's two final ones leaves the payment open."""
    result = wait(forever(reply(200, {"status": status})), timeout_seconds=20).value
    assert result.state == "open"
    assert result.waited_seconds == pytest.approx(20.0)


@pytest.mark.parametrize(
    "trouble", [reply(503), TIMEOUT, NO_CONNECTION, NOT_FOUND, reply(200, PAGE)]
)
def test_an_outage_is_waited_out(trouble: Answer) -> None:
    """Trouble in between, or not being visible yet, ends nothing."""
    played = wait([*[trouble] * 8, SUCCESSFUL, SUCCESSFUL][: 9 + 8])
    assert played.value.state == "successful"


@pytest.mark.parametrize("trouble", [reply(503), TIMEOUT, NO_CONNECTION, NOT_FOUND, reply(429)])
def test_an_outage_to_the_end_is_open(trouble: Answer) -> None:
    """Never having heard anything is open, with no outcome."""
    result = wait(forever(trouble), timeout_seconds=60).value
    assert (result.state, result.outcome) == ("open", None)


def test_what_was_heard_before_an_outage_is_kept() -> None:
    """The last known status survives."""
    script = iter([PENDING])
    result = wait(lambda request: next(script, reply(503)), timeout_seconds=30).value
    assert (result.state, result.outcome.status) == ("open", "PENDING")


def test_a_refusal_is_raised() -> None:
    """Waiting cannot mend keys or permissions."""
    wait([PENDING, reply(403)]).raised(PermissionDenied)


def test_no_time_at_all_asks_once() -> None:
    """A timeout of 0 is one question."""
    played = wait(forever(PENDING), timeout_seconds=0)
    assert (played.value.state, played.value.polls, len(played.requests)) == ("open", 1, 1)
    assert wait(forever(SUCCESSFUL), timeout_seconds=0).value.state == "successful"


def test_the_edge_of_the_approval_window_is_met() -> None:
    """One question falls on 305 seconds, just after the payer's five minutes."""
    clock = Clock()
    moments: list[float] = []

    def answer(request: Request) -> Answer:
        moments.append(clock.now - 1000.0)
        return PENDING

    wait(answer, clock=clock)
    assert moments[:4] == [0.0, 1.0, 2.5, 4.75]
    assert any(moment == pytest.approx(305.0) for moment in moments)
    assert moments[-1] == pytest.approx(330.0)
    pauses = [b - a for a, b in pairwise(moments)]
    assert max(pauses) <= 20.0 + 1e-9


def test_progress_is_told_after_every_question() -> None:
    """The listener hears polls, outcome, error and the next question."""
    heard: list[Progress] = []
    wait([PENDING, NOT_FOUND, SUCCESSFUL], on_progress=heard.append)
    assert [news.polls for news in heard] == [1, 2, 3]
    assert [news.next_poll_seconds for news in heard] == [1.0, 1.5, None]
    assert heard[1].error is not None
    assert heard[2].error is None
    assert heard[2].outcome is not None
    assert heard[2].outcome.state == "successful"


def test_one_question_that_hangs_does_not_use_up_the_wait() -> None:
    """Each question has a call's time, not the whole wait's."""
    clock = Clock()
    access = access_for(clock=clock)

    def hanging(request: Request) -> Answer:
        clock.now += 30.0
        return TIMEOUT

    def answer(request: Request) -> Answer:
        return hanging(request) if clock.now < 1010.0 else SUCCESSFUL

    operation = wait_for(
        access,
        lambda: status_of(access, collection.REQUEST_TO_PAY, REFERENCE_ID),
        reference_id=REFERENCE_ID,
        timeout_seconds=330.0,
        call_seconds=30.0,
        plan=PollPlan(),
    )
    played = drive(operation, answer, clock=clock, ends_at=1360.0)
    assert played.value.state == "successful"
    assert [type(effect) for effect in played.effects if isinstance(effect, Within)] == [Within] * 2


def test_a_slow_listener_ends_the_wait_as_open() -> None:
    """A listener that takes the time that was left is no crash."""
    clock = Clock()

    def slow(news: Progress) -> None:
        clock.now += 60.0

    played = wait(forever(PENDING), timeout_seconds=20, on_progress=slow, clock=clock)
    assert played.error is None
    assert played.value.state == "open"


def test_a_failing_listener_is_heard() -> None:
    """What the caller's own code raises is not swallowed."""

    def failing(news: Progress) -> None:
        raise KeyError("mine")

    wait([PENDING], on_progress=failing).raised(KeyError)


@given(
    st.lists(
        st.sampled_from([PENDING, NOT_FOUND, reply(503), TIMEOUT, SUCCESSFUL, FAILED]), max_size=40
    ),
    st.floats(0, 400),
)
def test_a_wait_says_what_mtn_said_last(script: list[Answer], timeout_seconds: float) -> None:
    """The state is MTN's final word when there was one, else open; it always ends in time."""
    clock = Clock()
    given_answers: list[Answer] = []

    def answer(request: Request) -> Answer:
        given_answers.append(script.pop(0) if script else PENDING)
        return given_answers[-1]

    result = wait(answer, timeout_seconds=timeout_seconds, clock=clock).value
    finals = [a for a in given_answers if a is SUCCESSFUL or a is FAILED]
    word_of = {SUCCESSFUL.body: "successful", FAILED.body: "failed"}
    expected = {(): "open", ("successful",): "successful", ("failed",): "failed"}[
        tuple(word_of[answer.body] for answer in finals)
    ]
    assert result.state == expected
    assert clock.now - 1000.0 <= timeout_seconds + 30.0


@pytest.mark.parametrize(
    "bad", [{"first_seconds": 0}, {"factor": 0.5}, {"longest_seconds": 0.1}, {"first_seconds": -1}]
)
def test_a_plan_that_would_spin_is_refused(bad: dict[str, float]) -> None:
    """Pauses are above zero and do not shrink."""
    with pytest.raises(InvalidInput):
        PollPlan(**bad)


def test_the_news_name_the_error() -> None:
    """While MTN cannot be asked the listener learns why."""
    heard: list[Progress] = []
    played = wait(forever(reply(503)), timeout_seconds=1, on_progress=heard.append)
    assert type(heard[0].error) is Unavailable
    assert any(isinstance(effect, Tell) for effect in played.effects)
