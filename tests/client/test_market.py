"""The market table: every environment MTN lists, found by any of its names."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path

import phonenumbers
import pytest

from momokit.errors import InvalidInput
from momokit.market import MARKETS, PRODUCTION_URL, SANDBOX_URL, Market, market, market_of_digits
from momokit.money import CURRENCIES

COUNTRIES = [one for one in MARKETS if not one.is_sandbox]
PUBLISHED = (
    Path(__file__).parents[2].parent / "shared/reference/momo-openapi/samples/environments.json"
)


def published_environments() -> list[dict[str, object]]:
    """MTN's list, where its documents lie beside this repository."""
    if not PUBLISHED.exists():
        pytest.skip("MTN's environment list is not on this machine")
    found: list[dict[str, object]] = json.loads(PUBLISHED.read_text())["environments"]
    return found


def test_every_published_environment_is_in_the_table_with_its_facts() -> None:
    """The table agrees with MTN's published list, environment by environment."""
    for published in published_environments():
        one = market(str(published["target_environment"]))
        assert (one.iso2, one.currency, one.exponent, one.calling_code, one.national_digits) == (
            published["iso2"],
            published["currency"],
            published["iso4217_minor_units"],
            published["calling_code"],
            published["national_significant_digits"],
        )


def test_the_published_prefix_hints_are_kept() -> None:
    """No prefix that MTN's list gives is missing from the hints, ranges included."""
    for published in published_environments():
        hints = set(market(str(published["target_environment"])).mtn_prefix_hints)
        given = published["mtn_prefix_hints"]
        assert isinstance(given, list)
        for prefix in given:
            first, _, last = prefix.partition("-")
            if re.fullmatch(r"\d+(-\d+)?", prefix):
                wanted = {str(n) for n in range(int(first), int(last or first) + 1)}
                assert {w.zfill(len(first)) for w in wanted} - hints == set()


def test_only_the_unpublished_market_is_unconfirmed() -> None:
    """Guinea-Bissau is there, marked as unconfirmed and with the reason in its note."""
    assert [one.name for one in MARKETS if not one.confirmed] == ["guinea-bissau"]
    assert "published list" in market("guinea-bissau").note


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("uganda", "uganda"),
        (" Uganda ", "uganda"),
        ("UG", "uganda"),
        ("mtnuganda", "uganda"),
        ("MTNUganda", "uganda"),
        ("côte d'ivoire", "ivory-coast"),
        ("Cote d’Ivoire", "ivory-coast"),
        ("Ivory Coast", "ivory-coast"),
        ("ci", "ivory-coast"),
        ("mtnivorycoast", "ivory-coast"),
        ("swaziland", "eswatini"),
        ("Eswatini", "eswatini"),
        ("congo", "congo"),
        ("Congo-Brazzaville", "congo"),
        ("guinea", "guinea"),
        ("Guinée Conakry", "guinea"),
        ("guinea bissau", "guinea-bissau"),
        ("Bénin", "benin"),
        ("Cameroun", "cameroon"),
        ("SOUTH AFRICA", "south-africa"),
        ("south_sudan", "south-sudan"),
        ("Sandbox", "sandbox"),
    ],
)
def test_a_market_is_found_by_any_usual_name(spelling: str, name: str) -> None:
    """Names, ISO codes, MTN's spellings and aliases work in any case, with or without accents."""
    assert market(spelling).name == name


def test_every_name_environment_and_iso_code_finds_its_own_market() -> None:
    """No two markets claim the same word."""
    for one in MARKETS:
        for word in filter(None, (one.name, one.target_environment, one.country, one.iso2)):
            assert market(word) is one


def test_a_market_is_its_own_name() -> None:
    """Passing a Market where a name is expected gives it back."""
    assert Market.get(market("ghana")) is market("ghana")


def test_an_unknown_market_lists_the_names_and_suggests_one() -> None:
    """A typing error is answered with the likeliest market and all the others."""
    with pytest.raises(InvalidInput) as caught:
        market("ugnada")
    assert caught.value.field == "market"
    assert "Did you mean 'uganda'?" in str(caught.value)
    assert all(one.name in str(caught.value) for one in MARKETS)


@pytest.mark.parametrize("name", ["production", "PROD", "live"])
def test_production_is_explained_to_be_no_environment(name: str) -> None:
    """The tutorials' "production" is answered with what to write in its place."""
    with pytest.raises(InvalidInput, match="Name the country, for example market='uganda'"):
        market(name)


@pytest.mark.parametrize("name", ["", "'", "x" * 10_000, "momo", 256, None, b"uganda"])
def test_nonsense_is_refused_as_input(name: object) -> None:
    """Whatever is passed, the answer is InvalidInput for the field `market`, of bounded length."""
    with pytest.raises(InvalidInput) as caught:
        market(name)  # type: ignore[arg-type]
    assert caught.value.field == "market"
    assert len(str(caught.value)) < 600


def test_hosts_and_currencies_belong_together() -> None:
    """Only the sandbox uses the sandbox host and euros; all others use the production host."""
    assert {one.name for one in MARKETS if one.base_url == SANDBOX_URL} == {"sandbox"}
    assert {one.base_url for one in COUNTRIES} == {PRODUCTION_URL}
    assert {one.name for one in MARKETS if "EUR" in one.currencies} == {"sandbox"}
    assert market("liberia").currencies == ("LRD", "USD")


def test_exponents_agree_with_the_currency_table() -> None:
    """A market's decimals are its currency's decimals, for every currency it takes."""
    for one in MARKETS:
        assert {CURRENCIES[code].exponent for code in one.currencies} == {one.exponent}


def test_calling_codes_agree_with_the_world() -> None:
    """The calling codes are those of the numbering authority's data for the ISO code."""
    for one in COUNTRIES:
        assert phonenumbers.country_code_for_region(one.iso2) == int(one.calling_code)


def test_french_markets_speak_french_first() -> None:
    """Screens and texts start in the language people expect."""
    french = {one.name for one in MARKETS if one.languages[0] == "fr"}
    assert french == {"ivory-coast", "cameroon", "benin", "congo", "guinea"}


def test_digits_find_their_country_by_code_and_length() -> None:
    """A number's country is told from its calling code and its length, not from the code alone."""
    assert market_of_digits("233244123456") is market("ghana")
    assert market_of_digits("23324412345") is None
    assert market_of_digits("254712345678") is None


def test_a_market_survives_pickling_and_cannot_be_changed() -> None:
    """A market crosses processes as an equal value and is frozen."""
    one = market("zambia")
    assert pickle.loads(pickle.dumps(one)) == one
    with pytest.raises(AttributeError):
        one.currency = "EUR"  # type: ignore[misc]
