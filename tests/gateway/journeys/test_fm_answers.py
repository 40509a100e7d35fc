"""Rows of the failure matrix about what MTN answers, or does not, by the emulator's faults."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.journeys.whole import PAYEE, PAYER, whole

pytestmark = pytest.mark.anyio

ASKS = ("RequesttoPayTransactionStatus", "GetTransferStatus")
LOST: list[tuple[str, dict[str, Any]]] = [
    ("drop_request", {"how": "close"}),
    ("drop_request", {"how": "reset"}),
    ("drop_request", {"how": "hang"}),
    ("drop_response", {"how": "close"}),
    ("drop_response", {"how": "reset"}),
    ("drop_response", {"how": "hang"}),
    ("reset", {"stage": "before"}),
    ("reset", {"stage": "after"}),
    ("reset", {"stage": "headers"}),
    ("status", {"code": 503, "processed": False}),
    ("status", {"code": 503, "processed": True}),
    ("status", {"code": 500, "body_code": "INTERNAL_PROCESSING_ERROR", "processed": True}),
]
UNREADABLE: list[tuple[str, dict[str, Any]]] = [
    ("html_error", {"code": 502, "processed": True}),
    ("html_error", {"code": 502, "processed": False}),
    ("html_error", {"code": 200, "processed": False}),
    ("status", {"code": 302, "body_code": "", "processed": False}),
    ("truncate", {"n": 10}),
    ("slowloris", {"n": 1, "seconds": 0.5}),
]


def number(index: int) -> str:
    """Give each fault a party of its own to take hold of."""
    return f"467331239{index:02}"


@pytest.mark.parametrize("kind", ["request_to_pay", "transfer"])
async def test_fm_01_a_lost_exchange_moves_money_once(kind: str, url: str) -> None:
    """At whatever stage it is lost, the payment ends with the truth, under its one id."""
    async with whole(url, deadline_seconds=1.0) as gateway:
        for index, (name, parameters) in enumerate(LOST):
            gateway.emulator.faults.add(name, identifier=number(index), times=1, **parameters)
        ids = [await gateway.pay(kind, party=number(index)) for index in range(len(LOST))]
        await gateway.until_quiet()
        truths = await gateway.truths(ids)
        doubted = ["outcome_unknown" in await gateway.events(one) for one in ids]

    assert truths == [("successful", 1)] * len(LOST)
    assert doubted == [True] * len(LOST)


async def test_fm_32_an_unreadable_answer_is_no_answer(sqlite_url: str) -> None:
    """Pages, cut bodies, drips and redirects: neither a yes nor a no to a send or a question."""
    async with whole(sqlite_url, deadline_seconds=1.0) as gateway:
        faults = gateway.emulator.faults
        for index, (name, parameters) in enumerate(UNREADABLE):
            faults.add(name, identifier=number(index), times=1, **parameters)
        faults.script(
            ["bad_json", "html_error(200)", "truncate(5)", "slowloris(1, 0.5)", "status(302)"],
            operation="RequesttoPayTransactionStatus",
        )
        ids = [await gateway.pay(party=number(index)) for index in range(len(UNREADABLE))]
        await gateway.until_quiet()
        truths = await gateway.truths(ids)
        left = [fault.name for fault in faults]

    assert truths == [("successful", 1)] * len(UNREADABLE)
    assert left == []


async def test_fm_02_eight_days_of_silence_end_before_a_person(sqlite_url: str) -> None:
    """Pending for ever is pending: never failed, never sent again, shown after seven days."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.faults.add("stuck_pending")
        began = gateway.clock.now()
        ids = [await gateway.pay(), await gateway.pay("transfer")]
        await gateway.until_quiet(horizon_seconds=8 * 86_400.0)
        stored = [await gateway.stored(one) for one in ids]
        sent = gateway.asked("RequesttoPay"), gateway.asked("Transfer")
        shown = (await gateway.http.get("/v1/payments?review=true")).json()["items"]
        moved = [gateway.moved(one).times for one in stored]
        told = [await gateway.events(one) for one in ids]
        passed_days = (gateway.clock.now() - began) / 86_400.0

    assert [(one.state.value, one.review) for one in stored] == [("pending", True)] * 2
    assert {one["id"] for one in shown} == set(ids)
    assert [one for one in told if {"failed", "successful"} & set(one)] == []
    assert (sent, moved) == ((1, 1), [0, 0])
    assert passed_days > 6.9


async def test_fm_09_409_for_our_own_id_is_a_yes(sqlite_url: str) -> None:
    """The answer is lost and MTN shows nothing yet: the same id goes again, and 409 is a yes."""
    async with whole(sqlite_url) as gateway:
        faults = gateway.emulator.faults
        faults.add("drop_response", operation="RequesttoPay", times=1)
        faults.add("lag_404", operation="RequesttoPay", seconds=60.0, times=1)
        payment_id = await gateway.pay()
        await gateway.until_quiet()
        truths = await gateway.truths([payment_id])
        answers = [
            one.status for one in gateway.emulator.history if one.operation == "RequesttoPay"
        ]
        incidents = await gateway.incidents()

    assert truths == [("successful", 1)]
    assert answers[1:] == [409]
    assert incidents == []


@pytest.mark.parametrize("seconds", [1.0, 30.0, 120.0])
async def test_fm_11_what_shows_late_is_waited_for(seconds: float, sqlite_url: str) -> None:
    """Accepted, and not to be found for a while: no failure, and no second send."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.faults.add("lag_404", seconds=seconds)
        ids = [await gateway.pay(), await gateway.pay("transfer")]
        await gateway.until_quiet()
        truths = await gateway.truths(ids)
        sent = gateway.asked("RequesttoPay"), gateway.asked("Transfer")

    assert truths == [("successful", 1)] * 2
    assert sent == (1, 1)


async def test_fm_11_what_was_accepted_and_forgotten_is_shown_to_a_person(
    sqlite_url: str,
) -> None:
    """202, then never known: nothing proves that it did not move, so it has not failed."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.faults.add("silent_reject", times=1)
        payment_id = await gateway.pay("transfer")
        await gateway.until_quiet()
        stored = await gateway.stored(payment_id)

    assert (stored.state.value, stored.review) == ("pending", True)


@pytest.mark.parametrize("name", ["wrong_amount", "swap_bodies"])
async def test_fm_29_an_answer_about_other_money_is_not_believed(
    name: str, sqlite_url: str
) -> None:
    """It is raised, the payment stays open, and the right answer ends it."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.faults.add(name, operation="RequesttoPayTransactionStatus", times=2)
        ids = [await gateway.pay(amount="5"), await gateway.pay(amount="7")]
        await gateway.until_quiet()
        truths = await gateway.truths(ids)
        incidents = await gateway.incidents()

    assert truths == [("successful", 1)] * 2
    assert ["another" in text for text in incidents] == [True, True]


async def test_fm_08_a_failure_that_becomes_a_success_is_corrected(url: str) -> None:
    """A catch-all failure is asked about again; what MTN then says is told and raised."""
    async with whole(url) as gateway:
        gateway.emulator.faults.add("flip_final", script=[False, True, True])
        payment_id = await gateway.pay(party="46733123450")  # INTERNAL_PROCESSING_ERROR
        await gateway.until_quiet()
        events = await gateway.events(payment_id)
        state = (await gateway.stored(payment_id)).state
        incidents = await gateway.incidents()

    assert state == "successful"
    assert [one for one in events if one in ("failed", "corrected")] == ["failed", "corrected"]
    assert len(incidents) == 1


async def test_fm_30_a_hundred_at_once_keep_their_own_ids(sqlite_url: str) -> None:
    """MTN's books and ours agree on which id is which amount, party and kind."""
    async with whole(sqlite_url, sends_at_once=64) as gateway:
        wanted = [("request_to_pay", PAYER), ("transfer", PAYEE)] * 50
        for index, (kind, party) in enumerate(wanted):
            await gateway.pay(kind, amount=str(index + 1), party=party)
        await gateway.until_quiet()
        sent = gateway.emulator.payments()
        ours = [
            (one.request.reference_id, one.id, one.payment.amount, one.payment.party_id)
            for one in await gateway.all()
        ]

    theirs = [(one.reference_id, one.external_id, one.amount, one.party_id) for one in sent]
    assert sorted(theirs) == sorted((a, b, str(c), str(d)) for a, b, c, d in ours)
