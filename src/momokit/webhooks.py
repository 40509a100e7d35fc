"""Webhooks to merchants: signed and verified in the Standard Webhooks format.

Three headers travel with each webhook: `webhook-id`, `webhook-timestamp` (seconds) and
`webhook-signature`, which holds one or more `v1,<base64 HMAC-SHA256>` separated by spaces: one
for each secret in force, so that a secret can be changed without losing a message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from momokit.errors import InvalidInput, SignatureError

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix, no secret
TOLERANCE_SECONDS = 300
_MIN_SECRET_BYTES = 16
_MAX_SECRET_BYTES = 64
_MAX_SIGNATURES = 16
_MAX_HEADER = 4096
_MESSAGE_ID = r"[!-\-/-~]{1,128}"
_TIMESTAMP = r"[0-9]{1,12}"


@dataclass(frozen=True, slots=True)
class VerifiedWebhook:
    """For acting on a webhook whose signature held: drop it when `message_id` was seen before."""

    message_id: str
    timestamp_seconds: int
    payload: bytes

    def json(self) -> Any:
        """For reading the payload as JSON."""
        return json.loads(self.payload)


def new_secret() -> str:
    """For a new merchant endpoint: 256 random bits in the `whsec_…` form."""
    return SECRET_PREFIX + base64.b64encode(os.urandom(32)).decode()


def sign(
    payload: bytes, *, secrets: str | Sequence[str], message_id: str, timestamp_seconds: int
) -> dict[str, str]:
    """For sending: the three headers that prove who sent this payload, and when.

    Several `secrets` give several signatures (while one is being replaced). Raises InvalidInput
    for a secret or a message id that cannot be used.
    """
    if not re.fullmatch(_MESSAGE_ID, message_id):
        raise InvalidInput(
            "A message id has 1 to 128 visible ASCII characters and no dot.", field="message_id"
        )
    if timestamp_seconds < 0:
        raise InvalidInput("The time stamp is before 1970.", field="timestamp_seconds")
    stamp = str(int(timestamp_seconds))
    signatures = (_signature(key, message_id, stamp, payload) for key in _keys(secrets))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(signature).decode()}" for signature in signatures
        ),
    }


def verify(
    payload: bytes,
    headers: Mapping[str, str],
    *,
    secrets: str | Sequence[str],
    now_seconds: float | None = None,
    tolerance_seconds: float = TOLERANCE_SECONDS,
) -> VerifiedWebhook:
    """For receiving: the payload, once its signature and its age have been checked.

    Give the body's bytes exactly as they came, and any secret that may be in force. The clock is
    read only when `now_seconds` is not given. Raises SignatureError that says which check failed,
    and InvalidInput when a secret of your own cannot be used.
    """
    keys = _keys(secrets)
    found = {name.lower(): value for name, value in headers.items()}
    message_id = _header(found, "webhook-id")
    stamp = _header(found, "webhook-timestamp")
    offered = _header(found, "webhook-signature")
    if not re.fullmatch(_TIMESTAMP, stamp):
        raise SignatureError("The header webhook-timestamp is not a number of seconds.")
    # The age is public, so that a wrong clock shows itself before the secret is suspected.
    age = (time.time() if now_seconds is None else now_seconds) - int(stamp)
    if not abs(age) <= tolerance_seconds:
        when = "old" if age > 0 else "ahead of this clock"
        raise SignatureError(
            f"The webhook is {abs(age):.0f} seconds {when}; {tolerance_seconds:.0f} are allowed.",
            hint="Check the receiver's clock; a resent webhook carries a new time stamp.",
        )
    expected = [_signature(key, message_id, stamp, payload) for key in keys]
    if not _any_equal(expected, _offered_signatures(offered)):
        raise SignatureError(
            "No signature of the webhook matches its payload.",
            hint="Check the secret, and that the body is the untouched bytes as received.",
        )
    return VerifiedWebhook(message_id, int(stamp), payload)


def _keys(secrets: str | Sequence[str]) -> list[bytes]:
    listed = [secrets] if isinstance(secrets, str) else list(secrets or ())
    if not listed:
        raise InvalidInput("At least one webhook secret is needed.", field="secrets")
    return [_key(secret) for secret in listed]


def _key(secret: str) -> bytes:
    try:
        text = secret.removeprefix(SECRET_PREFIX)
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, TypeError, AttributeError):
        key = b""
    if not _MIN_SECRET_BYTES <= len(key) <= _MAX_SECRET_BYTES:
        # `from None`: the cause could carry the secret into a log.
        raise InvalidInput(
            "A webhook secret is not usable.",
            field="secrets",
            hint=f"It is {SECRET_PREFIX} and the base64 of {_MIN_SECRET_BYTES} to"
            f" {_MAX_SECRET_BYTES} bytes; new_secret() makes one.",
        ) from None
    return key


def _signature(key: bytes, message_id: str, stamp: str, payload: object) -> bytes:
    if not isinstance(payload, bytes | bytearray | memoryview):
        raise InvalidInput(
            "The payload is signed as bytes.",
            field="payload",
            hint="Give the body as it goes over the wire, before any parsing.",
        )
    # A header can hold characters that have no UTF-8 form; such an id simply never matches.
    signed = b".".join((message_id.encode(errors="backslashreplace"), stamp.encode(), payload))
    return hmac.new(key, signed, hashlib.sha256).digest()


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise SignatureError(f"The header {name} is missing.")
    if len(value) > _MAX_HEADER:
        raise SignatureError(f"The header {name} is longer than any of ours.")
    return value


def _offered_signatures(header: str) -> list[bytes]:
    offered = []
    for part in header.split()[:_MAX_SIGNATURES]:
        version, _, encoded = part.partition(",")
        if version == "v1":
            try:
                offered.append(base64.b64decode(encoded, validate=True))
            except (binascii.Error, ValueError):
                continue
    return offered


def _any_equal(expected: Sequence[bytes], offered: Sequence[bytes]) -> bool:
    """Every pair is compared, in constant time, so that the answer's timing tells nothing."""
    matches = [hmac.compare_digest(one, other) for one in expected for other in offered]
    return any(matches)
