"""A whole gateway as a process of its own, edges and webhooks included, until all is quiet.

Like `node`, for the places that only a gateway with its edges passes: callbacks from MTN and
webhooks to the merchant. For each line of JSON it forks a gateway, and tells how that one ended.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from typing import Any

from sqlalchemy import func, select

from momokit.gateway.app import Gateway, build
from momokit.gateway.book import new_account
from momokit.gateway.orders import Order
from momokit.gateway.seal import Sealer
from momokit.gateway.settings import GatewaySettings
from momokit.gateway.steps.accept import accept
from momokit.gateway.store.accounts import Endpoint, add_account, add_endpoint, list_accounts
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.payments import Filter
from momokit.gateway.store.records import IdempotencyClaim
from momokit.gateway.store.tables import deliveries
from momokit.settings import Credentials, Settings
from tests.gateway.forked import serve
from tests.gateway.journeys.node import faster_clock

HEX = bytes(range(32)).hex()


async def main(told: dict[str, Any]) -> int:
    """Run a gateway until its payments are final and its webhooks are delivered."""
    port = told["port"]
    settings = GatewaySettings(
        secret_key=HEX,
        database_url=told["url"],
        port=port,
        metrics_port=0,
        webhook_allow_local=True,
        public_url=f"http://127.0.0.1:{port}",
        lease_seconds=45.0,
        status_calls_per_second=10,
    )
    gateway = await build(settings, clock=faster_clock(told["speed"], told["start"]))
    await _furnish(gateway, told)
    ready = asyncio.Event()
    running = asyncio.create_task(gateway.run(ready=lambda _: ready.set()))
    await ready.wait()
    for order in told["orders"]:
        await accept(
            Order(kind=order["kind"], amount=order["amount"], party=order["party"]),
            store=gateway.store,
            book=gateway.book,
            idempotency=IdempotencyClaim(scope="test", key=order["key"], request_hash=order["key"]),
            api_key_id=None,
            public_url=settings.public_url,
        )
    until = time.monotonic() + told["patience_seconds"]
    quiet = False
    while not quiet and time.monotonic() < until:
        await asyncio.sleep(0.05)
        page = await gateway.store.list_payments(Filter(), limit=200)
        left = await gateway.store.read(_undelivered)
        quiet = all(one.state.is_final for one in page.items) and left == 0
    gateway.stop()
    await running
    await gateway.close()
    return 0 if quiet else 1


async def _furnish(gateway: Gateway, told: dict[str, Any]) -> None:
    """Give the gateway an account and an endpoint, unless a gateway before this one did."""
    if await gateway.store.read(list_accounts):
        return
    keys = Credentials(**told["keys"])
    client = Settings(
        market="sandbox",
        base_url=told["base_url"],
        collection=keys,
        disbursement=keys,
        deadline_seconds=5,
    )
    sealer = Sealer(bytes.fromhex(HEX))
    account = new_account("shop", client, sealer=sealer)
    endpoint = Endpoint(
        id="we_shop",
        url=told["hook_url"],
        secrets_sealed=sealer.seal_texts("we_shop", [told["hook_secret"]]),
        event_filter=(),
    )

    def furnish(transaction: Transaction) -> None:
        add_account(transaction, account)
        add_endpoint(transaction, endpoint)

    await gateway.store.write(furnish)
    await gateway.book.load()


def _undelivered(transaction: Transaction) -> int:
    query = select(func.count()).where(deliveries.c.delivered_at.is_(None))
    return int(transaction.connection.execute(query).scalar_one())


async def _warm_up() -> None:
    """Build a gateway once, so that each fork finds everything imported."""
    with tempfile.TemporaryDirectory(prefix="momokit-") as place:
        url = f"sqlite:///{place}/gateway.db"
        gateway = await build(
            GatewaySettings(secret_key=HEX, database_url=url, port=0, metrics_port=0)
        )
        await gateway.close()


if __name__ == "__main__":
    asyncio.run(_warm_up())
    serve(main)
