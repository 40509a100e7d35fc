"""When things are due: the plan of polls, the pauses, the windows; and that the core is pure."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import momokit.gateway.core
from momokit.gateway.core import schedule
from momokit.gateway.core.due import audit_at, poll_at
from momokit.gateway.core.payment import PULL_KINDS, PUSH_KINDS, State
from tests.gateway.core.make import NOW, created, pending

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
CORE = Path(momokit.gateway.core.__file__).parent
PURE_MODULES = frozenset(
    {"__future__", "collections", "dataclasses", "decimal", "enum", "typing", "hashlib", "re"}
    | {"types", "functools", "math", "hmac", "msgspec"}
    # Readers of text: of addresses, names of hosts and people, paths, and dates in headers.
    | {"ipaddress", "idna", "email", "unicodedata", "difflib", "urllib.parse"}
    # Values of time, and the zones of the world; what reads a clock is looked for below.
    | {"datetime", "zoneinfo"}
)
CLOCKS_AND_DOORS = frozenset({"open", "print", "input", "exec", "eval", "__import__"})
CLOCKS_OF_VALUES = frozenset({"now", "today", "utcnow"})


def _polls(*, late_by: float = 0.0) -> list[float]:
    """Follow the plan from the start, each poll made this much after it was due."""
    ages, age = [], 0.0
    while (pause := schedule.next_poll_seconds(age)) is not None:
        age += pause + late_by
        ages.append(age)
        assert len(ages) < 100
    return ages


def test_the_plan_of_polls() -> None:
    """The ages at which a payment is asked about are those of the plan, day 7 the last."""
    assert _polls() == [
        5, 15, 30, 60, 120, 180, 240, 305, 600, 1200, 2400,
        HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, DAY, 2 * DAY, 3 * DAY, 4 * DAY, 5 * DAY, 6 * DAY,
        7 * DAY,
    ]  # fmt: skip


def test_a_poll_falls_just_past_the_approval_window() -> None:
    """The payer has 300 seconds: the first poll after that is within ten seconds of it."""
    first_after = min(age for age in _polls() if age > 300)

    assert 300 < first_after <= 310


@given(late_by=st.floats(min_value=0.0, max_value=HOUR))
def test_polls_made_late_still_increase_and_still_end(late_by: float) -> None:
    """A slow worker asks less often, never at the same age twice, and not long past day 7."""
    ages = _polls(late_by=late_by)

    assert ages == sorted(set(ages))
    assert 6 * DAY < ages[-1] <= schedule.REVIEW_AGE_SECONDS + late_by + 0.001
    assert len(ages) <= len(schedule.POLL_OFFSETS_SECONDS)


@given(age=st.floats(min_value=0.0, max_value=8 * DAY))
def test_the_next_poll_is_the_next_of_the_plan(age: float) -> None:
    """From any age the pause leads to an age of the plan, or the plan is over."""
    pause = schedule.next_poll_seconds(age)

    if pause is None:
        assert age >= schedule.REVIEW_AGE_SECONDS - 0.5
    else:
        later = [offset for offset in schedule.POLL_OFFSETS_SECONDS if offset > age + 0.5]
        assert pause >= 0.5
        assert age + pause == pytest.approx(later[0])


@pytest.mark.parametrize(
    ("age", "pause"),
    [(0, 5), (4.4, 0.6), (4.5, 10.5), (5, 10), (300, 5), (305, 295), (7 * DAY, None)],
)
def test_polls_at_the_edges(age: float, pause: float | None) -> None:
    """A poll that is half a second off is the poll that was due, not one more."""
    found = schedule.next_poll_seconds(age)

    assert found == (None if pause is None else pytest.approx(pause))


@pytest.mark.parametrize(
    ("name", "waits"),
    [
        ("next_submit_seconds", [1, 1, 2, 5, 10, 20, 30, 60, 60]),
        ("next_ask_seconds", [2, 2, 5, 10, 30, 60, 300, 300, 300]),
    ],
)
def test_pauses_grow_and_the_last_one_repeats(name: str, waits: list[float]) -> None:
    """Back-off after 0, 1, 2 … times, without an end and without an error."""
    pause = getattr(schedule, name)

    assert [pause(times) for times in range(9)] == waits
    assert pause(10**9) == waits[-1]


@given(times=st.integers(min_value=-5, max_value=1000))
def test_pauses_never_shrink(times: int) -> None:
    """One more time without success never means a shorter pause."""
    for pause in (schedule.next_submit_seconds, schedule.next_ask_seconds):
        assert 0 < pause(times) <= pause(times + 1)


@pytest.mark.parametrize(
    ("age", "pause"),
    [(0, 900), (899, 1), (900, DAY - 900), (HOUR, DAY - HOUR), (DAY, None), (9 * DAY, None)],
)
def test_the_audits_of_a_failure(age: float, pause: float | None) -> None:
    """A doubtful failure is asked about at 15 minutes and at 24 hours."""
    assert schedule.next_audit_seconds(age) == pause


@pytest.mark.parametrize(
    ("state", "reason", "due_at"),
    [
        (State.FAILED, "INTERNAL_PROCESSING_ERROR", NOW + 900),
        (State.FAILED, "APPROVAL_REJECTED", None),
        (State.FAILED, None, None),
        (State.SUCCESSFUL, "INTERNAL_PROCESSING_ERROR", None),
    ],
)
def test_only_catch_all_failures_are_audited(
    state: State, reason: str | None, due_at: float | None
) -> None:
    """A clear no, and a success, are believed at once."""
    assert audit_at(state, reason=reason, age_seconds=0.0, now=NOW) == due_at


@pytest.mark.parametrize(
    ("changes", "pause"),
    [
        ({"accepted_at": NOW - 100, "first_sent_at": NOW - 200, "created_at": NOW - 300}, 20),
        ({"accepted_at": None, "first_sent_at": NOW - 200, "created_at": NOW - 300}, 40),
        ({"accepted_at": None, "first_sent_at": None, "created_at": NOW - 300}, 5),
    ],
)
def test_polls_count_from_the_acceptance_if_there_is_one(
    changes: dict[str, float | None], pause: float
) -> None:
    """Else from the first send, else from the creation."""
    assert poll_at(pending(**changes), now=NOW) == NOW + pause


@pytest.mark.parametrize("kind", sorted(PUSH_KINDS | PULL_KINDS))
def test_the_window_of_each_kind(kind: str) -> None:
    """Two minutes when a payer is asked, a day when we pay; each kind is one of the two."""
    is_push = kind in {"transfer", "deposit", "refund", "cash_transfer"}

    assert created(kind=kind).is_push is is_push
    assert schedule.send_window_seconds(is_push=is_push) == (DAY if is_push else 2 * MINUTE)
    assert not PUSH_KINDS & PULL_KINDS


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda path: path.name)
def test_the_core_is_pure(path: Path) -> None:
    """The core imports nothing that could reach a disk, a network, a clock or chance."""
    foreign = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            foreign += [alias.name for alias in node.names if not _is_pure(alias.name)]
        elif isinstance(node, ast.ImportFrom):
            name = node.module or ""
            foreign += [name] if node.level or not _is_pure(name) else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            foreign += [node.func.id] if node.func.id in CLOCKS_AND_DOORS else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            foreign += [node.func.attr] if node.func.attr in CLOCKS_OF_VALUES else []

    assert foreign == []


def _is_pure(name: str) -> bool:
    values = ("momokit.errors", "momokit.money", "momokit.party", "momokit.market",
              "momokit.reasons", "momokit._reason_words", "momokit.models", "momokit.notes",
              "momokit.gateway.core")  # fmt: skip
    if name.startswith("momokit"):
        return any(name == value or name.startswith(f"{value}.") for value in values)
    return name in PURE_MODULES or name.split(".")[0] in PURE_MODULES


@pytest.mark.parametrize("name", ["time", "asyncio", "urllib.request", "socket", "os", "random",
                                  "uuid", "sqlite3",
                                  "sqlalchemy", "httpx2", "momokit.transport",
                                  "momokit.gateway.store.store"])  # fmt: skip
def test_the_test_of_purity_would_notice(name: str) -> None:
    """What must not be imported is not taken for pure."""
    assert _is_pure(name) is False
