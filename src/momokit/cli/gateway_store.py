"""How commands of `momo gateway` get at its settings and its database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from momokit.cli.command import Group
from momokit.cli.session import Session
from momokit.errors import InvalidInput, MissingExtra

if TYPE_CHECKING:
    from momokit.gateway.seal import Sealer
    from momokit.gateway.settings import GatewaySettings
    from momokit.gateway.store.accounts import Account
    from momokit.gateway.store.database import Transaction
    from momokit.gateway.store.store import Store

T = TypeVar("T")


def gateway_settings(here: Session, **given: Any) -> GatewaySettings:
    """Read the gateway's settings: --config FILE or MOMO_GATEWAY_CONFIG, and the environment."""
    from momokit.gateway.settings import GatewaySettings

    return GatewaySettings.load(
        here.config, **{name: value for name, value in given.items() if value is not None}
    )


class GatewayGroup(Group):
    """A group whose commands need the gateway's parts: without them it says how to install them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command of the group."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("momokit"):
                raise
            extra = "postgres" if error.name.startswith("psycopg") else "gateway"
            raise MissingExtra(extra, missing=error.name) from None


def in_store(here: Session, work: Callable[[Store, Sealer], Awaitable[T]]) -> T:
    """Open the gateway's database for one piece of work. What the store refuses is told plainly."""
    from momokit.gateway import start
    from momokit.gateway.seal import Sealer
    from momokit.gateway.store.records import StoreError

    settings = gateway_settings(here)

    async def run() -> T:
        store = await start.open_store(settings, migrates=start.is_missing(settings))
        try:
            return await work(store, Sealer(settings.key, previous=settings.previous_keys))
        except StoreError as error:
            raise InvalidInput(str(error), field="id") from None
        finally:
            store.close()

    return asyncio.run(run())


def find_account(transaction: Transaction, name: str) -> Account:
    """Find an account by name or id. Raises InvalidInput."""
    from momokit.gateway.store.accounts import list_accounts

    found = [one for one in list_accounts(transaction) if name in (one.name, one.id)]
    if not found:
        raise InvalidInput(
            f"There is no account {name!r}.", field="account", hint="momo gateway accounts list"
        )
    return found[0]


def operator_name(by: str | None) -> str:
    """Name who does it: as told, or the user of this machine."""
    import getpass

    try:
        return by or getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def moment(seconds: float | None) -> str:
    """Write a time for people."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def stamp(seconds: float | None) -> str | None:
    """Write a time for programs."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
