"""What is refused, with which status and in which of MTN's dialects."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import pytest

from momokit.emulator import Request
from momokit.emulator.settings import SubscriptionKeys

from .caller import ORDINARY, Caller


def code_of(reply: Any) -> tuple[int, str]:
    """Read status and code of a wallet answer."""
    return reply.status, reply.json()["code"] if reply.body else ""


@pytest.mark.parametrize(
    ("key", "missing"), [("short", False), (None, True), ("a b c d e f", False)]
)
def test_bad_subscription_key_is_the_gateways_401(
    caller: Caller, key: str | None, missing: bool
) -> None:
    """An implausible or absent key gets the gateway's JSON, challenge and reason phrase."""
    reply = caller.call(
        "GET /collection/v1_0/account/balance",
        Ocp_Apim_Subscription_Key=key,
        Host="momo.test",
    )

    assert (reply.status, reply.phrase) == (401, "Access Denied")
    assert reply.json()["statusCode"] == 401
    assert ("missing" in reply.json()["message"]) == missing
    assert reply.header("www-authenticate") == (
        'AzureApiManagementKey realm="http://momo.test/collection",'
        'name="Ocp-Apim-Subscription-Key",type="header"'
    )


def test_subscription_key_may_travel_in_the_query(caller: Caller) -> None:
    """The key is accepted as the query parameter that the documents name."""
    reply = caller.call(
        "GET /collection/v1_0/account/balance?subscription-key=0123456789abcdef",
        Ocp_Apim_Subscription_Key=None,
    )

    assert reply.status == 200


def test_strict_keys_know_products_and_both_keys() -> None:
    """Under strict keys only registered keys work, primary and secondary, on their product."""
    keys = (
        SubscriptionKeys(product="collection", primary="c-primary", secondary="c-second"),
        SubscriptionKeys(product="disbursement", primary="d-primary"),
    )
    caller = Caller(strict_keys=True, subscription_keys=keys)

    def balance(product: str, key: str) -> int:
        line = f"GET /{product}/v1_0/account/balance"
        return caller.call(line, Ocp_Apim_Subscription_Key=key).status

    assert balance("collection", "c-primary") == 200
    assert balance("collection", "c-second") == 200
    assert balance("disbursement", "c-primary") == 401
    assert balance("disbursement", "d-primary") == 200
    assert balance("collection", "0123456789abcdef0123456789abcdef") == 401


def test_token_answers_like_the_real_one(caller: Caller) -> None:
    """A token looks like MTN's: headers, odd token type, a JWT with an unknown algorithm."""
    reply = caller.token()
    body = reply.json()
    head, claims, _ = body["access_token"].split(".")

    def decoded(part: str) -> Any:
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

    assert reply.header("cache-control") == "no-store"
    assert list(body) == ["access_token", "token_type", "expires_in"]
    assert (body["token_type"], body["expires_in"]) == ("access_token", 3600)
    assert decoded(head) == {"typ": "JWT", "alg": "R256"}
    assert list(decoded(claims)) == ["clientId", "expires", "sessionId"]
    assert decoded(claims)["expires"].endswith(".000")


def test_wrong_login_has_the_token_dialect(caller: Caller) -> None:
    """A wrong API key is answered 401 with `error`, or 500 when the setting says so."""
    wrong = "Basic " + base64.b64encode(b"nobody:nothing").decode()
    refused = caller.token(Authorization=wrong)
    caller.emulator.change_settings(login_failure="500")
    failed = caller.token(Authorization=wrong)
    caller.emulator.change_settings(login_failure="500-unclear")

    assert (refused.status, refused.json()) == (401, {"error": "login_failed"})
    assert (failed.status, failed.json()) == (500, {"error": "login_failed"})
    assert code_of(caller.token(Authorization=wrong)) == (500, "INTERNAL_PROCESSING_ERROR")


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic " + "\xff", "Bearer x", ""])
def test_unreadable_login_is_refused(caller: Caller, header: str) -> None:
    """A Basic header that cannot be read is a wrong login and nothing worse."""
    assert caller.token(Authorization=header).status == 401


def test_two_tokens_are_valid_at_once_until_a_new_key(caller: Caller) -> None:
    """A second token does not end the first; a new API key ends both."""
    tokens = [caller.token().json()["access_token"] for _ in range(2)]

    def works(token: str) -> int:
        line = "GET /collection/v1_0/account/balance"
        return caller.call(line, Authorization=f"Bearer {token}").status

    before = [works(token) for token in tokens]
    path = f"POST /v1_0/apiuser/{caller.credentials.api_user}/apikey"
    renewed = caller.call(path, Ocp_Apim_Subscription_Key=caller.credentials.subscription_key)

    assert before == [200, 200]
    assert renewed.status == 201
    assert [works(token) for token in tokens] == [401, 401]
    assert caller.token().status == 401


def test_bearer_is_checked_and_refused_with_an_empty_body(caller: Caller) -> None:
    """Without the word, from another product, unknown or expired: 401 and no body."""
    line = "GET /collection/v1_0/account/balance"
    collection = caller.headers("collection")["Authorization"]
    disbursement = caller.headers("disbursement")["Authorization"]
    bad = [collection.removeprefix("Bearer "), "Bearer nonsense", disbursement, ""]
    replies = [caller.call(line, Authorization=header) for header in bad]
    caller.emulator.clock.advance(seconds=3601)

    assert [(reply.status, reply.body) for reply in replies] == [(401, b"")] * 4
    assert caller.call(line, Authorization=collection).status == 401


def test_basic_user_info_refuses_in_the_token_dialect(caller: Caller) -> None:
    """The name question's 401 has `error`, unlike its siblings."""
    line = f"GET /collection/v1_0/accountholder/msisdn/{ORDINARY}/basicuserinfo"

    assert "error" in caller.call(line, Authorization="Bearer x").json()


@pytest.mark.parametrize("named", ["production", "mtnuganda", "Sandbox"])
def test_wrong_target_environment_is_a_500(caller: Caller, named: str) -> None:
    """Any target environment but this one is a 500 with its code, and moves nothing."""
    reference, reply = caller.pay(X_Target_Environment=named)

    assert code_of(reply) == (500, "NOT_ALLOWED_TARGET_ENVIRONMENT")
    assert caller.emulator.money_moved(reference).times == 0


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "nonsense",
        "11111111-1111-1111-8111-111111111111",
        "11111111-1111-4111-c111-111111111111",
        "11111111-1111-4111-8111-111111111111b",
    ],
)
def test_reference_id_must_be_a_v4_uuid(caller: Caller, reference: str) -> None:
    """Anything but a version 4 UUID is 400 without a body, in header and in path."""
    _, reply = caller.pay(X_Reference_Id=reference)
    asked = caller.call(f"GET /disbursement/v1_0/transfer/{reference or 'x'}")

    assert (reply.status, reply.body) == (400, b"")
    assert (asked.status, asked.body) == (400, b"")


def test_duplicate_reference_is_409_for_the_same_user_and_product(caller: Caller) -> None:
    """A reference id used again is 409, whatever the body; another product may use it."""
    reference, _ = caller.pay()
    _, again = caller.pay(reference=reference, amount="7")
    _, elsewhere = caller.transfer(X_Reference_Id=reference)
    caller.emulator.change_settings(duplicate_scope="user_and_product")

    assert code_of(again) == (409, "RESOURCE_ALREADY_EXIST")
    assert elsewhere.status == 202
    assert caller.status(reference)["amount"] == "100"


def test_global_duplicate_scope_refuses_across_products() -> None:
    """With a global scope a reference id works once for everybody."""
    caller = Caller(duplicate_scope="global")
    reference, _ = caller.pay()

    assert caller.transfer(X_Reference_Id=reference)[1].status == 409


def test_unknown_reference_is_the_wallets_404(caller: Caller) -> None:
    """A reference id nobody used is 404 with its code."""
    reply = caller.call(f"GET /collection/v1_0/requesttopay/{uuid.uuid4()}")

    assert code_of(reply) == (404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"amount": None}, 400),
        ({"amount": "ten"}, 400),
        ({"amount": "-5"}, 400),
        ({"amount": "0"}, 400),
        ({"amount": "1.005"}, 400),
        ({"amount": "1e3"}, 400),
        ({"amount": True}, 400),
        ({"externalId": None}, 400),
        ({"externalId": "two words"}, 400),
        ({"payer": None}, 400),
        ({"payer": {"partyIdType": "SHOE", "partyId": "1"}}, 400),
        ({"payer": {"partyIdType": "MSISDN", "partyId": None}}, 500),
        ({"payerMessage": "it's late"}, 400),
        ({"payeeNote": "salt & pepper"}, 400),
        ({"payerMessage": "x" * 161}, 400),
        ({"payerMessage": "x" * 160}, 202),
        ({"payerMessage": None}, 202),
        ({"payer": {"partyIdType": "EMAIL", "partyId": "a@b.test"}}, 202),
        ({"transferType": "CUSTOM_PAYMENT"}, 202),
    ],
)
def test_bodies_are_checked(caller: Caller, changes: dict[str, Any], status: int) -> None:
    """Bad fields are 400 without a body, half-null parties 500, and odd but good ones pass."""
    body = {**caller.body("payer", ORDINARY), **changes}
    _, reply = caller.create("/collection/v1_0/requesttopay", body)

    assert (reply.status, reply.body) == (status, b"")


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 500), (b"  ", 500), (b"{", 400), (b"[]", 400), (b"\xff\xfe", 400)]
)
def test_unreadable_bodies(caller: Caller, body: bytes, status: int) -> None:
    """An empty body makes the wallet fail with 500; one that is no object is 400."""
    headers = {**caller.headers("collection"), "X-Reference-Id": str(uuid.uuid4())}
    line = "/collection/v1_0/requesttopay"
    reply = caller.emulator.handle(Request.of("POST", line, headers=headers, body=body))

    assert (reply.status, reply.body) == (status, b"")


def test_strict_notes_and_validation_bodies() -> None:
    """The strict switches cap notes at 128, refuse null, and say VALIDATION_ERROR."""
    caller = Caller(strict_notes=True, validation_bodies=True)

    assert code_of(caller.pay(payerMessage="x" * 129)[1]) == (400, "VALIDATION_ERROR")
    assert code_of(caller.pay(payerMessage=None)[1]) == (400, "VALIDATION_ERROR")
    assert caller.pay(payerMessage="x" * 128)[1].status == 202


def test_sandbox_takes_only_euro(caller: Caller) -> None:
    """Any other currency is 500 INVALID_CURRENCY."""
    assert code_of(caller.pay(currency="UGX")[1]) == (500, "INVALID_CURRENCY")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/cb",
        "http://localhost/cb",
        "",
        "null",
        "ftp://127.0.0.1/",
        "http://[::1",
    ],
)
def test_callback_host_must_be_the_registered_one(caller: Caller, url: str) -> None:
    """A callback address on another host, or none at all, fails the whole request."""
    reference, reply = caller.pay(X_Callback_Url=url)

    assert code_of(reply) == (500, "INVALID_CALLBACK_URL_HOST")
    assert caller.call(f"GET /collection/v1_0/requesttopay/{reference}").status == 404


def test_callback_host_check_ignores_port_and_path(caller: Caller) -> None:
    """Only the host counts; port, path and query are free, and https is as good as http."""
    urls = ["http://127.0.0.1:9/a?b=c", "https://127.0.0.1/x"]

    assert [caller.pay(X_Callback_Url=url)[1].status for url in urls] == [202, 202]


def test_own_user_id_is_no_reference_id(caller: Caller) -> None:
    """The API user's own id is refused as a reference id."""
    assert caller.pay(X_Reference_Id=caller.credentials.api_user)[1].status == 400


def test_active_types_are_case_sensitive(caller: Caller) -> None:
    """The id type of `active` is lower case, and party codes are remittance's alone."""
    line = "GET /collection/v1_0/accountholder/{}/{}/active"
    code = "0b0b0b0b-0000-4000-8000-000000000000"

    assert caller.call(line.format("MSISDN", ORDINARY)).status == 400
    assert caller.call(line.format("party_code", code)).status == 400
    remittance = line.format("party_code", code).replace("collection", "remittance")
    assert caller.call(remittance).json() == {"result": True}


def test_bodyless_posts_need_a_content_length(caller: Caller) -> None:
    """Without Content-Length, or chunked, a token request is 411 with an HTML page."""
    headers = {
        "ocp-apim-subscription-key": caller.credentials.subscription_key,
        "authorization": caller.basic(),
    }
    chunked = {**headers, "content-length": "0", "transfer-encoding": "chunked"}
    replies = [
        caller.emulator.handle(Request("POST", "/collection/token/", sent))
        for sent in (headers, chunked)
    ]

    assert [reply.status for reply in replies] == [411, 411]
    assert replies[0].body.startswith(b"<!DOCTYPE html>")


def test_token_without_slash_redirects_away(caller: Caller) -> None:
    """The token path without its slash is a 302 to an internal address, or as switched."""
    key = {"Ocp_Apim_Subscription_Key": caller.credentials.subscription_key}
    line = "POST /collection/token"
    redirected = caller.call(line, Authorization=caller.basic(), **key)
    caller.emulator.change_settings(token_without_slash="accept")
    accepted = caller.call(line, Authorization=caller.basic(), **key)
    caller.emulator.change_settings(token_without_slash="not_found")

    assert (redirected.status, redirected.header("location")) == (
        302,
        "http://wallet.internal/collection/token/",
    )
    assert accepted.status == 200
    assert caller.call(line, **key).status == 404
