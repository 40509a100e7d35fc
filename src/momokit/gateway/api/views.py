"""What callers get: a payment and its story as its merchant sees them, with the party masked."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from momokit.callbacks import read_callback
from momokit.errors import InvalidInput
from momokit.gateway.core.payer_words import OWN_REASONS
from momokit.gateway.core.payment import OPEN_STATUSES, Payment, State
from momokit.gateway.store.deliveries import Delivery, moment, moment_or_none
from momokit.gateway.store.inbox import Callback
from momokit.gateway.store.payments import Timeline
from momokit.gateway.store.records import Event, StoredPayment
from momokit.party import Party
from momokit.reasons import reason_of

_STATUSES = OPEN_STATUSES | {"SUCCESSFUL", "FAILED"}


class PartyView(msgspec.Struct, frozen=True, kw_only=True):
    """The payer or payee; `id` is masked unless it was asked for in plain."""

    type: str
    id: str


class ReasonView(msgspec.Struct, frozen=True, kw_only=True):
    """Why a payment failed: branch on `code`; `who` makes the next move."""

    code: str
    what: str
    remedy: str
    who: str
    new_attempt_is_safe: bool


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Where more is."""

    self: str
    timeline: str


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """A payment. `state` is created, pending, unknown, successful or failed; the last two are
    final, and `settled_by` says whose word that is: MTN's, the gateway's, which knows what it never
    sent, or a person's. `cancel_requested`: MTN is asked to cancel it; `state` tells when it has.
    """

    id: str
    kind: str
    state: State
    is_final: bool
    account_id: str
    amount: str
    currency: str
    party: PartyView | None
    merchant_reference: str | None
    reference_id: str
    financial_transaction_id: str | None
    original_payment_id: str | None
    reason: ReasonView | None
    settled_by: Literal["mtn", "gateway", "person"] | None
    cancel_requested: bool
    review: bool
    metadata: dict[str, Any]
    created_at: str
    updated_at: str
    accepted_at: str | None
    final_at: str | None
    links: Links


class PaymentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some payments, newest first; `next_cursor` is null on the last page."""

    items: list[PaymentView]
    next_cursor: str | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened: an event of ours, a callback heard, or a webhook sent."""

    at: str
    source: Literal["event", "callback", "webhook"]
    what: str
    sequence: int | None = None
    state_before: State | None = None
    state_after: State | None = None
    details: dict[str, Any] = msgspec.field(default_factory=dict)


class TimelineView(msgspec.Struct, frozen=True, kw_only=True):
    """A payment's whole story, oldest first."""

    payment: PaymentView
    entries: list[Entry]


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook to one endpoint. `status`: waiting, delivered or given_up."""

    id: int
    webhook_id: str
    endpoint_id: str
    payment_id: str | None
    invoice_id: str | None
    event: str
    sequence: int
    status: Literal["waiting", "delivered", "given_up"]
    attempts: int
    last_status: int | None
    last_error: str | None
    created_at: str
    delivered_at: str | None
    next_try_at: str | None


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some webhooks, newest first; `next_before` is null on the last page."""

    items: list[DeliveryView]
    next_before: int | None


def payment_view(stored: StoredPayment, *, reveal: bool = False, path: str = "") -> PaymentView:
    """Show a payment. `reveal` shows the party's id in plain."""
    payment = stored.payment
    root = path or f"/v1/payments/{stored.id}"
    return PaymentView(
        id=stored.id,
        kind=payment.kind,
        state=payment.state,
        is_final=payment.state.is_final,
        account_id=stored.account_id,
        amount=str(payment.amount),
        currency=payment.currency,
        party=_party(stored, reveal=reveal),
        merchant_reference=stored.merchant_reference,
        reference_id=stored.request.reference_id,
        financial_transaction_id=payment.financial_transaction_id,
        original_payment_id=stored.original_payment_id,
        reason=_reason(payment) if payment.state is State.FAILED else None,
        settled_by=_settled_by(payment),
        cancel_requested=payment.cancel_reference_id is not None,
        review=stored.review,
        metadata=stored.metadata,
        created_at=moment(payment.created_at),
        updated_at=moment(stored.updated_at),
        accepted_at=moment_or_none(payment.accepted_at),
        final_at=moment_or_none(payment.final_at),
        links=Links(self=root, timeline=f"/v1/payments/{stored.id}/timeline"),
    )


def _reason(payment: Payment) -> ReasonView | None:
    """Explain why a payment failed, and whether that is beyond doubt by now."""
    code = payment.reason_code
    if code is None:
        return None
    own = OWN_REASONS.get(code)
    if own is not None:
        what, remedy = own
        return ReasonView(
            code=code, what=what.en, remedy=remedy.en, who="you",
            new_attempt_is_safe=payment.is_proven_failed,
        )  # fmt: skip
    reason = reason_of(code)
    return ReasonView(
        code=code,
        what=reason.what.en,
        remedy=reason.remedy.en,
        who=reason.who,
        new_attempt_is_safe=reason.retry.new_attempt_is_safe and payment.is_proven_failed,
    )


def _settled_by(payment: Payment) -> Literal["mtn", "gateway", "person"] | None:
    if not payment.state.is_final:
        return None
    if payment.settled_by is not None:
        return "person"
    return "gateway" if payment.reason_code in OWN_REASONS else "mtn"


def timeline_view(timeline: Timeline, *, reveal: bool = False) -> TimelineView:
    """Show a payment's story, all sources in one order."""
    told = [(event.at, _of_event(event)) for event in timeline.events]
    told += [(callback.at, _of_callback(callback)) for callback in timeline.callbacks]
    told += [(delivery.created_at, _of_delivery(delivery)) for delivery in timeline.deliveries]
    told.sort(key=lambda pair: pair[0])
    payment = payment_view(timeline.payment, reveal=reveal)
    return TimelineView(payment=payment, entries=[entry for _, entry in told])


def delivery_view(delivery: Delivery) -> DeliveryView:
    """Show a webhook."""
    waiting = delivery.due_at is not None
    done: Literal["delivered", "given_up"] = (
        "delivered" if delivery.delivered_at is not None else "given_up"
    )
    return DeliveryView(
        id=delivery.id,
        webhook_id=delivery.webhook_id,
        endpoint_id=delivery.endpoint_id,
        payment_id=delivery.payment_id,
        invoice_id=delivery.invoice_id,
        event=delivery.event,
        sequence=delivery.sequence,
        status="waiting" if waiting else done,
        attempts=delivery.attempts,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        created_at=moment(delivery.created_at),
        delivered_at=moment_or_none(delivery.delivered_at),
        next_try_at=moment_or_none(delivery.due_at),
    )


def _party(stored: StoredPayment, *, reveal: bool) -> PartyView | None:
    kind, identifier = stored.party_type, stored.payment.party_id
    if kind is None or identifier is None:
        return None
    return PartyView(type=kind, id=identifier if reveal else masked(kind, identifier))


def masked(kind: str, identifier: str) -> str:
    """Show enough of a party's id to recognise it, and too little to use it."""
    try:
        return Party(kind, identifier).masked  # type: ignore[arg-type]
    except InvalidInput:
        return "•••"


def _of_event(event: Event) -> Entry:
    return Entry(
        at=moment(event.at),
        source="event",
        what=event.event,
        sequence=event.sequence,
        state_before=event.state_before,
        state_after=event.state_after,
        details=event.details,
    )


def _of_callback(callback: Callback) -> Entry:
    # The body is MTN's or anyone's, and names the party: only its status word is shown.
    status = read_callback(callback.body).status
    details: dict[str, Any] = {
        "method": callback.method,
        "seen": callback.seen,
        "status": status if status in _STATUSES else None,
    }
    return Entry(at=moment(callback.at), source="callback", what="callback", details=details)


def _of_delivery(delivery: Delivery) -> Entry:
    view = delivery_view(delivery)
    details = {
        "delivery_id": view.id,
        "endpoint_id": view.endpoint_id,
        "status": view.status,
        "attempts": view.attempts,
        "last_status": view.last_status,
        "delivered_at": view.delivered_at,
    }
    return Entry(
        at=view.created_at, source="webhook", what=view.event, sequence=view.sequence,
        details=details,
    )  # fmt: skip
