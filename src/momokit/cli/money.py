"""Commands that move money: request to pay, withdraw, transfer, deposit, refund."""

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
    product_option,
    transfer_type_option,
    version_option,
    waiting_options,
)
from momokit.cli.session import session

_PAID = "5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11"


@click.command(
    cls=Command,
    examples=(
        'momo request-to-pay 5000 "0772 123 456" --message "Order 1007" --wait',
        "momo request-to-pay 12.50 46733123499 --idempotency-key order-1007 --json",
        "momo request-to-pay 5000 256772123456 --market uganda --dry-run",
    ),
)
@amount_argument
@number_argument
@currency_option
@notes_options
@clean_notes_option
@transfer_type_option
@filing_options
@waiting_options
def request_to_pay(amount: str, number: Any, **options: Any) -> int:
    """Ask a payer to approve a payment on the phone, within five minutes.

    AMOUNT is in the currency's main unit; NUMBER is the payer: a phone number, or email:…, alias:….
    The reference id is shown before anything is sent. If the outcome stays unknown (exit code 5),
    the command that asks for it is shown: do that before anything else.
    """
    return _move("request_to_pay", "collection", options, amount=amount, payer=number)


@click.command(
    cls=Command,
    examples=(
        'momo withdraw 5000 "0772 123 456" --wait',
        "momo withdraw 20 46733123499 --api-version 2 --json",
    ),
)
@amount_argument
@number_argument
@currency_option
@notes_options
@clean_notes_option
@version_option
@filing_options
@waiting_options
def withdraw(amount: str, number: Any, **options: Any) -> int:
    """Ask an account holder to approve a cash-out."""
    return _move("withdraw", "collection", options, amount=amount, payer=number)


@click.command(
    cls=Command,
    examples=(
        'momo transfer 5000 "0772 123 456" --note "Salary March" --idempotency-key pay-0326-17',
        "momo transfer 20 46733123499 --product remittance --wait",
    ),
)
@amount_argument
@number_argument
@currency_option
@notes_options
@clean_notes_option
@transfer_type_option
@product_option("disbursement", among=("disbursement", "remittance"))
@filing_options
@waiting_options
def transfer(amount: str, number: Any, product: str, **options: Any) -> int:
    """Pay from your account to a payee's.

    With --product remittance it is a remittance.
    """
    if product == "remittance" and options.pop("transfer_type", None):
        raise click.UsageError("--transfer-type is for disbursements.")
    return _move("transfer", product, options, amount=amount, payee=number)


@click.command(
    cls=Command,
    examples=(
        'momo deposit 5000 "0772 123 456" --wait',
        "momo deposit 20 46733123499 --api-version 2 --dry-run",
    ),
)
@amount_argument
@number_argument
@currency_option
@notes_options
@clean_notes_option
@version_option
@filing_options
@waiting_options
def deposit(amount: str, number: Any, **options: Any) -> int:
    """Put money into a payee's account, as cash in does."""
    return _move("deposit", "disbursement", options, amount=amount, payee=number)


@click.command(
    cls=Command,
    examples=(
        f'momo refund 5000 {_PAID} --note "Returned goods" --wait',
        f"momo refund 2500 {_PAID} --idempotency-key refund-1007-1 --json",
    ),
)
@amount_argument
@click.argument("paid_reference_id")
@currency_option
@notes_options
@clean_notes_option
@version_option
@filing_options
@waiting_options
def refund(amount: str, paid_reference_id: str, **options: Any) -> int:
    """Give back a request to pay, whole or in part.

    PAID_REFERENCE_ID is the reference id of the request to pay. A refund belongs to the
    disbursement product. MTN is not known to stop you at the amount that was paid.
    """
    return _move(
        "refund", "disbursement", options, amount=amount, reference_id_to_refund=paid_reference_id
    )


def _move(kind: str, product: str, options: dict[str, Any], **values: Any) -> int:
    waits = options.pop("wait_for_outcome")
    timeout_seconds = options.pop("timeout_seconds")
    if "version" in options:
        options["version"] = int(options["version"])
    return move(
        session(),
        Move(
            kind=kind,
            product=product,
            method=kind,
            what=f"{kind.replace('_', ' ')}, {values['amount']}",
            values={**values, **options},
            waits=waits,
            timeout_seconds=timeout_seconds,
        ),
    )
