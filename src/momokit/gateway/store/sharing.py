"""Fairness: what is due is handed out in equal shares, so that nobody's flood starves others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, Select, bindparam

from momokit.gateway.store.database import Transaction


def share_out(
    transaction: Transaction,
    base: Select[Any],
    *,
    owner: ColumnElement[Any],
    key: ColumnElement[Any],
    owners: Sequence[Any],
    limit: int,
    most: Callable[[Any], int] | None = None,
    near: Callable[[Any], ColumnElement[bool]] | None = None,
) -> list[Row[Any]]:
    """Take and lock up to `limit` rows, an equal share for each owner; what is left goes round.

    `base` has its order and its conditions already; `most` says how many an owner may have at all,
    `near` which of an owner's rows are looked at.
    Rows that another worker holds are passed over, not waited for.
    """
    # Written down once: it is the owner that changes, and how many rows.
    whose = bindparam("whose", type_=owner.type)
    query = base.where(owner == whose, key.not_in(bindparam("taken", expanding=True)))
    query = query.limit(bindparam("wanted", type_=Integer)).with_for_update(skip_locked=True)
    if near is not None:
        query = query.where(near(whose))
    taken: list[Row[Any]] = []
    left = {one: most(one) if most is not None else limit for one in owners}
    hungry = [one for one in owners if left[one] > 0]
    while hungry and len(taken) < limit:
        share = ceil((limit - len(taken)) / len(hungry))
        still_hungry: list[Any] = []
        for one in hungry:
            wanted = min(share, limit - len(taken), left[one])
            if wanted == 0:
                break
            ids = [row.id for row in taken]
            values = {"whose": one, "wanted": wanted, "taken": ids}
            rows = transaction.connection.execute(query, values).all()
            taken += rows
            left[one] -= len(rows)
            if len(rows) == wanted and left[one] > 0:
                still_hungry.append(one)
        hungry = still_hungry
    return taken
