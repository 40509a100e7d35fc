"""Questions about accounts, and the promise that no secret reaches a screen."""

from __future__ import annotations

import logging

import pytest

from .runner import Momo

HOLDER = "256772123456"


def test_the_balance_is_read(momo: Momo) -> None:
    """For a person it is an amount and a currency."""
    assert momo("balance").out == "1000000000 EUR\n"
    assert momo("balance", "--product", "disbursement", "--json").json == {
        "product": "disbursement",
        "available_balance": "1000000000",
        "currency": "EUR",
    }


@pytest.mark.parametrize(
    ("number", "verdict", "code"),
    [(HOLDER, "yes", 0), ("46733123451", "no", 3), ("46733123454", "could_not_check", 7)],
)
def test_an_account_is_active_or_not_or_could_not_be_checked(
    momo: Momo, number: str, verdict: str, code: int
) -> None:
    """Three answers, three exit codes."""
    ran = momo("account", "active", number, "--json", MOMO_DEADLINE_SECONDS="1")

    assert (ran.json["verdict"], ran.code) == (verdict, code)


def test_an_outage_is_never_inactive(momo: Momo) -> None:
    """When MTN cannot answer, the exit code is 7 and not 3."""
    momo.emulator.faults.add("status", operation="ValidateAccountHolderStatus", code=503)
    ran = momo("account", "active", HOLDER, "--json", MOMO_DEADLINE_SECONDS="0.3")

    assert (ran.json["verdict"], ran.code) == ("could_not_check", 7)


def test_the_name_of_a_holder_is_asked(momo: Momo) -> None:
    """The name is what one asks for, so it is shown."""
    ran = momo("account", "name", HOLDER, "--json")

    assert ran.code == 0
    assert ran.json["full_name"] == "Sand Box"


def test_a_token_is_shown_only_on_request(momo: Momo) -> None:
    """Its life is told by default, the token itself with --show."""
    hidden = momo("token", "--json")
    shown = momo("token", "--show")

    assert hidden.json["token"] is None
    assert 3590 <= hidden.json["expires_in_seconds"] <= 3600
    assert len(shown.out.strip()) == hidden.json["token_length"]


def test_wrong_keys_exit_with_3(momo: Momo) -> None:
    """MTN does not accept them, and the remedy is said."""
    ran = momo("balance", "--json", MOMO_API_KEY="f" * 32)

    assert ran.code == 3
    assert ran.error["error"] == "AuthenticationFailed"


def test_no_credentials_are_a_matter_of_settings(momo: Momo) -> None:
    """Exit code 2 says which variables to set."""
    ran = momo("balance", "--json", MOMO_SUBSCRIPTION_KEY="")

    assert ran.code == 2
    assert "MOMO_COLLECTION_SUBSCRIPTION_KEY" in ran.error["hint"]


def test_a_payer_is_notified_after_a_payment(momo: Momo) -> None:
    """One message more, once the request to pay has succeeded."""
    paid = momo("request-to-pay", "25", HOLDER, "--wait", "--json").json["reference_id"]

    assert momo("notify", paid, "Thank you", "--json").json == {
        "reference_id": paid,
        "notified": True,
    }


def test_a_consent_is_asked_redeemed_and_used(momo: Momo) -> None:
    """The consent's token goes by the environment, and personal data stay masked."""
    asked = momo("consent", "authorize", HOLDER, "--scope", "profile", "--json")
    request = asked.json["auth_req_id"]
    hidden = momo("consent", "token", request, "--json")

    assert hidden.code == 0, hidden.err
    assert hidden.json["token"] is None
    again = momo("consent", "authorize", HOLDER, "--scope", "profile", "--json").json["auth_req_id"]
    token = momo("consent", "token", again, "--show").out.strip()
    info = momo("consent", "userinfo", "--json", MOMO_CONSENT_TOKEN=token)
    assert info.code == 0, info.err
    assert info.json["birthdate"] in (None, "•••")


COMMANDS = (
    ("balance",),
    ("token",),
    ("token", "--json"),
    ("account", "name", HOLDER),
    ("request-to-pay", "25", HOLDER, "--wait"),
    ("request-to-pay", "25", HOLDER, "--dry-run"),
    ("request-to-pay", "25", HOLDER, "--json", "--dry-run"),
    ("transfer", "25", HOLDER, "--wait", "--json"),
    ("doctor",),
    ("doctor", "--json"),
)


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_no_secret_reaches_a_screen(momo: Momo, args: tuple[str, ...]) -> None:
    """Neither keys nor tokens nor numbers are on stdout or stderr, log lines included."""
    ran = momo(*args, "--verbose")
    tokens = tuple(momo.emulator.state.tokens)
    secrets = (momo.environment["MOMO_SUBSCRIPTION_KEY"], momo.environment["MOMO_API_KEY"])

    assert tokens or "--dry-run" in args
    assert [s for s in (*secrets, *tokens, HOLDER) if s in ran.out + ran.err] == []


def test_log_lines_are_shown_on_request_and_only_for_that_run(momo: Momo) -> None:
    """--verbose shows the client's own log; nothing of it is left behind."""
    ran = momo("balance", "--verbose", "--json")

    assert any(event["event"] == "log" for event in ran.events)
    assert logging.getLogger("momokit").handlers == []
    assert momo("balance").err == ""
