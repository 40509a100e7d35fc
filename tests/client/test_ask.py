"""Questions: asked again where that helps, and an outage told as an outage."""

from __future__ import annotations

from typing import Any

import pytest

from momokit.errors import (
    AuthenticationFailed,
    NotFound,
    NotSent,
    PermissionDenied,
    RateLimited,
    Refused,
    Unavailable,
)
from momokit.operations import collection
from momokit.operations.exchange import Request, Response
from momokit.operations.registry import KINDS, find_kind, kind_of, status_of
from momokit.retry import RetryPolicy, StatusPace
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
    token_reply,
)

PENDING = reply(200, {"status": "PENDING"})


def ask_status(script: list[Answer], **given: Any) -> Drive:
    """Ask for the status of a request to pay."""
    access = given.pop("access", None) or access_for()
    return drive(status_of(access, collection.REQUEST_TO_PAY, REFERENCE_ID), script, **given)


@pytest.mark.parametrize("trouble", [reply(503), reply(500), TIMEOUT, NO_CONNECTION, reply(429)])
def test_a_question_is_asked_again_through_trouble(trouble: Answer) -> None:
    """A read changes nothing, so it is repeated."""
    assert ask_status([trouble, trouble, PENDING]).value.status == "PENDING"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(503), Unavailable),
        (reply(500, {"code": "INTERNAL_PROCESSING_ERROR"}), Unavailable),
        (reply(302, location="https://elsewhere.example"), Unavailable),
        (TIMEOUT, Unavailable),
        (NO_CONNECTION, NotSent),
        (reply(429, retry_after="3"), RateLimited),
    ],
)
def test_trouble_to_the_end_is_told_as_trouble(answer: Answer, kind: type[Exception]) -> None:
    """An outage is not a refusal, and the id is on the error."""
    played = ask_status([answer] * 4)
    assert played.raised(kind).reference_id == REFERENCE_ID
    assert len(played.requests) == 4


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(404, {"code": "RESOURCE_NOT_FOUND"}), NotFound),
        (reply(400), Refused),
        (reply(403), PermissionDenied),
        (reply(500, {"code": "NOT_ALLOWED_TARGET_ENVIRONMENT"}), Refused),
    ],
)
def test_a_plain_no_is_not_asked_again(answer: Response, kind: type[Exception]) -> None:
    """What MTN refuses for good is told at once."""
    played = ask_status([answer])
    assert played.raised(kind).reference_id == REFERENCE_ID


@pytest.mark.parametrize(
    "body", [PAGE, None, b'{"status": "SUCC', b"null", [], {}, {"status": None}, {"login": "here"}]
)
def test_a_status_without_a_status_is_unavailable(body: object) -> None:
    """An empty or foreign 200 is neither a crash nor an outcome."""
    error = ask_status([reply(200, body)]).raised(Unavailable)
    assert (error.status, error.reference_id) == (200, REFERENCE_ID)


def test_a_question_without_a_token_carries_its_id() -> None:
    """Errors of the token endpoint tell for which payment it was asked."""
    access = access_for(held=None)
    refused = ask_status([reply(401, {"error": "login_failed"})], access=access)
    assert refused.raised(AuthenticationFailed).reference_id == REFERENCE_ID
    down = ask_status([reply(503)] * 4, access=access)
    assert down.raised(NotSent).reference_id == REFERENCE_ID


def test_a_question_renews_its_token_once() -> None:
    """A 401 on a question is mended like any other."""
    assert ask_status([reply(401), token_reply("new"), PENDING]).value.status == "PENDING"


def test_no_time_left_is_unavailable() -> None:
    """A question that cannot be sent in time says so."""
    ask_status([], ends_at=0.0).raised(Unavailable)


def test_questions_wait_for_their_turn() -> None:
    """Beyond the pace a question waits, and one that cannot wait leaves the queue."""
    clock = Clock()
    access = access_for(clock=clock)
    access.pace = StatusPace(1)
    ask_status([PENDING], access=access, clock=clock)
    played = ask_status([PENDING], access=access, clock=clock)
    assert played.waits == [(1.0, 1.0)]
    for _ in range(50):
        refused = ask_status([], access=access, clock=clock, ends_at=clock.now + 0.5)
        assert "budget of status calls" in str(refused.raised(Unavailable))
    assert access.pace.reserve(clock.now) == clock.now + 1.0


def test_a_question_stops_with_the_budget() -> None:
    """Questions share the retry budget."""
    access = access_for(policy=RetryPolicy(attempts=4, budget_reserve=1, budget_ratio=0.0))
    assert len(ask_status([reply(503)] * 2, access=access).requests) == 2
    assert len(ask_status([reply(503)], access=access).requests) == 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.product}.{kind.name}")
def test_every_kind_can_be_asked_about(kind: Any) -> None:
    """Each kind reads its own status, in its own model, under its own path."""
    played = drive(status_of(access_for(kind.product), kind, REFERENCE_ID), [PENDING])
    assert type(played.value) is kind.model
    (request,) = played.requests
    assert request.path == f"/{kind.product}{kind.status_path}/{REFERENCE_ID}"
    assert request == Request(
        kind.status_operation, "GET", request.path, request.headers, b"", REFERENCE_ID
    )
    assert find_kind(kind.name, kind.product) is kind
    assert kind_of(REFERENCE_ID.upper(), kind=kind.name, product=kind.product)[1] == REFERENCE_ID
