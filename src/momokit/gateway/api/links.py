"""The routes of checkouts and payment links: make one, read it, list them, close it."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import replace
from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from momokit.gateway.api.callers import ANY_READER, COLLECT, READ
from momokit.gateway.api.edge import Caller, Edge, caller_of, edge_of
from momokit.gateway.api.link_bodies import CheckoutBody, check_texts, span_of
from momokit.gateway.api.link_views import (
    CheckoutList,
    CheckoutView,
    LinkList,
    LinkView,
    checkout_view,
    link_view,
)
from momokit.gateway.api.payments import Key
from momokit.gateway.api.placing import account_for, claim_of
from momokit.gateway.api.problems import Problem, problems
from momokit.gateway.core.checkout import LIFE_SECONDS, Phase
from momokit.gateway.store.attempts import Seen, see
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.links import (
    CHECKOUT,
    LINK,
    PAGE_LIMIT,
    Checkout,
    CheckoutFilter,
    add_checkout,
    close_checkout,
    count_paid,
    find_checkout,
    list_checkouts,
)
from momokit.gateway.store.once import Made, make_once
from momokit.gateway.store.records import IdempotencyClaim, Outcome

Asked: TypeAlias = Request[Any, Any, Any]
TOKEN_BYTES = 32
_TAGS = ["Checkout"]
Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=PAGE_LIMIT)]


@post(
    "/v1/checkouts",
    status_code=201,
    opt={"scopes": {COLLECT}},
    tags=_TAGS,
    operation_id="create_checkout",
    summary="Make a page to pay on, once",
    responses=problems(404, 409, 422),
)
async def create_checkout(
    request: Asked, data: JSONBody[CheckoutBody], idempotency_key: Key = None
) -> Response[CheckoutView]:
    """Make a hosted page for one order: it is paid once, whatever the payer does.

    Send the payer to `url`. What counts is the webhook, or the payment read by its id; that the
    payer comes back to `return_url` proves nothing.
    """
    edge, caller = edge_of(request), caller_of(request)
    claim = claim_for(caller, path="/v1/checkouts", key=idempotency_key, body=data)
    made = await make(edge, await new_checkout(edge, caller, data, kind=CHECKOUT), claim=claim)
    seen = await seen_by(edge, made.row_id)
    return _answer(checkout_view(seen, root=root_of(request)), made, "/v1/checkouts")


@post(
    "/v1/payment-links",
    status_code=201,
    opt={"scopes": {COLLECT}},
    tags=_TAGS,
    operation_id="create_payment_link",
    summary="Make a link that anyone may pay by",
    responses=problems(404, 409, 422),
)
async def create_link(
    request: Asked, data: JSONBody[CheckoutBody], idempotency_key: Key = None
) -> Response[LinkView]:
    """Make a link for a poster, a message or a counter: everyone who opens it pays for themselves.

    It is good until it is cancelled, unless `expires_in_seconds` says otherwise.
    """
    edge, caller = edge_of(request), caller_of(request)
    claim = claim_for(caller, path="/v1/payment-links", key=idempotency_key, body=data)
    made = await make(edge, await new_checkout(edge, caller, data, kind=LINK), claim=claim)
    return _answer(await _link(request, made.row_id), made, "/v1/payment-links")


@get(
    "/v1/checkouts",
    opt={"scopes": ANY_READER},
    tags=_TAGS,
    operation_id="list_checkouts",
    summary="List checkouts, newest first",
    responses=problems(404),
)
async def list_checkouts_(
    request: Asked,
    account: FromQuery[str | None] = None,
    link_id: FromQuery[str | None] = None,
    merchant_reference: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Limit = 50,
) -> CheckoutList:
    """List the checkouts that the key may see, those of a link among them."""
    edge, caller = edge_of(request), caller_of(request)
    wanted = replace(
        filter_for(edge, caller, account, kind=CHECKOUT),
        link_id=link_id,
        merchant_reference=merchant_reference,
    )

    def look(transaction: Transaction) -> tuple[list[Seen], str | None]:
        page = list_checkouts(transaction, wanted, cursor=cursor, limit=limit)
        return [see(transaction, one) for one in page.items], page.next_cursor

    found, following = await _listed(edge, look)
    views = [checkout_view(one, root=root_of(request)) for one in found]
    return CheckoutList(items=views, next_cursor=following)


@get(
    "/v1/payment-links",
    opt={"scopes": ANY_READER},
    tags=_TAGS,
    operation_id="list_payment_links",
    summary="List payment links, newest first",
    responses=problems(404),
)
async def list_links(
    request: Asked,
    account: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Limit = 50,
) -> LinkList:
    """List the payment links that the key may see."""
    edge, caller = edge_of(request), caller_of(request)
    wanted = filter_for(edge, caller, account, kind=LINK)

    def look(transaction: Transaction) -> tuple[list[tuple[Seen, int]], str | None]:
        page = list_checkouts(transaction, wanted, cursor=cursor, limit=limit)
        found = [(see(transaction, one), count_paid(transaction, one.id)) for one in page.items]
        return found, page.next_cursor

    found, following = await _listed(edge, look)
    views = [
        link_view(one.checkout, root=root_of(request), phase=one.phase, paid=paid)
        for one, paid in found
    ]
    return LinkList(items=views, next_cursor=following)


@get(
    "/v1/checkouts/{checkout_id:str}",
    opt={"scopes": ANY_READER},
    tags=_TAGS,
    operation_id="get_checkout",
    summary="Read a checkout",
    responses=problems(404),
)
async def get_checkout(request: Asked, checkout_id: FromPath[str]) -> CheckoutView:
    """Read where a checkout stands, and its last attempt."""
    edge, caller = edge_of(request), caller_of(request)
    await _find(edge, caller, checkout_id, link=False)
    return checkout_view(await seen_by(edge, checkout_id), root=root_of(request))


@get(
    "/v1/payment-links/{link_id:str}",
    opt={"scopes": ANY_READER},
    tags=_TAGS,
    operation_id="get_payment_link",
    summary="Read a payment link",
    responses=problems(404),
)
async def get_link(request: Asked, link_id: FromPath[str]) -> LinkView:
    """Read a payment link; what came by it: GET /v1/checkouts?link_id=…"""
    await _find(edge_of(request), caller_of(request), link_id, link=True)
    return await _link(request, link_id)


@post(
    "/v1/checkouts/{checkout_id:str}/cancel",
    status_code=200,
    opt={"scopes": {COLLECT}},
    tags=_TAGS,
    operation_id="cancel_checkout",
    summary="Let nobody begin to pay on a page",
    responses=problems(404, 409),
)
async def cancel_checkout(request: Asked, checkout_id: FromPath[str]) -> CheckoutView:
    """Close a checkout. An attempt that is under way is followed to its end all the same: read
    `state` until it is final. The page of an invoice is closed by cancelling the invoice."""
    edge, caller = edge_of(request), caller_of(request)
    found = await _find(edge, caller, checkout_id, link=False)
    if found.invoice_id is not None:
        raise Problem("conflict", "It belongs to an invoice.", hint="Cancel the invoice.")
    await edge.store.write(lambda t: close_checkout(t, checkout_id))
    return checkout_view(await seen_by(edge, checkout_id), root=root_of(request))


@post(
    "/v1/payment-links/{link_id:str}/cancel",
    status_code=200,
    opt={"scopes": {COLLECT}},
    tags=_TAGS,
    operation_id="cancel_payment_link",
    summary="Let nobody pay by a link any more",
    responses=problems(404),
)
async def cancel_link(request: Asked, link_id: FromPath[str]) -> LinkView:
    """Close a payment link; who has begun to pay by it may finish."""
    edge = edge_of(request)
    await _find(edge, caller_of(request), link_id, link=True)
    await edge.store.write(lambda t: close_checkout(t, link_id))
    return await _link(request, link_id)


async def new_checkout(edge: Edge, caller: Caller, data: CheckoutBody, *, kind: str) -> Checkout:
    """Lay out a checkout or a link. Raises InvalidInput naming the field."""
    check_texts(data)
    account = edge.book.account(account_for(edge, caller, data.account))
    currency, amount, least, most = span_of(data, edge.book.forms_of(account.id))
    life = data.expires_in_seconds
    if life is None and kind == CHECKOUT:
        life = LIFE_SECONDS
    return Checkout(
        id=f"{'chk' if kind == CHECKOUT else 'lnk'}_{uuid.uuid4().hex}",
        kind=kind,
        account_id=account.id,
        token=new_token(),
        currency=currency,
        merchant_name=data.merchant_name or account.name,
        description=data.description,
        return_url=data.return_url,
        metadata=data.metadata,
        amount=amount,
        least=least,
        most=most,
        merchant_reference=data.merchant_reference,
        language=data.language,
        expires_at=await edge.store.now() + life if life is not None else None,
        api_key_id=caller.key_id,
    )


def new_token() -> str:
    """Make the secret part of a page's address: 256 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


async def make(edge: Edge, checkout: Checkout, *, claim: IdempotencyClaim | None) -> Made:
    """Store a checkout once for each key. Raises Problem for a key of another request."""
    made = await edge.store.write(
        lambda t: make_once(t, claim, lambda within: add_checkout(within, checkout).id)
    )
    edge.metrics.idempotency(outcome=made.outcome.value)
    if made.outcome is Outcome.CONFLICT:
        raise Problem("idempotency_mismatch")
    return made


def claim_for(
    caller: Caller, *, path: str, key: str | None, body: msgspec.Struct
) -> IdempotencyClaim:
    """Read the Idempotency-Key of what makes no payment yet; it lies apart from those of money."""
    claim = claim_of(caller, path=path, key=key, body=body)
    return replace(claim, scope=f"made {claim.scope}")


def root_of(request: Asked) -> str:
    """Give the address that pages are reached at from outside."""
    return edge_of(request).public_url or str(request.base_url).rstrip("/")


def filter_for(edge: Edge, caller: Caller, account: str | None, *, kind: str) -> CheckoutFilter:
    """Say which checkouts a key may see."""
    account_id = account_for(edge, caller, account)
    return CheckoutFilter(
        kind=kind,
        account_ids=[account_id] if account_id is not None else None,
        api_key_id=None if caller.has({READ}) else caller.key_id,
    )


async def _find(edge: Edge, caller: Caller, checkout_id: str, *, link: bool) -> Checkout:
    found = await edge.store.read(lambda t: find_checkout(t, checkout_id))
    if found is None or (found.kind == LINK) is not link:
        raise Problem("not_found")
    is_own = caller.has({READ}) or found.api_key_id == caller.key_id
    if caller.account_id not in (None, found.account_id) or not is_own:
        raise Problem("not_found")
    return found


async def seen_by(edge: Edge, checkout_id: str) -> Seen:
    """Look where a checkout stands. Raises Problem."""

    def look(transaction: Transaction) -> Seen:
        found = find_checkout(transaction, checkout_id)
        if found is None:
            raise Problem("not_found")
        return see(transaction, found)

    return await edge.store.read(look)


async def _link(request: Asked, link_id: str) -> LinkView:
    edge = edge_of(request)
    seen = await seen_by(edge, link_id)
    paid = await edge.store.read(lambda t: count_paid(t, link_id))
    phase = seen.phase if seen.phase in (Phase.EXPIRED, Phase.CANCELLED) else Phase.OPEN
    return link_view(seen.checkout, root=root_of(request), phase=phase, paid=paid)


async def _listed(edge: Edge, look: Any) -> Any:
    try:
        return await edge.store.read(look)
    except ValueError:
        raise Problem("invalid_cursor", field="cursor") from None


def _answer(view: Any, made: Made, path: str) -> Response[Any]:
    headers = {"Location": f"{path}/{made.row_id}"}
    if made.outcome is Outcome.REPLAYED:
        headers["Idempotency-Replayed"] = "true"
    return Response(view, status_code=201, headers=headers)


ROUTES = [
    create_checkout,
    create_link,
    list_checkouts_,
    list_links,
    get_checkout,
    get_link,
    cancel_checkout,
    cancel_link,
]
