"""Collections: request to pay, withdraw, invoices, pre-approvals, payments of bills."""

from __future__ import annotations

from typing import Literal, Unpack

from momokit._async.account import AsyncAccount
from momokit.holder import PreApprovalDetails
from momokit.models import (
    Accepted,
    InvoiceResult,
    PaymentResult,
    PreApprovalResult,
    RequestToPayResult,
    WithdrawResult,
)
from momokit.operations import collection
from momokit.operations.forms import AmountLike, Filing, FilingOptions, PartyLike
from momokit.settings import Product


class AsyncCollection(AsyncAccount):
    """Money comes in.

    Calls that submit something return `Accepted` once MTN has it: nothing is paid yet. They raise
    InvalidInput (nothing was sent), Refused or NotSent (it did not happen) or OutcomeUnknown (it
    may have; carries the reference id and `resolve()`), and take the keywords of `FilingOptions`.
    Amounts are in the currency's main unit: "5000", 5000, Decimal("12.50") or `Money`, never float;
    a payer or payee given as a string is a phone number of the client's market.
    """

    product: Product = "collection"

    async def request_to_pay(
        self,
        *,
        amount: AmountLike,
        payer: PartyLike,
        currency: str | None = None,
        payer_message: str | None = None,
        payee_note: str | None = None,
        transfer_type: str | None = None,
        **filing: Unpack[FilingOptions],
    ) -> Accepted:
        """Ask a payer to approve a payment on the phone, within five minutes (MTN: RequesttoPay).

        `payer_message` is shown to the payer, `payee_note` is kept for you; at most 128 characters
        each. `transfer_type` is for aggregators.
        """
        submission = collection.from_payer(
            self._core.forms,
            collection.REQUEST_TO_PAY,
            amount=amount,
            currency=currency,
            payer=payer,
            payer_message=payer_message,
            payee_note=payee_note,
            transfer_type=transfer_type,
            filing=Filing(**filing),
        )
        return await self._core.submit(self._access, submission)

    async def request_to_pay_status(self, reference_id: str) -> RequestToPayResult:
        """Ask how a request to pay stands (MTN: RequesttoPayTransactionStatus)."""
        return await self._core.status(
            self._access, collection.REQUEST_TO_PAY, reference_id, RequestToPayResult
        )

    async def deliver_notification(
        self, reference_id: str, message: str, *, language: str | None = None
    ) -> None:
        """Send the payer one more message about a payment that succeeded.

        (MTN: RequesttoPayDeliveryNotification.)

        At most 160 characters, once per payment; `language` is an ISO 639 code.
        """
        await self._core.run(
            collection.deliver_notification(
                self._access, reference_id=reference_id, message=message, language=language
            )
        )

    async def withdraw(
        self,
        *,
        amount: AmountLike,
        payer: PartyLike,
        currency: str | None = None,
        payer_message: str | None = None,
        payee_note: str | None = None,
        version: Literal[1, 2] = 1,
        **filing: Unpack[FilingOptions],
    ) -> Accepted:
        """Ask an account holder to approve a cash-out (MTN: RequestToWithdraw-V1, -V2).

        The versions differ in the verb of the callback: POST for 1, PUT for 2.
        """
        submission = collection.from_payer(
            self._core.forms,
            collection.WITHDRAW if version == 1 else collection.WITHDRAW_V2,
            amount=amount,
            currency=currency,
            payer=payer,
            payer_message=payer_message,
            payee_note=payee_note,
            filing=Filing(**filing),
        )
        return await self._core.submit(self._access, submission)

    async def withdraw_status(self, reference_id: str) -> WithdrawResult:
        """Ask how a withdrawal stands, of either version (MTN:
        RequestToWithdrawTransactionStatus)."""
        return await self._core.status(
            self._access, collection.WITHDRAW, reference_id, WithdrawResult
        )

    async def create_invoice(
        self,
        *,
        amount: AmountLike,
        intended_payer: PartyLike,
        payee: PartyLike,
        currency: str | None = None,
        validity_seconds: int = 86_400,
        description: str | None = None,
        **filing: Unpack[FilingOptions],
    ) -> Accepted:
        """Make an invoice that the payer can settle by its payment reference (MTN: CreateInvoice).

        `payee` is who gets the money, your own account as a rule. Read the payment reference with
        `invoice_status`.
        """
        submission = collection.invoice(
            self._core.forms,
            amount=amount,
            currency=currency,
            intended_payer=intended_payer,
            payee=payee,
            validity_seconds=validity_seconds,
            description=description,
            filing=Filing(**filing),
        )
        return await self._core.submit(self._access, submission)

    async def invoice_status(self, reference_id: str) -> InvoiceResult:
        """Ask how an invoice stands (MTN: GetInvoiceStatus)."""
        return await self._core.status(
            self._access, collection.INVOICE, reference_id, InvoiceResult
        )

    async def cancel_invoice(
        self, invoice_reference_id: str, **filing: Unpack[FilingOptions]
    ) -> Accepted:
        """Cancel an invoice (MTN: CancelInvoice). `external_id`, the invoice's own, is wanted.

        The cancellation has a reference id of its own; read the result with `invoice_status`.
        """
        submission = collection.invoice_cancellation(
            self._core.forms,
            invoice_reference_id=invoice_reference_id,
            filing=Filing(**filing),
        )
        return await self._core.submit(self._access, submission)

    async def pre_approval(
        self,
        *,
        payer: PartyLike,
        currency: str | None = None,
        payer_message: str | None = None,
        validity_seconds: int = 86_400,
        **filing: Unpack[FilingOptions],
    ) -> Accepted:
        """Ask a payer to allow later requests to pay without a prompt (MTN: PreApproval)."""
        submission = collection.pre_approval(
            self._core.forms,
            payer=payer,
            currency=currency,
            payer_message=payer_message,
            validity_seconds=validity_seconds,
            filing=Filing(**filing),
        )
        return await self._core.submit(self._access, submission)

    async def pre_approval_status(self, reference_id: str) -> PreApprovalResult:
        """Ask how a pre-approval stands (MTN: GetPreApprovalStatus)."""
        return await self._core.status(
            self._access, collection.PRE_APPROVAL, reference_id, PreApprovalResult
        )

    async def approved_pre_approvals(self, payer: PartyLike) -> tuple[PreApprovalDetails, ...]:
        """List the pre-approvals a payer has given you (MTN: GetApprovedPreApprovals)."""
        return await self._core.run(
            collection.approved_pre_approvals(self._access, self._core.forms, payer=payer)
        )

    async def cancel_pre_approval(self, pre_approval_id: str) -> Accepted:
        """Cancel an approved pre-approval by MTN's id, as the list gives it (MTN:
        CancelPreApproval)."""
        submission = collection.pre_approval_cancellation(pre_approval_id=pre_approval_id)
        return await self._core.submit(self._access, submission)

    async def create_payment(
        self,
        *,
        amount: AmountLike,
        customer_reference: str,
        service_provider_user_name: str,
        currency: str | None = None,
        coupon_id: str | None = None,
        product_id: str | None = None,
        product_offering_id: str | None = None,
        receiver_message: str | None = None,
        sender_note: str | None = None,
        max_number_of_retries: int | None = None,
        include_sender_charges: bool | None = None,
        transfer_type: str | None = None,
        **filing: Unpack[FilingOptions],
    ) -> Accepted:
        """Pay a bill or buy airtime (MTN: CreatePayments).

        `customer_reference` is the customer's number with the service provider, `external_id`
        becomes MTN's externalTransactionId. Charges come on top unless `include_sender_charges` is
        True.
        """
        submission = collection.payment(
            self._core.forms,
            amount=amount,
            currency=currency,
            customer_reference=customer_reference,
            service_provider_user_name=service_provider_user_name,
            coupon_id=coupon_id,
            product_id=product_id,
            product_offering_id=product_offering_id,
            receiver_message=receiver_message,
            sender_note=sender_note,
            max_number_of_retries=max_number_of_retries,
            include_sender_charges=include_sender_charges,
            transfer_type=transfer_type,
            filing=Filing(**filing),
        )
        return await self._core.submit(self._access, submission)

    async def payment_status(self, reference_id: str) -> PaymentResult:
        """Ask how a payment of a bill stands (MTN: GetPaymentStatus)."""
        return await self._core.status(
            self._access, collection.PAYMENT, reference_id, PaymentResult
        )
