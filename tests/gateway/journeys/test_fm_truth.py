"""What is true of a payment when MTN, a person and our own wishes do not agree."""

from __future__ import annotations

from typing import Any

import pytest

from momokit.gateway.core.facts import PersonSays
from momokit.gateway.core.schedule import DAY
from momokit.gateway.steps.put_on_record import put_on_record
from momokit.gateway.store.incidents import open_incidents
from tests.gateway.journeys.whole import PAYEE, PAYER, Whole, whole

pytestmark = pytest.mark.anyio


async def told(gateway: Whole, payment_id: str) -> dict[str, Any]:
    """Read a payment as its merchant does."""
    answer = await gateway.http.get(f"/v1/payments/{payment_id}")
    return dict(answer.json())


async def cancel(gateway: Whole, payment_id: str) -> tuple[int, dict[str, Any]]:
    """Ask for a payment to be cancelled."""
    answer = await gateway.http.post(f"/v1/payments/{payment_id}/cancel")
    return answer.status_code, answer.json()


async def test_fm_10_409_on_a_first_send_holds_the_accounts_sends(sqlite_url: str) -> None:
    """These books may be a copy: nothing more is sent until a person resumes, all is asked."""
    async with whole(sqlite_url, sends_at_once=1) as gateway:
        gateway.emulator.faults.add("first_409", times=1)
        first = await gateway.pay("transfer")
        others = [await gateway.pay("transfer", amount=str(n)) for n in range(6, 9)]
        await gateway.until_quiet(horizon_seconds=600.0)
        account, incidents = await gateway.account(), await gateway.incidents()
        held = [one.state.value for one in [await gateway.stored(other) for other in others]]
        await gateway.gateway.refresh_book()
        refused = await gateway.post("/v1/payments", {"kind": "transfer", "amount": "5",
                                                      "party": PAYEE})  # fmt: skip
        await gateway.resume()
        await gateway.until_quiet(horizon_seconds=600.0)
        truths = await gateway.truths(others)
        state = (await gateway.stored(first)).state.value

    assert "before it was first sent" in str(account.paused_reason)
    assert ["before it was first sent" in text for text in incidents] == [True]
    assert (held, refused.status_code) == (["created"] * 3, 409)
    assert (truths, state) == ([("successful", 1)] * 3, "pending")


async def test_fm_29_the_same_is_raised_once_and_counted(sqlite_url: str) -> None:
    """An answer about other money comes at every poll: one incident, and how often it was seen."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.faults.add(
            "wrong_amount", operation="RequesttoPayTransactionStatus", times=4
        )
        await gateway.pay()
        await gateway.until_quiet()
        raised = await gateway.gateway.store.read(open_incidents)

    assert [one.times for one in raised] == [4]
    assert (raised[0].last_seen_at or 0.0) > raised[0].at


async def test_fm_08_what_was_never_shown_and_moved_all_the_same_is_corrected(
    sqlite_url: str,
) -> None:
    """MTN knew nothing of it for long, and has it: the audit finds it, and the merchant hears."""
    async with whole(sqlite_url) as gateway:
        faults = gateway.emulator.faults
        faults.add("drop_response", operation="RequesttoPay", script=[True])
        faults.add("lag_404", operation="RequesttoPay", seconds=DAY / 2, script=[True])
        faults.add("drop_request", operation="RequesttoPay", script=[False] + [True] * 1000)
        payment_id = await gateway.pay()
        await gateway.until_quiet()
        events, truths = await gateway.events(payment_id), await gateway.truths([payment_id])
        story = await gateway.gateway.store.timeline(payment_id)

    ends = [one for one in events if one in ("failed", "corrected")]
    assert (ends, truths) == (["failed", "corrected"], [("successful", 1)])
    assert story is not None
    assert [one.details["reason"] for one in story.events if one.event == "failed"] == [
        "NEVER_RECEIVED"
    ]


async def test_an_invoice_that_mtn_has_is_cancelled_by_mtn(sqlite_url: str) -> None:
    """Asked once, or twice: one cancellation, and it is over when MTN's status says so."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.scenarios.set(identifier=PAYER, outcome="Ongoing")
        payment_id = await gateway.pay("invoice", party=PAYER, invoice={"payee": PAYEE})
        await gateway.until_quiet(horizon_seconds=30.0)
        first, second = await cancel(gateway, payment_id), await cancel(gateway, payment_id)
        await gateway.until_quiet()
        now = await told(gateway, payment_id)
        again = await cancel(gateway, payment_id)
        asked, events = gateway.asked("CancelInvoice"), await gateway.events(payment_id)

    assert [(code, body["state"], body["cancel_requested"]) for code, body in (first, second)] == [
        (202, "pending", True)
    ] * 2
    assert (now["state"], now["reason"]["code"]) == ("failed", "TRANSACTION_CANCELED")
    assert (again[0], asked) == (200, 1)
    assert [one for one in events if one.startswith("cancel")][-1] == "cancel_taken"


@pytest.mark.parametrize("fault", ["drop_request", "drop_response"])
async def test_a_cancellation_whose_answer_is_lost_is_asked_about_first(
    fault: str, sqlite_url: str
) -> None:
    """Lost on the way there it is sent again, under its number; lost on the way back it is seen."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.scenarios.set(identifier=PAYER, outcome="Ongoing")
        gateway.emulator.faults.add(fault, operation="CancelInvoice", times=1)
        payment_id = await gateway.pay("invoice", party=PAYER, invoice={"payee": PAYEE})
        await gateway.until_quiet(horizon_seconds=30.0)
        await cancel(gateway, payment_id)
        await gateway.until_quiet()
        now, asked = await told(gateway, payment_id), gateway.asked("CancelInvoice")

    assert (now["state"], now["reason"]["code"]) == ("failed", "TRANSACTION_CANCELED")
    assert asked == (2 if fault == "drop_request" else 1)


async def test_a_pre_approval_that_was_given_is_cancelled_by_mtn(sqlite_url: str) -> None:
    """It was granted, and ends when MTN's list shows it as cancelled; nothing is raised."""
    async with whole(sqlite_url) as gateway:
        answer = await gateway.post("/v1/pre-approvals", {"party": PAYER})
        payment_id = answer.json()["id"]
        await gateway.until_quiet()
        granted = await told(gateway, payment_id)
        code, _ = await cancel(gateway, payment_id)
        await gateway.until_quiet()
        now, incidents = await told(gateway, payment_id), await gateway.incidents()

    assert (granted["state"], granted["settled_by"], code) == ("successful", "mtn", 202)
    assert (now["state"], now["reason"]["code"]) == ("failed", "TRANSACTION_CANCELED")
    assert incidents == []


async def test_a_request_to_pay_that_has_left_is_not_cancelled(sqlite_url: str) -> None:
    """MTN has no way to take it back, so neither has the merchant."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.scenarios.set(identifier=PAYER, outcome="Ongoing")
        payment_id = await gateway.pay()
        await gateway.until_quiet(horizon_seconds=30.0)
        code, problem = await cancel(gateway, payment_id)

    assert (code, problem["code"]) == (409, "cannot_cancel")


async def test_fm_02_a_person_ends_what_nobody_else_can_and_mtn_may_correct_it(
    sqlite_url: str,
) -> None:
    """Eight silent days, a person's word with evidence, and then MTN says otherwise."""
    async with whole(sqlite_url) as gateway:
        gateway.emulator.faults.add("stuck_pending", times=1)
        payment_id = await gateway.pay("transfer")
        await gateway.until_quiet(horizon_seconds=8 * DAY)
        says = PersonSays(
            outcome="failed", evidence=f"statement has no {PAYEE}", because="case 4711", by="Ama"
        )
        await put_on_record(payment_id, says, store=gateway.gateway.store)
        ours = await told(gateway, payment_id)
        story = await gateway.gateway.store.timeline(payment_id)
        stored = await gateway.stored(payment_id)
        gateway.emulator.decide(stored.request.reference_id, "approve")
        await gateway.until_quiet(horizon_seconds=2 * DAY)
        theirs, incidents = await told(gateway, payment_id), await gateway.incidents()

    assert (ours["state"], ours["settled_by"], ours["review"]) == ("failed", "person", False)
    assert ours["reason"]["new_attempt_is_safe"] is False
    assert story is not None
    assert story.events[-1].details["evidence"] == "statement has no •••902"
    assert (theirs["state"], theirs["settled_by"]) == ("successful", "mtn")
    assert "A person put on record failed, and MTN says successful." in incidents
