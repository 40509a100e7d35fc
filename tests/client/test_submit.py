"""Submitting money: one acceptance at most, and no outcome told that the provider's books deny."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from momokit.errors import (
    AlreadyExists,
    AuthenticationFailed,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    ProviderError,
    RateLimited,
    Refused,
)
from momokit.models import Accepted
from momokit.operations import collection
from momokit.operations.exchange import Operation, Response
from momokit.operations.forms import Filing
from momokit.operations.submit import Submission, submit
from momokit.retry import RetryPolicy
from tests.client.driving import (
    NO_CONNECTION,
    PAGE,
    REFERENCE_ID,
    TIMEOUT,
    Clock,
    Drive,
    access_for,
    drive,
    forms_for,
    reply,
)
from tests.client.model_provider import DOUBT, MOODS, ModelProvider

OWN_ID = "5f0c2b1a-6b7c-4d8e-9f00-112233445566"


def request_to_pay(*, amount: str = "5000", **filing: Any) -> Submission:
    """Fill in a request to pay of Uganda."""
    return collection.from_payer(
        forms_for(),
        collection.REQUEST_TO_PAY,
        amount=amount,
        currency=None,
        payer="0772123456",
        payer_message=None,
        payee_note=None,
        filing=Filing(**filing),
    )


def send(script: list[Any], **filing: Any) -> Drive:
    """Submit a request to pay against scripted answers."""
    return drive(submit(access_for(), request_to_pay(**filing)), script)


def at_mtn(status: str = "PENDING", **changes: Any) -> Response:
    """Build MTN's status of the request to pay above, as it normalises it."""
    body = {
        "amount": "5000.00",
        "currency": "UGX",
        "externalId": REFERENCE_ID,
        "payer": {"partyIdType": "MSISDN", "partyId": "256772123456"},
        "status": status,
    }
    return reply(200, {**body, **changes})


NOT_FOUND = reply(404, {"code": "RESOURCE_NOT_FOUND", "message": "unknown"})
TAKEN = reply(409, {"code": "RESOURCE_ALREADY_EXIST", "message": "duplicate"})


@settings(max_examples=600, deadline=None)
@given(
    moods=st.lists(st.sampled_from(MOODS), max_size=9),
    tokens=st.lists(st.booleans(), max_size=4),
    own_id=st.booleans(),
    in_doubt=st.booleans(),
    patience_seconds=st.sampled_from([0.3, 1.5, 4.0, 1e6]),
    attempts=st.integers(1, 6),
)
@example(["reply lost", "400"], [], False, False, 1e6, 4)
@example(["reply lost", "404", "403"], [], False, False, 1e6, 4)
@example(["request late", "plain", "403"], [], True, False, 1e6, 4)
@example(["page 200 before"] * 9, [], False, False, 1e6, 4)
@example(["page 202 before"], [], False, False, 1e6, 4)
@example(["doubled", "404"], [], False, False, 1e6, 4)
@example(["reply lost", "401 empty"], [False] * 4, False, False, 1e6, 4)
def test_no_outcome_is_told_that_the_providers_books_deny(
    moods: list[str],
    tokens: list[bool],
    own_id: bool,
    in_doubt: bool,
    patience_seconds: float,
    attempts: int,
) -> None:
    """Whatever the wire does: one acceptance at most, one id, the same bytes, and a true word."""
    provider = ModelProvider(moods, tokens=tokens)
    clock = Clock()
    access = access_for(clock=clock, policy=RetryPolicy(attempts=attempts, budget_reserve=10_000))
    submission = request_to_pay(reference_id=OWN_ID if own_id else None)
    reference_id = submission.reference_id

    played = drive(
        submit(access, submission, in_doubt=in_doubt),
        provider,
        clock=clock,
        ends_at=clock.now + patience_seconds,
    )

    truth = provider.truth(reference_id)
    assert provider.acceptances[reference_id] <= 1
    assert set(provider.sent) <= {(reference_id, submission.request.body)}
    told: Any = played.error if played.error is not None else played.value
    assert told.reference_id == reference_id
    was_in_doubt = in_doubt or any(mood in DOUBT for mood in provider.moods_of_posts)
    match told:
        case Accepted():
            assert truth == "accepted"
        case OutcomeUnknown():
            assert was_in_doubt
            assert not told.retry_is_safe
        case Refused() | NotSent():
            assert truth == "nothing"
            assert not in_doubt
        case _:
            raise AssertionError(told)


def test_a_plain_acceptance_takes_one_request() -> None:
    """202 is the end of it: nothing is asked, nothing is waited for."""
    played = send([reply(202)])
    assert played.value == Accepted(
        reference_id=REFERENCE_ID,
        kind="request_to_pay",
        product="collection",
        external_id=REFERENCE_ID,
    )
    assert [request.operation for request in played.requests] == ["RequesttoPay"]
    assert played.waits == []


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (reply(400), Refused, None),
        (reply(401), AuthenticationFailed, None),
        (reply(403, {"statusCode": 403, "message": "Forbidden"}), PermissionDenied, None),
        (reply(404, {"statusCode": 404, "message": "Resource not found"}), NotFound, None),
        (reply(500, {"code": "NOT_ALLOWED"}), Refused, "NOT_ALLOWED"),
        (reply(500, {"code": "INVALID_CURRENCY"}), Refused, "INVALID_CURRENCY"),
        (reply(500, {"code": "PAYER_NOT_FOUND"}), Refused, "PAYER_NOT_FOUND"),
        (reply(409, {"code": "NOT_SUCCESSFULLY_COMPLETED"}), Refused, "NOT_SUCCESSFULLY_COMPLETED"),
    ],
)
def test_a_plain_no_is_told_at_once(
    answer: Response, kind: type[Refused], code: str | None
) -> None:
    """A permanent error is not repeated, whatever its HTTP class."""
    token = reply(200, {"access_token": "token-2", "expires_in": 3600})
    script = [answer, token, answer] if answer.status == 401 else [answer]
    error = send(script).raised(kind)
    assert error.code == code
    assert error.reference_id == REFERENCE_ID
    assert error.status == answer.status


def test_a_lost_reply_is_asked_about_before_anything_is_sent_again() -> None:
    """After doubt the status is asked first; MTN's yes ends it without a second send."""
    played = send([TIMEOUT, at_mtn()])
    assert played.value.replayed is True
    assert [request.method for request in played.requests] == ["POST", "GET"]
    assert len(played.waits) == 1


def test_a_lost_request_is_sent_again_with_the_same_id_and_bytes() -> None:
    """When MTN knows nothing, the very same request goes out again."""
    played = send([TIMEOUT, NOT_FOUND, reply(202)])
    first, _, second = played.requests
    assert (second.body, second.headers) == (first.body, first.headers)
    assert (played.value.attempts, played.value.replayed) == (2, False)


def test_the_second_send_is_told_to_be_known_already() -> None:
    """409 on our own resend is acceptance, even while the status cannot be seen."""
    played = send([TIMEOUT, NOT_FOUND, TAKEN, reply(503)])
    assert played.value.replayed is True


@pytest.mark.parametrize("page", [reply(200, PAGE), reply(200), reply(202, PAGE), reply(502, PAGE)])
def test_a_page_from_something_in_between_is_no_acceptance(page: Response) -> None:
    """A captive portal that answers everything with a page has not taken a payment."""
    error = send([page] * 20).raised(OutcomeUnknown)
    assert error.reference_id == REFERENCE_ID


def test_a_refusal_after_doubt_speaks_for_its_own_attempt_alone() -> None:
    """The first send may still be on its way: a later 403 does not make it undone."""
    error = send([TIMEOUT, NOT_FOUND, reply(403)]).raised(OutcomeUnknown)
    assert (error.status, error.reference_id) == (403, REFERENCE_ID)


def test_keys_refused_after_doubt_leave_the_doubt() -> None:
    """Losing the token while asking does not turn doubt into a refusal."""
    refused = reply(401, {"error": "login_failed"})
    error = send([TIMEOUT, NOT_FOUND, reply(401), refused]).raised(OutcomeUnknown)
    assert error.reference_id == REFERENCE_ID


def test_nothing_sent_is_told_as_nothing_sent() -> None:
    """No connection in all attempts: it did not happen, and nobody is asked about it."""
    played = send([NO_CONNECTION] * 4)
    error = played.raised(NotSent)
    assert error.reference_id == REFERENCE_ID
    assert [request.method for request in played.requests] == ["POST"] * 4


def test_a_throttled_call_waits_as_long_as_it_is_told() -> None:
    """Retry-After is honoured, with some spread on top."""
    played = send([reply(429, retry_after="7"), reply(202)])
    assert played.value.attempts == 2
    assert played.waits[0][0] == 7.0
    assert played.waits[0][1] > 7.0


def test_throttled_to_the_end_is_rate_limited() -> None:
    """429 in every attempt did not happen, and says when to come back."""
    error = send([reply(429, retry_after="2")] * 4).raised(RateLimited)
    assert (error.retry_after_seconds, error.reference_id) == (2.0, REFERENCE_ID)


def test_a_retry_after_beyond_the_deadline_ends_the_call() -> None:
    """A wait that cannot fit is not begun."""
    clock = Clock()
    played = drive(
        submit(access_for(clock=clock), request_to_pay()),
        [reply(429, retry_after="600")],
        clock=clock,
        ends_at=clock.now + 30,
    )
    assert played.raised(RateLimited).retry_after_seconds == 600.0


def test_the_token_endpoint_down_means_not_sent() -> None:
    """The payment's own request never left when no token was to be had."""
    played = drive(submit(access_for(held=None), request_to_pay()), [reply(503)] * 4)
    error = played.raised(NotSent)
    assert error.reference_id == REFERENCE_ID
    assert {request.operation for request in played.requests} == {"CreateAccessToken"}


@pytest.mark.parametrize("filing", [{}, {"idempotency_key": "order-1"}, {"reference_id": OWN_ID}])
def test_a_clash_that_shows_the_same_payment_is_acceptance(filing: dict[str, Any]) -> None:
    """409 on a first send: what MTN shows is ours, so it is accepted."""
    submission = request_to_pay(**filing)
    shown = at_mtn(externalId=submission.external_id)
    played = drive(submit(access_for(), submission), [TAKEN, shown])
    assert played.value.replayed is True


@pytest.mark.parametrize("filing", [{}, {"idempotency_key": "order-1"}, {"reference_id": OWN_ID}])
@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "5001"},
        {"currency": "EUR"},
        {"externalId": "another"},
        {"payer": {"partyIdType": "MSISDN", "partyId": "256772999999"}},
    ],
)
def test_a_clash_that_shows_another_payment_is_refused(
    filing: dict[str, Any], changes: dict[str, Any]
) -> None:
    """409 and a different body: somebody else's payment stands under this id."""
    submission = request_to_pay(**filing)
    shown = at_mtn(**{"externalId": submission.external_id, **changes})
    error = drive(submit(access_for(), submission), [TAKEN, shown]).raised(AlreadyExists)
    assert error.reference_id == submission.reference_id


@pytest.mark.parametrize(
    "changes",
    [
        {"payer": {"partyIdType": "PARTY_CODE", "partyId": "5f0c2b1a-0000-4d8e-9f00-112233445566"}},
        {"payer": {"partyIdType": "msisdn", "partyId": "+256772123456"}},
        {"payer": "256772123456"},
        {"amount": 5000},
        {"amount": 5000.0},
        {"amount": {"value": 1}},
        {"amount": None},
        {"externalId": None},
    ],
)
def test_what_cannot_be_compared_does_not_make_our_payment_a_strangers(
    changes: dict[str, Any],
) -> None:
    """MTN may show a party or an amount in another form; that is no contradiction."""
    assert send([TIMEOUT, at_mtn(**changes)]).value.replayed is True


@pytest.mark.parametrize("answer", [NOT_FOUND, reply(503), TIMEOUT, reply(200, PAGE)])
def test_a_clash_on_a_new_id_that_is_not_shown_is_doubt(answer: Any) -> None:
    """A new id was used by nobody else: something sent ours twice, so it may have happened."""
    assert send([TAKEN, answer]).raised(OutcomeUnknown).reference_id == REFERENCE_ID


@pytest.mark.parametrize("answer", [NOT_FOUND, reply(503), TIMEOUT])
def test_a_clash_on_a_callers_id_that_is_not_shown_is_acceptance(answer: Any) -> None:
    """The caller sends an id again on purpose: MTN says that it has it."""
    assert send([TAKEN, answer], idempotency_key="order-1").value.replayed is True


def test_without_a_status_to_ask_for_doubt_is_told_at_once() -> None:
    """A cancellation has no status: a lost answer is unknown, with no waiting and no resend."""
    cancel = collection.invoice_cancellation(
        forms_for(), invoice_reference_id=OWN_ID, filing=Filing(external_id="invoice-1")
    )
    played = drive(submit(access_for(), cancel), [TIMEOUT])
    played.raised(OutcomeUnknown)
    assert (len(played.requests), played.waits) == (1, [])


@pytest.mark.parametrize("status", [200, 202])
def test_a_cancellation_may_be_answered_by_200_or_202(status: int) -> None:
    """MTN documents one and sends the other."""
    cancel = collection.invoice_cancellation(
        forms_for(), invoice_reference_id=OWN_ID, filing=Filing(external_id="invoice-1")
    )
    assert drive(submit(access_for(), cancel), [reply(status)]).value.attempts == 1


def test_a_used_up_budget_stops_retries() -> None:
    """In an outage the budget runs out, and calls then fail after one try."""
    access = access_for(policy=RetryPolicy(attempts=3, budget_reserve=2, budget_ratio=0.0))
    tries = []
    for _ in range(3):
        played = drive(submit(access, request_to_pay()), [NO_CONNECTION] * 3)
        tries.append(len(played.requests))
        played.raised(NotSent)
    assert tries == [3, 1, 1]


def test_a_failing_token_store_does_not_fail_a_payment(caplog: pytest.LogCaptureFixture) -> None:
    """The store is a convenience: without it a token is fetched, and the log says so."""

    class Broken:
        def load(self, key: str) -> Any:
            raise ConnectionError("redis is down")

        def save(self, key: str, token: Any) -> None:
            raise ConnectionError("redis is down")

    operation: Operation[Accepted] = submit(access_for(held=None), request_to_pay())
    token = reply(200, {"access_token": "token-1", "expires_in": 3600})
    with caplog.at_level(logging.WARNING, logger="momokit"):
        played = drive(operation, [token, reply(202)], store=Broken())
    assert played.value.reference_id == REFERENCE_ID
    assert "token store failed (ConnectionError)" in caplog.text


def test_errors_show_no_number_and_no_key() -> None:
    """MTN's own words are shortened and masked before they reach an error."""
    told = {"code": "PAYER_NOT_FOUND", "message": "No account for 256772123456 here"}
    error: ProviderError = send([reply(500, told)]).raised(Refused)
    assert error.detail == "No account for ••• here"
    assert "256772123456" not in repr(error) + str(error) + json.dumps(str(vars(error)))
