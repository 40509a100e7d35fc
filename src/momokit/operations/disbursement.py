"""Disbursements: money goes out.

Each function fills in one form; nothing here touches the network.
"""

from __future__ import annotations

from momokit.models import DepositResult, RefundResult, TransferResult
from momokit.operations.forms import AmountLike, Filing, Forms, PartyLike, check_reference_id
from momokit.operations.kind import Kind
from momokit.operations.submit import Submission

TRANSFER = Kind(
    name="transfer",
    product="disbursement",
    operation="Transfer",
    path="/v1_0/transfer",
    status_operation="GetTransferStatus",
    status_path="/v1_0/transfer",
    model=TransferResult,
)
DEPOSIT = Kind(
    name="deposit",
    product="disbursement",
    operation="Deposit-V1",
    path="/v1_0/deposit",
    status_operation="GetDepositStatus",
    status_path="/v1_0/deposit",
    model=DepositResult,
)
DEPOSIT_V2 = Kind(
    name="deposit",
    product="disbursement",
    operation="Deposit-V2",
    path="/v2_0/deposit",
    status_operation="GetDepositStatus",
    status_path="/v1_0/deposit",
    model=DepositResult,
)
REFUND = Kind(
    name="refund",
    product="disbursement",
    operation="Refund-V1",
    path="/v1_0/refund",
    status_operation="GetRefundStatus",
    status_path="/v1_0/refund",
    model=RefundResult,
)
REFUND_V2 = Kind(
    name="refund",
    product="disbursement",
    operation="Refund-V2",
    path="/v2_0/refund",
    status_operation="GetRefundStatus",
    status_path="/v1_0/refund",
    model=RefundResult,
)


def to_payee(
    forms: Forms,
    kind: Kind,
    *,
    amount: AmountLike,
    currency: str | None,
    payee: PartyLike,
    payer_message: str | None,
    payee_note: str | None,
    transfer_type: str | None = None,
    filing: Filing,
) -> Submission:
    """Fill in a transfer or a deposit."""
    money = forms.money(amount, currency=currency)
    party = forms.party(payee, field="payee").wire
    return forms.submission(
        kind,
        {
            "amount": money.wire,
            "currency": money.currency,
            "payee": party,
            "transferType": transfer_type,
        },
        filing=filing,
        notes={"payerMessage": payer_message, "payeeNote": payee_note},
        expected={"amount": money.amount, "currency": money.currency, "payee": party},
    )


def refund(
    forms: Forms,
    kind: Kind,
    *,
    amount: AmountLike,
    currency: str | None,
    reference_id_to_refund: str,
    payer_message: str | None,
    payee_note: str | None,
    filing: Filing,
) -> Submission:
    """Fill in a refund of a request to pay, whole or in part."""
    money = forms.money(amount, currency=currency)
    return forms.submission(
        kind,
        {
            "amount": money.wire,
            "currency": money.currency,
            "referenceIdToRefund": check_reference_id(
                reference_id_to_refund, field="reference_id_to_refund"
            ),
        },
        filing=filing,
        notes={"payerMessage": payer_message, "payeeNote": payee_note},
        expected={"amount": money.amount, "currency": money.currency},
    )
