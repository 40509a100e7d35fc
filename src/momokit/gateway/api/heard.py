"""Where MTN calls back: heard, kept, answered at once, and never believed."""

from __future__ import annotations

import re
import time
from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.params import FromPath

from momokit.callbacks import callback_token_hash, read_callback
from momokit.gateway.api.edge import edge_of
from momokit.gateway.api.problems import Problem
from momokit.gateway.crashpoints import pass_by
from momokit.gateway.store.inbox import Hint, HintRequest

# A path of another form never was one of ours: it does not cost us a transaction.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,128}")
_COUNTED_AS = {Hint.NEW: "matched", Hint.REPEATED: "duplicate", Hint.UNKNOWN: "unknown"}
_LAST_WORDS = frozenset({"SUCCESSFUL", "FAILED"})


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
    began = time.monotonic()
    edge = edge_of(request)
    hint = Hint.UNKNOWN
    if _TOKEN.fullmatch(token):
        body = await request.body()
        wanted = HintRequest(
            body=body,
            method=request.method,
            callback_token_hash=callback_token_hash(token),
            # A last word that comes late may contradict ours: MTN is asked once more.
            reopens=read_callback(body).status in _LAST_WORDS,
        )
        pass_by("callback.before_store")
        hint = await edge.store.hint(wanted)
        pass_by("callback.after_store")
    edge.metrics.callback(outcome=_COUNTED_AS[hint], seconds=time.monotonic() - began)
    if hint is Hint.UNKNOWN:
        raise Problem("not_found", "There is nothing at this path.")
    return Response(b"", status_code=200, media_type="text/plain")


ROUTES = [hear]
