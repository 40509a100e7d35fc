"""`momo batch`: pay many at once, by a running gateway; from the empty file to the receipts."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import click

from momokit.cli.batch_check import check, template
from momokit.cli.batch_files import receipts, report, results
from momokit.cli.batch_show import code_of_batch, money, show_batch, show_rows
from momokit.cli.batch_steer import (
    approve,
    cancel,
    override,
    pause,
    recheck,
    reject,
    resume,
    retry_failed,
    submit,
    withdraw,
)
from momokit.cli.batch_watch import follow_batch
from momokit.cli.command import Command
from momokit.cli.exits import OK
from momokit.cli.gateway_http import GatewayClient, gateway_options
from momokit.cli.gateway_store import GatewayGroup
from momokit.cli.options import language_option, together
from momokit.cli.output import give, table, tell
from momokit.cli.session import session

_batch_argument = click.argument("batch_id")
_ID = "bat_3f0c6a1be0a94b5d8c7e2f110a9b4c2d"


@click.group(
    cls=GatewayGroup,
    examples=(
        "momo batch template --market uganda",
        "momo batch check salaries.xlsx --market uganda",
        "momo batch upload salaries.xlsx --label 'Salaries March' --period 2026-03",
        f"momo batch approve {_ID}",
        f"momo batch watch {_ID}",
    ),
)
def batch() -> None:
    """Pay many at once: check a file, have it approved, follow it, keep the results.

    Speaks to a running gateway: --url and --key, or MOMO_GATEWAY_URL and MOMO_GATEWAY_KEY. Whoever
    uploads a batch cannot approve it: that takes a second person with a key of their own.
    """


@click.command(
    cls=Command,
    examples=(
        "momo batch upload salaries.xlsx --label 'Salaries March' --period 2026-03",
        "momo batch upload salaries.csv --account uganda --no-wait --json",
    ),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--label", metavar="TEXT", help="What people will know the batch by.")
@click.option(
    "--period", metavar="TEXT", help="What is paid for: nobody is to be paid twice for it."
)
@click.option("--account", metavar="NAME", help="From which account; needed when there are many.")
@click.option("--currency", metavar="CODE", help="The account's own when left out.")
@click.option(
    "--check-holders/--no-check-holders",
    default=None,
    help="Ask MTN whether each account is active, and whose it is.",
)
@click.option("--rate", type=click.FloatRange(min=0.01, max=1000), help="Rows a second at most.")
@click.option("--no-wait", is_flag=True, help="Do not wait for the checks.")
@click.option("--idempotency-key", metavar="TEXT", help="The same key makes the same batch.")
@language_option
@gateway_options
def upload(
    file: Path,
    label: str | None,
    period: str | None,
    account: str | None,
    currency: str | None,
    check_holders: bool | None,
    rate: float | None,
    no_wait: bool,
    idempotency_key: str | None,
    language: str,
    url: str | None,
    key: str | None,
) -> int:
    """Upload a file of payments and wait until it is checked. Nothing is paid by that."""
    here = session()
    gateway = GatewayClient(url, key)
    made = gateway.upload(
        "/v1/batches",
        file,
        key=idempotency_key or str(uuid.uuid4()),
        filename=file.name,
        label=label,
        period=period,
        account=account,
        currency=currency,
        check_holders=check_holders,
        rows_per_second=rate,
    )
    if not no_wait:
        tell(here, f"Uploaded as {made['id']}; it is being checked.", event="uploaded")
        made = follow_batch(here, gateway, made["id"], interval_seconds=0.5, is_over=_is_checked)
    show_batch(here, made, language=language)
    return OK


def _is_checked(batch: Any) -> bool:
    return bool(batch["state"] != "draft")


@click.command("list", cls=Command, examples=("momo batch list", "momo batch list --state paused"))
@click.option("--state", metavar="NAME", help="Only those in this state.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@gateway_options
def list_(state: str | None, limit: int, url: str | None, key: str | None) -> int:
    """List batches, newest first."""
    here = session()
    page = GatewayClient(url, key).get("/v1/batches", state=state, limit=limit)
    if here.as_json:
        give(here, page)
        return OK
    rows = [
        (
            one["id"], one["label"], one["state"], str(one["rows"]),
            money(one["amount"], one["currency"]), one["made_by"], one["created_at"],
        )
        for one in page["items"]
    ]  # fmt: skip
    table(here, ("batch", "label", "state", "rows", "money", "made by", "made at"), rows)
    return OK


@click.command(cls=Command, examples=(f"momo batch show {_ID}",))
@_batch_argument
@language_option
@gateway_options
def show(batch_id: str, language: str, url: str | None, key: str | None) -> int:
    """Show how a batch stands, and whose move it is.

    Exits with 0 when all of it is paid, 3 when it ended otherwise, and 6 while it is open.
    """
    found = GatewayClient(url, key).get(f"/v1/batches/{batch_id}")
    show_batch(session(), found, language=language)
    return code_of_batch(found)


@click.command(
    cls=Command,
    examples=(f"momo batch rows {_ID} --check rejected", f"momo batch rows {_ID} --state failed"),
)
@_batch_argument
@click.option("--check", metavar="NAME", help="unchecked, ok, unverified, rejected or excluded.")
@click.option("--state", metavar="NAME", help="none, ready, created, pending, successful ….")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@click.option("--after", metavar="ROW", help="Go on after this row.")
@click.option("--show-numbers", is_flag=True, help="Numbers in full; takes an administrator's key.")
@language_option
@gateway_options
def rows(
    batch_id: str,
    check: str | None,
    state: str | None,
    limit: int,
    after: str | None,
    show_numbers: bool,
    language: str,
    url: str | None,
    key: str | None,
) -> int:
    """List rows of a batch, with what was found in them and how their payments stand."""
    here = session()
    page = GatewayClient(url, key).get(
        f"/v1/batches/{batch_id}/rows",
        check=check, state=state, limit=limit, cursor=after, reveal=show_numbers or None,
    )  # fmt: skip
    if here.as_json:
        give(here, page)
        return OK
    show_rows(here, page["items"], language=language)
    if page["next_cursor"]:
        give(here, page, f"More: --after {page['next_cursor']}")
    return OK


@click.command(
    cls=Command,
    examples=(
        f"momo batch edit {_ID} 17 --phone '0772 123 456'",
        f"momo batch edit {_ID} 18 --exclude",
    ),
)
@_batch_argument
@click.argument("row", type=click.IntRange(min=1))
@click.option("--phone", metavar="NUMBER")
@click.option("--amount", metavar="AMOUNT")
@click.option("--name", metavar="TEXT")
@click.option("--reference", metavar="TEXT")
@click.option("--note", metavar="TEXT")
@click.option("--exclude/--include", "excluded", default=None, help="Leave the row out, or not.")
@language_option
@gateway_options
def edit(
    batch_id: str, row: int, language: str, url: str | None, key: str | None, **changes: Any
) -> int:
    """Correct a row before the batch is submitted, or leave it out.

    ROW is its number in the file.
    """
    here = session()
    wanted = {name: value for name, value in changes.items() if value is not None}
    if not wanted:
        raise click.UsageError("What is to change? See --help.", ctx=click.get_current_context())
    changed = GatewayClient(url, key).patch(f"/v1/batches/{batch_id}/rows/{row}", wanted)
    if here.as_json:
        give(here, changed)
    else:
        show_rows(here, [changed], language=language)
    return OK


@click.command(cls=Command, examples=(f"momo batch history {_ID}",))
@_batch_argument
@gateway_options
def history(batch_id: str, url: str | None, key: str | None) -> int:
    """List who did what to a batch, and whether that record is intact."""
    here = session()
    told = GatewayClient(url, key).get(f"/v1/batches/{batch_id}/history")
    if here.as_json:
        give(here, told)
        return OK
    lines = [
        (one["at"], one["person"] or "the gateway", one["event"], one["hash"][:12])
        for one in told["items"]
    ]
    table(here, ("at", "who", "what", "seal"), lines)
    give(here, told, "intact" if told["intact"] else "THE RECORD WAS CHANGED BY OTHER MEANS")
    return OK


_following_options = together(
    click.option(
        "--interval",
        "interval_seconds",
        type=click.FloatRange(min=0.1),
        default=1.0,
        show_default=True,
        metavar="SECONDS",
        help="How often to look.",
    ),
    click.option(
        "--timeout",
        "timeout_seconds",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="Stop looking after this long; the batch goes on.",
    ),
)


@click.command(cls=Command, examples=(f"momo batch watch {_ID}",))
@_batch_argument
@_following_options
@language_option
@gateway_options
def watch(
    batch_id: str,
    interval_seconds: float,
    timeout_seconds: float | None,
    language: str,
    url: str | None,
    key: str | None,
) -> int:
    """Follow a batch to its end: bar, counts, money, rate, time left. Ctrl-C only stops looking.

    Ends as well when it waits for a person (checked, paused). Exits with 0 when all of it is paid,
    3 when it ended otherwise, 6 while it is open.
    """
    here = session()
    last = follow_batch(
        here,
        GatewayClient(url, key),
        batch_id,
        interval_seconds=interval_seconds,
        timeout_seconds=timeout_seconds,
    )
    show_batch(here, last, language=language)
    return code_of_batch(last)


@click.command(cls=Command, examples=(f"momo batch run {_ID}",))
@_batch_argument
@_following_options
@language_option
@gateway_options
def run(
    batch_id: str,
    interval_seconds: float,
    timeout_seconds: float | None,
    language: str,
    url: str | None,
    key: str | None,
) -> int:
    """Let a batch go on if it is paused, and follow it to its end.

    An approved batch runs by itself; this begins no row anew. Exit codes as of `watch`.
    """
    here = session()
    gateway = GatewayClient(url, key)
    if gateway.get(f"/v1/batches/{batch_id}")["state"] == "paused":
        gateway.post(f"/v1/batches/{batch_id}/resume")
        tell(here, "It goes on where it stopped.", event="resumed")
    last = follow_batch(
        here,
        gateway,
        batch_id,
        interval_seconds=interval_seconds,
        timeout_seconds=timeout_seconds,
    )
    show_batch(here, last, language=language)
    return code_of_batch(last)


for _command in (
    template,
    check,
    upload,
    list_,
    show,
    rows,
    edit,
    submit,
    withdraw,
    recheck,
    override,
    approve,
    reject,
    watch,
    run,
    pause,
    resume,
    cancel,
    retry_failed,
    report,
    results,
    receipts,
    history,
):
    batch.add_command(_command)
