"""The routes of the kill switch: one request stops the money of all accounts, one lets it go on."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from litestar import Request, get, post
from litestar.params import JSONBody

from momokit.gateway.api.callers import ADMIN
from momokit.gateway.api.edge import caller_of, edge_of
from momokit.gateway.api.problems import problems
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.deliveries import moment
from momokit.gateway.store.switches import Name, Switch, stopped_by, turn

_TAGS = ["Money"]

Asked: TypeAlias = Request[Any, Any, Any]
Because: TypeAlias = Annotated[str, msgspec.Meta(min_length=3, max_length=500)]


class MoneyView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether money moves. `money` is running, stopped (by a person) or held (after a restore).

    Stopped or held, nothing is taken in and nothing is sent; what has left is followed to its end.
    """

    money: Literal["running", "stopped", "held"]
    because: str | None
    by: str | None
    since: str | None


class StopBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why: it is told to whoever is refused, and kept in the history."""

    because: Because


@get(
    "/v1/money",
    opt={"scopes": {ADMIN}},
    tags=_TAGS,
    operation_id="get_money",
    summary="Read whether money moves",
    responses=problems(),
)
async def get_money(request: Asked) -> MoneyView:
    """Read whether money moves, or is stopped or held, and why."""
    return _view(await edge_of(request).store.read(stopped_by))


@post(
    "/v1/money/stop",
    opt={"scopes": {ADMIN}},
    status_code=200,
    tags=_TAGS,
    operation_id="stop_money",
    summary="Stop the money of all accounts, at once",
    responses=problems(),
)
async def stop_money(request: Asked, data: JSONBody[StopBody]) -> MoneyView:
    """Stop all money: nothing new is taken in, and nothing that has not left is sent."""
    return await _turn(request, on=True, because=data.because)


@post(
    "/v1/money/resume",
    opt={"scopes": {ADMIN}},
    status_code=200,
    tags=_TAGS,
    operation_id="resume_money",
    summary="Let money move again",
    responses=problems(),
)
async def resume_money(request: Asked, data: JSONBody[StopBody]) -> MoneyView:
    """Undo a stop. A hold after a restore is not released by this."""
    return await _turn(request, on=False, because=data.because)


async def _turn(request: Asked, *, on: bool, because: str) -> MoneyView:
    caller = caller_of(request)
    by = f"{caller.person or 'API'} ({caller.key_id})"

    def unit(transaction: Transaction) -> Switch | None:
        turn(transaction, Name.MONEY, on=on, because=because, by=by)
        return stopped_by(transaction)

    return _view(await edge_of(request).store.write(unit))


def _view(switch: Switch | None) -> MoneyView:
    if switch is None:
        return MoneyView(money="running", because=None, by=None, since=None)
    return MoneyView(
        money="stopped" if switch.name is Name.MONEY else "held",
        because=switch.because,
        by=switch.by,
        since=moment(switch.changed_at),
    )


ROUTES = [get_money, stop_money, resume_money]
