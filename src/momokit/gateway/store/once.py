"""Making something once for each idempotency key, where what is made is no payment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from momokit.gateway.store.database import Transaction
from momokit.gateway.store.idempotency import claim_keys, finish_key
from momokit.gateway.store.records import IdempotencyClaim, Outcome

CREATED = 201


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """What a request made, or what the request before it had made. On a conflict there is no id."""

    outcome: Outcome
    row_id: str


def make_once(
    transaction: Transaction, claim: IdempotencyClaim | None, make: Callable[[Transaction], str]
) -> Made:
    """Make something and keep its id under the key, all in this transaction; or find that id.

    Whatever `make` raises undoes the claim as well.
    """
    if claim is None:
        return Made(outcome=Outcome.NEW, row_id=make(transaction))
    [state] = claim_keys(transaction, [(claim, None)])
    if state.outcome is not Outcome.NEW:
        return Made(outcome=state.outcome, row_id=state.response or "")
    row_id = make(transaction)
    finish_key(transaction, claim=claim, status=CREATED, response=row_id)
    return Made(outcome=Outcome.NEW, row_id=row_id)
