"""Speak to a running gateway over its HTTP API, as any application would: with a key of its own."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from momokit.cli.exits import NOT_SENT, REFUSED, UNKNOWN, USAGE
from momokit.cli.options import together
from momokit.errors import ConfigurationError, InvalidInput, MomoError

if TYPE_CHECKING:
    from http.client import HTTPResponse

URL_VARIABLE, KEY_VARIABLE = "MOMO_GATEWAY_URL", "MOMO_GATEWAY_KEY"
TIMEOUT_SECONDS = 120.0
_CHUNK = 64 * 1024
_PROBLEM_LIMIT = 64 * 1024
_CODES = {401: USAGE, 403: REFUSED, 409: REFUSED, 429: NOT_SENT, 503: NOT_SENT}

gateway_options = together(
    click.option("--url", metavar="URL", help=f"The gateway's address. [{URL_VARIABLE}]"),
    click.option("--key", metavar="KEY", help=f"An API key; better in [{KEY_VARIABLE}]."),
)
"""Where the gateway is, and as whom to speak to it."""


class GatewayAnswer(MomoError):
    """The gateway did not do it: its code, and what it says.

    `exit_code` is how a command ends that got this answer.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        code: str,
        exit_code: int,
        field: str | None = None,
        retry_is_safe: bool = True,
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.exit_code = exit_code
        self.field = field
        self.retry_is_safe = retry_is_safe


class GatewayClient:
    """Calls the gateway's API. Its errors are told as the gateway words them; no number is in
    them."""

    def __init__(self, url: str | None, key: str | None) -> None:
        self.url = (url or os.environ.get(URL_VARIABLE, "")).rstrip("/")
        self._key = key or os.environ.get(KEY_VARIABLE, "")
        if not self.url.startswith(("http://", "https://")):
            raise ConfigurationError(
                "The gateway's address is missing.",
                field="url",
                hint=f"Give --url or set {URL_VARIABLE}, for example http://127.0.0.1:8702.",
            )
        if not self._key:
            raise ConfigurationError(
                "The API key is missing.",
                field="key",
                hint=f"Set {KEY_VARIABLE}; `momo gateway keys create` makes one.",
            )

    def get(self, path: str, **query: Any) -> Any:
        """Read something; the answer's JSON."""
        with self._open("GET", path, query) as answer:
            return json.load(answer)

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None
    ) -> Any:
        """Have something done; with the Idempotency-Key `key`, or one made for this call."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        data = json.dumps(body).encode() if body is not None else None
        headers["Idempotency-Key"] = key or str(uuid.uuid4())
        with self._open("POST", path, {}, data=data, headers=headers) as answer:
            return json.load(answer)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change something; the answer's JSON."""
        headers = {"Content-Type": "application/json"}
        data = json.dumps(body).encode()
        with self._open("PATCH", path, {}, data=data, headers=headers) as answer:
            return json.load(answer)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Put something in place of what was there; the answer's JSON."""
        headers = {"Content-Type": "application/json"}
        data = json.dumps(body).encode()
        with self._open("PUT", path, {}, data=data, headers=headers) as answer:
            return json.load(answer)

    def upload(self, path: str, file: Path, *, key: str | None = None, **query: Any) -> Any:
        """Send a file as it is, a piece at a time; the answer's JSON."""
        try:
            with file.open("rb") as stream:
                headers = {
                    "Content-Type": "application/octet-stream",
                    "Content-Length": str(file.stat().st_size),
                    "Idempotency-Key": key or str(uuid.uuid4()),
                }
                with self._open("POST", path, query, data=stream, headers=headers) as answer:
                    return json.load(answer)
        except OSError as error:
            raise InvalidInput(f"{file} cannot be read: {error.strerror}.", field="file") from None

    def download(self, path: str, out: BinaryIO, **query: Any) -> int:
        """Write what a path gives into a stream; gives the number of bytes."""
        count = 0
        with self._open("GET", path, query) as answer:
            while chunk := answer.read(_CHUNK):
                count += out.write(chunk)
        return count

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        *,
        data: bytes | BinaryIO | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HTTPResponse:
        given = {name: _text(value) for name, value in query.items() if value is not None}
        words = f"?{urllib.parse.urlencode(given)}" if given else ""
        request = urllib.request.Request(  # noqa: S310 - only http and https are taken above
            f"{self.url}{path}{words}",
            data=data if data is not None or method == "GET" else b"",
            headers={"Authorization": f"Bearer {self._key}", **(headers or {})},
            method=method,
        )
        try:
            answer: HTTPResponse = _opener().open(request, timeout=TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            raise _told(error, writes=method != "GET") from None
        except (OSError, HTTPException) as error:
            raise _no_answer(self.url, error, writes=method != "GET") from None
        return answer


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none: the key would be shown to whoever is named."""


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_NoRedirects())


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _told(error: urllib.error.HTTPError, *, writes: bool) -> GatewayAnswer:
    """What the gateway's problem says, in our terms."""
    with error:
        try:
            told = json.loads(error.read(_PROBLEM_LIMIT))
        except (ValueError, OSError, HTTPException):
            told = {}
    if not isinstance(told, dict) or "code" not in told:
        if error.code >= 500:
            return _no_answer("", error, writes=writes)
        told = {"title": f"The gateway answered {error.code}.", "code": f"http_{error.code}"}
    title, detail = str(told.get("title", "")), str(told.get("detail", ""))
    fallback = USAGE if error.code < 500 else (UNKNOWN if writes else NOT_SENT)
    return GatewayAnswer(
        title if not detail or detail == title else f"{title} {detail}",
        hint=str(told.get("hint") or ""),
        code=str(told["code"]),
        exit_code=_CODES.get(error.code, fallback),
        field=told.get("field"),
        retry_is_safe=bool(told.get("retry_is_safe", True)),
    )


def _no_answer(url: str, error: Exception, *, writes: bool) -> GatewayAnswer:
    reason = getattr(error, "reason", None)
    if isinstance(reason, ConnectionRefusedError) or not writes:
        return GatewayAnswer(
            f"The gateway{f' at {url}' if url else ''} did not answer.",
            hint="See that it runs and that the address is right; nothing was changed.",
            code="no_answer",
            exit_code=NOT_SENT,
        )
    return GatewayAnswer(
        "The gateway gave no answer: it may have done it, or not.",
        hint="Look before anything else: momo batch list, momo batch show ID.",
        code="no_answer",
        exit_code=UNKNOWN,
        retry_is_safe=False,
    )
