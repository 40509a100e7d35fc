"""`momo gateway keys`: the API keys of the merchant's applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from momokit.cli.command import Group
from momokit.cli.exits import OK
from momokit.cli.gateway_store import find_account, in_store, moment, stamp
from momokit.cli.output import facts, give, table
from momokit.cli.session import session

if TYPE_CHECKING:
    from momokit.gateway.keys import NewKey
    from momokit.gateway.seal import Sealer
    from momokit.gateway.store.accounts import ApiKey
    from momokit.gateway.store.database import Transaction
    from momokit.gateway.store.store import Store

SCOPES = ("collect", "disburse", "read", "webhooks", "approve", "reconcile", "admin", "shop")
DAY_SECONDS = 86_400.0
HOUR_SECONDS = 3_600.0


@click.group(cls=Group)
def keys() -> None:
    """Make, list, rotate and revoke API keys."""


@keys.command(
    examples=(
        "momo gateway keys create shop --scope collect --scope read",
        "momo gateway keys create payroll --scope disburse --account uganda --days 90",
        "momo gateway keys create signing --scope approve --scope read --owner Amina",
    )
)
@click.argument("label")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="What the key may do; give it several times for several.",
)
@click.option("--account", metavar="NAME", help="Bind the key to one account.")
@click.option(
    "--owner", metavar="PERSON", help="Whose key it is; all keys of one owner are one person."
)
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="When it expires.")
def create(
    label: str, scopes: tuple[str, ...], account: str | None, owner: str | None, days: float | None
) -> int:
    """Make an API key. It is shown once; only its digest is stored."""

    async def work(store: Store, _: Sealer) -> NewKey:
        return await store.write(lambda t: _create(t, label, scopes, account, owner, days))

    return _give_once(in_store(session(), work))


@keys.command("list", examples=("momo gateway keys list",))
def list_() -> int:
    """List all API keys with their rights and when they were last used."""
    from momokit.gateway.store.accounts import list_keys

    here = session()

    async def work(store: Store, _: Sealer) -> tuple[list[ApiKey], float]:
        return await store.read(lambda t: (list_keys(t), t.now))

    found, now = in_store(here, work)
    if here.as_json:
        give(here, [_facts(key, now) for key in found])
        return OK
    rows = [
        (
            key.id, key.label, f"{key.prefix}…", " ".join(key.scopes), _state(key, now),
            moment(key.expires_at), moment(key.last_used_at) or "never",
        )
        for key in found
    ]  # fmt: skip
    table(here, ("id", "label", "begins", "scopes", "state", "expires", "last used"), rows)
    return OK


@keys.command(examples=("momo gateway keys revoke key_3f0c6a1be0a94b5d8c7e2f11",))
@click.argument("key_id")
def revoke(key_id: str) -> int:
    """End a key now, for ever."""
    from momokit.gateway.store.accounts import revoke_key

    here = session()

    async def work(store: Store, _: Sealer) -> ApiKey:
        return await store.write(lambda t: revoke_key(t, key_id))

    key = in_store(here, work)
    give(here, {"id": key.id, "state": "revoked"}, f"{key.id} ({key.label}) is revoked.")
    return OK


@keys.command(
    examples=("momo gateway keys rotate key_3f0c6a1be0a94b5d8c7e2f11 --overlap-hours 48",)
)
@click.argument("key_id")
@click.option(
    "--overlap-hours",
    type=click.FloatRange(min=0),
    default=24.0,
    show_default=True,
    help="For how long the old key still works.",
)
def rotate(key_id: str, overlap_hours: float) -> int:
    """Make a new key with the same rights; the old one works for a while longer."""
    from momokit.gateway.keys import rotate_key

    async def work(store: Store, _: Sealer) -> NewKey:
        seconds = overlap_hours * HOUR_SECONDS
        return await store.write(lambda t: rotate_key(t, key_id, overlap_seconds=seconds))

    return _give_once(in_store(session(), work))


def _create(
    transaction: Transaction,
    label: str,
    scopes: tuple[str, ...],
    account: str | None,
    owner: str | None,
    days: float | None,
) -> NewKey:
    from momokit.gateway.keys import create_key, make_key
    from momokit.gateway.store.accounts import list_accounts

    bound = find_account(transaction, account) if account else None
    reached = [bound] if bound else list_accounts(transaction)
    live = any(one.market != "sandbox" and not one.base_url for one in reached)
    account_id = bound.id if bound else None
    new = make_key(label=label, scopes=scopes, live=live, account_id=account_id, owner=owner)
    lifetime_seconds = days * DAY_SECONDS if days is not None else None
    return create_key(transaction, new, lifetime_seconds=lifetime_seconds)


def _give_once(new: NewKey) -> int:
    here = session()
    text, key = new.text.reveal(), new.key
    lines = facts(
        {
            "key": text,
            "id": key.id,
            "scopes": " ".join(key.scopes),
            "account": key.account_id or "all",
            "owner": key.owner or key.label,
            "expires": moment(key.expires_at) or "never",
        }
    )
    told: dict[str, Any] = {"key": text, "id": key.id, "label": key.label, "scopes": key.scopes}
    told |= {"account_id": key.account_id, "expires_at": stamp(key.expires_at)}
    give(here, told, *lines, "", "Keep it now: it is not shown again.")
    return OK


def _facts(key: ApiKey, now: float) -> dict[str, Any]:
    return {
        "id": key.id,
        "label": key.label,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "account_id": key.account_id,
        "owner": key.owner,
        "state": _state(key, now),
        "created_at": stamp(key.created_at),
        "expires_at": stamp(key.expires_at),
        "last_used_at": stamp(key.last_used_at),
    }


def _state(key: ApiKey, now: float) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= now:
        return "expired"
    return "valid"
