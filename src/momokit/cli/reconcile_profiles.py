"""`momo reconcile profiles` and `codes`: how statements are read, where movements are booked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from momokit.cli.command import Group
from momokit.cli.exits import OK, PROBLEMS_FOUND
from momokit.cli.gateway_http import GatewayClient, gateway_options
from momokit.cli.output import facts, give, table
from momokit.cli.session import session
from momokit.errors import InvalidInput

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_PATH = "/v1/reconciliation/profiles"


@click.group(cls=Group)
def profiles() -> None:
    """List, show, set and test how statements are read.

    MTN publishes no format: what is shipped is a guess. Try it on your first statement, correct it,
    and keep it.
    """


@profiles.command("list", examples=("momo reconcile profiles list",))
@gateway_options
def list_(url: str | None, key: str | None) -> int:
    """List the profiles, and which of them are guesses."""
    here = session()
    items = GatewayClient(url, key).get(_PATH)["items"]
    if here.as_json:
        give(here, items)
        return OK
    rows = [
        (
            one["name"], "guess" if one["profile"]["guess"] else "confirmed", one["source"],
            one["changed_by"] or "", (one["changed_at"] or "")[:10],
        )
        for one in items
    ]  # fmt: skip
    table(here, ("name", "trust", "source", "changed by", "on"), rows)
    return OK


@profiles.command(
    examples=(
        "momo reconcile profiles show uganda",
        "momo reconcile profiles show uganda > uganda.json",
    )
)
@click.argument("name")
@gateway_options
def show(name: str, url: str | None, key: str | None) -> int:
    """Write a profile as JSON, to be edited and set again."""
    told = GatewayClient(url, key).get(f"{_PATH}/{name}")["profile"]
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    return OK


@profiles.command("set", examples=("momo reconcile profiles set uganda uganda.json",))
@click.argument("name")
@click.argument("file", type=_file)
@gateway_options
def set_(name: str, file: Path, url: str | None, key: str | None) -> int:
    """Keep a profile from a JSON file. What was imported stays as it was read."""
    told = GatewayClient(url, key).put(f"{_PATH}/{name}", _json(file))
    give(session(), told, f"{name} is kept; try it with: momo reconcile profiles test FILE")
    return OK


@profiles.command(
    examples=(
        "momo reconcile profiles test october.csv",
        "momo reconcile profiles test october.xlsx --account ghana --profile ghana-portal",
    )
)
@click.argument("file", type=_file)
@click.option("--account", metavar="NAME", help="Whose market it is, if there are several.")
@click.option("--profile", metavar="NAME", help="Another profile than the market's.")
@gateway_options
def test(
    file: Path, account: str | None, profile: str | None, url: str | None, key: str | None
) -> int:
    """Read a statement by a profile and show what comes of it; nothing is kept.

    Exits with 8 when rows cannot be read, or the balances do not follow from the lines.
    """
    here = session()
    told = GatewayClient(url, key).upload(
        "/v1/statements/try", file, account=account, profile=profile
    )
    drifts = [one for one in told["days"] if one["difference"] not in (None, "0")]
    wrong = bool(told["counts"].get("unreadable")) or bool(drifts)
    if here.as_json:
        give(here, told)
        return PROBLEMS_FOUND if wrong else OK
    _show(told, drifts)
    return PROBLEMS_FOUND if wrong else OK


@click.group(cls=Group)
def codes() -> None:
    """Show and set the ledger's account codes for journal lines."""


@codes.command("show", examples=("momo reconcile codes show",))
@gateway_options
def show_codes(url: str | None, key: str | None) -> int:
    """Show which account of the ledger each movement goes to."""
    told = GatewayClient(url, key).get("/v1/reconciliation/ledger-codes")
    give(session(), told, *facts(told))
    return OK


@codes.command(
    "set",
    examples=("momo reconcile codes set float=1130 collections=4010 fees=6270",),
)
@click.argument("pairs", nargs=-1, required=True, metavar="NAME=CODE …")
@gateway_options
def set_codes(pairs: tuple[str, ...], url: str | None, key: str | None) -> int:
    """Set account codes; those that are not named stay as they are."""
    gateway = GatewayClient(url, key)
    known = gateway.get("/v1/reconciliation/ledger-codes")
    for pair in pairs:
        name, sign, code = pair.partition("=")
        if not sign or name not in known:
            raise InvalidInput(
                f"{pair!r} is not NAME=CODE.", field="pairs", hint=f"Names: {', '.join(known)}."
            )
        known[name] = code
    told = gateway.put("/v1/reconciliation/ledger-codes", known)
    give(session(), told, *facts(told))
    return OK


def _show(told: Any, drifts: list[Any]) -> None:
    here = session()
    counts = ", ".join(f"{count} {name}" for name, count in told["counts"].items())
    give(
        here,
        None,
        *facts(
            {
                "profile": told["profile"],
                "header in row": told["header_row"],
                "rows": counts,
                "opening balance": told["opening_balance"],
                "closing balance": told["closing_balance"],
                "days whose balances break": ", ".join(one["day"] for one in drifts),
            }
        ),
        "",
    )
    table(here, ("field", "column"), sorted(told["fields"].items()))
    names = (
        "row", "direction", "amount", "currency", "fee", "balance", "financial_transaction_id",
        "external_id", "party", "status",
    )  # fmt: skip
    give(here, None, "")
    table(here, names, [tuple(str(one[name] or "") for name in names) for one in told["lines"]])
    if told["unreadable"]:
        give(here, None, "", "Cannot be read:")
        rows = [(str(one["row"]), one["column"], one["why"]) for one in told["unreadable"]]
        table(here, ("row", "column", "why"), rows)


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InvalidInput(f"{file} holds no JSON.", field="file") from None
