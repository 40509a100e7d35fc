"""Uses of the asynchronous client, as a strict type checker sees them. Checked, never run."""

from __future__ import annotations

from typing import assert_type

from momokit import Accepted, AsyncClient, Credentials, Progress, Secret, TokenStore, WaitResult
from momokit.holder import Answer, Balance
from momokit.models import Outcome, TransferResult
from momokit.operations.exchange import StoredToken


class SharedTokens:
    """A token store with coroutine functions."""

    async def load(self, key: str, /) -> StoredToken | None:
        """Give what is kept."""
        return None

    async def save(self, key: str, token: StoredToken | None, /) -> None:
        """Keep it."""


async def used(keys: Credentials) -> None:
    """The whole of a short program."""
    store: TokenStore = SharedTokens()
    async with AsyncClient(market="uganda", collection=keys, token_store=store) as momo:
        assert_type(momo, AsyncClient)
        accepted = await momo.collection.request_to_pay(
            amount="5000", payer="0772123456", idempotency_key="order-7"
        )
        assert_type(accepted, Accepted)

        async def on_progress(news: Progress) -> None:
            assert_type(news.waited_seconds, float)

        assert_type(await momo.wait(accepted, on_progress=on_progress), WaitResult)
        assert_type(await momo.status("id", kind="transfer"), Outcome)
        assert_type(await momo.disbursement.transfer_status("id"), TransferResult)
        assert_type(await momo.collection.balance("UGX"), Balance)
        assert_type(await momo.collection.is_active("0772123456"), Answer)
        assert_type(await momo.collection.token(), Secret)
    await AsyncClient.from_env().aclose()
