"""Limits, places and rates: the pure rules."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.gateway.core.limits import (
    LIMIT_NAMES,
    Exceeded,
    Limits,
    Today,
    day_of,
    exceeded_by_send,
    limits_text,
    next_day_seconds,
    read_amount,
    read_limits,
)
from momokit.gateway.core.places import Places
from momokit.gateway.core.rates import Bucket, Rate, take

AMOUNTS = st.decimals(0, 10**9, places=2)
MAYBE = st.none() | AMOUNTS


@given(limit=AMOUNTS, amounts=st.lists(AMOUNTS, max_size=30))
def test_what_is_taken_never_exceeds_the_limit_and_a_refusal_says_what_fits(
    limit: Decimal, amounts: list[Decimal]
) -> None:
    """Whatever comes, the sum stays within it, and exactly what was said to be left is taken."""
    limits, spent = Limits(send_per_day=limit), Decimal(0)

    def met(amount: Decimal) -> Exceeded | None:
        today = Today(account=spent)
        return exceeded_by_send(limits, amount=amount, currency="UGX", today=today)

    for amount in amounts:
        found = met(amount)
        if found is None:
            spent += amount
        else:
            assert met(found.left) is None
            assert found.left < amount
    assert spent <= limit


@given(st.builds(Limits, **dict.fromkeys(LIMIT_NAMES, MAYBE)))
def test_limits_come_back_from_the_database_as_they_were(limits: Limits) -> None:
    """Nothing is rounded on the way, and no limit stays no limit."""
    back = read_limits(limits_text({"UGX": limits}))
    assert back.get("UGX", Limits()) == limits


@pytest.mark.parametrize("text", ["", "-1", "NaN", "Infinity", "1,000", "a"])
def test_a_limit_is_a_plain_number(text: str) -> None:
    """A slip is refused, since what it would be taken for decides about money."""
    with pytest.raises(ValueError, match="It is"):
        read_amount(text)


@given(st.floats(0, 4e9))
def test_days_follow_each_other_without_a_gap(now: float) -> None:
    """The next day begins when this one ends."""
    assert day_of(now + next_day_seconds(now)) == day_of(now) + 1


@given(st.lists(st.tuples(st.floats(0, 10), st.booleans()), max_size=50))
def test_nobody_asks_more_often_than_the_rate_and_whoever_waits_is_served(
    steps: list[tuple[float, bool]],
) -> None:
    """At most the burst and what has flowed since; the wait that is told is long enough."""
    rate = Rate(per_second=2.0, burst=5.0)
    bucket: Bucket | None = None
    now, served = 0.0, 0
    for pause, waits in steps:
        now += pause
        bucket, wait = take(bucket, rate, now=now)
        served += wait == 0
        if wait and waits:
            now += wait + 1e-9
            bucket, wait = take(bucket, rate, now=now)
            served += 1
            assert wait == 0
    assert served <= 5 + 2 * now + 1


def test_a_clock_that_jumps_back_takes_nothing_away() -> None:
    """The bucket keeps what it has."""
    bucket, _ = take(None, Rate(per_second=1.0, burst=2.0), now=100.0)
    _, wait = take(bucket, Rate(per_second=1.0, burst=2.0), now=50.0)
    assert wait == 0


def test_one_dead_endpoint_of_a_hundred_holds_one_place() -> None:
    """After its first failure it has a single place, and the others all of the rest."""
    places = Places(total=32, each=8)
    for _ in range(8):
        places.begins("dead")
    for _ in range(8):
        places.ended("dead", delivered=False)
    room = places.room()
    assert (room.of("dead"), room.of("alive"), room.for_failed) == (1, 8, 16)


def test_however_many_are_dead_half_of_the_places_are_for_the_others() -> None:
    """Those that failed last share one half."""
    places = Places(total=32, each=8)
    for n in range(100):
        places.begins(f"dead {n}")
        places.ended(f"dead {n}", delivered=False)
    for n in range(16):
        places.begins(f"dead {n}")
    room = places.room()
    assert (room.for_failed, room.of("dead 1"), room.of("dead 99"), room.of("new")) == (0, 0, 1, 8)


def test_an_endpoint_that_answers_again_has_its_places_back() -> None:
    """One that was delivered to is no longer among those that failed."""
    places = Places(total=32, each=8)
    for delivered in (False, True):
        places.begins("one")
        places.ended("one", delivered=delivered)
    assert (places.room().of("one"), places.is_idle) == (8, True)
