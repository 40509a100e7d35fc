"""The tables, as head of the migrations leaves them. Times are seconds since 1970."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from momokit.gateway.store.columns import RowNumber, count, flag, metadata, only_where

accounts = Table(
    "accounts",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("market", String, nullable=False),
    Column("base_url", String, nullable=False),
    Column("settings", Text, nullable=False),
    Column("credentials_sealed", LargeBinary, nullable=False),
    Column("paused_reason", Text),
    Column("paused_work", String),
    Column("created_at", Double, nullable=False),
    Column("limits", Text),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("label", String, nullable=False),
    Column("prefix", String, nullable=False),
    Column("key_hash", String, nullable=False, unique=True),
    Column("family", String),
    Column("scopes", Text, nullable=False),
    Column("account_id", String, ForeignKey("accounts.id")),
    Column("owner", String),
    Column("expires_at", Double),
    Column("revoked_at", Double),
    Column("last_used_at", Double),
    Column("created_at", Double, nullable=False),
)

# Two keys that open everything personal, themselves sealed by the gateway's secret key.
data_keys = Table(
    "data_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("purpose", String, nullable=False),
    Column("key_sealed", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
)

# `sealed` holds the party, the headers and the body for MTN, and the merchant's metadata. Clear is
# what a merchant numbers payments by, and what says nothing of a person.
payments = Table(
    "payments",
    metadata,
    Column("id", String, primary_key=True),
    Column("account_id", String, ForeignKey("accounts.id"), nullable=False),
    Column("kind", String, nullable=False),
    Column("product", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("state", String, nullable=False),
    Column("amount", String, nullable=False),
    Column("currency", String, nullable=False),
    Column("party_type", String),
    Column("party_hash", String),
    Column("external_id", String, nullable=False, unique=True),
    Column("merchant_reference", String),
    Column("reference_id", String, nullable=False, unique=True),
    Column("path", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("status_path", String, nullable=False),
    Column("callback_token_hash", String, unique=True),
    Column("original_payment_id", String, ForeignKey("payments.id")),
    Column("work", String),
    Column("due_at", Double),
    Column("lease_until", Double),
    count("lease_token"),
    flag("sending"),
    flag("doubtful"),
    flag("hinted"),
    count("attempts"),
    count("polls"),
    count("ask_failures"),
    Column("asked_at", Double),
    Column("first_sent_at", Double),
    Column("accepted_at", Double),
    Column("final_at", Double),
    Column("absent_since", Double),
    count("absences"),
    Column("reason_code", String),
    Column("financial_transaction_id", String),
    Column("refused_code", String),
    Column("cancel_reference_id", String),
    Column("cancel_taken_at", Double),
    Column("settled_by", String),
    flag("review"),
    count("sequence"),
    Column("api_key_id", String, ForeignKey("api_keys.id")),
    Column("batch_id", String, ForeignKey("batches.id")),
    Column("batch_row", Integer),
    Column("batch_minor", BigInteger),
    Column("released_at", Double),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("counted_day", Integer),
)

# The queue is this index: it holds what is due and nothing else, so that finished payments cost
# nothing however many there are. The account comes before the time, for a fair share of each.
Index(
    "ix_payments_due",
    payments.c.work,
    payments.c.account_id,
    payments.c.due_at,
    # Last, so that what waits in a lane that is shut is passed over without a look at its row.
    payments.c.product,
    **only_where("work IS NOT NULL"),
)
# What a callback has hurried is found at once, however much else is due.
Index(
    "ix_payments_hinted",
    payments.c.account_id,
    payments.c.due_at,
    **only_where("hinted AND work = 'settle'"),
)
Index("ix_payments_created", payments.c.created_at, payments.c.id)
Index(
    "ix_payments_party",
    payments.c.party_hash,
    payments.c.created_at,
    **only_where("party_hash IS NOT NULL"),
)
Index(
    "ix_payments_merchant_reference",
    payments.c.merchant_reference,
    **only_where("merchant_reference IS NOT NULL"),
)
Index(
    "ix_payments_original",
    payments.c.original_payment_id,
    **only_where("original_payment_id IS NOT NULL"),
)
Index("ix_payments_review", payments.c.created_at, **only_where("review"))

# A batch's progress is read off its payments: each row has one payment for ever, what waits is
# found in order, what is paid is summed without touching a row, and the last to end are at hand.
Index(
    "uq_payments_batch_row",
    payments.c.batch_id,
    payments.c.batch_row,
    unique=True,
    **only_where("batch_id IS NOT NULL"),
)
Index(
    "ix_payments_batch_state",
    payments.c.batch_id,
    payments.c.state,
    payments.c.batch_minor,
    **only_where("batch_id IS NOT NULL"),
)
Index(
    "ix_payments_batch_held",
    payments.c.batch_id,
    payments.c.batch_row,
    **only_where("batch_id IS NOT NULL AND state = 'created' AND work IS NULL"),
)
Index(
    "ix_payments_batch_ended",
    payments.c.batch_id,
    payments.c.final_at,
    **only_where("batch_id IS NOT NULL AND final_at IS NOT NULL"),
)

events = Table(
    "events",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("payment_id", String, ForeignKey("payments.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("event", String, nullable=False),
    Column("state_before", String),
    Column("state_after", String, nullable=False),
    Column("details", Text, nullable=False),
    UniqueConstraint("payment_id", "sequence"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("payment_id", String, ForeignKey("payments.id"), nullable=False),
    Column("at", Double, nullable=False),
    Column("text", Text, nullable=False),
    Column("closed_at", Double),
    Column("times", Integer, nullable=False, default=1),
    Column("last_seen_at", Double),
)
Index("ix_incidents_open", incidents.c.at, **only_where("closed_at IS NULL"))
Index("ix_incidents_payment", incidents.c.payment_id, **only_where("closed_at IS NULL"))

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", String, primary_key=True),
    Column("key_hash", String, primary_key=True),
    Column("request_hash", String, nullable=False),
    Column("payment_id", String),
    Column("status", Integer),
    Column("response_sealed", LargeBinary),
    Column("created_at", Double, nullable=False),
)
Index("ix_idempotency_keys_created", idempotency_keys.c.created_at)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("payment_id", String, ForeignKey("payments.id"), nullable=False),
    Column("at", Double, nullable=False),
    Column("method", String, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    Column("body_hash", String, nullable=False),
    Column("seen", Integer, nullable=False),
    UniqueConstraint("payment_id", "body_hash"),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String, primary_key=True),
    Column("account_id", String, ForeignKey("accounts.id")),
    Column("url", Text, nullable=False),
    Column("secrets_sealed", LargeBinary, nullable=False),
    Column("event_filter", Text, nullable=False),
    Column("disabled_at", Double),
    Column("created_at", Double, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("endpoint_id", String, ForeignKey("webhook_endpoints.id"), nullable=False),
    # What it tells of: a payment or an invoice.
    Column("payment_id", String, ForeignKey("payments.id")),
    Column("invoice_id", String, ForeignKey("invoices.id")),
    Column("sequence", Integer, nullable=False),
    Column("event", String, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    Column("due_at", Double),
    Column("lease_until", Double),
    count("lease_token"),
    count("attempts"),
    Column("delivered_at", Double),
    Column("given_up_at", Double),
    Column("last_status", Integer),
    Column("last_error", Text),
    Column("created_at", Double, nullable=False),
)
Index(
    "ix_deliveries_due",
    deliveries.c.endpoint_id,
    deliveries.c.due_at,
    **only_where("due_at IS NOT NULL"),
)
Index("ix_deliveries_payment", deliveries.c.payment_id)
Index(
    "ix_deliveries_invoice",
    deliveries.c.invoice_id,
    **only_where("invoice_id IS NOT NULL"),
)

status_budget = Table(
    "status_budget",
    metadata,
    Column("account_id", String, ForeignKey("accounts.id"), primary_key=True),
    Column("second", BigInteger, primary_key=True),
    Column("used", Integer, nullable=False),
)
