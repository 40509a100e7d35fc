"""Remittances: money crosses a border.

Each function fills in one form; nothing here touches the network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from momokit.errors import InvalidInput
from momokit.models import CashTransferResult, TransferResult
from momokit.money import Money
from momokit.operations.forms import AmountLike, Filing, Forms, PartyLike
from momokit.operations.kind import Kind
from momokit.operations.submit import Submission

TRANSFER = Kind(
    name="transfer",
    product="remittance",
    operation="Transfer",
    path="/v1_0/transfer",
    status_operation="GetTransferStatus",
    status_path="/v1_0/transfer",
    model=TransferResult,
)
CASH_TRANSFER = Kind(
    name="cash_transfer",
    product="remittance",
    operation="CashTransfer",
    path="/v2_0/cashtransfer",
    status_operation="GetCashTransferStatus",
    status_path="/v2_0/cashtransfer",
    model=CashTransferResult,
)

IDENTIFICATION_TYPES = (
    "PASS", "CPFA", "SRSSA", "NRIN", "OTHR", "DRLC", "SOCS", "AREG", "IDCD", "EMID",
)  # fmt: skip
"""The kinds of identity paper MTN publishes; others are passed on, since the list may grow."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Who sends a cash transfer: what the law wants known of the payer. Hidden in `repr`.

    `identification_type` is one of `IDENTIFICATION_TYPES` (PASS is a passport); `identity` has
    MTN's form `ID:<msisdn>/MSISDN`; `gender` is MALE, FEMALE or OTHER; `language_code` two letters
    (ISO 639-1).
    """

    identification_type: str | None = None
    identification_number: str | None = None
    identity: str | None = None
    first_name: str | None = None
    surname: str | None = None
    language_code: str | None = None
    email: str | None = None
    msisdn: str | None = None
    gender: str | None = None

    def __repr__(self) -> str:
        return "Sender(•••)"

    def wire(self) -> dict[str, str | None]:
        """Give MTN's field names; the capital N in payerSurName is MTN's."""
        return {
            "payerIdentificationType": self.identification_type,
            "payerIdentificationNumber": self.identification_number,
            "payerIdentity": self.identity,
            "payerFirstName": self.first_name,
            "payerSurName": self.surname,
            "payerLanguageCode": self.language_code,
            "payerEmail": self.email,
            "payerMsisdn": self.msisdn,
            "payerGender": self.gender,
        }


def cash_transfer(
    forms: Forms,
    *,
    amount: AmountLike,
    currency: str | None,
    payee: PartyLike,
    originating_country: str,
    original_amount: str | int | Decimal,
    original_currency: str,
    sender: Sender,
    payer_message: str | None,
    payee_note: str | None,
    filing: Filing,
) -> Submission:
    """Fill in a cash transfer: `amount` is what the payee gets, `original_amount` what the
    sender paid in."""
    money = forms.money(amount, currency=currency)
    try:
        original = Money(original_amount, original_currency)
    except InvalidInput as error:
        raise InvalidInput(
            error.message, field=f"original_{error.field}", hint=error.hint
        ) from None
    if not (re.fullmatch("[A-Za-z]{2}", str(originating_country))):
        raise InvalidInput(
            "The originating country is its two-letter code (ISO 3166).",
            field="originating_country",
            hint="Write SE for Sweden, say.",
        )
    party = forms.party(payee, field="payee").wire
    return forms.submission(
        CASH_TRANSFER,
        {
            "amount": money.wire,
            "currency": money.currency,
            "payee": party,
            "orginatingCountry": originating_country.upper(),  # MTN's spelling
            "originalAmount": original.wire,
            "originalCurrency": original.currency,
            **sender.wire(),
        },
        filing=filing,
        notes={"payerMessage": payer_message, "payeeNote": payee_note},
        expected={"amount": money.amount, "currency": money.currency, "payee": party},
    )
