"""The matcher: the same result in any order, one line to one payment, never across accounts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.gateway.core.disagreement import compare
from momokit.gateway.core.discrepancy import Kind
from momokit.gateway.core.payment import State
from momokit.gateway.core.reconciliation import (
    NEAREST_FITS,
    ONLY_ONE_FITS,
    Ours,
    Outcome,
    Rule,
    Theirs,
    is_evidence,
    pair_weakly,
    rank,
    reconcile,
)
from momokit.gateway.core.statement_profile import GUESSES, FeeRule, Profile

UGANDA = GUESSES["uganda"]
HOUR = 3600.0


def ours(name: str, **changes: Any) -> Ours:
    """Make a payment of ours."""
    given: dict[str, Any] = {
        "id": f"pay_{name}", "account_id": "acc_1", "product": "collection",
        "kind": "request_to_pay", "state": State.SUCCESSFUL, "amount": Decimal(500),
        "currency": "UGX", "external_id": f"pay_{name}", "reference_id": f"ref_{name}",
        "created_at": 1000.0, "final_at": 1030.0, "financial_transaction_id": f"fin_{name}",
        "party_hash": f"party {name}",
    }  # fmt: skip
    return Ours(**given | changes)


def theirs(identity: str, **changes: Any) -> Theirs:
    """Make a line of MTN's."""
    given: dict[str, Any] = {
        "identity": identity, "account_id": "acc_1", "product": "", "role": "payment",
        "status": "moved", "at": 1020.0, "until": 1021.0, "direction": "in",
        "amount": Decimal(500), "currency": "UGX",
    }  # fmt: skip
    return Theirs(**given | changes)


few = st.sampled_from(["a", "b", "c"])
amounts = st.sampled_from([Decimal(500), Decimal(700)])


@st.composite
def payments(draw: st.DrawFn) -> list[Ours]:
    """Draw a few payments, of two accounts, that are much alike."""
    names = draw(st.lists(st.sampled_from("pqrstu"), unique=True, max_size=6))
    return [
        ours(
            name,
            account_id=draw(st.sampled_from(["acc_1", "acc_2"])),
            amount=draw(amounts),
            state=draw(st.sampled_from([State.SUCCESSFUL, State.FAILED, State.PENDING])),
            financial_transaction_id=draw(st.sampled_from([None, "fin_1", "fin_2"])),
            party_hash=draw(st.sampled_from([None, "one", "two"])),
            created_at=draw(st.sampled_from([1000.0, 2000.0])),
        )
        for name in names
    ]


@st.composite
def lines(draw: st.DrawFn) -> list[Theirs]:
    """Draw a few lines, of two accounts, that name payments or resemble them."""
    names = draw(st.lists(st.sampled_from("klmnop"), unique=True, max_size=6))
    return [
        theirs(
            name,
            account_id=draw(st.sampled_from(["acc_1", "acc_2"])),
            amount=draw(amounts),
            direction=draw(st.sampled_from(["in", "in", "out"])),
            role=draw(st.sampled_from(["payment", "payment", "fee", "reversal"])),
            status=draw(st.sampled_from(["moved", "moved", "failed", "reversed", "open"])),
            financial_transaction_id=draw(st.sampled_from([None, "fin_1", "fin_2", "fin_9"])),
            external_id=draw(st.sampled_from([None, "pay_p", "pay_q", "ref_p", "other"])),
            party_hash=draw(st.sampled_from([None, "one", "two"])),
            at=draw(st.sampled_from([990.0, 1500.0, 2010.0])),
        )
        for name in names
    ]


def told(outcome: Outcome) -> tuple[set[tuple[Any, ...]], set[str]]:
    """Give what came out, whatever the order."""
    pairs = {
        (one.line.identity, one.payment.id, one.rule, one.confidence, one.relation)
        for one in outcome.pairs
    }
    return pairs, {line.identity for line in outcome.unmatched}


@given(payments(), lines(), st.randoms(use_true_random=False))
def test_the_order_of_lines_and_payments_does_not_matter(
    paid: list[Ours], rows: list[Theirs], chance: Any
) -> None:
    """Shuffled, the same lines and payments give the same pairs."""
    first = told(reconcile(rows, paid, window_seconds=HOUR))
    chance.shuffle(paid)
    chance.shuffle(rows)
    assert told(reconcile(rows, paid, window_seconds=HOUR)) == first


@given(payments(), lines())
def test_one_line_to_one_payment_and_never_across_accounts(
    paid: list[Ours], rows: list[Theirs]
) -> None:
    """No payment has two matches, no line two payments, and no line one of another account."""
    outcome = reconcile(rows, paid, window_seconds=HOUR)
    matched = [one for one in outcome.pairs if one.relation == "match"]
    assert len({one.payment.id for one in matched}) == len(matched)
    assert len({one.line.identity for one in outcome.pairs}) == len(outcome.pairs)
    assert len(outcome.pairs) + len(outcome.unmatched) == len(rows)
    assert all(one.line.account_id == one.payment.account_id for one in outcome.pairs)


@given(payments(), lines())
def test_the_last_resort_takes_only_what_fits(paid: list[Ours], rows: list[Theirs]) -> None:
    """Without a number in common, amount, currency, party and direction are the same, and no number
    says otherwise; a failed payment is never taken."""
    for one in reconcile(rows, paid, window_seconds=HOUR).pairs:
        if one.rule is not Rule.AMOUNT_PARTY_TIME:
            continue
        line, payment = one.line, one.payment
        assert (line.amount, line.currency, line.party_hash, line.direction) == (
            payment.amount, payment.currency, payment.party_hash, payment.direction,
        )  # fmt: skip
        assert payment.state is not State.FAILED
        assert line.moved
        numbers = (line.financial_transaction_id, payment.financial_transaction_id)
        assert None in numbers or numbers[0] == numbers[1]


@given(payments(), lines())
def test_the_best_line_is_the_match(paid: list[Ours], rows: list[Theirs]) -> None:
    """Of all lines that speak of a payment none ranks before its match."""
    outcome = reconcile(rows, paid, window_seconds=HOUR)
    for one in outcome.pairs:
        rivals = [
            other
            for other in outcome.pairs
            if other.payment.id == one.payment.id and other.relation in ("duplicate", "told")
        ]
        if one.relation == "match":
            assert all(rank(one) < rank(other) for other in rivals)


def test_a_number_of_mtns_goes_before_one_of_ours() -> None:
    """A line that names two payments by two numbers speaks of the one that MTN's number names."""
    paid = [ours("p"), ours("q")]
    line = theirs("k", financial_transaction_id="fin_p", external_id="pay_q")
    (pair,) = reconcile([line], paid, window_seconds=HOUR).pairs
    assert (pair.payment.id, pair.rule, pair.confidence) == ("pay_p", Rule.FINANCIAL_ID, 100)


def test_a_twin_within_the_window_is_only_the_nearest() -> None:
    """Two that fit lower the confidence, and each line still gets one payment."""
    paid = [
        ours("p", party_hash="x"),
        ours("q", party_hash="x", created_at=1100.0, final_at=1130.0),
    ]
    alone = pair_weakly([theirs("k", party_hash="x")], paid[:1], window_seconds=HOUR)
    both = pair_weakly(
        [theirs("k", party_hash="x"), theirs("l", party_hash="x", at=1120.0, until=1121.0)],
        paid, window_seconds=HOUR,
    )  # fmt: skip
    assert [one.confidence for one in alone] == [ONLY_ONE_FITS]
    assert {(one.line.identity, one.payment.id, one.confidence) for one in both} == {
        ("k", "pay_p", NEAREST_FITS),
        ("l", "pay_q", NEAREST_FITS),
    }


@pytest.mark.parametrize("status", ["moved", "failed", "open", "reversed"])
@pytest.mark.parametrize("state", list(State))
def test_a_line_is_evidence_where_it_says_something_else(status: Any, state: State) -> None:
    """MTN is asked again exactly where the file says another end than our books, or a reversal."""
    line = theirs("k", status=status, financial_transaction_id="fin_p")
    (pair,) = reconcile([line], [ours("p", state=state)], window_seconds=HOUR).pairs
    is_success = state is State.SUCCESSFUL
    expected = status == "reversed" or is_success != (status == "moved")
    assert is_evidence(pair) == expected


@dataclass(frozen=True)
class Odd:
    """How a line differs from its payment, and what is to be found."""

    line: dict[str, Any]
    expected: set[Kind]
    profile: Profile = UGANDA
    payment: dict[str, Any] | None = None


FEES = msgspec.structs.replace(UGANDA, fees={"in": FeeRule(percent="1", minimum="3")})
DAY = 86_400.0


@pytest.mark.parametrize(
    "odd",
    [
        Odd({}, set()),
        Odd({"amount": Decimal(501)}, {Kind.AMOUNT}),
        Odd({"amount": Decimal(495), "fee": Decimal(5)}, {Kind.FEE}),
        Odd({"currency": "USD"}, {Kind.CURRENCY}),
        Odd({"party_hash": "somebody"}, {Kind.PARTY}),
        Odd({"party_hash": None}, set()),
        Odd({"status": "failed"}, {Kind.STATUS}),
        Odd({"status": "reversed"}, {Kind.REVERSED_LATER}),
        Odd({"role": "reversal"}, {Kind.REVERSED_LATER}),
        Odd({"direction": "out"}, {Kind.REVERSED_LATER}),
        Odd({"fee": Decimal(5)}, set(), FEES),
        Odd({"fee": Decimal(6)}, {Kind.FEE}, FEES),
        Odd({"at": 1000.0 + DAY, "until": 1001.0 + DAY}, {Kind.DATE_SHIFT}),
        Odd({"at": 1000.0 + HOUR, "until": 1001.0 + HOUR}, set()),
        Odd({"status": "failed"}, set(), payment={"state": State.FAILED}),
        Odd({}, {Kind.STATUS}, payment={"state": State.PENDING, "final_at": None}),
    ],
)
def test_what_differs_is_named(odd: Odd) -> None:
    """Each difference is found as its class and as no other."""
    line = theirs("k", financial_transaction_id="fin_p", party_hash="party p")
    payment = ours("p", **odd.payment or {})
    (pair,) = reconcile(
        [msgspec.structs.replace(line, **odd.line)], [payment], window_seconds=HOUR
    ).pairs
    assert {one.kind for one in compare(pair, odd.profile)} == odd.expected
