"""`momo gateway review`: what waits for a person, and a person's word put on record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import Fact, Taken, Told
from momokit.gateway.core.schedule import DAY
from momokit.gateway.settings import VARIABLES, GatewaySettings
from momokit.gateway.start import open_store
from momokit.gateway.store.store import Store
from tests.gateway.store.making import accept, add_account

from .runner import Ran, run

Operator: TypeAlias = Callable[..., Ran]
KEY = bytes(range(32)).hex()
WORDS = ("--evidence", "statement, page 3", "--because", "case 4711", "--by", "Ama")


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """Give `momo gateway review` on a database with payments `pay_old` and `pay_new`."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    asyncio.run(_fill(GatewaySettings(secret_key=KEY, database_url=url, metrics_port=0)))

    def operate(*words: str) -> Ran:
        return run(
            "gateway", "review", *words, MOMO_DATABASE_URL=url, MOMO_GATEWAY_SECRET_KEY=KEY,
            MOMO_GATEWAY_METRICS_PORT="0",
        )  # fmt: skip

    return operate


async def _fill(settings: GatewaySettings) -> None:
    store = await open_store(settings, migrates=True)
    await add_account(store, "acc_1")
    await accept(store, "old", "new", kind="transfer")
    await _learn(store, "pay_old", Told(status="PENDING"), later_seconds=8 * DAY)
    await _learn(store, "pay_new", Taken())
    for _ in range(2):
        await _learn(store, "pay_new", Told(status="SUCCESSFUL", currency="EUR"))
    await store.record(
        "pay_new", lambda p, now: decide(p, Told(status="PENDING"), now=now), lease_token=None
    )
    store.close()


async def _learn(store: Store, payment_id: str, fact: Fact, *, later_seconds: float = 0) -> None:
    await store.record(
        payment_id, lambda payment, now: decide(payment, fact, now=now + later_seconds),
        lease_token=None,
    )  # fmt: skip


def test_what_repeats_is_listed_once(operator: Operator) -> None:
    """An incident shows how often it was seen, and when it was seen last."""
    listed = operator("list", "--json").json

    assert [(one["payment_id"], one["times"]) for one in listed["incidents"]] == [("pay_new", 2)]
    assert sorted(one["payment_id"] for one in listed["payments"]) == ["pay_new", "pay_old"]


def test_a_persons_word_ends_what_waits_for_one(operator: Operator) -> None:
    """It is on record, and waits no more."""
    settled = operator("settle", "pay_old", "--outcome", "failed", *WORDS, "--json")
    waiting = operator("list", "--json").json["payments"]
    again = operator("settle", "pay_old", "--outcome", "successful", *WORDS, "--json")

    assert settled.code == 0
    assert settled.json == {
        "payment_id": "pay_old", "settled": True, "outcome": "failed", "by": "Ama",
    }  # fmt: skip
    assert [one["payment_id"] for one in waiting] == ["pay_new"]
    assert (again.code, again.error["field"]) == (2, "payment_id")


@pytest.mark.parametrize("left_out", ["--evidence", "--because", "--by"])
def test_a_word_without_evidence_is_none(left_out: str, operator: Operator) -> None:
    """Each part of it is required."""
    words = list(WORDS)
    at = words.index(left_out)
    ran = operator("settle", "pay_old", "--outcome", "failed", *words[:at], *words[at + 2 :])

    assert ran.code == 2


def test_a_payment_that_is_not_there_is_said_so(operator: Operator) -> None:
    """There is nothing to settle."""
    ran = operator("settle", "pay_nothing", "--outcome", "failed", *WORDS, "--json")

    assert (ran.code, ran.json["settled"]) == (7, False)
