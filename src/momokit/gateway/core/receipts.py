"""The facts of a printed receipt: of one payment of a batch, and of a whole batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class RowReceipt:
    """For the receipt of one row. `at` is ISO 8601 in UTC; `amount` plain decimal digits.

    `payee` is the number as it may be shown: masked, unless the reader may see it in full.
    """

    payment_id: str
    row: int
    payee: str = field(repr=False)
    name: str = field(repr=False)
    amount: str
    currency: str
    state: str
    reference: str = ""
    note: str = ""
    financial_transaction_id: str | None = None
    reason_code: str | None = None
    at: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchReceipt:
    """For the receipt of a batch: how many rows and how much money stand in each state.

    `counts` and `money` go by state; `hash` is what was approved, `approved_by` by whom.
    """

    batch_id: str
    label: str
    account: str
    market: str
    currency: str
    state: str
    period: str = ""
    hash: str = ""
    submitted_by: str = ""
    approved_by: tuple[str, ...] = ()
    started_at: str | None = None
    finished_at: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    money: Mapping[str, str] = field(default_factory=dict)
