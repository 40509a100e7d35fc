"""The routes by which a batch is signed and steered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from litestar import Response, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from momokit.gateway.api.batch_access import (
    CHECKERS,
    EITHER,
    MAKERS,
    TAGS,
    Asked,
    actor_of,
    shown,
    told_as_problems,
    visible_batch,
)
from momokit.gateway.api.batch_views import BatchView
from momokit.gateway.api.bodies import Strict
from momokit.gateway.api.edge import caller_of, edge_of
from momokit.gateway.api.payments import Key
from momokit.gateway.api.placing import claim_of
from momokit.gateway.api.problems import problems
from momokit.gateway.steps import batch_sign, batch_steer
from momokit.gateway.store.batch_history import Actor
from momokit.gateway.store.batches import Batch
from momokit.gateway.store.store import Store

Seen = Annotated[
    str, Meta(min_length=1, max_length=100, description="The batch's hash, as you saw it")
]
Codes = Annotated[list[Annotated[str, Meta(max_length=60)]], Meta(min_length=1, max_length=40)]
Because = Annotated[str, Meta(min_length=1, max_length=500)]


class ApprovalBody(Strict, frozen=True, kw_only=True):
    """What is approved: the rows with this hash, and no others."""

    hash: Seen


class RejectionBody(Strict, frozen=True, kw_only=True):
    """What is turned down, and why."""

    hash: Seen
    because: Because


class OverrideBody(Strict, frozen=True, kw_only=True):
    """Which findings a second person takes upon themselves, for which rows, and why."""

    hash: Seen
    codes: Codes
    because: Because


class SteeringBody(Strict, frozen=True, kw_only=True):
    """Why a batch is stopped."""

    because: Because


class RetryBody(Strict, frozen=True, kw_only=True):
    """What to pay again: what failed; with `with_cancelled`, what was cancelled unsent as well."""

    with_cancelled: bool = False


async def _act(
    request: Asked, batch_id: str, act: Callable[[Store, Actor], Awaitable[Batch]]
) -> BatchView:
    """Let the caller do something with a batch that they may see, and show how it then stands."""
    edge, caller = edge_of(request), caller_of(request)
    await visible_batch(edge, caller, batch_id)
    with told_as_problems():
        batch = await act(edge.store, actor_of(caller))
    return await shown(edge, batch)


@post(
    "/v1/batches/{batch_id:str}/submit",
    status_code=200,
    opt={"scopes": MAKERS},
    tags=TAGS,
    operation_id="submit_batch",
    summary="Put a batch before a second person",
    responses=problems(404, 409),
)
async def submit_batch(request: Asked, batch_id: FromPath[str]) -> BatchView:
    """Submit a checked batch; its rows change no more."""
    return await _act(
        request, batch_id, lambda store, actor: batch_sign.submit(store, batch_id, actor=actor)
    )


@post(
    "/v1/batches/{batch_id:str}/withdraw",
    status_code=200,
    opt={"scopes": MAKERS},
    tags=TAGS,
    operation_id="withdraw_batch",
    summary="Take a submitted batch back to change it",
    responses=problems(404, 409),
)
async def withdraw_batch(request: Asked, batch_id: FromPath[str]) -> BatchView:
    """Take back a batch that is not approved yet."""
    return await _act(
        request, batch_id, lambda store, actor: batch_sign.withdraw(store, batch_id, actor=actor)
    )


@post(
    "/v1/batches/{batch_id:str}/recheck",
    status_code=200,
    opt={"scopes": MAKERS},
    tags=TAGS,
    operation_id="recheck_batch",
    summary="Check a batch again",
    responses=problems(404, 409),
)
async def recheck_batch(request: Asked, batch_id: FromPath[str]) -> BatchView:
    """Check once more what could not be checked, or what MTN found wrong."""
    return await _act(
        request, batch_id, lambda store, actor: batch_sign.recheck(store, batch_id, actor=actor)
    )


@post(
    "/v1/batches/{batch_id:str}/override",
    status_code=200,
    opt={"scopes": CHECKERS},
    tags=TAGS,
    operation_id="override_batch_findings",
    summary="Take findings upon yourself",
    responses=problems(404, 409),
)
async def override_batch(
    request: Asked, batch_id: FromPath[str], data: JSONBody[OverrideBody]
) -> BatchView:
    """Say, as a second person, that what was found is known and meant."""
    return await _act(
        request,
        batch_id,
        lambda store, actor: batch_sign.override(
            store,
            batch_id,
            actor=actor,
            seen_hash=data.hash,
            codes=data.codes,
            because=data.because,
        ),
    )


@post(
    "/v1/batches/{batch_id:str}/approve",
    status_code=200,
    opt={"scopes": CHECKERS},
    tags=TAGS,
    operation_id="approve_batch",
    summary="Approve a batch that another person made",
    responses=problems(404, 409, 422),
)
async def approve_batch(
    request: Asked,
    batch_id: FromPath[str],
    data: JSONBody[ApprovalBody],
    idempotency_key: Key = None,
) -> BatchView:
    """Approve the rows with the hash you saw. With enough approvals they are paid."""
    edge, caller = edge_of(request), caller_of(request)
    await visible_batch(edge, caller, batch_id)
    claim = claim_of(caller, path=request.url.path, key=idempotency_key, body=data)
    with told_as_problems():
        batch = await batch_sign.approve(
            edge.store, batch_id, actor=actor_of(caller), seen_hash=data.hash, idempotency=claim
        )
    return await shown(edge, batch)


@post(
    "/v1/batches/{batch_id:str}/reject",
    status_code=200,
    opt={"scopes": CHECKERS},
    tags=TAGS,
    operation_id="reject_batch",
    summary="Turn a batch down",
    responses=problems(404, 409),
)
async def reject_batch(
    request: Asked, batch_id: FromPath[str], data: JSONBody[RejectionBody]
) -> BatchView:
    """Turn a submitted batch down, for good."""
    return await _act(
        request,
        batch_id,
        lambda store, actor: batch_sign.reject(
            store, batch_id, actor=actor, seen_hash=data.hash, because=data.because
        ),
    )


@post(
    "/v1/batches/{batch_id:str}/pause",
    status_code=200,
    opt={"scopes": EITHER},
    tags=TAGS,
    operation_id="pause_batch",
    summary="Stop a batch where it stands",
    responses=problems(404, 409),
)
async def pause_batch(
    request: Asked, batch_id: FromPath[str], data: JSONBody[SteeringBody]
) -> BatchView:
    """Let nothing more go. What is being sent is followed to its end."""
    return await _act(
        request,
        batch_id,
        lambda store, actor: batch_steer.pause(store, batch_id, actor=actor, because=data.because),
    )


@post(
    "/v1/batches/{batch_id:str}/resume",
    status_code=200,
    opt={"scopes": EITHER},
    tags=TAGS,
    operation_id="resume_batch",
    summary="Let a paused batch go on",
    responses=problems(404, 409),
)
async def resume_batch(request: Asked, batch_id: FromPath[str]) -> BatchView:
    """Go on where it stopped; no row is begun anew."""
    return await _act(
        request, batch_id, lambda store, actor: batch_steer.resume(store, batch_id, actor=actor)
    )


@post(
    "/v1/batches/{batch_id:str}/cancel",
    status_code=200,
    opt={"scopes": EITHER},
    tags=TAGS,
    operation_id="cancel_batch",
    summary="Drop what of a batch has not left",
    responses=problems(404, 409),
)
async def cancel_batch(
    request: Asked, batch_id: FromPath[str], data: JSONBody[SteeringBody]
) -> BatchView:
    """Drop the rest, for good. What has left is followed to its end."""
    return await _act(
        request,
        batch_id,
        lambda store, actor: batch_steer.cancel(store, batch_id, actor=actor, because=data.because),
    )


@post(
    "/v1/batches/{batch_id:str}/retry-failed",
    status_code=201,
    opt={"scopes": MAKERS},
    tags=TAGS,
    operation_id="retry_failed_rows",
    summary="Make a new batch of the rows that failed",
    responses=problems(404, 409, 422),
)
async def retry_failed_rows(
    request: Asked, batch_id: FromPath[str], data: JSONBody[RetryBody], idempotency_key: Key = None
) -> Response[BatchView]:
    """Pay again what is proven to have failed, in a linked batch that needs approval anew.

    Rows that are unknown, under way or still asked about are never in it.
    """
    edge, caller = edge_of(request), caller_of(request)
    await visible_batch(edge, caller, batch_id)
    claim = claim_of(caller, path=request.url.path, key=idempotency_key, body=data)
    with told_as_problems():
        batch = await batch_steer.retry_failed(
            edge.store, batch_id, actor=actor_of(caller), idempotency=claim,
            with_cancelled=data.with_cancelled,
        )  # fmt: skip
    headers = {"Location": f"/v1/batches/{batch.id}"}
    return Response(await shown(edge, batch), status_code=201, headers=headers)


ROUTES = [
    submit_batch,
    withdraw_batch,
    recheck_batch,
    override_batch,
    approve_batch,
    reject_batch,
    pause_batch,
    resume_batch,
    cancel_batch,
    retry_failed_rows,
]
