"""The routes of payments: make one, read it, follow it, take it back, give it back."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from litestar import Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter

from momokit.gateway.api.bodies import (
    PaymentBody,
    PreApprovalBody,
    RefundBody,
    plain_party,
)
from momokit.gateway.api.callers import (
    ADMIN,
    ANY_READER,
    COLLECT,
    DISBURSE,
    MONEY,
    READ,
    may_see,
    need,
    scopes_of_kind,
)
from momokit.gateway.api.edge import Caller, Edge, caller_of, edge_of
from momokit.gateway.api.placing import account_for, place
from momokit.gateway.api.problems import Problem, problems
from momokit.gateway.api.views import (
    PaymentPage,
    PaymentView,
    TimelineView,
    payment_view,
    timeline_view,
)
from momokit.gateway.api.waiting import LONGEST_WAIT_SECONDS, wait_until_final
from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import CancelAsked
from momokit.gateway.core.payment import State
from momokit.gateway.orders import Order
from momokit.gateway.store.payments import PAGE_LIMIT, Filter, Page, find_by_reference
from momokit.gateway.store.records import StoredPayment

Asked: TypeAlias = Request[Any, Any, Any]
Key: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        required=False,
        description="Yours, one for each payment you intend; repeat it with every retry.",
    ),
]
Wait: TypeAlias = Annotated[
    float,
    QueryParameter(
        name="wait",
        ge=0,
        le=LONGEST_WAIT_SECONDS,
        description="Answer only when the payment is final, or after so many seconds.",
    ),
]
Reveal: TypeAlias = Annotated[
    bool,
    QueryParameter(name="reveal", description="Show the party in plain; needs the scope admin."),
]
CANCELLED_REASONS = frozenset({"CANCELLED", "TRANSACTION_CANCELED"})
"""Taken back by us, or cancelled by MTN."""

_TAGS = ["Payments"]


@post(
    "/v1/payments",
    status_code=202,
    opt={"scopes": MONEY},
    tags=_TAGS,
    operation_id="create_payment",
    summary="Make a payment",
    responses=problems(404, 409, 422),
)
async def create_payment(
    request: Asked, data: JSONBody[PaymentBody], idempotency_key: Key = None, wait: Wait = 0
) -> Response[PaymentView]:
    """Take a payment in. It is stored before anything is sent; follow it by its id."""
    edge, caller = edge_of(request), caller_of(request)
    need(caller, scopes_of_kind(data.kind))
    if data.original_payment_id is not None:
        await _check_original(edge, caller, data.original_payment_id)
    order = Order(
        kind=data.kind,
        amount=data.amount,
        account=account_for(edge, caller, data.account),
        currency=data.currency,
        party=plain_party(data.party),
        merchant_reference=data.merchant_reference,
        payer_message=data.payer_message,
        payee_note=data.payee_note,
        metadata=data.metadata,
        original_payment_id=data.original_payment_id,
        details=data.details(),
        allow_duplicate=data.allow_duplicate,
    )
    return await place(request, order, body=data, key=idempotency_key, wait_seconds=wait)


@post(
    "/v1/pre-approvals",
    status_code=202,
    opt={"scopes": {COLLECT}},
    tags=_TAGS,
    operation_id="create_pre_approval",
    summary="Ask a payer for a pre-approval",
    responses=problems(404, 409, 422),
)
async def create_pre_approval(
    request: Asked, data: JSONBody[PreApprovalBody], idempotency_key: Key = None, wait: Wait = 0
) -> Response[PaymentView]:
    """Ask for a standing permission; it is followed to its end like a payment, and read as one."""
    order = Order(
        kind="pre_approval",
        account=account_for(edge_of(request), caller_of(request), data.account),
        currency=data.currency,
        party=plain_party(data.party),
        merchant_reference=data.merchant_reference,
        payer_message=data.payer_message,
        metadata=data.metadata,
        details={"validity_seconds": data.validity_seconds},
        allow_duplicate=data.allow_duplicate,
    )
    return await place(request, order, body=data, key=idempotency_key, wait_seconds=wait)


@post(
    "/v1/payments/{payment_id:str}/refunds",
    status_code=202,
    opt={"scopes": {DISBURSE}},
    tags=_TAGS,
    operation_id="refund_payment",
    summary="Give a payment back, in part or whole",
    responses=problems(404, 409, 422),
)
async def refund_payment(
    request: Asked,
    payment_id: FromPath[str],
    data: JSONBody[RefundBody],
    idempotency_key: Key = None,
    wait: Wait = 0,
) -> Response[PaymentView]:
    """Refund a request to pay; all refunds of one together never exceed what was captured."""
    original = await visible(edge_of(request), caller_of(request), payment_id)
    order = Order(
        kind="refund",
        amount=data.amount,
        account=original.account_id,
        currency=data.currency,
        merchant_reference=data.merchant_reference,
        payer_message=data.payer_message,
        payee_note=data.payee_note,
        metadata=data.metadata,
        original_payment_id=payment_id,
    )
    return await place(request, order, body=data, key=idempotency_key, wait_seconds=wait)


@get(
    "/v1/payments",
    opt={"scopes": ANY_READER},
    tags=_TAGS,
    operation_id="list_payments",
    summary="List payments, newest first",
    responses=problems(404),
)
async def list_payments(
    request: Asked,
    states: Annotated[list[State] | None, QueryParameter(name="state", required=False)] = None,
    kind: FromQuery[str | None] = None,
    account: FromQuery[str | None] = None,
    merchant_reference: FromQuery[str | None] = None,
    reference_id: FromQuery[str | None] = None,
    created_from: FromQuery[datetime | None] = None,
    created_to: FromQuery[datetime | None] = None,
    review: FromQuery[bool | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_LIMIT)] = 50,
    reveal: Reveal = False,
) -> PaymentPage:
    """List the payments that the key may see; each page names the cursor of the next."""
    edge, caller = edge_of(request), caller_of(request)
    shown = _may_reveal(caller, reveal=reveal)
    if reference_id is not None:
        page = await _by_reference(edge, caller, reference_id)
    else:
        wanted = Filter(
            account_ids=_accounts(edge, caller, account),
            api_key_id=None if caller.has({READ}) else caller.key_id,
            states=states,
            kind=kind,
            merchant_reference=merchant_reference,
            created_from=_instant(created_from, field="created_from"),
            created_before=_instant(created_to, field="created_to"),
            review=review,
        )
        try:
            page = await edge.store.list_payments(wanted, cursor=cursor, limit=limit)
        except ValueError:
            raise Problem("invalid_cursor", field="cursor") from None
    items = [payment_view(stored, reveal=shown) for stored in page.items]
    return PaymentPage(items=items, next_cursor=page.next_cursor)


@get(
    "/v1/payments/{payment_id:str}",
    opt={"scopes": ANY_READER},
    tags=_TAGS,
    operation_id="get_payment",
    summary="Read a payment",
    responses=problems(404),
)
async def get_payment(
    request: Asked, payment_id: FromPath[str], wait: Wait = 0, reveal: Reveal = False
) -> PaymentView:
    """Read how a payment stands; with `wait`, when it is final."""
    edge, caller = edge_of(request), caller_of(request)
    shown = _may_reveal(caller, reveal=reveal)
    stored = await visible(edge, caller, payment_id)
    stored = await wait_until_final(edge, stored, seconds=wait)
    return payment_view(stored, reveal=shown)


@get(
    "/v1/payments/{payment_id:str}/timeline",
    opt={"scopes": ANY_READER},
    tags=_TAGS,
    operation_id="get_payment_timeline",
    summary="Read all that happened to a payment",
    responses=problems(404),
)
async def get_timeline(
    request: Asked, payment_id: FromPath[str], reveal: Reveal = False
) -> TimelineView:
    """Read every attempt, answer, callback, question and webhook of a payment, oldest first."""
    edge, caller = edge_of(request), caller_of(request)
    shown = _may_reveal(caller, reveal=reveal)
    timeline = await edge.store.timeline(payment_id)
    if timeline is None or not may_see(caller, timeline.payment):
        raise Problem("not_found")
    return timeline_view(timeline, reveal=shown)


@post(
    "/v1/payments/{payment_id:str}/cancel",
    status_code=200,
    opt={"scopes": MONEY},
    tags=_TAGS,
    operation_id="cancel_payment",
    summary="Take back a payment that has not left, or have MTN cancel what it can",
    responses=problems(404, 409)
    | {
        202: ResponseSpec(
            PaymentView, description="MTN is asked to cancel it", generate_examples=False
        )
    },
)
async def cancel_payment(request: Asked, payment_id: FromPath[str]) -> Response[PaymentView]:
    """Take a payment back while nothing of it was sent; afterwards only its end is to be had.

    An invoice that MTN has, and a pre-approval that was given, are cancelled by MTN: the answer is
    202, and the state tells when it is done. Doing it twice is the same as doing it once.
    """
    edge, caller = edge_of(request), caller_of(request)
    before = await visible(edge, caller, payment_id)
    need(caller, scopes_of_kind(before.payment.kind))
    if not _is_cancelled(before):
        if before.state.is_final and not _is_granted(before):
            raise Problem("cannot_cancel", f"It is {before.state.value} already.")
        wish = CancelAsked(reference_id=str(uuid.uuid4()))
        await edge.store.record(
            payment_id, lambda payment, now: decide(payment, wish, now=now), lease_token=None
        )
    after = await visible(edge, caller, payment_id)
    if _is_cancelled(after):
        return Response(payment_view(after), status_code=200)
    if after.payment.cancel_reference_id is None:
        raise Problem("cannot_cancel", "It has left for MTN; its state is still to come.")
    return Response(payment_view(after), status_code=202)


async def visible(edge: Edge, caller: Caller, payment_id: str) -> StoredPayment:
    """Find a payment that the caller may know of; to the rest it does not exist."""
    stored = await edge.store.payment(payment_id)
    if stored is None or not may_see(caller, stored):
        raise Problem("not_found")
    return stored


async def _check_original(edge: Edge, caller: Caller, payment_id: str) -> None:
    """Let a key give back only what it may know of."""
    original = await edge.store.payment(payment_id)
    if original is not None and not may_see(caller, original):
        raise Problem("original_unknown", field="original_payment_id")


async def _by_reference(edge: Edge, caller: Caller, reference_id: str) -> Page:
    found = await edge.store.read(lambda t: find_by_reference(t, reference_id=reference_id))
    seen = [found] if found is not None and may_see(caller, found) else []
    return Page(items=seen, next_cursor=None)


def _accounts(edge: Edge, caller: Caller, wanted: str | None) -> list[str] | None:
    account_id = account_for(edge, caller, wanted)
    return [account_id] if account_id is not None else None


def _may_reveal(caller: Caller, *, reveal: bool) -> bool:
    if reveal:
        need(caller, {ADMIN})
    return reveal


def _is_cancelled(stored: StoredPayment) -> bool:
    return stored.state is State.FAILED and stored.payment.reason_code in CANCELLED_REASONS


def _is_granted(stored: StoredPayment) -> bool:
    return stored.payment.kind == "pre_approval" and stored.state is State.SUCCESSFUL


def _instant(moment: datetime | None, *, field: str) -> float | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise Problem(
            "invalid_request",
            "A time needs its zone.",
            field=field,
            hint="For example 2026-01-31T12:00:00Z; write a plus sign as %2B.",
        )
    return moment.timestamp()


ROUTES = [
    create_payment,
    create_pre_approval,
    refund_payment,
    list_payments,
    get_payment,
    get_timeline,
    cancel_payment,
]
