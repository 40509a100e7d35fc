"""Fairness: what is due is handed out in equal shares, so that nobody's flood starves others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, Select, bindparam

from momokit.gateway.store.database import Transaction


def shared(
    base: Select[Any],
    *,
    owner: ColumnElement[Any],
    key: ColumnElement[Any],
    near: Callable[[ColumnElement[Any]], ColumnElement[bool]] | None = None,
) -> Select[Any]:
    """Write down the statement that `share_out` runs for one owner after the other.

    `base` has its order and its conditions already; `near` says which of an owner's rows are looked
    at.
    """
    whose = bindparam("whose", type_=owner.type)
    query = base.where(owner == whose, key.not_in(bindparam("taken", expanding=True)))
    if near is not None:
        query = query.where(near(whose))
    wanted = bindparam("wanted", type_=Integer)
    return query.limit(wanted).with_for_update(skip_locked=True)


def share_out(
    transaction: Transaction,
    query: Select[Any],
    *,
    owners: Sequence[Any],
    limit: int,
    most: Callable[[Any], int] | None = None,
    beside: Sequence[Row[Any]] = (),
    values: Mapping[str, Any] = MappingProxyType({}),
) -> list[Row[Any]]:
    """Take and lock up to `limit` rows, an equal share for each owner; what is left goes round.

    `most` says how many an owner may have at all; `beside` are rows that are taken already, and
    `values` what the statement wants to be given besides. Rows that another worker holds are
    passed over, not waited for.
    """
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
            given = {"whose": one, "wanted": wanted, "taken": [row.id for row in (*beside, *taken)]}
            rows = transaction.connection.execute(query, {**values, **given}).all()
            taken += rows
            left[one] -= len(rows)
            if len(rows) == wanted and left[one] > 0:
                still_hungry.append(one)
        hungry = still_hungry
    return taken
