"""Every table there is, as one whole: what the migrations are held against."""

from __future__ import annotations

from momokit.gateway.store import batch_tables, guard_tables, link_tables, statement_tables
from momokit.gateway.store.tables import metadata

__all__ = ["batch_tables", "guard_tables", "link_tables", "metadata", "statement_tables"]
