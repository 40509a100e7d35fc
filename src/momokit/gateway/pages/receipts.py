"""Receipts that print well: one for each payment of a batch, and one for the whole batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from momokit.gateway.core.receipts import BatchReceipt, RowReceipt


def batch_receipt_page(
    batch: BatchReceipt, *, rows: Iterable[RowReceipt], language: str = "en"
) -> Iterator[str]:
    """For printing a batch: its summary and a list of its rows, as pieces of one HTML page."""
    raise NotImplementedError


def row_receipt_page(row: RowReceipt, *, batch: BatchReceipt, language: str = "en") -> str:
    """For printing one payment: an HTML page to hand to the payee."""
    raise NotImplementedError
