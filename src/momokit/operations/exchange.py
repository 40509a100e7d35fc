"""The words in which an operation speaks to a driver: requests, replies, waits.

An operation is a generator. It yields an `Effect` and is sent the answer; it does no I/O, reads no
clock and draws no chance, so a test drives it by hand with `next()` and `send()`, and one source
serves both the blocking and the asynchronous client. The drivers are in `momokit.transport`.

    yield Request(...)          -> Response      or TransportFailure is thrown in
    yield Wait(low, high)       -> None          or DeadlinePassed is thrown in, when there is no
                                   time left
    yield Alone(key, operation) -> its result    only one operation per key runs at a time
    yield Within(seconds, operation) -> its result    with a shorter deadline than the call's
    yield Recall(key)           -> StoredToken | None
    yield Remember(key, token)  -> None
    yield Tell(listener, news)  -> None
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import msgspec

T = TypeVar("T")

MAX_BODY_BYTES = 256 * 1024
"""A larger answer is not read further and counts as unreadable: MTN's are under 4 KiB."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call to MTN, complete but for the key and token that `authorised` adds."""

    operation: str
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reference_id: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, whole: a body that was cut or too large is a `TransportFailure` instead."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Let between `low_seconds` and `high_seconds` pass; the driver draws, so that callers
    spread out."""

    low_seconds: float
    high_seconds: float


@dataclass(frozen=True, slots=True)
class Alone:
    """Run `operation()` while no other operation with the same key runs in this client (single
    flight)."""

    key: Hashable
    operation: Callable[[], Operation[Any]]


@dataclass(frozen=True, slots=True)
class Within:
    """Run `operation()` with at most `seconds` of time, and never more than the call itself has."""

    seconds: float
    operation: Callable[[], Operation[Any]]


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A bearer token as a shared store keeps it. `expires_at` is wall-clock seconds since 1970."""

    access_token: str = field(repr=False)
    expires_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Recall:
    """Ask the shared token store, when one is plugged in."""

    key: str


@dataclass(frozen=True, slots=True)
class Remember:
    """Give a fresh token to the shared token store, or None to strike one out."""

    key: str
    token: StoredToken | None


@dataclass(frozen=True, slots=True)
class Tell:
    """Report progress to the caller's listener, which may be a coroutine function on the async
    client."""

    listener: Callable[[Any], Any]
    news: Any


Effect: TypeAlias = Request | Wait | Alone | Within | Recall | Remember | Tell
Operation: TypeAlias = Generator[Effect, Any, T]


class TransportFailure(Exception):
    """Thrown into an operation by its driver: there is no whole answer.

    `sent` is False only when it is certain that MTN read nothing: the name was not resolved, the
    connection refused, TLS not agreed. `kind` is one word for logs: "connect", "timeout", "reset",
    "cut", "too_large".
    """

    def __init__(self, kind: str, *, sent: bool, detail: str = "") -> None:
        super().__init__(kind, sent, detail)
        self.kind = kind
        self.sent = sent
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One call as it went over the wire, for metrics and traces; it holds nothing of a payer.

    `status` and `code` (MTN's, in an error) are None when there was no whole answer; `failure` then
    says why in one word, as `TransportFailure.kind` does.
    """

    operation: str
    status: int | None
    code: str | None
    failure: str | None
    seconds: float


Observer: TypeAlias = Callable[[Exchanged], None]
"""Told of every call to MTN when it is over. It runs within the call: keep it short."""


class DeadlinePassed(Exception):
    """Thrown into an operation that asks to wait, or to send, when its call has no time left."""


def send(request: Request) -> Operation[Response]:
    """Put one request to the driver, typed: `response = yield from send(request)`."""
    response: Response = yield request
    return response


_decode = msgspec.json.Decoder().decode


def json_body(response: Response) -> Any:
    """Read a body as JSON whatever its content type says; None when it is empty or is not JSON."""
    if not response.body:
        return None
    try:
        return _decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def is_status(body: Any) -> bool:
    """Tell whether a body is MTN's word on how something stands: all of them have a status."""
    return isinstance(body, dict) and isinstance(body.get("status"), str)


def error_code(response: Response) -> str | None:
    """Find MTN's code in any of its three error dialects; None when the body has none."""
    body = json_body(response)
    if not isinstance(body, dict):
        return None
    for key in ("code", "error"):
        if isinstance(body.get(key), str):
            return str(body[key])[:64]
    return None


def is_gateway_answer(response: Response) -> bool:
    """Tell whether the outer gateway answered (key, path, address): the wallet has then read
    nothing."""
    body = json_body(response)
    return isinstance(body, dict) and "statusCode" in body


def error_detail(response: Response) -> str:
    """Keep MTN's own sentence for the developer, shortened, with anything like a number masked."""
    body = json_body(response)
    text = body.get("message") if isinstance(body, dict) else None
    if not isinstance(text, str):
        return ""
    words = (
        "•••" if sum(c.isdigit() for c in word) >= 6 else word  # a subscriber's number, or an id
        for word in text[:200].split()
    )
    return " ".join(words)


def encode(fields: Mapping[str, Any]) -> bytes:
    """Write a body once, without the fields that were not given: MTN refuses null."""
    return msgspec.json.encode({k: v for k, v in fields.items() if v is not None})
