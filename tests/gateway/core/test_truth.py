"""What is believed, and when: refusals, MTN's words, a person's word, what MTN is to cancel."""

from __future__ import annotations

import pytest

from momokit.gateway.core.by_hand import why_not_by_hand
from momokit.gateway.core.decide import SETTING_SUSPECTED_AFTER, decide
from momokit.gateway.core.facts import (
    CancelAnswered,
    CancelAsked,
    Fact,
    NeverLeft,
    NotKnown,
    PersonSays,
    Taken,
    TurnedDown,
    Withdrawn,
)
from momokit.gateway.core.follow import OTHER_NUMBER, UNDER_WAY
from momokit.gateway.core.payment import SETTING_CODES, Payment, State, Work
from momokit.gateway.core.status_words import WORDS, Reading, read_word
from tests.gateway.core.make import (
    NOW,
    PUSH,
    after,
    created,
    failed,
    pending,
    successful,
    told,
    unknown,
)

DAY = 86400.0
NO = TurnedDown(code="PAYEE_NOT_FOUND", status=500)
WRONG_SETTING = TurnedDown(code="NOT_ALLOWED", status=500)
FAILED = PersonSays(outcome="failed", evidence="E", because="B", by="Ama")
PAID = PersonSays(
    outcome="successful", evidence="E", because="B", by="Ama", financial_transaction_id="77"
)
CANCEL = CancelAsked(reference_id="5a3c2f0e-7a86-4f0e-9d4b-0b8f7f1f3c55")
FAMILIES = ("request_to_pay", "transfer", "refund", "invoice", "pre_approval", "payment")


# Refusals ---------------------------------------------------------------------------------------


def test_a_refusal_is_a_question_first() -> None:
    """A no to a send fails nothing: it is asked about at once, and the merchant hears nothing."""
    payment, decision = after(created(), NO)

    assert (decision.state, decision.work, decision.due_at) == (State.CREATED, Work.SETTLE, NOW)
    assert (decision.notify, payment.refused_code) == (None, "PAYEE_NOT_FOUND")


def test_a_refusal_that_is_confirmed_is_believed() -> None:
    """MTN said no and knows nothing of it: it failed, for the reason of the refusal."""
    payment, decision = after(created(), NO, NotKnown())

    assert (payment.state, payment.reason_code) == (State.FAILED, "PAYEE_NOT_FOUND")
    assert (decision.notify, payment.is_proven_failed) == ("payment.failed", True)


@pytest.mark.parametrize(
    ("fact", "state"),
    [(told("PENDING"), State.PENDING), (told("SUCCESSFUL"), State.SUCCESSFUL)],
)
def test_a_refusal_of_what_mtn_has_is_not_believed(fact: Fact, state: State) -> None:
    """MTN said no and has it all the same: what it has is followed."""
    payment, _ = after(created(), NO, fact)

    assert (payment.state, payment.refused_code) == (state, None)


@pytest.mark.parametrize("code", sorted(SETTING_CODES))
@pytest.mark.parametrize(("kind", "window"), [("request_to_pay", 120), (PUSH, DAY)])
def test_what_a_wrong_setting_refused_waits_as_long_as_it_may_be_sent(
    code: str, kind: str, window: float
) -> None:
    """Inside its window it is sent again once its lane is open; after that it fails as refused."""
    refused, _ = after(created(kind=kind), TurnedDown(code=code, status=500))
    inside, again = after(refused, NotKnown(), now=NOW + window)
    _, late = after(refused, NotKnown(), now=NOW + window + 1)
    too_late, _ = after(inside, NeverLeft(why="its time is over"), now=NOW + window + 1)

    assert (inside.state, again.work, again.event) == (
        State.CREATED, Work.SUBMIT, "waits_for_setting",
    )  # fmt: skip
    assert (late.state, late.details["reason"]) == (State.FAILED, code)
    assert (too_late.state, too_late.reason_code) == (State.FAILED, code)


def test_what_is_taken_after_the_setting_was_mended_is_refused_no_more() -> None:
    """The old no is forgotten with the yes that follows it."""
    payment, _ = after(created(kind=PUSH), WRONG_SETTING, NotKnown(), Taken())

    assert (payment.state, payment.refused_code, payment.attempts) == (State.PENDING, None, 2)


def test_what_was_sent_and_refused_cannot_be_taken_back() -> None:
    """Until MTN has confirmed its no, it may have it."""
    _, decision = after(created(), NO, Withdrawn())

    assert (decision.event, decision.work) == ("cancel_refused", Work.SETTLE)


def test_sends_that_never_leave_for_want_of_a_setting_are_raised() -> None:
    """A few may be chance; then a person is told which setting to look at."""
    payment, raised = created(kind=PUSH), []
    for _ in range(SETTING_SUSPECTED_AFTER + 1):
        payment, decision = after(payment, NeverLeft(why="no token", setting="look at the key"))
        raised.append(decision.incident)

    expected = [None] * (SETTING_SUSPECTED_AFTER - 1) + ["look at the key"] * 2
    assert (raised, payment.state) == (expected, State.CREATED)


# MTN's words ------------------------------------------------------------------------------------

OPEN, DONE, OVER = State.PENDING, State.SUCCESSFUL, State.FAILED
SPOKEN: list[tuple[str, State | None, State | None, State | None, str | None]] = [
    # word, of money, of an invoice, of a pre-approval, why it failed
    ("CREATED", OPEN, OPEN, OPEN, None),
    ("PENDING", OPEN, OPEN, OPEN, None),
    ("SUCCESSFUL", DONE, DONE, DONE, None),
    ("FAILED", OVER, OVER, OVER, None),
    ("APPROVED", None, None, DONE, None),
    ("ACTIVE", None, None, DONE, None),
    ("CANCELLED", None, OVER, OVER, "TRANSACTION_CANCELED"),
    ("CANCELED", None, OVER, OVER, "TRANSACTION_CANCELED"),
    ("EXPIRED", None, OVER, OVER, "EXPIRED"),
    ("REJECTED", None, OVER, OVER, "APPROVAL_REJECTED"),
    ("TIMEOUT", None, None, None, None),
    ("successful", None, None, None, None),
]


@pytest.mark.parametrize("row", SPOKEN, ids=lambda row: row[0])
def test_each_word_means_what_its_kind_says(
    row: tuple[str, State | None, State | None, State | None, str | None],
) -> None:
    """A word is an end only for the kinds of which MTN's documents have it."""
    word, money, invoice, pre_approval, reason = row
    expected = [
        Reading(state, reason if state is OVER else None)
        for state in (money, invoice, pre_approval)
    ]

    assert [read_word(kind, word) for kind in ("transfer", "invoice", "pre_approval")] == expected


def test_the_table_of_words_is_whole() -> None:
    """Every word that the code knows is in the table above."""
    known = {word for words in WORDS.values() for word in words}

    assert known <= {row[0] for row in SPOKEN}


@pytest.mark.parametrize(
    ("kind", "word", "state", "reason"),
    [
        ("pre_approval", "APPROVED", State.SUCCESSFUL, None),
        ("pre_approval", "REJECTED", State.FAILED, "APPROVAL_REJECTED"),
        ("invoice", "CANCELLED", State.FAILED, "TRANSACTION_CANCELED"),
        ("invoice", "EXPIRED", State.FAILED, "EXPIRED"),
        ("request_to_pay", "EXPIRED", State.PENDING, None),
    ],
)
def test_a_word_ends_what_it_is_said_of(
    kind: str, word: str, state: State, reason: str | None
) -> None:
    """An invoice that was cancelled is not asked about for seven days more."""
    payment, _ = after(pending(kind=kind), told(word))

    assert (payment.state, payment.reason_code) == (state, reason)


def test_what_is_overturned_gives_up_its_number_to_the_history() -> None:
    """The id of a success that was none stays in the history, and nowhere else."""
    payment, decision = after(successful(), told("FAILED", reason_code="EXPIRED"))

    assert payment.financial_transaction_id is None
    assert decision.details["financial_transaction_id"] == "9001"


def test_another_number_for_the_same_success_is_raised() -> None:
    """MTN's number of a payment does not change; where it does, a person looks."""
    _, decision = after(successful(), told("SUCCESSFUL", financial_transaction_id="9002"))

    assert (decision.event, decision.incident) == ("confirmed", OTHER_NUMBER)
    assert decision.details == {"financial_transaction_id": "9001"}


def test_a_failure_that_is_under_way_at_mtn_is_never_taken_for_proven() -> None:
    """It is raised, and asked about for as long as MTN says so."""
    payment, decision = after(failed(), told("PENDING"), now=NOW + 30 * DAY)

    assert (decision.due_at, decision.incident) == (NOW + 31 * DAY, UNDER_WAY)
    assert payment.is_proven_failed is False


# A person's word --------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [created(), unknown(), pending()], ids=lambda p: p.state)
@pytest.mark.parametrize(("says", "state"), [(FAILED, State.FAILED), (PAID, State.SUCCESSFUL)])
def test_a_persons_word_is_recorded_as_one(before: Payment, says: PersonSays, state: State) -> None:
    """It is told to the merchant, kept with its evidence, and still asked about."""
    payment, decision = after(before, says)

    assert (payment.state, payment.settled_by, decision.due_at) == (state, "Ama", NOW + 900)
    assert decision.notify == f"payment.{state.value}"
    assert {"by": "Ama", "because": "B", "evidence": "E"}.items() <= decision.details.items()


def test_a_person_names_the_number_of_money_that_moved() -> None:
    """MTN's number may be known from a statement."""
    payment, _ = after(pending(), PAID)

    assert payment.financial_transaction_id == "77"


def test_a_failure_by_a_persons_word_is_proven_by_nothing_else_for_a_day() -> None:
    """Both audits must have passed before the same may be paid again without a person."""
    payment, _ = after(unknown(kind=PUSH), FAILED)
    first, _ = after(payment, NotKnown(), now=NOW + 900)
    second, _ = after(first, NotKnown(), now=NOW + DAY)

    proven = [one.is_proven_failed for one in (payment, first, second)]
    assert proven == [False, False, True]


def test_mtns_word_against_a_persons_is_taken_and_raised() -> None:
    """The merchant is corrected, and the word is MTN's from then on."""
    payment, decision = after(unknown(kind=PUSH), FAILED, told("SUCCESSFUL"))

    assert (payment.state, payment.settled_by) == (State.SUCCESSFUL, None)
    assert (decision.event, decision.notify) == ("corrected", "payment.corrected")
    assert decision.incident == "A person put on record failed, and MTN says successful."


def test_mtns_word_for_a_persons_makes_it_mtns() -> None:
    """What MTN confirms is no person's word any more, and has MTN's reason."""
    payment, decision = after(unknown(), FAILED, told("FAILED", reason_code="EXPIRED"))

    assert (payment.settled_by, payment.reason_code) == (None, "EXPIRED")
    assert (decision.event, decision.work, decision.notify) == ("confirmed", None, None)


@pytest.mark.parametrize("says", [FAILED, PAID], ids=["failed", "successful"])
def test_what_mtn_still_shows_as_open_is_followed_past_a_persons_word(says: PersonSays) -> None:
    """Audits end after a day; an open payment is followed by its plan."""
    payment, _ = after(pending(), says)
    _, decision = after(payment, told("PENDING"), now=NOW + 2 * DAY)

    assert (decision.work, decision.due_at) == (Work.SETTLE, NOW + 3 * DAY)


@pytest.mark.parametrize(
    ("payment", "review", "later", "refused"),
    [
        (pending(), False, DAY, True),
        (pending(), True, DAY, False),
        (pending(), False, 8 * DAY, False),
        (created(sending=True), True, 8 * DAY, True),
        (successful(), True, 8 * DAY, True),
    ],
    ids=["still asked", "in review", "past the plan", "in mid send", "final"],
)
def test_a_persons_word_is_wanted_only_when_mtns_is_not_to_be_had(
    payment: Payment, review: bool, later: float, refused: bool
) -> None:
    """While MTN is asked by plan, or has said it, a person's word needs to be forced."""
    why = why_not_by_hand(payment, review=review, now=NOW + later)

    assert (why is not None) == refused


# What MTN is to cancel --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FAMILIES)
def test_what_has_left_is_cancelled_by_mtn_or_not_at_all(kind: str) -> None:
    """Only an invoice and a pre-approval can be cancelled once MTN has them."""
    payment, decision = after(pending(kind=kind), CANCEL, now=NOW + 60)
    cancellable = kind in ("invoice", "pre_approval")

    assert decision.event == ("cancel_asked" if cancellable else "cancel_refused")
    assert (payment.wants_cancel, payment.state) == (cancellable, State.PENDING)


def test_a_cancellation_keeps_its_first_reference_id() -> None:
    """Asked for twice, it is one cancellation, under one id."""
    other = CancelAsked(reference_id="0b8f7f1f-3c55-4f0e-9d4b-5a3c2f0e7a86")
    payment, _ = after(pending(kind="invoice"), CANCEL, other)

    assert payment.cancel_reference_id == CANCEL.reference_id


def test_cancelled_is_what_mtn_shows_as_cancelled() -> None:
    """That MTN agreed ends nothing; its status does."""
    agreed, decision = after(pending(kind="invoice"), CANCEL, CancelAnswered(taken=True))
    over, last = after(agreed, told("FAILED", reason_code="TRANSACTION_CANCELED"))

    assert (agreed.state, agreed.wants_cancel, decision.due_at) == (State.PENDING, False, NOW + 2)
    assert (over.state, over.reason_code) == (State.FAILED, "TRANSACTION_CANCELED")
    assert (last.notify, last.incident) == ("payment.failed", None)


def test_an_invoice_that_was_paid_in_the_meantime_is_paid() -> None:
    """The wish to cancel does not change what happened."""
    payment, decision = after(
        pending(kind="invoice"), CANCEL, CancelAnswered(taken=True), told("SUCCESSFUL")
    )

    assert (payment.state, decision.notify) == (State.SUCCESSFUL, "payment.successful")


def test_an_invoice_that_was_paid_before_mtn_was_asked_is_asked_about_no_more() -> None:
    """The wish came too late: there is nothing left to look for."""
    _, decision = after(pending(kind="invoice"), CANCEL, told("SUCCESSFUL"), told("SUCCESSFUL"))

    assert (decision.event, decision.work, decision.due_at) == ("confirmed", None, None)


def test_a_question_that_is_late_is_not_dropped_by_what_comes_between() -> None:
    """No worker ran for two days: a cancel in between answers nothing, and the audit is due."""
    payment, _ = after(unknown(kind=PUSH), FAILED)
    late, decision = after(payment, Withdrawn(), now=NOW + 2 * DAY)

    assert (decision.work, decision.due_at) == (Work.SETTLE, NOW + 2 * DAY)
    assert late.is_proven_failed is False


def test_an_answer_about_other_money_proves_no_failure() -> None:
    """A failed payment stays asked about until MTN speaks of it."""
    payment, decision = after(failed(), told("FAILED", external_id="other"), now=NOW + 30 * DAY)

    assert (decision.due_at, payment.is_proven_failed) == (NOW + 31 * DAY, False)


def test_a_cancellation_that_mtn_refuses_is_over() -> None:
    """The payment is followed as before."""
    no = CancelAnswered(taken=False, code="VALIDATION_ERROR", status=400)
    payment, decision = after(pending(kind="invoice"), CANCEL, no)

    assert (payment.wants_cancel, payment.state) == (False, State.PENDING)
    assert (decision.event, decision.work) == ("cancel_refused", Work.SETTLE)


def test_a_pre_approval_that_was_given_ends_by_its_cancellation() -> None:
    """What was granted and cancelled because we asked contradicts nothing."""
    granted = successful(kind="pre_approval", financial_transaction_id=None)
    agreed, _ = after(granted, CANCEL, CancelAnswered(taken=True))
    waiting, still = after(agreed, told("APPROVED"), now=NOW + 5)
    over, decision = after(waiting, told("CANCELLED"), now=NOW + 15)

    assert (still.work, waiting.state) == (Work.SETTLE, State.SUCCESSFUL)
    assert (over.state, decision.event, decision.incident) == (State.FAILED, "cancelled", None)
    assert decision.notify == "payment.failed"


@pytest.mark.parametrize("kind", ["invoice", "pre_approval"])
def test_a_persons_success_that_was_cancelled_is_contradicted(kind: str) -> None:
    """The wish to cancel excuses no word but MTN's own grant: this is raised and corrected."""
    payment, decision = after(pending(kind=kind), CANCEL, PAID, told("CANCELLED"))

    assert (payment.state, decision.notify) == (State.FAILED, "payment.corrected")
    assert decision.incident == "A person put on record successful, and MTN says failed."


def test_a_lost_cancellation_is_asked_for_again() -> None:
    """The wish outlives what gets no answer: it stays until MTN has answered it."""
    payment, _ = after(pending(kind="invoice"), CANCEL)
    again = decide(payment, told("PENDING"), now=NOW + 60)

    assert payment.wants_cancel is True
    assert "cancel_reference_id" not in again.changes
