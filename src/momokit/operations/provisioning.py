"""Make API users and keys.

MTN offers this in its sandbox only; in production both come from its portal.
"""

from __future__ import annotations

import re

from momokit.errors import AlreadyExists, InvalidInput, Unavailable
from momokit.holder import ApiUser
from momokit.operations.ask import ask, ask_json
from momokit.operations.exchange import Operation, Request, Response, encode, send
from momokit.operations.forms import check_reference_id
from momokit.operations.token import Access
from momokit.secret import Secret

_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def create_api_user(access: Access, *, api_user: str, callback_host: str) -> Operation[str]:
    """post-v1_0-apiuser: make an API user under an id of our own; give that id back.

    `callback_host` is a bare host name and can never be changed: every callback URL must be on it.
    """
    if not _HOST.fullmatch(callback_host):
        raise InvalidInput(
            "The callback host is a bare host name: no scheme, port or path.",
            field="callback_host",
            hint="Write shop.example, not https://shop.example/callback.",
        )
    api_user = check_reference_id(api_user, field="api_user")
    request = Request(
        "post-v1_0-apiuser",
        "POST",
        "/v1_0/apiuser",
        {"X-Reference-Id": api_user, "Content-Type": "application/json"},
        encode({"providerCallbackHost": callback_host}),
        api_user,
    )
    try:
        yield from ask(access, request, by=_with_key)
    except AlreadyExists as error:
        if error.attempts < 2:
            raise
        # An earlier try of this very call made it and its answer was lost.
    return api_user


def get_api_user(access: Access, *, api_user: str) -> Operation[ApiUser]:
    """get-v1_0-apiuser: read an API user back."""
    path = f"/v1_0/apiuser/{check_reference_id(api_user, field='api_user')}"
    body = yield from ask_json(access, Request("get-v1_0-apiuser", "GET", path), by=_with_key)
    return ApiUser.read(body)


def create_api_key(access: Access, *, api_user: str) -> Operation[Secret]:
    """post-v1_0-apiuser-apikey: make a key for an API user.

    It is shown once; the key before it ends.
    """
    path = f"/v1_0/apiuser/{check_reference_id(api_user, field='api_user')}/apikey"
    request = Request("post-v1_0-apiuser-apikey", "POST", path)
    body = yield from ask_json(access, request, by=_with_key)
    key = body.get("apiKey")
    if not isinstance(key, str) or not key:
        raise Unavailable(
            "MTN's answer holds no API key.",
            hint="Ask for a key again; each call makes a new one.",
            operation=request.operation,
        )
    return Secret(key)


def _with_key(access: Access, request: Request) -> Operation[Response]:
    headers = {**request.headers, "Ocp-Apim-Subscription-Key": access.subscription_key}
    return (
        yield from send(
            Request(
                request.operation,
                request.method,
                request.path,
                headers,
                request.body,
                request.reference_id,
            )
        )
    )
