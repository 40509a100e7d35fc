"""What follows from each fact, in every state."""

from __future__ import annotations

import pytest

from momokit.gateway.core.decide import decide, is_legal
from momokit.gateway.core.facts import Decision, Fact, NeverLeft, NotKnown, TurnedDown, Withdrawn
from momokit.gateway.core.payment import MOVES, Payment, State, Work
from tests.gateway.core.make import (
    FACTS,
    NOW,
    STATES,
    after,
    created,
    successful,
    told,
    unknown,
)

SUBMIT, SETTLE = Work.SUBMIT, Work.SETTLE
DAY = 86400.0

BY_HAND = "settled_by_person"

# state, fact -> state after, work, seconds until due, event, webhook
TABLE: list[tuple[str, str, str, Work | None, float | None, str, str | None]] = [
    ("created", "taken", "pending", SETTLE, 5, "accepted", "payment.pending"),
    ("created", "turned_down", "created", SETTLE, 0, "refused", None),
    ("created", "never_left", "created", SUBMIT, 1, "not_sent", None),
    ("created", "doubt", "unknown", SETTLE, 2, "outcome_unknown", "payment.unknown"),
    ("created", "told_pending", "pending", SETTLE, 5, "still_open", "payment.pending"),
    ("created", "told_created", "pending", SETTLE, 5, "still_open", "payment.pending"),
    ("created", "told_strange", "pending", SETTLE, 5, "status_unclassified", "payment.pending"),
    ("created", "told_successful", "successful", None, None, "successful", "payment.successful"),
    ("created", "told_failed", "failed", None, None, "failed", "payment.failed"),
    ("created", "told_other_amount", "created", SETTLE, 5, "mismatch", None),
    ("created", "not_known", "created", SUBMIT, 0, "not_received", None),
    ("created", "no_answer", "created", SUBMIT, 2, "status_unavailable", None),
    ("created", "withdrawn", "failed", None, None, "failed", "payment.failed"),
    ("created", "cancel_asked", "failed", None, None, "failed", "payment.failed"),
    ("created", "cancel_taken", "created", SETTLE, 2, "cancel_taken", None),
    ("created", "cancel_turned_down", "created", SETTLE, 5, "cancel_refused", None),
    ("created", "person_successful", "successful", SETTLE, 900, BY_HAND, "payment.successful"),
    ("created", "person_failed", "failed", SETTLE, 900, BY_HAND, "payment.failed"),
    ("unknown", "taken", "pending", SETTLE, 5, "accepted", "payment.pending"),
    ("unknown", "turned_down", "unknown", SETTLE, 5, "resend_refused", None),
    ("unknown", "never_left", "unknown", SETTLE, 5, "resend_failed", None),
    ("unknown", "doubt", "unknown", SETTLE, 5, "outcome_unknown", None),
    ("unknown", "told_pending", "pending", SETTLE, 5, "still_open", "payment.pending"),
    ("unknown", "told_created", "pending", SETTLE, 5, "still_open", "payment.pending"),
    ("unknown", "told_strange", "pending", SETTLE, 5, "status_unclassified", "payment.pending"),
    ("unknown", "told_successful", "successful", None, None, "successful", "payment.successful"),
    ("unknown", "told_failed", "failed", None, None, "failed", "payment.failed"),
    ("unknown", "told_other_amount", "unknown", SETTLE, 5, "mismatch", None),
    ("unknown", "not_known", "unknown", SUBMIT, 0, "not_received", None),
    ("unknown", "no_answer", "unknown", SETTLE, 2, "status_unavailable", None),
    ("unknown", "withdrawn", "unknown", SETTLE, 2, "cancel_refused", None),
    ("unknown", "cancel_asked", "unknown", SETTLE, 2, "cancel_refused", None),
    ("unknown", "cancel_taken", "unknown", SETTLE, 2, "cancel_taken", None),
    ("unknown", "cancel_turned_down", "unknown", SETTLE, 5, "cancel_refused", None),
    ("unknown", "person_successful", "successful", SETTLE, 900, BY_HAND, "payment.successful"),
    ("unknown", "person_failed", "failed", SETTLE, 900, BY_HAND, "payment.failed"),
    ("pending", "taken", "pending", SETTLE, 5, "accepted", None),
    ("pending", "turned_down", "pending", SETTLE, 5, "resend_refused", None),
    ("pending", "never_left", "pending", SETTLE, 5, "resend_failed", None),
    ("pending", "doubt", "pending", SETTLE, 5, "outcome_unknown", None),
    ("pending", "told_pending", "pending", SETTLE, 5, "still_open", None),
    ("pending", "told_created", "pending", SETTLE, 5, "still_open", None),
    ("pending", "told_strange", "pending", SETTLE, 5, "status_unclassified", None),
    ("pending", "told_successful", "successful", None, None, "successful", "payment.successful"),
    ("pending", "told_failed", "failed", None, None, "failed", "payment.failed"),
    ("pending", "told_other_amount", "pending", SETTLE, 5, "mismatch", None),
    ("pending", "not_known", "pending", SETTLE, 5, "not_visible", None),
    ("pending", "no_answer", "pending", SETTLE, 2, "status_unavailable", None),
    ("pending", "withdrawn", "pending", SETTLE, 2, "cancel_refused", None),
    ("pending", "cancel_asked", "pending", SETTLE, 2, "cancel_refused", None),
    ("pending", "cancel_taken", "pending", SETTLE, 2, "cancel_taken", None),
    ("pending", "cancel_turned_down", "pending", SETTLE, 5, "cancel_refused", None),
    ("pending", "person_successful", "successful", SETTLE, 900, BY_HAND, "payment.successful"),
    ("pending", "person_failed", "failed", SETTLE, 900, BY_HAND, "payment.failed"),
    ("successful", "taken", "successful", None, None, "accepted_late", None),
    ("successful", "turned_down", "successful", None, None, "refused_late", None),
    ("successful", "never_left", "successful", None, None, "send_failed_late", None),
    ("successful", "doubt", "successful", None, None, "doubt_late", None),
    ("successful", "told_pending", "successful", None, None, "status_behind", None),
    ("successful", "told_created", "successful", None, None, "status_behind", None),
    ("successful", "told_strange", "successful", None, None, "status_behind", None),
    ("successful", "told_successful", "successful", None, None, "confirmed", None),
    ("successful", "told_failed", "failed", None, None, "corrected", "payment.corrected"),
    ("successful", "told_other_amount", "successful", None, None, "mismatch", None),
    ("successful", "not_known", "successful", None, None, "not_known_after_final", None),
    ("successful", "no_answer", "successful", None, None, "status_unavailable", None),
    ("successful", "withdrawn", "successful", None, None, "cancel_refused", None),
    ("successful", "cancel_asked", "successful", None, None, "cancel_refused", None),
    ("successful", "cancel_taken", "successful", SETTLE, 2, "cancel_taken", None),
    ("successful", "cancel_turned_down", "successful", None, None, "cancel_refused", None),
    ("successful", "person_successful", "successful", None, None, BY_HAND, None),
    ("successful", "person_failed", "failed", SETTLE, 900, BY_HAND, "payment.corrected"),
    ("failed", "taken", "failed", SETTLE, 5, "accepted_late", None),
    ("failed", "turned_down", "failed", None, None, "refused_late", None),
    ("failed", "never_left", "failed", None, None, "send_failed_late", None),
    ("failed", "doubt", "failed", SETTLE, 5, "doubt_late", None),
    ("failed", "told_pending", "failed", SETTLE, 5, "status_behind", None),
    ("failed", "told_created", "failed", SETTLE, 5, "status_behind", None),
    ("failed", "told_strange", "failed", SETTLE, 5, "status_behind", None),
    ("failed", "told_successful", "successful", None, None, "corrected", "payment.corrected"),
    ("failed", "told_failed", "failed", None, None, "confirmed", None),
    ("failed", "told_other_amount", "failed", SETTLE, DAY, "mismatch", None),
    ("failed", "not_known", "failed", None, None, "not_known_after_final", None),
    ("failed", "no_answer", "failed", None, None, "status_unavailable", None),
    ("failed", "withdrawn", "failed", None, None, "cancel_refused", None),
    ("failed", "cancel_asked", "failed", None, None, "cancel_refused", None),
    ("failed", "cancel_taken", "failed", SETTLE, 2, "cancel_taken", None),
    ("failed", "cancel_turned_down", "failed", None, None, "cancel_refused", None),
    ("failed", "person_successful", "successful", SETTLE, 900, BY_HAND, "payment.corrected"),
    ("failed", "person_failed", "failed", None, None, BY_HAND, None),
]  # fmt: skip


def test_the_table_is_whole() -> None:
    """Every state meets every fact once, and every state and kind of fact is there."""
    assert [row[:2] for row in TABLE] == [(state, fact) for state in STATES for fact in FACTS]
    assert {payment.state for payment in STATES.values()} == set(State)
    assert {type(fact) for fact in FACTS.values()} == set(Fact.__args__)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}")
def test_what_follows(
    row: tuple[str, str, str, Work | None, float | None, str, str | None],
) -> None:
    """A state and a fact give the state, the work, its time, the event and the webhook."""
    before, fact, state, work, wait, event, notify = row

    decision = decide(STATES[before], FACTS[fact], now=NOW)

    due_at = None if wait is None else NOW + wait
    found = (decision.state, decision.work, decision.due_at, decision.event, decision.notify)
    assert found == (state, work, due_at, event, notify)
    assert is_legal(STATES[before].state, decision.state)


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_decision_is_one_that_the_store_can_write(state: Payment, fact: Fact) -> None:
    """Changes are columns of a payment, never those that a decision has fields for."""
    decision = decide(state, fact, now=NOW)

    columns = {*Payment.__dataclass_fields__, "review"} - {"state", "work", "id"}
    assert set(decision.changes) <= columns
    assert (decision.work is None) == (decision.due_at is None)


def test_moves_only_go_forward() -> None:
    """No state leads back to one before it, and only a last word follows a last word."""
    order = [State.CREATED, State.UNKNOWN, State.PENDING]
    back = [
        (a, b) for a in State for b in MOVES[a] if b in order and a not in order[: order.index(b)]
    ]

    assert back == []
    assert set(MOVES) == set(State)
    assert is_legal(State.PENDING, State.UNKNOWN) is False
    assert all(is_legal(state, state) for state in State)


def test_a_known_transaction_number_is_not_lost() -> None:
    """A second answer without MTN's number does not erase the one that was had."""
    payment, _ = after(successful(), told("SUCCESSFUL"))

    assert payment.financial_transaction_id == "9001"


def test_a_send_that_never_left_waits_as_long_as_it_was_told_to() -> None:
    """Back-off grows with each send, and a longer wait that MTN asks for is kept."""
    fact = NeverLeft(why="429", retry_after_seconds=45)
    waits = [
        (decide(payment, fact, now=NOW).due_at or 0.0) - NOW
        for payment in (created(), created(attempts=6), unknown(), unknown(attempts=5))
    ]

    assert waits == [45, 60, 45, 300]


def test_what_was_not_sent_in_time_fails() -> None:
    """After the window a payment that certainly never left is over."""
    payment, decision = after(created(attempts=9), NeverLeft(why="no route"), now=NOW + 121)

    assert (payment.state, payment.reason_code) == (State.FAILED, "NOT_SENT_IN_TIME")
    assert decision.notify == "payment.failed"


def test_a_refusal_without_a_code_is_named_by_its_status() -> None:
    """A no with no readable code keeps the HTTP status as its reason."""
    payment, _ = after(created(), TurnedDown(code=None, status=403), NotKnown())

    assert payment.reason_code == "HTTP_403"


def _refused(payment: Payment) -> Decision:
    return decide(payment, Withdrawn(), now=NOW)


def test_what_has_left_or_is_leaving_cannot_be_taken_back() -> None:
    """A cancel that comes too late keeps the payment followed; one in mid-send leaves a doubt."""
    leaving, left = _refused(created(sending=True)), _refused(created(first_sent_at=NOW))

    assert (leaving.event, left.event) == ("cancel_refused", "cancel_refused")
    assert (leaving.work, leaving.due_at, left.work) == (SETTLE, NOW + 2, SETTLE)
    assert (leaving.changes, left.changes) == ({"doubtful": True}, {})


def test_what_never_left_can_still_be_taken_back() -> None:
    """Sends that certainly did not arrive do not stand against a cancel."""
    payment, _ = after(created(), NeverLeft(why="refused"), Withdrawn())

    assert (payment.state, payment.reason_code) == (State.FAILED, "CANCELLED")


@pytest.mark.parametrize("name", ["not_known", "no_answer", "withdrawn", "told_other_amount"])
def test_what_is_recorded_over_a_send_leaves_a_doubt(name: str) -> None:
    """A send in progress may lose its outcome to another record: it is never taken for not sent."""
    payment, _ = after(created(sending=True), FACTS[name])
    later, decision = after(payment, NeverLeft(why="refused"), now=NOW + 500)

    assert payment.doubtful is True
    assert (later.state, decision.work) == (State.CREATED, SETTLE)


def test_a_cancel_that_is_repeated_is_refused_again() -> None:
    """The first refusal of a cancel in mid-send does not open the way for a second one."""
    payment, decision = after(created(sending=True), Withdrawn(), Withdrawn())

    assert (payment.state, decision.event) == (State.CREATED, "cancel_refused")
