"""The truth about a payment: refusals confirmed, cancellations asked, a person's word, incidents
that repeat."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is known of a payment besides its state, and the count of an incident."""
    for column in (
        sa.Column("refused_code", sa.String(), nullable=True),
        sa.Column("cancel_reference_id", sa.String(), nullable=True),
        sa.Column("cancel_taken_at", sa.Double(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
    ):
        op.add_column("payments", column)
    op.create_index(
        "ix_payments_hinted",
        "payments",
        ["account_id", "due_at"],
        sqlite_where=sa.text("hinted AND work = 'settle'"),
        postgresql_where=sa.text("hinted AND work = 'settle'"),
    )
    op.add_column("incidents", sa.Column("times", sa.Integer(), server_default="1", nullable=False))
    op.add_column("incidents", sa.Column("last_seen_at", sa.Double(), nullable=True))
    op.create_index(
        "ix_incidents_payment",
        "incidents",
        ["payment_id"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def downgrade() -> None:
    """Refuse: money's history is not dropped."""
    raise NotImplementedError("Schemas go forward; restore a backup instead.")
