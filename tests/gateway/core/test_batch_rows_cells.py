"""Cells of a file of payments: what is read, what is put back, and what is never guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.gateway.core.batch_amounts import read_amount_cell, writing_of
from momokit.gateway.core.batch_file import (
    Column,
    find_clash,
    is_of_results,
    language_of,
    letter,
    recognise_header,
)
from momokit.gateway.core.batch_findings import Severity
from momokit.gateway.core.batch_phones import example_number, read_phone_cell
from momokit.gateway.core.batch_words import WORDS
from momokit.gateway.core.cells import Cell, CellKind
from momokit.market import MARKETS, market
from momokit.money import CURRENCIES

NUMBER, TEXT = CellKind.NUMBER, CellKind.TEXT


def columns_of(*titles: str) -> tuple[Column, ...]:
    """The columns of a header that must be one."""
    columns = recognise_header(titles)
    assert columns is not None
    return columns


def roles(*titles: str) -> list[str]:
    """What each title is taken for."""
    return [str(column.role) for column in columns_of(*titles)]


# Headers


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        ("Phone|Amount", "phone amount"),
        ("MSISDN|AMT|Narration", "phone amount note"),
        ("Numéro de téléphone|Nom et prénoms|Montant (FCFA)|Motif", "phone name amount note"),
        ("N° Téléphone|Montant net à payer|Matricule", "phone amount reference"),
        ("No|Employee Name|MoMo No.|Net Pay (UGX)|NIN", "other name phone amount national_id"),
        ("NUMÉRO|BÉNÉFICIAIRE|SOMME|DEVISE", "phone name amount currency"),
        ("Tel.|Surname|First name|Salary", "phone family_name given_name amount"),
        ("Nom|Prénoms|Téléphone|Salaire net", "family_name given_name phone amount"),
        ("Phone|Basic salary|Net salary|Amount", "phone other other amount"),
        ("Contact|Phone|Amount|Remarks", "other phone amount note"),
        ("amount in UGX|mobile_number", "amount phone"),
    ],
)
def test_headers_are_known_in_english_and_french(titles: str, expected: str) -> None:
    """Whatever case, accents, units or punctuation; unknown ones are kept and not read."""
    assert roles(*titles.split("|")) == expected.split()


@pytest.mark.parametrize("titles", ["", "Name|Town", "Phone|Name", "0772123456|1500", "Total|4000"])
def test_what_names_no_phone_and_amount_is_no_header(titles: str) -> None:
    """A row of data or of titles is never taken for the header."""
    assert recognise_header(titles.split("|")) is None


def test_two_columns_of_one_role_are_told() -> None:
    """Which one is meant is not guessed; a better word wins without a question."""
    clash = find_clash(columns_of("Phone", "Mobile", "Amount"))

    assert clash is not None
    assert [column.title for column in clash] == ["Phone", "Mobile"]
    assert find_clash(columns_of("Phone", "Contact", "Amount", "Salary")) is None


def test_the_language_of_a_header_is_known_when_it_says() -> None:
    """Amounts are then read as its writer writes them."""
    assert language_of(columns_of("Téléphone", "Montant")) == "fr"
    assert language_of(columns_of("Phone", "Amount")) == "en"
    assert language_of(columns_of("MSISDN", "Amt")) == ""
    assert language_of(columns_of("Numéro", "Amount")) == ""


def test_a_column_without_a_title_has_a_letter() -> None:
    """As spreadsheets name it."""
    assert [letter(index) for index in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert is_of_results(["Phone", "Amount"]) is False


# Amounts


def amount_of(text: str, currency: str, language: str, kind: CellKind = TEXT) -> str:
    """The amount in plain digits, or the code of what is wrong with it."""
    writing = writing_of(market("uganda"), language=language)
    amount, wrong = read_amount_cell(
        Cell(text, kind), currency=currency, writing=writing, column="Amount"
    )
    assert (amount is None) != (wrong is None)
    return wrong.code if wrong is not None else format(amount or Decimal(0), "f")


@pytest.mark.parametrize(
    ("text", "currency", "language", "expected"),
    [
        ("1500", "UGX", "en", "1500"),
        (" 1 500 ", "UGX", "en", "1500"),
        ("1\u00a0500\u202f000", "XAF", "fr", "1500000"),
        ("1,500", "UGX", "en", "1500"),
        ("1,500,000", "UGX", "en", "1500000"),
        ("1'500", "UGX", "en", "1500"),
        ("1,500.50", "GHS", "en", "1500.5"),
        ("1,500", "GHS", "en", "1500"),
        ("12.5", "GHS", "en", "12.5"),
        ("1500.00", "UGX", "en", "1500"),
        ("1.500", "XAF", "fr", "1500"),
        ("1.500.000", "XAF", "fr", "1500000"),
        ("1.500,00", "XAF", "fr", "1500"),
        ("1 500,50", "GHS", "fr", "1500.5"),
        ("12,5", "GHS", "fr", "12.5"),
        ("12.50", "GHS", "fr", "12.5"),
        ("UGX 1,500", "UGX", "en", "1500"),
        ("1500 FCFA", "XOF", "fr", "1500"),
        ("15 000 F CFA", "XAF", "fr", "15000"),
        ("GH₵ 12.50", "GHS", "en", "12.5"),
        # Two readings, or one that the writing does not have: none is taken.
        ("1.500", "UGX", "en", "amount_ambiguous"),
        ("1.500", "GHS", "en", "amount_ambiguous"),
        ("12,50", "GHS", "en", "amount_ambiguous"),
        ("1,500", "XAF", "fr", "amount_ambiguous"),
        ("1,50,000", "UGX", "en", "amount_ambiguous"),
        ("12 34", "UGX", "en", "amount_ambiguous"),
        ("1,500 000", "UGX", "en", "amount_ambiguous"),
        ("1.500.00", "GHS", "en", "amount_ambiguous"),
        (",5", "GHS", "fr", "amount_ambiguous"),
        ("1/2", "GHS", "en", "amount_ambiguous"),
        ("١٥٠٠", "UGX", "en", "amount_ambiguous"),
        # What is no amount to be paid.
        ("", "UGX", "en", "amount_missing"),
        ("   ", "UGX", "en", "amount_missing"),
        ("0", "UGX", "en", "amount_zero"),
        ("0.00", "GHS", "en", "amount_zero"),
        ("-5", "UGX", "en", "amount_negative"),
        ("(5,000)", "UGX", "en", "amount_negative"),
        ("5000-", "UGX", "en", "amount_negative"),
        ("=A1*2", "UGX", "en", "amount_formula"),
        ("1E+5", "UGX", "en", "amount_powers"),
        ("2,5E+05", "UGX", "fr", "amount_powers"),
        ("five", "UGX", "en", "amount_not_a_number"),
        ("KES 500", "UGX", "en", "amount_not_a_number"),
        ("0772123456", "UGX", "en", "amount_not_a_number"),
        ("#REF!", "UGX", "en", "amount_not_a_number"),
        ("1" * 65, "UGX", "en", "amount_not_a_number"),
        ("1500.50", "UGX", "en", "amount_decimals"),
        ("1500,5", "XAF", "fr", "amount_decimals"),
        ("9" * 16, "UGX", "en", "amount_too_large"),
    ],
)
def test_an_amount_has_one_reading_or_none(
    text: str, currency: str, language: str, expected: str
) -> None:
    """Separators are read where they can mean one thing only; otherwise the cell is named."""
    assert amount_of(text, currency, language) == expected


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("1500.5", NUMBER, "1500.5"),
        ("1e+20", NUMBER, "amount_powers"),
        ("-5", NUMBER, "amount_negative"),
        ("1500", CellKind.FORMULA, "amount_formula"),
        ("2026-03-01", CellKind.DATE, "amount_not_a_number"),
        ("TRUE", CellKind.TRUTH, "amount_not_a_number"),
        ("#DIV/0!", CellKind.FAULT, "amount_not_a_number"),
    ],
)
def test_a_stored_number_is_taken_as_it_is(text: str, kind: CellKind, expected: str) -> None:
    """Its decimals have no second reading; what the spreadsheet took for another thing is none."""
    assert amount_of(text, "GHS", "fr", kind) == expected


@given(text=st.text(max_size=20), language=st.sampled_from(["en", "fr"]))
def test_no_text_raises_or_gives_an_unpayable_amount(text: str, language: str) -> None:
    """Whatever stands in the cell: a positive amount with the currency's decimals, or a code."""
    for currency in ("UGX", "GHS"):
        told = amount_of(text, currency, language)
        if told in WORDS:
            continue
        value = Decimal(told)
        exponent = CURRENCIES[currency].exponent
        assert value > 0
        assert value == value.quantize(Decimal(1).scaleb(-exponent))


@given(
    minor=st.integers(min_value=1, max_value=10**12),
    currency=st.sampled_from(sorted(CURRENCIES)),
    language=st.sampled_from(["en", "fr"]),
)
def test_an_amount_written_in_its_language_is_read_back(
    minor: int, currency: str, language: str
) -> None:
    """Grouped as people group it there, with all decimals of the currency."""
    exponent = CURRENCIES[currency].exponent
    amount = Decimal(minor).scaleb(-exponent)
    text = f"{amount:,.{exponent}f}"
    if language == "fr":
        text = text.replace(",", "\u202f").replace(".", ",")

    assert Decimal(amount_of(text, currency, language)) == amount


# Phones


def phone_of(text: str, name: str, kind: CellKind = TEXT) -> tuple[str, list[str]]:
    """The digits ("" for none) and the codes of what was noticed."""
    payee, found = read_phone_cell(Cell(text, kind), market=market(name), column="Phone")
    return (payee.digits if payee is not None else "", [one.code for one in found])


@pytest.mark.parametrize(
    ("text", "kind", "name", "digits", "codes"),
    [
        ("0772123456", TEXT, "uganda", "256772123456", []),
        ("772123456", NUMBER, "uganda", "256772123456", []),
        ("256772123456", NUMBER, "uganda", "256772123456", []),
        ("+256 772-123\u00a0456", TEXT, "uganda", "256772123456", []),
        ('="0772123456"', TEXT, "uganda", "256772123456", []),
        ("'0772123456", TEXT, "uganda", "256772123456", []),
        # Powers of ten: with all digits there is nothing to guess, otherwise all is lost.
        ("2.56772123456E+11", TEXT, "uganda", "256772123456", ["powers_restored"]),
        ("2,56772123456E11", TEXT, "uganda", "256772123456", ["powers_restored"]),
        ("2.56772E+11", TEXT, "uganda", "", ["phone_shortened"]),
        ("256772000000", NUMBER, "uganda", "", ["phone_shortened"]),
        ("256772000000", TEXT, "uganda", "256772000000", ["phone_round"]),
        # The zero that all numbers of the market begin with is put back, once it was lost.
        ("554321987", NUMBER, "ivory-coast", "2250554321987", ["zero_restored"]),
        ("61234567", NUMBER, "congo", "242061234567", ["zero_restored"]),
        ("61234567x", TEXT, "congo", "", ["phone_characters"]),
        ("6 12 34 56 78", TEXT, "congo", "", ["phone_invalid"]),
        ("161234567", NUMBER, "benin", "2290161234567", ["zero_restored"]),
        ("+225554321987", TEXT, "ivory-coast", "", ["phone_invalid"]),
        ("54321987", TEXT, "ivory-coast", "", ["phone_old"]),
        ("61234567", TEXT, "benin", "", ["phone_old"]),
        # Never to another country, never one of two.
        ("+233241234567", TEXT, "uganda", "", ["phone_other_country"]),
        ("237670123456", TEXT, "uganda", "", ["phone_other_country"]),
        ("0772123456/0772123457", TEXT, "uganda", "", ["phone_characters"]),
        ("077212345", TEXT, "uganda", "", ["phone_invalid"]),
        ("", TEXT, "uganda", "", ["phone_missing"]),
        ("1.5", NUMBER, "uganda", "", ["phone_invalid"]),
        ("2026-03-01", CellKind.DATE, "uganda", "", ["phone_not_a_number"]),
        ("772123456", CellKind.FORMULA, "uganda", "", ["phone_not_a_number"]),
        ("TRUE", CellKind.TRUTH, "uganda", "", ["phone_not_a_number"]),
        ("0461234567", TEXT, "sandbox", "", ["phone_invalid_sandbox"]),
        ("x" * 70, TEXT, "uganda", "", ["phone_characters"]),
    ],
)
def test_a_phone_is_read_as_spreadsheets_leave_it(
    text: str, kind: CellKind, name: str, digits: str, codes: list[str]
) -> None:
    """What was provably taken is put back and told; what is lost is asked for."""
    assert phone_of(text, name, kind) == (digits, codes)


@pytest.mark.parametrize("one", MARKETS, ids=lambda each: each.name)
def test_the_example_of_each_market_is_a_number_there(one: object) -> None:
    """Messages and templates show a number that would be taken."""
    digits, codes = phone_of(example_number(one), one.name)  # type: ignore[arg-type,attr-defined]

    assert (digits != "", codes) == (True, [])


@given(text=st.text(max_size=30), name=st.sampled_from([one.name for one in MARKETS]))
def test_no_text_raises_or_leaves_the_market(text: str, name: str) -> None:
    """A number of the account's market, or a finding with words in two languages."""
    one = market(name)
    payee, found = read_phone_cell(Cell(text), market=one, column="Phone")

    assert payee is not None or [each for each in found if each.severity is Severity.ERROR]
    assert payee is None or payee.digits.startswith(one.calling_code)
    assert all(each.words.en and each.words.fr for each in found)
