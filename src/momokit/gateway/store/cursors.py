"""Cursors of lists, newest first: where a page ended, as a text that callers hand back."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, or_


def cursor_of(created_at: float, row_id: str) -> str:
    """Name the place in a list behind which the next page begins."""
    return urlsafe_b64encode(msgspec.json.encode([created_at, row_id])).decode()


def before(at: Any, row_id: Any, cursor: str) -> ColumnElement[bool]:
    """Say which rows come behind a cursor. A cursor that is not ours is a ValueError."""
    try:
        last_at, last_id = msgspec.json.decode(
            urlsafe_b64decode(cursor.encode()), type=tuple[float, str]
        )
    except (ValueError, msgspec.MsgspecError) as error:
        raise ValueError("That is not a cursor that we gave out.") from error
    return or_(at < last_at, and_(at == last_at, row_id < last_id))
