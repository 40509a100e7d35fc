"""`momo gateway limits`, `hold`, `stop-money`: the operator's hand on the guards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .test_gateway import ACCOUNT, Operator, environment, operator

__all__ = ["environment", "operator"]


@pytest.fixture
def uganda(operator: Operator) -> Operator:
    """Give a gateway with one account."""
    assert operator("accounts", "add", "uganda", **ACCOUNT | {"MOMO_MARKET": "uganda"}).code == 0
    return operator


def _told(operator: Operator, *words: str) -> Any:
    return json.loads(operator(*words, "--json").out)


def test_limits_are_set_one_by_one_and_shown_with_who_did_it(uganda: Operator) -> None:
    """Those not named stay; none takes one away; the history names persons and reasons."""
    uganda("limits", "set", "uganda", "--send-per-day", "2000000", "--because", "a", "--by", "Ada")
    uganda("limits", "set", "uganda", "--send-per-payment", "5000", "--because", "b", "--by", "Ben")
    ran = uganda("limits", "set", "uganda", "--send-per-day", "none", "--because", "c")
    told = _told(uganda, "limits", "show", "uganda", "--history")
    assert ran.code == 0
    assert told["limits"] == {"uganda": {"UGX": {"send_per_payment": "5000"}}}
    assert [(one["by"], one["because"]) for one in told["history"][1:]] == [
        ("Ben", "b"),
        ("Ada", "a"),
    ]
    assert "send_per_payment" in uganda("limits", "show").out


@pytest.mark.parametrize(
    "words",
    [
        ("uganda", "--because", "a"),
        ("uganda", "--send-per-day", "-1", "--because", "a"),
        ("uganda", "--send-per-day", "lots", "--because", "a"),
        ("nobody", "--send-per-day", "1", "--because", "a"),
        ("uganda", "--send-per-day", "1"),
    ],
)
def test_a_slip_sets_no_limit(uganda: Operator, words: tuple[str, ...]) -> None:
    """It is refused, and what was set stays."""
    uganda("limits", "set", "uganda", "--send-per-day", "7", "--because", "first")
    assert uganda("limits", "set", *words).code != 0
    assert _told(uganda, "limits", "show")["limits"] == {"uganda": {"UGX": {"send_per_day": "7"}}}


def test_all_money_is_stopped_by_one_command_and_let_go_by_another(uganda: Operator) -> None:
    """Doctor says so in between, and how to end it."""
    stopped = uganda("stop-money", "--because", "odd payouts", "--by", "Ada")
    doctor = uganda("doctor")
    resumed = uganda("resume-money", "--because", "seen to")
    assert (stopped.code, resumed.code) == (0, 0)
    assert "stopped since" in doctor.out
    assert "odd payouts" in doctor.out
    assert "neither stopped nor held" in uganda("doctor").out


def test_a_copy_that_is_put_in_place_of_the_books_holds_money(
    uganda: Operator, tmp_path: Path
) -> None:
    """The copy is marked, the books it was made from are not; a release needs the audit."""
    assert uganda("backup", str(tmp_path / "copy.db")).code == 0
    original = _told(uganda, "hold", "show")
    (tmp_path / "copy.db").replace(tmp_path / "gateway.db")
    restored = _told(uganda, "hold", "show")
    early = uganda("hold", "release", "--because", "in a hurry")
    doctor = uganda("doctor")
    forced = uganda(
        "hold", "release", "--because", "nothing was paid", "--unaudited", "--by", "Ada"
    )
    assert original == {"held": False}
    assert (restored["held"], restored["audited_at"], restored["by"]) == (True, None, "backup")
    assert (early.code, forced.code) == (2, 0)
    assert "held since a restore" in doctor.out
    assert _told(uganda, "hold", "show") == {"held": False}


def test_a_database_that_was_restored_otherwise_is_held_by_hand(uganda: Operator) -> None:
    """The time of the copy is told, so that the audit reaches back to it."""
    ran = uganda(
        "hold", "on", "--because", "dump of 02:00", "--since", "2026-03-01T02:00", "--by", "Ada"
    )
    wrong = uganda("hold", "on", "--because", "x", "--since", "yesterday")
    told = _told(uganda, "hold", "show")
    assert (ran.code, wrong.code) == (0, 2)
    assert (told["since"], told["by"]) == ("2026-03-01T02:00:00+00:00", "Ada")


def test_doctor_warns_of_an_account_that_nothing_limits(uganda: Operator) -> None:
    """Until a limit for the day is set."""
    before = uganda("doctor").out
    uganda("limits", "set", "uganda", "--send-per-day", "7", "--because", "first")
    after = uganda("doctor").out
    assert "Nothing limits" in before
    assert "Nothing limits" not in after
    assert "is free" in after


def test_lanes_are_listed_with_their_accounts_and_opened_by_hand(uganda: Operator) -> None:
    """None is shut here."""
    [account] = _told(uganda, "accounts", "list")
    ran = _told(uganda, "accounts", "reopen", "uganda", "--because", "they said so")
    assert account["shut_lanes"] == []
    assert ran == {"opened": 0}
