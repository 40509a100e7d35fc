"""Run the same journey with the blocking and the asynchronous client."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Literal

from momokit import AsyncClient, Client, Credentials, RetryPolicy
from momokit.emulator import Emulator

Colour = Literal["blocking", "async"]
COLOURS: tuple[Colour, ...] = ("blocking", "async")

QUICK = RetryPolicy(first_wait_seconds=0.01, longest_wait_seconds=0.05, budget_reserve=1000)


def credentials(emulator: Emulator) -> Credentials:
    """Provision an API user in the emulator and give its credentials."""
    made = emulator.provision()
    return Credentials(
        subscription_key=made.subscription_key, api_user=made.api_user, api_key=made.api_key
    )


def journey(
    colour: Colour,
    emulator: Emulator,
    url: str,
    steps: Callable[[Any], Any],
    *,
    retry: RetryPolicy = QUICK,
    **given: Any,
) -> Any:
    """Walk `steps` with a client of this colour.

    The steps are a generator function that yields calls: for the async client each is awaited, for
    the blocking one it is the value already. What a call raises is thrown into the steps.
    """
    keys = credentials(emulator)
    settings = {
        "base_url": url,
        "market": emulator.settings.market,
        "collection": keys,
        "disbursement": keys,
        "remittance": keys,
        "deadline_seconds": 5.0,
        **given,
    }
    if colour == "blocking":
        with Client(retry=retry, **settings) as client:
            return asyncio.run(_walk(client, steps))

    async def main() -> Any:
        async with AsyncClient(retry=retry, **settings) as client:
            return await _walk(client, steps)

    return asyncio.run(main())


async def _walk(client: Any, steps: Callable[[Any], Any]) -> Any:
    walk = steps(client)
    value: Any = None
    error: Exception | None = None
    while True:
        try:
            call = walk.send(value) if error is None else walk.throw(error)
        except StopIteration as stop:
            return stop.value
        value, error = None, None
        try:
            # A blocking client raises while it is called, so the call comes wrapped in a lambda.
            value = call()
            if inspect.isawaitable(value):
                value = await value
        except Exception as raised:
            error = raised
