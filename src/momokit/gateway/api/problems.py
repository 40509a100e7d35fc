"""Every error answer of the API, in one place: RFC 9457 problems with codes that stay."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.openapi.datastructures import ResponseSpec
from sqlalchemy.exc import OperationalError

from momokit.errors import ConfigurationError, InvalidInput
from momokit.gateway.api.edge import request_id_of
from momokit.gateway.steps.accept import Refusal
from momokit.gateway.store.records import NoSuchRow, NotUnique
from momokit.gateway.store.space import is_full

TYPE_ROOT = "https://momokit.dev/problems/"
_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True):
    """What an error answer looks like: branch on `code`, show `title` and `hint`, keep
    `request_id`.

    `retry_is_safe`: doing the same again, with the same Idempotency-Key, cannot move money twice.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    retry_is_safe: bool
    field: str | None = None
    hint: str | None = None
    payment_id: str | None = None


# code: status, title, what the caller can do
CODES: Mapping[str, tuple[int, str, str]] = MappingProxyType(
    {
        "invalid_request": (400, "The request cannot be read as meant.", "Correct it."),
        "invalid_json": (400, "The body is not JSON.", "Send one JSON object."),
        "idempotency_key_missing": (
            400,
            "This request needs an Idempotency-Key.",
            "Make one for each payment you intend (a UUID, say) and repeat it with every retry.",
        ),
        "invalid_idempotency_key": (
            400,
            "The Idempotency-Key has a form that is not taken.",
            "1 to 255 printable ASCII characters without spaces.",
        ),
        "invalid_cursor": (400, "The cursor is not one of ours.", "Start again without it."),
        "unauthenticated": (
            401,
            "No valid API key came with the request.",
            "Send Authorization: Bearer mk_… with a key that is neither revoked nor expired.",
        ),
        "insufficient_scope": (
            403,
            "The API key may not do this.",
            "Use a key that has the scope.",
        ),
        "not_found": (404, "There is no such thing here.", "Check the id and the path."),
        "account_unknown": (404, "There is no such account.", "GET /v1/accounts lists them."),
        "original_unknown": (
            404,
            "There is no such payment to give back.",
            "Name one of the same account.",
        ),
        "method_not_allowed": (405, "This path does not take this method.", "See /docs."),
        "possible_duplicate": (
            409,
            "The same was asked for a moment ago.",
            "Look at that payment; when a second one is meant, set allow_duplicate.",
        ),
        "cannot_cancel": (
            409,
            "The payment cannot be taken back.",
            "It has left for MTN, or is over: read its state.",
        ),
        "invoice_not_payable": (
            409,
            "The invoice takes no payment now.",
            "Read it: it is over, or another payment of it is under way.",
        ),
        "account_paused": (409, "The account takes no payments now.", "Ask its operator."),
        "batch_state": (409, "The batch takes that at another time.", "Read its state."),
        "not_the_maker": (403, "That is for the person who made the batch.", "Ask them."),
        "maker_cannot_check": (
            403,
            "Whoever made the batch does not sign it.",
            "Ask a second person, with a key of their own.",
        ),
        "word_given": (409, "You have signed that already.", "It takes another person."),
        "hash_changed": (
            409,
            "The rows are not the ones you saw.",
            "Read the batch again, and look at what changed.",
        ),
        "overrides_missing": (
            409,
            "There are findings that nobody has taken upon themselves.",
            "A second person overrides them, or the rows are left out.",
        ),
        "nothing_to_override": (409, "There is no such finding.", "to_override lists them."),
        "rows_rejected": (
            409,
            "There are rows that cannot be paid.",
            "Correct them or leave them out; the report says why.",
        ),
        "file_rejected": (409, "The file as a whole is not right.", "Correct it, upload it anew."),
        "nothing_to_pay": (409, "There is no row to pay.", "Look at the report."),
        "batch_limit": (
            409,
            "The batch is over a limit of the account.",
            "Pay less, or ask its operator.",
        ),
        "checks_outdated": (
            409,
            "What was checked is no longer so.",
            "Withdraw the batch, check it again, submit it again.",
        ),
        "nothing_to_retry": (
            409,
            "There is nothing that is proven to have failed.",
            "Rows that are unknown or under way settle by themselves.",
        ),
        "rows_changed": (409, "The rows changed meanwhile.", "Do it again with the same key."),
        "file_refused": (400, "The file cannot be read.", "detail and hint say what to do."),
        "limit_exceeded": (
            409,
            "The account's limits do not allow this.",
            "detail says which limit, and what is left of it; its operator may raise it.",
        ),
        "not_refundable": (409, "That payment cannot be given back.", "Only a request to pay can."),
        "refund_exceeds_payment": (
            409,
            "That is more than can be given back.",
            "Only what was captured, less what was refunded already.",
        ),
        "product_not_held": (
            409,
            "The account has no keys for what this kind of payment needs.",
            "GET /v1/accounts lists what each account holds.",
        ),
        "conflict": (409, "This does not go with what is there.", "Read it and decide again."),
        "body_too_large": (413, "The body is larger than is taken here.", "Send less."),
        "idempotency_mismatch": (
            422,
            "This Idempotency-Key was used for another request.",
            "Use a new key for a new payment; the old one stands for payment_id.",
        ),
        "rate_limited": (
            429,
            "This API key asks too often.",
            "Wait for as long as Retry-After says.",
        ),
        "refused": (422, "The request was refused.", "See detail."),
        "internal_error": (
            500,
            "Something failed here.",
            "Repeat it with the same Idempotency-Key; give the request id when you ask about it.",
        ),
        "money_stopped": (
            503,
            "All money is stopped.",
            "Its operator stopped it; repeat it later with the same Idempotency-Key.",
        ),
        "restore_hold": (
            503,
            "The books were restored from a copy, and money is held.",
            "Until its operator releases it; repeat it later with the same Idempotency-Key.",
        ),
        "storage_low": (
            503,
            "There is too little room to keep a new payment safely.",
            "Repeat it later with the same Idempotency-Key; what was taken in is seen to.",
        ),
        "not_ready": (503, "The service cannot work now.", "Try again in a while."),
    }
)

# What the framework calls a field, and what the caller does. A place is named when it is made of
# names of ours: in an object with names of the caller's, only the object is.
_MISSING = re.compile(r"missing required field `([A-Za-z_][A-Za-z_0-9-]{0,40})`")
_LONG_NUMBER = re.compile(r"\d{9}")
_PLACE = re.compile(r"[A-Za-z][A-Za-z_-]*(\.[A-Za-z][A-Za-z_-]*)*")
_PLACES = MappingProxyType({"data": "", "states": "state"})
# What the client calls the other side of a payment, and what the caller of this API does.
_FIELDS = MappingProxyType({"payer": "party", "payee": "party", "intended_payer": "party"})


_COME_BACK_SECONDS = MappingProxyType(
    {"money_stopped": "60", "restore_hold": "60", "storage_low": "30"}
)


class Problem(Exception):
    """An error answer, raised wherever it is found out. `code` is one of `CODES`."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        field: str | None = None,
        hint: str | None = None,
        payment_id: str | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        usual_status, self.title, usual_hint = CODES[code]
        self.code = code
        self.status = status or usual_status
        self.detail = detail or self.title
        self.field = field
        self.hint = hint or usual_hint
        self.payment_id = payment_id
        self.headers = dict(headers or {})
        if self.status == 503:
            self.headers.setdefault("Retry-After", _COME_BACK_SECONDS.get(code, "1"))


def answer(problem: Problem, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Write a problem as an answer."""
    body = ProblemBody(
        type=TYPE_ROOT + problem.code,
        title=problem.title,
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        request_id=request_id_of(request.scope),
        retry_is_safe=True,
        field=problem.field,
        hint=problem.hint,
        payment_id=problem.payment_id,
    )
    return Response(
        msgspec.json.encode(body),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def from_invalid_input(error: InvalidInput) -> Problem:
    """Turn a value that was refused into an answer that names the field as the caller knows it."""
    if isinstance(error, ConfigurationError):
        detail = f"The account's settings do not allow this: {error.message}"
        return Problem("conflict", detail, hint=error.hint)
    name, _, rest = error.field.partition(".")
    field = ".".join(part for part in (_FIELDS.get(name, name), rest) if part)
    return Problem("invalid_request", error.message, field=field, hint=error.hint)


def from_refusal(refusal: Refusal) -> Problem:
    """Turn a business refusal into an answer. A code without a row of its own keeps its name."""
    payment_id = refusal.payment_id
    if refusal.code in CODES:
        return Problem(refusal.code, refusal.message, payment_id=payment_id)
    problem = Problem("refused", refusal.message, payment_id=payment_id)
    problem.code = refusal.code
    return problem


def _on_problem(request: Request[Any, Any, Any], error: Problem) -> Response[bytes]:
    return answer(error, request)


def _on_invalid_input(request: Request[Any, Any, Any], error: InvalidInput) -> Response[bytes]:
    return answer(from_invalid_input(error), request)


def _on_refusal(request: Request[Any, Any, Any], error: Refusal) -> Response[bytes]:
    return answer(from_refusal(error), request)


def _on_no_such_row(request: Request[Any, Any, Any], _: NoSuchRow) -> Response[bytes]:
    return answer(Problem("not_found"), request)


def _on_not_unique(request: Request[Any, Any, Any], _: NotUnique) -> Response[bytes]:
    return answer(Problem("conflict", "Something like that is there already."), request)


def _on_database(request: Request[Any, Any, Any], error: OperationalError) -> Response[bytes]:
    # Its text holds the statement's values, so only its kind is for the log.
    _log.error("request %s: the database failed: %s", request_id_of(request.scope), type(error))
    code = "storage_low" if is_full(error) else "not_ready"
    detail = "The disk is full." if is_full(error) else "The database does not answer."
    return answer(Problem(code, detail), request)


def _on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if isinstance(error, ValidationException):
        return answer(_from_validation(error), request)
    if isinstance(error, NotFoundException):
        return answer(Problem("not_found", "There is nothing at this path."), request)
    if isinstance(error, MethodNotAllowedException):
        return answer(Problem("method_not_allowed", headers=error.headers), request)
    if error.status_code == 413:
        return answer(Problem("body_too_large"), request)
    if error.status_code < 500:
        # What the framework says here can quote the body, and the body holds phone numbers.
        return answer(Problem("invalid_json", status=400), request)
    return answer(Problem("internal_error"), request)


def _from_validation(error: ValidationException) -> Problem:
    extra = error.extra
    first = extra[0] if isinstance(extra, list) and extra else {}
    message = str(first.get("message") or "A value is not of the kind wanted.")
    place = _place(str(first.get("key") or ""))
    if "unknown field" in message:
        # Its name is the caller's, and may be a phone number; where it stands is said.
        hint = "See /docs for the fields there are; names are written in small letters."
        return Problem("invalid_request", "There is no such field.", field=place or None, hint=hint)
    missing = _MISSING.search(message)
    if missing is not None:
        field = f"{place}.{missing[1]}".strip(".")
        return Problem("invalid_request", "A field is missing.", field=field)
    if message.startswith("Invalid enum value"):  # It would repeat what may be a phone number.
        message = "This is not one of the words that are taken here"
    if _LONG_NUMBER.search(message):  # Should the framework ever quote what it was given.
        message = "This is not a value that is taken here"
    return Problem("invalid_request", f"{message}.".replace("`", ""), field=place or None)


def _place(key: str) -> str:
    """Name where a value stands, as far as that is in names of ours."""
    place = key.partition("[...]")[0].strip(".")
    place = _PLACES.get(place, place)
    return place if _PLACE.fullmatch(place) else ""


def _on_anything(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    # Where it happened is for the log. What the error says is not: it may hold a phone number.
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error(
        "request %s failed: %s\n%s", request_id_of(request.scope), type(error).__name__, where
    )
    return answer(Problem("internal_error"), request)


HANDLERS: Mapping[Any, Any] = MappingProxyType(
    {
        Problem: _on_problem,
        InvalidInput: _on_invalid_input,
        Refusal: _on_refusal,
        NoSuchRow: _on_no_such_row,
        NotUnique: _on_not_unique,
        OperationalError: _on_database,
        HTTPException: _on_http,
        Exception: _on_anything,
    }
)
"""What Litestar calls for each kind of exception."""


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """Describe for the OpenAPI document the problems that a route may answer with."""
    described = {400, 401, 403, 413, 429, 503, *statuses}
    return {
        status: ResponseSpec(
            ProblemBody,
            generate_examples=False,
            media_type=MEDIA_TYPE,
            description="; ".join(sorted(c for c, row in CODES.items() if row[0] == status)),
        )
        for status in sorted(described)
    }
