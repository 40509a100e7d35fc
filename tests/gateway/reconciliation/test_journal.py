"""Journal lines: balanced by construction, whatever moved."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.errors import InvalidInput
from momokit.gateway.core.journal import LedgerCodes, Movement, entry_of, read_codes

CODES = LedgerCodes()
sums = st.decimals(min_value=1, max_value=10**9, places=2, allow_nan=False)
moves = st.builds(
    Movement,
    day=st.just("2026-10-05"),
    role=st.sampled_from(["payment", "fee", "reversal", "own_funds"]),
    relation=st.sampled_from([None, "match", "duplicate", "reversal", "aside"]),
    direction=st.sampled_from(["in", "out"]),
    amount=sums,
    fee=st.one_of(st.just(Decimal(0)), sums),
    currency=st.just("UGX"),
    reference=st.just("pay_1"),
    kind=st.sampled_from([None, "request_to_pay", "transfer", "refund"]),
    fee_in_amount=st.booleans(),
)


@given(moves)
def test_every_entry_balances(move: Movement) -> None:
    """Debits are credits in each entry, no side is negative, and none has both."""
    lines = entry_of(move, CODES)
    assert sum(one.debit for one in lines) == sum(one.credit for one in lines)
    assert all(min(one.debit, one.credit) == 0 <= max(one.debit, one.credit) for one in lines)


@given(moves)
def test_the_float_moves_by_what_the_line_does_to_the_balance(move: Movement) -> None:
    """The account of the money at MTN has exactly the statement's change."""
    moved = sum(one.debit - one.credit for one in entry_of(move, CODES) if one.account == "1110")
    sign = 1 if move.direction == "in" else -1
    assert moved == sign * move.amount - (0 if move.fee_in_amount else move.fee)


@pytest.mark.parametrize(
    ("changes", "account"),
    [
        ({}, CODES.collections),
        ({"direction": "out", "kind": "transfer"}, CODES.payouts),
        ({"direction": "out", "kind": "refund"}, CODES.refunds),
        ({"relation": None, "kind": None}, CODES.suspense),
        ({"relation": "duplicate"}, CODES.suspense),
        ({"role": "fee", "direction": "out", "relation": "fee"}, CODES.fees),
        ({"role": "own_funds", "relation": "aside", "kind": None}, CODES.own_funds),
        ({"role": "reversal", "relation": "reversal", "direction": "out"}, CODES.collections),
    ],
)
def test_each_movement_goes_to_its_account(changes: dict[str, Any], account: str) -> None:
    """What nobody has explained goes to suspense; all else where it belongs."""
    plain: dict[str, Any] = {
        "day": "2026-10-05", "role": "payment", "relation": "match", "direction": "in",
        "amount": Decimal(100), "fee": Decimal(0), "currency": "UGX", "reference": "pay_1",
        "kind": "request_to_pay",
    }  # fmt: skip
    lines = entry_of(Movement(**plain | changes), CODES)
    assert Counter(one.account for one in lines) == Counter([CODES.float, account])


@pytest.mark.parametrize("document", [{"float": ""}, {"bank": "1"}, {"fees": 6}, {"fees": " 6"}])
def test_codes_that_are_none_are_refused(document: Any) -> None:
    """A code that is empty, or for an account that there is not, is refused by name."""
    with pytest.raises(InvalidInput):
        read_codes(document)
