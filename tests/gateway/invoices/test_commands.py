"""`momo gateway links` and `invoices`, against a running gateway, as a merchant types them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.cli.runner import Ran, run
from tests.gateway.journeys.whole import PAYEE, PAYER, Whole, whole

pytestmark = pytest.mark.anyio


async def momo(gateway: Whole, *words: str) -> Ran:
    """Run the command beside the gateway."""
    environment = {
        "MOMO_GATEWAY_URL": str(gateway.http.base_url).rstrip("/"),
        "MOMO_GATEWAY_KEY": gateway.http.headers["authorization"].removeprefix("Bearer "),
    }
    return await asyncio.to_thread(run, "gateway", *words, **environment)


async def test_a_link_is_made_drawn_and_closed(sqlite_url: str, tmp_path: Path) -> None:
    """Create, list, show, QR code to a file and to the terminal, cancel."""
    poster = tmp_path / "poster.svg"
    async with whole(sqlite_url) as gateway:
        made = await momo(gateway, "links", "create", "5", "--description", "Entry", "--json")
        link_id = made.json["id"]
        listed = await momo(gateway, "links", "list")
        shown = await momo(gateway, "links", "show", link_id)
        drawn = await momo(gateway, "links", "qr", link_id, "--output", str(poster))
        seen = await momo(gateway, "links", "qr", link_id)
        closed = await momo(gateway, "links", "cancel", link_id, "--json")
        once = await momo(gateway, "links", "create", "5", "--once", "--hours", "2", "--json")
        wrong = await momo(gateway, "links", "show", "lnk_../x")

    assert made.json["state"] == "open"
    assert (link_id in listed.out, made.json["url"] in shown.out) == (True, True)
    assert (drawn.code, poster.read_text()[:4]) == (0, "<?xm")
    assert made.json["url"] in seen.out
    assert closed.json["state"] == "cancelled"
    assert once.json["id"].startswith("chk_")
    assert wrong.code == 2


async def test_an_invoice_from_draft_to_cancelled(sqlite_url: str) -> None:
    """Create with lines, send, list, show, remind, cancel; the sum is the lines'."""
    async with whole(sqlite_url) as gateway:
        made = await momo(
            gateway, "invoices", "create", "--line", "1 x 450 School fees",
            "--line", "12 x 7.50 Lunch", "--to", "Ama Mensah", "--due", "2099-12-31",
            "--remind", "7", "--remind", "0", "--json",
        )  # fmt: skip
        invoice_id = made.json["id"]
        sent = await momo(gateway, "invoices", "send", invoice_id)
        listed = await momo(gateway, "invoices", "list", "--state", "sent")
        reminded = await momo(gateway, "invoices", "remind", invoice_id, "--json")
        shown = await momo(gateway, "invoices", "show", invoice_id)
        cancelled = await momo(gateway, "invoices", "cancel", invoice_id, "--json")

    assert (made.json["amount"], made.json["reminders"]) == ("540", [7, 0])
    assert "/pay/" in sent.out
    assert invoice_id in listed.out
    assert reminded.code == 0
    assert "invoice.reminder_due" in shown.out
    assert cancelled.json["state"] == "cancelled"


async def test_an_invoice_through_mtn_is_paid_like_any(sqlite_url: str) -> None:
    """Sent as MTN's own invoice it is paid on the payer's phone, and the books follow."""
    async with whole(sqlite_url) as gateway:
        made = await momo(
            gateway, "invoices", "create", "10", "--phone", f"+{PAYER}", "--send", "--json"
        )
        path = f"/v1/invoices/{made.json['id']}"
        sent = await momo(
            gateway, "invoices", "send", made.json["id"], "--mtn", "--payee", f"+{PAYEE}"
        )
        await gateway.until_quiet()
        after = (await gateway.http.get(path)).json()

    assert sent.code == 0, sent.err
    assert (after["state"], after["amount_paid"]) == ("paid", "10")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("invoices", "create"), 2),
        (("invoices", "create", "10", "--line", "lunch"), 2),
        (("invoices", "create", "10", "--due", "tomorrow"), 2),
        (("invoices", "show", "inv_0000000000000000"), 2),
        (("invoices", "send", "inv_0000000000000000", "--mtn"), 2),
        (("links", "create"), 2),
    ],
)
async def test_what_makes_no_sense_is_refused(
    sqlite_url: str, words: tuple[str, ...], code: int
) -> None:
    """Nothing is made, and the exit code says whose move it is."""
    async with whole(sqlite_url) as gateway:
        ran = await momo(gateway, *words)
        made = (await gateway.http.get("/v1/invoices")).json()["items"]

    assert (ran.code, made) == (code, [])
