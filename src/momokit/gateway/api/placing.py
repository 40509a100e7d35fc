"""Take one order in through `steps.accept`, once for each Idempotency-Key."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
from litestar import Request, Response
from sqlalchemy.exc import NoResultFound

from momokit.errors import InvalidInput
from momokit.gateway.api.bodies import request_hash
from momokit.gateway.api.callers import may_see, need, scopes_of_kind
from momokit.gateway.api.edge import Caller, Edge, caller_of, edge_of
from momokit.gateway.api.problems import Problem
from momokit.gateway.api.views import PaymentView, payment_view
from momokit.gateway.api.waiting import wait_until_final
from momokit.gateway.orders import Order
from momokit.gateway.steps.accept import Refusal, accept
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.idempotency import find_key
from momokit.gateway.store.payments import find_payment
from momokit.gateway.store.records import (
    AcceptResult,
    Check,
    IdempotencyClaim,
    NewPayment,
    Outcome,
)

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


async def place(
    request: Request[Any, Any, Any],
    order: Order,
    *,
    body: msgspec.Struct,
    key: str | None,
    wait_seconds: float,
) -> Response[PaymentView]:
    """Accept an order that must have an Idempotency-Key, and answer with its payment."""
    edge, caller = edge_of(request), caller_of(request)
    claim = claim_of(caller, path=request.url.path, key=key, body=body)
    result = await take_in(edge, caller, order, claim=claim)
    replayed = result.outcome is Outcome.REPLAYED
    stored = await wait_until_final(edge, result.payment, seconds=wait_seconds)
    headers = {"Location": f"/v1/payments/{stored.id}"}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(payment_view(stored), status_code=202, headers=headers)


async def take_in(
    edge: Edge,
    caller: Caller,
    order: Order,
    *,
    claim: IdempotencyClaim | None,
    scopes: Collection[str] | None = None,
    reserves: Callable[[NewPayment], Sequence[Check]] = lambda _new: (),
) -> AcceptResult:
    """Accept an order, or find what its key stands for. Raises Problem, Refusal, InvalidInput."""
    need(caller, scopes if scopes is not None else scopes_of_kind(order.kind))
    try:
        result = await accept(
            order,
            store=edge.store,
            book=edge.book,
            idempotency=claim,
            api_key_id=caller.key_id,
            public_url=edge.public_url,
            reserves=reserves,
        )
    except (Refusal, InvalidInput):
        # What was accepted before stays accepted, though it would be refused today.
        known = await _known(edge, claim) if claim is not None else None
        if known is None:
            raise
        result = known
    edge.metrics.idempotency(outcome=result.outcome.value)
    shown = may_see(caller, result.payment)
    if result.outcome is Outcome.CONFLICT or (result.outcome is Outcome.REPLAYED and not shown):
        # What another application made is not told, nor is it made a second time.
        raise Problem("idempotency_mismatch", payment_id=result.payment.id if shown else None)
    return result


def claim_of(
    caller: Caller, *, path: str, key: str | None, body: msgspec.Struct
) -> IdempotencyClaim:
    """Read a request's Idempotency-Key.

    All API keys of one account share one space of them. A key that is bound to none has its own,
    which its rotations keep: a retry after one is still the same request.
    """
    if key is None or not key.strip():
        raise Problem("idempotency_key_missing", field="Idempotency-Key")
    if not _KEY.fullmatch(key):
        raise Problem("invalid_idempotency_key", field="Idempotency-Key")
    return IdempotencyClaim(
        scope=f"api {caller.account_id or caller.key_id}",
        key=key,
        request_hash=request_hash(path, body),
    )


def account_for(edge: Edge, caller: Caller, wanted: str | None) -> str | None:
    """Find the id of the account that is meant; a key that is bound to one has no other."""
    if wanted is None:
        return caller.account_id
    try:
        account_id = edge.book.account(wanted).id
    except InvalidInput:
        raise Problem("account_unknown", field="account") from None
    if caller.account_id not in (None, account_id):
        raise Problem("account_unknown", field="account")
    return account_id


async def _known(edge: Edge, claim: IdempotencyClaim) -> AcceptResult | None:
    def look(transaction: Transaction) -> AcceptResult | None:
        try:
            state = find_key(transaction, claim)
        except NoResultFound:
            return None
        stored = find_payment(transaction, state.payment_id) if state.payment_id else None
        return AcceptResult(outcome=state.outcome, payment=stored) if stored else None

    return await edge.store.read(look)
