"""`momo reconcile`: hold MTN's statements against the gateway's books, and close the month."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from momokit.cli.batch_check import format_option, out_option, save
from momokit.cli.command import Command
from momokit.cli.exits import NOT_CHECKED, OK, PROBLEMS_FOUND, REFUSED
from momokit.cli.gateway_http import GatewayClient, gateway_options
from momokit.cli.gateway_store import GatewayGroup
from momokit.cli.options import language_option
from momokit.cli.output import facts, give, table, tell
from momokit.cli.reconcile_profiles import codes, profiles
from momokit.cli.reconcile_queue import COMMANDS as QUEUE
from momokit.cli.session import Session, session

POLL_SECONDS = 1.0
_ID = "stm_3f0c6a1be0a94b5d8c7e2f11"
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
account_option = click.option("--account", metavar="NAME", help="Which account, if several.")
product_option = click.option(
    "--product",
    type=click.Choice(["collection", "disbursement", "remittance"]),
    help="Whose wallet it is, where each product has its own.",
)


@click.group(
    cls=GatewayGroup,
    examples=(
        "momo reconcile profiles test october.csv",
        "momo reconcile import october.csv --from 2026-10-01 --to 2026-10-31",
        "momo reconcile queue",
        "momo reconcile export journal --from 2026-10-01 --to 2026-10-31 --out october.csv",
    ),
)
def reconcile() -> None:
    """Import MTN's statements, find what does not agree, and see it closed by two people.

    Speaks to a running gateway: --url and --key, or MOMO_GATEWAY_URL and MOMO_GATEWAY_KEY. The key
    needs the scope reconcile.
    """


@click.command(
    "import",
    cls=Command,
    examples=(
        "momo reconcile import october.csv --from 2026-10-01 --to 2026-10-31",
        "momo reconcile import october.xlsx --account ghana --profile ghana-portal",
    ),
)
@click.argument("file", type=_file)
@account_option
@product_option
@click.option("--profile", metavar="NAME", help="How it is laid out; the market's otherwise.")
@click.option("--from", "period_from", metavar="DAY", help="First day that it covers.")
@click.option("--to", "period_to", metavar="DAY", help="Last day that it covers.")
@gateway_options
def import_(file: Path, url: str | None, key: str | None, **given: Any) -> int:
    """Import a statement (CSV or XLSX) and reconcile it; safe to repeat.

    Exits with 8 when something does not agree, or a row could not be read.
    """
    here, gateway = session(), GatewayClient(url, key)
    told = gateway.upload("/v1/statements", file, filename=file.name, **given)
    if told["same_as_before"]:
        tell(here, "This file was imported before; nothing was added.", event="same_file")
    told = _follow(here, gateway, told["id"])
    waiting = _open_of(gateway, told["id"])
    _show(here, told, waiting)
    if told["state"] != "imported":
        return REFUSED
    return PROBLEMS_FOUND if waiting else OK


@click.command(cls=Command, examples=("momo reconcile statements",))
@account_option
@gateway_options
def statements(account: str | None, url: str | None, key: str | None) -> int:
    """List the statements that were imported."""
    here = session()
    items = GatewayClient(url, key).get("/v1/statements", account=account)["items"]
    if here.as_json:
        give(here, items)
        return OK
    rows = [
        (
            one["id"], one["filename"], one["state"], _day(one["period_from"]),
            _day(one["period_to"]), str(one["rows"]), str(one["unreadable_rows"]),
            one["imported_by"],
        )
        for one in items
    ]  # fmt: skip
    table(here, ("id", "file", "state", "from", "to", "rows", "unreadable", "by"), rows)
    return OK


@click.command(cls=Command, examples=(f"momo reconcile show {_ID}",))
@click.argument("statement_id")
@gateway_options
def show(statement_id: str, url: str | None, key: str | None) -> int:
    """Show a statement: how its lines were matched, and its balances day by day."""
    here, gateway = session(), GatewayClient(url, key)
    told = gateway.get(f"/v1/statements/{statement_id}")
    _show(here, told, _open_of(gateway, statement_id), days=True)
    return OK


@click.command(cls=Command, examples=("momo reconcile run", "momo reconcile run --account ghana"))
@account_option
@gateway_options
def run(account: str | None, url: str | None, key: str | None) -> int:
    """Look again for payments of all lines that have none; drop what agrees by now."""
    told = GatewayClient(url, key).post(_with("/v1/reconciliation/run", account=account))
    lines = facts(
        {
            "given by number": told["named"],
            "given by the last resort": told["paired"],
            "at MTN only": told["at_provider_only"],
            "at ours only": told["at_ours_only"],
            "gone since": told["gone"],
        }
    )
    give(session(), told, *lines)
    return OK


@click.command(
    cls=Command,
    examples=(
        "momo reconcile audit --day 2026-10-31",
        "momo reconcile audit --day 2026-10-31 --again",
    ),
)
@click.option("--day", metavar="DAY", required=True, help="The day (UTC): 2026-10-31, say.")
@click.option("--again", is_flag=True, help="Although that day was audited before.")
@gateway_options
def audit(day: str, again: bool, url: str | None, key: str | None) -> int:
    """Have MTN asked again about all that ended on a day, and all that is open.

    The gateway does so every night for the day before. The questions go out one after the other;
    what contradicts our books shows under `momo gateway review`, and as payment.corrected.
    """
    body = {"day": day, "again": again}
    told = GatewayClient(url, key).post("/v1/reconciliation/audit", body)
    said = (
        f"{day} was audited before; --again repeats it."
        if told["already"]
        else f"{told['ended']} payments that ended on {day} and {told['open']} open ones are asked"
        " about again."
    )
    give(session(), told, said)
    return OK


@click.command(
    cls=Command,
    examples=("momo reconcile balance", "momo reconcile balance --product disbursement"),
)
@account_option
@product_option
@gateway_options
def balance(account: str | None, product: str | None, url: str | None, key: str | None) -> int:
    """Prove the balance: the last statement, and what moved since, against what MTN says.

    Exits with 8 when something is unexplained, with 7 when MTN gave no answer.
    """
    path = _with("/v1/reconciliation/balance", account=account, product=product)
    told = GatewayClient(url, key).post(path)
    unit = told["currency"]
    lines = facts(
        {
            "statement's closing balance": f"{told['closing_balance']} {unit}",
            "taken in since": told["taken_in_since"],
            "paid out since": told["paid_out_since"],
            "expected": f"{told['expected']} {unit}",
            "under way, in / out": f"{told['coming_in']} / {told['going_out']}",
            "MTN says": f"{told['at_provider']} {unit}" if told["at_provider"] else told["why"],
            "unexplained": told["difference"],
        }
    )
    give(session(), told, *lines)
    if told["difference"] is None:
        return NOT_CHECKED
    return OK if float(told["difference"]) == 0 else PROBLEMS_FOUND


@click.command(
    cls=Command,
    examples=(
        "momo reconcile export discrepancies --format xlsx",
        "momo reconcile export journal --from 2026-10-01 --to 2026-10-31 --format csv",
    ),
)
@click.argument("what", type=click.Choice(["discrepancies", "matches", "journal"]))
@account_option
@click.option("--statement", "statement_id", metavar="ID", help="Of this statement alone.")
@click.option("--from", "period_from", metavar="DAY", help="From this day on (UTC).")
@click.option("--to", "period_to", metavar="DAY", help="Up to this day (UTC), included.")
@format_option
@language_option
@out_option
@gateway_options
def export(
    what: str,
    sheet_format: str,
    out: Path | None,
    url: str | None,
    key: str | None,
    **given: Any,
) -> int:
    """Write discrepancies, matches or journal lines as a table for finance staff or a ledger."""
    here, gateway = session(), GatewayClient(url, key)
    target = out or Path(f"{what}.{sheet_format}")
    path = f"/v1/reconciliation/export/{what}"
    save(here, target, lambda f: gateway.download(path, f, format=sheet_format, **given))
    return OK


for _command in (import_, statements, show, run, audit, balance, export, *QUEUE, profiles, codes):
    reconcile.add_command(_command)


def _follow(here: Session, gateway: GatewayClient, statement_id: str) -> Any:
    told = gateway.get(f"/v1/statements/{statement_id}")
    while told["state"] == "importing":
        tell(here, f"{told['rows']} rows read …", event="importing", rows=told["rows"])
        time.sleep(POLL_SECONDS)
        told = gateway.get(f"/v1/statements/{statement_id}")
    return told


def _open_of(gateway: GatewayClient, statement_id: str) -> list[Any]:
    told = gateway.get("/v1/discrepancies", statement_id=statement_id, limit=200)
    items: list[Any] = told["items"]
    return items


def _show(here: Session, told: Any, waiting: list[Any], *, days: bool = False) -> None:
    if here.as_json:
        give(here, told | {"discrepancies": waiting})
        return
    matched = sum(one["lines"] for one in told["tallies"] or [] if one["relation"] == "match")
    lines = facts(
        {
            "statement": told["id"],
            "state": told["state"],
            "error": told["error"],
            "period": f"{_day(told['period_from'])} to {_day(told['period_to'])}",
            "rows": told["rows"],
            "known before": told["repeated_lines"] or None,
            "matched": matched,
            "unreadable": told["unreadable_rows"],
            "opening balance": told["opening_balance"],
            "closing balance": told["closing_balance"],
            "does not agree": len(waiting),
        }
    )
    give(here, None, *lines)
    if days and told["days"]:
        rows = [
            (
                one["day"], one["currency"], str(one["lines"]), one["opening_balance"] or "",
                one["taken_in"], one["paid_out"], one["fees"], one["closing_balance"] or "",
                one["difference"] or "",
            )
            for one in told["days"]
        ]  # fmt: skip
        heads = ("day", "", "lines", "opening", "in", "out", "fees", "closing", "unexplained")
        give(here, None, "")
        table(here, heads, rows)
    if waiting:
        give(here, None, "")
        table(
            here,
            ("number", "class", "payment", "amount", "what"),
            [
                (
                    str(one["id"]), one["class"], one["payment_id"] or "",
                    f"{one['amount'] or ''} {one['currency'] or ''}".strip(), one["what"],
                )
                for one in waiting
            ],
        )  # fmt: skip


def _with(path: str, **query: str | None) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _day(moment: str | None) -> str:
    return moment[:10] if moment else ""
