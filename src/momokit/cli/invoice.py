"""Commands for invoices: make one, ask how it stands, cancel it."""

from __future__ import annotations

from typing import Any

import click

from momokit.cli.command import Group
from momokit.cli.following import ask_once
from momokit.cli.intent import Move
from momokit.cli.moving import move
from momokit.cli.options import (
    PartyName,
    amount_argument,
    clean_notes_option,
    currency_option,
    filing_options,
    number_argument,
    reference_argument,
    show_numbers_option,
    waiting_options,
)
from momokit.cli.session import session

_ID = "5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11"


@click.group(cls=Group)
def invoice() -> None:
    """Make, follow and cancel invoices."""


@invoice.command(
    examples=(
        'momo invoice create 5000 "0772 123 456" --payee "0772 654 321" --description "Order 1007"',
    )
)
@amount_argument
@number_argument
@click.option(
    "--payee", type=PartyName(), required=True, metavar="NUMBER", help="Who is to be paid."
)
@click.option(
    "--validity",
    "validity_seconds",
    type=click.IntRange(min=1),
    default=86_400,
    show_default=True,
    metavar="SECONDS",
    help="How long it can be paid.",
)
@click.option("--description", metavar="TEXT", help="What it is for.")
@currency_option
@clean_notes_option
@filing_options
@waiting_options
def create(amount: str, number: Any, **options: Any) -> int:
    """Make an invoice that the payer settles with its payment reference.

    NUMBER is the payer it is meant for.
    """
    waits = options.pop("wait_for_outcome")
    timeout_seconds = options.pop("timeout_seconds")
    return move(
        session(),
        Move(
            kind="invoice",
            product="collection",
            method="create_invoice",
            what=f"invoice, {amount}",
            values={"amount": amount, "intended_payer": number, **options},
            waits=waits,
            timeout_seconds=timeout_seconds,
        ),
    )


@invoice.command(examples=(f"momo invoice status {_ID}", f"momo invoice status {_ID} --json"))
@reference_argument
@show_numbers_option
def status(reference_id: str, show_numbers: bool) -> int:
    """Ask how an invoice stands; its payment reference is what the payer types."""
    return ask_once(
        session(),
        kind="invoice",
        reference_id=reference_id,
        product=None,
        show_numbers=show_numbers,
    )


@invoice.command(examples=(f"momo invoice cancel {_ID} --external-id order-1007",))
@reference_argument
@click.option("--external-id", required=True, metavar="ID", help="The invoice's own external id.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send nothing.")
def cancel(reference_id: str, external_id: str, dry_run: bool) -> int:
    """Cancel an invoice that has not been paid."""
    return move(
        session(),
        Move(
            kind="invoice_cancellation",
            product="collection",
            method="cancel_invoice",
            what=f"cancel the invoice {reference_id}",
            values={
                "invoice_reference_id": reference_id,
                "external_id": external_id,
                "dry_run": dry_run,
            },
            asks=f"momo status invoice {reference_id}",
        ),
    )
