"""Commands for pre-approvals: ask for one, ask how it stands, list, cancel."""

from __future__ import annotations

from typing import Any

import click

from momokit.cli.command import Group
from momokit.cli.describe import plain, words
from momokit.cli.exits import OK
from momokit.cli.following import ask_once
from momokit.cli.intent import Move
from momokit.cli.moving import move, show_accepted
from momokit.cli.options import (
    clean_notes_option,
    currency_option,
    filing_options,
    number_argument,
    reference_argument,
    show_numbers_option,
    waiting_options,
)
from momokit.cli.output import give, table
from momokit.cli.session import session

_ID = "5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11"
_COLUMNS = ("pre_approval_id", "status", "from_fri", "max_debit_amount", "frequency", "expiry_time")


@click.group(cls=Group)
def preapproval() -> None:
    """Ask for, follow, list and cancel pre-approvals."""


@preapproval.command(
    examples=('momo preapproval create "0772 123 456" --message "Rent" --validity 2592000',)
)
@number_argument
@click.option("--message", "payer_message", metavar="TEXT", help="Shown to the payer.")
@click.option(
    "--validity",
    "validity_seconds",
    type=click.IntRange(min=1),
    default=86_400,
    show_default=True,
    metavar="SECONDS",
    help="How long it is to hold.",
)
@currency_option
@clean_notes_option
@filing_options
@waiting_options
def create(number: Any, **options: Any) -> int:
    """Ask a payer to allow later requests to pay without a prompt."""
    waits = options.pop("wait_for_outcome")
    timeout_seconds = options.pop("timeout_seconds")
    if options.pop("external_id", None):
        raise click.UsageError("A pre-approval has no external id.")
    return move(
        session(),
        Move(
            kind="pre_approval",
            product="collection",
            method="pre_approval",
            what="pre-approval",
            values={"payer": number, **options},
            waits=waits,
            timeout_seconds=timeout_seconds,
        ),
    )


@preapproval.command(examples=(f"momo preapproval status {_ID}",))
@reference_argument
@show_numbers_option
def status(reference_id: str, show_numbers: bool) -> int:
    """Ask how a pre-approval stands."""
    return ask_once(
        session(),
        kind="pre_approval",
        reference_id=reference_id,
        product=None,
        show_numbers=show_numbers,
    )


@preapproval.command(
    "list",
    examples=('momo preapproval list "0772 123 456"', "momo preapproval list 256772123456 --json"),
)
@number_argument
@show_numbers_option
def list_(number: Any, show_numbers: bool) -> int:
    """List the pre-approvals a payer has given you."""
    here = session()
    with here.client() as momo:
        found = momo.collection.approved_pre_approvals(number)
    rows = plain(found, show_numbers=show_numbers)
    if here.as_json:
        give(here, rows)
    elif not rows:
        give(here, rows, "There is none.")
    else:
        names = [column.replace("_", " ") for column in _COLUMNS]
        table(here, names, [[words(row[column]) for column in _COLUMNS] for row in rows])
    return OK


@preapproval.command(examples=(f"momo preapproval cancel {_ID}",))
@click.argument("pre_approval_id")
def cancel(pre_approval_id: str) -> int:
    """Cancel an approved pre-approval, by the id that `list` shows."""
    here = session()
    with here.client() as momo:
        accepted = momo.collection.cancel_pre_approval(pre_approval_id)
    show_accepted(here, accepted, question=None)
    return OK
