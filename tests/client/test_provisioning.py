"""API users and keys: MTN's sandbox only, and a lost answer is no lost user."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from momokit import ConfigurationError, Secret
from momokit.errors import AlreadyExists, AuthenticationFailed, InvalidInput, NotFound, Unavailable
from momokit.operations.provisioning import create_api_key, create_api_user, get_api_user
from tests.client.colours import COLOURS, Colour, perform
from tests.client.driving import (
    API_USER,
    GATEWAY_401,
    SUBSCRIPTION_KEY,
    TIMEOUT,
    Answer,
    Drive,
    access_for,
    drive,
    reply,
)

DUPLICATE = reply(409, {"code": "RESOURCE_ALREADY_EXIST", "message": "Duplicated reference id."})


def create(script: list[Answer], host: str = "shop.example") -> Drive:
    """Make an API user."""
    operation = create_api_user(access_for(held=None), api_user=API_USER, callback_host=host)
    return drive(operation, script)


def test_a_user_is_made_under_our_id_with_the_key_alone() -> None:
    """No token is needed, and none is asked for."""
    played = create([reply(201)])
    assert played.value == API_USER
    (request,) = played.requests
    assert request.body == b'{"providerCallbackHost":"shop.example"}'
    assert request.headers == {
        "X-Reference-Id": API_USER,
        "Content-Type": "application/json",
        "Ocp-Apim-Subscription-Key": SUBSCRIPTION_KEY,
    }


def test_a_lost_answer_makes_no_second_user() -> None:
    """The same id again: MTN knows it from the first try."""
    assert create([TIMEOUT, DUPLICATE]).value == API_USER
    assert create([TIMEOUT, reply(201)]).value == API_USER


def test_an_id_that_was_taken_before_is_told() -> None:
    """409 on the first try is somebody else's user."""
    assert create([DUPLICATE]).raised(AlreadyExists).reference_id == API_USER


@pytest.mark.parametrize(
    "host", ["https://shop.example", "shop.example:443", "shop.example/x", "", " ", "-x", "a\nb"]
)
def test_a_callback_host_is_bare(host: str) -> None:
    """It can never be changed, so a mistake is caught before it is made."""
    assert create([], host).raised(InvalidInput).field == "callback_host"


def test_a_wrong_key_is_told() -> None:
    """The gateway's 401 speaks of the subscription key."""
    create([GATEWAY_401]).raised(AuthenticationFailed)


def test_a_user_is_read_back() -> None:
    """Its host and its environment; an unknown one is not found."""
    body = {"providerCallbackHost": "shop.example", "targetEnvironment": "sandbox"}
    operation = get_api_user(access_for(held=None), api_user=API_USER)
    told = drive(operation, [reply(200, body)]).value
    assert (told.provider_callback_host, told.target_environment) == ("shop.example", "sandbox")
    unknown = reply(404, {"code": "RESOURCE_NOT_FOUND"})
    drive(get_api_user(access_for(held=None), api_user=API_USER), [unknown]).raised(NotFound)


def test_a_key_is_a_secret() -> None:
    """Shown once by MTN, and never by us."""
    operation = create_api_key(access_for(held=None), api_user=API_USER)
    key = drive(operation, [reply(503), reply(201, {"apiKey": "k-1"})]).value
    assert isinstance(key, Secret)
    assert key.reveal() == "k-1"


@pytest.mark.parametrize("body", [{}, {"apiKey": ""}, {"apiKey": 5}, []])
def test_an_answer_without_a_key_is_unavailable(body: object) -> None:
    """Asking again makes a new one."""
    operation = create_api_key(access_for(held=None), api_user=API_USER)
    drive(operation, [reply(201, body)]).raised(Unavailable)


@pytest.mark.parametrize("colour", COLOURS)
def test_provisioning_gives_credentials(colour: Colour) -> None:
    """A user with its key, ready for use, and hidden in print."""
    answers = iter([httpx2.Response(201), httpx2.Response(201, json={"apiKey": "k-1"})])

    def call(client: Any) -> Any:
        return client.sandbox.provision(callback_host="shop.example")

    made = perform(colour, call, handler=lambda request: next(answers))
    assert Secret(made.api_key).reveal() == "k-1"
    assert [key.reveal() for key in made.subscription_keys] == [SUBSCRIPTION_KEY]
    assert "k-1" not in repr(made)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    ("given", "field"),
    [({"market": "uganda"}, "market"), ({"subscription_key": None}, "subscription_key")],
)
def test_production_has_no_provisioning(given: dict[str, Any], field: str, colour: Colour) -> None:
    """There, users and keys come from MTN's portal; and a key is needed."""

    def call(client: Any) -> Any:
        return client.sandbox.provision(callback_host="shop.example")

    with pytest.raises(ConfigurationError) as caught:
        perform(colour, call, handler=lambda request: httpx2.Response(500), **given)
    assert caught.value.field == field
