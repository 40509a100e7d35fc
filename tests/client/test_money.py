"""Amounts: exact, positive, within the currency's decimals, and the same on the way back."""

from __future__ import annotations

import pickle
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.errors import InvalidInput
from momokit.money import CURRENCIES, Currency, Money, read_amount, same_amount

CODES = sorted(CURRENCIES)


@pytest.mark.parametrize(
    ("amount", "currency", "wire", "shown"),
    [
        ("5000", "UGX", "5000", "UGX 5,000"),
        (5000, "UGX", "5000", "UGX 5,000"),
        (Decimal("5000.00"), "UGX", "5000", "UGX 5,000"),
        ("5000.00", "XOF", "5000", "XOF 5,000"),
        (Decimal("5E+3"), "RWF", "5000", "RWF 5,000"),
        ("12.50", "GHS", "12.5", "GHS 12.50"),
        ("12.500", "GHS", "12.5", "GHS 12.50"),
        ("0.01", "EUR", "0.01", "EUR 0.01"),
        ("1234567.8", "ZAR", "1234567.8", "ZAR 1,234,567.80"),
        ("999999999999999.99", "NGN", "999999999999999.99", "NGN 999,999,999,999,999.99"),
    ],
)
def test_an_amount_is_sent_plain_and_shown_in_full(
    amount: str | int | Decimal, currency: str, wire: str, shown: str
) -> None:
    """The wire has no needless zeros and no exponent; people see thousands and all decimals."""
    money = Money(amount, currency)
    assert (money.wire, str(money)) == (wire, shown)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (5000.0, "Write a string, '5000.0'"),
        (0.1, "A float cannot be an amount"),
        (float("nan"), "A float cannot be an amount"),
        (True, "made from bool"),
        (None, "made from NoneType"),
        (b"5000", "made from bytes"),
        ("", "is not an amount"),
        ("NaN", "is not an amount"),
        ("Infinity", "is not an amount"),
        (Decimal("NaN"), "is not an amount"),
        (Decimal("sNaN"), "is not an amount"),
        (Decimal("Infinity"), "is not an amount"),
        ("-5", "is negative"),
        ("−5", "is negative"),
        (-5, "cannot be negative"),
        (Decimal("-0.01"), "cannot be negative"),
        ("0", "cannot be zero"),
        ("0.00", "cannot be zero"),
        (0, "cannot be zero"),
        (Decimal("-0"), "cannot be zero"),
        ("1e3", "is not an amount"),
        ("5.", "is not an amount"),
        (".5", "is not an amount"),
        ("+5", "is not an amount"),
        ("٥٠٠", "is not an amount"),
        ("5,000", "Write '5000'"),
        ("5 000", "Write '5000'"),
        ("5\u202f000", "Write '5000'"),
        ("5_000", "Write '5000'"),
        (" 5000", "Write '5000'"),
        ("5000\n", "Write '5000'"),
        ("5000 UGX", "is not an amount"),
        ("0772123456", "begins with a zero"),
        ("0.5", "UGX has no decimals; this amount has 1"),
        ("5000.50", "UGX has no decimals; this amount has 1"),
        (Decimal("1E-999999"), "UGX has no decimals"),
        ("1" * 16, "at most 15 digits"),
        (10**15, "at most 15 digits"),
        pytest.param(10**5000, "at most 15 digits", id="huge"),
        (Decimal("1E+999999"), "at most 15 digits"),
        ("9" * 5000, "this long"),
    ],
)
def test_what_is_no_amount_is_refused_with_the_reason(amount: object, words: str) -> None:
    """Each kind of wrong amount is refused before anything is sent, and told what to write."""
    with pytest.raises(InvalidInput) as caught:
        Money(amount, "UGX")  # type: ignore[arg-type]
    assert caught.value.field == "amount"
    assert words in str(caught.value)


def test_decimals_are_counted_by_currency() -> None:
    """Two decimals pass for cedis, three do not."""
    assert Money("12.34", "GHS").wire == "12.34"
    with pytest.raises(InvalidInput, match="GHS has at most 2 decimals; this amount has 3"):
        Money("12.345", "GHS")


def test_a_phone_number_in_the_wrong_place_is_not_repeated() -> None:
    """A message about an amount does not carry what is likely a phone number into a log."""
    for text in ("+256772123456", "0772123456", "-256772123456", "256 772 123 456 x"):
        with pytest.raises(InvalidInput) as caught:
            Money(text, "UGX")
        assert "772" not in str(caught.value)


@pytest.mark.parametrize("currency", ["ugx", "UG", "UGXX", "", "U X", "€", None, 800])
def test_a_currency_is_three_capitals(currency: object) -> None:
    """Anything else is refused for the field `currency`, with an example."""
    with pytest.raises(InvalidInput, match="three capital letters") as caught:
        Money("5", currency)  # type: ignore[arg-type]
    assert caught.value.field == "currency"


def test_an_unlisted_currency_needs_its_decimals() -> None:
    """A currency we do not know is usable only when the caller says its decimals."""
    with pytest.raises(InvalidInput, match="exponent=2"):
        Money("5", "ISK")
    assert Money("5.25", "ISK", exponent=2).wire == "5.25"
    assert Money("5.255", Currency("TND", 3, "dinar")).wire == "5.255"


def test_the_decimals_of_a_listed_currency_cannot_be_changed() -> None:
    """Saying that shillings have cents does not give them cents."""
    with pytest.raises(InvalidInput, match="UGX has 0 decimals, not 2"):
        Money("5.25", "UGX", exponent=2)


def test_equality_is_of_value_and_currency() -> None:
    """12.5 is 12.50, and 5 euros are not 5 dollars; equal values hash alike."""
    assert Money("12.5", "GHS") == Money(Decimal("12.50"), "GHS")
    assert len({Money("12.5", "GHS"), Money("12.50", "GHS")}) == 1
    assert Money("5", "EUR") != Money("5", "USD")
    assert Money("5", "ISK", exponent=0) == Money("5", "ISK", exponent=2)
    assert Money("5", "EUR") != Decimal(5)


def test_sums_and_order_stay_within_a_currency() -> None:
    """Same currency adds, subtracts and sorts; two currencies refuse to."""
    small, large = Money("1.10", "EUR"), Money("2.20", "EUR")
    assert small + large == Money("3.30", "EUR")
    assert large - small == small
    assert sorted([large, small]) == [small, large]
    assert (small < large, small <= small, large > small, large >= small) == (True,) * 4
    for operation in ("__add__", "__sub__", "__lt__", "__le__"):
        with pytest.raises(InvalidInput, match="EUR and USD"):
            getattr(small, operation)(Money("1", "USD"))
    with pytest.raises(InvalidInput, match="cannot be zero"):
        small - small
    with pytest.raises(TypeError):
        small + 1  # type: ignore[operator]


def test_sums_do_not_round_under_a_callers_low_precision() -> None:
    """A program that set three digits of decimal precision still adds money exactly."""
    with localcontext() as context:
        context.prec = 3
        total = Money("1234567.89", "EUR") + Money("0.01", "EUR")
    assert total.wire == "1234567.9"


def test_money_is_frozen_and_survives_pickling() -> None:
    """A value crosses processes as an equal value, decimals included, and cannot be changed."""
    money = Money("5.25", "ISK", exponent=2)
    copy = pickle.loads(pickle.dumps(money))
    assert (copy, copy.exponent, hash(copy)) == (money, 2, hash(money))
    with pytest.raises(AttributeError):
        money.amount = Decimal(1)  # type: ignore[misc]


@pytest.mark.parametrize("text", ["5000 UGX", "UGX 5000", " 5000\tUGX "])
def test_amount_and_currency_are_read_from_one_string(text: str) -> None:
    """The two words come in either order."""
    assert Money.parse(text) == Money("5000", "UGX")


@pytest.mark.parametrize("text", ["", "5000", "5 000 UGX", "UGX", "5000 ugx", "UGX UGX", "5.5 UGX"])
def test_other_strings_are_not_read_as_money(text: str) -> None:
    """Nothing is guessed from half of the information."""
    with pytest.raises(InvalidInput):
        Money.parse(text)


def test_repr_and_format_are_readable() -> None:
    """A repr can be pasted back; a format width applies to the readable form."""
    assert repr(Money("12.50", "GHS")) == "Money('12.5', 'GHS')"
    assert f"{Money('5000', 'UGX'):>10}" == " UGX 5,000"


@pytest.mark.parametrize(
    ("given_by_mtn", "expected"),
    [
        ("5", "5"),
        ("5.0", "5"),
        (5, "5"),
        (5.5, "5.5"),
        ("-25", "-25"),
        (0, "0"),
        ("0.00", "0"),
        (" 12.50 ", "12.5"),
        (1e3, "1000"),
        ("1E+3", "1000"),
        (Decimal("7.10"), "7.1"),
        ("-0", "0"),
    ],
)
def test_mtns_amounts_are_read_tolerantly(given_by_mtn: str | int | float, expected: str) -> None:
    """Strings and numbers, zero and negative balances are all amounts when MTN sends them."""
    assert str(read_amount(given_by_mtn)) == expected


@pytest.mark.parametrize(
    "given_by_mtn",
    [
        "",
        "abc",
        "1,000",
        None,
        True,
        [],
        float("nan"),
        float("inf"),
        "1e999",
        "9" * 100,
        pytest.param(10**400, id="huge"),
        "NaN",
        "--5",
        Decimal("1E+99"),
        "1e-99",
    ],
)
def test_what_is_no_number_is_refused_even_from_mtn(given_by_mtn: object) -> None:
    """An unreadable amount is an error of the field `amount`, never a guess or a crash."""
    with pytest.raises(InvalidInput) as caught:
        read_amount(given_by_mtn)  # type: ignore[arg-type]
    assert caught.value.field == "amount"


def test_amounts_are_compared_as_decimals() -> None:
    """MTN's normalised "12.5" is our "12.50"; an unreadable amount equals nothing."""
    assert same_amount("12.50", "12.5") is True
    assert same_amount("5", 5.0) is True
    assert same_amount("5", "50") is False
    assert same_amount("abc", "abc") is False


@given(st.sampled_from(CODES), st.integers(min_value=1, max_value=10**15 - 1))
def test_every_amount_comes_back_from_the_wire_equal(code: str, units: int) -> None:
    """Any number of smallest units survives the wire form, parsing and reading."""
    exponent = CURRENCIES[code].exponent
    money = Money(Decimal(units).scaleb(-exponent), code)
    assert Money(money.wire, code) == money
    assert Money.parse(f"{money.wire} {code}") == money
    assert read_amount(money.wire) == money.amount
    assert "E" not in money.wire


@given(st.text(max_size=80))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    """No text makes Money fail in any way but InvalidInput."""
    try:
        money = Money(text, "GHS")
    except InvalidInput:
        return
    assert money.amount > 0
