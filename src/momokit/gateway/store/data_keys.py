"""The data keys: two rows, sealed by the gateway's secret key, that open everything personal.

They never change, so that a new secret key means two rows sealed anew, however many payments there
are. They are made once, with the database's first start.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection, select, update

from momokit.gateway.store.database import Transaction, insert_unless_there
from momokit.gateway.store.tables import data_keys
from momokit.gateway.store.veil import KEY_BYTES, Veil

LOOK_UP, ROWS = "look_up", "rows"
_PURPOSES = {1: LOOK_UP, 2: ROWS}


class Wrap(Protocol):
    """What seals the data keys themselves: the gateway's secret key."""

    def seal(self, plain: bytes, *, row_id: str) -> bytes:
        """Seal a key for its row."""
        ...

    def open(self, sealed: bytes, *, row_id: str) -> bytes:
        """Open a row's key. Raises ConfigurationError when it was sealed with another."""
        ...

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether a value is under the present secret key."""
        ...

    def renew(self, sealed: bytes, *, row_id: str) -> bytes:
        """Put a value under the present secret key."""
        ...


def open_veil(
    connection: Connection,
    wrap: Wrap,
    *,
    now: float,
    random: Callable[[int], bytes] = os.urandom,
) -> Veil:
    """Open the data keys, and make them where there are none yet.

    Commit before anything is sealed with them. Of two processes that do this at the same time one
    makes the keys, and both have the same. Raises ConfigurationError for another secret key.
    """
    rows = connection.execute(select(data_keys)).all()
    if not rows:
        for number, purpose in _PURPOSES.items():
            sealed = wrap.seal(random(KEY_BYTES), row_id=_row_id(number))
            connection.execute(
                insert_unless_there(connection, data_keys).values(
                    id=number, purpose=purpose, key_sealed=sealed, created_at=now
                )
            )
        rows = connection.execute(select(data_keys)).all()
    opened = {
        row.id: (row.purpose, wrap.open(bytes(row.key_sealed), row_id=_row_id(row.id)))
        for row in rows
    }
    return Veil(
        keys={number: key for number, (purpose, key) in opened.items() if purpose == ROWS},
        look_up_key=next(key for purpose, key in opened.values() if purpose == LOOK_UP),
    )


def renew_data_keys(transaction: Transaction, wrap: Wrap) -> int:
    """Put the data keys under the present secret key; tell how many were under a former one."""
    count = 0
    for row in transaction.connection.execute(select(data_keys)).all():
        sealed = bytes(row.key_sealed)
        if wrap.is_current(sealed):
            continue
        renewed = wrap.renew(sealed, row_id=_row_id(row.id))
        transaction.connection.execute(
            update(data_keys).where(data_keys.c.id == row.id).values(key_sealed=renewed)
        )
        count += 1
    return count


def _row_id(number: int) -> str:
    return f"data_keys {number}"
