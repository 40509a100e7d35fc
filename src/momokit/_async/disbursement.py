"""Disbursements: transfer, deposit, refund."""

from __future__ import annotations

from typing import Literal, Unpack

from momokit._async.account import AsyncAccount
from momokit.models import Accepted, DepositResult, RefundResult, TransferResult
from momokit.operations import disbursement
from momokit.operations.forms import AmountLike, Filing, FilingOptions, PartyLike
from momokit.settings import Product


class AsyncDisbursement(AsyncAccount):
    """Money goes out.

    Calls that submit something return `Accepted` once MTN has it: nothing has moved yet. They raise
    InvalidInput (nothing was sent), Refused or NotSent (it did not happen) or OutcomeUnknown (it
    may have; carries the reference id and `resolve()`: never pay again before asking), and take the
    keywords of `FilingOptions`. Amounts are in the currency's main unit, never float.
    """

    product: Product = "disbursement"

    async def transfer(
        self,
        *,
        amount: AmountLike,
        payee: PartyLike,
        currency: str | None = None,
        payer_message: str | None = None,
        payee_note: str | None = None,
        transfer_type: str | None = None,
        **filing: Unpack[FilingOptions],
    ) -> Accepted:
        """Pay from your account to a payee's (MTN: Transfer).

        `transfer_type` is for aggregators.
        """
        submission = disbursement.to_payee(
            self._core.forms,
            disbursement.TRANSFER,
            amount=amount,
            currency=currency,
            payee=payee,
            payer_message=payer_message,
            payee_note=payee_note,
            transfer_type=transfer_type,
            filing=Filing(**filing),
        )
        return await self._core.submit(self._access, submission)

    async def transfer_status(self, reference_id: str) -> TransferResult:
        """Ask how a transfer stands (MTN: GetTransferStatus)."""
        return await self._core.status(
            self._access, disbursement.TRANSFER, reference_id, TransferResult
        )

    async def deposit(
        self,
        *,
        amount: AmountLike,
        payee: PartyLike,
        currency: str | None = None,
        payer_message: str | None = None,
        payee_note: str | None = None,
        version: Literal[1, 2] = 1,
        **filing: Unpack[FilingOptions],
    ) -> Accepted:
        """Put money into a payee's account, as cash in does (MTN: Deposit-V1, Deposit-V2).

        The versions differ in the verb of the callback: POST for 1, PUT for 2.
        """
        submission = disbursement.to_payee(
            self._core.forms,
            disbursement.DEPOSIT if version == 1 else disbursement.DEPOSIT_V2,
            amount=amount,
            currency=currency,
            payee=payee,
            payer_message=payer_message,
            payee_note=payee_note,
            filing=Filing(**filing),
        )
        return await self._core.submit(self._access, submission)

    async def deposit_status(self, reference_id: str) -> DepositResult:
        """Ask how a deposit stands, of either version (MTN: GetDepositStatus)."""
        return await self._core.status(
            self._access, disbursement.DEPOSIT, reference_id, DepositResult
        )

    async def refund(
        self,
        *,
        amount: AmountLike,
        reference_id_to_refund: str,
        currency: str | None = None,
        payer_message: str | None = None,
        payee_note: str | None = None,
        version: Literal[1, 2] = 1,
        **filing: Unpack[FilingOptions],
    ) -> Accepted:
        """Give back a request to pay, whole or in part (MTN: Refund-V1, Refund-V2).

        It refunds a collection but belongs to this product, with its key and its balance. MTN is
        not known to cap refunds at what was paid: keep count yourself, or use the gateway.
        """
        submission = disbursement.refund(
            self._core.forms,
            disbursement.REFUND if version == 1 else disbursement.REFUND_V2,
            amount=amount,
            currency=currency,
            reference_id_to_refund=reference_id_to_refund,
            payer_message=payer_message,
            payee_note=payee_note,
            filing=Filing(**filing),
        )
        return await self._core.submit(self._access, submission)

    async def refund_status(self, reference_id: str) -> RefundResult:
        """Ask how a refund stands, of either version (MTN: GetRefundStatus)."""
        return await self._core.status(
            self._access, disbursement.REFUND, reference_id, RefundResult
        )
