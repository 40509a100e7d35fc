"""`momo`: the table of its commands, each with the module it lives in."""

from __future__ import annotations

import click

from momokit.cli.command import Place, Root
from momokit.cli.exits import EXIT_CODES

PLACES = {
    "demo": Place("demo", "Settle a payment end to end on this machine; needs no account."),
    "emulator": Place("emulator", "Run a local MTN MoMo with a phone page."),
    "gateway": Place("gateway", "Run the payment gateway and look after it."),
    "batch": Place("batch", "Pay many at once: check, approve, follow, keep the results."),
    "reconcile": Place("reconcile", "Hold MTN's statements against the books."),
    "doctor": Place("doctor", "Check keys, host, callback, clock: sandbox to production."),
    "sandbox": Place("sandbox", "Make API users and keys in MTN's sandbox."),
    "request-to-pay": Place("money", "Ask a payer to approve a payment."),
    "transfer": Place("money", "Pay from your account to a payee's."),
    "deposit": Place("money", "Put money into a payee's account."),
    "refund": Place("money", "Give back a request to pay, whole or in part."),
    "withdraw": Place("money", "Ask an account holder to approve a cash-out."),
    "cash-transfer": Place("cash_transfer", "Pay a remittance with its sender's papers."),
    "invoice": Place("invoice", "Make, follow and cancel invoices."),
    "preapproval": Place("preapproval", "Ask for, follow, list and cancel pre-approvals."),
    "payment": Place("payment", "Pay bills and airtime."),
    "status": Place("following", "Ask once how something submitted stands."),
    "wait": Place("following", "Wait for the outcome of something submitted."),
    "notify": Place("account", "Send the payer one more message after a payment."),
    "balance": Place("account", "Read what is in the account."),
    "account": Place("account", "Ask about an account holder: active, name."),
    "consent": Place("consent", "Ask a holder for consent to see personal data."),
    "token": Place("account", "Get a bearer token for calls of your own."),
    "explain": Place("offline", "Explain a code of MTN's: what, who, what next."),
    "msisdn": Place("offline", "Read a phone number the way a market does."),
    "markets": Place("offline", "List the markets with currency and numbering."),
}
"""Every command, in the order of the overview."""

_EPILOG = "\b\nExit codes:\n" + "\n".join(
    f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items()
)


@click.group(
    cls=Root,
    places=PLACES,
    epilog=_EPILOG,
    examples=(
        "momo demo",
        "momo emulator --walk",
        'momo request-to-pay 5000 "0772 123 456" --market uganda --wait',
        "momo status request-to-pay 5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11 --json",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def momo() -> None:
    """MTN Mobile Money from the command line.

    Settings come from the environment (MOMO_MARKET, MOMO_SUBSCRIPTION_KEY, MOMO_API_USER,
    MOMO_API_KEY …) or from --config FILE. Results are on stdout, everything else on stderr; numbers
    are masked and secrets are never shown.
    """
