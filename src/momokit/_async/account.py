"""What all three products can be asked: balance, holders, consent."""

from __future__ import annotations

from typing import Literal

from momokit._async.core import AsyncCore
from momokit.holder import Answer, Balance, ConsentRequest, ConsentToken, HolderInfo, UserInfo
from momokit.operations import account
from momokit.operations.forms import PartyLike
from momokit.operations.token import Access, current_token
from momokit.secret import Secret
from momokit.settings import Product


class AsyncAccount:
    """The calls that collection, disbursement and remittance have in common."""

    product: Product

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    @property
    def _access(self) -> Access:
        return self._core.access(self.product)

    async def token(self) -> Secret:
        """Get a bearer token for calls of your own (MTN: CreateAccessToken).

        It is the one this client uses, cached and renewed ten minutes early. Raises
        AuthenticationFailed when keys or user are wrong, NotSent when MTN cannot be had.
        """
        return Secret(await self._core.run(current_token(self._access)))

    async def balance(self, currency: str | None = None) -> Balance:
        """Read what is in the account (MTN: GetAccountBalance, …InSpecificCurrency).

        The amount is in the currency's main unit and may be negative. MTN's sandbox answers
        erratically by design. Raises Unavailable when MTN gives no usable answer.
        """
        return await self._core.run(account.balance(self._access, currency=currency))

    async def is_active(self, party: PartyLike) -> Answer:
        """Ask whether a party can receive and pay (MTN: ValidateAccountHolderStatus).

        Three-valued: `.yes`, `.no` or `.could_not_check` (with `.error`); an outage is never a no.
        """
        return await self._core.run(account.is_active(self._access, self._core.forms, party=party))

    async def basic_user_info(self, party: PartyLike) -> HolderInfo:
        """Ask for the name of an account holder, to compare before paying (MTN: GetBasicUserinfo).

        Three-valued like `is_active`; every field of the answer may be missing.
        """
        return await self._core.run(
            account.basic_user_info(self._access, self._core.forms, party=party)
        )

    async def bc_authorize(
        self,
        party: PartyLike,
        *,
        scope: str = "profile",
        access_type: Literal["online", "offline"] = "online",
        consent_valid_seconds: int | None = None,
        client_notification_token: str | None = None,
        scope_instruction: str | None = None,
        callback_url: str | None = None,
    ) -> ConsentRequest:
        """Ask an account holder for consent to see personal data (MTN: bc-authorize).

        Sent once and never repeated by itself, because it reaches a person.
        """
        return await self._core.run(
            account.bc_authorize(
                self._access,
                self._core.forms,
                party=party,
                scope=scope,
                access_type=access_type,
                consent_valid_seconds=consent_valid_seconds,
                client_notification_token=client_notification_token,
                scope_instruction=scope_instruction,
                callback_url=callback_url,
            )
        )

    async def oauth2_token(
        self, *, auth_req_id: str | None = None, refresh_token: str | None = None
    ) -> ConsentToken:
        """Redeem a consent for a token, or renew that token (MTN: CreateOauth2Token).

        While the holder has not answered, MTN refuses; wait the consent's `interval` between tries.
        """
        return await self._core.run(
            account.oauth2_token(self._access, auth_req_id=auth_req_id, refresh_token=refresh_token)
        )

    async def user_info(self, consent_token: str) -> UserInfo:
        """Read what the holder consented to (MTN: GetUserInfoWithConsent); opened by the
        consent's token."""
        return await self._core.run(account.user_info(self._access, consent_token=consent_token))
