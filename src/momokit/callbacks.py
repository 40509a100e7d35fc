"""Callbacks from MTN: read whatever arrives into a hint, and keep their address a secret.

MTN signs nothing, sends PUT or POST, once, twice or never, and leaves out the reference id of
most payments. So a callback only says *ask now*: the payment's state is what the status call
answers. The one defence is an address that cannot be guessed: a token in the path, kept by us as
a hash.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from momokit.errors import InvalidInput
from momokit.market import Market
from momokit.market import market as find_market
from momokit.reasons import Reason, reason_of

CallbackKind = Literal[
    "collection", "disbursement", "invoice", "preapproval", "payment", "cash_transfer", "unknown"
]

MAX_BODY_BYTES = 64 * 1024
_MAX_FIELD = 256
_MAX_URL = 2048
_MIN_SECRET_BYTES = 16
# Patterns are compiled (and kept by `re`) at their first use: importing must stay cheap.
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_SEGMENT = r"[A-Za-z0-9_-]{22,128}"
_HOST_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
# The fields that only one kind of callback has; the first kind that matches is the guess.
_TELLING_FIELDS: tuple[tuple[CallbackKind, frozenset[str]], ...] = (
    ("invoice", frozenset({"invoiceId", "paymentReference", "intendedPayer", "expiryDateTime"})),
    (
        "cash_transfer",
        frozenset({"originalAmount", "orginatingCountry", "originatingCountry", "payerIdentity"}),
    ),
    ("preapproval", frozenset({"payerCurrency", "expirationDateTime", "preApprovalId"})),
    ("collection", frozenset({"payer"})),
    ("disbursement", frozenset({"payee"})),
    ("payment", frozenset({"referenceId", "status"})),
)


@dataclass(frozen=True, slots=True)
class CallbackHint:
    """For waking up the status question; a hint, never a fact: anyone could have sent it.

    Every field may be None, and none of them may change a payment. `kind_guess` comes from the
    fields present (a withdrawal looks like a request to pay: both are "collection"). `raw` is the
    body as it came, cut at 64 KiB; it holds personal data and is not printed. `problems` says in
    words what was odd.
    """

    kind_guess: CallbackKind = "unknown"
    reference_id: str | None = None
    external_id: str | None = None
    status: str | None = None
    reason: Reason | None = None
    financial_transaction_id: str | None = None
    amount: str | None = None
    currency: str | None = None
    raw: bytes = field(default=b"", repr=False)
    problems: tuple[str, ...] = ()


def read_callback(
    body: bytes, *, headers: Mapping[str, str] | None = None, path: str = ""
) -> CallbackHint:
    """For the endpoint MTN calls: any body becomes a hint; never raises, whatever arrives.

    `headers` and `path` are searched for a reference id only when the body has none.
    """
    problems: list[str] = []
    raw = bytes(body[:MAX_BODY_BYTES])
    if len(body) > MAX_BODY_BYTES:
        problems.append(f"the body was cut: it had {len(body)} bytes")
        fields: Mapping[str, Any] = {}
    else:
        fields = _fields(raw, problems)
    reference_id = _first_text(fields, "referenceId", "preApprovalId", problems=problems)
    if reference_id is None:
        reference_id = _reference_elsewhere(headers or {}, path)
    told = fields.get("reason", fields.get("errorReason"))
    return CallbackHint(
        kind_guess=_kind(fields),
        reference_id=reference_id,
        external_id=_first_text(fields, "externalId", "externalTransactionId", problems=problems),
        status=_first_text(fields, "status", problems=problems),
        reason=None if told is None else reason_of(told),
        financial_transaction_id=_first_text(fields, "financialTransactionId", problems=problems),
        amount=_first_text(fields, "amount", problems=problems),
        currency=_first_text(fields, "currency", problems=problems),
        raw=raw,
        problems=tuple(problems),
    )


def new_callback_token() -> str:
    """For the secret part of a callback's path: 256 random bits, safe in a URL."""
    return base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()


def derive_callback_token(secret: bytes | str, *, reference_id: str) -> str:
    """For a token that need not be stored: made from your secret and the reference id (HMAC).

    Raises InvalidInput (field `secret`) when the secret is shorter than 16 bytes.
    """
    key = secret.encode() if isinstance(secret, str) else secret
    if len(key) < _MIN_SECRET_BYTES:
        raise InvalidInput(
            f"The callback secret is too short: at least {_MIN_SECRET_BYTES} bytes.", field="secret"
        )
    digest = hmac.new(key, b"momokit callback " + reference_id.lower().encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def callback_token_hash(token: str) -> str:
    """For the database: what to keep of a token, so that a leaked table opens no address."""
    return hashlib.sha256(token.encode(errors="backslashreplace")).hexdigest()


def callback_token_matches(token: str, *, stored_hash: str) -> bool:
    """For the endpoint: is this the token whose hash was kept? Compared in constant time."""
    return hmac.compare_digest(
        callback_token_hash(token).encode(), stored_hash.encode(errors="backslashreplace")
    )


def callback_url(base_url: str, *, token: str) -> str:
    """For `X-Callback-Url`: the public base URL with the secret token as its last path segment."""
    if not re.fullmatch(_SEGMENT, token):
        raise InvalidInput(
            "A callback token has 22 to 128 letters, digits, - and _.",
            field="token",
            hint="new_callback_token() makes one.",
        )
    if "?" in base_url or "#" in base_url:
        raise _refused("The base of a callback URL has no query and no fragment.")
    return f"{base_url.rstrip('/')}/{token}"


def check_callback_url(url: str, *, market: str | Market, allow_local: bool = False) -> str:
    """For refusing a callback URL that MTN would never call; gives it back when it is good.

    For real money it is https on port 443 at a DNS name. MTN's sandbox, and an emulator of your own
    (`allow_local`), also take http, other ports and addresses. Raises InvalidInput (field
    `callback_url`).
    """
    if not url.isascii() or len(url) > _MAX_URL or any(c <= " " or c == "\x7f" for c in url):
        raise _refused("A callback URL has at most 2048 ASCII characters and no spaces.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("This is not a URL.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise _refused("A callback URL begins with https:// and a host name.")
    if "@" in parts.netloc:
        raise _refused("A callback URL carries no user name or password.")
    if "#" in url:
        raise _refused("A callback URL has no fragment.", hint="Remove the # and what follows.")
    if not (find_market(market).is_sandbox or allow_local):
        _check_production(parts.scheme, host, port)
    return url


def _check_production(scheme: str, host: str, port: int | None) -> None:
    if scheme != "https":
        raise _refused("MTN calls production callbacks over https only.")
    if port not in (None, 443):
        raise _refused(
            "MTN calls port 443 only.", hint="Put a reverse proxy on 443 in front of your port."
        )
    labels = host.removesuffix(".").split(".")
    # No top-level domain is a number, so a name that ends in one is an address in some notation.
    if ":" in host or (len(labels) > 1 and labels[-1].isdigit()):
        raise _refused("MTN calls a DNS name, never an IP address.")
    if len(labels) < 2 or not all(re.fullmatch(_HOST_LABEL, label) for label in labels):
        raise _refused("MTN cannot reach this host name from the internet.")


def _fields(raw: bytes, problems: list[str]) -> Mapping[str, Any]:
    if not raw.strip():
        problems.append("the body is empty")
        return {}
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.append("the body is not UTF-8")
        text = raw.decode("utf-8-sig", errors="replace")
    try:
        # Numbers stay as written: a float would change an amount, and a huge one would raise.
        parsed = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        problems.append("the body is not JSON")
        return {}
    if isinstance(parsed, list) and len(parsed) == 1:
        problems.append("the body is a list of one")
        parsed = parsed[0]
    if not isinstance(parsed, dict):
        problems.append("the body is not a JSON object")
        return {}
    return parsed


def _first_text(fields: Mapping[str, Any], *names: str, problems: list[str]) -> str | None:
    for name in names:
        value = fields.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            problems.append(f"{name} is not a text")
            continue
        # Control characters and halves of surrogate pairs break databases and logs further on.
        clean = "".join(c for c in value if c.isprintable()).strip()
        if clean != value or len(clean) > _MAX_FIELD:
            problems.append(f"{name} was cleaned")
        if clean:
            return clean[:_MAX_FIELD]
    return None


def _kind(fields: Mapping[str, Any]) -> CallbackKind:
    for kind, telling in _TELLING_FIELDS:
        if kind == "payment":
            return kind if telling <= fields.keys() else "unknown"
        if telling & fields.keys():
            return kind
    return "unknown"


def _reference_elsewhere(headers: Mapping[str, str], path: str) -> str | None:
    for name, value in headers.items():
        if str(name).lower() == "x-reference-id" and re.fullmatch(_UUID, str(value)):
            return value.lower()
    found = re.findall(_UUID, path[:_MAX_URL])
    return found[-1].lower() if found else None


def _refused(message: str, *, hint: str = "") -> InvalidInput:
    return InvalidInput(message, field="callback_url", hint=hint)
