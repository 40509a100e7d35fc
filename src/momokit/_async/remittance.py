"""Remittances: transfer, and cash transfer with the sender's papers."""

from __future__ import annotations

from decimal import Decimal
from typing import Unpack

from momokit._async.account import AsyncAccount
from momokit.models import Accepted, CashTransferResult, TransferResult
from momokit.operations import disbursement, remittance
from momokit.operations.forms import AmountLike, Filing, FilingOptions, PartyLike
from momokit.operations.remittance import Sender
from momokit.settings import Product


class AsyncRemittance(AsyncAccount):
    """Money crosses a border. Raises and takes what `AsyncDisbursement` does."""

    product: Product = "remittance"

    async def transfer(
        self,
        *,
        amount: AmountLike,
        payee: PartyLike,
        currency: str | None = None,
        payer_message: str | None = None,
        payee_note: str | None = None,
        **filing: Unpack[FilingOptions],
    ) -> Accepted:
        """Pay a remittance to a payee (MTN: Transfer). MTN means `cash_transfer` to replace it."""
        submission = disbursement.to_payee(
            self._core.forms,
            remittance.TRANSFER,
            amount=amount,
            currency=currency,
            payee=payee,
            payer_message=payer_message,
            payee_note=payee_note,
            filing=Filing(**filing),
        )
        return await self._core.submit(self._access, submission)

    async def transfer_status(self, reference_id: str) -> TransferResult:
        """Ask how a transfer stands (MTN: GetTransferStatus)."""
        return await self._core.status(
            self._access, remittance.TRANSFER, reference_id, TransferResult
        )

    async def cash_transfer(
        self,
        *,
        amount: AmountLike,
        payee: PartyLike,
        originating_country: str,
        original_amount: str | int | Decimal,
        original_currency: str,
        sender: Sender,
        currency: str | None = None,
        payer_message: str | None = None,
        payee_note: str | None = None,
        **filing: Unpack[FilingOptions],
    ) -> Accepted:
        """Pay a remittance with what the law wants known of its sender (MTN: CashTransfer).

        `amount` is what the payee gets; `original_amount` in `original_currency` is what the sender
        paid in, in `originating_country` (two letters).
        """
        submission = remittance.cash_transfer(
            self._core.forms,
            amount=amount,
            currency=currency,
            payee=payee,
            originating_country=originating_country,
            original_amount=original_amount,
            original_currency=original_currency,
            sender=sender,
            payer_message=payer_message,
            payee_note=payee_note,
            filing=Filing(**filing),
        )
        return await self._core.submit(self._access, submission)

    async def cash_transfer_status(self, reference_id: str) -> CashTransferResult:
        """Ask how a cash transfer stands (MTN: GetCashTransferStatus)."""
        return await self._core.status(
            self._access, remittance.CASH_TRANSFER, reference_id, CashTransferResult
        )
