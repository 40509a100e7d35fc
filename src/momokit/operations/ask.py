"""Ask MTN something: reads that change nothing and may be repeated at will, and waiting for an
outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from momokit.errors import (
    AuthenticationFailed,
    InvalidInput,
    NotFound,
    NotSent,
    ProviderError,
    RateLimited,
    Unavailable,
)
from momokit.models import Outcome, Progress, WaitResult
from momokit.operations.exchange import (
    DeadlinePassed,
    Operation,
    Request,
    Response,
    Tell,
    TransportFailure,
    Wait,
    Within,
    error_code,
    error_detail,
    is_status,
    json_body,
)
from momokit.operations.refusal import refusal
from momokit.operations.token import Access, another_try, authorised, await_turn
from momokit.retry import Verdict, judge, retry_after_seconds

log = logging.getLogger("momokit")

# Sleeps end a little early or late; what is left below this is no reason to ask once more.
_SHORTEST_SECONDS = 0.01

T = TypeVar("T")
O = TypeVar("O", bound=Outcome)  # noqa: E741


Sender: TypeAlias = Callable[[Access, Request], Operation[Response]]


def ask(
    access: Access, request: Request, *, by: Sender = authorised, repeat: bool = True
) -> Operation[Response]:
    """Send a question until it has a plain answer: the response, when its status is 2xx.

    `by` is how it is let in (a token, by default). `repeat=False` sends it once: for what reaches a
    person.

    Raises Refused (by kind) for a plain no, and Unavailable, RateLimited or NotSent when no usable
    answer came.
    """
    access.budget.earn()
    attempt = 0
    while True:
        attempt += 1
        response: Response | None = None
        try:
            response = yield from by(access, request)
        except TransportFailure as failure:
            error = _no_answer(request, failure, attempt)
        except (AuthenticationFailed, NotSent) as trouble:  # no token: the question did not leave
            trouble.reference_id = request.reference_id
            raise
        except DeadlinePassed:
            raise Unavailable(
                f"There was no time left to ask ({request.operation}).",
                hint="Nothing moved; ask again with more time.",
                operation=request.operation,
                reference_id=request.reference_id,
                attempts=attempt,
            ) from None
        else:
            verdict = judge(response.status, error_code(response))
            if verdict is Verdict.DONE:
                return response
            if verdict not in (Verdict.UNKNOWN, Verdict.THROTTLED):
                raise refusal(request, response, attempts=attempt)
            error = _unusable(request, response, attempt)
        if not repeat and not isinstance(error, NotSent):
            raise error
        asked = retry_after_seconds(response.headers.get("retry-after")) if response else None
        if not (yield from another_try(access, attempt, retry_after_seconds=asked)):
            raise error


def _no_answer(request: Request, failure: TransportFailure, attempts: int) -> ProviderError:
    kind = Unavailable if failure.sent else NotSent
    return kind(
        f"MTN gave no answer to {request.operation} ({failure.kind}).",
        hint="Nothing moved; ask again.",
        operation=request.operation,
        reference_id=request.reference_id,
        detail=failure.detail,
        attempts=attempts,
    )


def _unusable(request: Request, response: Response, attempts: int) -> ProviderError:
    details: dict[str, Any] = {
        "operation": request.operation,
        "reference_id": request.reference_id,
        "status": response.status,
        "code": error_code(response),
        "detail": error_detail(response),
        "attempts": attempts,
    }
    if response.status == 429:
        return RateLimited(
            "MTN is turning calls away for now (429).",
            hint="Ask again later.",
            retry_after_seconds=retry_after_seconds(response.headers.get("retry-after")),
            **details,
        )
    return Unavailable(
        f"MTN could not answer {request.operation} (HTTP {response.status}).",
        hint="Nothing moved; ask again.",
        **details,
    )


def ask_json(
    access: Access,
    request: Request,
    kinds: type | tuple[type, ...] = dict,
    *,
    by: Sender = authorised,
    repeat: bool = True,
) -> Operation[Any]:
    """Ask and read the answer as JSON of the expected kind; anything else is Unavailable, not a
    crash."""
    response = yield from ask(access, request, by=by, repeat=repeat)
    body = json_body(response)
    if not isinstance(body, kinds):
        what = "an empty body" if not response.body else "a body that is not the JSON expected"
        raise Unavailable(
            f"MTN answered {request.operation} with {what}.",
            hint="Nothing moved; ask again. If it stays so, something stands between you and MTN.",
            operation=request.operation,
            reference_id=request.reference_id,
            status=response.status,
        )
    return body


def status(
    access: Access, *, operation: str, path: str, reference_id: str, model: type[O]
) -> Operation[O]:
    """Ask for the status of a reference id, within MTN's limit on status calls."""
    request = Request(operation, "GET", path, reference_id=reference_id)
    try:
        yield from await_turn(access)
    except DeadlinePassed:
        raise Unavailable(
            "The budget of status calls is used up for now.",
            hint="Nothing moved; ask again in a moment.",
            operation=operation,
            reference_id=reference_id,
        ) from None
    body: Mapping[str, Any] = yield from ask_json(access, request)
    if not is_status(body):
        raise Unavailable(
            f"MTN's answer to {operation} holds no status.",
            hint="Nothing moved; ask again.",
            operation=operation,
            reference_id=reference_id,
            status=200,
        )
    return model.read(body, reference_id=reference_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class PollPlan:
    """How often to ask while waiting: quickly at first, then patiently, and at the edge.

    The payer has five minutes to approve; the question at 305 seconds meets that edge.
    """

    first_seconds: float = 1.0
    factor: float = 1.5
    longest_seconds: float = 20.0
    edge_seconds: float = 305.0

    def __post_init__(self) -> None:
        if self.first_seconds <= 0 or self.factor < 1 or self.longest_seconds < self.first_seconds:
            raise InvalidInput(
                "A plan needs a first wait above zero, a factor of at least 1 and a longest wait"
                " no shorter than the first.",
                field="plan",
            )

    def next_seconds(self, polls: int, waited_seconds: float) -> float:
        """Give the pause before the next question after `polls` of them and `waited_seconds` in
        all."""
        pause = min(self.longest_seconds, self.first_seconds * self.factor ** min(polls, 64))
        if waited_seconds < self.edge_seconds < waited_seconds + pause:
            return self.edge_seconds - waited_seconds
        return pause


def wait_for(
    access: Access,
    question: Callable[[], Operation[Outcome]],
    *,
    reference_id: str,
    timeout_seconds: float,
    call_seconds: float,
    plan: PollPlan,
    on_progress: Callable[[Progress], Any] | None = None,
) -> Operation[WaitResult]:
    """Ask until the outcome is final or the time is up; then say "open", which is not a failure.

    An outage in between does not end the wait, and neither does "not found": what was just accepted
    may not be visible yet. Each question has `call_seconds` of its own, so that one that hangs does
    not use up the wait. A refusal of another kind (keys, permission) is raised: waiting cannot mend
    it.
    """
    start = access.clock()
    polls = 0
    outcome: Outcome | None = None
    while True:
        error: ProviderError | None = None
        try:
            outcome = yield Within(call_seconds, question)
        except (NotFound, Unavailable, NotSent) as trouble:
            error = trouble
        polls += 1
        waited = access.clock() - start
        pause = plan.next_seconds(polls - 1, waited)
        left = timeout_seconds - waited
        done = (outcome is not None and outcome.is_final) or left < _SHORTEST_SECONDS
        if on_progress is not None:
            news = Progress(
                reference_id=reference_id,
                polls=polls,
                waited_seconds=waited,
                outcome=outcome,
                next_poll_seconds=None if done else min(pause, left),
                error=error,
            )
            yield Tell(on_progress, news)
        if done:
            state = outcome.state if outcome is not None else "open"
            return WaitResult(
                reference_id=reference_id,
                state=state,
                outcome=outcome,
                polls=polls,
                waited_seconds=waited,
            )
        pause = min(pause, left)
        try:
            yield Wait(pause, pause)
        except DeadlinePassed:
            timeout_seconds = 0.0  # a listener took the time that was left: ask once more, then end
