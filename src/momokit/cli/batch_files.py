"""`momo batch report`, `results` and `receipts`: what a batch leaves on paper and in sheets."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from momokit.cli.batch_check import format_option, out_option, save
from momokit.cli.command import Command
from momokit.cli.exits import OK
from momokit.cli.gateway_http import GatewayClient, gateway_options
from momokit.cli.options import language_option
from momokit.cli.session import session

_ID = "bat_3f0c6a1be0a94b5d8c7e2f110a9b4c2d"


def _download(what: str, summary: str) -> click.Command:
    @click.command(
        what, cls=Command, help=summary, examples=(f"momo batch {what} {_ID} --format csv",)
    )
    @click.argument("batch_id")
    @format_option
    @language_option
    @out_option
    @gateway_options
    def download(
        batch_id: str,
        sheet_format: str,
        language: str,
        out: Path | None,
        url: str | None,
        key: str | None,
    ) -> int:
        gateway = GatewayClient(url, key)
        given = {"format": sheet_format, "language": language}
        path = f"/v1/batches/{batch_id}/{what}"
        target = out or Path(f"{what}-{batch_id}.{sheet_format}")
        save(session(), target, lambda stream: gateway.download(path, stream, **given))
        return OK

    return download


@click.command(
    cls=Command,
    examples=(f"momo batch receipts {_ID}", f"momo batch receipts {_ID} --row 2 --lang fr"),
)
@click.argument("batch_id")
@click.option("--row", type=click.IntRange(min=1), help="The receipt of this row alone.")
@click.option("--show-numbers", is_flag=True, help="Numbers in full; takes an administrator's key.")
@language_option
@out_option
@gateway_options
def receipts(
    batch_id: str,
    row: int | None,
    show_numbers: bool,
    language: str,
    out: Path | None,
    url: str | None,
    key: str | None,
) -> int:
    """Write a page to print: the record of the batch, or the receipt of one row."""
    gateway = GatewayClient(url, key)
    path = f"/v1/batches/{batch_id}/receipts" + (f"/{row}" if row is not None else "")
    name = f"receipt-{batch_id}" + (f"-row-{row}" if row is not None else "")
    target = out or Path(f"{name}.html")
    given = {"language": language, "reveal": show_numbers or None}
    save(session(), target, lambda stream: gateway.download(path, stream, **given))
    sys.stdout.flush()
    return OK


report = _download("report", "Write the file as it came, with what was found in each row.")
results = _download("results", "Write the file as it came, with what became of each row.")
