"""Personal data: what the database holds of people is sealed, and found by a keyed hash."""

from __future__ import annotations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this step is for."""


def downgrade() -> None:
    """Refuse: money's history is not dropped."""
    raise NotImplementedError("Schemas go forward; restore a backup instead.")
