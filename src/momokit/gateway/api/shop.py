"""The two endpoints of a simple shop: pay this much from this phone; how does it stand, in words.

They are a thin face of /v1/payments, for shops whose page wants a sentence to show.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody

from momokit.gateway.api.bodies import ShopBody
from momokit.gateway.api.callers import COLLECT, READ, SHOP
from momokit.gateway.api.edge import Caller, Edge, caller_of, edge_of
from momokit.gateway.api.link_bodies import CheckoutBody, ShopCheckoutBody
from momokit.gateway.api.link_views import page_url
from momokit.gateway.api.links import claim_for, make, new_checkout, root_of, seen_by
from momokit.gateway.api.payments import Key, Wait, visible
from momokit.gateway.api.placing import account_for, claim_of, take_in
from momokit.gateway.api.problems import problems
from momokit.gateway.api.waiting import wait_until_final
from momokit.gateway.core.checkout import Phase
from momokit.gateway.core.payer_words import STATE_WORDS, words_for_payer
from momokit.gateway.core.payment import State
from momokit.gateway.keys import digest
from momokit.gateway.orders import Order
from momokit.gateway.steps.accept import Refusal
from momokit.gateway.store.links import CHECKOUT
from momokit.gateway.store.records import Outcome, StoredPayment

Asked: TypeAlias = Request[Any, Any, Any]
Language: TypeAlias = Annotated[
    str, HeaderParameter(name="Accept-Language", description="fr for French, else English")
]
_TAGS = ["Shop"]


class ShopPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment for a page that shows it: `status` is pending, successful or failed, `message` a
    sentence for the payer."""

    id: str
    status: Literal["pending", "successful", "failed"]
    message: str


class ShopCheckout(msgspec.Struct, frozen=True, kw_only=True):
    """A page to pay on. `state` is open until the payer has begun; ask for its payment then."""

    id: str
    url: str
    state: Phase
    payment_id: str | None


@post(
    "/api/pay",
    status_code=202,
    opt={"scopes": {SHOP, COLLECT}},
    tags=_TAGS,
    operation_id="shop_pay",
    summary="Ask a phone to pay",
    responses=problems(404, 409, 422),
)
async def pay(
    request: Asked,
    data: JSONBody[ShopBody],
    idempotency_key: Key = None,
    accept_language: Language = "en",
    wait: Wait = 0,
) -> Response[ShopPayment]:
    """Ask a payer for money. An Idempotency-Key is welcome here and not needed: without one, the
    same phone, amount and `order` within ten minutes is taken for a double click, and answered
    with the payment that is there."""
    edge, caller = edge_of(request), caller_of(request)
    order = Order(
        kind="request_to_pay",
        amount=str(data.amount),
        account=account_for(edge, caller, None),
        party=data.phone,
        merchant_reference=data.order,
    )
    claim = None
    if idempotency_key is not None:
        claim = claim_of(caller, path="/api/pay", key=idempotency_key, body=data)
    replayed = False
    try:
        result = await take_in(edge, caller, order, claim=claim, scopes={SHOP, COLLECT})
        stored, replayed = result.payment, result.outcome is Outcome.REPLAYED
    except Refusal as refusal:
        twin = await _twin(edge, caller, refusal)
        if twin is None:
            raise
        stored, replayed = twin, True
    stored = await wait_until_final(edge, stored, seconds=wait)
    headers = {"Location": f"/api/payment/{stored.id}"}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    view = _view(stored, accept_language)
    return Response(view, status_code=202, headers=headers)


@get(
    "/api/payment/{payment_id:str}",
    opt={"scopes": {SHOP, COLLECT, READ}},
    tags=_TAGS,
    operation_id="shop_payment",
    summary="Tell how a payment stands, in words",
    responses=problems(404),
)
async def payment(
    request: Asked, payment_id: FromPath[str], accept_language: Language = "en", wait: Wait = 0
) -> ShopPayment:
    """Tell how a payment stands, with a sentence for the payer."""
    edge, caller = edge_of(request), caller_of(request)
    stored = await visible(edge, caller, payment_id)
    stored = await wait_until_final(edge, stored, seconds=wait)
    return _view(stored, accept_language)


async def _twin(edge: Edge, caller: Caller, refusal: Refusal) -> StoredPayment | None:
    """Find the payment that was made by the first of two clicks, when the caller made it."""
    payment_id = refusal.payment_id
    if payment_id is None:
        return None
    stored = await edge.store.payment(payment_id)
    return stored if stored is not None and stored.api_key_id == caller.key_id else None


def _view(stored: StoredPayment, language: str) -> ShopPayment:
    state = stored.state
    words = STATE_WORDS.get(state) or words_for_payer(stored.payment.reason_code)
    status: Literal["pending", "successful", "failed"] = "pending"
    if state is State.SUCCESSFUL:
        status = "successful"
    if state is State.FAILED:
        status = "failed"
    return ShopPayment(id=stored.id, status=status, message=words.in_language(language))


@post(
    "/api/checkout",
    status_code=201,
    opt={"scopes": {SHOP, COLLECT}},
    tags=_TAGS,
    operation_id="shop_checkout",
    summary="Have a page for a payer to pay on",
    responses=problems(404, 409, 422),
)
async def checkout(
    request: Asked, data: JSONBody[ShopCheckoutBody], idempotency_key: Key = None
) -> Response[ShopCheckout]:
    """Make a page to pay on, and send the payer to its `url`. The same `order` and amount give the
    same page, so that a second click is no second one; an Idempotency-Key is welcome as well."""
    edge, caller = edge_of(request), caller_of(request)
    body = CheckoutBody(
        amount=str(data.amount),
        description=data.description,
        merchant_reference=data.order,
        return_url=data.return_url,
    )
    key = idempotency_key
    if key is None and data.order is not None:
        key = f"order-{digest(f'{data.order} {data.amount}')}"
    claim = None
    if key is not None:
        claim = claim_for(caller, path="/api/checkout", key=key, body=data)
    made = await make(edge, await new_checkout(edge, caller, body, kind=CHECKOUT), claim=claim)
    seen = await seen_by(edge, made.row_id)
    if idempotency_key is None and seen.phase in (Phase.EXPIRED, Phase.CANCELLED):
        made = await make(edge, await new_checkout(edge, caller, body, kind=CHECKOUT), claim=None)
        seen = await seen_by(edge, made.row_id)
    view = ShopCheckout(
        id=seen.checkout.id,
        url=page_url(root_of(request), seen.checkout.token),
        state=seen.phase,
        payment_id=seen.payment.id if seen.payment is not None else None,
    )
    return Response(view, status_code=201)


ROUTES = [pay, payment, checkout]
