"""What every route has at hand: the store and the rest, the request's id, and the outermost layer.

It is put together once, by `create_api`, and found again through the request.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    MutableMapping,
    Sequence,
)
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from litestar import Request

from momokit._async.client import AsyncClient
from momokit.gateway.book import AccountBook
from momokit.gateway.core.receipts import BatchReceipt, RowReceipt
from momokit.gateway.store.store import Store

REQUEST_ID = "momokit.request_id"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# It is repeated in answers and on every line of the log.
_PHONE_NUMBER = re.compile(r"(?<!\d)\d{9,15}(?!\d)")

LONG_POLLS_AT_ONCE = 200
"""How many requests may wait at the same time; one more is answered at once."""

MTN_READS_AT_ONCE = 16


class ApiMetrics(Protocol):
    """What the API counts."""

    def request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer. `route` is the pattern, never the path."""

    def callback(self, *, outcome: str, seconds: float) -> None:
        """Count a callback: matched, duplicate or unknown."""

    def idempotency(self, *, outcome: str) -> None:
        """Count what became of an idempotency key: new, replayed or conflict."""


class ApiRates(Protocol):
    """How often a key may ask; each raises Problem when it has asked too often."""

    def request(self, key_id: str) -> None:
        """Count a request."""

    def holder_check(self, key_id: str) -> None:
        """Count a look-up of a number's holder."""


class Unlimited:
    """Lets everybody ask as often as they like, where no rates are wanted."""

    def request(self, key_id: str) -> None:
        """Let it pass."""

    def holder_check(self, key_id: str) -> None:
        """Let it pass."""


class Uncounted:
    """Counts nothing, where no metrics are wanted."""

    def request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count nothing."""

    def callback(self, *, outcome: str, seconds: float) -> None:
        """Count nothing."""

    def idempotency(self, *, outcome: str) -> None:
        """Count nothing."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks: an API key, what it may do, the account it is bound to, if any, and whose it is.

    `key_id` stays through rotations: it is the id of the first of them.

    All keys of one person have the same `person`: where two are needed, keys do not count.
    """

    key_id: str
    scopes: frozenset[str]
    account_id: str | None = None
    person: str = ""

    def has(self, wanted: Collection[str]) -> bool:
        """Tell whether the key has one of these scopes."""
        return not self.scopes.isdisjoint(wanted)


class BatchPage(Protocol):
    """Writes the receipt of a whole batch, a piece at a time."""

    def __call__(
        self, batch: BatchReceipt, /, *, rows: Iterable[RowReceipt], language: str
    ) -> Iterator[str]:
        """Write the page."""
        ...


class RowPage(Protocol):
    """Writes the receipt of one payment."""

    def __call__(self, row: RowReceipt, /, *, batch: BatchReceipt, language: str) -> str:
        """Write the page."""
        ...


@dataclass(frozen=True, kw_only=True)
class Receipts:
    """What prints the receipts of batches."""

    of_batch: BatchPage
    of_row: RowPage


@dataclass(frozen=True, kw_only=True)
class Edge:
    """What routes work with. `clients` gives an account's client, for questions alone.

    `seal` and `unseal` keep webhook secrets (the first argument is the endpoint's id);
    `check_url` raises InvalidInput for an address that webhooks must not go to.
    """

    store: Store
    book: AccountBook
    public_url: str | None
    authenticate: Callable[[str], Awaitable[Caller | None]]
    clients: Callable[[str], AsyncClient] | None = None
    seal: Callable[[str, Sequence[str]], bytes] | None = field(default=None, repr=False)
    unseal: Callable[[str, bytes], list[str]] | None = field(default=None, repr=False)
    check_url: Callable[[str], None] | None = None
    receipts: Receipts | None = None
    metrics: ApiMetrics = field(default_factory=Uncounted)
    rates: ApiRates = field(default_factory=Unlimited)
    clock: Callable[[], float] = time.time
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    long_polls: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(LONG_POLLS_AT_ONCE)
    )
    mtn_reads: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MTN_READS_AT_ONCE)
    )


def edge_of(request: Request[Any, Any, Any]) -> Edge:
    """Find what the API was made with."""
    return cast("Edge", request.app.state["edge"])


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Find who asks; the guard has put it there."""
    return cast("Caller", request.scope["auth"])


def request_id_of(scope: Any) -> str:
    """Find the id of a request."""
    return str(scope.get(REQUEST_ID, ""))


def take_request_id(scope: MutableMapping[str, Any]) -> str:
    """Take the caller's id for the request when it has a sane form, or make one."""
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    sane = _GIVEN_ID.fullmatch(given) and not _PHONE_NUMBER.search(given)
    request_id = given if sane else f"req_{uuid.uuid4().hex}"
    scope[REQUEST_ID] = request_id
    return request_id
