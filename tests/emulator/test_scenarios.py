"""Outcomes that a test sets itself, and the payer's decisions."""

from __future__ import annotations

from typing import Any

import pytest

from momokit.emulator.engine import UnknownReference
from momokit.emulator.settlement import CannotDecide

from .caller import INVOICE, ORDINARY, PREAPPROVAL, Caller


@pytest.fixture
def phone() -> Caller:
    """Give a caller of an emulator whose payers decide by hand."""
    made = Caller(approval="phone")
    made.emulator.clock.freeze(at=1_800_000_000.0)
    return made


def test_outcome_after_polls(caller: Caller) -> None:
    """Two questions are answered PENDING, the third with the outcome."""
    caller.emulator.scenarios.set(identifier=ORDINARY, outcome="successful", after_polls=2)
    reference, _ = caller.pay()
    answers = [caller.status(reference)["status"] for _ in range(4)]

    assert answers == ["PENDING", "PENDING", "SUCCESSFUL", "SUCCESSFUL"]
    assert caller.emulator.money_moved(reference).times == 1


def test_outcome_after_seconds_of_the_emulators_clock(caller: Caller) -> None:
    """A timed outcome waits for the clock, not for anybody's patience."""
    caller.emulator.scenarios.set(
        amount="77.00", outcome="PAYER_LIMIT_REACHED", after_seconds=40, operation="requesttopay"
    )
    reference, _ = caller.pay(amount="77.0")
    before = caller.status(reference)["status"]
    caller.emulator.clock.advance(seconds=40)

    assert before == "PENDING"
    assert caller.status(reference)["reason"] == "PAYER_LIMIT_REACHED"


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        ("successful", "SUCCESSFUL", None),
        ("failed", "FAILED", "INTERNAL_PROCESSING_ERROR"),
        ("Rejected", "FAILED", "APPROVAL_REJECTED"),
        ("SOMETHING_NEW", "FAILED", "SOMETHING_NEW"),
        ("pending", "PENDING", None),
    ],
)
def test_outcomes_are_words_scenarios_or_codes(
    caller: Caller, outcome: str, status: str, reason: str | None
) -> None:
    """An outcome is a plain word, a published scenario or any reason code."""
    caller.emulator.scenarios.set(external_id="order-1", outcome=outcome)
    reference, _ = caller.pay()
    answer = caller.status(reference)

    assert (answer["status"], answer.get("reason")) == (status, reason)


def test_own_outcomes_come_before_the_published_and_newest_first(caller: Caller) -> None:
    """What a test sets overrides the published table; clearing gives the table back."""
    scenarios = caller.emulator.scenarios
    scenarios.set(identifier="46733123450", outcome="EXPIRED")
    scenarios.set(identifier="46733123450", outcome="successful")
    newest, _ = caller.pay("46733123450")
    scenarios.clear()
    published, _ = caller.pay("46733123450")

    assert caller.status(newest)["status"] == "SUCCESSFUL"
    assert caller.status(published)["reason"] == "INTERNAL_PROCESSING_ERROR"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"outcome": "nice", "identifier": "1"}, "unknown outcome"),
        ({"outcome": "failed"}, "say which payments"),
        ({"outcome": "failed", "operation": "dance"}, "unknown operation"),
        ({"outcome": "failed", "identifier": "1", "after_polls": -1}, "negative"),
    ],
)
def test_mistakes_are_explained(caller: Caller, wrong: dict[str, Any], words: str) -> None:
    """A scenario that cannot be understood says why."""
    with pytest.raises(ValueError, match=words):
        caller.emulator.scenarios.set(**wrong)


def test_active_can_be_set(caller: Caller) -> None:
    """A test can make any number inactive or the question itself fail."""
    line = f"GET /collection/v1_0/accountholder/msisdn/{ORDINARY}/active"
    scenarios = caller.emulator.scenarios
    scenarios.set(identifier=ORDINARY, operation="active", outcome="NotActive")
    inactive = caller.call(line)
    scenarios.set(identifier=ORDINARY, operation="active", outcome="SERVICE_UNAVAILABLE")

    assert inactive.json() == {"result": False}
    assert caller.call(line).status == 503


def test_ongoing_expires_when_the_setting_says(caller: Caller) -> None:
    """The Ongoing identifier stays PENDING, then is EXPIRED; or never, when so switched."""
    reference, _ = caller.pay("46733123453")
    caller.emulator.clock.advance(seconds=299)
    before = caller.status(reference)["status"]
    caller.emulator.clock.advance(seconds=1)
    after = caller.status(reference)["reason"]
    caller.emulator.change_settings(ongoing_expires_after_seconds=None)
    forever, _ = caller.pay("46733123453")
    caller.emulator.clock.advance(seconds=3000)

    assert (before, after) == ("PENDING", "EXPIRED")
    assert caller.status(forever)["status"] == "PENDING"


@pytest.mark.parametrize(
    ("decision", "status", "reason", "moved"),
    [("approve", "SUCCESSFUL", None, 1), ("decline", "FAILED", "APPROVAL_REJECTED", 0)],
)
def test_the_payer_decides(
    phone: Caller, decision: str, status: str, reason: str | None, moved: int
) -> None:
    """A request waits for its payer, who approves or declines it."""
    reference, _ = phone.pay()
    (waiting,) = phone.emulator.pending_approvals()
    before = phone.status(reference)["status"]
    decided = phone.emulator.decide(reference, decision)
    answer = phone.status(reference)

    assert (waiting.reference_id, waiting.party_id, before) == (reference, ORDINARY, "PENDING")
    assert waiting.expires_at == phone.emulator.clock.now() + 300
    assert (answer["status"], answer.get("reason")) == (status, reason)
    assert decided.times_money_moved == moved
    assert phone.emulator.pending_approvals() == []


def test_an_ignored_request_expires_after_five_minutes(phone: Caller) -> None:
    """Ignoring takes a request off the phone; five minutes later it is EXPIRED."""
    reference, _ = phone.pay()
    phone.emulator.decide(reference, "ignore")
    shown = phone.emulator.pending_approvals()
    phone.emulator.clock.advance(seconds=299)
    before = phone.status(reference)["status"]
    phone.emulator.clock.advance(seconds=1)

    assert (shown, before) == ([], "PENDING")
    assert phone.status(reference)["reason"] == "EXPIRED"
    with pytest.raises(CannotDecide, match="already FAILED"):
        phone.emulator.decide(reference, "approve")


def test_decisions_need_a_payment_and_a_choice(phone: Caller) -> None:
    """Deciding about nothing, or in no known way, is refused with the reason."""
    reference, _ = phone.pay()

    with pytest.raises(UnknownReference):
        phone.emulator.decide("nothing", "approve")
    with pytest.raises(CannotDecide, match="approve, decline or ignore"):
        phone.emulator.decide(reference, "maybe")


def test_what_waits_on_the_phone_and_what_does_not(phone: Caller) -> None:
    """Withdraws, pre-approvals and invoices wait too; transfers and test numbers do not."""
    phone.create("/collection/v1_0/requesttowithdraw", phone.body("payer", ORDINARY))
    phone.create("/collection/v2_0/preapproval", PREAPPROVAL)
    phone.create("/collection/v2_0/invoice", INVOICE)
    sent, _ = phone.transfer()
    failed, _ = phone.pay("46733123451")

    kinds = [payment.kind for payment in phone.emulator.pending_approvals()]
    assert kinds == ["invoice", "preapproval", "requesttowithdraw"]
    assert phone.status(sent, "/disbursement/v1_0/transfer")["status"] == "SUCCESSFUL"
    assert phone.status(failed)["reason"] == "APPROVAL_REJECTED"


def test_an_approved_preapproval_spares_the_prompt(phone: Caller) -> None:
    """With an approved pre-approval a request to pay runs without asking, until it ends."""
    mandate, _ = phone.create("/collection/v2_0/preapproval", PREAPPROVAL)
    phone.emulator.decide(mandate, "approve")
    silent, _ = phone.pay()
    other, _ = phone.pay("256772999999")
    phone.emulator.clock.advance(seconds=3600)
    phone._tokens.clear()
    late, _ = phone.pay()

    assert phone.status(silent)["status"] == "SUCCESSFUL"
    assert phone.status(other)["status"] == "FAILED"
    assert phone.status(late)["status"] == "PENDING"
