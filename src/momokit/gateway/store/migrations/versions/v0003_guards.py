"""Guards: limits, breakers, and the hold after a restore."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the guards' tables; accounts get limits, payments the day they were counted under."""
    op.add_column("accounts", sa.Column("limits", sa.Text(), nullable=True))
    op.add_column("payments", sa.Column("counted_day", sa.Integer(), nullable=True))
    op.drop_index("ix_payments_due", "payments")
    op.create_index(
        "ix_payments_due",
        "payments",
        ["work", "account_id", "due_at", "product"],
        unique=False,
        sqlite_where=sa.text("work IS NOT NULL"),
        postgresql_where=sa.text("work IS NOT NULL"),
    )
    _spent()
    _lanes()
    _switches()
    _guard_events()


def downgrade() -> None:
    """Refuse: money's history is not dropped."""
    raise NotImplementedError("Schemas go forward; restore a backup instead.")


def _spent() -> None:
    op.create_table(
        "spent",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("party_hash", sa.String(), nullable=False),
        sa.Column("amount", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id", "currency", "day", "party_hash", name=op.f("pk_spent")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_spent_account_id")),
    )
    op.create_index("ix_spent_day", "spent", ["day"], unique=False)


def _lanes() -> None:
    op.create_table(
        "lanes",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("open_until", sa.Double(), nullable=False),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.Column("probe_until", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "product", "work", name=op.f("pk_lanes")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_lanes_account_id")),
    )


def _switches() -> None:
    op.create_table(
        "switches",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switches")),
    )


def _guard_events() -> None:
    op.create_table(
        "guard_events",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guard_events")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_guard_events_account_id")
        ),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER guard_events_no_{verb.lower()} BEFORE {verb} ON guard_events "
                "BEGIN SELECT RAISE(ABORT, 'history is only added to'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER guard_events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON guard_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change()"
    )
