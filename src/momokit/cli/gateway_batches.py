"""`momo gateway batches`: what an account allows its batches, and whether their record is whole."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from momokit.cli.command import Group
from momokit.cli.exits import OK, PROBLEMS_FOUND
from momokit.cli.gateway_limits import NONE, read_limit, signed_options
from momokit.cli.gateway_store import find_account, in_store, operator_name
from momokit.cli.options import together
from momokit.cli.output import give, table
from momokit.cli.session import session
from momokit.errors import InvalidInput

if TYPE_CHECKING:
    from momokit.gateway.core.batch import BatchPolicy
    from momokit.gateway.seal import Sealer
    from momokit.gateway.store.database import Transaction
    from momokit.gateway.store.store import Store


_policy_options = together(
    click.option(
        "--second-approver-above", metavar="AMOUNT", help="A total above this takes two checkers."
    ),
    click.option("--max-per-payee", metavar="AMOUNT", help="All that one payee gets in a batch."),
    click.option("--max-per-batch", metavar="AMOUNT", help="The total of a batch."),
    click.option(
        "--max-per-day", metavar="AMOUNT", help="All batches approved on one day (UTC), together."
    ),
    click.option("--max-rows", type=int, help="Rows in one file."),
    click.option("--rows-per-second", type=float, help="How fast rows are let go."),
    click.option("--in-flight-cap", type=int, help="Rows under way at the same time."),
    click.option(
        "--check-holders/--no-check-holders",
        default=None,
        help="Ask MTN about each payee before anything is paid.",
    ),
    click.option("--checks-per-second", type=float, help="How fast payees are asked about."),
)


@click.group(cls=Group)
def batches() -> None:
    """Set what an account allows its batches, and verify their record."""


@batches.command(
    "set",
    examples=(
        'momo gateway batches set uganda --second-approver-above 5000000 --because "board"',
        "momo gateway batches set uganda --max-per-day none --because payroll --by Ada",
    ),
)
@click.argument("name")
@_policy_options
@signed_options
def set_(name: str, because: str, by: str | None, **given: Any) -> int:
    """Set what batches of an account may be; what is not named stays as it is.

    Batches that are submitted already are held to it when they are approved.
    """
    from dataclasses import replace

    from momokit.gateway.core.batch import AMOUNT_LIMITS
    from momokit.gateway.store.batches import read_policy, set_policy
    from momokit.gateway.store.switches import note

    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise InvalidInput("Name at least one setting.", field="policy", hint="--max-rows, say.")
    for field in AMOUNT_LIMITS:
        if field in changes:
            changes[field] = read_limit(field, changes[field])
    who = operator_name(by)

    def unit(transaction: Transaction) -> BatchPolicy:
        account = find_account(transaction, name)
        policy = replace(read_policy(transaction, account.id), **changes)
        note(
            transaction, "batch_policy_set", account_id=account.id, because=because, by=who,
            details={field: str(value) for field, value in changes.items()},
        )  # fmt: skip
        return set_policy(transaction, account.id, policy, by=who)

    async def work(store: Store, _: Sealer) -> BatchPolicy:
        return await store.write(unit)

    return _give(name, in_store(session(), work))


@batches.command(examples=("momo gateway batches show uganda",))
@click.argument("name")
def show(name: str) -> int:
    """Show what an account allows its batches."""
    from momokit.gateway.store.batches import read_policy

    async def work(store: Store, _: Sealer) -> BatchPolicy:
        return await store.read(lambda t: read_policy(t, find_account(t, name).id))

    return _give(name, in_store(session(), work))


@batches.command(examples=("momo gateway batches verify",))
def verify() -> int:
    """Check that no line of any batch's history was changed or taken out."""
    from momokit.gateway.store.batch_history import broken_histories

    async def work(store: Store, _: Sealer) -> tuple[int, dict[str, int]]:
        return await store.read(broken_histories)

    here = session()
    count, broken = in_store(here, work)
    if here.as_json:
        give(here, {"batches": count, "broken": broken})
    elif not broken:
        give(here, None, f"The histories of {count} batches are whole.")
    else:
        table(
            here,
            ("batch", "first line that does not fit"),
            [(one, str(line)) for one, line in broken.items()],
        )
    return PROBLEMS_FOUND if broken else OK


def _give(name: str, policy: BatchPolicy) -> int:
    here = session()
    told = {field: _told(getattr(policy, field)) for field in policy.__slots__}
    if here.as_json:
        give(here, {"account": name, "policy": told})
        return OK
    table(here, ("setting", "value"), [(field, str(value)) for field, value in told.items()])
    return OK


def _told(value: Any) -> Any:
    if value is None:
        return NONE
    return str(value) if isinstance(value, Decimal) else value
