"""Who may do what: accounts with MTN, the merchant's API keys, and where webhooks go."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from momokit.gateway.core.payment import Work
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.records import NoSuchRow, NotUnique, from_json, to_json
from momokit.gateway.store.tables import accounts, api_keys, webhook_endpoints

LAST_USED_GRAIN_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One market's credentials, sealed. Paused, it sends nothing; `paused_work` "all": nor asks.

    `limits` is what it may move, by currency, as `core.limits` reads it.
    """

    id: str
    name: str
    market: str
    base_url: str
    settings: Mapping[str, Any]
    credentials_sealed: bytes = field(repr=False)
    paused_reason: str | None = None
    paused_work: str | None = None
    created_at: float = 0.0
    limits: Mapping[str, Mapping[str, str]] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A merchant's key, known by its digest alone. Two keys of one `owner` are one person.

    `family` is the key that this one was rotated from, first of all: what that one made is its own.
    """

    id: str
    label: str
    prefix: str
    key_hash: str = field(repr=False)
    scopes: tuple[str, ...]
    account_id: str | None = None
    owner: str | None = None
    family: str | None = None
    expires_at: float | None = None
    revoked_at: float | None = None
    last_used_at: float | None = None
    created_at: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """Where webhooks go. No account: those of all. No names in the filter: every event."""

    id: str
    url: str
    secrets_sealed: bytes = field(repr=False)
    event_filter: tuple[str, ...] = ()
    account_id: str | None = None
    disabled_at: float | None = None
    created_at: float = 0.0


def add_account(transaction: Transaction, account: Account) -> Account:
    """Add an account; NotUnique when its name is taken."""
    row = _columns(account) | {
        "settings": to_json(dict(account.settings)),
        "limits": to_json(account.limits) if account.limits is not None else None,
    }
    return _to_account(_add(transaction, accounts, row))


def change_account(
    transaction: Transaction, account_id: str, changes: Mapping[str, Any]
) -> Account:
    """Change an account's settings, credentials, name, market or address."""
    values = dict(changes)
    if "settings" in values:
        values["settings"] = to_json(dict(values["settings"]))
    return _to_account(_change(transaction, accounts, account_id, values))


def pause_account(
    transaction: Transaction, account_id: str, *, reason: str, everything: bool = False
) -> Account:
    """Stop sending for an account; with `everything`, stop asking too."""
    values = {"paused_reason": reason, "paused_work": "all" if everything else Work.SUBMIT.value}
    return _to_account(_change(transaction, accounts, account_id, values))


def close_lane(transaction: Transaction, account_id: str, *, reason: str) -> bool:
    """Stop an account's sends for a reason found out at work; False when they are stopped already,
    by a person perhaps, whose reason and extent then stay."""
    done = transaction.connection.execute(
        update(accounts)
        .where(accounts.c.id == account_id, accounts.c.paused_reason.is_(None))
        .values(paused_reason=reason, paused_work=Work.SUBMIT.value)
    )
    return done.rowcount == 1


def resume_account(transaction: Transaction, account_id: str) -> Account:
    """Let an account work again."""
    transaction.wake()
    values = {"paused_reason": None, "paused_work": None}
    return _to_account(_change(transaction, accounts, account_id, values))


def list_accounts(transaction: Transaction) -> list[Account]:
    """List the accounts by name."""
    query = select(accounts).order_by(accounts.c.name)
    return [_to_account(row) for row in transaction.connection.execute(query)]


def is_paused(transaction: Transaction, account_id: str) -> bool:
    """Tell whether an account sends nothing at present."""
    reason = select(accounts.c.paused_reason).where(accounts.c.id == account_id)
    return transaction.connection.execute(reason).scalar_one_or_none() is not None


def add_key(transaction: Transaction, key: ApiKey) -> ApiKey:
    """Add an API key."""
    row = _columns(key) | {"scopes": to_json(key.scopes)}
    return _to_key(_add(transaction, api_keys, row))


def find_key(transaction: Transaction, key_hash: str) -> ApiKey | None:
    """Find the key with this digest, if it is valid at present."""
    row = transaction.connection.execute(
        select(api_keys).where(api_keys.c.key_hash == key_hash, api_keys.c.revoked_at.is_(None))
    ).one_or_none()
    if row is None or (row.expires_at is not None and row.expires_at <= transaction.now):
        return None
    return _to_key(row)


def list_keys(transaction: Transaction) -> list[ApiKey]:
    """List all keys, newest first."""
    query = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
    return [_to_key(row) for row in transaction.connection.execute(query)]


def change_key(transaction: Transaction, key_id: str, *, expires_at: float | None) -> ApiKey:
    """Set when a key ends; for rotation, the old one ends a while after the new one begins."""
    return _to_key(_change(transaction, api_keys, key_id, {"expires_at": expires_at}))


def revoke_key(transaction: Transaction, key_id: str) -> ApiKey:
    """End a key now, for ever."""
    return _to_key(_change(transaction, api_keys, key_id, {"revoked_at": transaction.now}))


def touch_keys(transaction: Transaction, key_ids: Collection[str]) -> None:
    """Note that keys were used, to the minute."""
    transaction.connection.execute(
        update(api_keys)
        .where(
            api_keys.c.id.in_(list(key_ids)),
            api_keys.c.last_used_at.is_(None)
            | (api_keys.c.last_used_at < transaction.now - LAST_USED_GRAIN_SECONDS),
        )
        .values(last_used_at=transaction.now)
    )


def add_endpoint(transaction: Transaction, endpoint: Endpoint) -> Endpoint:
    """Add an address for webhooks."""
    row = _columns(endpoint) | {"event_filter": to_json(endpoint.event_filter)}
    return _to_endpoint(_add(transaction, webhook_endpoints, row))


def change_endpoint(
    transaction: Transaction, endpoint_id: str, changes: Mapping[str, Any]
) -> Endpoint:
    """Change an endpoint's url, secrets or filter."""
    values = dict(changes)
    if "event_filter" in values:
        values["event_filter"] = to_json(tuple(values["event_filter"]))
    return _to_endpoint(_change(transaction, webhook_endpoints, endpoint_id, values))


def disable_endpoint(transaction: Transaction, endpoint_id: str) -> Endpoint:
    """Send nothing more to an endpoint; its queue is kept."""
    values = {"disabled_at": transaction.now}
    return _to_endpoint(_change(transaction, webhook_endpoints, endpoint_id, values))


def enable_endpoint(transaction: Transaction, endpoint_id: str) -> Endpoint:
    """Send to an endpoint again, what it has missed first."""
    transaction.wake()
    row = _change(transaction, webhook_endpoints, endpoint_id, {"disabled_at": None})
    return _to_endpoint(row)


def list_endpoints(transaction: Transaction) -> list[Endpoint]:
    """List the endpoints, oldest first."""
    query = select(webhook_endpoints).order_by(
        webhook_endpoints.c.created_at, webhook_endpoints.c.id
    )
    return [_to_endpoint(row) for row in transaction.connection.execute(query)]


def _columns(value: Account | ApiKey | Endpoint) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _add(transaction: Transaction, table: Table, row: dict[str, Any]) -> Row[Any]:
    statement = insert(table).values(row | {"created_at": transaction.now}).returning(table)
    try:
        return transaction.connection.execute(statement).one()
    except IntegrityError as error:
        raise NotUnique(f"One of {table.name} like that is there already.") from error


def _change(
    transaction: Transaction, table: Table, row_id: str, values: dict[str, Any]
) -> Row[Any]:
    statement = update(table).where(table.c.id == row_id).values(values).returning(table)
    row = transaction.connection.execute(statement).one_or_none()
    if row is None:
        raise NoSuchRow(f"There is no {row_id} among {table.name}.")
    return row


def _to_account(row: Row[Any]) -> Account:
    plain = dict(row._mapping)
    limits = from_json(row.limits) if row.limits is not None else None
    return Account(**plain | {"settings": from_json(row.settings), "limits": limits})


def _to_key(row: Row[Any]) -> ApiKey:
    plain = dict(row._mapping)
    return ApiKey(**plain | {"scopes": tuple(from_json(row.scopes))})


def _to_endpoint(row: Row[Any]) -> Endpoint:
    plain = dict(row._mapping)
    return Endpoint(**plain | {"event_filter": tuple(from_json(row.event_filter))})
