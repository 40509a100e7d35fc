"""The reason catalogue: complete, in two languages, and tolerant of whatever MTN sends."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.reasons import REASONS, Reason, Retry, reason_of, suggest_codes

OFFICIAL = (
    Path(__file__).parents[2].parent
    / "shared/reference/momo-openapi/openapi-2024-01/collection.yaml"
)
SCHEMA_CODES = {
    "PAYEE_NOT_FOUND",
    "PAYER_NOT_FOUND",
    "NOT_ALLOWED",
    "NOT_ALLOWED_TARGET_ENVIRONMENT",
    "INVALID_CALLBACK_URL_HOST",
    "INVALID_CURRENCY",
    "SERVICE_UNAVAILABLE",
    "INTERNAL_PROCESSING_ERROR",
    "NOT_ENOUGH_FUNDS",
    "PAYER_LIMIT_REACHED",
    "PAYEE_NOT_ALLOWED_TO_RECEIVE",
    "PAYMENT_NOT_APPROVED",
    "RESOURCE_NOT_FOUND",
    "APPROVAL_REJECTED",
    "EXPIRED",
    "TRANSACTION_CANCELED",
    "RESOURCE_ALREADY_EXIST",
}
OTHER_CODES = {
    "COULD_NOT_PERFORM_TRANSACTION",
    "VALIDATION_ERROR",
    "PAYEE_LIMIT_REACHED",
    "SENDER_ACCOUNT_NOT_ACTIVE",
    "TRANSACTION_NOT_FOUND",
    "ONGOING",
    "PAYER_DELAYED",
    "PAYEE_DELAYED",
    "PAYER_FAILED",
    "TRANSFER_TYPE_UNKNOWN",
    "NOT_SUCCESSFULLY_COMPLETED",
    "PREAPPROVAL_EXIST_PENDING",
}
ALL = sorted(REASONS.values(), key=lambda reason: reason.code)


def test_every_code_mtn_is_known_to_use_is_explained() -> None:
    """The schema's codes and those seen outside it are in the catalogue."""
    assert (SCHEMA_CODES | OTHER_CODES) - REASONS.keys() == set()


def test_the_schema_codes_are_those_of_the_official_document() -> None:
    """Where MTN's document is at hand, its code enumeration is the one written down here."""
    if not OFFICIAL.exists():
        pytest.skip("MTN's OpenAPI document is not on this machine")
    enumerations = re.findall(r"enum:\n((?:\s+- \w+\n)+)", OFFICIAL.read_text())
    codes = {
        code
        for enumeration in enumerations
        if "PAYEE_NOT_FOUND" in enumeration
        for code in re.findall(r"- (\w+)", enumeration)
    }
    assert codes == SCHEMA_CODES


@pytest.mark.parametrize("reason", ALL, ids=lambda reason: reason.code)
def test_every_reason_has_all_its_words_in_both_languages(reason: Reason) -> None:
    """No text is empty, untranslated, or unfinished."""
    for words in (reason.what, reason.remedy, reason.payer_message):
        assert words.en.endswith(".")
        assert words.fr.endswith(".")
        assert words.en != words.fr
        assert "  " not in words.en + words.fr


@pytest.mark.parametrize("reason", ALL, ids=lambda reason: reason.code)
def test_the_payer_is_never_shown_machinery(reason: Reason) -> None:
    """What the payer reads has no code, no HTTP word and no advice for engineers."""
    for text in reason.payer_message:
        assert re.search(r"[A-Z]{2,}_|API|URL|http|reference id|callback", text) is None


@pytest.mark.parametrize("code", ["INTERNAL_PROCESSING_ERROR", "SERVICE_UNAVAILABLE"])
def test_an_undecided_code_never_allows_a_new_attempt_at_once(code: str) -> None:
    """Where money may have moved, the status is asked first and the payer is not told it failed."""
    reason = REASONS[code]
    assert reason.retry.new_attempt_is_safe is False
    assert "not pay a second time" in reason.payer_message.en


def test_which_retries_are_safe_with_a_new_reference() -> None:
    """Only the two kinds of new attempt may carry a new reference id."""
    safe = {retry for retry in Retry if retry.new_attempt_is_safe}
    assert safe == {Retry.NEW_ATTEMPT, Retry.AFTER_FIX}


def test_open_payments_are_never_to_be_tried_anew() -> None:
    """Codes that mean "still open" or "already there" only allow asking."""
    asking = {reason.code for reason in ALL if reason.retry is Retry.KEEP_ASKING}
    assert asking == {
        "ONGOING",
        "PAYER_DELAYED",
        "PAYEE_DELAYED",
        "RESOURCE_ALREADY_EXIST",
        "NOT_SUCCESSFULLY_COMPLETED",
        "PREAPPROVAL_EXIST_PENDING",
    }


@pytest.mark.parametrize(
    ("given_by_mtn", "code"),
    [
        ("APPROVAL_REJECTED", "APPROVAL_REJECTED"),
        ("approval rejected", "APPROVAL_REJECTED"),
        ({"code": "EXPIRED", "message": "x"}, "EXPIRED"),
        ({"message": "Duplicated", "code": "RESOURCE_ALREADY_EXIST"}, "RESOURCE_ALREADY_EXIST"),
        (SimpleNamespace(code="PAYER_NOT_FOUND", message=""), "PAYER_NOT_FOUND"),
        ("TransfertypeUnknown", "TRANSFER_TYPE_UNKNOWN"),
        ("TRANSACTION_CANCELLED", "TRANSACTION_CANCELED"),
        ("login_failed", "LOGIN_FAILED"),
        ({"error": "login failed"}, "LOGIN_FAILED"),
        ({"error": {"code": "EXPIRED"}}, "EXPIRED"),
        (
            "LOW_BALANCE_OR_PAYEE_LIMIT_REACHED",
            "LOW_BALANCE_OR_PAYEE_LIMIT_REACHED_OR_NOT_ALLOWED",
        ),
        (
            {"statusCode": 401, "message": "Access denied due to invalid subscription key."},
            "INVALID_SUBSCRIPTION_KEY",
        ),
        (
            {"statusCode": 401, "message": "Access denied due to missing subscription key."},
            "INVALID_SUBSCRIPTION_KEY",
        ),
        ({"statusCode": 403, "message": "Forbidden"}, "FORBIDDEN"),
        ({"statusCode": 403, "message": "FORBIDDEN IP"}, "FORBIDDEN_IP"),
        ({"statusCode": 404, "message": "Resource not found"}, "UNKNOWN_PATH"),
        ({"statusCode": 429, "message": "Rate limit is exceeded."}, "TOO_MANY_REQUESTS"),
    ],
)
def test_a_reason_is_found_in_every_shape_mtn_uses(given_by_mtn: object, code: str) -> None:
    """String, object, struct, token error and gateway body all lead to the catalogue."""
    reason = reason_of(given_by_mtn)
    assert (reason.code, reason.is_known) == (code, True)


@pytest.mark.parametrize(
    ("given_by_mtn", "code"),
    [
        ("SOMETHING_NEW", "SOMETHING_NEW"),
        ({"code": "New-Code", "message": "m"}, "New-Code"),
        (7, "7"),
        (None, ""),
        ("", ""),
        ({}, ""),
        ({"code": None}, ""),
        ({"code": ["EXPIRED"]}, ""),
        (["EXPIRED"], ""),
        (True, ""),
        (object(), ""),
        ("x" * 5000, "x" * 100),
        ("A\x00B\ud800", "AB"),
    ],
)
def test_an_unknown_reason_survives_as_a_value(given_by_mtn: object, code: str) -> None:
    """A new code is kept as it came, with the careful advice: ask for the status first."""
    reason = reason_of(given_by_mtn)
    assert (reason.code, reason.kind, reason.retry) == (code, "unknown", Retry.ASK_FIRST)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["code", "error", "message", "statusCode"]), inner)
        ),
    )
)
def test_no_value_breaks_the_reading_of_a_reason(value: object) -> None:
    """Any JSON value in place of a reason gives a Reason."""
    assert isinstance(reason_of(value), Reason)


def test_mtns_message_is_kept_but_not_printed() -> None:
    """The message stays available for the record; it is not part of identity or of repr."""
    reason = reason_of({"code": "EXPIRED", "message": "payer 256772123456 was slow"})
    assert reason.message == "payer 256772123456 was slow"
    assert "256772123456" not in repr(reason)
    assert reason == REASONS["EXPIRED"]
    assert reason_of(reason) is reason


def test_a_reason_survives_pickling() -> None:
    """A reason crosses processes as an equal value."""
    for reason in (REASONS["EXPIRED"], reason_of("NEW")):
        assert pickle.loads(pickle.dumps(reason)) == reason


@pytest.mark.parametrize(
    ("language", "text"),
    [("fr", "Le paiement a été annulé."), ("fr-CM", "Le paiement a été annulé.")]
    + [(language, "The payment was cancelled.") for language in ("en", "EN-gb", "lg", "")],
)
def test_words_come_in_the_users_language(language: str, text: str) -> None:
    """French for French speakers anywhere, English for everybody else."""
    assert REASONS["TRANSACTION_CANCELED"].payer_message.in_language(language) == text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("NOT_ENOGH_FUNDS", "NOT_ENOUGH_FUNDS"), ("aproval-rejected", "APPROVAL_REJECTED")],
)
def test_a_mistyped_code_gets_suggestions(typed: str, meant: str) -> None:
    """The likeliest code comes first."""
    assert suggest_codes(typed)[0] == meant


def test_nonsense_gets_no_suggestion() -> None:
    """A word that resembles nothing suggests nothing."""
    assert suggest_codes("zzzzzzzz") == ()
