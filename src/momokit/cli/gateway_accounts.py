"""`momo gateway accounts`: the accounts with MTN that the gateway works for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from momokit.cli.command import Group
from momokit.cli.exits import OK
from momokit.cli.gateway_limits import signed_options
from momokit.cli.gateway_store import find_account, in_store, operator_name, stamp
from momokit.cli.options import together
from momokit.cli.output import facts, give, table
from momokit.cli.session import session
from momokit.errors import ConfigurationError
from momokit.settings import PRODUCTS

if TYPE_CHECKING:
    from momokit.gateway.seal import Sealer
    from momokit.gateway.store.accounts import Account
    from momokit.gateway.store.database import Transaction
    from momokit.gateway.store.store import Store
    from momokit.settings import Settings

_from_option = together(
    click.option(
        "--from",
        "path",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Market and credentials from this file, as written by momo sandbox provision;"
        " otherwise from the environment.",
    )
)


@click.group(cls=Group)
def accounts() -> None:
    """Add, change, pause and list the accounts with MTN."""


@accounts.command(
    examples=(
        "momo gateway accounts add uganda --from uganda.env",
        "momo gateway accounts add test --from emulator.env",
    )
)
@click.argument("name")
@_from_option
def add(name: str, path: Path | None) -> int:
    """Add an account: one market and its credentials, which are sealed before they are stored."""
    from momokit.gateway.store.accounts import add_account

    told = _client_settings(path)

    async def work(store: Store, sealer: Sealer) -> Account:
        from momokit.gateway.book import new_account

        return await store.write(lambda t: add_account(t, new_account(name, told, sealer=sealer)))

    return _give(in_store(session(), work), told)


@accounts.command(examples=("momo gateway accounts change uganda --from uganda-new.env",))
@click.argument("name")
@_from_option
@click.option("--rename", metavar="NAME", help="A new name; market and credentials stay.")
def change(name: str, path: Path | None, rename: str | None) -> int:
    """Replace an account's market and credentials, or its name; open payments stay its own."""
    from momokit.gateway.store.accounts import change_account

    told = None if rename and path is None else _client_settings(path)

    async def work(store: Store, sealer: Sealer) -> Account:
        from momokit.gateway.book import columns_of

        account = await store.read(lambda t: find_account(t, name))
        changes: dict[str, Any] = {"name": rename} if rename else {}
        if told is not None:
            changes |= columns_of(told, account.id, sealer=sealer)
        return await store.write(lambda t: change_account(t, account.id, changes))

    return _give(in_store(session(), work), told)


@accounts.command("list", examples=("momo gateway accounts list",))
def list_() -> int:
    """List the accounts, and open each with the secret key."""
    here = session()

    async def work(store: Store, sealer: Sealer) -> list[tuple[Account, Settings, list[str]]]:
        from momokit.gateway.book import open_settings
        from momokit.gateway.store.accounts import list_accounts

        found, shut = await store.read(lambda t: (list_accounts(t), _shut_lanes(t)))
        return [(one, open_settings(one, sealer=sealer), shut.get(one.id, [])) for one in found]

    found = in_store(here, work)
    if here.as_json:
        give(here, [_facts(one, told) | {"shut_lanes": shut} for one, told, shut in found])
        return OK
    rows = [
        (
            account.name, account.id, account.market, told.host_url,
            " ".join(_products(told)), account.paused_reason or "", ", ".join(shut),
        )
        for account, told, shut in found
    ]  # fmt: skip
    table(here, ("name", "id", "market", "host", "products", "paused because", "shut"), rows)
    return OK


@accounts.command(
    examples=(
        'momo gateway accounts pause uganda --reason "wrong balance, looking into it"',
        "momo gateway accounts pause uganda --reason maintenance --everything",
    )
)
@click.argument("name")
@click.option("--reason", required=True, metavar="TEXT", help="Told to whoever asks why.")
@click.option("--everything", is_flag=True, help="Ask MTN nothing either.")
def pause(name: str, reason: str, everything: bool) -> int:
    """Stop sending for an account. Payments under way are still followed to their end."""
    from momokit.gateway.store.accounts import pause_account

    async def work(store: Store, _: Sealer) -> Account:
        account = await store.read(lambda t: find_account(t, name))
        return await store.write(
            lambda t: pause_account(t, account.id, reason=reason, everything=everything)
        )

    return _give(in_store(session(), work), None)


@accounts.command(examples=("momo gateway accounts resume uganda",))
@click.argument("name")
def resume(name: str) -> int:
    """Let an account send again."""
    from momokit.gateway.store.accounts import resume_account

    async def work(store: Store, _: Sealer) -> Account:
        account = await store.read(lambda t: find_account(t, name))
        return await store.write(lambda t: resume_account(t, account.id))

    return _give(in_store(session(), work), None)


@accounts.command(examples=('momo gateway accounts reopen uganda --because "MTN says it is over"',))
@click.argument("name")
@signed_options
def reopen(name: str, because: str, by: str | None) -> int:
    """Open lanes that are shut because MTN gave no answers; they open by themselves as well."""
    from momokit.gateway.store.lanes import open_by_hand

    here, who = session(), operator_name(by)

    async def work(store: Store, _: Sealer) -> int:
        account = await store.read(lambda t: find_account(t, name))
        return await store.write(lambda t: open_by_hand(t, account.id, because=because, by=who))

    count = in_store(here, work)
    give(here, {"opened": count}, f"{count} lanes opened.")
    return OK


@accounts.command(examples=("momo gateway accounts reseal",))
def reseal() -> int:
    """Put all that is sealed under the present secret key, after that was changed."""
    here = session()

    async def work(store: Store, sealer: Sealer) -> int:
        from momokit.gateway.store import accounts as rows
        from momokit.gateway.store.data_keys import renew_data_keys

        def unit(transaction: Any) -> int:
            count = renew_data_keys(transaction, sealer)
            for one in rows.list_accounts(transaction):
                if not sealer.is_current(one.credentials_sealed):
                    sealed = sealer.renew(one.credentials_sealed, row_id=one.id)
                    rows.change_account(transaction, one.id, {"credentials_sealed": sealed})
                    count += 1
            for end in rows.list_endpoints(transaction):
                if not sealer.is_current(end.secrets_sealed):
                    sealed = sealer.renew(end.secrets_sealed, row_id=end.id)
                    rows.change_endpoint(transaction, end.id, {"secrets_sealed": sealed})
                    count += 1
            return count

        return await store.write(unit)

    count = in_store(here, work)
    give(here, {"resealed": count}, f"{count} sealed anew. The former key opens nothing here now.")
    return OK


def _shut_lanes(transaction: Transaction) -> dict[str, list[str]]:
    """Say which lanes are shut because MTN does not answer, by account."""
    from momokit.gateway.core.payment import Work
    from momokit.gateway.store.lanes import shut_lanes

    shut: dict[str, list[str]] = {}
    for one in shut_lanes(transaction):
        work = "sends" if one.key.work is Work.SUBMIT else "questions"
        state = one.breaker.state(transaction.now).value
        shut.setdefault(one.key.account_id, []).append(f"{one.key.product} {work} {state}")
    return shut


def _client_settings(path: Path | None) -> Settings:
    from momokit.settings import Settings

    here = session()
    options = {"market": here.market, "base_url": here.base_url}
    given: dict[str, Any] = {name: value for name, value in options.items() if value}
    told = Settings.from_file(path, **given) if path else Settings.from_env(**given)
    if not _products(told):
        raise ConfigurationError(
            "There are no credentials for any product.",
            field="collection",
            hint="Give --from FILE, or set MOMO_SUBSCRIPTION_KEY, MOMO_API_USER, MOMO_API_KEY.",
        )
    return told


def _products(told: Settings) -> list[str]:
    return [product for product in PRODUCTS if getattr(told, product) is not None]


def _give(account: Account, told: Settings | None) -> int:
    state = f"paused: {account.paused_reason}" if account.paused_reason else "working"
    lines = facts(
        {
            "account": account.name,
            "id": account.id,
            "market": account.market,
            "products": " ".join(_products(told)) if told else "",
            "state": state,
        }
    )
    give(session(), _facts(account, told), *lines)
    return OK


def _facts(account: Account, told: Settings | None) -> dict[str, Any]:
    found = {
        "id": account.id,
        "name": account.name,
        "market": account.market,
        "base_url": account.base_url or None,
        "paused_reason": account.paused_reason,
        "paused_work": account.paused_work,
        "created_at": stamp(account.created_at),
    }
    return found | ({"products": _products(told)} if told else {})
