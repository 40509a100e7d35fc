"""Turn MTN's no into the exception that says what happened, whose move it is and what the move
is."""

from __future__ import annotations

from momokit.errors import (
    AlreadyExists,
    AuthenticationFailed,
    NotFound,
    PermissionDenied,
    Refused,
)
from momokit.operations.exchange import (
    Request,
    Response,
    error_code,
    error_detail,
    is_gateway_answer,
)
from momokit.reasons import reason_of

_BY_STATUS: dict[int, type[Refused]] = {
    401: AuthenticationFailed,
    403: PermissionDenied,
    404: NotFound,
    409: AlreadyExists,
}


def refusal(request: Request, response: Response, *, attempts: int = 1) -> Refused:
    """Build the exception for an answer that says: this did not happen."""
    code = error_code(response)
    kind = _BY_STATUS.get(response.status, Refused)
    if kind is AlreadyExists and code not in (None, "RESOURCE_ALREADY_EXIST"):
        kind = Refused  # 409 also says that something is not in the right state
    what, hint = _told(response, code)
    return kind(
        f"MTN refused {request.operation}: {what}",
        hint=hint,
        operation=request.operation,
        reference_id=request.reference_id,
        status=response.status,
        code=code,
        detail=error_detail(response),
        attempts=attempts,
    )


def _told(response: Response, code: str | None) -> tuple[str, str]:
    if code is not None:
        reason = reason_of(code)
        return f"{code}. {reason.what.en}", reason.remedy.en
    status = response.status
    if status == 401 and is_gateway_answer(response):
        return (
            "the subscription key is not valid for this product.",
            "Each product has its own key; check it at MTN's developer portal.",
        )
    if status == 401:
        return (
            "the token is not accepted, not even a fresh one.",
            "Check that API user, key and product belong together.",
        )
    if status == 403:
        return (
            "this address or this product is not enabled.",
            "Ask MTN to list your outgoing IP address and to enable the product for your account.",
        )
    if status == 404 and is_gateway_answer(response):
        return "its gateway knows no such path.", "Check the host and the product."
    if status == 404:
        return "it knows no such thing.", "Right after sending, this can mean: not visible yet."
    if status == 400:
        return (
            "a header, a field, a length or a character is not as it wants it.",
            "MTN often does not say which; check the amount, the party and the notes.",
        )
    return f"HTTP {status}.", "Look the status up in MTN's documentation."
