"""One small adapter over both clients: the same call, blocking or on an event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Literal

import httpx2

from momokit import AsyncClient, Client, Credentials, RetryPolicy
from tests.client.driving import API_KEY, API_USER, SECOND_KEY, SUBSCRIPTION_KEY

Colour = Literal["blocking", "async"]
COLOURS: tuple[Colour, ...] = ("blocking", "async")
QUICK = RetryPolicy(first_wait_seconds=0.001, longest_wait_seconds=0.004, budget_reserve=10_000)
Handler = Callable[[httpx2.Request], httpx2.Response]


def credentials(**changes: Any) -> Credentials:
    """Give credentials that are good for every product."""
    keys = {"subscription_key": SUBSCRIPTION_KEY, "secondary_subscription_key": SECOND_KEY}
    return Credentials(**{**keys, "api_user": API_USER, "api_key": API_KEY, **changes})


def settings_for(**given: Any) -> dict[str, Any]:
    """Give a client's settings: all three products, sandbox, quick retries."""
    keys = given.pop("credentials", None) or credentials()
    products = dict.fromkeys(("collection", "disbursement", "remittance"), keys)
    return {"retry": QUICK, "subscription_key": SUBSCRIPTION_KEY, **products, **given}


def perform(colour: Colour, call: Callable[[Any], Any], **given: Any) -> Any:
    """Make a client of this colour, do `call(client)` with it, close it; what it raises is raised.

    A `handler` answers instead of a network.
    """
    handler: Handler | None = given.pop("handler", None)
    if handler is not None:
        given["transport"] = httpx2.MockTransport(handler)
    if colour == "blocking":
        with Client(**settings_for(**given)) as client:
            return call(client)

    async def main() -> Any:
        async with AsyncClient(**settings_for(**given)) as client:
            value = call(client)
            return await value if inspect.isawaitable(value) else value

    return asyncio.run(main())
