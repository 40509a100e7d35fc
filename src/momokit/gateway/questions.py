"""What batches ask of MTN besides payments: the money in an account, and whose a number is.

Neither question ever raises: no answer is an answer of its own, and never a no.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

from momokit._async.client import AsyncClient
from momokit.errors import MomoError
from momokit.gateway.core.holder import Active, Holder

DEADLINE_SECONDS = 20.0


class Questions:
    """Asks about accounts and payees. `clients` gives an account's client."""

    def __init__(
        self,
        clients: Callable[[str], AsyncClient],
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._clients = clients
        self._deadline_seconds = deadline_seconds

    async def balance(self, account_id: str, currency: str, /) -> Decimal | None:
        """Ask what is in an account for paying out, in the main unit; None when MTN does not say
        (MTN: GetAccountBalance)."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                found = await self._clients(account_id).disbursement.balance()
        except (MomoError, TimeoutError):
            return None
        return found.available_balance if found.currency in (None, currency) else None

    async def holder(self, account_id: str, msisdn: str, /) -> Holder:
        """Ask whether a number can be paid, and whose it is (MTN: ValidateAccountHolderStatus and
        GetBasicUserinfo)."""
        active: Active = "could_not_check"
        given, family = None, None
        try:
            async with asyncio.timeout(self._deadline_seconds):
                product = self._clients(account_id).disbursement
                active = (await product.is_active(msisdn)).verdict
                info = (await product.basic_user_info(msisdn)).info
                if info is not None:
                    given, family = info.given_name or info.name, info.family_name
        except (MomoError, TimeoutError):
            pass
        return Holder(active=active, given_name=given, family_name=family)
