"""Commands that ask nobody: explain, msisdn, markets."""

from __future__ import annotations

import pytest

from momokit import MARKETS
from momokit.reasons import REASONS

from .runner import run


@pytest.mark.parametrize("code", sorted(REASONS))
def test_every_known_code_is_explained_in_two_languages(code: str) -> None:
    """What happened, whose move it is and what may be sent next, in English and French."""
    english, french = run("explain", code, "--json"), run("explain", code, "--json", "--lang", "fr")

    assert (english.code, french.code) == (0, 0)
    assert english.json["code"] == code
    assert english.json["what"] == REASONS[code].what.en
    assert french.json["what"] == REASONS[code].what.fr
    assert english.json["who"] == REASONS[code].who


def test_a_near_miss_is_guessed() -> None:
    """An unknown code exits with 3 and suggests the likeliest ones."""
    ran = run("explain", "NOT_ENUGH_FUNDS", "--json")

    assert ran.code == 3
    assert ran.json["known"] is False
    assert ran.json["did_you_mean"] == ["NOT_ENOUGH_FUNDS"]


def test_an_explanation_names_who_moves_next() -> None:
    """For a person, the explanation is sentences."""
    assert "whose move      the payer" in run("explain", "EXPIRED").out


def test_a_number_is_read_as_its_market_writes_it() -> None:
    """The user typed the number, so it is shown whole, as it goes on the wire."""
    ran = run("msisdn", "0772 123 456", "--market", "uganda", "--json")

    assert ran.json == {
        "msisdn": "256772123456",
        "national": "772123456",
        "market": "uganda",
        "country": "Uganda",
        "network_hint": "mtn",
        "masked": "256••••••456",
    }


def test_a_number_of_another_country_is_refused() -> None:
    """It is never moved to the market asked for."""
    ran = run("msisdn", "+233241234567", "--market", "uganda", "--json")

    assert ran.code == 2
    assert ran.error["field"] == "msisdn"
    assert "233241234567" not in ran.err


def test_all_markets_are_listed() -> None:
    """One object for each market, and one line of the table."""
    ran = run("markets", "--json")

    assert [row["market"] for row in ran.json] == [one.name for one in MARKETS]
    drawn = run("markets").out
    assert [one.name for one in MARKETS if one.name not in drawn] == []


def test_an_unknown_market_is_refused_with_the_names() -> None:
    """The setting is named, and what it could be."""
    ran = run("msisdn", "0772123456", "--market", "production", "--json")

    assert ran.code == 2
    assert "uganda" in ran.error["hint"]
