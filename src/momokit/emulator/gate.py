"""The way in: which operation a request is, and the checks that stand before its handler."""

from __future__ import annotations

import msgspec

from . import checks, consent, dialects, mishaps
from .call import Call, Refusal
from .exchange import Reply, Request
from .fault_names import parse_faults
from .faults import Target, UnknownFault
from .routes import Route, find_route
from .settlement import tick
from .state import State

FAULT_HEADER = "x-emulator-fault"
_NOT_FOUND = dialects.gateway(404, "Resource not found")
_PARTIES = ("payer", "payee", "intendedPayer")


class Answered(msgspec.Struct, frozen=True):
    """A reply with what the history needs to know about how it came to be."""

    reply: Reply
    operation: str = ""
    product: str = ""
    kind: str = ""
    reference_id: str = ""
    faults: tuple[str, ...] = ()
    note: str = ""


def answer(state: State, request: Request) -> Answered:
    """Answer a request as MTN would, with whatever goes wrong on purpose."""
    tick(state)
    route = find_route(request.method, request.path)
    if route is None:
        return Answered(_NOT_FOUND)
    operation = route.operation
    try:
        target = _target(state, request, route=route)
    except UnknownFault as unknown:
        reply = dialects.gateway(400, str(unknown))
        return Answered(reply, operation.id, route.product, operation.kind, note="unknown fault")
    call = Call(
        state=state,
        request=request,
        operation=operation,
        product=route.product,
        parameters=route.parameters,
        target=target,
    )
    reply = _process(call) if target is None else mishaps.meet(call, process=_process)
    return Answered(
        reply,
        operation.id,
        route.product,
        operation.kind,
        _reference(request, route=route),
        () if target is None else tuple(target.applied),
    )


def _process(call: Call) -> Reply:
    operation = call.operation
    try:
        key = checks.subscription_key(call)
        if operation.bodyless:
            checks.content_length(call)
        auth = operation.auth
        if auth == "bearer":
            call.user = checks.bearer(call)
        elif auth == "consent":
            call.user = checks.bearer(call, consent=True)
        elif auth == "either":
            consent.login(call)
        elif auth == "basic":
            user = checks.basic(call)
            if user is None:
                return dialects.token_error("login_failed")
            call.user = user
        if operation.wants_environment:
            checks.environment(call, key=key)
        return operation.handler(call)
    except Refusal as refusal:
        return refusal.reply


def _target(state: State, request: Request, *, route: Route) -> Target | None:
    """Describe a request to the faults; None when there is nothing it could meet."""
    header = request.headers.get(FAULT_HEADER, "")
    if not header and not state.faults.active:
        return None
    target = Target(
        method=request.method,
        path=request.path,
        operation=route.operation.id,
        kind=route.operation.kind,
        product=route.product,
        reference_id=_reference(request, route=route),
        own=parse_faults(header),
    )
    if state.faults.wants_identifier:
        target.identifier = _identifier(state, request, route=route)
    state.faults.begin(target)
    return target


def _reference(request: Request, *, route: Route) -> str:
    if route.parameters and route.operation.kind in ("status", "change", "provisioning"):
        return route.parameters[0].lower()
    return request.headers.get("x-reference-id", "").lower()


def _identifier(state: State, request: Request, *, route: Route) -> str:
    if route.operation.kind == "account" and route.parameters:
        return route.parameters[-1]
    if route.operation.kind in ("status", "change") and route.parameters:
        record = state.find(route.parameters[0].lower())
        return record.party_id if record else ""
    try:
        body = msgspec.json.decode(request.body or b"null")
    except (ValueError, RecursionError):
        return ""
    for name in _PARTIES:
        party = body.get(name) if isinstance(body, dict) else None
        if isinstance(party, dict):
            return str(party.get("partyId", ""))
    return ""
