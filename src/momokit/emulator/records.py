"""What the emulator remembers: payments, users, tokens, money that moved, and what was said."""

from __future__ import annotations

from typing import Any

import msgspec

FINAL = ("SUCCESSFUL", "FAILED")
NEEDS_PAYER = ("requesttopay", "requesttowithdraw", "preapproval", "invoice")

# How every answer about a holder begins: all accounts belong to one person.
SAND_BOX = {
    "sub": "0",
    "name": "Sand Box",
    "given_name": "Sand",
    "family_name": "Box",
    "birthdate": "1976-08-13",
    "locale": "sv_SE",
}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What will become of a payment, and what brings it about."""

    name: str = "Success"
    status: str = "SUCCESSFUL"
    reason: str = ""
    after_polls: int = 0
    after_seconds: float = 0.0
    by_hand: bool = False
    begins_created: bool = False
    announced: bool = False
    """Whether a callback already tells the status that is not final yet."""
    expires_after_seconds: float | None = None

    @property
    def at_once(self) -> bool:
        """Whether the outcome is there before the first question."""
        final = self.status in FINAL
        return final and not (self.after_polls or self.after_seconds or self.by_hand)


class Record(msgspec.Struct, kw_only=True):
    """One thing in the wallet store: a payment of some kind, an invoice or a pre-approval."""

    key: str
    reference_id: str
    kind: str
    version: int
    product: str
    api_user: str
    created_at: float
    fields: dict[str, Any]
    plan: Plan
    party_type: str = ""
    party_id: str = ""
    external_id: str = ""
    amount: str = ""
    currency: str = ""
    status: str = "PENDING"
    reason: str = ""
    financial_transaction_id: str = ""
    settled_at: float | None = None
    expires_at: float | None = None
    """When an invoice or an approved pre-approval ends."""
    decide_by: float | None = None
    """When a payment that nobody decides about fails with EXPIRED."""
    visible_at: float = 0.0
    polls: int = 0
    ignored: bool = False
    notified_at: float | None = None
    listed_status: str = ""
    callback_url: str = ""
    callback_faults: dict[str, dict[str, Any]] = {}

    @property
    def waiting(self) -> bool:
        """Whether only the payer's decision is missing."""
        return self.plan.by_hand and self.status not in FINAL


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A record as the pages, the control API and tests see it."""

    reference_id: str
    kind: str
    product: str
    version: int
    api_user: str
    status: str
    reason: str
    amount: str
    currency: str
    party_type: str
    party_id: str
    external_id: str
    payer_message: str
    payee_note: str
    scenario: str
    created_at: float
    settled_at: float | None
    expires_at: float | None
    polls: int
    waiting_for_payer: bool
    ignored: bool
    callback_url: str
    financial_transaction_id: str
    times_money_moved: int


class User(msgspec.Struct, kw_only=True):
    """An API user, with the key that is valid now."""

    user_id: str
    callback_host: str
    made_with_key: str = ""
    product: str = ""
    api_key: str = ""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A bearer token that was issued."""

    value: str
    user_id: str
    product: str
    expires_at: float
    consent: str = ""


class Consent(msgspec.Struct, kw_only=True):
    """A consent that was asked for with bc-authorize, and what became of it."""

    auth_req_id: str
    product: str
    user_id: str
    party_id: str
    scope: str
    scenario: str
    expires_at: float
    used: bool = False
    refresh_token: str = ""


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """Money that moved once; positive into the merchant's wallet, negative out of it."""

    reference_id: str
    kind: str
    amount: str
    currency: str
    party_id: str
    at: float


class MoneyMoved(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about one reference id: how often money moved, and how much in all."""

    reference_id: str
    times: int
    total: str
    currency: str
    movements: tuple[Movement, ...]


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a caller needs to use this emulator."""

    product: str
    api_user: str
    api_key: str
    subscription_key: str
    target_environment: str
    callback_host: str
    currency: str


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One request that came in or one callback that went out, with its secrets masked."""

    number: int
    at: float
    direction: str
    method: str
    path: str
    operation: str = ""
    product: str = ""
    reference_id: str = ""
    status: int = 0
    faults: tuple[str, ...] = ()
    headers: dict[str, str] = {}
    body: str = ""
    reply_body: str = ""
    note: str = ""
