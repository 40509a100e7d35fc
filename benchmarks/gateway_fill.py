"""Fill a gateway's tables: with payments like those it takes in, or with copies of one by the
hundred thousand.

A copy is its original's row under numbers of its own, with its history, callbacks and webhooks. It
weighs in tables and indexes what a real one weighs; what is sealed in it opens for the original
alone, so nothing that is due is ever a copy.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, Table, create_engine, text

from benchmarks.gateway_database import Database
from benchmarks.gateway_place import Site
from momokit.gateway.orders import Order, new_payment
from momokit.gateway.store.records import IdempotencyClaim, NewPayment
from momokit.gateway.store.store import Store
from momokit.gateway.store.tables import (
    callbacks,
    deliveries,
    events,
    idempotency_keys,
    payments,
)
from momokit.operations.forms import Forms
from momokit.settings import Settings

AT_ONCE = 100
CHUNK = 100_000

_RANDOM = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "md5(random()::text || n)"}
_NUMBERS = (
    "INSERT INTO copies WITH RECURSIVE numbers(n) AS"
    " (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)"
    " SELECT n, 'pay_' || {random} FROM numbers"
)


def orders(site: Site, count: int, *, start: int = 0) -> Iterator[NewPayment]:
    """Make payments as the API makes them, from another payer each."""
    forms = Forms(
        market=Settings(market="uganda").place,
        new_id=lambda: str(uuid.uuid4()),
        trusts_callback_urls=True,
    )
    for number in range(start, start + count):
        order = Order(kind="request_to_pay", amount="5000", party=f"25677{number % 10_000_000:07}")
        yield new_payment(
            order,
            forms=forms,
            account_id=site.accounts[number % len(site.accounts)].id,
            api_key_id=None,
            public_url=site.public_url,
        )


async def accept_all(store: Store, news: list[NewPayment]) -> None:
    """Accept payments without the API, each under a key of its own."""
    for start in range(0, len(news), AT_ONCE):
        await asyncio.gather(
            *(
                store.accept(
                    new,
                    idempotency=IdempotencyClaim(scope="bench", key=new.id, request_hash="-"),
                )
                for new in news[start : start + AT_ONCE]
            )
        )


def copy_payment(
    database: Database, original_id: str, count: int, *, changes: Mapping[str, str] | None = None
) -> None:
    """Copy a payment, with all that belongs to it. `changes` are columns and SQL for them."""
    engine = create_engine(database.url)
    kind = engine.dialect.name
    with engine.connect() as connection:
        if kind == "sqlite":
            connection.execute(text("PRAGMA synchronous=OFF"))
        connection.execute(text("CREATE TEMPORARY TABLE copies (n BIGINT, id TEXT)"))
        for start in range(0, count, CHUNK):
            connection.execute(text("DELETE FROM copies"))
            numbers = _NUMBERS.format(random=_RANDOM[kind])
            connection.execute(text(numbers), {"count": min(CHUNK, count - start)})
            _copy(connection, original_id, dict(changes or {}), random=_RANDOM[kind])
            connection.commit()
        if kind == "postgresql":
            connection.execute(text("ANALYZE"))
        connection.commit()
    engine.dispose()


def _copy(
    connection: Connection, original_id: str, changes: dict[str, str], *, random: str
) -> None:
    fresh = {
        "id": "copies.id",
        "external_id": "copies.id",
        "reference_id": random,
        "callback_token_hash": random,
    }
    _insert(connection, payments, fresh | changes, where="o.id = :original", of=original_id)
    own = {"payment_id": "copies.id"}
    for table in (events, callbacks, deliveries):
        _insert(connection, table, own, where="o.payment_id = :original", of=original_id)
    key = next(name for name in ("key_hash", "key") if name in idempotency_keys.c)
    _insert(
        connection, idempotency_keys, own | {key: random},
        where="o.payment_id = :original", of=original_id,
    )  # fmt: skip


def _insert(
    connection: Connection, table: Table, changes: dict[str, str], *, where: str, of: str
) -> None:
    """Insert rows like the original's, one for each copy, with some columns changed."""
    numbered = table.c.get("id") is not None and "id" not in changes
    names = [c.name for c in table.columns if not (numbered and c.name == "id")]
    values = ", ".join(changes.get(name) or f'o."{name}"' for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    connection.execute(
        text(
            f"INSERT INTO {table.name} ({quoted})"
            f" SELECT {values} FROM copies CROSS JOIN {table.name} o WHERE {where}"
        ),
        {"original": of},
    )
