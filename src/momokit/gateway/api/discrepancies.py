"""The routes of the queue of discrepancies: read it, own one, propose its end, close another's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Literal, TypeAlias

from litestar import get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta

from momokit.gateway.api.batch_files import Language
from momokit.gateway.api.bodies import Name, Strict, Text
from momokit.gateway.api.callers import ADMIN, RECONCILE, need
from momokit.gateway.api.edge import Caller, Edge, caller_of, edge_of
from momokit.gateway.api.payments import Reveal
from momokit.gateway.api.problems import Problem, problems
from momokit.gateway.api.statement_views import (
    DiscrepancyPage,
    DiscrepancyStory,
    DiscrepancyView,
    discrepancy_view,
    line_view,
    step_view,
)
from momokit.gateway.api.statements import READERS, TAGS, Account, Asked, seen_accounts
from momokit.gateway.core.discrepancy import Kind, Stand
from momokit.gateway.store import discrepancies as queue
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.discrepancies import Discrepancy, NotAllowed, Wanted
from momokit.gateway.store.statement_reads import find_line

Resolution: TypeAlias = Literal[
    "explained", "corrected_here", "corrected_by_mtn", "refunded", "written_off"
]
_SCOPES = frozenset({RECONCILE})


class AssignBody(Strict, frozen=True, kw_only=True):
    """Who is to see to it, and what is known so far; what is left out stays."""

    owner: Name | None = None
    note: Text | None = None


class ProposeBody(Strict, frozen=True, kw_only=True):
    """How it ends, and why. Another person closes it."""

    resolution: Resolution
    note: Annotated[str, Meta(min_length=3, max_length=500)]


class CloseBody(Strict, frozen=True, kw_only=True):
    """The `fingerprint` of what was seen: facts that changed since are looked at first."""

    fingerprint: Annotated[str, Meta(min_length=1, max_length=64)]


class ReopenBody(Strict, frozen=True, kw_only=True):
    """Why the proposal is turned down, or the matter is opened again."""

    note: Annotated[str, Meta(min_length=3, max_length=500)]


@get(
    "/v1/discrepancies",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="list_discrepancies",
    summary="List what does not agree with MTN",
    responses=problems(404),
)
async def list_discrepancies(
    request: Asked,
    account: Account = None,
    kinds: Annotated[list[Kind] | None, QueryParameter(name="class", required=False)] = None,
    states: Annotated[list[Stand] | None, QueryParameter(name="state", required=False)] = None,
    owner: FromQuery[str | None] = None,
    statement_id: FromQuery[str | None] = None,
    payment_id: FromQuery[str | None] = None,
    after: Annotated[int, QueryParameter(ge=0, le=2**62)] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=queue.PAGE_LIMIT)] = 50,
    language: Language = "en",
) -> DiscrepancyPage:
    """List discrepancies, the oldest first: those that are open or proposed, unless others are
    asked for."""
    edge, caller = edge_of(request), caller_of(request)
    wanted = Wanted(
        account_ids=seen_accounts(edge, caller, account),
        kinds=kinds,
        states=states or (Stand.OPEN, Stand.PROPOSED),
        owner=owner,
        statement_id=statement_id,
        payment_id=payment_id,
    )
    rows, now = await edge.store.read(
        lambda t: (queue.list_discrepancies(t, wanted, after_id=after, limit=limit + 1), t.now)
    )
    items = [discrepancy_view(one, now=now, language=language) for one in rows[:limit]]
    return DiscrepancyPage(items=items, next_after=items[-1].id if len(rows) > limit else None)


@get(
    "/v1/discrepancies/{discrepancy_id:int}",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="get_discrepancy",
    summary="Read a discrepancy with MTN's line and its story",
    responses=problems(404),
)
async def get_discrepancy(
    request: Asked, discrepancy_id: FromPath[int], reveal: Reveal = False, language: Language = "en"
) -> DiscrepancyStory:
    """Read everything about a discrepancy: what MTN has, and who did what."""
    edge, caller = edge_of(request), caller_of(request)
    if reveal:
        need(caller, {ADMIN})
    one = await _visible(edge, caller, discrepancy_id)

    def look(transaction: Transaction) -> DiscrepancyStory:
        line = find_line(transaction, one.line_id) if one.line_id is not None else None
        return DiscrepancyStory(
            discrepancy=discrepancy_view(one, now=transaction.now, language=language),
            line=line_view(line, reveal=reveal) if line is not None else None,
            story=[step_view(step) for step in queue.story(transaction, one.id)],
        )

    return await edge.store.read(look)


@patch(
    "/v1/discrepancies/{discrepancy_id:int}",
    opt={"scopes": _SCOPES},
    tags=TAGS,
    operation_id="assign_discrepancy",
    summary="Give a discrepancy an owner or a note",
    responses=problems(404, 409),
)
async def assign(
    request: Asked, discrepancy_id: FromPath[int], data: JSONBody[AssignBody]
) -> DiscrepancyView:
    """Say who sees to it, and what is known."""
    person = caller_of(request).person
    return await _act(
        request, discrepancy_id,
        lambda t, number: queue.assign(
            t, number, actor=person, owner=data.owner, note=data.note
        ),
    )  # fmt: skip


@post(
    "/v1/discrepancies/{discrepancy_id:int}/propose",
    status_code=200,
    opt={"scopes": _SCOPES},
    tags=TAGS,
    operation_id="propose_discrepancy",
    summary="Propose how a discrepancy ends",
    responses=problems(404, 409),
)
async def propose(
    request: Asked, discrepancy_id: FromPath[int], data: JSONBody[ProposeBody]
) -> DiscrepancyView:
    """Propose an end; it is closed by another person, never by the one who proposed it."""
    person = caller_of(request).person
    return await _act(
        request, discrepancy_id,
        lambda t, number: queue.propose(
            t, number, actor=person, resolution=data.resolution, note=data.note
        ),
    )  # fmt: skip


@post(
    "/v1/discrepancies/{discrepancy_id:int}/close",
    status_code=200,
    opt={"scopes": _SCOPES},
    tags=TAGS,
    operation_id="close_discrepancy",
    summary="Close what another person proposed to close",
    responses=problems(404, 409),
)
async def close(
    request: Asked, discrepancy_id: FromPath[int], data: JSONBody[CloseBody]
) -> DiscrepancyView:
    """Close it: four eyes have seen it. It comes back by itself when its facts change."""
    person = caller_of(request).person
    return await _act(
        request, discrepancy_id,
        lambda t, number: queue.close(t, number, actor=person, fingerprint=data.fingerprint),
    )  # fmt: skip


@post(
    "/v1/discrepancies/{discrepancy_id:int}/reopen",
    status_code=200,
    opt={"scopes": _SCOPES},
    tags=TAGS,
    operation_id="reopen_discrepancy",
    summary="Turn a proposal down, or open a closed discrepancy again",
    responses=problems(404, 409),
)
async def reopen(
    request: Asked, discrepancy_id: FromPath[int], data: JSONBody[ReopenBody]
) -> DiscrepancyView:
    """Put it back among the open ones, and say why."""
    person = caller_of(request).person
    return await _act(
        request, discrepancy_id,
        lambda t, number: queue.reopen(t, number, actor=person, note=data.note),
    )  # fmt: skip


async def _visible(edge: Edge, caller: Caller, discrepancy_id: int) -> Discrepancy:
    number = min(discrepancy_id, 2**62)
    found = await edge.store.read(lambda t: queue.find_discrepancy(t, number))
    if found is None or caller.account_id not in (None, found.account_id):
        raise Problem("not_found")
    return found


async def _act(
    request: Asked, discrepancy_id: int, work: Callable[[Transaction, int], Discrepancy]
) -> DiscrepancyView:
    edge, caller = edge_of(request), caller_of(request)
    one = await _visible(edge, caller, discrepancy_id)
    with _told_as_problems():
        changed, now = await edge.store.write(lambda t: (work(t, one.id), t.now))
    return discrepancy_view(changed, now=now, language="en")


@contextmanager
def _told_as_problems() -> Iterator[None]:
    try:
        yield
    except NotAllowed as refused:
        raise Problem("conflict", str(refused)) from None


ROUTES = [list_discrepancies, get_discrepancy, assign, propose, close, reopen]
