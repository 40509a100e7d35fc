"""What goes into the store and comes out of it: frozen values, and how rows become them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Row

from momokit.gateway.core.facts import Decision
from momokit.gateway.core.payment import Payment, State, Work
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.personal import Personal, open_personal
from momokit.gateway.store.veil import Veil

Check: TypeAlias = Callable[[Transaction], None]
"""A condition of acceptance, looked at in the accepting transaction; it raises to refuse."""

Decide: TypeAlias = Callable[[Payment, float], Decision]


class StoreError(Exception):
    """The root of what the store itself refuses."""


class NoSuchRow(StoreError):
    """There is nothing under that id."""


class NotUnique(StoreError):
    """Something that must be unique is there already."""


class IllegalMove(StoreError):
    """A decision would move a payment where it must not go, or leave it with nobody to see to it.

    Nothing of it is written.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class NewPayment:
    """A payment to accept: all that will ever be sent is fixed here, before anything is."""

    id: str
    account_id: str
    kind: str
    product: str
    operation: str
    amount: Decimal
    currency: str
    external_id: str
    reference_id: str
    path: str
    status_path: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    party_type: str | None = None
    party_id: str | None = field(default=None, repr=False)
    merchant_reference: str | None = None
    callback_token_hash: str | None = field(default=None, repr=False)
    original_payment_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    api_key_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class IdempotencyClaim:
    """A caller's idempotency key, within a scope of its own, and a digest of what it asked."""

    scope: str
    key: str = field(repr=False)
    request_hash: str = field(repr=False)


class Outcome(StrEnum):
    """What became of an idempotency key that was claimed."""

    NEW = "new"
    REPLAYED = "replayed"
    CONFLICT = "conflict"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRequest:
    """What is sent to MTN, byte for byte, each time it is sent."""

    product: str
    operation: str
    reference_id: str
    path: str
    status_path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPayment:
    """A payment as it is in the store: what decisions are made from, and the rest of its row."""

    payment: Payment = field(repr=False)
    id: str
    account_id: str
    request: StoredRequest
    party_type: str | None
    merchant_reference: str | None
    original_payment_id: str | None
    metadata: dict[str, Any] = field(repr=False)
    due_at: float | None
    lease_token: int
    lease_until: float | None
    ask_failures: int
    review: bool
    sequence: int
    api_key_id: str | None
    updated_at: float

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.payment.state


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptResult:
    """What became of an acceptance. On a conflict `payment` is what the key stood for before."""

    outcome: Outcome
    payment: StoredPayment


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """A payment that this worker alone works at until the lease ends.

    `was_sending` is True when an earlier worker may have died in the middle of a send.
    `lane_opened_at` is set on the one that tries a lane whose breaker is open.
    """

    payment: Payment = field(repr=False)
    id: str
    account_id: str
    work: Work
    lease_token: int
    lease_until: float
    was_sending: bool
    ask_failures: int
    request: StoredRequest
    lane_opened_at: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What was written about a payment."""

    payment: Payment = field(repr=False)
    id: str
    account_id: str
    before: State
    event: str
    sequence: int
    work: Work | None
    due_at: float | None
    deliveries: int
    incident: str | None
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One line of a payment's history."""

    payment_id: str
    sequence: int
    at: float
    event: str
    state_before: State | None
    state_after: State
    details: dict[str, Any] = field(repr=False)


def to_payment(row: Row[Any], personal: Personal) -> Payment:
    """Take what decisions are made from out of a row and what it holds sealed."""
    return Payment(
        id=row.id,
        kind=row.kind,
        state=State(row.state),
        amount=Decimal(row.amount),
        currency=row.currency,
        external_id=row.external_id,
        party_id=personal.party_id,
        created_at=row.created_at,
        work=Work(row.work) if row.work is not None else None,
        first_sent_at=row.first_sent_at,
        accepted_at=row.accepted_at,
        final_at=row.final_at,
        sending=row.sending,
        doubtful=row.doubtful,
        attempts=row.attempts,
        polls=row.polls,
        absent_since=row.absent_since,
        absences=row.absences,
        reason_code=row.reason_code,
        financial_transaction_id=row.financial_transaction_id,
        refused_code=row.refused_code,
        cancel_reference_id=row.cancel_reference_id,
        cancel_taken_at=row.cancel_taken_at,
        settled_by=row.settled_by,
        released_at=row.released_at,
    )


def to_request(row: Row[Any], personal: Personal) -> StoredRequest:
    """Take what is sent out of a row and what it holds sealed."""
    return StoredRequest(
        product=row.product,
        operation=row.operation,
        reference_id=row.reference_id,
        path=row.path,
        status_path=row.status_path,
        headers=personal.headers,
        body=personal.body,
    )


def to_stored(row: Row[Any], veil: Veil) -> StoredPayment:
    """Take a whole payment out of a row."""
    personal = open_personal(veil, row)
    return StoredPayment(
        payment=to_payment(row, personal),
        id=row.id,
        account_id=row.account_id,
        request=to_request(row, personal),
        party_type=row.party_type,
        merchant_reference=row.merchant_reference,
        original_payment_id=row.original_payment_id,
        metadata=personal.metadata,
        due_at=row.due_at,
        lease_token=row.lease_token,
        lease_until=row.lease_until,
        ask_failures=row.ask_failures,
        review=row.review,
        sequence=row.sequence,
        api_key_id=row.api_key_id,
        updated_at=row.updated_at,
    )


def to_event(row: Row[Any]) -> Event:
    """Take one line of history out of a row."""
    before = row.state_before
    return Event(
        payment_id=row.payment_id,
        sequence=row.sequence,
        at=row.at,
        event=row.event,
        state_before=State(before) if before is not None else None,
        state_after=State(row.state_after),
        details=from_json(row.details),
    )


def to_json(value: Any) -> str:
    """Write a value as JSON text."""
    return msgspec.json.encode(value).decode()


def from_json(value: str) -> Any:
    """Read JSON text."""
    return msgspec.json.decode(value)
