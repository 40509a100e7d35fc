"""A gateway without HTTP edges, as a process of its own: accepts payments, works until quiet.

The kill tests start this program once; for each line of JSON on its standard input it forks a
process that does what the line says, and answers how that one ended: 0 when all payments are final
and nothing is due, minus the signal when it was killed. Forking spares each of them the imports.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import CancelAsked
from momokit.gateway.core.payment import Work
from momokit.gateway.orders import Order
from momokit.gateway.provider import Provider
from momokit.gateway.steps.accept import accept
from momokit.gateway.store.accounts import Account, add_account, list_accounts
from momokit.gateway.store.payments import Filter
from momokit.gateway.store.records import IdempotencyClaim, StoredPayment
from momokit.gateway.store.store import Store
from momokit.gateway.worker import Worker, WorkerSettings
from momokit.operations.forms import Forms
from momokit.settings import Credentials, Settings
from tests.gateway.forked import serve
from tests.gateway.veiled import VEIL

ACCOUNT = Account(
    id="acc_1",
    name="shop",
    market="sandbox",
    base_url="",
    settings={},
    credentials_sealed=b"not used here",
)


class OneAccountBook:
    """The only account, its settings given from outside."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def account(self, _name: str | None, /) -> Account:
        """Give the account."""
        return ACCOUNT

    def settings_of(self, _account_id: str, /) -> Settings:
        """Give its settings."""
        return self.settings

    def forms_of(self, _account_id: str, /) -> Forms:
        """Give its forms."""
        return Forms(
            market=self.settings.place,
            new_id=lambda: str(uuid.uuid4()),
            trusts_callback_urls=True,
        )


def faster_clock(times: float, start: float) -> Any:
    """Make a clock on which waiting for polls and leases takes no time worth speaking of."""
    return lambda: start + (time.time() - start) * times


async def main(told: dict[str, Any]) -> int:
    """Accept the payments told of, then work until nothing is open."""
    store = Store(told["url"], veil=VEIL, clock=faster_clock(told["speed"], told["start"]))
    keys = Credentials(**told["keys"])
    settings = Settings(
        market="sandbox",
        base_url=told["base_url"],
        collection=keys,
        disbursement=keys,
        deadline_seconds=5,
    )
    book = OneAccountBook(settings)
    if not await store.read(list_accounts):
        await store.write(lambda transaction: add_account(transaction, ACCOUNT))
    for order in told["orders"]:
        await accept(
            Order(
                kind=order["kind"],
                amount=order["amount"],
                party=order["party"],
                details=order.get("details", {}),
            ),
            store=store,
            book=book,
            idempotency=IdempotencyClaim(scope="test", key=order["key"], request_hash=order["key"]),
            api_key_id=None,
            public_url=None,
        )
    provider = Provider(lambda _account_id: settings)
    worker = Worker(
        store=store,
        provider=provider,
        deliver=_deliver_nothing,
        settings=WorkerSettings(lease_seconds=10.0, idle_seconds=0.05),
    )
    working = asyncio.create_task(worker.run())
    until = time.monotonic() + told["patience_seconds"]
    quiet = False
    while not quiet and time.monotonic() < until:
        await asyncio.sleep(0.05)
        due = [await store.next_due(work) for work in Work]
        page = await store.list_payments(Filter(), limit=200)
        await _cancel_invoices(store, page.items)
        quiet = all(one.state.is_final for one in page.items) and due == [None, None]
    worker.stop()
    await working
    await provider.close()
    store.close()
    return 0 if quiet else 1


async def _cancel_invoices(store: Store, payments: list[StoredPayment]) -> None:
    """Want every invoice back that MTN has, as a merchant does who was told of it."""
    for one in payments:
        if one.payment.kind != "invoice" or one.payment.accepted_at is None:
            continue
        if one.state.is_final or one.payment.cancel_reference_id is not None:
            continue
        wish = CancelAsked(reference_id=str(uuid.uuid4()))
        await store.record(
            one.id, lambda payment, now, wish=wish: decide(payment, wish, now=now), lease_token=None
        )  # type: ignore[misc]


async def _deliver_nothing(_claimed: Any, /) -> bool:
    return True


if __name__ == "__main__":
    serve(main)
