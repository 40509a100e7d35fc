"""`momo gateway invoices`: a merchant's bills over the gateway's API, until they are paid.

MTN's own invoice operation by itself is `momo invoice`.
"""

from __future__ import annotations

import re
from typing import Any

import click

from momokit.cli.command import Group, usage
from momokit.cli.exits import OK
from momokit.cli.gateway_http import GatewayClient, gateway_options
from momokit.cli.output import facts, give, table
from momokit.cli.session import session
from momokit.errors import InvalidInput

_ID = "inv_3f0c6a1be0a94b5d8c7e2f113f0c6a1b"
_LINE = re.compile(r"(?P<quantity>[0-9.]+)\s*[x×]\s*(?P<unit>[0-9.]+)\s+(?P<what>\S.*)")
_STATES = ("draft", "sent", "partly_paid", "paid", "overdue", "expired", "cancelled")


@click.group(cls=Group)
def invoices() -> None:
    """Bill a payer, send the bill, follow it until it is paid."""


@invoices.command(
    examples=(
        'momo gateway invoices create 450000 --to "Ama Mensah" --due 2026-12-31 --send',
        'momo gateway invoices create --line "1 x 450000 School fees" --line "12 x 7500 Lunch"',
        "momo gateway invoices create 300000 --allow-partial --minimum 50000 --due 2026-12-31",
    )
)
@click.argument("amount", required=False)
@click.option(
    "--line", "lines", multiple=True, metavar='"N x PRICE TEXT"', help="A line; several may be."
)
@click.option("--number", metavar="TEXT", help="Your own number; INV-000001 … if left out.")
@click.option("--to", "payer_name", metavar="NAME", help="Who is billed.")
@click.option("--phone", metavar="NUMBER", help="Their number, for MTN's own invoice.")
@click.option("--due", "due_date", metavar="DATE", help="The last day to pay: 2026-12-31.")
@click.option("--expires", "expires_at", metavar="TIME", help="After this it takes no money.")
@click.option("--allow-partial", is_flag=True, help="It may be paid in parts.")
@click.option("--minimum", "minimum_amount", metavar="AMOUNT", help="The least of a part.")
@click.option(
    "--remind", "reminders", multiple=True, type=int, metavar="DAYS",
    help="Days before the due day, negative after it; 3 and 0 if left out.",
)  # fmt: skip
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@click.option("--merchant-name", metavar="NAME", help="Who bills; the account's name if left out.")
@click.option("--language", type=click.Choice(["en", "fr"]), help="The payer's browser chooses.")
@click.option("--account", metavar="NAME", help="The account that is paid.")
@click.option("--send", "sends", is_flag=True, help="Send it at once, by its page.")
@gateway_options
def create(sends: bool, url: str | None, key: str | None, **given: Any) -> int:
    """Make an invoice: one AMOUNT, or lines. Nobody can pay it before it is sent."""
    lines = [_line(text) for text in given.pop("lines")]
    payer = {"name": given.pop("payer_name"), "phone": given.pop("phone")}
    reminders = list(given.pop("reminders")) or None
    body = {name: value for name, value in given.items() if value not in (None, "", False)}
    body |= {"payer": {name: value for name, value in payer.items() if value is not None}}
    body |= {"lines": lines} if lines else {}
    body |= {"reminders": reminders} if reminders else {}
    gateway = GatewayClient(url, key)
    made = gateway.post("/v1/invoices", body)
    if sends:
        made = gateway.post(f"/v1/invoices/{made['id']}/send", {})
    return _give(made)


@invoices.command(
    examples=(
        f"momo gateway invoices send {_ID}",
        f'momo gateway invoices send {_ID} --mtn --payee "0772 654 321"',
    )
)
@click.argument("invoice_id")
@click.option("--mtn", is_flag=True, help="As MTN's own invoice, to the payer's phone.")
@click.option("--payee", metavar="NUMBER", help="The number that MTN's invoice is paid to.")
@gateway_options
def send(invoice_id: str, mtn: bool, payee: str | None, url: str | None, key: str | None) -> int:
    """Send an invoice, or send it again; its page keeps its address."""
    if mtn != (payee is not None):
        usage("--mtn and --payee go together.")
    body = {"channel": "mtn", "payee": payee} if mtn else {"channel": "link"}
    return _give(GatewayClient(url, key).post(f"{_path(invoice_id)}/send", body))


@invoices.command(
    "list", examples=("momo gateway invoices list", "momo gateway invoices list --state overdue")
)
@click.option("--state", "states", type=click.Choice(_STATES), help="Only these.")
@click.option("--number", metavar="TEXT", help="Only the one of this number.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@gateway_options
def list_(
    states: str | None, number: str | None, limit: int, url: str | None, key: str | None
) -> int:
    """List invoices, newest first."""
    here = session()
    found = GatewayClient(url, key).get("/v1/invoices", state=states, number=number, limit=limit)
    if here.as_json:
        give(here, found["items"])
        return OK
    rows = [
        (
            one["id"], one["number"], one["state"], f"{one['amount']} {one['currency']}",
            one["amount_due"], one["due_date"] or "",
        )
        for one in found["items"]
    ]  # fmt: skip
    table(here, ("id", "number", "state", "amount", "due", "by"), rows)
    return OK


@invoices.command(examples=(f"momo gateway invoices show {_ID}",))
@click.argument("invoice_id")
@gateway_options
def show(invoice_id: str, url: str | None, key: str | None) -> int:
    """Show an invoice and what happened to it."""
    here = session()
    story = GatewayClient(url, key).get(f"{_path(invoice_id)}/timeline")
    if here.as_json:
        give(here, story)
        return OK
    _give(story["invoice"])
    rows = [
        (one["at"], one["event"], one["amount_paid"], one["payment_id"] or "")
        for one in story["entries"]
    ]
    table(here, ("at", "what", "paid by then", "payment"), rows)
    return OK


@invoices.command(examples=(f"momo gateway invoices cancel {_ID}",))
@click.argument("invoice_id")
@gateway_options
def cancel(invoice_id: str, url: str | None, key: str | None) -> int:
    """Take an invoice back. While a payment of it is open, that payment's end decides."""
    return _give(GatewayClient(url, key).post(f"{_path(invoice_id)}/cancel"))


@invoices.command(examples=(f"momo gateway invoices remind {_ID}",))
@click.argument("invoice_id")
@gateway_options
def remind(invoice_id: str, url: str | None, key: str | None) -> int:
    """Have your application remind the payer now: the webhook invoice.reminder_due."""
    return _give(GatewayClient(url, key).post(f"{_path(invoice_id)}/remind"))


def _line(text: str) -> dict[str, str]:
    found = _LINE.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(
            "A line is a quantity, a price and a text.", field="line", hint='"12 x 7500 Lunch"'
        )
    return {
        "description": found["what"],
        "quantity": found["quantity"],
        "unit_amount": found["unit"],
    }


def _path(invoice_id: str) -> str:
    if not re.fullmatch(r"inv_[0-9a-f]{8,64}", invoice_id):
        raise InvalidInput("An invoice's id is inv_….", field="invoice_id")
    return f"/v1/invoices/{invoice_id}"


def _give(one: dict[str, Any]) -> int:
    state = one["state"] + (" (being cancelled)" if one["cancelling"] else "")
    lines = facts(
        {
            "id": one["id"],
            "number": one["number"],
            "state": state,
            "amount": f"{one['amount']} {one['currency']}",
            "paid": one["amount_paid"],
            "still due": one["amount_due"],
            "under way": one["amount_reserved"] if one["amount_reserved"] != "0" else None,
            "overpaid": one["amount_overpaid"] if one["amount_overpaid"] != "0" else None,
            "to": one["payer_name"],
            "due by": one["due_date"],
            "address": one["url"] or "not sent yet: momo gateway invoices send",
        }
    )
    give(session(), one, *lines)
    return OK
