"""Commands that move money: what they send, what they say, and with what they exit."""

from __future__ import annotations

import json
import uuid

import pytest

from momokit import Market
from momokit.operations.forms import derive_reference_id

from .runner import Momo, run

PAYER = "256772123456"
FAILS = "46733123450"
PAYEE = "256772654321"
PAID = "5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11"
SUBMISSIONS = {
    "request-to-pay": ("request-to-pay", "25", PAYER, "--message", "Order 1007"),
    "withdraw": ("withdraw", "25", PAYER),
    "withdraw-v2": ("withdraw", "25", PAYER, "--api-version", "2"),
    "transfer": ("transfer", "25", PAYEE, "--note", "Salary"),
    "transfer-remittance": ("transfer", "25", PAYEE, "--product", "remittance"),
    "deposit": ("deposit", "25", PAYEE),
    "deposit-v2": ("deposit", "25", PAYEE, "--api-version", "2"),
    "cash-transfer": (
        *("cash-transfer", "25", PAYEE, "--from-country", "FR", "--original-amount", "21.50"),
        *("--original-currency", "EUR", "--sender-first-name", "Ann", "--sender-surname", "Doe"),
    ),
    "invoice": ("invoice", "create", "25", PAYER, "--payee", PAYEE, "--description", "Order 1007"),
    "preapproval": ("preapproval", "create", PAYER, "--message", "Rent"),
    "payment": (
        *("payment", "create", "25", "--customer-reference", "0412"),
        *("--provider", "POWER"),
    ),
}


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_everything_can_be_submitted_and_asked_about(momo: Momo, name: str) -> None:
    """Each submission is accepted and names the command that asks for its outcome."""
    ran = momo(*SUBMISSIONS[name], "--json")

    assert ran.code == 0, ran.err
    assert ran.json["state"] == "accepted"
    asked = momo(*ran.json["next"].split()[1:], "--json")
    assert asked.json["reference_id"] == ran.json["reference_id"]
    assert asked.code == {"successful": 0, "open": 6}[asked.json["state"]]


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_a_dry_run_sends_nothing(momo: Momo, name: str) -> None:
    """Everything is checked and the request is shown; the emulator hears of nothing."""
    ran = momo(*SUBMISSIONS[name], "--dry-run", "--json")

    assert ran.code == 0, ran.err
    assert ran.json["sent"] is False
    assert ran.json["headers"]["X-Reference-Id"] == ran.json["reference_id"]
    assert momo.operations == []
    for number in (PAYER, PAYEE):
        assert number not in ran.out


def test_a_dry_run_shows_numbers_when_asked() -> None:
    """Nothing is needed on the network for it."""
    ran = run(
        *("request-to-pay", "5000", "0772 123 456", "--dry-run", "--show-numbers", "--json"),
        MOMO_MARKET="uganda",
        MOMO_SUBSCRIPTION_KEY="k" * 32,
        MOMO_API_USER=str(uuid.uuid4()),
        MOMO_API_KEY="a" * 32,
    )

    assert ran.json["body"]["payer"] == {"partyIdType": "MSISDN", "partyId": PAYER}
    assert ran.json["body"]["amount"] == "5000"
    assert ran.json["headers"]["X-Target-Environment"] == "mtnuganda"


def test_the_reference_id_is_said_before_anything_is_sent(momo: Momo) -> None:
    """The first line on stderr is the id, so that no interruption can lose it."""
    ran = momo("request-to-pay", "25", PAYER, "--json")

    assert ran.events[0]["event"] == "sending"
    assert ran.events[0]["reference_id"] == ran.json["reference_id"]


def test_waiting_ends_with_the_outcome(momo: Momo) -> None:
    """With --wait the result is the outcome: money moved once, exit code 0."""
    ran = momo("request-to-pay", "25", PAYER, "--wait", "--json")

    assert ran.code == 0
    assert ran.json["state"] == "successful"
    assert ran.json["payer"] == {"id_type": "MSISDN", "id": "256••••••456"}
    assert momo.emulator.money_moved(ran.json["reference_id"]).times == 1


def test_a_failed_payment_says_why_and_exits_with_3(momo: Momo) -> None:
    """The reason is explained for a person."""
    ran = momo("request-to-pay", "25", FAILS, "--wait")

    assert ran.code == 3
    assert "FAILED (failed)" in ran.out
    assert "INTERNAL_PROCESSING_ERROR" in ran.out
    assert "whose move" not in ran.out
    assert FAILS not in ran.out + ran.err


def test_an_open_payment_is_no_failure(momo: Momo) -> None:
    """When the time is up the exit code is 6, and the command that asks again is shown."""
    momo.emulator.change_settings(approval="phone")
    ran = momo("request-to-pay", "25", PAYER, "--wait", "--timeout", "0.1")

    assert ran.code == 6
    assert "momo status request-to-pay" in ran.err


def test_a_lost_answer_exits_with_5_and_says_what_to_do(momo: Momo) -> None:
    """The outcome is unknown: the id is told and the question to ask first."""
    momo.emulator.faults.add("drop_response", operation="RequesttoPay")
    momo.emulator.faults.add("status", operation="RequesttoPayTransactionStatus", code=503)
    ran = momo("request-to-pay", "25", PAYER, MOMO_DEADLINE_SECONDS="0.4")

    reference_id = momo.emulator.payments()[0].reference_id
    assert ran.code == 5
    assert "Do not pay again" in ran.err
    assert f"momo status request-to-pay {reference_id}" in ran.err


def test_a_lost_answer_in_json_carries_the_next_command(momo: Momo) -> None:
    """A script finds the id, that a retry is not safe, and what to run."""
    momo.emulator.faults.add("drop_response", operation="Transfer")
    momo.emulator.faults.add("status", operation="GetTransferStatus", code=503)
    ran = momo(
        *("transfer", "25", PAYEE, "--product", "remittance", "--json"),
        MOMO_DEADLINE_SECONDS="0.4",
    )

    reference_id = momo.emulator.payments()[0].reference_id
    assert ran.code == 5
    assert ran.out == ""
    assert ran.error["reference_id"] == reference_id
    assert ran.error["retry_is_safe"] is False
    assert ran.error["next"] == f"momo status transfer {reference_id} --product remittance"


def test_a_refusal_exits_with_3(momo: Momo) -> None:
    """MTN said no: it did not happen, and the error says so with MTN's code."""
    momo.emulator.faults.add("status", operation="RequesttoPay", code=500, body_code="NOT_ALLOWED")
    ran = momo("request-to-pay", "25", PAYER, "--json")

    assert ran.code == 3
    assert (ran.error["error"], ran.error["code"]) == ("Refused", "NOT_ALLOWED")
    assert ran.error["retry_is_safe"] is True


def test_an_unreachable_host_exits_with_4(momo: Momo) -> None:
    """Nothing was sent, so the same command may be repeated."""
    ran = momo(
        *("transfer", "25", PAYEE, "--json", "--base-url", "http://127.0.0.1:1"),
        MOMO_DEADLINE_SECONDS="0.3",
    )

    assert ran.code == 4
    assert ran.error["error"] == "NotSent"


@pytest.mark.parametrize(
    ("args", "field"),
    [
        (("request-to-pay", "0", PAYER), "amount"),
        (("request-to-pay", "12.345", PAYER), "amount"),
        (("request-to-pay", "25", "0772123456"), "payer"),
        (("request-to-pay", "25", PAYER, "--message", "it's"), "payer_message"),
        (("request-to-pay", "25", PAYER, "--currency", "UGX"), "currency"),
        (("request-to-pay", "25", PAYER, "--reference-id", "1"), "reference_id"),
        (("transfer", "25", PAYEE, "--external-id", "a b"), "external_id"),
        (("refund", "25", "1"), "reference_id_to_refund"),
        (("status", "request-to-pay", "1"), "reference_id"),
    ],
)
def test_a_wrong_value_is_named_and_not_sent(momo: Momo, args: tuple[str, ...], field: str) -> None:
    """Exit code 2 names the argument; the emulator hears of nothing."""
    ran = momo(*args, "--json")

    assert ran.code == 2
    assert ran.error["field"] == field
    assert momo.operations == []


def test_an_idempotency_key_gives_the_same_id_for_ever(momo: Momo) -> None:
    """Run twice, the same payment is one payment; the client derives the very same id."""
    first = momo("request-to-pay", "25", PAYER, "--idempotency-key", "order-1007", "--json")
    second = momo("request-to-pay", "25", PAYER, "--idempotency-key", "order-1007", "--json")

    expected = derive_reference_id(
        "order-1007", market=Market.get("sandbox"), kind="collection.request_to_pay"
    )
    assert first.json["reference_id"] == expected
    assert second.json["reference_id"] == expected
    assert (first.json["replayed"], second.json["replayed"]) == (False, True)
    assert momo.emulator.money_moved(expected).times == 1


def test_two_kinds_of_id_are_refused(momo: Momo) -> None:
    """One intended payment has one name."""
    ran = momo(
        *("request-to-pay", "25", PAYER, "--reference-id", str(uuid.uuid4())),
        *("--idempotency-key", "x", "--json"),
    )

    assert ran.code == 2
    assert momo.operations == []


def test_cleaned_notes_are_reported(momo: Momo) -> None:
    """With --clean-notes the note is mended, and what was changed is in the result."""
    ran = momo("request-to-pay", "25", PAYER, "--message", "it's", "--clean-notes", "--json")

    assert ran.json["note_changes"] == ["payerMessage: apostrophes were removed"]


def test_a_refund_follows_a_request_to_pay(momo: Momo) -> None:
    """The reference id of what was paid is what a refund needs."""
    paid = momo("request-to-pay", "25", PAYER, "--wait", "--json").json["reference_id"]
    ran = momo("refund", "10", paid, "--wait", "--json")

    assert ran.code == 0
    assert (ran.json["kind"], ran.json["amount"]) == ("refund", "10")


def test_an_invoice_is_cancelled_under_an_id_of_its_own(momo: Momo) -> None:
    """The result names the question that tells what became of the invoice."""
    made = momo(*SUBMISSIONS["invoice"], "--external-id", "order-1007", "--json").json
    ran = momo(
        *("invoice", "cancel", made["reference_id"], "--external-id", "order-1007", "--json")
    )

    assert ran.code == 0, ran.err
    assert ran.json["next"] == f"momo status invoice {made['reference_id']}"
    assert ran.json["reference_id"] != made["reference_id"]


def test_pre_approvals_are_listed_and_cancelled(momo: Momo) -> None:
    """What the payer has given is listed with its number masked, and can be taken back."""
    momo("preapproval", "create", PAYER, "--wait", "--json")
    listed = momo("preapproval", "list", PAYER, "--json")

    assert PAYER not in listed.out
    (row,) = listed.json
    ran = momo("preapproval", "cancel", row["pre_approval_id"], "--json")
    assert ran.code == 0, ran.err


def test_no_reference_id_known_to_mtn_is_not_a_failure(momo: Momo) -> None:
    """Just after sending it means "not yet", so a script must not read a failure out of it."""
    ran = momo("status", "request-to-pay", PAID, "--json")

    assert ran.code == 7
    assert ran.json["state"] == "not_found"


def test_waiting_for_something_known_by_its_id(momo: Momo) -> None:
    """`wait` needs the kind and the id alone, spelt as one likes."""
    made = momo("deposit", "25", PAYEE, "--json").json
    ran = momo("wait", "DEPOSIT", made["reference_id"], "--json")

    assert ran.code == 0
    assert json.dumps(ran.json)
    assert ran.json["polls"] >= 1


def test_a_payer_can_be_named_by_mail(momo: Momo) -> None:
    """`email:` makes another kind of party; its id is masked too."""
    ran = momo("request-to-pay", "25", "email:ann@shop.example", "--dry-run", "--json")

    assert ran.json["body"]["payer"] == {"partyIdType": "EMAIL", "partyId": "a•••@shop.example"}
