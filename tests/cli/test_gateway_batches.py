"""`momo gateway batches`: what an account allows its batches, set by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .test_gateway import ACCOUNT, Operator, environment, operator

__all__ = ["environment", "operator"]


@pytest.fixture
def uganda(operator: Operator) -> Operator:
    """Give a gateway with one account."""
    assert operator("accounts", "add", "uganda", **ACCOUNT | {"MOMO_MARKET": "uganda"}).code == 0
    return operator


def policy(operator: Operator) -> Any:
    """Read what the account allows."""
    return json.loads(operator("batches", "show", "uganda", "--json").out)["policy"]


def test_a_policy_is_set_one_by_one(uganda: Operator) -> None:
    """What is not named stays; none takes a limit away."""
    before = policy(uganda)
    ran = uganda(
        "batches", "set", "uganda", "--second-approver-above", "5000000",
        "--max-per-day", "9000000",
        "--because", "board",
    )  # fmt: skip
    uganda("batches", "set", "uganda", "--max-per-day", "none", "--because", "payroll")
    uganda("batches", "set", "uganda", "--no-check-holders", "--because", "payroll")
    after = policy(uganda)
    changed = {name for name in after if after[name] != before[name]}
    assert ran.code == 0
    assert (after["second_approver_above"], after["max_per_day"]) == ("5000000", "none")
    assert changed == {"second_approver_above", "check_holders"}


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--max-per-day", "lots"),
        ("--max-per-day", "-1"),
        ("--in-flight-cap", "100000"),
        ("--rows-per-second", "0"),
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused(uganda: Operator, words: tuple[str, ...]) -> None:
    """Nothing named, no amount, or out of bounds: nothing changes."""
    before = policy(uganda)
    ran = uganda("batches", "set", "uganda", *words, "--because", "test")
    assert ran.code != 0
    assert policy(uganda) == before


def test_the_record_of_no_batch_is_whole(uganda: Operator) -> None:
    """With nothing tampered with, verifying finds nothing."""
    ran = uganda("batches", "verify", "--json")
    assert (ran.code, json.loads(ran.out)) == (0, {"batches": 0, "broken": {}})
