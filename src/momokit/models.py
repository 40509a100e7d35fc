"""What MTN tells us about money: what was accepted, and how it stands.

Replies are read tolerantly (`momokit.told`): words and fields not known yet survive, and every
value keeps MTN's own answer in `raw`. Amounts are `Decimal` in the currency's main unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

import msgspec

from momokit.errors import ProviderError
from momokit.told import PartyTold, ReasonTold, Told

State: TypeAlias = Literal["successful", "failed", "open"]

SUCCESSFUL, FAILED = "SUCCESSFUL", "FAILED"


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """MTN has the request; nothing has been paid yet. Ask for the outcome with `wait()`.

    `replayed` is True when MTN had it already, from an earlier attempt with the same reference id.
    `attempts` counts how often it was put on the wire. `note_changes` says what was cleaned in the
    notes, if asked for.
    """

    reference_id: str
    kind: str
    product: str
    external_id: str | None = None
    attempts: int = 1
    replayed: bool = False
    note_changes: tuple[str, ...] = ()


class Outcome(Told, frozen=True, kw_only=True):
    """The status of something that was submitted. `state` is what to branch on.

    `status` is MTN's word, kept as sent: CREATED, PENDING, SUCCESSFUL, FAILED, or one not known
    yet. A failed one says why in `reason`.
    """

    reference_id: str = ""
    status: str | None = None
    reason: ReasonTold | None = None

    @property
    def state(self) -> State:
        """Say "successful" or "failed" for MTN's two final words and "open" for every other."""
        if self.status == SUCCESSFUL:
            return "successful"
        return "failed" if self.status == FAILED else "open"

    @property
    def is_final(self) -> bool:
        """Tell whether MTN has said its last word."""
        return self.state != "open"


class MoneyOutcome(Outcome, frozen=True, kw_only=True):
    """The fields that every movement of money between two parties has."""

    amount: Decimal | None = None
    currency: str | None = None
    financial_transaction_id: str | None = None
    external_id: str | None = None
    payer_message: str | None = None
    payee_note: str | None = None


class RequestToPayResult(MoneyOutcome, frozen=True, kw_only=True):
    """The status of a request to pay (RequesttoPayTransactionStatus)."""

    payer: PartyTold | None = None


class WithdrawResult(MoneyOutcome, frozen=True, kw_only=True):
    """The status of a withdrawal (RequestToWithdrawTransactionStatus)."""

    payer: PartyTold | None = None


class TransferResult(MoneyOutcome, frozen=True, kw_only=True):
    """The status of a transfer (GetTransferStatus)."""

    payee: PartyTold | None = None


class DepositResult(MoneyOutcome, frozen=True, kw_only=True):
    """The status of a deposit (GetDepositStatus).

    MTN leaves out the financial transaction id here.
    """

    payee: PartyTold | None = None


class RefundResult(MoneyOutcome, frozen=True, kw_only=True):
    """The status of a refund (GetRefundStatus); the payee is the payer of the request refunded."""

    payee: PartyTold | None = None


class CashTransferResult(MoneyOutcome, frozen=True, kw_only=True):
    """The status of a cash transfer (GetCashTransferStatus), with what was said of the sender."""

    payee: PartyTold | None = None
    originating_country: str | None = None
    original_amount: Decimal | None = None
    original_currency: str | None = None
    payer_identification_type: str | None = None
    payer_identification_number: str | None = None
    payer_identity: str | None = None
    payer_first_name: str | None = None
    payer_surname: str | None = None
    payer_language_code: str | None = None
    payer_email: str | None = None
    payer_msisdn: str | None = None
    payer_gender: str | None = None

    # MTN's schema misspells the first and capitalises the second.
    wire_names: ClassVar[Mapping[str, str]] = {
        "originating_country": "orginatingCountry",
        "payer_surname": "payerSurName",
    }
    shown: ClassVar[tuple[str, ...] | None] = (
        "reference_id",
        "status",
        "reason",
        "amount",
        "currency",
    )


class InvoiceResult(Outcome, frozen=True, kw_only=True):
    """The status of an invoice (GetInvoiceStatus).

    `payment_reference` is what the payer types in USSD.
    """

    external_id: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    payment_reference: str | None = None
    invoice_id: str | None = None
    expiry_date_time: str | None = None
    payee_first_name: str | None = None
    payee_last_name: str | None = None
    intended_payer: PartyTold | None = None
    description: str | None = None

    wire_names: ClassVar[Mapping[str, str]] = {"reason": "errorReason"}


class PreApprovalResult(Outcome, frozen=True, kw_only=True):
    """The status of a pre-approval (GetPreApprovalStatus)."""

    payer: PartyTold | None = None
    payer_currency: str | None = None
    payer_message: str | None = None
    expiration_date_time: str | None = None


class PaymentResult(Outcome, frozen=True, kw_only=True):
    """The status of a bill payment (GetPaymentStatus)."""

    financial_transaction_id: str | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How a wait is going: given to `on_progress` after every question to MTN.

    `outcome` is None while MTN could not be asked; `error` then says why.
    """

    reference_id: str
    polls: int
    waited_seconds: float
    outcome: Outcome | None
    next_poll_seconds: float | None
    error: ProviderError | None = None


class WaitResult(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a wait: successful, failed with a reason, or still open.

    Never a time-out dressed as failure.
    """

    reference_id: str
    state: State
    outcome: Outcome | None
    polls: int
    waited_seconds: float

    @property
    def reason(self) -> ReasonTold | None:
        """Why it failed, when it failed."""
        return self.outcome.reason if self.outcome is not None else None


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """What MTN said when asked about an unknown outcome.

    "accepted": MTN has it, and `outcome` is its status. "not_found": MTN knows no such reference id
    at present; that is no proof that it never will, so resend with the same reference id rather
    than start another payment.
    """

    reference_id: str
    state: Literal["accepted", "not_found"]
    outcome: Outcome | None = None
