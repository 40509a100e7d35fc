"""What becomes of a payment: MTN's published test identifiers, and those a test sets itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from .records import FINAL, Plan

# The wallet's word for each failure of the published table. TRANSFER_TYPE_UNKNOWN and
# TRANSACTION_NOT_FOUND are our spelling: MTN names the scenarios but not the codes.
REASONS = {
    "Failed": "INTERNAL_PROCESSING_ERROR",
    "Rejected": "APPROVAL_REJECTED",
    "Expired": "EXPIRED",
    "PayerNotFound": "PAYER_NOT_FOUND",
    "PayeeNotFound": "PAYEE_NOT_FOUND",
    "PayeeNotAllowedToReceive": "PAYEE_NOT_ALLOWED_TO_RECEIVE",
    "PayerLimitReached": "PAYER_LIMIT_REACHED",
    "NotEnoughFunds": "NOT_ENOUGH_FUNDS",
    "NotAllowed": "NOT_ALLOWED",
    "NotAllowedTargetEnvironment": "NOT_ALLOWED_TARGET_ENVIRONMENT",
    "InvalidCallbackUrlHost": "INVALID_CALLBACK_URL_HOST",
    "InvalidCurrency": "INVALID_CURRENCY",
    "InternalProcessingError": "INTERNAL_PROCESSING_ERROR",
    "ServiceUnavailable": "SERVICE_UNAVAILABLE",
    "CouldNotPerformTransaction": "COULD_NOT_PERFORM_TRANSACTION",
    "TransfertypeUnknown": "TRANSFER_TYPE_UNKNOWN",
    "TransactionNotFound": "TRANSACTION_NOT_FOUND",
    "NotFound": "PAYER_NOT_FOUND",
}
_CONFIGURATION = (
    "NotAllowed",
    "NotAllowedTargetEnvironment",
    "InvalidCallbackUrlHost",
    "InvalidCurrency",
    "InternalProcessingError",
    "ServiceUnavailable",
)
_FIRST_FIVE = ("Failed", "Rejected", "Expired", "Ongoing", "Delayed")
_COLLECT = (
    *_FIRST_FIVE,
    "PayerNotFound",
    "PayeeNotAllowedToReceive",
    *_CONFIGURATION,
    "CouldNotPerformTransaction",
)
_BY_ID = ("Failed", "Rejected", "Expired")


def _msisdns(names: Iterable[str]) -> dict[str, str]:
    return {f"46733123{450 + step}": name for step, name in enumerate(names)}


def _numbers(names: Iterable[str]) -> dict[str, str]:
    return {str(1 + step): name for step, name in enumerate(names)}


_ACTIVE = (
    "NotFound",
    "NotActive",
    "NotAllowed",
    "NotAllowedTargetEnvironment",
    "InternalProcessingError",
    "ServiceUnavailable",
)
_PARTY_CODES = (
    "5cecb5a7-8bd0-4f49-87b1-8eb9ecc7b7bc",
    "b0040b3c-b426-4a90-af6e-673e65861cd7",
    "4d5f500f-c385-4901-9be5-25b6d36ad220",
    "d2265f9b-0c22-496d-908f-79a65ad66266",
    "8f548a78-ceb8-4d12-a243-5640b91e91a4",
    "585c07a4-2c80-42f7-9e73-e586b36dee68",
)

# Family of operations -> what identifies the scenario -> the scenario's name. For refunds and
# cash transfers MTN does not say which field carries the id 1 to 13: we honour the external id.
PUBLISHED: Mapping[str, Mapping[str, str]] = {
    "requesttopay": _msisdns((*_COLLECT, "TransfertypeUnknown")),
    "requesttowithdraw": _msisdns(_COLLECT),
    "deposit": _msisdns(_COLLECT),
    "transfer": _msisdns(
        (
            *_FIRST_FIVE,
            "NotEnoughFunds",
            "PayerLimitReached",
            "PayeeNotFound",
            *_CONFIGURATION,
            "TransfertypeUnknown",
        )
    ),
    "preapproval": _msisdns((*_FIRST_FIVE, "NotFound", *_CONFIGURATION)),
    "preapprovals": {"46733123469": "GetApprovedNoneExisting"},
    "active": {
        **_msisdns(_ACTIVE),
        **{f"{name.lower()}@email.com": name for name in _ACTIVE},
        **dict(zip(_PARTY_CODES, _ACTIVE, strict=True)),
    },
    "refund": _numbers(
        (
            "TransactionNotFound",
            *_BY_ID,
            "Ongoing",
            "Delayed",
            *_CONFIGURATION,
            "CouldNotPerformTransaction",
        )
    ),
    "cashtransfer": _numbers(
        (
            "NotFound",
            *_BY_ID,
            "PayeeNotFound",
            "PayeeNotAllowedToReceive",
            *_CONFIGURATION,
            "CouldNotPerformTransaction",
        )
    ),
    "payment": {
        "1000": "Success",
        "2000": "Failed",
        "3000": "PendingSuccess",
        "4000": "PendingFailed",
        "5000": "PendingPending",
        "6000": "PendingPending",
        "7000": "TransfertypeUnknown",
    },
    "consent": _msisdns(
        (
            "AccountHolderNotFound",
            "ConsentRejected",
            "ConsentPending",
            "ConsentExpired",
            "ExpiredRefreshToken",
            "Revoked",
            "DeletedScope",
            "AlreadyUsed",
            "FinancialNoFunds",
            "FinancialPayeeNotFound",
            "FinancialConsentMismatch",
            "FinancialPayerLimitReached",
            "FinancialPayeeNotAllowedToReceive",
        )
    ),
}
FAMILIES = (*PUBLISHED, "invoice")


def published_plan(
    scenario: str,
    *,
    family: str,
    delayed_after_seconds: float,
    ongoing_expires_after_seconds: float | None,
) -> Plan:
    """Turn a scenario's published name into what will happen."""
    preapproval = family == "preapproval"
    if scenario == "Ongoing":
        return Plan(
            name=scenario,
            status="CREATED" if preapproval else "PENDING",
            begins_created=preapproval,
            announced=preapproval,
            expires_after_seconds=ongoing_expires_after_seconds,
        )
    if scenario in ("Delayed", "PendingSuccess"):
        return Plan(
            name=scenario,
            after_seconds=delayed_after_seconds,
            begins_created=scenario == "Delayed",
            announced=preapproval,
        )
    if scenario == "PendingPending":
        return Plan(name=scenario, status="PENDING")
    if scenario == "PendingFailed":
        reason = REASONS["Failed"]
        return Plan(
            name=scenario, status="FAILED", reason=reason, after_seconds=delayed_after_seconds
        )
    if scenario not in REASONS:
        return Plan(name=scenario)
    reason = "" if preapproval and scenario == "Failed" else REASONS[scenario]
    if family == "cashtransfer" and scenario == "NotFound":
        reason = "PAYEE_NOT_FOUND"
    return Plan(name=scenario, status="FAILED", reason=reason)


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome that a test has set."""

    outcome: str
    plan: Plan
    identifier: str = ""
    amount: str = ""
    external_id: str = ""
    family: str = ""

    def fits(self, *, family: str, identifiers: tuple[str, str, str]) -> bool:
        """Whether this is about a payment of this family, party, amount and external id."""
        party, amount, external_id = identifiers
        return (
            self.family in ("", family)
            and self.identifier in ("", party)
            and self.amount in ("", amount)
            and self.external_id in ("", external_id)
        )


class Scenarios:
    """The outcomes a test has set; they come before the published table, the newest first."""

    def __init__(self) -> None:
        self._set: list[Scenario] = []

    def __iter__(self) -> Any:
        return iter(tuple(self._set))

    def set(
        self,
        *,
        outcome: str,
        identifier: str = "",
        amount: str = "",
        external_id: str = "",
        operation: str = "",
        reason: str = "",
        after_polls: int = 0,
        after_seconds: float = 0.0,
        by_hand: bool = False,
    ) -> Scenario:
        """Decide what becomes of payments with this party, amount, external id or operation.

        `outcome` is `successful`, `failed`, `pending`, a published scenario's name such as
        `Rejected`, or a reason code such as `NOT_ENOUGH_FUNDS`. Without `after_polls`,
        `after_seconds` (of the emulator's clock) or `by_hand` it is there at once.
        Raises ValueError when the outcome cannot be understood or nothing identifies it.
        """
        if operation not in ("", *FAMILIES):
            raise ValueError(f"unknown operation {operation!r}; one of {', '.join(FAMILIES)}")
        if not (identifier or amount or external_id or operation):
            raise ValueError("say which payments: identifier, amount, external_id or operation")
        if after_polls < 0 or after_seconds < 0:
            raise ValueError("after_polls and after_seconds cannot be negative")
        status, why = _outcome(outcome)
        plan = Plan(
            name=outcome,
            status=status,
            reason=reason or why,
            after_polls=after_polls,
            after_seconds=after_seconds,
            by_hand=by_hand,
        )
        scenario = Scenario(
            outcome=outcome,
            plan=plan,
            identifier=identifier.removeprefix("+"),
            amount=_normalised(amount),
            external_id=external_id,
            family=operation,
        )
        self._set.insert(0, scenario)
        return scenario

    def find(self, *, family: str, identifiers: tuple[str, str, str]) -> Scenario | None:
        """Find what was set for a payment, by (party, amount, external id)."""
        for scenario in self._set:
            if scenario.fits(family=family, identifiers=identifiers):
                return scenario
        return None

    def clear(self) -> None:
        """Forget every outcome that was set; the published table remains."""
        self._set.clear()

    def restore(self, scenarios: Iterable[Scenario]) -> None:
        """Take over outcomes that were saved."""
        self._set = list(scenarios)


def _normalised(amount: str) -> str:
    """Write an amount as records have it, so that `5.0` is found as `5`."""
    try:
        return f"{Decimal(amount).normalize():f}" if amount else ""
    except ArithmeticError:
        raise ValueError(f"{amount!r} is not an amount") from None


def _outcome(word: str) -> tuple[str, str]:
    upper = word.upper()
    if upper in (*FINAL, "PENDING", "CREATED"):
        return upper, "INTERNAL_PROCESSING_ERROR" if upper == "FAILED" else ""
    if word in ("Success", "NotActive"):
        return "SUCCESSFUL", ""
    if word in ("Ongoing", "PendingPending"):
        return "PENDING", ""
    if word in REASONS:
        return "FAILED", REASONS[word]
    if word and word == upper and word.replace("_", "").isalnum():
        return "FAILED", word
    raise ValueError(
        f"unknown outcome {word!r}: say successful, failed, pending, a reason code in capitals, "
        f"or one of {', '.join(REASONS)}"
    )
