"""`momo gateway endpoints`: where the gateway's webhooks go."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import click

from momokit.cli.command import Group
from momokit.cli.exits import OK
from momokit.cli.gateway_store import find_account, gateway_settings, in_store, moment, stamp
from momokit.cli.output import facts, give, table
from momokit.cli.session import session
from momokit.errors import InvalidInput

if TYPE_CHECKING:
    from momokit.gateway.seal import Sealer
    from momokit.gateway.store.accounts import Endpoint
    from momokit.gateway.store.store import Store

_KEPT = 1


@click.group(cls=Group)
def endpoints() -> None:
    """Add, list and switch the addresses that webhooks go to."""


@endpoints.command(
    examples=(
        "momo gateway endpoints add https://shop.example.com/webhooks",
        "momo gateway endpoints add https://shop.example.com/paid --event payment.successful",
    )
)
@click.argument("url")
@click.option("--account", metavar="NAME", help="Only this account's payments.")
@click.option(
    "--event", "events", multiple=True, metavar="NAME", help="Only these events; all if left out."
)
def add(url: str, account: str | None, events: tuple[str, ...]) -> int:
    """Add an address. The secret its webhooks are signed with is shown once."""
    from momokit.webhooks import new_secret

    here = session()
    allows_local = gateway_settings(here).webhook_allow_local
    secret = new_secret()
    endpoint_id = f"whe_{uuid.uuid4().hex}"

    async def work(store: Store, sealer: Sealer) -> Endpoint:
        from momokit.gateway.core.destinations import DEVELOPMENT, PUBLIC, read_destination
        from momokit.gateway.store.accounts import Endpoint, add_endpoint

        read_destination(url, allowance=DEVELOPMENT if allows_local else PUBLIC)
        bound = await store.read(lambda t: find_account(t, account)) if account else None
        endpoint = Endpoint(
            id=endpoint_id,
            url=url,
            secrets_sealed=sealer.seal_texts(endpoint_id, [secret]),
            event_filter=events,
            account_id=bound.id if bound else None,
        )
        return await store.write(lambda t: add_endpoint(t, endpoint))

    return _give(in_store(here, work), secret=secret)


@endpoints.command("list", examples=("momo gateway endpoints list",))
def list_() -> int:
    """List the addresses."""
    here = session()

    async def work(store: Store, _: Sealer) -> list[Endpoint]:
        from momokit.gateway.store.accounts import list_endpoints

        return await store.read(list_endpoints)

    found = in_store(here, work)
    if here.as_json:
        give(here, [_facts(one) for one in found])
        return OK
    rows = [
        (
            one.id, one.url, " ".join(one.event_filter) or "all", one.account_id or "all",
            f"off since {moment(one.disabled_at)}" if one.disabled_at else "on",
        )
        for one in found
    ]  # fmt: skip
    table(here, ("id", "url", "events", "account", "state"), rows)
    return OK


@endpoints.command(examples=("momo gateway endpoints disable whe_3f0c6a1be0a94b5d8c7e2f11",))
@click.argument("endpoint_id")
def disable(endpoint_id: str) -> int:
    """Send nothing more to an address; what is queued is kept."""

    async def work(store: Store, _: Sealer) -> Endpoint:
        from momokit.gateway.store.accounts import disable_endpoint

        return await store.write(lambda t: disable_endpoint(t, endpoint_id))

    return _give(in_store(session(), work))


@endpoints.command(examples=("momo gateway endpoints enable whe_3f0c6a1be0a94b5d8c7e2f11",))
@click.argument("endpoint_id")
def enable(endpoint_id: str) -> int:
    """Send to an address again, what it has missed first."""

    async def work(store: Store, _: Sealer) -> Endpoint:
        from momokit.gateway.store.accounts import enable_endpoint

        return await store.write(lambda t: enable_endpoint(t, endpoint_id))

    return _give(in_store(session(), work))


@endpoints.command(examples=("momo gateway endpoints rotate whe_3f0c6a1be0a94b5d8c7e2f11",))
@click.argument("endpoint_id")
@click.option("--at-once", is_flag=True, help="Sign with the old secret no more: it has leaked.")
def rotate(endpoint_id: str, at_once: bool) -> int:
    """Make a new secret, shown once. The old one signs too, until the next rotation."""
    from momokit.webhooks import new_secret

    secret = new_secret()

    async def work(store: Store, sealer: Sealer) -> Endpoint:
        from momokit.gateway.store.accounts import change_endpoint, list_endpoints

        def unit(transaction: Any) -> Endpoint:
            rows = {one.id: one for one in list_endpoints(transaction)}
            if endpoint_id not in rows:
                raise InvalidInput(f"There is no endpoint {endpoint_id}.", field="id")
            old = sealer.open_texts(endpoint_id, rows[endpoint_id].secrets_sealed)
            kept = [] if at_once else old[:_KEPT]
            sealed = sealer.seal_texts(endpoint_id, [secret, *kept])
            return change_endpoint(transaction, endpoint_id, {"secrets_sealed": sealed})

        return await store.write(unit)

    return _give(in_store(session(), work), secret=secret)


def _give(endpoint: Endpoint, *, secret: str | None = None) -> int:
    lines = facts(
        {
            "endpoint": endpoint.id,
            "url": endpoint.url,
            "state": "off" if endpoint.disabled_at else "on",
            "secret": secret,
        }
    )
    told = _facts(endpoint) | ({"secret": secret} if secret else {})
    note = ("", "Keep the secret now: it is not shown again.") if secret else ()
    give(session(), told, *lines, *note)
    return OK


def _facts(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": endpoint.event_filter,
        "account_id": endpoint.account_id,
        "disabled_at": stamp(endpoint.disabled_at),
        "created_at": stamp(endpoint.created_at),
    }
