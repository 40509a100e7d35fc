"""Questions about accounts: yes, no, or could not check; and the holder's consent, asked once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest

from momokit import InvalidInput, Market, Party
from momokit.errors import NotSent, PermissionDenied, RateLimited, Refused, Unavailable
from momokit.operations import account, collection
from momokit.operations.exchange import Response
from tests.client.driving import (
    GATEWAY_401,
    NO_CONNECTION,
    PAGE,
    REFERENCE_ID,
    TIMEOUT,
    Answer,
    Drive,
    access_for,
    drive,
    forms_for,
    reply,
    token_reply,
)

GATEWAY_404 = reply(404, {"statusCode": 404, "message": "Resource not found"})
NO_HOLDER = reply(404, {"code": "RESOURCE_NOT_FOUND", "message": "no such holder"})


def is_active(script: list[Answer], party: Any = "0772123456") -> Drive:
    """Ask whether a party is active."""
    return drive(account.is_active(access_for(), forms_for(), party=party), script)


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        ([reply(200, {"result": True})], "yes"),
        ([reply(200, {"result": "true"})], "yes"),
        ([reply(200, {"result": False})], "no"),
        ([NO_HOLDER], "no"),
        ([GATEWAY_404], "could_not_check"),
        ([reply(404)], "could_not_check"),
        ([reply(404, PAGE)], "could_not_check"),
        ([reply(200, {"result": None})], "could_not_check"),
        ([reply(200, {"result": 1})], "could_not_check"),
        ([reply(200, {})], "could_not_check"),
        ([reply(200, PAGE)], "could_not_check"),
        ([reply(200)], "could_not_check"),
        ([reply(500, {"code": "NOT_ALLOWED"})], "could_not_check"),
        ([reply(403)], "could_not_check"),
        ([GATEWAY_401], "could_not_check"),
        ([reply(401), token_reply(), reply(401)], "could_not_check"),
        ([reply(503)] * 4, "could_not_check"),
        ([TIMEOUT] * 4, "could_not_check"),
        ([NO_CONNECTION] * 4, "could_not_check"),
        ([reply(429)] * 4, "could_not_check"),
        ([reply(503), reply(200, {"result": True})], "yes"),
    ],
)
def test_an_outage_is_never_a_no(script: list[Answer], verdict: str) -> None:
    """Salaries are not skipped because MTN was down."""
    answer = is_active(script).value
    assert answer.verdict == verdict
    trouble = script[-1]
    read = isinstance(trouble, Response) and trouble.status == 200
    assert read or answer.error is not None


def test_a_bad_number_is_the_callers_mistake() -> None:
    """It is refused, and not told as "could not check"."""
    assert is_active([], party="12").raised(InvalidInput).field == "party"


@pytest.mark.parametrize(
    ("party", "active", "info"),
    [
        ("0772123456", "msisdn/256772123456", "msisdn/256772123456"),
        (Party.email("a@b.example"), "email/a@b.example", "Email/a@b.example"),
        (Party.alias("shop 1".replace(" ", "%")), "alias/shop%251", "Alias/shop%251"),
        (Party.party_code(REFERENCE_ID), f"party_code/{REFERENCE_ID}", f"ID/{REFERENCE_ID}"),
    ],
)
def test_paths_spell_the_party_as_each_call_wants(party: Any, active: str, info: str) -> None:
    """Case counts, and an identifier cannot break out of its segment."""
    asked = is_active([reply(200, {"result": True})], party)
    assert asked.requests[0].path == f"/collection/v1_0/accountholder/{active}/active"
    operation = account.basic_user_info(access_for(), forms_for(), party=party)
    told = drive(operation, [reply(200, {"given_name": "Anna"})])
    assert told.requests[0].path == f"/collection/v1_0/accountholder/{info}/basicuserinfo"


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        ([reply(200, {"given_name": "Anna"})], "yes"),
        ([NO_HOLDER], "no"),
        ([GATEWAY_404], "could_not_check"),
        ([reply(503)] * 4, "could_not_check"),
        ([reply(200, PAGE)], "could_not_check"),
    ],
)
def test_a_name_is_found_not_found_or_not_known(script: list[Answer], verdict: str) -> None:
    """A name that could not be had is not a name that is not there."""
    operation = account.basic_user_info(access_for(), forms_for(), party="0772123456")
    told = drive(operation, script).value
    assert told.found.verdict == verdict
    assert (told.info is not None) == (verdict == "yes")


def test_a_balance_may_be_negative() -> None:
    """Read as a decimal, with its currency."""
    body = {"availableBalance": "-25.50", "currency": "EUR"}
    told = drive(account.balance(access_for(), currency=None), [reply(200, body)]).value
    assert (told.available_balance, told.currency) == (Decimal("-25.5"), "EUR")


@pytest.mark.parametrize("answer", [reply(503), reply(200, PAGE), reply(200, [])])
def test_a_balance_that_cannot_be_had_is_unavailable(answer: Response) -> None:
    """Not zero, not a crash."""
    script = [answer] * (4 if answer.status == 503 else 1)
    drive(account.balance(access_for(), currency="EUR"), script).raised(Unavailable)


def consent(**changes: Any) -> Any:
    """Ask for a consent."""
    given: dict[str, Any] = {
        "party": "0772123456",
        "scope": "profile",
        "access_type": "offline",
        "consent_valid_seconds": 600,
        "client_notification_token": None,
        "scope_instruction": None,
        "callback_url": None,
    }
    return account.bc_authorize(access_for(), forms_for(), **{**given, **changes})


def test_a_consent_is_asked_for_in_a_form() -> None:
    """With what was given, and nothing else."""
    played = drive(consent(), [reply(200, {"auth_req_id": "a", "interval": 5, "expires_in": "60"})])
    assert (played.value.interval, played.value.expires_in) == (5, 60)
    assert parse_qs(played.requests[0].body.decode()) == {
        "login_hint": ["ID:256772123456/MSISDN"],
        "scope": ["profile"],
        "access_type": ["offline"],
        "consent_valid_in": ["600"],
    }


@pytest.mark.parametrize("answer", [TIMEOUT, reply(503), reply(500)])
def test_what_reaches_a_person_is_not_repeated(answer: Answer) -> None:
    """A second prompt on the phone is worse than an error here."""
    assert len(drive(consent(), [answer]).requests) == 1
    drive(consent(), [answer]).raised(Unavailable)
    note = collection.deliver_notification(
        access_for(), reference_id=REFERENCE_ID, message="Thanks", language=None
    )
    drive(note, [answer]).raised(Unavailable)


def test_what_never_left_is_sent_again() -> None:
    """No connection, no prompt: trying again is safe."""
    script: list[Answer] = [NO_CONNECTION, reply(200, {"auth_req_id": "a"})]
    assert drive(consent(), script).value.auth_req_id == "a"
    drive(consent(), [NO_CONNECTION] * 4).raised(NotSent)
    drive(consent(), [reply(429)] * 4).raised(RateLimited)


@pytest.mark.parametrize(
    "changes", [{"access_type": "always"}, {"callback_url": "http://shop.example/x"}]
)
def test_a_consent_is_checked_first(changes: dict[str, str]) -> None:
    """Nothing is sent that MTN would refuse."""
    drive(consent(**changes), []).raised(InvalidInput)


def test_a_consents_token_is_renewed_by_its_refresh_token() -> None:
    """The two grants of the token call."""
    operation = account.oauth2_token(access_for(), auth_req_id=None, refresh_token="r-1")
    played = drive(operation, [reply(200, {"access_token": "t", "expires_in": 3600})])
    assert played.requests[0].body == b"grant_type=refresh_token&refresh_token=r-1"
    both = account.oauth2_token(access_for(), auth_req_id="a", refresh_token="r")
    drive(both, []).raised(InvalidInput)


def test_personal_data_needs_the_consents_own_token() -> None:
    """A 401 on it does not cost us our token."""
    access = access_for()
    played = drive(account.user_info(access, consent_token="c-1"), [reply(403)])
    played.raised(PermissionDenied)
    assert played.requests[0].headers["Authorization"] == "Bearer c-1"


def test_pre_approvals_come_bare_or_wrapped() -> None:
    """One published client wraps the list in an object."""
    item = {"preApprovalId": "7", "status": "APPROVED", "maxDebitAmount": 500}
    for body in ([item, "junk"], {"data": [item]}, {"count": 0}):
        operation = collection.approved_pre_approvals(access_for(), forms_for(), payer="0772123456")
        told = drive(operation, [reply(200, body)]).value
        assert [one.max_debit_amount for one in told] == [Decimal(500)] * ("count" not in body)


@pytest.mark.parametrize(
    ("answer", "kind"), [(reply(409), Refused), (reply(410), Refused), (reply(404), Refused)]
)
def test_a_notification_that_is_refused_says_so(answer: Response, kind: type[Refused]) -> None:
    """Not yet successful, too late, unknown: each is a refusal with the id on it."""
    operation = collection.deliver_notification(
        access_for(), reference_id=REFERENCE_ID, message="Thanks", language=None
    )
    played = drive(operation, [answer])
    assert isinstance(played.error, kind)
    assert played.error.reference_id == REFERENCE_ID


def test_the_market_is_that_of_the_client() -> None:
    """Forms know where a plain number belongs."""
    assert forms_for("ghana").market is Market.get("ghana")
