"""Statements of MTN, how they were matched, and what did not match."""

from __future__ import annotations

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this step is for."""


def downgrade() -> None:
    """Refuse: money's history is not dropped."""
    raise NotImplementedError("Schemas go forward; restore a backup instead.")
