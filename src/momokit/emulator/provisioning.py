"""API users, their keys and their tokens: provisioning is the sandbox's, tokens are everybody's."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from . import checks, dialects
from .call import Call, Refusal
from .exchange import Reply, empty, json_reply
from .records import Token, User
from .state import State
from .wire import timestamp

TOKEN_HEADERS = (
    ("content-type", "application/json;charset=utf-8"),
    ("cache-control", "no-store"),
    ("pragma", "no-cache"),
)
_HEADER = base64.urlsafe_b64encode(b'{"typ":"JWT","alg":"R256"}').rstrip(b"=").decode()


def create_user(call: Call) -> Reply:
    """Answer post-v1_0-apiuser: the reference id becomes the API user's id."""
    _sandbox_only(call)
    user_id = call.header("x-reference-id").strip().lower()
    if not checks.UUID4.fullmatch(user_id):
        raise checks.bad_request(call)
    host = checks.body(call).get("providerCallbackHost")
    if not isinstance(host, str) or not host.strip() or len(host) > 255:
        raise checks.bad_request(call)
    state = call.state
    if user_id in state.users:
        return dialects.wallet("RESOURCE_ALREADY_EXIST")
    key = call.header("ocp-apim-subscription-key")
    state.users[user_id] = User(
        user_id=user_id, callback_host=host.strip(), made_with_key=key, product=_product_of(call)
    )
    state.version += 1
    return empty(201)


def read_user(call: Call) -> Reply:
    """Answer get-v1_0-apiuser."""
    _sandbox_only(call)
    user = _user_in_path(call)
    market = call.state.settings.market
    return json_reply(
        200, {"providerCallbackHost": user.callback_host, "targetEnvironment": market}
    )


def create_key(call: Call) -> Reply:
    """Answer post-v1_0-apiuser-apikey; an earlier key and its tokens stop working."""
    _sandbox_only(call)
    return json_reply(201, {"apiKey": new_key(call.state, _user_in_path(call))})


def new_key(state: State, user: User) -> str:
    """Give an API user a new key and revoke what the old one had obtained."""
    user.api_key = f"{state.chance.getrandbits(128):032x}"
    state.tokens = {v: t for v, t in state.tokens.items() if t.user_id != user.user_id}
    state.version += 1
    return user.api_key


def create_token(call: Call) -> Reply:
    """Answer CreateAccessToken; several tokens may be valid at once."""
    user = checks.basic(call)
    if user is None:
        answers = {
            "401": dialects.token_error("login_failed"),
            "500": dialects.token_error("login_failed", status=500),
            "500-unclear": dialects.wallet("INTERNAL_PROCESSING_ERROR"),
        }
        return answers[call.state.settings.login_failure]
    ttl = call.fault("token_ttl") if call.faulty else None
    lifetime = call.state.settings.token_lifetime_seconds if ttl is None else ttl["seconds"]
    value = issue_token(call.state, user_id=user.user_id, product=call.product, seconds=lifetime)
    body: dict[str, Any] = {
        "access_token": value,
        "token_type": "access_token",
        "expires_in": lifetime,
    }
    return Reply(200, TOKEN_HEADERS, msgspec.json.encode(body))


def token_without_slash(call: Call) -> Reply:
    """Answer the token path without its final slash, as the setting says."""
    choice = call.state.settings.token_without_slash
    if choice == "accept":
        return create_token(call)
    if choice == "not_found":
        return dialects.gateway(404, "Resource not found")
    return Reply(302, (("location", f"http://wallet.internal/{call.product}/token/"),))


def issue_token(
    state: State, *, user_id: str, product: str, seconds: float, consent: str = ""
) -> str:
    """Make and keep a token that looks like MTN's: a JWT with an algorithm nobody knows."""
    expires_at = state.clock.now() + seconds
    claims = {"clientId": user_id, "expires": timestamp(expires_at), "sessionId": state.uuid4()}
    value = ".".join((_HEADER, _base64(msgspec.json.encode(claims)), _base64(_signature(state))))
    state.add_token(
        Token(
            value=value,
            user_id=user_id,
            product=product,
            expires_at=expires_at,
            consent=consent,
        )
    )
    return value


def _signature(state: State) -> bytes:
    return state.chance.randbytes(128)


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _sandbox_only(call: Call) -> None:
    if not call.state.settings.sandbox:
        raise Refusal(dialects.gateway(404, "Resource not found"))


def _user_in_path(call: Call) -> User:
    user = call.state.users.get(checks.path_reference(call))
    if user is None:
        raise Refusal(dialects.wallet("RESOURCE_NOT_FOUND"))
    return user


def _product_of(call: Call) -> str:
    """Name the product of a key that was registered for exactly one."""
    key = call.header("ocp-apim-subscription-key")
    owners = [product for product, keys in call.state.keys.items() if key in keys]
    return owners[0] if len(owners) == 1 else ""
