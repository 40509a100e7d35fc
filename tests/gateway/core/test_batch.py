"""Batches, in the abstract: who may do what, what may leave, and what is enough money for it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from momokit.errors import InvalidInput
from momokit.gateway.core.batch import (
    APPROVED_STATES,
    EDITABLE,
    FUNDS_REASONS,
    MOVES,
    Action,
    BatchPolicy,
    BatchState,
    FloatVerdict,
    affordable,
    approvals_needed,
    exceeded,
    float_verdict,
    is_legal,
    is_out_of_funds,
    missing_overrides,
    person_of,
    refusal,
    release_quota,
    seconds_left,
)
from momokit.gateway.core.batch_release import NotHeld, hold_back, overtaken, release
from momokit.gateway.core.facts import Decision
from momokit.gateway.core.payment import Work
from tests.gateway.core.make import created

STATES = st.sampled_from(list(BatchState))
PEOPLE = st.sampled_from(["amina", "brian", "chantal"])
AMOUNTS = st.lists(st.integers(1, 1000), max_size=30)


@given(state=STATES, action=st.sampled_from(list(Action)), maker=PEOPLE, person=PEOPLE)
def test_whoever_made_it_never_signs_it(
    state: BatchState, action: Action, maker: str, person: str
) -> None:
    """Approving, rejecting and overriding is for others; editing and submitting for the maker."""
    allowed = refusal(action, state=state, maker=maker, person=person) is None
    if action in (Action.APPROVE, Action.REJECT, Action.OVERRIDE):
        assert not (allowed and person == maker)
    if action in (Action.EDIT, Action.SUBMIT, Action.WITHDRAW):
        assert not (allowed and person != maker)
    if action is Action.EDIT:
        assert not (allowed and state not in EDITABLE)


def test_nothing_runs_but_by_way_of_an_approval() -> None:
    """From every state before the approval, the only way on is through `submitted`."""
    ways = {before for before in BatchState if is_legal(before, BatchState.APPROVED)}
    early = set(BatchState) - APPROVED_STATES
    leaks = {
        (before, after) for before in early for after in MOVES[before] if after in APPROVED_STATES
    }
    assert ways == {BatchState.SUBMITTED}
    assert leaks == {(BatchState.SUBMITTED, BatchState.APPROVED)}


@pytest.mark.parametrize("state", [BatchState.FINISHED, BatchState.CANCELLED, BatchState.REJECTED])
def test_what_is_over_stays_over(state: BatchState) -> None:
    """An end has no way on."""
    assert MOVES[state] == frozenset()


@given(st.text(max_size=30))
def test_a_person_is_one_however_it_is_written(name: str) -> None:
    """Case and spaces do not make a second person."""
    assert person_of(f"  {name.upper()}  ") == person_of(person_of(name.upper()))
    assert person_of(name) == person_of(person_of(name))


@given(
    rate=st.floats(0.01, 200), idle=st.floats(-10, 1e6), flight=st.integers(0, 2000),
    cap=st.integers(1, 1000),
)  # fmt: skip
def test_the_cap_and_the_rate_hold(rate: float, idle: float, flight: int, cap: int) -> None:
    """Never more under way than the cap, and never a burst of more than two seconds."""
    quota = release_quota(
        rows_per_second=rate, idle_seconds=idle, in_flight=flight, in_flight_cap=cap
    )
    assert quota >= 0
    assert quota == 0 or flight + quota <= cap
    assert quota <= max(1.0, 2 * rate)
    assert quota <= max(0.0, idle) * rate + 1e-6


@given(amounts=AMOUNTS, spendable=st.none() | st.integers(-500, 5000))
def test_what_is_let_go_is_covered(amounts: list[int], spendable: int | None) -> None:
    """The rows that may go come to no more than there is, and the next one would be too much."""
    count = affordable(amounts, spendable_minor=spendable)
    if spendable is None:
        assert count == len(amounts)
        return
    assert sum(amounts[:count]) <= max(0, spendable)
    assert count == len(amounts) or sum(amounts[: count + 1]) > spendable


@given(
    amount=st.integers(1, 1000), spendable=st.none() | st.integers(-500, 2000), asked=st.booleans(),
    flight=st.integers(0, 10),
)  # fmt: skip
def test_float_is_called_low_only_on_fresh_word_with_nothing_under_way(
    amount: int, spendable: int | None, asked: bool, flight: int
) -> None:
    """A batch pauses for money only when MTN has just said so and nothing could still come back."""
    verdict = float_verdict(
        next_minor=amount, spendable_minor=spendable, asked_just_now=asked, in_flight=flight
    )
    if verdict is FloatVerdict.LOW:
        assert (asked, flight) == (True, 0)
        assert spendable is not None
        assert spendable < amount
    if verdict is FloatVerdict.GO:
        assert spendable is None or amount <= spendable
    assert not (asked and verdict is FloatVerdict.ASK)


@given(st.lists(st.sampled_from([None, "NOT_ENOUGH_FUNDS", "PAYEE_NOT_FOUND"]), max_size=6))
def test_three_in_a_row_are_out_of_funds(reasons: list[str | None]) -> None:
    """Three newest refusals for money, and nothing less."""
    expected = len(reasons) >= 3 and all(one in FUNDS_REASONS for one in reasons[:3])
    assert is_out_of_funds(reasons) == expected


def test_large_sums_take_two_checkers() -> None:
    """Above the threshold two, at it and below it one, and one where there is none."""
    policy = BatchPolicy(second_approver_above=Decimal(1000))
    needed = [approvals_needed(Decimal(total), policy) for total in (999, 1000, 1001)]
    assert needed == [1, 1, 2]
    assert approvals_needed(Decimal(10**9), BatchPolicy()) == 1


@given(
    total=st.integers(1, 100), payee=st.integers(1, 100), today=st.integers(0, 100),
    limit=st.integers(1, 200),
)  # fmt: skip
def test_a_limit_is_met_and_not_passed(total: int, payee: int, today: int, limit: int) -> None:
    """Exactly the limit is allowed; the first one that is passed is named."""
    most = Decimal(limit)
    policy = BatchPolicy(max_per_payee=most, max_per_batch=most, max_per_day=most)
    found = exceeded(
        policy, total=Decimal(total), largest_payee=Decimal(payee), approved_today=Decimal(today)
    )
    over = payee > limit or total > limit or today + total > limit
    assert (found is not None) == over
    assert exceeded(BatchPolicy(), total=most, largest_payee=most) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows_per_second": 0.0},
        {"in_flight_cap": 0},
        {"in_flight_cap": 1001},
        {"max_rows": 100_001},
        {"checks_per_second": 11.0},
        {"max_per_day": Decimal(0)},
    ],
)
def test_a_policy_has_its_bounds(wrong: dict[str, object]) -> None:
    """What could not be kept is refused by its name."""
    with pytest.raises(InvalidInput) as refused:
        BatchPolicy(**wrong)  # type: ignore[arg-type]
    assert refused.value.field == next(iter(wrong))


def test_what_is_missing_is_named_in_order() -> None:
    """The findings that nobody has taken upon themselves."""
    assert missing_overrides(["b", "a", "c"], given={"b", "x"}) == ["a", "c"]


def test_time_left_is_an_estimate_or_none() -> None:
    """A batch that does not move has no end to be told."""
    assert seconds_left(rows_left=10, rows_per_second=4.0) == 2.5
    assert seconds_left(rows_left=10, rows_per_second=0.0) is None


class Held(RuleBasedStateMachine):
    """A payment of a batch: let go, held back, taken up, sent; it never leaves while it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.payment = created(kind="transfer", work=None)
        self.now = 1000.0

    def follow(self, decision: Decision) -> None:
        """Write what was decided, as the store does."""
        changes = {n: v for n, v in decision.changes.items() if hasattr(self.payment, n)}
        self.payment = replace(self.payment, state=decision.state, work=decision.work, **changes)

    @rule()
    def let_go(self) -> None:
        """The batch releases it, when it may."""
        try:
            self.follow(release(self.payment, self.now))
        except NotHeld:
            return
        assert self.payment.work is Work.SUBMIT
        assert self.payment.released_at == self.now

    @rule()
    def take_back(self) -> None:
        """The batch holds it back, when it may."""
        sent = self.payment.sending or self.payment.first_sent_at is not None
        try:
            decision = hold_back(self.payment, self.now)
        except NotHeld:
            return
        assert not sent
        assert decision.held
        self.follow(decision)

    @precondition(lambda self: self.payment.work is Work.SUBMIT)
    @rule()
    def claim(self) -> None:
        """A worker takes it up: from here on it may have left."""
        self.payment = replace(self.payment, sending=True)

    @rule()
    def overtake(self) -> None:
        """Its earlier attempt was paid."""
        left = self.payment.sending
        try:
            self.follow(overtaken(self.payment, self.now))
        except NotHeld:
            return
        assert not left

    @invariant()
    def what_has_left_is_never_held(self) -> None:
        """Once a worker has it, no decision of the batch's takes its work away."""
        assert not (self.payment.sending and self.payment.work is None)


TestHeld = Held.TestCase
