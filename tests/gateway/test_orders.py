"""What is ordered becomes a payment of its market, or is refused with the field's name."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.errors import InvalidInput
from momokit.gateway.orders import Order, new_payment
from momokit.gateway.store.records import NewPayment
from momokit.market import MARKETS, Market, market
from momokit.operations.forms import Forms

COUNTRIES = [one for one in MARKETS if not one.is_sandbox]
WHOLE = [one for one in COUNTRIES if one.exponent == 0]


def number_of(one: Market) -> str:
    """Make a number that the market has, in MTN's form."""
    length = one.national_lengths[0]
    lead = one.national_lead or "7"
    return one.calling_code + (lead + "612345678901")[:length]


def ordered(one: Market, *, amount: str = "5000", party: str | None = None) -> NewPayment:
    """Order a request to pay in a market."""
    order = Order(kind="request_to_pay", amount=amount, party=party or number_of(one))
    forms = Forms(market=one, new_id=lambda: str(uuid.uuid4()))
    return new_payment(order, forms=forms, account_id="acc_1", api_key_id=None, public_url=None)


@pytest.mark.parametrize("one", WHOLE, ids=lambda one: one.name)
@given(fraction=st.integers(min_value=1, max_value=99))
def test_fm_40_a_fraction_that_the_currency_does_not_have_is_refused(
    one: Market, fraction: int
) -> None:
    """No shilling and no franc is rounded: the caller is told."""
    with pytest.raises(InvalidInput) as caught:
        ordered(one, amount=f"1000.{fraction:02}")

    assert caught.value.field == "amount"


@pytest.mark.parametrize("one", COUNTRIES, ids=lambda one: one.name)
@given(units=st.integers(min_value=1, max_value=10**9))
def test_fm_40_an_amount_goes_out_as_it_came_in(one: Market, units: int) -> None:
    """Exact in the books and on the wire, in every currency, without exponents or zeros of our
    own."""
    amount = Decimal(units).scaleb(-one.exponent)
    made = ordered(one, amount=str(amount) if one.exponent else str(units))

    assert made.amount == amount
    assert made.currency == one.currency
    assert Decimal(json.loads(made.body)["amount"]) == amount
    assert "E" not in json.loads(made.body)["amount"]


@pytest.mark.parametrize("amount", ["1e3", "-5", "0", "NaN", "5,000", "٥", ""])
@pytest.mark.parametrize("one", COUNTRIES, ids=lambda one: one.name)
def test_fm_40_what_is_no_amount_is_refused(one: Market, amount: str) -> None:
    """Nothing is guessed about money."""
    with pytest.raises(InvalidInput) as caught:
        ordered(one, amount=amount)

    assert caught.value.field == "amount"


@pytest.mark.parametrize("other", COUNTRIES, ids=lambda one: one.name)
@pytest.mark.parametrize("one", COUNTRIES, ids=lambda one: one.name)
def test_fm_41_a_number_is_of_the_accounts_country_or_refused(one: Market, other: Market) -> None:
    """No number is moved to another country, whatever market it is shown to."""
    party = f"+{number_of(other)}"
    if one.calling_code == other.calling_code:
        assert ordered(one, party=party).party_id == number_of(one)
        return
    with pytest.raises(InvalidInput) as caught:
        ordered(one, party=party)

    assert caught.value.field in ("msisdn", "party", "payer")
    assert number_of(other) not in str(caught.value)


@pytest.mark.parametrize("name", ["cote_divoire", "benin", "congo"])
def test_fm_41_a_zero_that_belongs_to_the_number_is_kept(name: str) -> None:
    """Dropping it would make the number of nobody, or of somebody else."""
    one = market(name)
    home = number_of(one).removeprefix(one.calling_code)

    assert home.startswith("0")
    assert ordered(one, party=home).party_id == number_of(one)
