"""When a webhook is tried again, and when it is given up."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.gateway.core.deliveries import (
    HOUR,
    RETRY_AFTER_LIMIT_SECONDS,
    TRIES,
    next_try_seconds,
    read_retry_after,
)


def _tries(chance: float) -> list[float]:
    """Give the times of all tries of a webhook that never arrives."""
    times = [0.0]
    while (pause := next_try_seconds(len(times), chance=chance)) is not None:
        times.append(times[-1] + pause)
    return times


@given(st.floats(min_value=0, max_value=1))
def test_fm_37_a_webhook_is_tried_ten_times_over_three_days(chance: float) -> None:
    """Whatever is drawn, there are at least ten tries over at least 72 hours."""
    times = _tries(chance)

    assert len(times) == TRIES >= 10
    assert 72 * HOUR <= times[-1] <= 96 * HOUR


def test_pauses_grow_and_differ_by_what_is_drawn() -> None:
    """The first tries are soon, the last ones hours apart, and not all at the same moment."""
    pauses = [after - before for before, after in pairwise(_tries(0.0))]

    assert pauses[:3] == [5, 30, 120]
    assert pauses == sorted(pauses)
    assert next_try_seconds(3, chance=1.0) == 144


@pytest.mark.parametrize(
    ("tries", "wish", "expected"),
    [
        (1, None, 5.0),
        (1, 3.0, 5.0),
        (1, 600.0, 600.0),
        (1, 1e9, RETRY_AFTER_LIMIT_SECONDS),
        (TRIES, 600.0, None),
        (TRIES + 20, None, None),
    ],
)
def test_the_receivers_wish_is_honoured_within_a_limit(
    tries: int, wish: float | None, expected: float | None
) -> None:
    """A longer pause is granted, up to a day; it does not bring more tries."""
    assert next_try_seconds(tries, chance=0.0, retry_after_seconds=wish) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Fri, 15 Jan 2027 08:02:00 GMT", 120.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("Fri, 99 Jan 2027 08:02:00 GMT", None),
    ],
)
def test_a_wish_is_seconds_or_a_date(text: str, expected: float | None) -> None:
    """Anything else is no wish."""
    assert read_retry_after(text, now=1_800_000_000.0) == expected


@given(st.text(max_size=40))
def test_no_text_is_more_than_no_wish(text: str) -> None:
    """What a stranger's server writes cannot raise."""
    wish = read_retry_after(text, now=1_800_000_000.0)

    assert wish is None or wish >= 0
