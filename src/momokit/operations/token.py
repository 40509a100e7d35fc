"""Bearer tokens and keys: what turns a plain request into one that MTN lets in.

One token per product and API user; fetched by one caller at a time, renewed ten minutes before it
ends, and renewed once more when MTN answers 401. A 401 was never processed, so resending the same
request after it cannot pay twice.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from momokit.errors import AuthenticationFailed, NotSent
from momokit.operations.exchange import (
    Alone,
    DeadlinePassed,
    Operation,
    Recall,
    Remember,
    Request,
    Response,
    StoredToken,
    TransportFailure,
    Wait,
    error_code,
    error_detail,
    is_gateway_answer,
    json_body,
    send,
)
from momokit.retry import RetryBudget, RetryPolicy, StatusPace, Verdict, judge, retry_after_seconds
from momokit.secret import Secret

log = logging.getLogger("momokit")

RENEW_EARLY_SECONDS = 600.0
"""MTN's own advice: renew about ten minutes before a token ends."""

RENEW_EARLY_SHARE = 0.2
"""For short lives the margin is a fifth of the life instead."""


class TokenStore(Protocol):
    """A place where several processes share tokens: a file, a cache, a table.

    Methods may be coroutine functions when the store is given to an `AsyncClient`. What is stored
    opens the account until it ends: keep the store as private as the keys.
    """

    def load(self, key: str, /) -> Any:
        """Give the `StoredToken` kept under `key`, or None."""

    def save(self, key: str, token: StoredToken | None, /) -> Any:
        """Keep `token` under `key`; None strikes it out."""


@dataclass(slots=True)
class _Held:
    """The token in hand, on the clock that cannot jump."""

    secret: str = field(repr=False)
    renew_at: float
    ends_at: float


class Access:
    """One product's way in: its keys, its API user and its token, shared by all calls on it.

    `clock` is monotonic seconds, for lifetimes; `wall_clock` is seconds since 1970, for what is
    shared between processes. Both are passed in.
    """

    def __init__(
        self,
        *,
        product: str,
        target_environment: str,
        subscription_keys: tuple[Secret, ...],
        api_user: str,
        api_key: Secret,
        policy: RetryPolicy,
        budget: RetryBudget,
        pace: StatusPace,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        store_scope: str = "",
    ) -> None:
        self.product = product
        self.target_environment = target_environment
        self.policy = policy
        self.budget = budget
        self.pace = pace
        self.clock = clock
        self.wall_clock = wall_clock
        self.api_user = api_user
        pair = f"{api_user}:{api_key.reveal()}".encode()
        self._basic = "Basic " + base64.b64encode(pair).decode()
        self._keys = [key.reveal() for key in subscription_keys]
        self.token: _Held | None = None
        self.renewing = False
        # The key tells who the token is for without telling any secret.
        scope = f"{store_scope}|{target_environment}|{product}|{api_user}"
        self.store_key = "momokit-token-" + hashlib.sha256(scope.encode()).hexdigest()[:32]

    @property
    def subscription_key(self) -> str:
        """The subscription key in use: the primary one until MTN's gateway has refused it."""
        return self._keys[0]

    def other_key(self, refused: str) -> bool:
        """Go on with the other subscription key, when there is one that was not refused already."""
        if self._keys[0] == refused:  # or another call has changed over in the meantime
            if all(key == refused for key in self._keys):
                return False
            # Not a swap: two threads that are refused at once must both end with the other key.
            self._keys = [key for key in self._keys if key != refused] + [refused]
        log.warning("%s: subscription key refused, using the other one", self.product)
        return True

    def with_basic(self, request: Request) -> Request:
        """Complete a request with the API user and key, as the token endpoints want it."""
        return self._complete(request, self._basic)

    def with_bearer(self, request: Request, token: str) -> Request:
        """Complete a request with a token.

        MTN calls the type `access_token`; the header says Bearer.
        """
        return self._complete(request, "Bearer " + token)

    def _complete(self, request: Request, authorization: str) -> Request:
        return Request(
            request.operation,
            request.method,
            request.path,
            {
                **request.headers,
                "Authorization": authorization,
                "Ocp-Apim-Subscription-Key": self._keys[0],
                "X-Target-Environment": self.target_environment,
            },
            request.body,
            request.reference_id,
        )

    def hold(self, token: StoredToken) -> str:
        """Keep a token until it is due for renewal."""
        life = token.expires_at - self.wall_clock()
        margin = min(RENEW_EARLY_SECONDS, life * RENEW_EARLY_SHARE)
        now = self.clock()
        self.token = _Held(token.access_token, now + life - margin, now + life)
        return token.access_token


def await_turn(access: Access) -> Operation[None]:
    """Wait until one more status question keeps within MTN's limit.

    Raises DeadlinePassed when there is no time for that; the place in the queue is then given up.
    """
    now = access.clock()
    moment = access.pace.reserve(now)
    if moment > now:
        try:
            yield Wait(moment - now, moment - now)
        except DeadlinePassed:
            access.pace.give_back(moment)
            raise


def another_try(
    access: Access,
    attempt: int,
    *,
    retry_after_seconds: float | None = None,
    about: str = "",
) -> Operation[bool]:
    """Let time pass before one more try after number `attempt`; False when there is to be none.

    There is none when the attempts, the budget of retries or the time are used up. `about` says in
    the log what is tried again, and why.
    """
    if attempt >= access.policy.attempts or not access.budget.spend():
        return False
    if about:
        log.info("%s; attempt %d follows", about, attempt + 1)
    try:
        yield Wait(*access.policy.wait_seconds(attempt, retry_after_seconds=retry_after_seconds))
    except DeadlinePassed:
        return False
    return True


def authorised(access: Access, request: Request) -> Operation[Response]:
    """Send a request with key and token; on 401 change key or renew token, and send it once more.

    Raises NotSent or AuthenticationFailed when no token was to be had: the request itself has then
    not left.
    """
    token = yield from current_token(access)
    key_changed = renewed = False
    while True:
        key = access.subscription_key
        response = yield from send(access.with_bearer(request, token))
        if response.status != 401:
            return response
        if is_gateway_answer(response):
            if key_changed or not access.other_key(key):
                return response
            key_changed = True
        else:
            if renewed:
                return response
            renewed = True
            token = yield from current_token(access, refused=token)


def current_token(access: Access, *, refused: str | None = None) -> Operation[str]:
    """Give a token that should work: from memory, from the store, or fetched by one for all.

    `refused` is a token that MTN has just turned away; it is not given again.
    """
    held = access.token
    if held is not None and held.secret != refused:
        now = access.clock()
        # While one caller renews early, the others go on with the token that still works.
        if now < held.renew_at or (access.renewing and now < held.ends_at):
            return held.secret
    try:
        result: str = yield Alone(access.store_key, lambda: _renewed_token(access, refused))
    except DeadlinePassed:
        raise _no_token(access, "there was no time left", attempts=0) from None
    return result


def _renewed_token(access: Access, refused: str | None) -> Operation[str]:
    held = access.token
    if held is not None and held.secret != refused and access.clock() < held.renew_at:
        return held.secret  # somebody else fetched it while we queued
    stored = yield from _recall(access)
    # What is held already, and due for renewal, is not news; another process may have news.
    known = (refused, held.secret if held is not None else None)
    if stored is not None and stored.access_token not in known and _is_fresh(access, stored):
        return access.hold(stored)
    access.renewing = True
    try:
        fetched = yield from fetch_token(access)
    except NotSent as error:
        if held is not None and held.secret != refused and access.clock() < held.ends_at:
            log.warning("%s: token not renewed (%s), using the old one", access.product, error)
            return held.secret
        raise
    finally:
        access.renewing = False
    try:
        yield Remember(access.store_key, fetched)
    except Exception as error:
        log.warning("%s: the token store failed (%s)", access.product, type(error).__name__)
    return access.hold(fetched)


def _recall(access: Access) -> Operation[StoredToken | None]:
    """Look into the store. A store that fails is no reason to fail a payment: go on without it."""
    try:
        stored = yield Recall(access.store_key)
    except Exception as error:
        log.warning("%s: the token store failed (%s)", access.product, type(error).__name__)
        return None
    return stored if isinstance(stored, StoredToken) else None


def _is_fresh(access: Access, stored: StoredToken) -> bool:
    return stored.expires_at - access.wall_clock() > 60.0


def fetch_token(access: Access) -> Operation[StoredToken]:
    """CreateAccessToken: fetch a token from MTN, trying again where that can help.

    Raises AuthenticationFailed when MTN does not accept the API user, its key or the subscription
    key, and NotSent when no answer was had: the call that needed the token has not left.
    """
    attempt = 0
    while True:
        attempt += 1
        wait: float | None = None
        failure, status = "", None
        try:
            response = yield from _token_answer(access)
        except TransportFailure as error:
            failure = f"no answer ({error.kind})"
        else:
            token = _read_token(access, response)
            if token is not None:
                log.debug("%s: token fetched", access.product)
                return token
            _raise_if_refused(access, response, attempt)
            failure, status = f"HTTP {response.status}", response.status
            wait = retry_after_seconds(response.headers.get("retry-after"))
        if not (yield from another_try(access, attempt, retry_after_seconds=wait)):
            raise _no_token(access, failure, attempt, status=status)


def _token_answer(access: Access) -> Operation[Response]:
    request = Request("CreateAccessToken", "POST", f"/{access.product}/token/")
    key = access.subscription_key
    response = yield from send(access.with_basic(request))
    if response.status == 401 and is_gateway_answer(response) and access.other_key(key):
        response = yield from send(access.with_basic(request))
    return response


def _read_token(access: Access, response: Response) -> StoredToken | None:
    body = json_body(response)
    if response.status != 200 or not isinstance(body, dict):
        return None
    token = body.get("access_token")
    if not isinstance(token, str) or not token or any(c in token for c in "\r\n "):
        return None
    try:
        life = float(body.get("expires_in", 3600))
    except (TypeError, ValueError):
        life = 3600.0
    if not 0 < life < 10**8:
        life = 60.0
    return StoredToken(token, access.wall_clock() + life)


def _raise_if_refused(access: Access, response: Response, attempt: int) -> None:
    code = error_code(response)
    verdict = judge(response.status, code)
    if verdict not in (Verdict.REFUSED, Verdict.UNAUTHORISED):
        return
    if response.status == 401 and is_gateway_answer(response):
        what = f"MTN's gateway does not accept the {access.product} subscription key."
        hint = (
            "Check the key at MTN's developer portal: each product has its own,"
            f" and a key for another is refused on /{access.product}."
        )
    else:
        what = f"MTN does not accept the API user and key for {access.product}."
        hint = (
            "Check both; a key is shown once, and making a new one ends the old one."
            " Sandbox users do not exist in production."
        )
    raise AuthenticationFailed(
        what,
        hint=hint,
        operation="CreateAccessToken",
        status=response.status,
        code=code,
        detail=error_detail(response),
        attempts=attempt,
    )


def _no_token(access: Access, failure: str, attempts: int, *, status: int | None = None) -> NotSent:
    return NotSent(
        f"No {access.product} token was to be had: {failure}.",
        hint="The call that needed it was not sent; try again later.",
        operation="CreateAccessToken",
        status=status,
        attempts=attempts,
    )
