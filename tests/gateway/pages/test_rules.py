"""A checkout on paper: when another attempt is safe, and how each market writes a number."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.gateway.core.checkout import Attempt, Phase, is_over, phase_of
from momokit.gateway.core.numbers import number_form
from momokit.gateway.core.payment import State
from momokit.gateway.core.return_url import check_return_url, with_reference
from momokit.gateway.core.schedule import AUDIT_OFFSETS_SECONDS
from momokit.market import MARKETS, Market
from momokit.party import MSISDN

NOW = 1_800_000_000.0
FIRST_AUDIT, SECOND_AUDIT = AUDIT_OFFSETS_SECONDS
TIMES = st.one_of(st.none(), st.floats(NOW - 1e6, NOW + 1e6))
ATTEMPTS = st.builds(
    Attempt,
    state=st.sampled_from(list(State)),
    final_at=TIMES,
    due_at=TIMES,
    review=st.booleans(),
    sending=st.booleans(),
)


@given(ATTEMPTS, TIMES, st.booleans(), st.booleans())
def test_nobody_pays_again_before_it_is_proven(
    last: Attempt, expires_at: float | None, is_closed: bool, again: bool
) -> None:
    """A page is open for another attempt only after a failure that is over; or a part paid."""
    phase = phase_of(
        last, now=NOW, expires_at=expires_at, is_closed=is_closed, can_be_paid_again=again
    )
    may = is_over(last) or (again and last.state is State.SUCCESSFUL)

    assert phase is not Phase.OPEN or may
    assert may or phase in (Phase.WAITING, Phase.CHECKING, Phase.PAID)
    assert last.state is not State.UNKNOWN or phase is Phase.CHECKING


@pytest.mark.parametrize(
    ("due_after", "review", "over"),
    [
        (None, False, True),
        (FIRST_AUDIT, False, False),
        (FIRST_AUDIT + 30, False, False),
        (SECOND_AUDIT, False, True),
        (None, True, False),
    ],
)
def test_a_failure_that_is_audited_is_over_after_the_first_audit(
    due_after: float | None, review: bool, over: bool
) -> None:
    """What MTN has been known to take back is believed when it was said twice."""
    attempt = Attempt(
        state=State.FAILED,
        final_at=NOW,
        due_at=NOW + due_after if due_after is not None else None,
        review=review,
    )

    assert is_over(attempt) == over


@pytest.mark.parametrize("market", [one for one in MARKETS if one.iso2], ids=lambda one: one.name)
def test_the_example_of_a_market_is_a_number_there(market: Market) -> None:
    """What the form shows can be typed as it stands, and is a number by others' tables too."""
    form = number_form(market)
    read = MSISDN.parse(form.example, market=market)
    other = phonenumbers.parse(f"+{read.digits}", None)

    assert form.groups
    assert read.network_hint() != "other"
    assert phonenumbers.region_code_for_country_code(other.country_code) == market.iso2
    assert phonenumbers.is_possible_number(other)


@pytest.mark.parametrize(
    "url",
    ["https://shop.example/a?b=c", "http://127.0.0.1:3000/", "http://localhost/x", "http://[::1]/"],
)
def test_addresses_of_shops_are_taken(url: str) -> None:
    """https anywhere, http on this machine."""
    check_return_url(url)


def test_the_reference_is_appended_once() -> None:
    """The shop's own parameters stay; ours are not doubled."""
    url = with_reference("https://s.example/?a=1&checkout_id=x", {"checkout_id": "chk_1"})

    assert url == "https://s.example/?a=1&checkout_id=chk_1"
