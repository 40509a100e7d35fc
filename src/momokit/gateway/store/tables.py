"""The tables, as head of the migrations leaves them. Times are seconds since 1970."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column of exactly this type.
_RowNumber = BigInteger().with_variant(Integer(), "sqlite")


def _only_where(condition: str) -> dict[str, Any]:
    """Say for both databases which rows an index holds."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, default=False)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, default=0)


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
    Column("scopes", Text, nullable=False),
    Column("account_id", String, ForeignKey("accounts.id")),
    Column("expires_at", Double),
    Column("revoked_at", Double),
    Column("last_used_at", Double),
    Column("created_at", Double, nullable=False),
)

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
    Column("party_id", String),
    Column("external_id", String, nullable=False, unique=True),
    Column("merchant_reference", String),
    Column("reference_id", String, nullable=False, unique=True),
    Column("path", String, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("body_hash", String, nullable=False),
    Column("status_path", String, nullable=False),
    Column("callback_token_hash", String, unique=True),
    Column("original_payment_id", String, ForeignKey("payments.id")),
    Column("metadata", Text, nullable=False),
    Column("work", String),
    Column("due_at", Double),
    Column("lease_until", Double),
    _count("lease_token"),
    _flag("sending"),
    _flag("doubtful"),
    _flag("hinted"),
    _count("attempts"),
    _count("polls"),
    _count("ask_failures"),
    Column("asked_at", Double),
    Column("first_sent_at", Double),
    Column("accepted_at", Double),
    Column("final_at", Double),
    Column("absent_since", Double),
    _count("absences"),
    Column("reason_code", String),
    Column("financial_transaction_id", String),
    _flag("review"),
    _count("sequence"),
    Column("api_key_id", String, ForeignKey("api_keys.id")),
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
    **_only_where("work IS NOT NULL"),
)
Index("ix_payments_created", payments.c.created_at, payments.c.id)
Index(
    "ix_payments_party",
    payments.c.party_id,
    payments.c.created_at,
    **_only_where("party_id IS NOT NULL"),
)
Index(
    "ix_payments_merchant_reference",
    payments.c.merchant_reference,
    **_only_where("merchant_reference IS NOT NULL"),
)
Index(
    "ix_payments_original",
    payments.c.original_payment_id,
    **_only_where("original_payment_id IS NOT NULL"),
)
Index("ix_payments_review", payments.c.created_at, **_only_where("review"))

events = Table(
    "events",
    metadata,
    Column("id", _RowNumber, primary_key=True, autoincrement=True),
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
    Column("id", _RowNumber, primary_key=True, autoincrement=True),
    Column("payment_id", String, ForeignKey("payments.id"), nullable=False),
    Column("at", Double, nullable=False),
    Column("text", Text, nullable=False),
    Column("closed_at", Double),
)
Index("ix_incidents_open", incidents.c.at, **_only_where("closed_at IS NULL"))

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("request_hash", String, nullable=False),
    Column("payment_id", String),
    Column("status", Integer),
    Column("response", Text),
    Column("created_at", Double, nullable=False),
)
Index("ix_idempotency_keys_created", idempotency_keys.c.created_at)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", _RowNumber, primary_key=True, autoincrement=True),
    Column("payment_id", String, ForeignKey("payments.id"), nullable=False),
    Column("at", Double, nullable=False),
    Column("method", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
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
    Column("id", _RowNumber, primary_key=True, autoincrement=True),
    Column("endpoint_id", String, ForeignKey("webhook_endpoints.id"), nullable=False),
    Column("payment_id", String, ForeignKey("payments.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("event", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("due_at", Double),
    Column("lease_until", Double),
    _count("lease_token"),
    _count("attempts"),
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
    **_only_where("due_at IS NOT NULL"),
)
Index("ix_deliveries_payment", deliveries.c.payment_id)

status_budget = Table(
    "status_budget",
    metadata,
    Column("account_id", String, ForeignKey("accounts.id"), primary_key=True),
    Column("second", BigInteger, primary_key=True),
    Column("used", Integer, nullable=False),
)
