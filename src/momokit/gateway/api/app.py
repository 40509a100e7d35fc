"""The API as one application: its routes, the guard in front, and the layer around them all."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, cast

from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ControllerRouterHandler

from momokit._async.client import AsyncClient
from momokit.gateway.api import (
    accounts,
    batch_files,
    batch_receipts,
    batch_signing,
    batches,
    bills,
    discrepancies,
    endpoints,
    health,
    heard,
    links,
    money,
    payments,
    reconciliation,
    shop,
    statements,
)
from momokit.gateway.api.accounts import Balances
from momokit.gateway.api.callers import authenticate_by, guard
from momokit.gateway.api.docs import PAGE_POLICY, config, openapi_json
from momokit.gateway.api.edge import (
    ApiMetrics,
    ApiRates,
    Caller,
    Edge,
    Receipts,
    Uncounted,
    Unlimited,
    take_request_id,
)
from momokit.gateway.api.problems import HANDLERS
from momokit.gateway.book import AccountBook
from momokit.gateway.log import about
from momokit.gateway.store.store import Store

_log = logging.getLogger(__name__)
_QUIET = frozenset({"/healthz", "/readyz", heard.PATTERN})

BODY_LIMIT_BYTES = 64 * 1024

_ROUTES: list[ControllerRouterHandler] = [
    *payments.ROUTES,
    *accounts.ROUTES,
    *batches.ROUTES,
    *batch_signing.ROUTES,
    *batch_files.ROUTES,
    *batch_receipts.ROUTES,
    *statements.ROUTES,
    *discrepancies.ROUTES,
    *reconciliation.ROUTES,
    *money.ROUTES,
    *links.ROUTES,
    *bills.ROUTES,
    *endpoints.ROUTES,
    *shop.ROUTES,
    *heard.ROUTES,
    *health.ROUTES,
    openapi_json,
]


class ApiSettings(Protocol):
    """What the API wants of the gateway's settings."""

    @property
    def public_url(self) -> str | None:
        """Where MTN reaches us, if anywhere."""


class Api(Litestar):
    """The application. Around each request: its id, what is counted, and headers for all."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request_id = take_request_id(scope)
        began = time.monotonic()

        async def tell(message: Any) -> None:
            if message["type"] == "http.response.start":
                extra = _headers(request_id, page=scope["path"].startswith("/docs"))
                # A page for payers has a policy of its own, and its style sheet may be kept.
                own = {name for name, _ in message["headers"]}
                extra = [pair for pair in extra if pair[0] not in own]
                message = {**message, "headers": [*message["headers"], *extra]}
                self._count(scope, message["status"], time.monotonic() - began)
            await send(message)

        with about(request_id=request_id):
            if scope["path"].startswith(heard.PREFIX):
                receive = await heard.hear_at_once(self.edge, scope, receive, tell)
                if receive is None:
                    return
            await super().__call__(scope, receive, tell)

    @property
    def edge(self) -> Edge:
        """What the routes work with."""
        return cast("Edge", self.state["edge"])

    def let_go(self) -> None:
        """End the requests that wait on purpose, and be not ready: the service is to stop."""
        self.edge.closing.set()

    def _count(self, scope: Any, status: int, seconds: float) -> None:
        # The pattern, not the path: paths hold numbers and secrets, and have no end.
        route = str(scope.get("path_template") or "none")
        method: str = scope["method"]
        self.edge.metrics.request(method=method, route=route, status=status, seconds=seconds)
        level = logging.DEBUG if route in _QUIET else logging.INFO
        _log.log(level, "%s %s %d in %.1f ms", method, route, status, seconds * 1000)


def create_api(
    store: Store,
    book: AccountBook,
    settings: ApiSettings,
    *,
    metrics: ApiMetrics | None = None,
    rates: ApiRates | None = None,
    authenticate: Callable[[str], Awaitable[Caller | None]] | None = None,
    clients: Callable[[str], AsyncClient] | None = None,
    seal: Callable[[str, Sequence[str]], bytes] | None = None,
    unseal: Callable[[str, bytes], list[str]] | None = None,
    check_url: Callable[[str], None] | None = None,
    receipts: Receipts | None = None,
    routes: Sequence[ControllerRouterHandler] = (),
) -> Api:
    """Make the API. `clients` gives an account's client, for questions about accounts alone.

    `seal` and `unseal` keep webhook secrets, by the endpoint's id; `check_url` raises InvalidInput
    for an address that webhooks must not go to. `routes` are served beside those of the API.
    """
    edge = Edge(
        store=store,
        book=book,
        public_url=settings.public_url,
        authenticate=authenticate or authenticate_by(store),
        clients=clients,
        seal=seal,
        unseal=unseal,
        check_url=check_url,
        receipts=receipts,
        metrics=metrics or Uncounted(),
        rates=rates or Unlimited(),
    )
    return Api(
        [*_ROUTES, *routes],
        guards=[guard],
        exception_handlers=dict(HANDLERS),
        openapi_config=config(),
        request_max_body_size=BODY_LIMIT_BYTES,
        logging_config=None,
        state=State({"edge": edge, "balances": Balances(), "imports": statements.Imports()}),
        debug=False,
    )


def _headers(request_id: str, *, page: bool) -> list[tuple[bytes, bytes]]:
    policy = PAGE_POLICY if page else "default-src 'none'"
    return [
        (b"x-request-id", request_id.encode("latin-1")),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", policy.encode()),
        (b"cache-control", b"no-store"),
    ]
