"""`momo gateway links`: pages to pay on, made and closed over the gateway's API; their QR codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from momokit.cli.command import Group, usage
from momokit.cli.exits import OK
from momokit.cli.gateway_http import GatewayClient, gateway_options
from momokit.cli.output import facts, give, table
from momokit.cli.session import session
from momokit.errors import InvalidInput

_HOUR_SECONDS = 3600
_ID = "lnk_3f0c6a1be0a94b5d8c7e2f113f0c6a1b"


@click.group(cls=Group)
def links() -> None:
    """Make payment links and checkouts, and draw their QR codes."""


@links.command(
    examples=(
        'momo gateway links create 5000 --description "Entry, Saturday"',
        "momo gateway links create --minimum 1000 --maximum 50000 --merchant-name 'Food bank'",
        "momo gateway links create 12500 --once --reference 1007 --return-url https://shop.example/",
    )
)
@click.argument("amount", required=False)
@click.option("--minimum", "minimum_amount", metavar="AMOUNT", help="The payer chooses, from this.")
@click.option("--maximum", "maximum_amount", metavar="AMOUNT", help="… up to this.")
@click.option("--once", is_flag=True, help="A checkout: paid once, then over.")
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@click.option(
    "--merchant-name", metavar="NAME", help="Who is paid; the account's name if left out."
)
@click.option("--reference", "merchant_reference", metavar="TEXT", help="Your own number.")
@click.option("--return-url", metavar="URL", help="Where the payer goes back to.")
@click.option("--language", type=click.Choice(["en", "fr"]), help="The payer's browser chooses.")
@click.option("--hours", type=click.IntRange(1, 8784), metavar="N", help="How long it is good.")
@click.option("--account", metavar="NAME", help="The account that is paid.")
@gateway_options
def create(once: bool, hours: int | None, url: str | None, key: str | None, **given: Any) -> int:
    """Make a link that anyone may pay by, or (--once) a page for one order.

    AMOUNT is fixed; with --minimum instead the payer chooses.
    """
    body = {name: value for name, value in given.items() if value not in (None, "")}
    if hours is not None:
        body["expires_in_seconds"] = hours * _HOUR_SECONDS
    path = "/v1/checkouts" if once else "/v1/payment-links"
    return _give(GatewayClient(url, key).post(path, body))


@links.command("list", examples=("momo gateway links list", "momo gateway links list --once"))
@click.option("--once", is_flag=True, help="Checkouts, not links.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@gateway_options
def list_(once: bool, limit: int, url: str | None, key: str | None) -> int:
    """List them, newest first."""
    here = session()
    path = "/v1/checkouts" if once else "/v1/payment-links"
    items = GatewayClient(url, key).get(path, limit=limit)["items"]
    if here.as_json:
        give(here, items)
        return OK
    rows = [
        (
            one["id"], one["state"], _amount(one), one["description"],
            one["merchant_reference"] or "", str(one.get("paid", "")),
        )
        for one in items
    ]  # fmt: skip
    table(here, ("id", "state", "amount", "for", "reference", "paid"), rows)
    return OK


@links.command(examples=(f"momo gateway links show {_ID}",))
@click.argument("link_id")
@gateway_options
def show(link_id: str, url: str | None, key: str | None) -> int:
    """Show one, with its address."""
    return _give(GatewayClient(url, key).get(_path(link_id)))


@links.command(examples=(f"momo gateway links cancel {_ID}",))
@click.argument("link_id")
@gateway_options
def cancel(link_id: str, url: str | None, key: str | None) -> int:
    """Let nobody begin to pay by it; what has begun is followed to its end."""
    return _give(GatewayClient(url, key).post(f"{_path(link_id)}/cancel"))


@links.command(
    examples=(f"momo gateway links qr {_ID}", f"momo gateway links qr {_ID} --output poster.svg")
)
@click.argument("link_id")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file to write, .svg or .png; the terminal if left out.",
)
@gateway_options
def qr(link_id: str, output: Path | None, url: str | None, key: str | None) -> int:
    """Draw the address of a page as a QR code."""
    import segno

    here = session()
    if output is not None and output.suffix not in (".svg", ".png"):
        usage("--output ends in .svg or .png.")
    found = GatewayClient(url, key).get(_path(link_id))
    code = segno.make(found["url"], error="m", micro=False)
    if output is None:
        if here.as_json:
            give(here, {"url": found["url"]})
        else:
            code.terminal(compact=True)
            click.echo(found["url"])
        return OK
    try:
        code.save(str(output), scale=10, border=4)
    except OSError as error:
        raise InvalidInput(
            f"{output} cannot be written: {error.strerror}.", field="output"
        ) from None
    give(here, {"url": found["url"], "file": str(output)}, f"Drawn in {output}: {found['url']}")
    return OK


def _path(link_id: str) -> str:
    for start, path in (("lnk_", "payment-links"), ("chk_", "checkouts")):
        if link_id.startswith(start) and link_id.isascii() and link_id[4:].isalnum():
            return f"/v1/{path}/{link_id}"
    raise InvalidInput("A link is lnk_…, a checkout chk_….", field="link_id")


def _amount(one: dict[str, Any]) -> str:
    if one["amount"] is not None:
        return f"{one['amount']} {one['currency']}"
    return f"{one['minimum_amount']}–{one['maximum_amount'] or ''} {one['currency']}"


def _give(one: dict[str, Any]) -> int:
    lines = facts(
        {
            "id": one["id"],
            "state": one["state"],
            "amount": _amount(one),
            "to": one["merchant_name"],
            "for": one["description"],
            "reference": one["merchant_reference"],
            "address": one["url"],
            "payment": one.get("payment_id"),
            "paid": one.get("paid"),
            "good until": one["expires_at"],
        }
    )
    give(session(), one, *lines)
    return OK
