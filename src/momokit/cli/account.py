"""Commands about accounts and their holders: balance, active, name, token, notification."""

from __future__ import annotations

import time
from typing import Any

import click

from momokit.cli.command import Command, Group
from momokit.cli.describe import mask_numbers, plain
from momokit.cli.exits import NOT_CHECKED, OK, REFUSED
from momokit.cli.options import number_argument, product_option, reference_argument
from momokit.cli.output import error_facts, facts, give, tell
from momokit.cli.session import Session, session
from momokit.holder import Answer
from momokit.operations.exchange import StoredToken

_ID = "5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11"
_VERDICTS = {"yes": OK, "no": REFUSED, "could_not_check": NOT_CHECKED}
_collection = product_option("collection")


class Shelf:
    """Keeps the token a client has fetched, so that its life can be told."""

    def __init__(self) -> None:
        self.token: StoredToken | None = None

    def load(self, key: str, /) -> StoredToken | None:
        """Give nothing: every run of the command fetches its own."""

    def save(self, key: str, token: StoredToken | None, /) -> None:  # noqa: ARG002
        """Keep a token."""
        self.token = token


@click.command(
    cls=Command,
    examples=(
        "momo token",
        "momo token --product disbursement --json",
        'curl -H "Authorization: Bearer $(momo token --show)" …',
    ),
)
@_collection
@click.option("--show", is_flag=True, help="Print the token itself, and nothing else.")
def token(product: str, show: bool) -> int:
    """Get a bearer token for calls of your own.

    Only its life is shown, unless --show is given: whoever has it can use the account.
    """
    here = session()
    shelf = Shelf()
    with here.client(token_store=shelf) as momo:
        secret = getattr(momo, product).token()
    ends_at = shelf.token.expires_at if shelf.token is not None else time.time()
    life = max(0, round(ends_at - time.time()))
    told: dict[str, Any] = {"product": product, "expires_in_seconds": life, "type": "Bearer"}
    if show:
        give(here, {**told, "token": secret.reveal()}, secret.reveal())
        return OK
    length = len(secret.reveal())
    lines = facts(
        {"product": product, "token": f"•••• ({length} characters)", "ends in": f"{life} s"}
    )
    give(here, {**told, "token": None, "token_length": length}, *lines)
    return OK


@click.command(
    cls=Command,
    examples=(
        "momo balance",
        "momo balance --product disbursement --currency UGX --json",
    ),
)
@_collection
@click.option("--currency", metavar="CODE", help="Ask for the balance in this currency.")
def balance(product: str, currency: str | None) -> int:
    """Read what is in the account. MTN's sandbox answers this erratically, by design."""
    here = session()
    with here.client() as momo:
        read = getattr(momo, product).balance(currency)
    told = {"product": product, **plain(read)}
    give(here, told, f"{told['available_balance']} {told['currency'] or ''}".rstrip())
    return OK


@click.group(cls=Group)
def account() -> None:
    """Ask about an account holder: is the account active, whose is it."""


@account.command(
    examples=('momo account active "0772 123 456"', "momo account active 256772123456 --json")
)
@number_argument
@_collection
def active(number: Any, product: str) -> int:
    """Ask whether a party can pay and receive: yes (0), no (3) or could not check (7)."""
    here = session()
    with here.client() as momo:
        answer: Answer = getattr(momo, product).is_active(number)
    return _answer(here, answer, {}, yes="active", no="not active")


@account.command(
    examples=('momo account name "0772 123 456"', "momo account name 256772123456 --json")
)
@number_argument
@_collection
def name(number: Any, product: str) -> int:
    """Ask for the name of an account holder, to compare before paying.

    Exits with 0 when MTN gave one, 3 when it knows no such holder, and 7 when it could not be
    checked.
    """
    here = session()
    with here.client() as momo:
        found = getattr(momo, product).basic_user_info(number)
    info = found.info
    told = {
        "full_name": info.full_name if info else None,
        "given_name": info.given_name if info else None,
        "family_name": info.family_name if info else None,
        "status": info.status if info else None,
    }
    yes = told["full_name"] or "known to MTN, which gives no name"
    return _answer(here, found.found, told, yes=yes, no="MTN knows no such holder")


def _answer(here: Session, answer: Answer, told: dict[str, Any], *, yes: str, no: str) -> int:
    error = answer.error
    code = _VERDICTS[answer.verdict]
    details = error_facts(error, exit_code=code) if error is not None else None
    data = {"verdict": answer.verdict, **told, "trouble": details}
    why = f": {error}" if error is not None else ""
    said = {"yes": yes, "no": no, "could_not_check": f"could not check, which is no “no”{why}"}
    give(here, data, mask_numbers(said[answer.verdict]))
    return code


@click.command(
    cls=Command,
    examples=(f'momo notify {_ID} "Thank you, your order is on its way" --language en',),
)
@reference_argument
@click.argument("message")
@click.option("--language", metavar="CODE", help="ISO 639 code of the message's language.")
def notify(reference_id: str, message: str, language: str | None) -> int:
    """Send the payer one more message about a request to pay that succeeded, once."""
    here = session()
    tell(here, f"reference id {reference_id}: notification", event="sending")
    with here.client() as momo:
        momo.collection.deliver_notification(reference_id, message, language=language)
    give(here, {"reference_id": reference_id, "notified": True}, "Sent.")
    return OK
