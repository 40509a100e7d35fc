"""What the pages say in two languages, and how they write and read values."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import momokit.emulator
from momokit.emulator.markets import MARKETS
from momokit.emulator.page_show import money, party, read_number, time_left
from momokit.emulator.page_words import WORDS, Words, choose_language

TEMPLATES = Path(momokit.emulator.__file__).parent / "templates"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("fr-CM,fr;q=0.9,en;q=0.8", "fr"),
        ("en;q=0.5, fr;q=0.7", "fr"),
        ("de, sw", "en"),
        ("fr;q=0", "en"),
        ("", "en"),
        (";;q=,,\x00;q=nan;fr", "en"),
    ],
)
def test_the_language_follows_the_browser(accepted: str, language: str) -> None:
    """Of what the browser accepts, the best that there is."""
    assert choose_language(asked="", kept="", accepted=accepted) == language


def test_both_languages_say_the_same_things() -> None:
    """Each text exists in both and has the same gaps to fill in."""
    gaps = {
        key: [{gap for _, gap, _, _ in string.Formatter().parse(text) if gap} for text in texts]
        for key, texts in WORDS.items()
    }

    assert [key for key, texts in WORDS.items() if not all(texts)] == []
    assert [key for key, (english, french) in gaps.items() if english != french] == []


def test_every_text_that_a_template_uses_exists() -> None:
    """No page fails for want of a word."""
    used = {
        key
        for template in TEMPLATES.glob("*.html")
        for key in re.findall(r'\bt\("([^"]+)"[,)]', template.read_text(encoding="utf-8"))
    }

    assert used - WORDS.keys() == set()


def test_french_counts_nothing_as_one() -> None:
    """Zero is singular in French and plural in English."""
    counted = [Words(language).count("movements", 0) for language in ("en", "fr")]

    assert counted == ["money moved 0 times", "un mouvement d’argent"]


@pytest.mark.parametrize(
    ("entry", "market", "number"),
    [
        ("0772 123 456", "mtnuganda", "256772123456"),
        ("+256 772 123456", "mtnuganda", "256772123456"),
        ("00256772123456", "mtnuganda", "256772123456"),
        ("07 07 12 34 56", "mtnivorycoast", "2250707123456"),
        ("01 97 12 34 56", "mtnbenin", "2290197123456"),
        ("46733123450", "sandbox", "46733123450"),
        ("jo@example.test", "mtnuganda", "jo@example.test"),
        ("()", "mtnuganda", ""),
        ("1" * 300, "mtnuganda", "1" * 300),
    ],
)
def test_numbers_are_read_as_the_merchant_sends_them(entry: str, market: str, number: str) -> None:
    """National writing becomes the market's international digits; zeros that belong stay."""
    assert read_number(entry, market=MARKETS[market]) == number


def test_values_are_written_for_reading() -> None:
    """Amounts, numbers and times look as people write them."""
    written = [
        money("1234567.5", "EUR", language="en"),
        money("1234567.5", "EUR", language="fr"),
        money("-50", "UGX", language="en", signed=True),
        money("x", "UGX", language="en"),
        party("MSISDN", "256772123456"),
        party("MSISDN", "5"),
        party("EMAIL", "a@b"),
        time_left(245.9),
        time_left(-3),
        time_left(90_061),
    ]

    assert written == [
        "EUR 1,234,567.5",
        "1\u202f234\u202f567,5\u202fEUR",
        "UGX −50",
        "x UGX",
        "+256 772 123456",
        "5",
        "a@b",
        "4:05",
        "0:00",
        "25:01:01",
    ]
