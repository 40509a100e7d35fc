"""The routes of invoices: make one, send it, read it, remind of it, take it back."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from momokit.errors import InvalidInput
from momokit.gateway.api.callers import ADMIN, ANY_READER, COLLECT, READ, need
from momokit.gateway.api.edge import Caller, Edge, caller_of, edge_of
from momokit.gateway.api.link_bodies import InvoiceBody, SendBody, check_texts
from momokit.gateway.api.link_views import (
    InvoiceList,
    InvoiceTimeline,
    InvoiceView,
    entry_view,
    invoice_view,
    page_url,
)
from momokit.gateway.api.links import Asked, Limit, claim_for, new_token, root_of
from momokit.gateway.api.payments import Key, Reveal
from momokit.gateway.api.placing import account_for, claim_of, take_in
from momokit.gateway.api.problems import Problem, problems
from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import CancelAsked, Decision
from momokit.gateway.core.invoice import InvoiceState, Standing
from momokit.gateway.core.payment import Payment
from momokit.gateway.orders import Order
from momokit.gateway.steps.invoicing import (
    MTN_LIFE_SECONDS,
    Bill,
    bill_at_mtn,
    draft_of,
    keep_draft,
    page_of,
    send_page,
)
from momokit.gateway.store.attempts import NotPayable, Overtaken, open_at_mtn
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.invoice_life import NotSendable, cancel_invoice, remind_of_invoice
from momokit.gateway.store.invoices import (
    Invoice,
    InvoiceFilter,
    find_invoice,
    list_invoice_events,
    list_invoices,
)
from momokit.gateway.store.links import find_by_invoice
from momokit.gateway.store.once import make_once
from momokit.gateway.store.records import AcceptResult, Decide, NoSuchRow, Outcome
from momokit.gateway.store.standing import attempts_of_invoice, standing_of

_TAGS = ["Invoices"]


@post(
    "/v1/invoices",
    status_code=201,
    opt={"scopes": {COLLECT}},
    tags=_TAGS,
    operation_id="create_invoice",
    summary="Make an invoice",
    responses=problems(404, 409, 422),
)
async def create_invoice(
    request: Asked, data: JSONBody[InvoiceBody], idempotency_key: Key = None
) -> Response[InvoiceView]:
    """Make a draft of an invoice: nobody can pay it before it is sent.

    MTN's own invoice without one of yours is a payment of the kind `invoice`.
    """
    edge, caller = edge_of(request), caller_of(request)
    claim = claim_for(caller, path="/v1/invoices", key=idempotency_key, body=data)
    bill = _bill(edge, caller, data)
    draft = draft_of(bill, forms=edge.book.forms_of(bill.account_id), now=await edge.store.now())
    made = await edge.store.write(
        lambda t: make_once(t, claim, lambda within: keep_draft(within, draft))
    )
    edge.metrics.idempotency(outcome=made.outcome.value)
    if made.outcome is Outcome.CONFLICT:
        raise Problem("idempotency_mismatch")
    headers = {"Location": f"/v1/invoices/{made.row_id}"}
    if made.outcome is Outcome.REPLAYED:
        headers["Idempotency-Replayed"] = "true"
    view = await _view(request, made.row_id)
    return Response(view, status_code=201, headers=headers)


@post(
    "/v1/invoices/{invoice_id:str}/send",
    status_code=200,
    opt={"scopes": {COLLECT}},
    tags=_TAGS,
    operation_id="send_invoice",
    summary="Send an invoice, or send it again",
    responses=problems(404, 409, 422),
)
async def send_invoice(
    request: Asked, invoice_id: FromPath[str], data: JSONBody[SendBody], idempotency_key: Key = None
) -> InvoiceView:
    """Let an invoice be paid, and tell your application so with the webhook `invoice.sent`.

    `link` gives it a page: pass `url` on to the payer. `mtn` puts what is still owed to the
    payer's phone as MTN's own invoice; while that is open its page takes no money for the same.
    """
    edge, caller = edge_of(request), caller_of(request)
    invoice = await _find(edge, caller, invoice_id)
    claim = claim_of(caller, path=request.url.path, key=idempotency_key, body=data)
    if data.channel == "link" and (data.payee is not None or data.validity_seconds is not None):
        raise InvalidInput("Only the channel mtn has this.", field="payee")
    if data.channel == "mtn" and data.payee is None:
        raise InvalidInput("MTN's invoice names who is paid.", field="payee")
    if data.channel == "mtn" and invoice.payer is None:
        raise InvalidInput("MTN's invoice needs the payer's number.", field="payer.phone")
    page = page_of(invoice, checkout_id=f"chk_{uuid.uuid4().hex}", token=new_token())

    def send(transaction: Transaction) -> str:
        return send_page(transaction, invoice_id, page=page).id

    try:
        once = claim_for(caller, path=request.url.path, key=idempotency_key, body=data)
        made = await edge.store.write(lambda t: make_once(t, once, send))
        if made.outcome is Outcome.CONFLICT:
            raise Problem("idempotency_mismatch")
        if data.channel == "mtn":

            async def accept(order: Order, /, **given: Any) -> AcceptResult:
                return await take_in(edge, caller, order, claim=claim, reserves=given["reserves"])

            await bill_at_mtn(
                invoice_id, payee=data.payee or "", store=edge.store, accept=accept,
                validity_seconds=data.validity_seconds or MTN_LIFE_SECONDS, idempotency=claim,
            )  # fmt: skip
    except (NotSendable, NotPayable, Overtaken) as error:
        raise Problem("invoice_not_payable", str(error)) from None
    return await _view(request, invoice_id)


@post(
    "/v1/invoices/{invoice_id:str}/remind",
    status_code=200,
    opt={"scopes": {COLLECT}},
    tags=_TAGS,
    operation_id="remind_of_invoice",
    summary="Have the payer reminded",
    responses=problems(404, 409),
)
async def remind(request: Asked, invoice_id: FromPath[str]) -> InvoiceView:
    """Send the webhook `invoice.reminder_due` now, as it is sent on the days in `reminders`."""
    edge = edge_of(request)
    await _find(edge, caller_of(request), invoice_id)
    try:
        await edge.store.write(lambda t: remind_of_invoice(t, invoice_id))
    except NotSendable as error:
        raise Problem("invoice_not_payable", str(error)) from None
    return await _view(request, invoice_id)


@post(
    "/v1/invoices/{invoice_id:str}/cancel",
    status_code=200,
    opt={"scopes": {COLLECT}},
    tags=_TAGS,
    operation_id="cancel_invoice",
    summary="Take an invoice back",
    responses=problems(404, 409),
)
async def cancel(request: Asked, invoice_id: FromPath[str]) -> InvoiceView:
    """Take an invoice back: nobody begins to pay it any more, and MTN's own invoice is asked to be
    cancelled too. While a payment of it is open it is `cancelling`, and that payment's end decides.
    """
    edge = edge_of(request)
    await _find(edge, caller_of(request), invoice_id)
    try:
        await edge.store.write(lambda t: cancel_invoice(t, invoice_id))
    except NotSendable as error:
        raise Problem("invoice_not_payable", str(error)) from None
    for payment_id in await edge.store.read(lambda t: open_at_mtn(t, invoice_id)):
        await edge.store.record(payment_id, _take_back(str(uuid.uuid4())), lease_token=None)
    return await _view(request, invoice_id)


@get(
    "/v1/invoices",
    opt={"scopes": ANY_READER},
    tags=_TAGS,
    operation_id="list_invoices",
    summary="List invoices, newest first",
    responses=problems(404),
)
async def list_invoices_(
    request: Asked,
    account: FromQuery[str | None] = None,
    states: Annotated[
        list[InvoiceState] | None, QueryParameter(name="state", required=False)
    ] = None,
    number: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Limit = 50,
) -> InvoiceList:
    """List the invoices that the key may see."""
    edge, caller = edge_of(request), caller_of(request)
    account_id = account_for(edge, caller, account)
    wanted = InvoiceFilter(
        account_ids=[account_id] if account_id is not None else None,
        api_key_id=None if caller.has({READ}) else caller.key_id,
        states=states,
        number=number,
    )
    root = root_of(request)

    def look(transaction: Transaction) -> tuple[list[InvoiceView], str | None]:
        page = list_invoices(transaction, wanted, cursor=cursor, limit=limit)
        return [_seen(transaction, one, root=root) for one in page.items], page.next_cursor

    try:
        views, following = await edge.store.read(look)
    except ValueError:
        raise Problem("invalid_cursor", field="cursor") from None
    return InvoiceList(items=views, next_cursor=following)


@get(
    "/v1/invoices/{invoice_id:str}",
    opt={"scopes": ANY_READER},
    tags=_TAGS,
    operation_id="get_invoice",
    summary="Read an invoice",
    responses=problems(404),
)
async def get_invoice(
    request: Asked, invoice_id: FromPath[str], reveal: Reveal = False
) -> InvoiceView:
    """Read where an invoice stands, by the money that MTN has verified."""
    if reveal:
        need(caller_of(request), {ADMIN})
    await _find(edge_of(request), caller_of(request), invoice_id)
    return await _view(request, invoice_id, reveal=reveal)


@get(
    "/v1/invoices/{invoice_id:str}/timeline",
    opt={"scopes": ANY_READER},
    tags=_TAGS,
    operation_id="get_invoice_timeline",
    summary="Read all that happened to an invoice",
    responses=problems(404),
)
async def get_timeline(request: Asked, invoice_id: FromPath[str]) -> InvoiceTimeline:
    """Read an invoice's story, oldest first, and which payments were made for it."""
    edge = edge_of(request)
    await _find(edge, caller_of(request), invoice_id)

    def look(transaction: Transaction) -> tuple[list[Any], list[str]]:
        rows = attempts_of_invoice(transaction, invoice_id)
        return list_invoice_events(transaction, invoice_id), [row.id for row in rows]

    told, payment_ids = await edge.store.read(look)
    return InvoiceTimeline(
        invoice=await _view(request, invoice_id),
        entries=[entry_view(one) for one in told],
        payment_ids=payment_ids,
    )


def _take_back(reference_id: str) -> Decide:
    """Take back MTN's invoice: at once while it has not left, and by asking MTN afterwards."""

    def choose(payment: Payment, now: float) -> Decision:
        return decide(payment, CancelAsked(reference_id=reference_id), now=now)

    return choose


def _bill(edge: Edge, caller: Caller, data: InvoiceBody) -> Bill:
    check_texts(data)
    account = edge.book.account(account_for(edge, caller, data.account))
    if data.expires_at is not None and data.expires_at.tzinfo is None:
        raise InvalidInput("A time needs its zone.", field="expires_at")
    return Bill(
        id=f"inv_{uuid.uuid4().hex}",
        account_id=account.id,
        merchant_name=data.merchant_name or account.name,
        amount=data.amount,
        lines=[(one.description, one.quantity, one.unit_amount) for one in data.lines],
        currency=data.currency,
        number=data.number,
        description=data.description,
        payer_name=data.payer.name,
        payer=data.payer.phone,
        due_on=data.due_date,
        expires_at=data.expires_at.timestamp() if data.expires_at is not None else None,
        allow_partial=data.allow_partial,
        least=data.minimum_amount,
        reminders=data.reminders,
        language=data.language,
        metadata=data.metadata,
        api_key_id=caller.key_id,
    )


async def _find(edge: Edge, caller: Caller, invoice_id: str) -> Invoice:
    try:
        found = await edge.store.read(lambda t: find_invoice(t, invoice_id))
    except NoSuchRow:
        raise Problem("not_found") from None
    is_own = caller.has({READ}) or found.api_key_id == caller.key_id
    if caller.account_id not in (None, found.account_id) or not is_own:
        raise Problem("not_found")
    return found


async def _view(request: Asked, invoice_id: str, *, reveal: bool = False) -> InvoiceView:
    root = root_of(request)

    def look(transaction: Transaction) -> InvoiceView:
        invoice = find_invoice(transaction, invoice_id)
        return _seen(transaction, invoice, root=root, reveal=reveal)

    return await edge_of(request).store.read(look)


def _seen(
    transaction: Transaction, invoice: Invoice, *, root: str, reveal: bool = False
) -> InvoiceView:
    standing: Standing = standing_of(transaction, invoice.id)
    # As of now: a date may have passed that nobody has seen to yet.
    invoice = replace(invoice, state=invoice.state_at(transaction.now, standing))
    page = find_by_invoice(transaction, invoice.id)
    url = page_url(root, page.token) if page is not None else None
    return invoice_view(invoice, standing, url=url, reveal=reveal)


ROUTES = [
    create_invoice,
    send_invoice,
    remind,
    cancel,
    list_invoices_,
    get_invoice,
    get_timeline,
]
