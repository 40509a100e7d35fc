"""The routes of webhooks: where they go, their secrets, and what was sent."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET

from momokit.errors import InvalidInput
from momokit.gateway.api.bodies import EndpointBody, EndpointChange, RotationBody
from momokit.gateway.api.callers import READ, WEBHOOKS, may_see
from momokit.gateway.api.edge import Caller, Edge, caller_of, edge_of
from momokit.gateway.api.placing import account_for
from momokit.gateway.api.problems import Problem, problems
from momokit.gateway.api.views import DeliveryPage, DeliveryView, delivery_view
from momokit.gateway.store import accounts, deliveries
from momokit.gateway.store.accounts import Endpoint
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.deliveries import Delivery, moment
from momokit.gateway.store.invoices import find_invoice
from momokit.gateway.store.payments import find_payment
from momokit.gateway.store.records import NoSuchRow
from momokit.webhooks import new_secret

Asked: TypeAlias = Request[Any, Any, Any]
SECRETS_AT_ONCE = 2
_PAGE_LIMIT = 200
_TAGS = ["Webhooks"]
_SCOPES = {WEBHOOKS}


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """Where webhooks go. `secret` is shown once: when it is made."""

    id: str
    url: str
    events: list[str]
    account_id: str | None
    enabled: bool
    created_at: str
    secret: str | None = None


class EndpointList(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoints that the key may see."""

    items: list[EndpointView]


@post(
    "/v1/webhook-endpoints",
    status_code=201,
    opt={"scopes": _SCOPES},
    tags=_TAGS,
    operation_id="create_webhook_endpoint",
    summary="Add an address for webhooks",
    responses=problems(404, 409, 503),
)
async def create_endpoint(request: Asked, data: JSONBody[EndpointBody]) -> EndpointView:
    """Add an address; the answer carries its secret, which is not shown again."""
    edge, caller = edge_of(request), caller_of(request)
    _check_url(edge, data.url)
    endpoint_id = f"whe_{uuid.uuid4().hex}"
    secret = new_secret()
    endpoint = Endpoint(
        id=endpoint_id,
        url=data.url,
        secrets_sealed=_seal(edge, endpoint_id, [secret]),
        event_filter=tuple(data.events),
        account_id=account_for(edge, caller, data.account),
    )
    return _view(await edge.store.write(lambda t: accounts.add_endpoint(t, endpoint)), secret)


@get(
    "/v1/webhook-endpoints",
    opt={"scopes": _SCOPES},
    tags=_TAGS,
    operation_id="list_webhook_endpoints",
    summary="List the addresses for webhooks",
    responses=problems(),
)
async def list_endpoints(request: Asked) -> EndpointList:
    """List the endpoints, oldest first."""
    edge, caller = edge_of(request), caller_of(request)
    known = await edge.store.read(accounts.list_endpoints)
    return EndpointList(items=[_view(one) for one in known if _is_of(one, caller)])


@get(
    "/v1/webhook-endpoints/{endpoint_id:str}",
    opt={"scopes": _SCOPES},
    tags=_TAGS,
    operation_id="get_webhook_endpoint",
    summary="Read an address for webhooks",
    responses=problems(404),
)
async def get_endpoint(request: Asked, endpoint_id: FromPath[str]) -> EndpointView:
    """Read an endpoint."""
    return _view(await _find(edge_of(request), caller_of(request), endpoint_id))


@patch(
    "/v1/webhook-endpoints/{endpoint_id:str}",
    opt={"scopes": _SCOPES},
    tags=_TAGS,
    operation_id="change_webhook_endpoint",
    summary="Change an address for webhooks, or switch it off and on",
    responses=problems(404),
)
async def change_endpoint(
    request: Asked, endpoint_id: FromPath[str], data: JSONBody[EndpointChange]
) -> EndpointView:
    """Change an endpoint. Switched off it keeps its queue, and sends that when it is on again."""
    edge = edge_of(request)
    await _find(edge, caller_of(request), endpoint_id)
    changes: dict[str, Any] = {}
    if data.url is not UNSET:
        _check_url(edge, str(data.url))
        changes["url"] = data.url
    if data.events is not UNSET:
        changes["event_filter"] = data.events

    def change(transaction: Transaction) -> None:
        if changes:
            accounts.change_endpoint(transaction, endpoint_id, changes)
        if data.enabled is True:
            accounts.enable_endpoint(transaction, endpoint_id)
        if data.enabled is False:
            accounts.disable_endpoint(transaction, endpoint_id)

    await edge.store.write(change)
    return _view(await _find(edge, caller_of(request), endpoint_id))


@delete(
    "/v1/webhook-endpoints/{endpoint_id:str}",
    status_code=200,
    opt={"scopes": _SCOPES},
    tags=_TAGS,
    operation_id="delete_webhook_endpoint",
    summary="Send nothing more to an address",
    responses=problems(404),
)
async def delete_endpoint(request: Asked, endpoint_id: FromPath[str]) -> EndpointView:
    """Switch an endpoint off. What was sent to it stays on record, so its row does too."""
    edge = edge_of(request)
    await _find(edge, caller_of(request), endpoint_id)
    return _view(await edge.store.write(lambda t: accounts.disable_endpoint(t, endpoint_id)))


@post(
    "/v1/webhook-endpoints/{endpoint_id:str}/secret",
    status_code=200,
    opt={"scopes": _SCOPES},
    tags=_TAGS,
    operation_id="rotate_webhook_secret",
    summary="Change the secret of an address",
    responses=problems(404, 503),
)
async def rotate_secret(
    request: Asked, endpoint_id: FromPath[str], data: JSONBody[RotationBody]
) -> EndpointView:
    """Make a new secret, shown once. With `keep_previous` the old one signs too, until the next
    rotation, so that the receiver can change over in its own time."""
    edge = edge_of(request)
    endpoint = await _find(edge, caller_of(request), endpoint_id)
    if edge.unseal is None:
        raise Problem("not_ready", "This process cannot open secrets.")
    kept = edge.unseal(endpoint_id, endpoint.secrets_sealed) if data.keep_previous else []
    secret = new_secret()
    sealed = _seal(edge, endpoint_id, [secret, *kept][:SECRETS_AT_ONCE])
    changed = await edge.store.write(
        lambda t: accounts.change_endpoint(t, endpoint_id, {"secrets_sealed": sealed})
    )
    return _view(changed, secret)


@get(
    "/v1/webhook-deliveries",
    opt={"scopes": _SCOPES | {READ}},
    tags=_TAGS,
    operation_id="list_webhook_deliveries",
    summary="List the webhooks of a payment, an invoice or an address",
    responses=problems(404),
)
async def list_webhooks(
    request: Asked,
    payment_id: FromQuery[str | None] = None,
    invoice_id: FromQuery[str | None] = None,
    endpoint_id: FromQuery[str | None] = None,
    before: Annotated[int | None, QueryParameter(ge=1, le=2**62)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE_LIMIT)] = 50,
) -> DeliveryPage:
    """List webhooks, newest first; the next page begins before the number that this one names."""
    edge, caller = edge_of(request), caller_of(request)
    if caller.account_id is not None and not (payment_id or invoice_id or endpoint_id):
        raise Problem(
            "invalid_request", "Name a payment, an invoice or an endpoint.", field="payment_id"
        )
    if endpoint_id is not None:
        await _find(edge, caller, endpoint_id)
    if payment_id is not None:
        await _check_payment(edge, caller, payment_id)
    if invoice_id is not None:
        await _check_invoice(edge, caller, invoice_id)

    def look(transaction: Transaction) -> list[Delivery]:
        return deliveries.list_deliveries(
            transaction, payment_id=payment_id, invoice_id=invoice_id,
            endpoint_id=endpoint_id, before_id=before, limit=limit + 1,
        )  # fmt: skip

    found = await edge.store.read(look)
    page = found[:limit]
    more = len(found) > limit
    return DeliveryPage(
        items=[delivery_view(one) for one in page], next_before=page[-1].id if more else None
    )


@post(
    "/v1/webhook-deliveries/{delivery_id:int}/replay",
    status_code=202,
    opt={"scopes": _SCOPES},
    tags=_TAGS,
    operation_id="replay_webhook_delivery",
    summary="Send a webhook once more",
    responses=problems(404),
)
async def replay(request: Asked, delivery_id: FromPath[int]) -> Response[DeliveryView]:
    """Send a webhook of the last thirty days once more, with the bytes and the id it had."""
    edge, caller = edge_of(request), caller_of(request)
    # The page that begins just behind it is the way to read one by its number.
    after = min(delivery_id + 1, 2**62)
    one = await edge.store.read(lambda t: deliveries.list_deliveries(t, before_id=after, limit=1))
    if not one or one[0].id != delivery_id:
        raise Problem("not_found")
    await _check_delivery(edge, caller, one[0])
    if not await edge.store.write(lambda t: deliveries.replay(t, delivery_id)):
        raise Problem("not_found", "It is too old to be sent again.")
    again = await edge.store.read(lambda t: deliveries.list_deliveries(t, before_id=after, limit=1))
    return Response(delivery_view(again[0]), status_code=202)


async def _find(edge: Edge, caller: Caller, endpoint_id: str) -> Endpoint:
    known = await edge.store.read(accounts.list_endpoints)
    for one in known:
        if one.id == endpoint_id and _is_of(one, caller):
            return one
    raise Problem("not_found")


async def _check_delivery(edge: Edge, caller: Caller, one: Delivery) -> None:
    """Let a key send again what goes to an endpoint it may set, or tells of what it may see."""
    known = await edge.store.read(accounts.list_endpoints)
    if any(end.id == one.endpoint_id and _is_of(end, caller) for end in known):
        return
    if one.invoice_id is not None:
        await _check_invoice(edge, caller, one.invoice_id)
    else:
        await _check_payment(edge, caller, one.payment_id or "")


async def _check_invoice(edge: Edge, caller: Caller, invoice_id: str) -> None:
    try:
        invoice = await edge.store.read(lambda t: find_invoice(t, invoice_id))
    except NoSuchRow:
        raise Problem("not_found") from None
    is_own = caller.has({READ}) or invoice.api_key_id == caller.key_id
    if caller.account_id not in (None, invoice.account_id) or not is_own:
        raise Problem("not_found")


async def _check_payment(edge: Edge, caller: Caller, payment_id: str) -> None:
    stored = await edge.store.read(lambda t: find_payment(t, payment_id))
    if stored is None or not may_see(caller, stored):
        raise Problem("not_found")


def _is_of(endpoint: Endpoint, caller: Caller) -> bool:
    return caller.account_id in (None, endpoint.account_id)


def _check_url(edge: Edge, url: str) -> None:
    if edge.check_url is not None:
        edge.check_url(url)
        return
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise InvalidInput("A webhook goes to an https address.", field="url")


def _seal(edge: Edge, endpoint_id: str, secrets: list[str]) -> bytes:
    if edge.seal is None:
        raise Problem("not_ready", "This process cannot keep secrets.")
    return edge.seal(endpoint_id, secrets)


def _view(endpoint: Endpoint, secret: str | None = None) -> EndpointView:
    return EndpointView(
        id=endpoint.id,
        url=endpoint.url,
        events=list(endpoint.event_filter),
        account_id=endpoint.account_id,
        enabled=endpoint.disabled_at is None,
        created_at=moment(endpoint.created_at),
        secret=secret,
    )


ROUTES = [
    create_endpoint,
    list_endpoints,
    get_endpoint,
    change_endpoint,
    delete_endpoint,
    rotate_secret,
    list_webhooks,
    replay,
]
