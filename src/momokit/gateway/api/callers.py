"""Who may ask what: API keys, their scopes, and the guard in front of every route."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.params import QueryParameter

from momokit.gateway.api.edge import Caller
from momokit.gateway.api.problems import Problem
from momokit.gateway.core.batch import person_of
from momokit.gateway.core.payment import PUSH_KINDS
from momokit.gateway.keys import digest, recognise
from momokit.gateway.store.accounts import touch_keys
from momokit.gateway.store.records import StoredPayment
from momokit.gateway.store.store import Store

COLLECT, DISBURSE, READ = "collect", "disburse", "read"
WEBHOOKS, ADMIN, SHOP = "webhooks", "admin", "shop"
APPROVE, RECONCILE = "approve", "reconcile"
_ALL = frozenset({COLLECT, DISBURSE, READ, WEBHOOKS, APPROVE, RECONCILE, ADMIN})

MONEY = frozenset({COLLECT, DISBURSE})
ANY_READER = frozenset({READ, COLLECT, DISBURSE})

_PAYS_OUT = PUSH_KINDS | {"payment"}
_MAX_KEY = 256
_TOUCH_EVERY_SECONDS = 60.0
_KEYS_KEPT = 1000


def authenticate_by(
    store: Store,
    *,
    kept_seconds: float = 2.0,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[str], Awaitable[Caller | None]]:
    """Make the function that finds a key in the store.

    What was found serves for `kept_seconds`, so that a busy key costs no read for each request; a
    revoked one is out after that time at the latest.
    """
    known: dict[str, tuple[float, Caller]] = {}
    touched: dict[str, float] = {}

    async def authenticate(raw: str) -> Caller | None:
        name, now = digest(raw), clock()
        then, caller = known.get(name, (0.0, None))
        if caller is not None and now - then < kept_seconds:
            return caller
        key = await store.read(lambda t: recognise(t, raw))
        if key is None:
            known.pop(name, None)
            return None
        if now - touched.get(key.id, -_TOUCH_EVERY_SECONDS) >= _TOUCH_EVERY_SECONDS:
            touched[key.id] = now
            await store.write(lambda t: touch_keys(t, [key.id]))
        scopes = _ALL if ADMIN in key.scopes else frozenset(key.scopes)
        person = person_of(key.owner or key.label)
        # After a rotation it is the same application, whose payments and retries are its own.
        caller = Caller(
            key_id=key.family or key.id, scopes=scopes, account_id=key.account_id, person=person
        )
        if len(known) >= _KEYS_KEPT:
            known.clear()
        known[name] = (now, caller)
        return caller

    return authenticate


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let a request in when its key has one of the scopes that the route names.

    A route without scopes is open to all; a money route looks once more when it knows the kind.
    """
    scopes: Collection[str] | None = handler.opt.get("scopes")
    if scopes is None:
        return
    raw = _bearer(connection.headers.get("authorization", ""))
    caller = await connection.app.state["edge"].authenticate(raw) if raw else None
    if caller is None:
        raise Problem("unauthenticated", headers={"WWW-Authenticate": "Bearer"})
    connection.scope["auth"] = caller
    connection.app.state["edge"].rates.request(caller.key_id)
    need(caller, scopes)
    _check_query(connection, _query_names(handler))


def need(caller: Caller, scopes: Collection[str]) -> None:
    """Refuse a caller who has none of these scopes."""
    if not caller.has(scopes):
        wanted = " or ".join(sorted(scopes))
        raise Problem("insufficient_scope", f"This takes a key with the scope {wanted}.")


def scopes_of_kind(kind: str) -> frozenset[str]:
    """Say which scope a kind of payment takes: paying out is another right than taking in."""
    return frozenset({DISBURSE if kind in _PAYS_OUT else COLLECT})


def may_see(caller: Caller, stored: StoredPayment) -> bool:
    """Tell whether a caller may know of a payment.

    A key that is bound to an account sees that account's; one without the scope `read` sees what
    it made itself.
    """
    if caller.account_id not in (None, stored.account_id):
        return False
    return caller.has({READ}) or stored.api_key_id == caller.key_id


def _check_query(connection: ASGIConnection[Any, Any, Any, Any], known: frozenset[str]) -> None:
    """Refuse a parameter that there is not: a filter misspelt would let everything through.

    It is not named: a phone number that went astray would go into logs on the other side.
    """
    if not known.issuperset(connection.query_params):
        hint = f"Known here: {', '.join(sorted(known))}." if known else "There are none here."
        raise Problem("invalid_request", "There is no such parameter.", hint=hint)


@lru_cache(maxsize=256)
def _query_names(handler: BaseRouteHandler) -> frozenset[str]:
    fields = handler.parsed_fn_signature.parameters.values()
    return frozenset(
        field.kwarg_definition.name or field.name
        for field in fields
        if isinstance(field.kwarg_definition, QueryParameter)
    )


def _bearer(header: str) -> str | None:
    scheme, _, raw = header.partition(" ")
    raw = raw.strip()
    usable = scheme.lower() == "bearer" and raw.isascii() and 0 < len(raw) <= _MAX_KEY
    return raw if usable else None
