"""`momo gateway limits`: how much an account may move, per payment, day and payee."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from momokit.cli.command import Group
from momokit.cli.exits import OK
from momokit.cli.gateway_store import find_account, in_store, moment, operator_name, stamp
from momokit.cli.options import together
from momokit.cli.output import give, table
from momokit.cli.session import session
from momokit.errors import InvalidInput

if TYPE_CHECKING:
    from momokit.gateway.core.limits import Limits
    from momokit.gateway.seal import Sealer
    from momokit.gateway.store.accounts import Account
    from momokit.gateway.store.database import Transaction
    from momokit.gateway.store.store import Store
    from momokit.gateway.store.switches import GuardEvent

NONE = "none"

signed_options = together(
    click.option("--because", required=True, metavar="TEXT", help="Why; kept in the history."),
    click.option("--by", metavar="NAME", help="Who. [the user of this machine]"),
)

_limit_options = together(
    click.option("--send-per-payment", metavar="AMOUNT", help="One payment out."),
    click.option("--send-per-day", metavar="AMOUNT", help="All payments out of a day (UTC)."),
    click.option("--send-per-payee-per-day", metavar="AMOUNT", help="The same, to one payee."),
    click.option(
        "--new-payee-per-day",
        metavar="AMOUNT",
        help="To one payee until a payment to it succeeded a day ago.",
    ),
    click.option("--collect-per-payment", metavar="AMOUNT", help="One request to a payer."),
)


@click.group(cls=Group)
def limits() -> None:
    """Set and show how much an account may move."""


@limits.command(
    "set",
    examples=(
        'momo gateway limits set uganda --send-per-day 20000000 --because "board, 3 March"',
        "momo gateway limits set uganda --send-per-payment none --because payroll --by Ada",
    ),
)
@click.argument("name")
@click.option("--currency", metavar="CUR", help="Of these amounts. [the market's own]")
@_limit_options
@signed_options
def set_(name: str, currency: str | None, because: str, by: str | None, **given: str | None) -> int:
    """Set limits of an account, an amount or none; those not named stay as they are.

    A payment over a limit is refused when it is asked for. Today's payments count already.
    """
    from momokit.gateway.core.limits import Limits, read_limits
    from momokit.gateway.store.guards import set_limits

    changes = {field: read_limit(field, text) for field, text in given.items() if text is not None}
    if not changes:
        raise InvalidInput("Name at least one limit.", field="limits", hint="--send-per-day, say.")
    who = operator_name(by)

    async def work(store: Store, _: Sealer) -> dict[str, Limits]:
        def unit(transaction: Transaction) -> dict[str, Limits]:
            account = find_account(transaction, name)
            of = currency or _usual_currency(account)
            present = read_limits(account.limits)
            before = present.get(of, Limits())
            kept = {field: getattr(before, field) for field in Limits.__slots__}
            present[of] = Limits(**kept | changes)
            set_limits(transaction, account.id, present, because=because, by=who)
            return read_limits(find_account(transaction, name).limits)

        return await store.write(unit)

    return _give({name: in_store(session(), work)})


@limits.command(examples=("momo gateway limits show", "momo gateway limits show uganda --history"))
@click.argument("name", required=False)
@click.option("--history", is_flag=True, help="Who changed them, when and why.")
def show(name: str | None, history: bool) -> int:
    """Show the limits of one account or of all, and what was paid out today."""
    from momokit.gateway.core.limits import read_limits
    from momokit.gateway.store.accounts import list_accounts
    from momokit.gateway.store.sums import spent_today
    from momokit.gateway.store.switches import list_guard_events

    def unit(
        transaction: Transaction,
    ) -> tuple[dict[str, dict[str, Limits]], dict[str, dict[str, Decimal]], list[GuardEvent]]:
        accounts = [find_account(transaction, name)] if name else list_accounts(transaction)
        found = {one.name: read_limits(one.limits) for one in accounts}
        spent = {one.name: spent_today(transaction, one.id) for one in accounts}
        ids = [one.id for one in accounts]
        events = [one for one in list_guard_events(transaction, limit=500)
                  if one.account_id in ids and one.what == "limits_set"]  # fmt: skip
        return found, spent, events

    async def work(store: Store, _: Sealer) -> Any:
        return await store.read(unit)

    found, spent, events = in_store(session(), work)
    return _give(found, spent=spent, events=events if history else None)


def _usual_currency(account: Account) -> str:
    from momokit.market import market

    return market(account.market).currency


def read_limit(field: str, text: str) -> Decimal | None:
    """Read a limit from the command line: an amount, or none. Raises InvalidInput."""
    from momokit.gateway.core.limits import read_amount

    if text.lower() == NONE:
        return None
    try:
        return read_amount(text)
    except ValueError as error:
        raise InvalidInput(str(error), field=field, hint="An amount, or none.") from None


def _give(
    found: dict[str, dict[str, Limits]],
    *,
    spent: dict[str, dict[str, Decimal]] | None = None,
    events: list[GuardEvent] | None = None,
) -> int:
    from momokit.gateway.core.limits import limits_text

    here = session()
    told = {name: limits_text(limits) for name, limits in found.items()}
    if here.as_json:
        data: dict[str, Any] = {"limits": told}
        if spent is not None:
            data["sent_today"] = {
                name: {currency: str(amount) for currency, amount in of.items()}
                for name, of in spent.items()
            }
        if events is not None:
            data["history"] = [
                {"at": stamp(one.at), "by": one.by, "because": one.because, **one.details}
                for one in events
            ]
        give(here, data)
        return OK
    rows = [
        (name, currency, limit, amount)
        for name, by_currency in told.items()
        for currency, named in by_currency.items()
        for limit, amount in named.items()
    ]
    rows += [
        (name, currency, "sent today", str(amount))
        for name, of in (spent or {}).items()
        for currency, amount in of.items()
    ]
    if not rows:
        give(here, None, "There are no limits.")
    else:
        table(here, ("account", "currency", "limit", "amount"), rows)
    for one in events or []:
        give(here, None, f"{moment(one.at)}  {one.by}: {one.because}")
    return OK
