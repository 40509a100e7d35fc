"""The rows of the failure matrix that the core alone can show, each by its number."""

from __future__ import annotations

from decimal import Decimal

import pytest

from momokit.gateway.core.decide import decide
from momokit.gateway.core.due import CATCH_ALL_REASONS
from momokit.gateway.core.facts import Doubt, Fact, NoAnswer, NotKnown, Taken, Told, TurnedDown
from momokit.gateway.core.payment import Payment, State, Work
from tests.gateway.core.make import (
    FACTS,
    NOW,
    PUSH,
    STATES,
    after,
    apply,
    created,
    failed,
    pending,
    successful,
    told,
    unknown,
)

SUBMIT, SETTLE = Work.SUBMIT, Work.SETTLE
DAY = 86400.0


def test_fm_01_a_timeout_is_unknown_and_is_asked_about_then_sent_again() -> None:
    """No readable answer fails nothing: it is asked about, and the same payment is sent again."""
    payment, doubt = after(created(), Doubt(why="timeout"))
    again, ask = after(payment, NotKnown(), now=NOW + 2)
    taken, _ = after(again, Taken(), now=NOW + 3)

    assert (doubt.state, doubt.work) == (State.UNKNOWN, SETTLE)
    assert (ask.state, ask.work, ask.due_at) == (State.UNKNOWN, SUBMIT, NOW + 2)
    assert (taken.state, taken.first_sent_at, taken.attempts) == (State.PENDING, NOW, 2)


def test_fm_01_doubts_in_a_row_are_further_and_further_apart() -> None:
    """A provider that never answers is not hammered for as long as the window is open."""
    payment, waits = created(kind=PUSH), []
    for _ in range(8):
        payment, decision = after(payment, Doubt(why="503"))
        waits.append((decision.due_at or 0.0) - NOW)

    assert waits == [2, 5, 10, 30, 60, 300, 300, 300]


def test_fm_02_what_was_accepted_is_polled_for_seven_days_then_shown_to_a_person() -> None:
    """A payment that stays open is asked about to day 7, then reviewed, and never failed."""
    payment, now, polls = pending(kind=PUSH), NOW, 0
    decision = decide(payment, told("PENDING"), now=now)
    while decision.due_at is not None and polls < 100:
        assert (decision.state, decision.review) == (State.PENDING, False)
        payment, now, polls = apply(payment, decision), decision.due_at, polls + 1
        decision = decide(payment, told("PENDING"), now=now)

    assert (decision.state, decision.review, decision.notify) == (State.PENDING, True, None)
    assert (now - NOW, polls) == (7 * DAY, 22)


@pytest.mark.parametrize("fact", [NotKnown(), NoAnswer(why="503", failures=99)], ids=repr)
def test_fm_02_neither_absence_nor_silence_ends_what_was_accepted(fact: Fact) -> None:
    """Eight days of "not known", or of no answer, leave an accepted payment open for a person."""
    decision = decide(pending(absences=99, absent_since=NOW), fact, now=NOW + 8 * DAY)

    assert (decision.state, decision.review) == (State.PENDING, True)


def test_fm_02_a_question_without_an_answer_is_repeated_at_any_age() -> None:
    """Review does not stop the asking that never got its answer."""
    decision = decide(pending(), NoAnswer(why="503", failures=99), now=NOW + 8 * DAY)

    assert (decision.work, decision.due_at) == (SETTLE, NOW + 8 * DAY + 300)


def test_fm_03_the_truth_may_come_before_our_own_acceptance() -> None:
    """A status learned first stands; the 202 that is recorded later changes nothing."""
    payment, _ = after(created(sending=True), told("SUCCESSFUL", financial_transaction_id="7"))
    later, decision = after(payment, Taken(), now=NOW + 1)

    assert (payment.state, later) == (State.SUCCESSFUL, payment)
    assert (decision.due_at, decision.notify, decision.incident) == (None, None, None)


def test_fm_07_an_open_status_after_success_is_counted_only() -> None:
    """PENDING after SUCCESSFUL changes nothing and tells nobody but the history."""
    payment, decision = after(successful(), told("PENDING"))

    assert payment == successful()
    assert (decision.event, decision.details) == ("status_behind", {"status": "PENDING"})


def test_fm_07_an_open_status_after_a_failure_is_followed() -> None:
    """What failed and is under way at MTN is asked about until it has its end."""
    payment, behind = after(failed(), told("PENDING"), now=NOW + 10)
    ended, decision = after(payment, told("SUCCESSFUL"), now=NOW + 15)

    assert (behind.state, behind.work, behind.due_at) == (State.FAILED, SETTLE, NOW + 15)
    assert (ended.state, decision.notify) == (State.SUCCESSFUL, "payment.corrected")


@pytest.mark.parametrize(
    ("before", "status", "state", "reason"),
    [
        (successful(), "FAILED", State.FAILED, "EXPIRED"),
        (failed(), "SUCCESSFUL", State.SUCCESSFUL, None),
    ],
    ids=["successful-failed", "failed-successful"],
)
def test_fm_08_a_contradiction_is_recorded_raised_and_sent(
    before: Payment, status: str, state: State, reason: str | None
) -> None:
    """A last word against an earlier one is never silent, in either direction."""
    payment, decision = after(before, told(status, reason_code=reason), now=NOW + 60)

    assert (payment.state, payment.reason_code, payment.final_at) == (state, reason, NOW + 60)
    assert (decision.event, decision.notify) == ("corrected", "payment.corrected")
    number = {"financial_transaction_id": "9001"} if state is State.FAILED else {}
    assert decision.details == {"reason": reason, "before": before.state.value} | number
    assert decision.incident == f"MTN said {before.state} before and says {state} now."


@pytest.mark.parametrize("reason", sorted(CATCH_ALL_REASONS))
def test_fm_08_a_catch_all_failure_is_audited_twice(reason: str) -> None:
    """It is asked about 15 minutes and 24 hours after it failed, then believed."""
    payment, first = after(pending(), told("FAILED", reason_code=reason))
    payment, second = after(payment, told("FAILED", reason_code=reason), now=NOW + 900)
    payment, third = after(payment, told("FAILED", reason_code=reason), now=NOW + DAY)

    assert (first.due_at, second.due_at, third.due_at) == (NOW + 900, NOW + DAY, None)
    assert (first.notify, second.notify, third.notify) == ("payment.failed", None, None)


@pytest.mark.parametrize("name", ["not_known", "turned_down", "never_left", "told_other_amount",
                                  "withdrawn", "told_failed"])  # fmt: skip
def test_fm_08_nothing_that_comes_after_the_failure_drops_its_audit(name: str) -> None:
    """A fact that proves nothing leaves the audit of a catch-all failure due."""
    payment = failed(reason_code="SERVICE_UNAVAILABLE", work=SETTLE)

    decision = decide(payment, FACTS[name], now=NOW + 900)

    assert (decision.work, decision.due_at) == (SETTLE, NOW + DAY)


def test_fm_08_an_audit_that_got_no_answer_is_asked_again() -> None:
    """An audit is not over because MTN was away when it was due."""
    payment = failed(reason_code="SERVICE_UNAVAILABLE", work=SETTLE)

    decision = decide(payment, NoAnswer(why="503", failures=3), now=NOW + DAY)

    assert (decision.work, decision.due_at, decision.review) == (SETTLE, NOW + DAY + 10, False)


def test_fm_09_409_on_our_own_id_ends_the_doubt() -> None:
    """Our resend is answered "have it already": accepted, and asked about."""
    payment, decision = after(unknown(), Taken(), now=NOW + 4)

    assert (payment.state, payment.accepted_at) == (State.PENDING, NOW + 4)
    assert (decision.work, decision.due_at) == (SETTLE, NOW + 9)


def test_fm_09_a_refused_resend_says_nothing_of_the_send_before() -> None:
    """While an earlier send may have arrived, a no does not fail the payment."""
    payment, decision = after(unknown(), TurnedDown(code="NOT_ALLOWED", status=500))

    assert (payment.state, payment.doubtful) == (State.UNKNOWN, True)
    assert decision.details == {"code": "NOT_ALLOWED", "status": 500}


def test_fm_11_not_known_right_after_202_is_not_a_failure() -> None:
    """An accepted payment that MTN does not show yet is polled on."""
    payment = pending()
    for _ in range(30):
        payment, decision = after(payment, NotKnown(), now=NOW + 3600)

    assert (payment.state, payment.absences) == (State.PENDING, 30)
    assert (decision.event, decision.due_at) == ("not_visible", NOW + 7200)


def test_fm_11_being_shown_ends_a_run_of_absence() -> None:
    """One sight of the payment clears the count of "not known"."""
    payment, _ = after(pending(), NotKnown(), NotKnown(), told("PENDING"))

    assert (payment.absences, payment.absent_since, payment.polls) == (0, None, 3)


@pytest.mark.parametrize(("kind", "window"), [("request_to_pay", 120), (PUSH, DAY)])
def test_fm_12_it_is_sent_again_inside_the_window_only(kind: str, window: float) -> None:
    """A prompt is not repeated after two minutes; a payment of ours may be for a day."""
    inside = decide(unknown(kind=kind), NotKnown(), now=NOW + window)
    outside = decide(unknown(kind=kind), NotKnown(), now=NOW + window + 1)

    assert (inside.work, inside.due_at) == (SUBMIT, NOW + window)
    assert (outside.work, outside.state) == (SETTLE, State.UNKNOWN)


def test_fm_12_absence_needs_both_number_and_time() -> None:
    """Five times "not known" over ten minutes, after the window, prove that it never arrived."""
    late = NOW + 2000
    few = decide(unknown(absences=3, absent_since=late - 600), NotKnown(), now=late)
    short = decide(unknown(absences=90, absent_since=late - 599), NotKnown(), now=late)
    proven = decide(unknown(absences=4, absent_since=late - 600), NotKnown(), now=late)

    assert (few.state, short.state) == (State.UNKNOWN, State.UNKNOWN)
    assert (few.work, short.work) == (SETTLE, SETTLE)
    assert (proven.state, proven.changes["reason_code"]) == (State.FAILED, "NEVER_RECEIVED")


@pytest.mark.parametrize("fact", [Doubt(why="reset"), TurnedDown(code="NOT_ALLOWED")], ids=repr)
def test_fm_12_absence_before_a_send_proves_nothing_after_it(fact: Fact) -> None:
    """Each send that may have arrived begins the count of "not known" anew."""
    seen = unknown(kind=PUSH, absences=50, absent_since=NOW)
    resent, _ = after(seen, fact, now=NOW + DAY - 1)
    asked, decision = after(resent, NotKnown(), now=NOW + DAY + 1)

    assert (resent.absences, resent.absent_since) == (0, None)
    assert (decision.state, asked.absences, asked.absent_since) == (
        State.UNKNOWN,
        1,
        NOW + DAY + 1,
    )


@pytest.mark.parametrize(
    ("field", "fact"),
    [
        ("amount", told("SUCCESSFUL", amount=Decimal("5000.01"))),
        ("currency", told("SUCCESSFUL", currency="EUR")),
        ("party", told("FAILED", party_id="256772000000")),
        ("external_id", told("PENDING", external_id="ext_2")),
    ],
)
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_fm_29_an_answer_about_another_payment_is_not_believed(
    state: Payment, field: str, fact: Told
) -> None:
    """It changes nothing, is never followed by a send, and is put before a person."""
    decision = decide(state, fact, now=NOW)

    assert (decision.state, decision.changes, decision.notify) == (state.state, {}, None)
    assert (decision.details, decision.review) == ({"field": field}, True)
    assert decision.incident == f"MTN's answer has another {field} than was sent."
    assert decision.work is not SUBMIT


@pytest.mark.parametrize(
    "fact", [told("SUCCESSFUL"), Told(status="SUCCESSFUL")], ids=["all", "few"]
)
def test_fm_29_equal_amounts_and_absent_fields_are_no_difference(fact: Told) -> None:
    """5000 and 5000.00 are one amount, and a field that MTN leaves out contradicts nothing."""
    assert decide(pending(), fact, now=NOW).state is State.SUCCESSFUL


@pytest.mark.parametrize("status", ["WAITING", "successful", "", None])
def test_fm_31_a_status_that_is_not_known_keeps_the_payment_open_and_alarms(
    status: str | None,
) -> None:
    """An unknown word ends nothing: the payment is polled on and operators are told."""
    decision = decide(pending(), told(status), now=NOW)

    assert (decision.state, decision.work, decision.due_at) == (State.PENDING, SETTLE, NOW + 5)
    assert (decision.event, decision.details) == ("status_unclassified", {"status": status})
    assert decision.incident == "MTN's answer has a status that is not known here."


@pytest.mark.parametrize(
    ("reason", "kept"), [("A_NEW_REASON", "A_NEW_REASON"), (None, "UNSPECIFIED")]
)
def test_fm_31_a_reason_that_is_not_known_or_missing_is_kept(reason: str | None, kept: str) -> None:
    """A failure is a failure whatever its reason is called."""
    payment, _ = after(pending(), told("FAILED", reason_code=reason))

    assert (payment.state, payment.reason_code) == (State.FAILED, kept)
