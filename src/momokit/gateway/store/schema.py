"""Every table there is, as one whole: what the migrations are held against."""

from __future__ import annotations

from momokit.gateway.store import batch_tables, guard_tables, link_tables, statement_tables, tables
from momokit.gateway.store.columns import metadata

__all__ = ["batch_tables", "guard_tables", "link_tables", "metadata", "statement_tables", "tables"]
