"""Batches and their rows, who approved them, and what was done to them.

What makes two persons out of a maker and a checker is here, in constraints and (in the migration)
in triggers: no code of ours can forget it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from momokit.gateway.store.columns import RowNumber, count, flag, metadata, only_where

batches = Table(
    "batches",
    metadata,
    Column("id", String, primary_key=True),
    Column("account_id", String, ForeignKey("accounts.id"), nullable=False),
    Column("parent_id", String, ForeignKey("batches.id")),
    Column("api_key_id", String, ForeignKey("api_keys.id")),
    Column("maker", String, nullable=False),
    Column("label", String, nullable=False),
    Column("period", String),
    Column("currency", String, nullable=False),
    Column("exponent", Integer, nullable=False),
    Column("file_name", String, nullable=False),
    Column("file_digest", String),
    Column("content_digest", String),
    Column("layout", LargeBinary, nullable=False),
    Column("state", String, nullable=False),
    Column("rows_hash", String),
    Column("approvals_needed", Integer, nullable=False, default=1),
    Column("wanted_overrides", Text, nullable=False, default="[]"),
    flag("loaded"),
    flag("check_holders"),
    count("row_count"),
    count("included_count"),
    count("amount_minor", BigInteger),
    Column("rows_per_second", Double, nullable=False),
    Column("in_flight_cap", Integer, nullable=False),
    count("prepared_through"),
    Column("paused_reason", Text),
    Column("balance_minor", BigInteger),
    Column("balance_at", Double),
    Column("spendable_minor", BigInteger),
    Column("released_at", Double),
    Column("resumed_at", Double),
    Column("due_at", Double),
    Column("lease_until", Double),
    count("lease_token"),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("submitted_at", Double),
    Column("approved_at", Double),
    Column("started_at", Double),
    Column("ended_at", Double),
    UniqueConstraint("id", "maker"),
    UniqueConstraint("id", "rows_hash"),
    CheckConstraint("approvals_needed >= 1", name="ck_batches_approvals_needed"),
)
Index("ix_batches_due", batches.c.due_at, **only_where("due_at IS NOT NULL"))
Index("ix_batches_created", batches.c.created_at, batches.c.id)
Index("ix_batches_account", batches.c.account_id, batches.c.approved_at)
Index("ix_batches_file", batches.c.file_digest, **only_where("file_digest IS NOT NULL"))
Index("ix_batches_content", batches.c.content_digest, **only_where("content_digest IS NOT NULL"))

# Rows are known by their number in the file. `sealed` holds whom they pay and the cells as they
# were; what must be found again is beside it as a keyed digest.
batch_rows = Table(
    "batch_rows",
    metadata,
    Column("batch_id", String, ForeignKey("batches.id"), primary_key=True),
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("payee_digest", String),
    Column("reference", String),
    Column("amount", String),
    Column("amount_minor", BigInteger),
    flag("excluded"),
    Column("check_state", String, nullable=False),
    Column("findings", Text, nullable=False),
    Column("retry_of_batch", String),
    Column("retry_of_row", Integer),
    flag("retry_live"),
    ForeignKeyConstraint(
        ["retry_of_batch", "retry_of_row"],
        ["batch_rows.batch_id", "batch_rows.row"],
        name="fk_batch_rows_retry_of",
    ),
)
Index("ix_batch_rows_check", batch_rows.c.batch_id, batch_rows.c.check_state, batch_rows.c.row)
Index(
    "ix_batch_rows_payee",
    batch_rows.c.payee_digest,
    batch_rows.c.batch_id,
    **only_where("payee_digest IS NOT NULL"),
)
Index(
    "uq_batch_rows_live_retry",
    batch_rows.c.retry_of_batch,
    batch_rows.c.retry_of_row,
    unique=True,
    **only_where("retry_live"),
)

# An approval is bound to what was approved: when the rows' hash changes, the second foreign key
# empties `bound_hash`, and the approval counts no more. `codes` are the findings it overrides.
batch_approvals = Table(
    "batch_approvals",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("batch_id", String, nullable=False),
    Column("maker", String, nullable=False),
    Column("checker", String, nullable=False),
    Column("what", String, nullable=False),
    Column("codes", Text, nullable=False),
    Column("because", Text),
    Column("api_key_id", String, ForeignKey("api_keys.id")),
    Column("hash", String, nullable=False),
    Column("bound_batch_id", String),
    Column("bound_hash", String),
    Column("at", Double, nullable=False),
    ForeignKeyConstraint(
        ["batch_id", "maker"], ["batches.id", "batches.maker"], name="fk_batch_approvals_maker"
    ),
    ForeignKeyConstraint(
        ["bound_batch_id", "bound_hash"],
        ["batches.id", "batches.rows_hash"],
        name="fk_batch_approvals_bound",
        onupdate="SET NULL",
    ),
    UniqueConstraint("bound_batch_id", "checker", "what", "codes"),
    CheckConstraint("maker <> checker", name="ck_batch_approvals_two_persons"),
    CheckConstraint(
        "bound_batch_id IS NULL OR bound_batch_id = batch_id", name="ck_batch_approvals_batch"
    ),
    CheckConstraint("bound_hash IS NULL OR bound_hash = hash", name="ck_batch_approvals_hash"),
)
Index("ix_batch_approvals_batch", batch_approvals.c.batch_id)

batch_events = Table(
    "batch_events",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("batch_id", String, ForeignKey("batches.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("event", String, nullable=False),
    Column("actor", String),
    Column("api_key_id", String),
    Column("details", Text, nullable=False),
    Column("before_hash", String, nullable=False),
    Column("hash", String, nullable=False),
    UniqueConstraint("batch_id", "sequence"),
)

# What MTN said of a payee, so that next month's file does not ask all of it again.
payee_checks = Table(
    "payee_checks",
    metadata,
    Column("account_id", String, ForeignKey("accounts.id"), primary_key=True),
    Column("payee_digest", String, primary_key=True),
    Column("at", Double, nullable=False),
    Column("active", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

batch_policies = Table(
    "batch_policies",
    metadata,
    Column("account_id", String, ForeignKey("accounts.id"), primary_key=True),
    Column("policy", Text, nullable=False),
    Column("changed_at", Double, nullable=False),
    Column("changed_by", String, nullable=False),
)
