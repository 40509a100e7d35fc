"""Requests and replies as values: what reaches the emulator and what its edge must do in return."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

Headers = tuple[tuple[str, str], ...]

JSON = (("content-type", "application/json;charset=utf-8"),)
NO_HEADERS: Headers = ()


class Request(NamedTuple):
    """One HTTP request, header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    query: str = ""

    @classmethod
    def of(
        cls,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
    ) -> Request:
        """Build a request by hand, with the Content-Length that a real client would send."""
        target, _, query = path.partition("?")
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        content = body if body is not None else b"" if json is None else msgspec.json.encode(json)
        if json is not None:
            sent.setdefault("content-type", "application/json")
        if method not in ("GET", "HEAD"):
            sent.setdefault("content-length", str(len(content)))
        return cls(method, target, sent, content, query)


class Reply(NamedTuple):
    """One answer, and what goes wrong with it on the way: faults are described, the edge acts."""

    status: int
    headers: Headers = NO_HEADERS
    body: bytes = b""
    phrase: str = ""
    delay_seconds: float = 0.0
    cut: str = ""
    """`close` or `reset`: end the connection without an answer; `hang`: never answer."""
    truncate_after_bytes: int | None = None
    """Send only this many bytes of the body (of the head, when there is no body), then close."""
    then_reset: bool = False
    """With `truncate_after_bytes`: end by reset instead of an orderly close."""
    drip: tuple[int, float] | None = None
    """Send this many bytes at a time with this many seconds between."""
    after_callback_of: str = ""
    """Hold the answer until the first callback of this reference id has been attempted."""
    clock_offset_seconds: float = 0.0

    def json(self) -> Any:
        """Read the body as JSON."""
        return msgspec.json.decode(self.body)

    def header(self, name: str) -> str | None:
        """Find a header by its lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


def json_reply(status: int, value: Any) -> Reply:
    """Answer with JSON as the wallet platform writes it."""
    return Reply(status, JSON, msgspec.json.encode(value))


def empty(status: int) -> Reply:
    """Answer with a status and nothing else, which MTN does often."""
    return Reply(status)
