"""The log: lines of JSON with ids, and masks over everything that is written."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from momokit.gateway.log import about, configure, mask

SUBSCRIPTION_KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Send the log into a text, and put logging back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    names = ("httpx2", "httpcore2", "uvicorn", "alembic", "asyncio")
    levels = {name: logging.getLogger(name).level for name in names}
    stream = io.StringIO()
    configure(log_format="json", level="debug", stream=stream)
    yield stream
    root.handlers, root.level = handlers, level
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)
    structlog.reset_defaults()


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    """Read the lines back."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("payer 256772123456 declined", "payer 256••••56 declined"),
        ("+256772123456", "+25••••56"),
        ("0772123456,", "077••••56,"),
        ("Authorization: Bearer eyJhbGciOi.abc-def", "Authorization: Bearer ••••"),
        ("key mk_live_abcdefghijklmnop", "key mk_live_••••"),
        ("whsec_abcdefghijklmnop/+=", "whsec_••••"),
        (f"sent {SUBSCRIPTION_KEY}", "sent ••••"),
        ("GET /cb/abcdefghijklmnopqrstuvwxyz", "GET /cb/••••"),
        ("postgresql://momo:geheim@db/momo", "postgresql://momo:••••@db/momo"),
    ],
)
def test_what_looks_like_a_secret_or_a_number_is_masked(text: str, shown: str) -> None:
    """Keys, tokens, callback paths, passwords and phone numbers."""
    assert mask(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "pay_12345678901234567890123456789012",
        "47702439-5112-4111-8703-123456789012",
        "acc_ffe2feb77af94ccebd644ec9",
        "5000 UGX at 2026-11-24T06:47:07.912Z",
        "http://127.0.0.1:40513/v1/payments",
    ],
)
def test_what_a_payment_is_found_by_stays(text: str) -> None:
    """Ids, amounts, times and addresses are what a log is read for."""
    assert mask(text) == text


def test_a_line_has_the_ids_that_were_bound(lines: io.StringIO) -> None:
    """Whoever logs, through structlog or logging, the ids of the request are there."""
    with about(request_id="req_1", payment_id="pay_1"):
        logging.getLogger("momokit.gateway").warning("%s is late", "it", extra={"polls": 3})
        structlog.get_logger("momokit.gateway").info("settled", state="successful")
    logging.getLogger("momokit.gateway").info("after")
    first, second, third = read(lines)

    assert (first["event"], first["level"], first["polls"]) == ("it is late", "warning", 3)
    assert (second["event"], second["state"]) == ("settled", "successful")
    assert [one["request_id"] for one in (first, second)] == ["req_1", "req_1"]
    assert "request_id" not in third


def test_no_canary_passes_by_any_way(lines: io.StringIO) -> None:
    """Message, arguments, extra fields, nested values and tracebacks all go through the masks."""
    log = logging.getLogger("momokit.gateway")
    log.info("payer %s", "256772123456")
    log.info("extra", extra={"party": {"id": "256772123456", "keys": [SUBSCRIPTION_KEY]}})
    log.info("number", extra={"msisdn": 256772123456})
    structlog.get_logger("x").info("said", body=f'{{"partyId": "256772123456"}} {SUBSCRIPTION_KEY}')
    try:
        raise ValueError(f"256772123456 with {SUBSCRIPTION_KEY}")
    except ValueError:
        log.exception("failed")
    text = lines.getvalue()

    assert len(read(lines)) == 5
    assert "ValueError" in text
    assert [one for one in ("256772123456", "772123456", SUBSCRIPTION_KEY) if one in text] == []
