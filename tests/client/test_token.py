"""Tokens: fetched once for all, renewed early, renewed once on 401, shared through a store."""

from __future__ import annotations

import base64
import hashlib
import logging
from typing import Any

import pytest

from momokit.errors import AuthenticationFailed, NotSent
from momokit.operations.exchange import Alone, Request, Response, StoredToken
from momokit.operations.token import authorised, current_token, fetch_token
from momokit.retry import RetryPolicy
from tests.client.driving import (
    API_KEY,
    API_USER,
    GATEWAY_401,
    NO_CONNECTION,
    PAGE,
    SECOND_KEY,
    SUBSCRIPTION_KEY,
    TIMEOUT,
    Answer,
    Clock,
    access_for,
    drive,
    reply,
    token_reply,
)

PAYMENT = Request("RequesttoPay", "POST", "/x", {"X-Reference-Id": "r"}, b"{}", "r")
LOGIN_FAILED = reply(401, {"error": "login_failed"})


class Store:
    """A token store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, StoredToken] = {}

    def load(self, key: str) -> StoredToken | None:
        return self.kept.get(key)

    def save(self, key: str, token: StoredToken | None) -> None:
        if token is None:
            self.kept.pop(key, None)
        else:
            self.kept[key] = token


def test_the_token_call_has_basic_auth_the_key_and_no_body() -> None:
    """MTN wants the API user and key, the product's subscription key, and nothing else."""
    played = drive(current_token(access_for(held=None)), [token_reply("abc")])
    assert played.value == "abc"
    (request,) = played.requests
    pair = base64.b64encode(f"{API_USER}:{API_KEY}".encode()).decode()
    assert (request.method, request.path, request.body) == ("POST", "/collection/token/", b"")
    assert request.headers["Authorization"] == f"Basic {pair}"
    assert request.headers["Ocp-Apim-Subscription-Key"] == SUBSCRIPTION_KEY


@pytest.mark.parametrize(
    ("life", "renewed_after", "kept_until"),
    [(3600, 3000.1, 2999.9), (100, 80.1, 79.9), ("3600", 3000.1, 2999.9), (None, 2880.1, 2879.9)],
)
def test_a_token_is_renewed_early(life: object, renewed_after: float, kept_until: float) -> None:
    """Ten minutes early, or a fifth of a short life; a life that cannot be read is an hour."""
    if life is None:
        life, renewed_after, kept_until = "soon", 3000.1, 2999.9
    clock = Clock()
    access = access_for(clock=clock, held=None)
    drive(current_token(access), [token_reply("first", life=life)])
    clock.now += kept_until
    assert drive(current_token(access), []).value == "first"
    clock.now += renewed_after - kept_until
    assert drive(current_token(access), [token_reply("second")]).value == "second"


def test_lives_do_not_depend_on_the_wall_clock() -> None:
    """A jump of the wall clock neither ends a token nor keeps a dead one."""
    clock, wall = Clock(), Clock(1.7e9)
    access = access_for(clock=clock, wall_clock=wall, held=None)
    drive(current_token(access), [token_reply("first")])
    wall.now += 86_400 * 365
    assert drive(current_token(access), []).value == "first"
    wall.now -= 86_400 * 365 * 2
    clock.now += 3001
    assert drive(current_token(access), [token_reply("second")]).value == "second"


def test_while_renewing_fails_the_old_token_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    """The token endpoint being down harms nobody while a token still lives."""
    clock = Clock()
    access = access_for(clock=clock, held="old", held_seconds=3600)
    clock.now += 3100
    with caplog.at_level(logging.WARNING, logger="momokit"):
        assert drive(current_token(access), [reply(503)] * 4).value == "old"
    assert "using the old one" in caplog.text
    clock.now += 500
    drive(current_token(access), [reply(503)] * 4).raised(NotSent)


def test_while_one_renews_the_others_go_on() -> None:
    """Early renewal holds nobody up: the token in hand still works."""
    clock = Clock()
    access = access_for(clock=clock, held="old", held_seconds=3600)
    clock.now += 3100
    renewal = current_token(access)
    alone = next(renewal)
    assert isinstance(alone, Alone)
    inner = alone.operation()
    next(inner)  # Recall
    inner.send(None)  # the token request is on its way
    assert drive(current_token(access), []).value == "old"
    inner.close()
    assert access.renewing is False


def test_a_refused_token_is_renewed_once_and_the_same_request_sent_again() -> None:
    """401 was not processed: the same id and the same bytes go out again."""
    played = drive(
        authorised(access_for(held="stale"), PAYMENT),
        [reply(401), token_reply("fresh"), reply(202)],
    )
    first, _, second = played.requests
    assert played.value.status == 202
    assert (first.body, first.reference_id) == (second.body, second.reference_id)
    assert first.headers["Authorization"] == "Bearer stale"
    assert second.headers == {**first.headers, "Authorization": "Bearer fresh"}


def test_a_second_401_is_given_back() -> None:
    """There is one renewal, not a loop."""
    played = drive(
        authorised(access_for(held="stale"), PAYMENT),
        [reply(401), token_reply("fresh"), reply(401)],
    )
    assert played.value.status == 401


def test_a_token_refused_to_many_is_renewed_once() -> None:
    """Who comes with a token that another has replaced already gets the new one."""
    access = access_for(held="stale")
    drive(current_token(access, refused="stale"), [token_reply("fresh")])
    assert drive(current_token(access, refused="stale"), []).value == "fresh"


def test_the_second_subscription_key_is_used_when_the_first_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The change is said in the log, without any key, and it stays."""
    access = access_for(keys=(SUBSCRIPTION_KEY, SECOND_KEY))
    with caplog.at_level(logging.DEBUG, logger="momokit"):
        played = drive(authorised(access, PAYMENT), [GATEWAY_401, reply(202)])
    keys = [request.headers["Ocp-Apim-Subscription-Key"] for request in played.requests]
    assert keys == [SUBSCRIPTION_KEY, SECOND_KEY]
    assert "subscription key refused, using the other one" in caplog.text
    assert not any(key in caplog.text for key in (SUBSCRIPTION_KEY, SECOND_KEY, API_KEY))
    again = drive(authorised(access, PAYMENT), [reply(202)])
    assert again.requests[0].headers["Ocp-Apim-Subscription-Key"] == SECOND_KEY


def test_the_token_call_too_falls_back_to_the_second_key() -> None:
    """The first call of a client is the token call: it must not end there."""
    access = access_for(keys=(SUBSCRIPTION_KEY, SECOND_KEY), held=None)
    played = drive(current_token(access), [GATEWAY_401, token_reply()])
    assert played.value == "token-1"


def test_two_callers_refused_at_once_both_end_with_the_other_key() -> None:
    """Changing over is no swap that two can undo."""
    access = access_for(keys=(SUBSCRIPTION_KEY, SECOND_KEY))
    access._keys = [SECOND_KEY, SUBSCRIPTION_KEY]  # the first caller has changed over
    assert access.other_key(SUBSCRIPTION_KEY) is True
    assert access.subscription_key == SECOND_KEY


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (GATEWAY_401, "gateway does not accept the collection subscription key"),
        (LOGIN_FAILED, "does not accept the API user and key"),
        (reply(500, {"error": "login_failed"}), "does not accept the API user and key"),
        (reply(401), "does not accept the API user and key"),
    ],
)
def test_wrong_credentials_are_told_at_once(answer: Response, words: str) -> None:
    """MTN's 500 for a wrong password is a no, not an outage."""
    played = drive(current_token(access_for(held=None)), [answer])
    error = played.raised(AuthenticationFailed)
    assert words in str(error)
    assert (error.operation, len(played.requests)) == ("CreateAccessToken", 1)
    assert API_KEY not in repr(vars(error))


@pytest.mark.parametrize(
    "answer",
    [
        reply(503),
        TIMEOUT,
        NO_CONNECTION,
        reply(200, PAGE),
        reply(200),
        reply(200, {"access_token": ""}),
        reply(200, {"access_token": "a\r\nX-Evil: 1"}),
        reply(200, {"access_token": 5}),
        reply(200, ["token"]),
    ],
)
def test_what_is_no_token_is_tried_again(answer: Answer) -> None:
    """An outage or a page at the token endpoint is overcome when it ends."""
    assert drive(current_token(access_for(held=None)), [answer, token_reply()]).value == "token-1"
    drive(current_token(access_for(held=None)), [answer] * 4).raised(NotSent)


@pytest.mark.parametrize("ends_after", [0.0, 0.4])
def test_no_time_for_a_token_is_not_sent(ends_after: float) -> None:
    """A deadline inside the token's turn is told in our words, not the driver's."""
    clock = Clock()
    access = access_for(clock=clock, held=None)
    played = drive(current_token(access), [reply(503)] * 4, clock=clock, ends_at=1000 + ends_after)
    played.raised(NotSent)


def test_two_processes_share_a_token() -> None:
    """What one fetched, another with the same credentials finds in the store."""
    store = Store()
    drive(current_token(access_for(held=None)), [token_reply("shared")], store=store)
    assert drive(current_token(access_for(held=None)), [], store=store).value == "shared"
    other = access_for("disbursement", held=None)
    assert drive(current_token(other), [token_reply("own")], store=store).value == "own"


def test_the_stores_keys_tell_no_secret() -> None:
    """The key under which a token is kept is a hash."""
    store = Store()
    drive(current_token(access_for(held=None)), [token_reply("bearer-9")], store=store)
    (key,) = store.kept
    scope = f"|mtnuganda|collection|{API_USER}"
    assert key == "momokit-token-" + hashlib.sha256(scope.encode()).hexdigest()[:32]
    assert "bearer-9" not in repr(store.kept)


@pytest.mark.parametrize("seconds_left", [-100.0, 0.0, 59.0])
def test_an_ended_token_in_the_store_is_passed_over(seconds_left: float) -> None:
    """A token that is over, or nearly, is fetched anew and replaced."""
    store, access = Store(), access_for(held=None)
    store.kept[access.store_key] = StoredToken("dead", access.wall_clock() + seconds_left)
    assert drive(current_token(access), [token_reply("new")], store=store).value == "new"
    assert store.kept[access.store_key].access_token == "new"


@pytest.mark.parametrize("junk", ["token", 5, {"access_token": "x"}, object()])
def test_junk_in_the_store_is_passed_over(junk: Any) -> None:
    """A store that gives something else is no reason to fail."""
    store, access = Store(), access_for(held=None)
    store.kept[access.store_key] = junk
    assert drive(current_token(access), [token_reply("new")], store=store).value == "new"


def test_a_refused_token_is_not_taken_from_the_store_again() -> None:
    """A revoked token is replaced in the store for everybody."""
    store, access = Store(), access_for(held="revoked")
    store.kept[access.store_key] = StoredToken("revoked", access.wall_clock() + 3000)
    renewed = drive(current_token(access, refused="revoked"), [token_reply("new")], store=store)
    assert renewed.value == "new"
    assert store.kept[access.store_key].access_token == "new"


def test_with_a_store_too_a_token_is_renewed_ten_minutes_early() -> None:
    """The token in hand is no news when it comes back from the store."""
    clock, wall, store = Clock(), Clock(1.7e9), Store()
    access = access_for(clock=clock, wall_clock=wall, held=None)
    drive(current_token(access), [token_reply("first")], store=store)
    clock.now += 3001
    wall.now += 3001
    assert drive(current_token(access), [token_reply("second")], store=store).value == "second"


def test_what_another_process_renewed_is_taken() -> None:
    """When it is time to renew, another process's newer token saves the call."""
    clock, wall, store = Clock(), Clock(1.7e9), Store()
    access = access_for(clock=clock, wall_clock=wall, held=None)
    drive(current_token(access), [token_reply("first")], store=store)
    clock.now += 3001
    wall.now += 3001
    store.kept[access.store_key] = StoredToken("newer", wall.now + 3600)
    assert drive(current_token(access), [], store=store).value == "newer"


def test_fetching_is_bounded() -> None:
    """The policy's attempts bound the token call as well."""
    access = access_for(held=None, policy=RetryPolicy(attempts=2, budget_reserve=100))
    played = drive(fetch_token(access), [reply(503)] * 2)
    assert played.raised(NotSent).attempts == 2
