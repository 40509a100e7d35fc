"""Payment links and invoices."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_HISTORY_SQLITE = """
CREATE TRIGGER invoice_events_no_{verb} BEFORE {verb} ON invoice_events
BEGIN SELECT RAISE(ABORT, 'history is only added to'); END
"""
_HISTORY_POSTGRES = """
CREATE FUNCTION invoice_events_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'history is only added to'; END $$
"""
_TRIGGER_POSTGRES = """
CREATE TRIGGER invoice_events_no_change BEFORE UPDATE OR DELETE ON invoice_events
FOR EACH ROW EXECUTE FUNCTION invoice_events_refuse()
"""


def upgrade() -> None:
    """Add invoices and their history, checkouts, the attempts at both, and webhooks of invoices."""
    _add_invoices()
    _add_invoice_history()
    _add_checkouts()
    _add_attempts()
    with op.batch_alter_table("deliveries") as table:
        table.alter_column("payment_id", existing_type=sa.String(), nullable=True)
        table.add_column(sa.Column("invoice_id", sa.String(), nullable=True))
        table.create_foreign_key("fk_deliveries_invoice_id", "invoices", ["invoice_id"], ["id"])
    op.create_index(
        "ix_deliveries_invoice", "deliveries", ["invoice_id"], **_where("invoice_id IS NOT NULL")
    )


def downgrade() -> None:
    """Refuse: money's history is not dropped."""
    raise NotImplementedError("Schemas go forward; restore a backup instead.")


def _add_invoices() -> None:
    op.create_table(
        "invoices",
        _text("id"),
        _text("account_id"),
        _text("number"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _text("payer_hash", nullable=True),
        _text("currency"),
        _text("total"),
        sa.Column("allow_partial", sa.Boolean(), nullable=False),
        _text("least", nullable=True),
        _time("due_at"),
        _time("expires_at"),
        sa.Column("reminders", sa.Text(), nullable=False),
        _text("language", nullable=True),
        _text("stage"),
        _text("state"),
        sa.Column("sequence", sa.Integer(), nullable=False),
        *(_time(f"{name}_at") for name in ("sent", "cancelling", "cancelled", "paid", "next")),
        _time("looked_at", nullable=False),
        _text("api_key_id", nullable=True),
        _time("created_at", nullable=False),
        _time("updated_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invoices"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_invoices_account_id"),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], name="fk_invoices_api_key_id"),
        sa.UniqueConstraint("account_id", "number", name="uq_invoices_account_id_number"),
    )
    op.create_index("ix_invoices_created", "invoices", ["created_at", "id"])
    op.create_index("ix_invoices_next", "invoices", ["next_at"], **_where("next_at IS NOT NULL"))
    op.create_table(
        "invoice_counters",
        _text("account_id"),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_invoice_counters"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_invoice_counters_account_id"
        ),
    )


def _add_invoice_history() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "invoice_events",
        sa.Column("id", number, autoincrement=True, nullable=False),
        _text("invoice_id"),
        sa.Column("sequence", sa.Integer(), nullable=False),
        _time("at", nullable=False),
        _text("event"),
        _text("state"),
        _text("paid"),
        _text("payment_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_invoice_events"),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name="fk_invoice_events_invoice_id"
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name="fk_invoice_events_payment_id"
        ),
        sa.UniqueConstraint("invoice_id", "sequence", name="uq_invoice_events_invoice_id_sequence"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(_HISTORY_SQLITE.format(verb=verb))
    else:
        op.execute(_HISTORY_POSTGRES)
        op.execute(_TRIGGER_POSTGRES)


def _add_checkouts() -> None:
    op.create_table(
        "checkouts",
        _text("id"),
        _text("kind"),
        _text("account_id"),
        _text("link_id", nullable=True),
        _text("invoice_id", nullable=True),
        _text("token_hash"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _text("amount", nullable=True),
        _text("least", nullable=True),
        _text("most", nullable=True),
        _text("currency"),
        _text("merchant_reference", nullable=True),
        _text("language", nullable=True),
        _time("expires_at"),
        _time("closed_at"),
        _text("api_key_id", nullable=True),
        _time("created_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_checkouts"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_checkouts_account_id"),
        sa.ForeignKeyConstraint(["link_id"], ["checkouts.id"], name="fk_checkouts_link_id"),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name="fk_checkouts_invoice_id"),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], name="fk_checkouts_api_key_id"),
        sa.UniqueConstraint("token_hash", name="uq_checkouts_token_hash"),
        sa.CheckConstraint("kind IN ('checkout', 'link', 'invoice')", name="ck_checkouts_kind"),
    )
    op.create_index("ix_checkouts_created", "checkouts", ["kind", "created_at", "id"])
    op.create_index("ix_checkouts_link", "checkouts", ["link_id"], **_where("link_id IS NOT NULL"))
    op.create_index(
        "uq_checkouts_invoice",
        "checkouts",
        ["invoice_id"],
        unique=True,
        **_where("invoice_id IS NOT NULL"),
    )


def _add_attempts() -> None:
    op.create_table(
        "attempts",
        _text("payment_id"),
        _text("channel"),
        _text("checkout_id", nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        _text("invoice_id", nullable=True),
        sa.Column("holds", sa.Boolean(), nullable=False),
        _time("created_at", nullable=False),
        sa.PrimaryKeyConstraint("payment_id", name="pk_attempts"),
        # Looked at when the transaction ends: the attempt is written before its payment.
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payments.id"],
            name="fk_attempts_payment_id",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.ForeignKeyConstraint(["checkout_id"], ["checkouts.id"], name="fk_attempts_checkout_id"),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name="fk_attempts_invoice_id"),
        sa.UniqueConstraint("checkout_id", "number", name="uq_attempts_checkout_id_number"),
        sa.CheckConstraint(
            "(checkout_id IS NULL) = (number IS NULL) AND"
            " (checkout_id IS NOT NULL OR invoice_id IS NOT NULL)",
            name="ck_attempts_subject",
        ),
    )
    for name, column, condition in (
        ("uq_attempts_checkout_held", "checkout_id", "holds AND checkout_id IS NOT NULL"),
        ("uq_attempts_invoice_held", "invoice_id", "holds AND checkout_id IS NULL"),
    ):
        op.create_index(name, "attempts", [column], unique=True, **_where(condition))
    op.create_index(
        "ix_attempts_invoice", "attempts", ["invoice_id"], **_where("invoice_id IS NOT NULL")
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Double(), nullable=nullable)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
