"""Mistakes that a type checker must catch: each ignore here is unused, and so an error, when it
does not. Checked, never run."""

from __future__ import annotations

from momokit import Client


def mistaken(momo: Client) -> None:
    """A float, a misspelt option, a missing payer, a version that does not exist."""
    momo.collection.request_to_pay(amount=5.5, payer="1")  # type: ignore[arg-type]
    momo.collection.request_to_pay(amount=5, payer="1", referenceid="x")  # type: ignore[call-arg]
    momo.collection.request_to_pay(amount=5)  # type: ignore[call-arg]
    momo.disbursement.deposit(amount=5, payee="1", version=3)  # type: ignore[arg-type]
    momo.collection.request_to_pay(5, "1")  # type: ignore[call-arg]
