"""`momo reconcile queue`, `look`, `assign`, `propose`, `close`, `reopen`: discrepancies by hand."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import click

from momokit.cli.command import Command
from momokit.cli.exits import OK
from momokit.cli.gateway_http import GatewayClient, gateway_options
from momokit.cli.options import language_option
from momokit.cli.output import facts, give, table
from momokit.cli.session import session

CLASSES = (
    "at_provider_only", "at_ours_only", "amount", "currency", "status", "duplicate_at_provider",
    "fee", "party", "date_shift", "reversed_later", "balance_drift", "unreadable_row",
)  # fmt: skip
STATES = ("open", "proposed", "closed", "gone")
RESOLUTIONS = ("explained", "corrected_here", "corrected_by_mtn", "refunded", "written_off")
_number = click.argument("number", type=click.IntRange(1))


@click.command(
    cls=Command,
    examples=(
        "momo reconcile queue",
        "momo reconcile queue --class duplicate_at_provider --class amount",
        "momo reconcile queue --state closed --owner amina",
    ),
)
@click.option("--account", metavar="NAME", help="Of this account alone.")
@click.option("--class", "kinds", type=click.Choice(CLASSES), multiple=True, help="Only these.")
@click.option(
    "--state", "states", type=click.Choice(STATES), multiple=True, help="Open and proposed if none."
)
@click.option("--owner", metavar="NAME", help="Only those of this person.")
@click.option("--statement", "statement_id", metavar="ID", help="Only those of this statement.")
@click.option("--after", type=click.IntRange(0), default=0, help="Those after this number.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@language_option
@gateway_options
def queue(
    kinds: tuple[str, ...],
    states: tuple[str, ...],
    url: str | None,
    key: str | None,
    **given: Any,
) -> int:
    """List what does not agree with MTN, the oldest first."""
    here = session()
    words = [("class", one) for one in kinds] + [("state", one) for one in states]
    words += [(name, value) for name, value in given.items() if value not in (None, "")]
    told = GatewayClient(url, key).get(f"/v1/discrepancies?{urlencode(words)}")
    if here.as_json:
        give(here, told)
        return OK
    rows = [
        (
            str(one["id"]), one["class"], one["state"], f"{one['age_seconds'] / 86_400:.0f} d",
            one["payment_id"] or "", f"{one['amount'] or ''} {one['currency'] or ''}".strip(),
            one["owner"] or "", one["what"],
        )
        for one in told["items"]
    ]  # fmt: skip
    table(here, ("number", "class", "state", "age", "payment", "amount", "owner", "what"), rows)
    if told["next_after"]:
        give(here, None, f"More: --after {told['next_after']}")
    return OK


@click.command(cls=Command, examples=("momo reconcile look 17", "momo reconcile look 17 --reveal"))
@_number
@click.option("--reveal", is_flag=True, help="Numbers in plain; takes an admin key.")
@language_option
@gateway_options
def look(number: int, reveal: bool, language: str, url: str | None, key: str | None) -> int:
    """Show a discrepancy: what MTN has, what we have, and who did what."""
    here = session()
    told = GatewayClient(url, key).get(
        f"/v1/discrepancies/{number}", reveal=reveal, language=language
    )
    if here.as_json:
        give(here, told)
        return OK
    give(here, None, *_lines(told["discrepancy"]))
    if told["line"] is not None:
        known = {name: value for name, value in told["line"].items() if value not in (None, "", [])}
        known["texts"] = " | ".join(told["line"]["texts"])
        give(here, None, "", "MTN's line", *(f"  {one}" for one in facts(known)))
    give(here, None, "")
    steps = [
        (one["at"][:16], one["event"], one["actor"], one["note"] or "") for one in told["story"]
    ]
    table(here, ("when", "what", "who", "note"), steps)
    return OK


@click.command(
    cls=Command,
    examples=("momo reconcile assign 17 --to amina", "momo reconcile assign 17 --note 'MTN asked'"),
)
@_number
@click.option("--to", "owner", metavar="NAME", help="Who sees to it.")
@click.option("--note", metavar="TEXT", help="What is known.")
@gateway_options
def assign(
    number: int, owner: str | None, note: str | None, url: str | None, key: str | None
) -> int:
    """Give a discrepancy an owner or a note."""
    given = {name: text for name, text in (("owner", owner), ("note", note)) if text is not None}
    return _say(GatewayClient(url, key).patch(f"/v1/discrepancies/{number}", given))


@click.command(
    cls=Command,
    examples=("momo reconcile propose 17 corrected_by_mtn --note 'Ticket 4711, paid back 3 Nov'",),
)
@_number
@click.argument("resolution", type=click.Choice(RESOLUTIONS))
@click.option("--note", metavar="TEXT", required=True, help="Why.")
@gateway_options
def propose(number: int, resolution: str, note: str, url: str | None, key: str | None) -> int:
    """Propose how a discrepancy ends; another person closes it."""
    body = {"resolution": resolution, "note": note}
    return _say(GatewayClient(url, key).post(f"/v1/discrepancies/{number}/propose", body))


@click.command(cls=Command, examples=("momo reconcile close 17",))
@_number
@gateway_options
def close(number: int, url: str | None, key: str | None) -> int:
    """Close what another person proposed to close, after a look at it."""
    gateway = GatewayClient(url, key)
    seen = gateway.get(f"/v1/discrepancies/{number}")["discrepancy"]
    body = {"fingerprint": seen["fingerprint"]}
    return _say(gateway.post(f"/v1/discrepancies/{number}/close", body))


@click.command(cls=Command, examples=("momo reconcile reopen 17 --note 'It is another payment'",))
@_number
@click.option("--note", metavar="TEXT", required=True, help="Why.")
@gateway_options
def reopen(number: int, note: str, url: str | None, key: str | None) -> int:
    """Turn a proposal down, or open a closed discrepancy again."""
    body = {"note": note}
    return _say(GatewayClient(url, key).post(f"/v1/discrepancies/{number}/reopen", body))


COMMANDS = (queue, look, assign, propose, close, reopen)


def _say(told: Any) -> int:
    give(session(), told, *_lines(told))
    return OK


def _lines(one: Any) -> list[str]:
    details = ", ".join(f"{name} {value}" for name, value in one["details"].items())
    return facts(
        {
            "number": one["id"],
            "class": one["class"],
            "what": one["what"],
            "to do": one["remedy"],
            "state": one["state"],
            "payment": one["payment_id"],
            "day": one["day"],
            "amount": f"{one['amount'] or ''} {one['currency'] or ''}".strip(),
            "details": details,
            "owner": one["owner"],
            "note": one["note"],
            "resolution": one["resolution"],
            "why": one["resolution_note"],
            "proposed by": one["proposed_by"],
            "closed by": one["closed_by"],
        }
    )
