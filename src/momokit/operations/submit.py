"""Send something that moves money, or makes something MTN keeps, without ever losing track of it.

The reference id and the bytes are fixed before the first send and never change. A lost answer is
doubt, and doubt is ended by asking for the status and by resending the same id, never by guessing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from momokit.errors import (
    AlreadyExists,
    AuthenticationFailed,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
)
from momokit.models import Accepted
from momokit.money import read_amount
from momokit.operations.exchange import (
    DeadlinePassed,
    Operation,
    Request,
    Response,
    TransportFailure,
    error_code,
    error_detail,
    is_status,
    json_body,
)
from momokit.operations.refusal import refusal
from momokit.operations.token import Access, another_try, authorised, await_turn
from momokit.retry import Verdict, judge, retry_after_seconds

log = logging.getLogger("momokit")

# What is created is answered by 202 and nothing else; a cancellation by 200, or 202 when live.
_YES = {"POST": frozenset({202}), "DELETE": frozenset({200, 202, 204})}


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """One money movement, complete: what to send, under which id, and where its status is read.

    `kind` is our word for it ("request_to_pay"); `expected` holds the fields by which an object
    already known under the id is recognised as this one; `id_is_ours` is True when the id was made
    for this call alone, so that a clash on the first send cannot be our own.
    """

    kind: str
    product: str
    request: Request
    reference_id: str
    external_id: str | None
    status_path: str | None
    status_operation: str = ""
    expected: Mapping[str, Any] = field(default_factory=dict)
    id_is_ours: bool = True
    note_changes: tuple[str, ...] = ()

    def accepted(self, *, attempts: int, replayed: bool = False) -> Accepted:
        """State that MTN has it."""
        return Accepted(
            reference_id=self.reference_id,
            kind=self.kind,
            product=self.product,
            external_id=self.external_id,
            attempts=attempts,
            replayed=replayed,
            note_changes=self.note_changes,
        )


@dataclass(slots=True)
class _Log:
    """What has happened to one submission so far."""

    sent: int = 0
    rounds: int = 0
    doubtful: bool = False
    last: Response | None = None
    failure: str = ""
    retry_after: float | None = None
    not_sent: ProviderError | None = None


def submit(
    access: Access, submission: Submission, *, in_doubt: bool = False
) -> Operation[Accepted]:
    """Send a submission until MTN has it, has refused it, or the attempts or the time are used up.

    `in_doubt` says that an earlier call sent it and never learnt the outcome: a refusal now then
    proves nothing about that one.

    Raises Refused when MTN said no, NotSent when it certainly never arrived, and OutcomeUnknown
    when it may have arrived. Each carries the reference id.
    """
    access.budget.earn()
    track = _Log(doubtful=in_doubt)
    while True:
        track.rounds += 1
        verdict = yield from _send_once(access, submission, track)
        if verdict is Verdict.DONE:
            return submission.accepted(attempts=track.sent)
        if verdict is Verdict.EXISTS:
            return (yield from _already_there(access, submission, track))
        if verdict is Verdict.REFUSED:
            raise _refused(submission, track)
        found = yield from _pause_then_ask(access, submission, track)
        if found is not None:
            _check_same(submission, track, found)
            log.info("%s: found under its reference id after a lost answer", submission.kind)
            return submission.accepted(attempts=track.sent, replayed=True)


def _send_once(access: Access, submission: Submission, track: _Log) -> Operation[Verdict]:
    track.last, track.retry_after, track.not_sent = None, None, None
    try:
        response = yield from authorised(access, submission.request)
    except TransportFailure as failure:
        track.sent += failure.sent
        track.doubtful |= failure.sent
        track.failure = f"no answer ({failure.kind})" if failure.sent else f"{failure.kind} failed"
        return Verdict.UNKNOWN if failure.sent else Verdict.THROTTLED
    except DeadlinePassed:
        track.failure = track.failure or "no time left"
        raise _given_up(submission, track) from None
    except (
        AuthenticationFailed,
        NotSent,
    ) as error:  # no token: the submission itself did not leave
        track.not_sent, track.failure = error, error.message
        return Verdict.REFUSED
    track.sent += 1
    track.last = response
    readable = not response.body or isinstance(json_body(response), (dict, list))
    verdict = judge(
        response.status,
        error_code(response),
        readable=readable,
        done=_YES[submission.request.method],
    )
    track.failure = f"HTTP {response.status}"
    track.retry_after = retry_after_seconds(response.headers.get("retry-after"))
    if verdict is Verdict.UNKNOWN:
        track.doubtful = True
    return Verdict.REFUSED if verdict is Verdict.UNAUTHORISED else verdict


def _pause_then_ask(
    access: Access, submission: Submission, track: _Log
) -> Operation[Response | None]:
    """Let some time pass; in doubt, ask until MTN has answered yes (the status) or no (None:
    send again)."""
    while True:
        if track.doubtful and submission.status_path is None:
            raise _given_up(submission, track)
        about = f"{submission.kind}: {track.failure}"
        goes_on = yield from another_try(
            access, track.rounds, retry_after_seconds=track.retry_after, about=about
        )
        if not goes_on:
            raise _given_up(submission, track)
        if not track.doubtful:
            return None
        response = yield from _ask(access, submission)
        if response is not None and response.status == 200:
            return response
        if response is not None and response.status == 404:
            return None
        track.rounds += 1


def _ask(access: Access, submission: Submission) -> Operation[Response | None]:
    if submission.status_path is None:
        return None
    question = Request(submission.status_operation, "GET", submission.status_path)
    try:
        yield from await_turn(access)
        response = yield from authorised(access, question)
    except (TransportFailure, DeadlinePassed, AuthenticationFailed, NotSent):
        return None
    if response.status == 200 and not is_status(json_body(response)):
        return None  # said by something in between: not MTN's word
    return response


def _already_there(access: Access, submission: Submission, track: _Log) -> Operation[Accepted]:
    """Handle 409: our own id was taken. Ours, as far as MTN can show it, means accepted.

    An id made for this call alone cannot have been used by another: something on the way has sent
    the request twice. While MTN does not show it, that is doubt, and no proof that nothing moved.
    """
    found = yield from _ask(access, submission)
    if found is not None and found.status == 200:
        _check_same(submission, track, found)
    elif submission.id_is_ours and not track.doubtful:
        track.doubtful = True
        track.failure = "it says that it knows the reference id, and does not show what it has"
        raise _given_up(submission, track)
    return submission.accepted(attempts=track.sent, replayed=True)


def _check_same(submission: Submission, track: _Log, found: Response) -> None:
    body = json_body(found)
    if not isinstance(body, dict):
        return
    for name, wanted in submission.expected.items():
        seen = body.get(name)
        if seen is not None and not _same(wanted, seen):
            raise _clash(submission, track, f"MTN knows this reference id with another {name}.")


def _same(wanted: Any, seen: Any) -> bool:
    """Tell whether two values can be the same one. What cannot be compared proves nothing: only
    a plain contradiction may turn a payment of ours into somebody else's."""
    if isinstance(wanted, Mapping):
        return not isinstance(seen, Mapping) or _same_party(wanted, seen)
    if isinstance(wanted, str) and isinstance(seen, str):
        return wanted == seen
    try:
        return read_amount(seen) == read_amount(wanted)
    except ValueError:
        return True


def _same_party(wanted: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
    """MTN may know a party by another identifier than ours (an alias's number, say)."""
    kinds = [str(party.get("partyIdType")).upper() for party in (wanted, seen)]
    ids = [str(party.get("partyId")).strip().lstrip("+").lower() for party in (wanted, seen)]
    return kinds[0] != kinds[1] or seen.get("partyId") is None or ids[0] == ids[1]


def _clash(submission: Submission, track: _Log, message: str) -> AlreadyExists:
    return AlreadyExists(
        message,
        hint="Look the id up before anything else; another payment of yours may have used it.",
        operation=submission.request.operation,
        reference_id=submission.reference_id,
        status=409,
        code="RESOURCE_ALREADY_EXIST",
        attempts=track.sent,
    )


def _refused(submission: Submission, track: _Log) -> ProviderError:
    """A refusal is believed only when no earlier attempt is in doubt: it speaks for its own
    attempt alone."""
    if track.doubtful:
        return _given_up(submission, track)
    if track.not_sent is not None:
        track.not_sent.reference_id = submission.reference_id
        return track.not_sent
    assert track.last is not None
    return refusal(submission.request, track.last, attempts=track.sent)


def _given_up(submission: Submission, track: _Log) -> ProviderError:
    details: dict[str, Any] = {
        "operation": submission.request.operation,
        "reference_id": submission.reference_id,
        "status": track.last.status if track.last else None,
        "code": error_code(track.last) if track.last else None,
        "detail": error_detail(track.last) if track.last else "",
        "attempts": max(track.sent, 1),
    }
    if track.doubtful:
        log.warning(
            "%s: outcome unknown, reference id %s", submission.kind, submission.reference_id
        )
        return OutcomeUnknown(
            f"MTN may or may not have taken this {submission.kind}: {track.failure}.",
            hint="Do not start another one. Keep the reference id and ask with resolve(),"
            " or repeat the call with the same reference id.",
            **details,
        )
    if track.last is not None and track.last.status == 429:
        return RateLimited(
            "MTN is turning calls away for now (429).",
            hint="It was not processed; try again later.",
            retry_after_seconds=track.retry_after,
            **details,
        )
    return NotSent(
        f"This {submission.kind} did not reach MTN: {track.failure}.",
        hint="Nothing moved; try again, with the same reference id if you can.",
        **details,
    )
