"""Invoices through time: reminders, overdue, expired, told by signed webhooks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from momokit.gateway.store.deliveries import list_deliveries
from momokit.gateway.store.invoice_life import follow_time
from momokit.gateway.store.link_tables import invoices
from tests.gateway.journeys.whole import Whole, whole
from tests.gateway.pages.payer import Payer, invoice, read

pytestmark = pytest.mark.anyio

DAY = 86_400.0


def due_in(gateway: Whole, days: int) -> str:
    """Name the day that is so many days from now."""
    today = datetime.fromtimestamp(gateway.clock.now(), UTC)
    return (today + timedelta(days=days)).date().isoformat()


async def pass_days(gateway: Whole, days: int) -> None:
    """Let days pass, looking each hour as the gateway's own chore does."""
    for _ in range(days * 24):
        gateway.clock.jump_to(gateway.clock.now() + DAY / 24)
        await gateway.gateway.store.write(follow_time)


async def told(gateway: Whole, made: dict[str, Any]) -> list[str]:
    """Name what happened to an invoice."""
    story = await read(gateway, f"/v1/invoices/{made['id']}/timeline")
    return [one["event"] for one in story["entries"]]


async def test_reminders_then_overdue_then_expired(url: str) -> None:
    """Each date is told once, in order, on both databases; an expired one takes no money."""
    async with whole(url) as gateway, httpx2.AsyncClient(trust_env=False) as http:
        ends = datetime.fromtimestamp(gateway.clock.now() + 10 * DAY, UTC)
        made = await invoice(
            gateway, due_date=due_in(gateway, 5), reminders=[3, 0, -2], expires_at=ends.isoformat()
        )
        await pass_days(gateway, 12)
        story = await told(gateway, made)
        after = await read(gateway, f"/v1/invoices/{made['id']}")
        page = await Payer(gateway, made["url"], http).open()

    assert story == [
        "invoice.sent", "invoice.reminder_due", "invoice.reminder_due", "invoice.overdue",
        "invoice.reminder_due", "invoice.expired",
    ]  # fmt: skip
    assert (after["state"], page.phase) == ("expired", "expired")


async def test_an_overdue_invoice_is_still_paid(sqlite_url: str) -> None:
    """Late money is money; nobody is reminded of what is paid."""
    async with whole(sqlite_url) as gateway, httpx2.AsyncClient(trust_env=False) as http:
        made = await invoice(gateway, due_date=due_in(gateway, 1), reminders=[-3])
        await pass_days(gateway, 3)
        late = await read(gateway, f"/v1/invoices/{made['id']}")
        payer = Payer(gateway, made["url"], http)
        page = await payer.open()
        await payer.pay()
        await gateway.until_quiet()
        await pass_days(gateway, 5)
        story = await told(gateway, made)

    assert late["state"] == "overdue"
    assert "Overdue" in page.text
    assert story == ["invoice.sent", "invoice.overdue", "invoice.paid"]


async def test_a_draft_sent_late_reminds_of_no_past_day(sqlite_url: str) -> None:
    """Days that passed while it was a draft are past."""
    async with whole(sqlite_url) as gateway:
        made = await invoice(gateway, send=False, due_date=due_in(gateway, 5), reminders=[4, 3, 0])
        await pass_days(gateway, 3)
        await gateway.post(f"/v1/invoices/{made['id']}/send", {})
        await gateway.gateway.store.write(follow_time)
        story = await told(gateway, made)

    assert story == ["invoice.sent"]


async def test_reminding_by_hand(sqlite_url: str) -> None:
    """The merchant may ask for a reminder at any time while it is payable, and not before."""
    async with whole(sqlite_url) as gateway:
        made = await invoice(gateway, send=False)
        early = await gateway.post(f"/v1/invoices/{made['id']}/remind", {})
        await gateway.post(f"/v1/invoices/{made['id']}/send", {})
        later = await gateway.post(f"/v1/invoices/{made['id']}/remind", {})
        story = await told(gateway, made)

    assert (early.status_code, early.json()["code"]) == (409, "invoice_not_payable")
    assert later.status_code == 200
    assert story == ["invoice.sent", "invoice.reminder_due"]


async def test_every_event_is_a_webhook_to_whoever_wants_it(sqlite_url: str) -> None:
    """Endpoints that filter for invoices get these, in order, with an id of their own each."""
    async with whole(sqlite_url) as gateway, httpx2.AsyncClient(trust_env=False) as http:
        for events in (["invoice.paid"], [], ["payment.successful"]):
            body = {"url": "http://127.0.0.1:9/hook", "events": events}
            assert (await gateway.post("/v1/webhook-endpoints", body)).status_code == 201
        made = await invoice(gateway, metadata={"basket": "7"})
        payer = Payer(gateway, made["url"], http)
        await payer.open()
        await payer.pay()
        await gateway.until_quiet(horizon_seconds=60)
        found = await gateway.gateway.store.read(
            lambda t: list_deliveries(t, invoice_id=made["id"])
        )
        replayed = await gateway.post(f"/v1/webhook-deliveries/{found[0].id}/replay", {})

    assert [one.event for one in reversed(found)] == ["invoice.sent", *["invoice.paid"] * 2]
    assert {one.payment_id for one in found} == {None}
    assert len({one.webhook_id for one in found}) == 2
    assert b'"metadata":{"basket":"7"}' in found[0].body
    assert replayed.status_code == 202


async def test_what_time_has_seen_to_costs_nothing_more(sqlite_url: str) -> None:
    """A paid invoice has no next date to be looked at for."""
    async with whole(sqlite_url) as gateway, httpx2.AsyncClient(trust_env=False) as http:
        made = await invoice(gateway, due_date=due_in(gateway, 5))
        query = select(invoices.c.next_at)
        before = await gateway.gateway.store.read(
            lambda t: t.connection.execute(query).scalar_one()
        )
        payer = Payer(gateway, made["url"], http)
        await payer.open()
        await payer.pay()
        await gateway.until_quiet()
        after = await gateway.gateway.store.read(lambda t: t.connection.execute(query).scalar_one())

    assert before is not None
    assert after is None
