"""Replies are read tolerantly: nothing MTN sends is an error, and nothing private is printed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.holder import (
    Answer,
    ApiUser,
    Balance,
    BasicUserInfo,
    ConsentRequest,
    ConsentToken,
    HolderInfo,
    PreApprovalDetails,
    UserInfo,
)
from momokit.models import (
    CashTransferResult,
    DepositResult,
    InvoiceResult,
    Outcome,
    PaymentResult,
    PreApprovalResult,
    RefundResult,
    RequestToPayResult,
    TransferResult,
    WaitResult,
    WithdrawResult,
)
from momokit.told import PartyTold, ReasonTold, Told

MODELS: tuple[type[Told], ...] = (
    RequestToPayResult,
    WithdrawResult,
    TransferResult,
    DepositResult,
    RefundResult,
    CashTransferResult,
    InvoiceResult,
    PreApprovalResult,
    PaymentResult,
    PreApprovalDetails,
    Balance,
    BasicUserInfo,
    UserInfo,
    ConsentRequest,
    ConsentToken,
    ApiUser,
)
NUMBER = "256772123456"

# Our own ids, and numbers that are read as numbers.
SHOWN_AS_THEY_ARE = frozenset(
    {
        "externalId",
        "financialTransactionId",
        "amount",
        "availableBalance",
        "maxDebitAmount",
        "expires_in",
    }
)
# Words that MTN uses as names, so that junk meets real fields.
WORDS = """amount currency status reason errorReason payer payee intendedPayer partyId partyIdType
code message externalId financialTransactionId payerMessage payeeNote description result
availableBalance given_name expires_in email_verified address credit_score active referenceId
orginatingCountry payerSurName payerMsisdn maxDebitAmount"""
NAMES = st.sampled_from(WORDS.split())
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["SUCCESSFUL", "FAILED", NUMBER, f"FRI:{NUMBER}/MSISDN", "12.50", "٣"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(MODELS), st.dictionaries(NAMES | st.text(max_size=8), JSON, max_size=8))
def test_any_json_can_be_read(model: type[Told], body: dict[str, Any]) -> None:
    """Wrong types, nulls and nested junk become None, and the answer itself is kept."""
    told = model.read(body)
    assert told.raw == body or "nan" in repr(body)
    assert told == model.read(body) or "nan" in repr(body)
    assert isinstance(repr(told), str)
    if isinstance(told, Outcome):
        assert told.state in ("successful", "failed", "open")
        final = {"SUCCESSFUL": "successful", "FAILED": "failed"}
        word = body.get("status")
        assert told.state == (final.get(word, "open") if isinstance(word, str) else "open")


@given(
    st.sampled_from(MODELS),
    st.dictionaries(
        NAMES.filter(lambda name: name not in SHOWN_AS_THEY_ARE),
        st.sampled_from(
            [
                NUMBER,
                int(NUMBER),
                {"partyIdType": "MSISDN", "partyId": NUMBER},
                {"partyIdType": NUMBER, "partyId": int(NUMBER)},
                {"code": f"PAYER {NUMBER}", "message": f"{NUMBER} is not active"},
                f"paid by {NUMBER}",
            ]
        ),
        max_size=10,
    ),
)
def test_no_repr_shows_a_whole_number(model: type[Told], body: dict[str, Any]) -> None:
    """Wherever MTN puts a subscriber's number, printing a reply does not show it."""
    assert NUMBER not in repr(model.read(body))


def test_a_live_success_is_read() -> None:
    """The order and types that MTN's sandbox really sends."""
    body = {
        "financialTransactionId": "363440463",
        "externalId": "order-1",
        "amount": "12.5",
        "currency": "EUR",
        "payer": {"partyIdType": "MSISDN", "partyId": "46733123450"},
        "payerMessage": "hi",
        "payeeNote": "note",
        "status": "SUCCESSFUL",
    }
    told = RequestToPayResult.read(body, reference_id="r")
    assert told.reference_id == "r"
    assert (told.amount, told.currency) == (Decimal("12.5"), "EUR")
    assert told.payer == PartyTold("MSISDN", "46733123450")
    assert (told.state, told.is_final, told.financial_transaction_id) == (
        "successful",
        True,
        "363440463",
    )
    assert told.raw == body


@pytest.mark.parametrize(
    ("reason", "read"),
    [
        ("EXPIRED", ReasonTold("EXPIRED")),
        ({"code": "EXPIRED", "message": "too late"}, ReasonTold("EXPIRED", "too late")),
        ({"code": "NEW_IN_2027"}, ReasonTold("NEW_IN_2027")),
        ({"message": "only words"}, ReasonTold("", "only words")),
        ("", None),
        (None, None),
        (["EXPIRED"], None),
        (7, None),
    ],
)
def test_a_reason_comes_as_word_or_object(reason: object, read: ReasonTold | None) -> None:
    """MTN documents an object and sends a word."""
    assert TransferResult.read({"status": "FAILED", "reason": reason}).reason == read
    assert InvoiceResult.read({"status": "FAILED", "errorReason": reason}).reason == read


@pytest.mark.parametrize(
    ("amount", "read"),
    [
        ("100", Decimal(100)),
        (100, Decimal(100)),
        (12.5, Decimal("12.5")),
        ("-25", Decimal(-25)),
        (0, Decimal(0)),
        ("1,000", None),
        (True, None),
        ("NaN", None),
        ({}, None),
    ],
)
def test_an_amount_comes_as_string_or_number(amount: object, read: Decimal | None) -> None:
    """Balances may be zero or negative."""
    assert Balance.read({"availableBalance": amount}).available_balance == read


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("SUCCESSFUL", "successful"),
        ("FAILED", "failed"),
        ("PENDING", "open"),
        ("CREATED", "open"),
        ("REJECTED", "open"),
        ("NEW_IN_2027", "open"),
        (None, "open"),
    ],
)
def test_only_mtns_two_final_words_are_final(status: str | None, state: str) -> None:
    """An unknown word is open, never failed."""
    assert Outcome.read({"status": status}).state == state


def test_a_failed_status_is_failed_whatever_its_reason() -> None:
    """The reason explains, it does not decide."""
    assert Outcome.read({"status": "FAILED", "reason": "SUCCESSFUL"}).state == "failed"


def test_mtns_misspellings_are_read() -> None:
    """The cash transfer's country and surname have spellings of their own."""
    told = CashTransferResult.read({"orginatingCountry": "SE", "payerSurName": "Berg"})
    assert (told.originating_country, told.payer_surname) == ("SE", "Berg")
    assert "Berg" not in repr(told)


def test_types_that_surprise_live_are_read() -> None:
    """`address` is an object and `credit_score` a number, whatever the documents say."""
    told = UserInfo.read(
        {"address": {"locality": "Kampala"}, "credit_score": 71, "email_verified": "true"}
    )
    assert told.address == {"locality": "Kampala"}
    assert (told.credit_score, told.email_verified) == ("71", True)
    assert "Kampala" not in repr(told)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"given_name": "Sand", "family_name": "Box"}, "Sand Box"),
        ({"name": "Sand Box"}, "Sand Box"),
        ({"given_name": "Sand"}, "Sand"),
        ({}, None),
    ],
)
def test_a_holders_name_is_put_together(body: dict[str, str], name: str | None) -> None:
    """Every part may be missing."""
    assert BasicUserInfo.read(body).full_name == name


def test_tokens_of_consents_are_not_printed() -> None:
    """A consent's tokens open personal data."""
    told = ConsentToken.read({"access_token": "secret-1", "refresh_token": "secret-2"})
    assert "secret" not in repr(told)
    assert told.access_token == "secret-1"


@pytest.mark.parametrize("verdict", ["yes", "no", "could_not_check"])
def test_an_answer_is_not_to_be_used_as_a_bool(verdict: Any) -> None:
    """`if answer:` would turn an outage into a no."""
    answer = Answer(verdict)
    assert [answer.yes, answer.no, answer.could_not_check].count(True) == 1
    assert getattr(answer, verdict) is True
    with pytest.raises(TypeError, match="three values"):
        bool(answer)
    with pytest.raises(TypeError):
        assert not answer
    assert HolderInfo(answer).found is answer


def test_replies_cannot_be_changed() -> None:
    """Values are frozen."""
    with pytest.raises(AttributeError):
        Outcome.read({}).status = "SUCCESSFUL"  # type: ignore[misc]


def test_a_wait_without_an_outcome_has_no_reason() -> None:
    """Nothing heard, nothing to explain."""
    result = WaitResult(reference_id="r", state="open", outcome=None, polls=3, waited_seconds=1.0)
    assert result.reason is None


def test_every_model_reads_the_documented_samples() -> None:
    """A reply read from real JSON text keeps big integers and decimals apart."""
    body = json.loads('{"amount": 100, "financialTransactionId": 23503452, "status": "SUCCESSFUL"}')
    told = TransferResult.read(body)
    assert (told.amount, told.financial_transaction_id) == (Decimal(100), "23503452")
