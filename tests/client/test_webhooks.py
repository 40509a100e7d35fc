"""Webhooks: our signatures hold elsewhere, others' hold here, and nothing else does."""

from __future__ import annotations

import base64
import datetime
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from momokit.errors import InvalidInput, SignatureError
from momokit.webhooks import new_secret, sign, verify

SECRET = "whsec_" + base64.b64encode(b"an example secret of 32 bytes...").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret, also of 32 bytes").decode()
PAYLOAD = b'{"type": "payment.successful"}'
NOW = 1_790_000_000


def signed(
    payload: bytes = PAYLOAD, *, secrets: str | list[str] = SECRET, at: int = NOW
) -> dict[str, str]:
    """The headers of one signed webhook."""
    return sign(payload, secrets=secrets, message_id="msg_1", timestamp_seconds=at)


def check(headers: dict[str, str], *, payload: bytes = PAYLOAD, now: float = NOW) -> bytes:
    """The payload, after verifying with the one secret at a known time."""
    return verify(payload, headers, secrets=SECRET, now_seconds=now).payload


def test_what_we_sign_the_published_library_verifies() -> None:
    """A receiver in any of the format's languages accepts our webhooks."""
    secret = new_secret()
    headers = signed(secrets=secret, at=int(time.time()))
    assert Webhook(secret).verify(PAYLOAD, headers) == json.loads(PAYLOAD)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(PAYLOAD + b" ", headers)


@given(st.text(max_size=60).map(lambda text: json.dumps(text).encode()))
def test_what_the_published_library_signs_we_verify(payload: bytes) -> None:
    """A webhook signed by another implementation is accepted here."""
    at = datetime.datetime.fromtimestamp(NOW, tz=datetime.UTC)
    signature = Webhook(SECRET).sign("msg_9", at, payload.decode())
    headers = {
        "Webhook-Id": "msg_9",
        "Webhook-Timestamp": str(NOW),
        "Webhook-Signature": signature,
    }
    verified = verify(payload, headers, secrets=SECRET, now_seconds=NOW)
    assert (verified.message_id, verified.timestamp_seconds) == ("msg_9", NOW)
    assert verified.json() == json.loads(payload)


def test_the_clock_is_read_when_no_time_is_given() -> None:
    """In ordinary use a fresh webhook passes and an old one does not."""
    fresh = signed(at=int(time.time()))
    assert verify(PAYLOAD, fresh, secrets=SECRET).payload == PAYLOAD
    with pytest.raises(SignatureError, match="seconds old"):
        verify(PAYLOAD, signed(at=1_000_000_000), secrets=SECRET)


def test_a_secret_can_be_changed_without_losing_a_message() -> None:
    """While two secrets are in force, a receiver with either one accepts."""
    headers = signed(secrets=[OTHER, SECRET])
    assert len(headers["webhook-signature"].split()) == 2
    assert check(headers) == PAYLOAD
    assert verify(PAYLOAD, headers, secrets=OTHER, now_seconds=NOW).payload == PAYLOAD
    both = verify(PAYLOAD, signed(), secrets=[OTHER, SECRET], now_seconds=NOW)
    assert both.payload == PAYLOAD


def test_unknown_signature_versions_are_passed_over() -> None:
    """Signatures of other versions, and unreadable ones, do not hide a good one."""
    headers = signed()
    headers["webhook-signature"] = "v1a,AAAA v1,*** v1 " + headers["webhook-signature"]
    assert check(headers) == PAYLOAD


@pytest.mark.parametrize("seconds", [-300, -299.5, 0, 300])
def test_a_webhook_within_the_tolerance_passes(seconds: float) -> None:
    """Five minutes either way are allowed."""
    assert check(signed(), now=NOW + seconds) == PAYLOAD


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (301, "301 seconds old; 300 are allowed"),
        (-301, "301 seconds ahead of this clock"),
        (float("nan"), "seconds"),
    ],
)
def test_a_webhook_outside_the_tolerance_is_refused(seconds: float, words: str) -> None:
    """A replay, or a wrong clock, is named as such."""
    with pytest.raises(SignatureError, match=words):
        check(signed(), now=NOW + seconds)


@pytest.mark.parametrize(
    ("header", "value", "words"),
    [
        ("webhook-id", None, "webhook-id is missing"),
        ("webhook-timestamp", None, "webhook-timestamp is missing"),
        ("webhook-signature", None, "webhook-signature is missing"),
        ("webhook-id", "", "webhook-id is missing"),
        ("webhook-id", "msg_2", "No signature"),
        ("webhook-id", "é\ud800", "No signature"),
        ("webhook-timestamp", str(NOW + 1), "No signature"),
        ("webhook-timestamp", "soon", "not a number"),
        ("webhook-timestamp", f" {NOW}", "not a number"),
        ("webhook-timestamp", "1e9", "not a number"),
        ("webhook-timestamp", "٣", "not a number"),
        ("webhook-timestamp", "9" * 400, "not a number"),
        ("webhook-signature", "v1,", "No signature"),
        ("webhook-signature", "v1,AAAA", "No signature"),
        ("webhook-signature", "é", "No signature"),
        ("webhook-signature", "x" * 5000, "longer than any of ours"),
    ],
)
def test_a_changed_or_missing_header_is_refused_by_name(
    header: str, value: str | None, words: str
) -> None:
    """The error says which check failed, so that the receiver can repair it."""
    headers = signed()
    if value is None:
        del headers[header]
    else:
        headers[header] = value
    with pytest.raises(SignatureError, match=words):
        check(headers)


def test_a_signature_under_another_version_or_secret_does_not_count() -> None:
    """The right bytes under "v2", or made with another secret, are no signature."""
    relabelled = signed()
    relabelled["webhook-signature"] = relabelled["webhook-signature"].replace("v1,", "v2,")
    for headers in (relabelled, signed(secrets=OTHER)):
        with pytest.raises(SignatureError, match="No signature"):
            check(headers)


@given(st.integers(min_value=0, max_value=len(PAYLOAD) * 8 - 1))
def test_no_bit_of_the_payload_can_be_changed(bit: int) -> None:
    """Any flipped bit breaks the signature."""
    changed = bytearray(PAYLOAD)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureError):
        check(signed(), payload=bytes(changed))


def test_an_error_shows_neither_the_secret_nor_the_right_signature() -> None:
    """What is logged on a failure helps nobody to forge."""
    good = signed()["webhook-signature"].removeprefix("v1,")
    with pytest.raises(SignatureError) as caught:
        check(signed(secrets=OTHER))
    for private in (good, SECRET, SECRET.removeprefix("whsec_")):
        assert private not in repr(caught.value) + str(caught.value)


def test_only_the_first_signatures_are_looked_at() -> None:
    """A header stuffed with signatures costs a bounded amount of work."""
    headers = signed()
    headers["webhook-signature"] = "v1,AAAA " * 16 + headers["webhook-signature"]
    with pytest.raises(SignatureError, match="No signature"):
        check(headers)


def test_a_new_secret_is_unique_and_usable() -> None:
    """256 random bits in the published form."""
    secrets = {new_secret() for _ in range(20)}
    assert len(secrets) == 20
    for secret in secrets:
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
        again = verify(PAYLOAD, signed(secrets=secret), secrets=secret, now_seconds=NOW)
        assert again.payload == PAYLOAD


def test_a_secret_works_without_prefix_and_padding() -> None:
    """Both usual ways to copy a secret give the same signature."""
    bare = SECRET.removeprefix("whsec_").rstrip("=")
    assert signed(secrets=bare) == signed()


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_AAAA", "whsec_***", SECRET + "!", "é", "A" * 200, None, [], [None]],
)
def test_an_unusable_secret_is_refused_without_being_shown(secret: object) -> None:
    """Empty, short, long and unreadable secrets sign and verify nothing."""
    for use in (
        lambda: signed(secrets=secret),  # type: ignore[arg-type]
        lambda: verify(PAYLOAD, signed(), secrets=secret, now_seconds=NOW),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidInput) as caught:
            use()
        assert "AAAA" not in str(caught.value)
        assert SECRET[6:20] not in str(caught.value)


@pytest.mark.parametrize("message_id", ["", "a.b", "a b", "é", "x" * 129, "a\n"])
def test_a_message_id_that_could_confuse_is_refused(message_id: str) -> None:
    """A dot in the id would let two messages share one signature."""
    with pytest.raises(InvalidInput) as caught:
        sign(PAYLOAD, secrets=SECRET, message_id=message_id, timestamp_seconds=NOW)
    assert caught.value.field == "message_id"


def test_a_payload_is_bytes() -> None:
    """A text or a parsed body is refused: only the bytes on the wire are signed."""
    for payload in ("text", {"a": 1}):
        with pytest.raises(InvalidInput, match="signed as bytes"):
            signed(payload)  # type: ignore[arg-type]
