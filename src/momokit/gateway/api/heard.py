"""Where MTN calls back: heard, kept, answered at once, and never believed."""

from __future__ import annotations

import re
import time
from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.params import FromPath

from momokit.callbacks import callback_token_hash, read_callback
from momokit.gateway.api.edge import Edge, edge_of
from momokit.gateway.api.problems import Problem
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.store.inbox import Hint, HintRequest

PREFIX = "/cb/"
PATTERN = "/cb/{token}"

# A path of another form never was one of ours: it does not cost us a transaction.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,128}")
_COUNTED_AS = {Hint.NEW: "matched", Hint.REPEATED: "duplicate", Hint.UNKNOWN: "unknown"}
_LAST_WORDS = frozenset({"SUCCESSFUL", "FAILED"})
_UNKNOWN = "momokit.callback_unknown"
_SHORT_BYTES = 64 * 1024
_KEPT = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
_NOTHING = {"type": "http.response.body", "body": b""}


@route(
    "/cb/{token:str}",
    http_method=[HttpMethod.POST, HttpMethod.PUT],
    status_code=200,
    include_in_schema=False,
)
async def hear(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
    """Keep a callback, and bring the question to MTN forward.

    The address is a secret for one payment, and stands in no log. Any body and any content type
    will do: what it says changes nothing but when MTN is asked.
    """
    if _UNKNOWN not in request.scope:
        began = time.monotonic()
        edge = edge_of(request)
        hint = Hint.UNKNOWN
        if _TOKEN.fullmatch(token):
            hint = await _keep(edge, request.method, token, await request.body())
        _count(edge, hint, began)
        if hint is not Hint.UNKNOWN:
            return Response(b"", status_code=200, media_type="text/plain")
    raise Problem("not_found", "There is nothing at this path.")


async def hear_at_once(edge: Edge, scope: Any, receive: Any, send: Any) -> Any:
    """Answer a callback without the framework, when nothing is odd about it; then give None.

    They come in floods, and this takes a tenth of the time. None is given too when the caller hung
    up. Otherwise what is given is where the framework receives the request from, to answer it with
    whatever problem there is.
    """
    token = scope["path"][len(PREFIX) :]
    if scope["method"] not in ("POST", "PUT") or not _TOKEN.fullmatch(token):
        return receive
    if not _is_short(scope["headers"]):
        return receive
    began = time.monotonic()
    body = await _read(receive)
    if body is None:
        return None
    try:
        hint = await _keep(edge, scope["method"], token, body)
    except Exception:
        return _again(body, receive)
    _count(edge, hint, began)
    if hint is Hint.UNKNOWN:
        scope[_UNKNOWN] = True
        return _again(body, receive)
    scope["path_template"] = PATTERN
    await send(_KEPT)
    await send(_NOTHING)
    return None


async def _keep(edge: Edge, method: str, token: str, body: bytes) -> Hint:
    wanted = HintRequest(
        body=body,
        method=method,
        callback_token_hash=callback_token_hash(token),
        # A last word that comes late may contradict ours: MTN is asked once more.
        reopens=read_callback(body).status in _LAST_WORDS,
    )
    pass_by("callback.before_store")
    hint = await edge.store.hint(wanted)
    pass_by("callback.after_store")
    return hint


def _count(edge: Edge, hint: Hint, began: float) -> None:
    edge.metrics.callback(outcome=_COUNTED_AS[hint], seconds=time.monotonic() - began)


def _is_short(headers: list[tuple[bytes, bytes]]) -> bool:
    lengths = [value for name, value in headers if name == b"content-length"]
    return len(lengths) == 1 and lengths[0].isdigit() and int(lengths[0]) <= _SHORT_BYTES


async def _read(receive: Any) -> bytes | None:
    """Read a body whose length is known; None when the caller hung up before its end."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Any) -> Any:
    """Let what was read be received once more."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Any:
        return waiting.pop() if waiting else await receive()

    return receive_again


ROUTES = [hear]
