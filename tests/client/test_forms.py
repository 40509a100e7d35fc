"""What callers say becomes what goes on the wire, or is refused with the field's name."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit import InvalidInput, Market, Money, Party
from momokit.operations import collection, disbursement, remittance
from momokit.operations.forms import Filing, check_header, check_reference_id, derive_reference_id
from momokit.operations.remittance import Sender
from momokit.operations.submit import Submission
from tests.client.driving import REFERENCE_ID, forms_for

OWN_ID = "5f0c2b1a-6b7c-4d8e-9f00-112233445566"


def request_to_pay(market: str = "uganda", **changes: Any) -> Submission:
    """Fill in a request to pay; `changes` may be fields or filing options."""
    fields: dict[str, Any] = {
        "amount": "5000",
        "currency": None,
        "payer": "0772123456",
        "payer_message": None,
        "payee_note": None,
    }
    filing = {name: changes.pop(name) for name in list(changes) if name not in fields}
    rules = filing.pop("rules", {})
    return collection.from_payer(
        forms_for(market, **rules),
        collection.REQUEST_TO_PAY,
        **{**fields, **changes},
        filing=Filing(**filing),
    )


def body_of(submission: Submission) -> dict[str, Any]:
    """Read the bytes that would be sent."""
    body: dict[str, Any] = json.loads(submission.request.body)
    return body


def refused_field(**changes: Any) -> str:
    """Name the field for which a request to pay is refused."""
    with pytest.raises(InvalidInput) as caught:
        request_to_pay(**changes)
    return caught.value.field


def test_a_request_to_pay_is_written_as_mtn_wants_it() -> None:
    """Strings for amounts, digits alone for numbers, nothing that was not given."""
    submission = request_to_pay(payer_message="Order 7", amount=Money("5000", "UGX"))
    assert body_of(submission) == {
        "amount": "5000",
        "currency": "UGX",
        "payer": {"partyIdType": "MSISDN", "partyId": "256772123456"},
        "externalId": REFERENCE_ID,
        "payerMessage": "Order 7",
    }
    assert submission.request.headers == {
        "X-Reference-Id": REFERENCE_ID,
        "Content-Type": "application/json",
    }
    assert submission.request.path == "/collection/v1_0/requesttopay"
    assert submission.status_path == f"/collection/v1_0/requesttopay/{REFERENCE_ID}"


@pytest.mark.parametrize(
    ("market", "amount", "wire"),
    [
        ("uganda", 5000, "5000"),
        ("uganda", Decimal("5000.00"), "5000"),
        ("ghana", "12.50", "12.5"),
        ("sandbox", "0.01", "0.01"),
    ],
)
def test_good_amounts_are_normalised(market: str, amount: Any, wire: str) -> None:
    """Amounts go out as MTN gives them back."""
    payer = {"uganda": "0772123456", "ghana": "0241234567", "sandbox": "46733123450"}[market]
    assert body_of(request_to_pay(market, amount=amount, payer=payer))["amount"] == wire


@pytest.mark.parametrize(
    "amount", [5000.0, 0.1, -1, "-5", 0, "0", "0.00", "5000.5", True, None, "5,000", "1e3", "NaN"]
)
def test_bad_amounts_are_refused(amount: Any) -> None:
    """Float, zero, negative, and fractions the shilling does not have."""
    assert refused_field(amount=amount) == "amount"


def test_another_markets_currency_is_refused() -> None:
    """Nothing is converted or corrected in silence."""
    assert refused_field(currency="EUR") == "currency"
    assert refused_field(amount=Money("5", "GHS")) == "amount"
    assert refused_field(amount=Money("5", "UGX"), currency="GHS") == "currency"


@pytest.mark.parametrize("payer", ["+233241234567", "233241234567", "12", "", 256772123456, None])
def test_a_payer_of_another_country_or_none_is_refused(payer: Any) -> None:
    """A number is never moved to another country; the field is named as the caller knows it."""
    assert refused_field(payer=payer) == "payer"


@pytest.mark.parametrize(
    "party",
    [Party.email("a@b.example"), Party.party_code(OWN_ID), Party.alias("shop-1")],
)
def test_other_kinds_of_parties_go_as_they_are(party: Party) -> None:
    """MTN knows e-mail addresses, codes and aliases too."""
    assert body_of(request_to_pay(payer=party))["payer"] == party.wire


@pytest.mark.parametrize("field", ["payer_message", "payee_note"])
@pytest.mark.parametrize("text", ["it's", "salt & pepper", "x" * 129, "", "é"])
def test_notes_that_mtn_would_refuse_are_refused(field: str, text: str) -> None:
    """A bad note would cost the whole payment."""
    assert refused_field(**{field: text}) == field


def test_notes_are_cleaned_on_request_with_a_report() -> None:
    """What was changed is said; the client's setting and the call's both count."""
    submission = request_to_pay(payer_message="Salt&pepper", clean_notes=True)
    assert body_of(submission)["payerMessage"] == "Salt and pepper"
    assert submission.note_changes == ("payerMessage: '&' was written as 'and'",)
    by_setting = request_to_pay(payer_message="it's", rules={"clean_notes": True})
    assert body_of(by_setting)["payerMessage"] == "its"
    with pytest.raises(InvalidInput):
        request_to_pay(payer_message="it's", rules={"clean_notes": True}, clean_notes=False)


@pytest.mark.parametrize("external_id", ["has space", "", "x" * 65, "naïve", 7])
def test_external_ids_that_mtn_would_garble_are_refused(external_id: Any) -> None:
    """An empty one is refused too, not replaced behind the caller's back."""
    assert refused_field(external_id=external_id) == "external_id"


# Reference ids


def test_a_new_id_is_ours_and_given_ones_are_not() -> None:
    """Only for an id made for this call can a clash not be the caller's own doing."""
    assert request_to_pay().id_is_ours is True
    assert request_to_pay(reference_id=OWN_ID).id_is_ours is False
    assert request_to_pay(idempotency_key="order-1").id_is_ours is False


def test_a_given_id_is_kept() -> None:
    """As text or UUID, in small letters."""
    for given_id in (OWN_ID, OWN_ID.upper(), uuid.UUID(OWN_ID)):
        submission = request_to_pay(reference_id=given_id)
        assert submission.reference_id == OWN_ID
        assert submission.request.reference_id == OWN_ID


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "order-1",
        "9c189738-e7f0-11f1-a9da-02fc00000001",
        str(uuid.uuid5(uuid.NAMESPACE_DNS, "x")),
        OWN_ID.replace("-", ""),
        OWN_ID + "\r\n",
        f"{{{OWN_ID}}}",
        "5f0c2b1a-6b7c-4d8e-cf00-112233445566",
    ],
)
def test_ids_that_mtn_refuses_are_refused(bad: str) -> None:
    """Version 4 alone, in the usual spelling."""
    assert refused_field(reference_id=bad) == "reference_id"


def test_id_and_key_together_are_refused() -> None:
    """Two sources for one id cannot both be right."""
    assert refused_field(reference_id=OWN_ID, idempotency_key="order-1") == "idempotency_key"


@pytest.mark.parametrize("key", ["", "   ", 1007, b"order"])
def test_a_key_is_a_text(key: Any) -> None:
    """A number or nothing names no intention."""
    assert refused_field(idempotency_key=key) == "idempotency_key"


PINNED = "d0711b90-7b97-4af3-90a8-d8625a42a193"


def test_a_key_gives_the_same_id_for_ever() -> None:
    """This value may never change: a retry after an upgrade must meet the first payment."""
    assert request_to_pay(idempotency_key="order-1007").reference_id == PINNED


def test_a_key_gives_the_same_id_in_every_process() -> None:
    """Another interpreter with another hash seed derives the same."""
    code = (
        "from momokit import Market\n"
        "from momokit.operations.forms import derive_reference_id as derive\n"
        "print(derive('order-1007', market=Market.get('uganda'),"
        " kind='collection.request_to_pay'))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.strip() == PINNED


def test_the_same_key_serves_different_kinds_and_markets() -> None:
    """A collection and its refund may share the order's number."""
    uganda, ghana = Market.get("uganda"), Market.get("ghana")
    derived = {
        derive_reference_id("order-1", market=market, kind=kind)
        for market in (uganda, ghana)
        for kind in ("collection.request_to_pay", "disbursement.refund")
    }
    assert len(derived) == 4


@given(st.text(min_size=1).filter(str.strip))
def test_every_derived_id_is_one_that_mtn_takes(key: str) -> None:
    """Any text gives a UUID of version 4, and the whole body follows from the key."""
    first, second = request_to_pay(idempotency_key=key), request_to_pay(idempotency_key=key)
    assert check_reference_id(first.reference_id) == first.reference_id
    assert first.request == second.request


# Callback addresses and headers


def test_the_callback_address_may_hold_the_id() -> None:
    """`{reference_id}` is filled in; the call's own address wins; none means no header."""
    rules = {"callback_url": "https://shop.example/momo/{reference_id}"}
    headers = request_to_pay(rules=rules).request.headers
    assert headers["X-Callback-Url"] == f"https://shop.example/momo/{REFERENCE_ID}"
    own = request_to_pay(rules=rules, callback_url="https://shop.example/x").request.headers
    assert own["X-Callback-Url"] == "https://shop.example/x"
    assert "X-Callback-Url" not in request_to_pay(rules=rules, callback_url="").request.headers


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/x",
        "https://127.0.0.1/x",
        "https://shop.example:8443/x",
        "https://shop.example/\r\nX-Evil: 1",
        "ftp://shop.example/",
    ],
)
def test_callback_addresses_that_mtn_would_not_call_are_refused(url: str) -> None:
    """MTN would refuse the whole payment, or never call."""
    assert refused_field(callback_url=url) == "callback_url"


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "a\x00", "é", "\x7f", 5])
def test_no_header_can_be_injected(text: Any) -> None:
    """Line breaks never reach a header, against an emulator either."""
    with pytest.raises(InvalidInput):
        check_header(text, field="language")
    if isinstance(text, str):
        rules = {"trusts_callback_urls": True}
        assert refused_field(callback_url=text, rules=rules) == "callback_url"


# The other forms


def test_a_cash_transfer_has_mtns_spelling() -> None:
    """MTN misspells the originating country and capitalises the surname's N."""
    submission = remittance.cash_transfer(
        forms_for(),
        amount="36000",
        currency=None,
        payee="0772123456",
        originating_country="se",
        original_amount="10.50",
        original_currency="EUR",
        sender=Sender(identification_type="PASS", first_name="Anna", surname="Berg"),
        payer_message=None,
        payee_note=None,
        filing=Filing(),
    )
    assert body_of(submission) == {
        "amount": "36000",
        "currency": "UGX",
        "payee": {"partyIdType": "MSISDN", "partyId": "256772123456"},
        "orginatingCountry": "SE",
        "originalAmount": "10.5",
        "originalCurrency": "EUR",
        "payerIdentificationType": "PASS",
        "payerFirstName": "Anna",
        "payerSurName": "Berg",
        "externalId": REFERENCE_ID,
    }
    assert "Anna" not in repr(Sender(first_name="Anna"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"originating_country": "Sweden"}, "originating_country"),
        ({"originating_country": "ÉÉ"}, "originating_country"),
        ({"original_amount": 10.5}, "original_amount"),
        ({"original_currency": "euro"}, "original_currency"),
        ({"payee": "+233241234567"}, "payee"),
    ],
)
def test_a_cash_transfer_names_the_bad_field(changes: dict[str, Any], field: str) -> None:
    """The sender's side is checked under its own names."""
    given_fields: dict[str, Any] = {
        "amount": "36000",
        "currency": None,
        "payee": "0772123456",
        "originating_country": "SE",
        "original_amount": "10.50",
        "original_currency": "EUR",
        "sender": Sender(),
        "payer_message": None,
        "payee_note": None,
        "filing": Filing(),
    }
    with pytest.raises(InvalidInput) as caught:
        remittance.cash_transfer(forms_for(), **{**given_fields, **changes})
    assert caught.value.field == field


def test_a_refund_names_what_it_refunds() -> None:
    """The id of the request refunded is checked under its own name."""
    given_fields: dict[str, Any] = {
        "amount": "200",
        "currency": None,
        "payer_message": None,
        "payee_note": None,
        "filing": Filing(),
    }
    submission = disbursement.refund(
        forms_for(), disbursement.REFUND_V2, reference_id_to_refund=OWN_ID, **given_fields
    )
    assert body_of(submission)["referenceIdToRefund"] == OWN_ID
    assert submission.request.path == "/disbursement/v2_0/refund"
    with pytest.raises(InvalidInput) as caught:
        disbursement.refund(
            forms_for(), disbursement.REFUND, reference_id_to_refund="1", **given_fields
        )
    assert caught.value.field == "reference_id_to_refund"


@pytest.mark.parametrize("seconds", [0, -1, 1.5, True, "60", None])
def test_a_validity_is_whole_seconds(seconds: Any) -> None:
    """MTN wants the number as a string in one place and as a number in the other."""
    with pytest.raises(InvalidInput) as caught:
        collection.whole_seconds(seconds, field="validity_seconds")
    assert caught.value.field == "validity_seconds"
