"""Callbacks: any body becomes a hint, and their address cannot be guessed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.callbacks import (
    MAX_BODY_BYTES,
    CallbackHint,
    callback_token_hash,
    callback_token_matches,
    callback_url,
    check_callback_url,
    derive_callback_token,
    new_callback_token,
    read_callback,
)
from momokit.errors import InvalidInput

REFERENCE = "3f2a9f0e-7c7e-4d52-8b6c-0a1b2c3d4e5f"
PARTY = {"partyIdType": "MSISDN", "partyId": "256772123456"}


def body(**fields: object) -> bytes:
    """A JSON body of these fields."""
    return json.dumps(fields).encode()


def test_a_failed_request_to_pay_is_read() -> None:
    """The measured shape: no reference id, reason as a string."""
    hint = read_callback(
        body(
            externalId="order-7",
            amount="5000",
            currency="UGX",
            payer=PARTY,
            payeeNote="n",
            status="FAILED",
            reason="APPROVAL_REJECTED",
        )
    )
    assert (hint.kind_guess, hint.external_id, hint.status) == ("collection", "order-7", "FAILED")
    assert (hint.amount, hint.currency, hint.reference_id) == ("5000", "UGX", None)
    assert hint.reason is not None
    assert hint.reason.code == "APPROVAL_REJECTED"
    assert hint.problems == ()


def test_a_successful_transfer_is_read() -> None:
    """A disbursement names the payee, and carries MTN's number once settled."""
    hint = read_callback(
        body(financialTransactionId="363440463", externalId="p-1", payee=PARTY, status="SUCCESSFUL")
    )
    assert (hint.kind_guess, hint.financial_transaction_id, hint.reason) == (
        "disbursement",
        "363440463",
        None,
    )


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"referenceId": REFERENCE, "status": "SUCCESSFUL"}, "payment"),
        ({"referenceId": REFERENCE, "invoiceId": "1", "status": "CREATED"}, "invoice"),
        ({"intendedPayer": PARTY, "payee": PARTY, "status": "FAILED"}, "invoice"),
        ({"payer": PARTY, "payerCurrency": "EUR", "status": "CREATED"}, "preapproval"),
        ({"payee": PARTY, "originalAmount": "1", "status": "SUCCESSFUL"}, "cash_transfer"),
        ({"payee": PARTY, "orginatingCountry": "SE"}, "cash_transfer"),
        ({"status": "SUCCESSFUL"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_the_kind_is_guessed_from_the_fields(fields: dict[str, object], kind: str) -> None:
    """Each documented shape is recognised by the fields only it has."""
    assert read_callback(json.dumps(fields).encode()).kind_guess == kind


def test_a_reason_object_under_either_name_is_read() -> None:
    """Payments send `reason` and invoices `errorReason`, as objects."""
    for name in ("reason", "errorReason"):
        hint = read_callback(body(status="FAILED", **{name: {"code": "EXPIRED", "message": "m"}}))
        assert hint.reason is not None
        assert (hint.reason.code, hint.reason.message) == ("EXPIRED", "m")


def test_numbers_are_kept_as_written() -> None:
    """A number where a string is due is read without passing through a float."""
    raw = b'{"externalId": 12345678901234567890, "amount": 12.10, "payer": {}}'
    hint = read_callback(raw)
    assert (hint.external_id, hint.amount) == ("12345678901234567890", "12.10")


def test_unknown_words_survive() -> None:
    """A status or reason that MTN invents tomorrow is kept, not refused."""
    hint = read_callback(body(status="ON_HOLD", reason="NEW_CODE", somethingElse=[1]))
    assert hint.status == "ON_HOLD"
    assert hint.reason is not None
    assert (hint.reason.code, hint.reason.is_known) == ("NEW_CODE", False)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "the body is empty"),
        (b" \r\n", "the body is empty"),
        (b"{", "the body is not JSON"),
        (b"<html>busy</html>", "the body is not JSON"),
        (b"[" * 60_000, "the body is not JSON"),
        (b"1" * 60_000, "the body is not a JSON object"),
        (b"null", "the body is not a JSON object"),
        (b'"SUCCESSFUL"', "the body is not a JSON object"),
        (b"[]", "the body is not a JSON object"),
        (b'[{"status": "SUCCESSFUL"}]', "the body is a list of one"),
        (b'{"status": "SUCCESSFUL\xff"}', "the body is not UTF-8"),
        (b'{"status": {"a": 1}}', "status is not a text"),
        (b'{"status": true}', "status is not a text"),
        (b'{"externalId": "a\\u0000b"}', "externalId was cleaned"),
        (b'{"externalId": "a\\ud800b"}', "externalId was cleaned"),
        (b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}', "the body was cut"),
    ],
)
def test_odd_bodies_become_hints_with_the_problem_named(raw: bytes, problem: str) -> None:
    """Nothing MTN or an attacker sends raises; what was odd is said, and the bytes are kept."""
    hint = read_callback(raw)
    assert hint.raw == raw[:MAX_BODY_BYTES]
    assert any(problem in told for told in hint.problems)


def test_a_byte_order_mark_is_no_problem() -> None:
    """A body with a UTF-8 mark in front is plain JSON."""
    hint = read_callback(b"\xef\xbb\xbf" + body(status="FAILED"))
    assert (hint.status, hint.problems) == ("FAILED", ())


def test_texts_can_be_stored_anywhere() -> None:
    """Fields are free of control characters and half characters, and of bounded length."""
    hint = read_callback(b'{"externalId": "a\\u0000\\ud800\\nb", "status": "' + b"S" * 1000 + b'"}')
    assert hint.external_id == "ab"
    assert hint.status == "S" * 256


@pytest.mark.parametrize(
    ("headers", "path", "found"),
    [
        ({}, f"/callbacks/{REFERENCE.upper()}/x", REFERENCE),
        ({"x-reference-ID": REFERENCE}, "/cb", REFERENCE),
        ({"X-Reference-Id": "not one"}, "/cb", None),
        ({}, "/cb/token", None),
    ],
)
def test_a_reference_id_is_looked_for_elsewhere(
    headers: dict[str, str], path: str, found: str | None
) -> None:
    """Where the body has no reference id, a header or our own path may have it."""
    assert read_callback(body(status="FAILED"), headers=headers, path=path).reference_id == found


def test_the_bodys_reference_id_comes_first() -> None:
    """A reference id in the body is not replaced by one in the path."""
    other = "00000000-0000-4000-8000-000000000000"
    hint = read_callback(body(referenceId=REFERENCE), path=f"/cb/{other}")
    assert hint.reference_id == REFERENCE


def test_the_raw_body_is_not_printed() -> None:
    """A logged hint does not carry the payer's number."""
    assert "256772123456" not in repr(read_callback(body(payer=PARTY, status="FAILED")))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_hint(raw: bytes) -> None:
    """No bytes make the reading fail."""
    assert isinstance(read_callback(raw), CallbackHint)


@given(
    st.dictionaries(
        st.sampled_from(
            ["status", "reason", "errorReason", "externalId", "referenceId", "payer", "amount"]
        ),
        st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists),
    )
)
def test_any_json_object_is_a_hint(fields: dict[str, object]) -> None:
    """No JSON value in any field makes the reading fail, and texts stay encodable."""
    hint = read_callback(json.dumps(fields).encode())
    for text in (hint.status, hint.external_id, hint.reference_id, hint.amount):
        assert text is None or text.encode().decode() == text


def test_tokens_are_long_random_and_fit_a_url() -> None:
    """A new token is never the same and needs no escaping."""
    tokens = {new_callback_token() for _ in range(50)}
    assert len(tokens) == 50
    for token in tokens:
        assert len(token) == 43
        assert callback_url("https://pay.example.org/momo/", token=token).endswith(f"/momo/{token}")


def test_a_derived_token_is_stable_and_differs_by_reference_and_secret() -> None:
    """The same secret and payment give the same token everywhere, others give others."""
    secret = b"0123456789abcdef"
    token = derive_callback_token(secret, reference_id=REFERENCE)
    # Written down, because a release that derived another token would miss callbacks under way.
    assert token == "1EnJ9svDmuG_esBVQ6tjOYrgwx8orOmPHbUmSH0OXVM"
    assert token == derive_callback_token(secret.decode(), reference_id=REFERENCE.upper())
    assert token != derive_callback_token(b"0123456789abcdeF", reference_id=REFERENCE)
    assert token != derive_callback_token(secret, reference_id=REFERENCE.replace("3", "4"))
    assert len(token) == 43


def test_a_short_secret_is_refused() -> None:
    """A secret that could be guessed makes no tokens."""
    with pytest.raises(InvalidInput, match="too short"):
        derive_callback_token("short", reference_id=REFERENCE)


def test_a_token_matches_its_hash_alone() -> None:
    """The endpoint recognises a token by the stored hash; odd input is simply not it."""
    token = new_callback_token()
    stored = callback_token_hash(token)
    assert token not in stored
    assert callback_token_matches(token, stored_hash=stored) is True
    for wrong in (token[:-1], token + "x", "", "é\ud800"):
        assert callback_token_matches(wrong, stored_hash=stored) is False
    assert callback_token_matches(token, stored_hash="é") is False


@pytest.mark.parametrize("token", ["", "short", "../../etc/passwd-and-more-text", "a b" * 10])
def test_a_guessable_or_escaping_token_makes_no_url(token: str) -> None:
    """The token must be long and free of anything that means something in a URL."""
    with pytest.raises(InvalidInput) as caught:
        callback_url("https://pay.example.org", token=token)
    assert caught.value.field == "token"


@pytest.mark.parametrize("base", ["https://pay.example.org/?a=1", "https://pay.example.org/#a"])
def test_a_base_with_a_query_is_refused(base: str) -> None:
    """A token appended to a query would be lost."""
    with pytest.raises(InvalidInput, match="no query"):
        callback_url(base, token=new_callback_token())


@pytest.mark.parametrize(
    "url",
    [
        "https://pay.example.org/momo/abc",
        "https://pay.example.org:443/",
        "https://PAY.Example.org",
        "https://pay.example.org/momo?token=x",
        "https://xn--caf-dma.example/",
    ],
)
def test_a_production_callback_url_is_given_back(url: str) -> None:
    """https, port 443, a DNS name: what MTN can call."""
    assert check_callback_url(url, market="uganda") == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://pay.example.org/", "https only"),
        ("https://pay.example.org:8443/", "port 443 only"),
        ("https://pay.example.org:0/", "port 443 only"),
        ("https://203.0.113.7/", "never an IP address"),
        ("https://[2001:db8::1]/", "never an IP address"),
        ("https://localhost/", "cannot reach"),
        ("https://-a.example.org/", "cannot reach"),
        ("https://10.1/", "never an IP address"),
        ("https://2130706433/", "cannot reach"),
        ("https://a..example.org/", "cannot reach"),
        ("https://user:pw@pay.example.org/", "no user name"),
        ("https://@pay.example.org/", "no user name"),
        ("https://pay.example.org/#x", "no fragment"),
        ("https://pay.example.org/a b", "no spaces"),
        ("https://pay.example.org/\n", "no spaces"),
        ("https://café.example.org/", "ASCII"),
        ("https://pay.example.org/" + "x" * 2048, "at most 2048"),
        ("ftp://pay.example.org/", "begins with https://"),
        ("pay.example.org/cb", "begins with https://"),
        ("https:///cb", "begins with https://"),
        ("", "begins with https://"),
        ("https://pay.example.org:port/", "not a URL"),
        ("https://pay.example.org:99999/", "not a URL"),
        ("https://[::1/", "not a URL"),
    ],
)
def test_what_mtn_would_never_call_is_refused(url: str, words: str) -> None:
    """Each rule has its own reason, before MTN refuses the whole payment for it."""
    with pytest.raises(InvalidInput) as caught:
        check_callback_url(url, market="uganda")
    assert caught.value.field == "callback_url"
    assert words in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/cb", "http://localhost/cb", "https://a.test:8443"]
)
def test_the_sandbox_and_a_local_emulator_take_local_urls(url: str) -> None:
    """Where no real money moves, http, other ports and addresses are fine."""
    assert check_callback_url(url, market="sandbox") == url
    assert check_callback_url(url, market="uganda", allow_local=True) == url
    with pytest.raises(InvalidInput):
        check_callback_url(url, market="uganda")


def test_the_sandbox_still_refuses_what_is_no_url() -> None:
    """User names and other schemes are refused everywhere."""
    for url in ("https://u:p@a.example.org/", "file:///etc/passwd"):
        with pytest.raises(InvalidInput):
            check_callback_url(url, market="sandbox")
