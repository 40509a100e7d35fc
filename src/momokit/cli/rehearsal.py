"""A dry run: the client's real code up to the wire, where the request is shown instead of sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx2

from momokit.cli.describe import mask_number, mask_party
from momokit.cli.exits import OK
from momokit.cli.output import give
from momokit.cli.session import Session

if TYPE_CHECKING:
    from momokit import Settings
    from momokit.cli.intent import Move

_SECRET = frozenset({"authorization", "ocp-apim-subscription-key"})
_DULL = frozenset({"host", "accept", "user-agent", "content-length"})
_NUMBER_FIELDS = ("payermsisdn", "payeridentificationnumber", "payeremail", "payeridentity")


class Stage(httpx2.BaseTransport):
    """Takes the place of the network: keeps the request that would have left, sends nothing."""

    def __init__(self) -> None:
        self.request: httpx2.Request | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer as MTN would if all went well."""
        if request.url.path.endswith("/token/"):
            return httpx2.Response(200, json={"access_token": "rehearsal", "expires_in": 3600})
        request.read()
        self.request = request
        return httpx2.Response(202)


def rehearse(
    here: Session,
    settings: Settings,
    *,
    wanted: Move,
    sent: Mapping[str, Any],
    show_numbers: bool,
) -> int:
    """Show the request that the submission would send; values are checked as for a real one."""
    stage = Stage()
    with here.client(settings, transport=stage) as momo:
        getattr(getattr(momo, wanted.product), wanted.method)(**sent)
    request = stage.request
    if request is None:
        raise AssertionError("the client accepted without sending anything")
    headers = {
        _spelt(name): "••••" if name in _SECRET else value
        for name, value in request.headers.items()
        if name not in _DULL
    }
    body = json.loads(request.content) if request.content else None
    shown = body if show_numbers else _masked(body)
    told = {
        "dry_run": True,
        "sent": False,
        "reference_id": sent.get("reference_id"),
        "method": request.method,
        "url": str(request.url),
        "headers": headers,
        "body": shown,
    }
    give(
        here,
        told,
        "Nothing was sent. This would be:",
        f"{request.method} {request.url}",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        json.dumps(shown, ensure_ascii=False, indent=2) if shown is not None else "(no body)",
    )
    return OK


def _spelt(name: str) -> str:
    return "-".join(word.capitalize() for word in name.split("-"))


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        if isinstance(value.get("partyId"), str):
            masked = mask_party(str(value.get("partyIdType", "")), value["partyId"])
            return {**value, "partyId": masked}
        return {
            name: mask_number(part)
            if name.lower() in _NUMBER_FIELDS and isinstance(part, str)
            else _masked(part)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_masked(part) for part in value]
    return value
