"""Provisioning, the markets that have none, and settings that cannot be."""

from __future__ import annotations

import base64
import json
import uuid

import pytest

from momokit.emulator import Emulator, EmulatorSettings
from momokit.emulator.settings import SeededUser

from .caller import REFERENCE, Caller
from .test_checks import code_of


def test_provisioning_is_as_documented(caller: Caller) -> None:
    """Users are made under a v4 id with a host, read back, and given keys; no doubles."""
    key = {"Ocp_Apim_Subscription_Key": caller.credentials.subscription_key}
    user = str(uuid.uuid4())
    host = {"providerCallbackHost": "shop.test"}
    create = "POST /v1_0/apiuser"

    assert caller.call(create, json=host, X_Reference_Id="x", **key).status == 400
    empty = {"providerCallbackHost": ""}
    assert caller.call(create, json=empty, X_Reference_Id=user, **key).status == 400
    assert caller.call(create, json=host, X_Reference_Id=user, **key).status == 201
    assert code_of(caller.call(create, json=host, X_Reference_Id=user, **key))[0] == 409
    read = caller.call(f"GET /v1_0/apiuser/{user}", **key)
    assert read.json() == {"providerCallbackHost": "shop.test", "targetEnvironment": "sandbox"}
    assert caller.call(f"GET /v1_0/apiuser/{uuid.uuid4()}", **key).status == 404
    assert caller.call("GET /v1_0/apiuser/nonsense", **key).status == 400
    issued = caller.call(f"POST /v1_0/apiuser/{user}/apikey", **key)
    assert len(issued.json()["apiKey"]) == 32
    assert caller.call(f"POST /v1_0/apiuser/{uuid.uuid4()}/apikey", **key).status == 404


def test_strict_user_scope_reproduces_the_measured_500() -> None:
    """Under strict scope a user made with one product's key has no service elsewhere."""
    caller = Caller(strict_user_scope=True)
    made = caller.emulator.provision("collection")
    caller.credentials = made

    assert caller.call("GET /collection/v1_0/account/balance").status == 200
    assert caller.token("disbursement").status == 200
    elsewhere = caller.call("GET /disbursement/v1_0/account/balance")
    assert code_of(elsewhere) == (500, "NOT_ALLOWED_TARGET_ENVIRONMENT")


def test_countries_have_no_provisioning_and_their_own_rules() -> None:
    """Outside the sandbox: seeded users, local currency without decimals, strangers not found."""
    user = SeededUser(user_id=str(uuid.uuid4()), api_key="k" * 32, callback_host="shop.test")
    caller = Caller(Emulator(EmulatorSettings(market="mtnuganda", users=(user,))))
    key = {"Ocp_Apim_Subscription_Key": caller.credentials.subscription_key}
    made = caller.call("POST /v1_0/apiuser", json={"providerCallbackHost": "x"}, **key)
    paid, accepted = caller.pay(amount="500")
    stranger, _ = caller.pay("233241234567")
    test_number, _ = caller.transfer("46733123450")

    assert made.status == 404
    assert (accepted.status, caller.status(paid)["status"]) == (202, "SUCCESSFUL")
    assert caller.pay(amount="500.5")[1].status == 400
    assert code_of(caller.pay(currency="EUR")[1]) == (500, "INVALID_CURRENCY")
    assert caller.status(stranger)["reason"] == "PAYER_NOT_FOUND"
    transfer = caller.status(test_number, "/disbursement/v1_0/transfer")
    assert transfer["reason"] == "PAYEE_NOT_FOUND"
    basic = "Basic " + base64.b64encode(f"{user.user_id}:{user.api_key}".encode()).decode()
    assert caller.token(Authorization=basic).status == 200


def test_markets_are_those_of_the_environment_table() -> None:
    """Our table has every target environment and currency MTN lists, where the list is here."""
    path = REFERENCE / "samples" / "environments.json"
    if not path.exists():
        pytest.skip("the list of environments is not beside the project")
    from momokit.emulator.markets import MARKETS

    listed = json.loads(path.read_text())["environments"]
    expected = {
        row["target_environment"]: (
            row["currency"],
            row["iso4217_minor_units"],
            row["calling_code"],
        )
        for row in listed
    }

    assert {
        name: (market.currencies[0], market.decimals, market.calling_code)
        for name, market in MARKETS.items()
    } == expected


def test_settings_refuse_what_they_cannot_be() -> None:
    """Wrong names and values of settings are refused with the reason."""
    settings = EmulatorSettings()

    with pytest.raises(ValueError, match="unknown market"):
        EmulatorSettings(market="moon")
    with pytest.raises(ValueError, match="unknown setting"):
        settings.changed({"colour": "red"})
    with pytest.raises(ValueError, match="approval is one of"):
        settings.changed({"approval": "maybe"})
    with pytest.raises(ValueError, match="cannot be"):
        settings.changed({"token_lifetime_seconds": "long"})
    with pytest.raises(ValueError, match="opening_balance"):
        EmulatorSettings(opening_balance="much")
    with pytest.raises(ValueError, match="cannot be"):
        EmulatorSettings(history_limit=-1)
    assert settings.changed({"ongoing_expires_after_seconds": None}).seed == 0
