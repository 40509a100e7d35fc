"""The gateway's log: one JSON object a line (or coloured lines), with request and payment ids.

What is logged holds no secrets and no phone numbers in the first place; here is the second net,
which masks what looks like one in every line, whoever wrote it, tracebacks included.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec
import structlog

from momokit.gateway.settings import LogFormat

MASK = "••••"

_SECRETS = re.compile(
    r"(?P<start>\bmk_(?:live|test)_|\bwhsec_|\b(?:Bearer|Basic)\s+|/cb/)[A-Za-z0-9._~+/=-]{8,}"
    r"|\b[0-9a-f]{32}\b|(?P<user>//[^:/@\s]*):[^@\s]+@"
)
# A UUID, or an id of ours, may hold long runs of digits and is needed to find a payment by.
_NUMBERS = re.compile(
    r"(?P<id>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b[a-z]{2,6}_[0-9a-f]{24,32}\b)"
    r"|(?P<number>\+?\d{8,15})(?!\d)"
)

_EVERY_RECORD_HAS = frozenset(
    (*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName", "color_message")
)
_encode = msgspec.json.Encoder(enc_hook=str).encode


def mask(text: str) -> str:
    """Hide what looks like a key, a token or a phone number; ids of payments stay."""
    return _NUMBERS.sub(_mask_number, _SECRETS.sub(_mask_secret, text))


def masked(value: Any) -> Any:
    """Mask every text inside a value."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {mask(str(name)): masked(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [masked(one) for one in value]
    if isinstance(value, bool | float | None):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10_000_000 else mask(str(value))
    return mask(str(value))


def configure(
    *, log_format: LogFormat = "json", level: str = "info", stream: TextIO | None = None
) -> logging.Handler:
    """Send all log lines of this process through the masks; gives the handler put in place."""
    last: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if log_format == "console":
        last = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.format_exc_info,
        _mask_event,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    formatter = _Lines(
        is_json=log_format == "json",
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # These speak of every request and every socket; below a warning they are not for operators.
    for name in ("httpx2", "httpcore2", "uvicorn", "alembic", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        # Not structlog's factory: it makes every logger of the process look for its caller slowly.
        logger_factory=logging.getLogger,
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return handler


class about:
    """Put ids (request_id, payment_id, account_id) on every line that is written inside."""

    __slots__ = ("_ids", "_tokens")

    def __init__(self, **ids: str) -> None:
        self._ids = ids

    def __enter__(self) -> None:
        self._tokens = structlog.contextvars.bind_contextvars(**self._ids)

    def __exit__(self, *_: object) -> None:
        structlog.contextvars.reset_contextvars(**self._tokens)


class _Lines(structlog.stdlib.ProcessorFormatter):
    """Writes lines. The plain ones of the standard library, which are nearly all, it writes by
    itself when they are JSON: every request has one, and structlog's way takes five times as long.
    """

    def __init__(self, *, is_json: bool, **given: Any) -> None:
        super().__init__(**given)
        self._is_json = is_json

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        if not self._is_json or not isinstance(record.msg, str):
            return super().format(record)
        given = record.__dict__
        line = {"event": mask(record.getMessage())}
        for name in given.keys() - _EVERY_RECORD_HAS:
            line[mask(name)] = masked(given[name])
        for name, value in structlog.contextvars.get_contextvars().items():
            line[name] = masked(value)
        line["level"] = record.levelname.lower()
        line["logger"] = record.name
        if record.exc_info:
            line["exception"] = mask(self.formatException(record.exc_info))
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        line["at"] = at.replace("+00:00", "Z")
        return _encode(line).decode()


def _mask_event(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    # Names with an underscore are structlog's own, among them the record it began with.
    return {k: v if k.startswith("_") else masked(v) for k, v in event.items()}


def _mask_secret(found: re.Match[str]) -> str:
    if found["user"]:
        return f"{found['user']}:{MASK}@"
    return f"{found['start'] or ''}{MASK}"


def _mask_number(found: re.Match[str]) -> str:
    number: str | None = found["number"]
    return f"{number[:3]}{MASK}{number[-2:]}" if number else found[0]
