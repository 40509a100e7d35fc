"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click

from momokit.party import Party
from momokit.settings import PRODUCTS

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    _KindType: TypeAlias = click.ParamType[str]
    _PartyType: TypeAlias = click.ParamType[Party | str]
else:
    # Older versions of Click, which will do as well, cannot be subscripted.
    _KindType = _PartyType = click.ParamType

KINDS = (
    "request-to-pay",
    "withdraw",
    "invoice",
    "pre-approval",
    "payment",
    "transfer",
    "deposit",
    "refund",
    "cash-transfer",
)
"""What can be asked about with a reference id, as written on the command line."""

_PARTY_PREFIXES: dict[str, Callable[[str], Party]] = {
    "email:": Party.email,
    "party-code:": Party.party_code,
    "alias:": Party.alias,
}


class KindName(_KindType):
    """Reads the name of a kind, with hyphens, underscores or neither."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give our word for it: `request_to_pay`."""
        wanted = "".join(c for c in str(value).lower() if c.isalpha())
        found = next((kind for kind in KINDS if wanted == kind.replace("-", "")), None)
        if found is not None:
            return found.replace("-", "_")
        raise click.BadParameter(f"{value!r} is none of {', '.join(KINDS)}.", ctx=ctx, param=param)


class PartyName(_PartyType):
    """Reads a payer or payee: a phone number, or `email:`, `party-code:` or `alias:` and an id."""

    name = "number"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002
        ctx: click.Context | None,  # noqa: ARG002
    ) -> Party | str:
        """Give a party, or the number as written for the market to read."""
        for prefix, make in _PARTY_PREFIXES.items():
            if str(value).lower().startswith(prefix):
                return make(str(value)[len(prefix) :])
        return str(value)


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Make one decorator of several, in the order in which help shows them."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def product_option(default: str | None, *, among: tuple[str, ...] = PRODUCTS) -> Callable[[F], F]:
    """Let the caller say with which product's credentials to ask."""
    return click.option(
        "--product",
        type=click.Choice(among),
        default=default,
        show_default=default is not None,
        help="With which product's credentials.",
    )


kind_argument = click.argument("kind", type=KindName())
reference_argument = click.argument("reference_id")
amount_argument = click.argument("amount")
number_argument = click.argument("number", type=PartyName())
currency_option = click.option("--currency", metavar="CODE", help="The market's own when left out.")
language_option = click.option(
    "--lang",
    "language",
    type=click.Choice(["en", "fr"]),
    default="en",
    show_default=True,
    help="Language of the explanation.",
)
show_numbers_option = click.option(
    "--show-numbers", is_flag=True, help="Show phone numbers and personal data in full."
)
timeout_option = click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0),
    default=330.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait; the payer has 300 seconds to approve.",
)
notes_options = together(
    click.option("--message", "payer_message", metavar="TEXT", help="Shown to the payer."),
    click.option("--note", "payee_note", metavar="TEXT", help="Kept for the payee."),
)
clean_notes_option = click.option(
    "--clean-notes", is_flag=True, help="Mend notes MTN would refuse; says what was changed."
)
version_option = click.option(
    "--api-version",
    "version",
    type=click.Choice(["1", "2"]),
    default="1",
    show_default=True,
    help="MTN's version of the call: 1 calls back with POST, 2 with PUT.",
)
transfer_type_option = click.option("--transfer-type", metavar="TYPE", help="For aggregators.")
filing_options = together(
    click.option("--external-id", metavar="ID", help="Your own number for it, without spaces."),
    click.option("--reference-id", metavar="UUID", help="Your own UUID v4."),
    click.option(
        "--idempotency-key",
        metavar="TEXT",
        help="Names this one payment; the same key gives the same reference id for ever.",
    ),
    click.option("--callback-url", metavar="URL", help="Where MTN calls back for this one."),
    click.option(
        "--dry-run", is_flag=True, help="Check all, show what would be sent; send nothing."
    ),
    show_numbers_option,
)
waiting_options = together(
    click.option("--wait", "wait_for_outcome", is_flag=True, help="Wait for the outcome."),
    timeout_option,
)
