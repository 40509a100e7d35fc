"""How `momo doctor` asks MTN: through the real client, with a witness on the wire beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import httpx2

from momokit._sync.client import Client
from momokit.errors import AuthenticationFailed, MomoError
from momokit.retry import RetryPolicy
from momokit.secret import Secret
from momokit.settings import PRODUCTS, Credentials, Product, Settings
from momokit.wire import proxy_of, verify

TRY_SECONDS = 15.0
_A_PATH = "/collection/v1_0/account/balance"

Trial: TypeAlias = Literal["works", "key_refused", "user_refused", "no_answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, as seen on the wire. Times are wall-clock seconds."""

    path: str
    status: int
    date: str
    sent_at: float
    answered_at: float
    local_address: str
    tls_version: str


class Witness(httpx2.BaseTransport):
    """A transport that notes what passes through it."""

    def __init__(
        self,
        inner: httpx2.BaseTransport,
        seen: list[Exchange],
        *,
        wall_clock: Callable[[], float],
    ) -> None:
        self._inner = inner
        self._seen = seen
        self._wall_clock = wall_clock

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass a request on and note its answer."""
        sent_at = self._wall_clock()
        response = self._inner.handle_request(request)
        stream: Any = response.extensions.get("network_stream")
        tls = stream.get_extra_info("ssl_object") if stream is not None else None
        local = stream.get_extra_info("client_addr") if stream is not None else None
        self._seen.append(
            Exchange(
                path=request.url.path,
                status=response.status_code,
                date=response.headers.get("date", ""),
                sent_at=sent_at,
                answered_at=self._wall_clock(),
                local_address=str(local[0]) if local else "",
                tls_version=(tls.version() or "") if tls is not None else "",
            )
        )
        return response

    def close(self) -> None:
        """Leave the transport below open: others go on using it."""


def open_wire(settings: Settings) -> httpx2.BaseTransport:
    """Open the way to MTN that the client itself would take: its proxy, its authorities."""
    return httpx2.HTTPTransport(
        verify=verify(settings.host_url, settings.ca_file), proxy=proxy_in_force(settings)
    )


def proxy_in_force(settings: Settings) -> str | None:
    """Find the proxy that calls go through; it may hold a password."""
    if settings.proxy:
        return Secret(settings.proxy).reveal()
    return proxy_of(settings.host_url)


class Probe:
    """Asks MTN one thing at a time, once, with exactly the keys it is told to use.

    All its questions share one transport; close it, or use the probe in a `with` block.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        open_transport: Callable[[Settings], httpx2.BaseTransport] = open_wire,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        deadline = min(TRY_SECONDS, settings.deadline_seconds)
        self.settings = settings.with_changes(deadline_seconds=deadline)
        self._wire = open_transport(self.settings)
        self._wall_clock = wall_clock

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def client(
        self, product: Product | None, credentials: Credentials | None
    ) -> tuple[Client, list[Exchange]]:
        """Make a client that has these credentials only, and the list of what it exchanges."""
        seen: list[Exchange] = []
        changes: dict[str, Any] = dict.fromkeys(PRODUCTS)
        if product is not None:
            changes[product] = credentials
        client = Client(
            self.settings.with_changes(**changes),
            retry=RetryPolicy(attempts=1),
            transport=Witness(self._wire, seen, wall_clock=self._wall_clock),
        )
        return client, seen

    def knock(self) -> Exchange:
        """Ask the host for something without any key, to get any answer at all.

        Raises httpx2.HTTPError or OSError when there is none.
        """
        seen: list[Exchange] = []
        witness = Witness(self._wire, seen, wall_clock=self._wall_clock)
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), TRY_SECONDS)
        request = httpx2.Request(
            "GET", f"{self.settings.host_url}{_A_PATH}", extensions={"timeout": timeout}
        )
        witness.handle_request(request).close()
        return seen[0]

    def try_key(
        self, product: Product, key: Secret, credentials: Credentials
    ) -> tuple[Trial, MomoError | None]:
        """Try one subscription key at one product's token endpoint, with this API user."""
        alone = Credentials(
            subscription_key=key, api_user=credentials.api_user, api_key=credentials.api_key
        )
        client, _ = self.client(product, alone)
        with client:
            try:
                getattr(client, product).token()
            except AuthenticationFailed as error:
                # The gateway in front of the wallet, which checks the key, answers without a code.
                refused = error.status == 401 and error.code is None
                return "key_refused" if refused else "user_refused", error
            except MomoError as error:
                return "no_answer", error
        return "works", None
