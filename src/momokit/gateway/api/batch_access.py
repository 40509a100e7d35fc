"""Who may see a batch, who acts on it, and what is not done, said as a problem."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from litestar import Request

from momokit.gateway.api.batch_views import BatchView, batch_view
from momokit.gateway.api.callers import APPROVE, DISBURSE, READ
from momokit.gateway.api.edge import Caller, Edge
from momokit.gateway.api.problems import CODES, Problem
from momokit.gateway.core.batch import BatchRefused
from momokit.gateway.store.batch_history import Actor, list_approvals
from momokit.gateway.store.batch_rows import count_checks
from momokit.gateway.store.batch_running import progress_of
from momokit.gateway.store.batches import Batch, find_batch
from momokit.gateway.store.database import Transaction

Asked: TypeAlias = Request[Any, Any, Any]
TAGS = ["Batches"]
MAKERS = frozenset({DISBURSE})
CHECKERS = frozenset({APPROVE})
EITHER = frozenset({DISBURSE, APPROVE})
READERS = frozenset({DISBURSE, APPROVE, READ})


def actor_of(caller: Caller) -> Actor:
    """Give the person behind a key."""
    return Actor(person=caller.person, api_key_id=caller.key_id)


async def visible_batch(edge: Edge, caller: Caller, batch_id: str) -> Batch:
    """Find a batch that the caller may know of; to the rest it does not exist."""
    batch = await edge.store.read(lambda t: find_batch(t, batch_id))
    if batch is None or not may_see_batch(caller, batch):
        raise Problem("not_found")
    return batch


def may_see_batch(caller: Caller, batch: Batch) -> bool:
    """Tell whether a caller may know of a batch: of their account, and read, checked or made by
    them."""
    if caller.account_id not in (None, batch.account_id):
        return False
    return caller.has({READ, APPROVE}) or batch.maker == caller.person


@contextmanager
def told_as_problems() -> Iterator[None]:
    """Say what is not done with a batch as the API says it."""
    try:
        yield
    except BatchRefused as refused:
        code = refused.code if refused.code in CODES else "conflict"
        raise Problem(code, refused.message) from None


async def shown(edge: Edge, batch: Batch) -> BatchView:
    """Show a batch with what has to be counted of it, all at one moment."""

    def count(transaction: Transaction) -> BatchView:
        now = find_batch(transaction, batch.id) or batch
        return batch_view(
            now,
            approvals=list_approvals(transaction, batch.id),
            checks=count_checks(transaction, batch.id),
            progress=progress_of(transaction, batch.id),
        )

    return await edge.store.read(count)
