"""What tests of the store are made of: payments, accounts, facts, and a clock to hold."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import Decision, Fact
from momokit.gateway.core.payment import Payment
from momokit.gateway.store import accounts
from momokit.gateway.store.records import IdempotencyClaim, NewPayment
from momokit.gateway.store.store import Store

START = 1_800_000_000.0
SPACE = UUID("5a3c2f0e-7a86-4f0e-9d4b-0b8f7f1f3c55")


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        """Tell the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def new_payment(name: str, **changes: Any) -> NewPayment:
    """Make a payment to accept, all of whose numbers follow from its name."""
    reference_id = str(uuid5(SPACE, name))
    fields: dict[str, Any] = {
        "id": f"pay_{name}",
        "account_id": "acc_1",
        "kind": "request_to_pay",
        "product": "collection",
        "operation": "request_to_pay",
        "amount": Decimal("5000"),
        "currency": "UGX",
        "party_type": "MSISDN",
        "party_id": "256770000001",
        "external_id": f"ext-{name}",
        "reference_id": reference_id,
        "path": "/collection/v1_0/requesttopay",
        "status_path": f"/collection/v1_0/requesttopay/{reference_id}",
        "headers": {"X-Reference-Id": reference_id},
        "body": b'{"amount":"5000"}',
        "callback_token_hash": f"token-{name}",
        "metadata": {"basket": name},
    }
    return NewPayment(**fields | changes)


def claim_of(key: str, *, request: str = "same") -> IdempotencyClaim:
    """Make an idempotency claim."""
    return IdempotencyClaim(scope="key_1", key=key, request_hash=request)


def on(fact: Fact) -> Callable[[Payment, float], Decision]:
    """Decide as the core does on a fact."""
    return lambda payment, now: decide(payment, fact, now=now)


async def add_account(store: Store, account_id: str) -> None:
    """Put an account into the store."""
    account = accounts.Account(
        id=account_id,
        name=f"The {account_id}",
        market="uganda",
        base_url="http://127.0.0.1:1",
        settings={"currency": "UGX"},
        credentials_sealed=b"sealed",
    )
    await store.write(lambda t: accounts.add_account(t, account))


async def add_endpoint(store: Store, endpoint_id: str, *events: str, **changes: Any) -> None:
    """Put a webhook endpoint into the store."""
    endpoint = accounts.Endpoint(
        id=endpoint_id,
        url=f"http://127.0.0.1:1/{endpoint_id}",
        secrets_sealed=b"sealed",
        event_filter=events,
        **changes,
    )
    await store.write(lambda t: accounts.add_endpoint(t, endpoint))


async def accept(store: Store, *names: str, **changes: Any) -> None:
    """Accept payments of these names, one after the other."""
    for name in names:
        await store.accept(new_payment(name, **changes), idempotency=None)
