"""The tables of payment links and invoices. Times are seconds since 1970.

That a checkout is never paid twice is here too: the attempts at it are numbered, each number is
given once, and one attempt at most holds the checkout at a time.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
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

from momokit.gateway.store.columns import RowNumber, metadata, only_where

invoices = Table(
    "invoices",
    metadata,
    Column("id", String, primary_key=True),
    Column("account_id", String, ForeignKey("accounts.id"), nullable=False),
    Column("number", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("payer_hash", String),
    Column("currency", String, nullable=False),
    Column("total", String, nullable=False),
    Column("allow_partial", Boolean, nullable=False, default=False),
    Column("least", String),
    Column("due_at", Double),
    Column("expires_at", Double),
    Column("reminders", Text, nullable=False),
    Column("language", String),
    Column("stage", String, nullable=False),
    Column("state", String, nullable=False),
    Column("sequence", Integer, nullable=False, default=0),
    Column("sent_at", Double),
    Column("cancelling_at", Double),
    Column("cancelled_at", Double),
    Column("paid_at", Double),
    Column("next_at", Double),
    Column("looked_at", Double, nullable=False),
    Column("api_key_id", String, ForeignKey("api_keys.id")),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    UniqueConstraint("account_id", "number"),
)
Index("ix_invoices_created", invoices.c.created_at, invoices.c.id)
Index("ix_invoices_next", invoices.c.next_at, **only_where("next_at IS NOT NULL"))

invoice_counters = Table(
    "invoice_counters",
    metadata,
    Column("account_id", String, ForeignKey("accounts.id"), primary_key=True),
    Column("last", Integer, nullable=False),
)

invoice_events = Table(
    "invoice_events",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("invoice_id", String, ForeignKey("invoices.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("event", String, nullable=False),
    Column("state", String, nullable=False),
    Column("paid", String, nullable=False),
    Column("payment_id", String, ForeignKey("payments.id")),
    UniqueConstraint("invoice_id", "sequence"),
)

checkouts = Table(
    "checkouts",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("account_id", String, ForeignKey("accounts.id"), nullable=False),
    Column("link_id", String, ForeignKey("checkouts.id")),
    Column("invoice_id", String, ForeignKey("invoices.id")),
    Column("token_hash", String, nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("amount", String),
    Column("least", String),
    Column("most", String),
    Column("currency", String, nullable=False),
    Column("merchant_reference", String),
    Column("language", String),
    Column("expires_at", Double),
    Column("closed_at", Double),
    Column("api_key_id", String, ForeignKey("api_keys.id")),
    Column("created_at", Double, nullable=False),
    CheckConstraint("kind IN ('checkout', 'link', 'invoice')", name="ck_checkouts_kind"),
)
Index("ix_checkouts_created", checkouts.c.kind, checkouts.c.created_at, checkouts.c.id)
Index("ix_checkouts_link", checkouts.c.link_id, **only_where("link_id IS NOT NULL"))
# An invoice has one page, however often it is sent.
Index(
    "uq_checkouts_invoice",
    checkouts.c.invoice_id,
    unique=True,
    **only_where("invoice_id IS NOT NULL"),
)

attempts = Table(
    "attempts",
    metadata,
    # Written before its payment, in the transaction that writes both.
    Column(
        "payment_id",
        String,
        ForeignKey("payments.id", deferrable=True, initially="DEFERRED"),
        primary_key=True,
    ),
    Column("channel", String, nullable=False),
    Column("checkout_id", String, ForeignKey("checkouts.id")),
    Column("number", Integer),
    Column("invoice_id", String, ForeignKey("invoices.id")),
    Column("holds", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("checkout_id", "number"),
    CheckConstraint(
        "(checkout_id IS NULL) = (number IS NULL) AND"
        " (checkout_id IS NOT NULL OR invoice_id IS NOT NULL)",
        name="ck_attempts_subject",
    ),
)
Index(
    "uq_attempts_checkout_held",
    attempts.c.checkout_id,
    unique=True,
    **only_where("holds AND checkout_id IS NOT NULL"),
)
# One invoice of MTN's own at a time for each of the merchant's.
Index(
    "uq_attempts_invoice_held",
    attempts.c.invoice_id,
    unique=True,
    **only_where("holds AND checkout_id IS NULL"),
)
Index("ix_attempts_invoice", attempts.c.invoice_id, **only_where("invoice_id IS NOT NULL"))
