"""What MTN refuses about a request's headers and body, and in which of its dialects."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from . import dialects
from .call import Call, Refusal
from .exchange import empty
from .records import User

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_PLAUSIBLE_KEY = re.compile(r"[A-Za-z0-9._~-]{8,128}")


def bad_request(call: Call) -> Refusal:
    """Refuse with 400, which MTN mostly sends without a body."""
    if call.state.settings.validation_bodies:
        return Refusal(dialects.wallet("VALIDATION_ERROR", status=400))
    return Refusal(empty(400))


def subscription_key(call: Call) -> str:
    """Check the subscription key as the gateway does before anything else."""
    key = call.header("ocp-apim-subscription-key")
    if not key and call.request.query:
        key = (parse_qs(call.request.query).get("subscription-key") or [""])[0]
    state = call.state
    if state.settings.strict_keys:
        accepted = state.keys.get(call.product, set()) if call.product else _all_keys(call)
        good = key in accepted
    else:
        good = _PLAUSIBLE_KEY.fullmatch(key) is not None
    if not good:
        host = call.header("host") or "localhost"
        raise Refusal(
            dialects.no_subscription(call.product, base_url=f"http://{host}", missing=not key)
        )
    return key


def content_length(call: Call) -> None:
    """Refuse a bodyless POST without Content-Length with 411 and a page, as the gateway does."""
    headers = call.request.headers
    missing = "content-length" not in headers or "transfer-encoding" in headers
    if missing and call.state.settings.require_content_length:
        raise Refusal(dialects.html(411, "Length Required"))


def basic(call: Call) -> User | None:
    """Find the API user of a Basic header; None when user or key is wrong."""
    word, _, encoded = call.header("authorization").partition(" ")
    if word.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    user_id, _, key = pair.partition(":")
    user = call.state.users.get(user_id.lower())
    if user is None or not key or user.api_key != key:
        return None
    return user


def bearer(call: Call, *, consent: bool = False) -> User:
    """Check a bearer token; the word `Bearer` is required, the product is the token's own."""
    state = call.state
    header = call.header("authorization")
    token = state.tokens.get(header[7:]) if header.startswith("Bearer ") else None
    if token is not None and call.faulty and call.fault("token_revoke") is not None:
        del state.tokens[token.value]
        token = None
    if (
        token is None
        or token.expires_at <= call.now
        or bool(token.consent) != consent
        or (state.settings.product_scoped_tokens and token.product != call.product)
        or (call.faulty and call.fault("401_random") is not None)
    ):
        raise Refusal(_unauthorised(call))
    user = state.users.get(token.user_id)
    if user is None:
        raise Refusal(_unauthorised(call))
    return user


def environment(call: Call, *, key: str) -> None:
    """Check the target environment, and under a strict scope the API user's own product."""
    named = call.header("x-target-environment")
    if not named:
        raise bad_request(call)
    state = call.state
    wrong = named != state.settings.market
    if state.settings.strict_user_scope and not wrong:
        user = call.user
        if user.product:
            wrong = user.product != call.product
        elif user.made_with_key:
            wrong = user.made_with_key != key and user.made_with_key not in state.keys.get(
                call.product, ()
            )
    if wrong:
        raise Refusal(dialects.wallet("NOT_ALLOWED_TARGET_ENVIRONMENT"))


def reference_id(call: Call) -> str:
    """Read the X-Reference-Id of a creating request: a version 4 UUID, else 400."""
    given = call.header("x-reference-id").strip().lower()
    if not UUID4.fullmatch(given):
        raise Refusal(empty(400))
    if call.state.settings.refuse_own_user_id and given == call.user.user_id:
        raise bad_request(call)
    return given


def path_reference(call: Call) -> str:
    """Read the reference id in a path; a malformed one is 400 without a body."""
    given = call.parameters[0].lower()
    if not UUID4.fullmatch(given):
        raise Refusal(empty(400))
    return given


def callback_url(call: Call) -> str:
    """Read X-Callback-Url; a host other than the registered one fails the whole request."""
    given = call.request.headers.get("x-callback-url")
    if given is None:
        return ""
    try:
        parts = urlsplit(given.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    good = parts.scheme in ("http", "https") and port != 0 and given.isascii()
    if good and call.state.settings.check_callback_host:
        good = host.lower() == call.user.callback_host.lower()
    if not good or not host:
        raise Refusal(dialects.wallet("INVALID_CALLBACK_URL_HOST"))
    return given.strip()


def body(call: Call) -> dict[str, Any]:
    """Read a JSON object; an empty body is answered 500 and anything else unreadable 400."""
    content = call.request.body
    if not content.strip():
        raise Refusal(empty(500))
    if len(content) > call.state.settings.body_limit_bytes:
        raise Refusal(dialects.gateway(413, "Request body is too large"))
    try:
        read = msgspec.json.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise bad_request(call) from None
    if not isinstance(read, dict):
        raise bad_request(call)
    return read


def form(call: Call) -> dict[str, str]:
    """Read a form body, the first value of each field."""
    try:
        fields = parse_qs(call.request.body.decode(), max_num_fields=50)
    except ValueError:
        raise bad_request(call) from None
    return {name: values[0] for name, values in fields.items()}


def _all_keys(call: Call) -> set[str]:
    return {key for keys in call.state.keys.values() for key in keys}


def _unauthorised(call: Call) -> Any:
    if call.operation.id == "GetBasicUserinfo":
        return dialects.token_error("invalid_token")
    return empty(401)
