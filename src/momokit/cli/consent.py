"""Commands for an account holder's consent: ask for it, redeem it, read what was consented to."""

from __future__ import annotations

from typing import Any

import click

from momokit.cli.command import Group
from momokit.cli.describe import plain, words
from momokit.cli.exits import OK
from momokit.cli.options import number_argument, product_option, show_numbers_option
from momokit.cli.output import facts, give
from momokit.cli.session import session

_product = product_option("collection")


@click.group(cls=Group)
def consent() -> None:
    """Ask a holder for consent to see personal data, and use it."""


@consent.command(examples=('momo consent authorize "0772 123 456" --scope profile',))
@number_argument
@_product
@click.option("--scope", default="profile", show_default=True, help="What to ask for.")
@click.option(
    "--access-type",
    type=click.Choice(["online", "offline"]),
    default="online",
    show_default=True,
    help="offline gives a refresh token as well.",
)
@click.option(
    "--valid",
    "consent_valid_seconds",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="How long the consent is to hold.",
)
@click.option("--callback-url", metavar="URL", help="Where MTN says that it was given.")
def authorize(number: Any, product: str, **options: Any) -> int:
    """Ask an account holder for consent. It reaches a person, so it is sent once."""
    here = session()
    with here.client() as momo:
        asked = getattr(momo, product).bc_authorize(number, **options)
    told = plain(asked)
    given = f"momo consent token {asked.auth_req_id} --product {product}"
    lines = facts({**{k.replace("_", " "): v for k, v in told.items()}, "once given": given})
    give(here, {**told, "next": given}, *lines)
    return OK


@consent.command(examples=("momo consent token 3f6c0c3e-2b62-4c5b-8f0d-6a1e8f3f9f10 --show",))
@click.argument("auth_req_id")
@_product
@click.option("--show", is_flag=True, help="Print the token itself, and nothing else.")
def token(auth_req_id: str, product: str, show: bool) -> int:
    """Redeem a consent for the token that opens `consent userinfo`.

    MTN refuses while the holder has not answered.
    """
    here = session()
    with here.client() as momo:
        read = getattr(momo, product).oauth2_token(auth_req_id=auth_req_id)
    told: dict[str, Any] = {"scope": read.scope, "expires_in_seconds": read.expires_in}
    if show:
        secrets = {"token": read.access_token, "refresh_token": read.refresh_token}
        give(here, {**told, **secrets}, read.access_token or "")
    else:
        lines = facts(
            {
                "token": "•••• (--show prints it)",
                "scope": read.scope,
                "ends in": f"{read.expires_in} s",
            }
        )
        give(here, {**told, "token": None}, *lines)
    return OK


@consent.command(
    examples=(
        "momo consent userinfo",
        "MOMO_CONSENT_TOKEN=$(momo consent token … --show) momo consent userinfo --json",
    )
)
@_product
@click.option(
    "--token",
    "consent_token",
    envvar="MOMO_CONSENT_TOKEN",
    prompt="Consent token",
    hide_input=True,
    help="Better in MOMO_CONSENT_TOKEN than here, where others can see it.",
)
@show_numbers_option
def userinfo(product: str, consent_token: str, show_numbers: bool) -> int:
    """Read what the holder consented to."""
    here = session()
    with here.client() as momo:
        info = getattr(momo, product).user_info(consent_token)
    told = plain(info, show_numbers=show_numbers)
    give(here, told, *facts({k.replace("_", " "): words(v) for k, v in told.items()}))
    return OK
