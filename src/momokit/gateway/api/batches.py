"""The routes of batches: read them, change their rows, sign, and steer them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, patch
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, UnsetType

from momokit.gateway.api.batch_access import (
    MAKERS,
    READERS,
    TAGS,
    Asked,
    actor_of,
    shown,
    told_as_problems,
    visible_batch,
)
from momokit.gateway.api.batch_views import (
    BatchHistory,
    BatchList,
    BatchView,
    RowPage,
    RowView,
    batch_summary,
    history_view,
    row_view,
)
from momokit.gateway.api.bodies import Strict, Text
from momokit.gateway.api.callers import ADMIN, APPROVE, DISBURSE, READ, need
from momokit.gateway.api.edge import Caller, caller_of, edge_of
from momokit.gateway.api.payments import Reveal
from momokit.gateway.api.placing import account_for
from momokit.gateway.api.problems import Problem, problems
from momokit.gateway.core.batch import BatchState
from momokit.gateway.steps import batch_steer
from momokit.gateway.store import batches
from momokit.gateway.store.batch_history import (
    broken_line,
    list_batch_events,
)
from momokit.gateway.store.batch_rows import find_row, list_rows

_ROWS_LIMIT = 500


class RowChange(Strict, frozen=True, kw_only=True):
    """What to change of a row before it is submitted; what is left out stays."""

    phone: Text | UnsetType = UNSET
    amount: Text | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    reference: Text | UnsetType = UNSET
    note: Text | UnsetType = UNSET
    excluded: bool | UnsetType = UNSET


@get(
    "/v1/batches",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="list_batches",
    summary="List batches",
    responses=problems(404),
)
async def list_batches(
    request: Asked,
    account: FromQuery[str | None] = None,
    states: Annotated[list[BatchState] | None, QueryParameter(name="state", required=False)] = None,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=batches.PAGE_LIMIT)] = 50,
) -> BatchList:
    """List the batches that the key may see, newest first."""
    edge, caller = edge_of(request), caller_of(request)
    account_id = account_for(edge, caller, account)
    maker = None if caller.has({READ, APPROVE}) else caller.person
    try:
        page = await edge.store.read(
            lambda t: batches.list_batches(
                t, account_id=account_id, states=states or (), maker=maker, cursor=cursor,
                limit=limit,
            )
        )  # fmt: skip
    except ValueError:
        raise Problem("invalid_cursor", field="cursor") from None
    items = [batch_summary(one) for one in page.items]
    return BatchList(items=items, next_cursor=page.next_cursor)


@get(
    "/v1/batches/{batch_id:str}",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="get_batch",
    summary="Read a batch",
    responses=problems(404),
)
async def get_batch(request: Asked, batch_id: FromPath[str]) -> BatchView:
    """Read how a batch stands: its checks, who signed, and what of it is paid."""
    edge, caller = edge_of(request), caller_of(request)
    return await shown(edge, await visible_batch(edge, caller, batch_id))


@get(
    "/v1/batches/{batch_id:str}/rows",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="list_batch_rows",
    summary="List the rows of a batch",
    responses=problems(404),
)
async def list_batch_rows(
    request: Asked,
    batch_id: FromPath[str],
    check: Annotated[
        str | None, QueryParameter(pattern="^(unchecked|ok|unverified|rejected|excluded)$")
    ] = None,
    payment_state: Annotated[
        str | None,
        QueryParameter(
            name="state", pattern="^(none|ready|created|pending|unknown|successful|failed)$"
        ),
    ] = None,
    cursor: Annotated[str | None, QueryParameter(pattern="^[0-9]{1,9}$")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_ROWS_LIMIT)] = 100,
    reveal: Reveal = False,
) -> RowPage:
    """List rows in the order of the file, by how their checks or their payments stand."""
    edge, caller = edge_of(request), caller_of(request)
    names = _may_see_names(caller, reveal=reveal)
    await visible_batch(edge, caller, batch_id)
    rows = await edge.store.read(
        lambda t: list_rows(
            t, batch_id, after=int(cursor or 0), limit=limit + 1, check_state=check,
            payment_state=payment_state,
        )
    )  # fmt: skip
    items = [row_view(one, names=names, reveal=reveal) for one in rows[:limit]]
    return RowPage(items=items, next_cursor=str(items[-1].row) if len(rows) > limit else None)


@patch(
    "/v1/batches/{batch_id:str}/rows/{number:int}",
    opt={"scopes": MAKERS},
    tags=TAGS,
    operation_id="change_batch_row",
    summary="Correct a row, or leave it out",
    responses=problems(404, 409),
)
async def change_batch_row(
    request: Asked, batch_id: FromPath[str], number: FromPath[int], data: JSONBody[RowChange]
) -> RowView:
    """Change a row before the batch is submitted; the batch is then checked again."""
    edge, caller = edge_of(request), caller_of(request)
    await visible_batch(edge, caller, batch_id)
    plain = msgspec.to_builtins(data)
    excluded = plain.pop("excluded", None)
    edit = batch_steer.Edit(texts=plain, excluded=excluded)
    with told_as_problems():
        await batch_steer.edit_row(
            edge.store, batch_id, number, edit, book=edge.book, actor=actor_of(caller)
        )
    both = await edge.store.read(lambda t: find_row(t, batch_id, number))
    assert both is not None  # rows are never taken out
    return row_view(both, names=True, reveal=False)


@get(
    "/v1/batches/{batch_id:str}/history",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="get_batch_history",
    summary="Read all that was done to a batch",
    responses=problems(404),
)
async def get_batch_history(request: Asked, batch_id: FromPath[str]) -> BatchHistory:
    """Read who did what to a batch, and whether that record is intact."""
    edge, caller = edge_of(request), caller_of(request)
    await visible_batch(edge, caller, batch_id)
    events, broken = await edge.store.read(
        lambda t: (list_batch_events(t, batch_id), broken_line(t, batch_id))
    )
    return history_view(events, intact=broken is None)


def _may_see_names(caller: Caller, *, reveal: bool) -> bool:
    if reveal:
        need(caller, {ADMIN})
    return caller.has({DISBURSE, APPROVE})


ROUTES = [list_batches, get_batch, list_batch_rows, change_batch_row, get_batch_history]
