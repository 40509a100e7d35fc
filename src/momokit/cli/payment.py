"""Commands for bills and airtime: pay one, ask how it stands."""

from __future__ import annotations

from typing import Any

import click

from momokit.cli.command import Group
from momokit.cli.following import ask_once
from momokit.cli.intent import Move
from momokit.cli.moving import move
from momokit.cli.options import (
    amount_argument,
    clean_notes_option,
    currency_option,
    filing_options,
    reference_argument,
    show_numbers_option,
    transfer_type_option,
    waiting_options,
)
from momokit.cli.session import session

_ID = "5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11"


@click.group(cls=Group)
def payment() -> None:
    """Pay bills and airtime."""


@payment.command(
    examples=("momo payment create 5000 --customer-reference 04123456 --provider UMEME --wait",)
)
@amount_argument
@click.option(
    "--customer-reference",
    required=True,
    metavar="TEXT",
    help="The customer's number with the service provider.",
)
@click.option(
    "--provider",
    "service_provider_user_name",
    required=True,
    metavar="NAME",
    help="The service provider's user name with MTN.",
)
@click.option("--coupon-id", metavar="ID", help="A coupon.")
@click.option("--product-id", metavar="ID", help="What is bought.")
@click.option("--product-offering-id", metavar="ID", help="Which offer of it.")
@click.option("--message", "receiver_message", metavar="TEXT", help="Shown to the receiver.")
@click.option("--note", "sender_note", metavar="TEXT", help="Kept for the sender.")
@click.option(
    "--max-retries",
    "max_number_of_retries",
    type=click.IntRange(min=0),
    metavar="N",
    help="How often MTN tries again to deliver.",
)
@click.option(
    "--charges-included/--charges-on-top",
    "include_sender_charges",
    default=None,
    help="Whether the amount covers the charges.",
)
@currency_option
@clean_notes_option
@transfer_type_option
@filing_options
@waiting_options
def create(amount: str, **options: Any) -> int:
    """Pay a bill or buy airtime."""
    waits = options.pop("wait_for_outcome")
    timeout_seconds = options.pop("timeout_seconds")
    return move(
        session(),
        Move(
            kind="payment",
            product="collection",
            method="create_payment",
            what=f"payment, {amount}",
            values={"amount": amount, **options},
            waits=waits,
            timeout_seconds=timeout_seconds,
        ),
    )


@payment.command(examples=(f"momo payment status {_ID}",))
@reference_argument
@show_numbers_option
def status(reference_id: str, show_numbers: bool) -> int:
    """Ask how the payment of a bill stands."""
    return ask_once(
        session(),
        kind="payment",
        reference_id=reference_id,
        product=None,
        show_numbers=show_numbers,
    )
