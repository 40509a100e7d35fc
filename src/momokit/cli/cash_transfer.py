"""The command that pays a remittance together with what the law wants known of its sender."""

from __future__ import annotations

from typing import Any

import click

from momokit.cli.command import Command
from momokit.cli.intent import Move
from momokit.cli.moving import move
from momokit.cli.options import (
    amount_argument,
    clean_notes_option,
    currency_option,
    filing_options,
    notes_options,
    number_argument,
    together,
    waiting_options,
)
from momokit.cli.session import session

_SENDER = (
    ("identification-type", "CODE", "Kind of paper: PASS for a passport, IDCD, DRLC …."),
    ("identification-number", "TEXT", "Number of that paper."),
    ("identity", "TEXT", "MTN's form: ID:<msisdn>/MSISDN."),
    ("first-name", "TEXT", "First name."),
    ("surname", "TEXT", "Surname."),
    ("language-code", "CODE", "Two letters."),
    ("email", "ADDRESS", "E-mail address."),
    ("msisdn", "NUMBER", "Phone number."),
    ("gender", "WORD", "MALE, FEMALE or OTHER."),
)
_sender_options = together(
    *(
        click.option(f"--sender-{name}", metavar=form, help=f"The sender: {text}")
        for name, form, text in _SENDER
    )
)


@click.command(
    cls=Command,
    examples=(
        "momo cash-transfer 5000 256772123456 --from-country FR --original-amount 1.25"
        " --original-currency EUR --sender-first-name Ann --sender-surname Doe",
    ),
)
@amount_argument
@number_argument
@click.option(
    "--from-country",
    "originating_country",
    required=True,
    metavar="CC",
    help="Where the sender paid in: two letters.",
)
@click.option("--original-amount", required=True, metavar="AMOUNT", help="What was paid in.")
@click.option("--original-currency", required=True, metavar="CODE", help="In which currency.")
@_sender_options
@currency_option
@notes_options
@clean_notes_option
@filing_options
@waiting_options
def cash_transfer(amount: str, number: Any, **options: Any) -> int:
    """Pay a remittance with what the law wants known of its sender.

    AMOUNT is what the payee gets. MTN means this to replace remittance transfers.
    """
    from momokit import Sender

    sender = Sender(
        **{
            name.removeprefix("sender_"): options.pop(name)
            for name in list(options)
            if name.startswith("sender_")
        }
    )
    waits = options.pop("wait_for_outcome")
    timeout_seconds = options.pop("timeout_seconds")
    return move(
        session(),
        Move(
            kind="cash_transfer",
            product="remittance",
            method="cash_transfer",
            what=f"cash transfer, {amount}",
            values={"amount": amount, "payee": number, "sender": sender, **options},
            waits=waits,
            timeout_seconds=timeout_seconds,
        ),
    )
