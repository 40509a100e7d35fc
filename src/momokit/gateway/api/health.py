"""Whether this process lives, and whether it can work: for load balancers and supervisors."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from litestar import Request, get

from momokit.gateway.api.edge import edge_of
from momokit.gateway.api.problems import Problem, problems

_TAGS = ["Health"]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that says yes."""

    status: Literal["ok"]


@get(
    "/healthz",
    tags=_TAGS,
    operation_id="healthz",
    summary="Tell that the process lives",
    security=[],
)
async def healthz() -> Health:
    """Tell that the process lives; the database is not asked."""
    return Health(status="ok")


@get(
    "/readyz",
    tags=_TAGS,
    operation_id="readyz",
    summary="Tell whether requests can be served",
    security=[],
    responses={503: problems(503)[503]},
)
async def readyz(request: Request[Any, Any, Any]) -> Health:
    """Tell whether the database answers with the schema we need, and we are not about to stop."""
    edge = edge_of(request)
    if edge.closing.is_set():
        raise Problem("not_ready", "The service is stopping.")
    try:
        ready = await edge.store.is_ready()
    except Exception:  # Whatever keeps the database from answering, the answer is "not ready".
        ready = False
    if not ready:
        raise Problem("not_ready", "The database does not answer, or wants migrating.")
    return Health(status="ok")


ROUTES = [healthz, readyz]
