"""The tables of statements and discrepancies. Times are seconds since 1970."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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
    literal_column,
)

from momokit.gateway.store.columns import RowNumber, count, metadata, only_where
from momokit.gateway.store.tables import payments

# What an operator has edited: column profiles by name, and the account codes of the ledger.
reconciliation_documents = Table(
    "reconciliation_documents",
    metadata,
    Column("kind", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("document", Text, nullable=False),
    Column("changed_by", String, nullable=False),
    Column("changed_at", Double, nullable=False),
)

# `product` is empty where one wallet with MTN serves all products of the account.
statements = Table(
    "statements",
    metadata,
    Column("id", String, primary_key=True),
    Column("account_id", String, ForeignKey("accounts.id"), nullable=False),
    Column("product", String, nullable=False),
    Column("filename", String, nullable=False),
    Column("file_hash", String, nullable=False),
    Column("profile_name", String, nullable=False),
    Column("profile", Text, nullable=False),
    Column("profile_hash", String, nullable=False),
    Column("state", String, nullable=False),
    Column("period_from", Double),
    Column("period_to", Double),
    Column("last_line_at", Double),
    Column("opening_balance", String),
    Column("closing_balance", String),
    count("row_count"),
    count("new_lines"),
    count("repeated_lines"),
    count("unreadable_rows"),
    Column("imported_by", String, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("touched_at", Double, nullable=False),
    Column("finished_at", Double),
    Column("error", Text),
    UniqueConstraint(
        "account_id", "product", "file_hash", "profile_hash", name="uq_statements_same_file"
    ),
)

statement_days = Table(
    "statement_days",
    metadata,
    Column("statement_id", String, ForeignKey("statements.id"), primary_key=True),
    Column("day", String, primary_key=True),
    Column("currency", String, primary_key=True),
    Column("lines", Integer, nullable=False),
    Column("taken_in", String, nullable=False),
    Column("paid_out", String, nullable=False),
    Column("fees", String, nullable=False),
    Column("opening_balance", String),
    Column("closing_balance", String),
    Column("difference", String),
    Column("broken_row", Integer),
)

# A line of MTN's. `sealed` holds the parties as they were written; of a row that could not be read
# it holds the row. `payment_id` is the payment a line speaks of, `relation` in what way.
statement_lines = Table(
    "statement_lines",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("account_id", String, ForeignKey("accounts.id"), nullable=False),
    Column("product", String, nullable=False),
    Column("statement_id", String, ForeignKey("statements.id"), nullable=False),
    Column("row_number", Integer, nullable=False),
    Column("identity", String, nullable=False),
    Column("role", String, nullable=False),
    Column("status", String, nullable=False),
    Column("at", Double),
    Column("until", Double),
    Column("direction", String),
    Column("amount", String),
    Column("currency", String),
    Column("fee", String),
    Column("balance", String),
    Column("financial_transaction_id", String),
    Column("external_id", String),
    Column("party_hash", String),
    Column("sealed", LargeBinary),
    Column("payment_id", String, ForeignKey("payments.id")),
    Column("relation", String),
    Column("rule", String),
    Column("confidence", Integer),
    UniqueConstraint("account_id", "identity", name="uq_statement_lines_identity"),
)
# One line to one payment: the database itself refuses a second.
Index(
    "uq_statement_lines_match",
    statement_lines.c.payment_id,
    unique=True,
    **only_where("relation = 'match'"),
)
Index(
    "ix_statement_lines_payment",
    statement_lines.c.payment_id,
    **only_where("payment_id IS NOT NULL AND relation <> 'match'"),
)
Index(
    "ix_statement_lines_unmatched",
    statement_lines.c.account_id,
    statement_lines.c.id,
    **only_where("relation IS NULL"),
)
Index("ix_statement_lines_statement", statement_lines.c.statement_id)

# Written out, not bound: a database uses an index of some rows only where it sees which are meant.
IS_MATCH = statement_lines.c.relation == literal_column("'match'")

# `class` is one of the twelve; `subject` names what it is about, so that the same is found again.
discrepancies = Table(
    "discrepancies",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("account_id", String, ForeignKey("accounts.id"), nullable=False),
    Column("product", String, nullable=False),
    Column("class", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("payment_id", String, ForeignKey("payments.id")),
    Column("line_id", BigInteger, ForeignKey("statement_lines.id")),
    Column("statement_id", String, ForeignKey("statements.id")),
    Column("day", String),
    Column("amount", String),
    Column("currency", String),
    Column("details", Text, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("state", String, nullable=False),
    Column("owner", String),
    Column("note", Text),
    Column("found_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("resolution", String),
    Column("resolution_note", Text),
    Column("proposed_by", String),
    Column("proposed_at", Double),
    Column("closed_by", String),
    Column("closed_at", Double),
    count("reopened"),
    UniqueConstraint("account_id", "class", "subject", name="uq_discrepancies_subject"),
    # Four eyes: whoever closes is not who proposed it.
    CheckConstraint("closed_by <> proposed_by", name="ck_discrepancies_four_eyes"),
    CheckConstraint(
        "state <> 'closed' OR (proposed_by IS NOT NULL AND closed_by IS NOT NULL"
        " AND resolution IS NOT NULL AND closed_at IS NOT NULL)",
        name="ck_discrepancies_closed",
    ),
)
Index(
    "ix_discrepancies_open",
    discrepancies.c.account_id,
    discrepancies.c["class"],
    discrepancies.c.id,
    **only_where("state IN ('open', 'proposed')"),
)
Index(
    "ix_discrepancies_payment",
    discrepancies.c.payment_id,
    **only_where("payment_id IS NOT NULL"),
)
Index("ix_discrepancies_line", discrepancies.c.line_id, **only_where("line_id IS NOT NULL"))

IS_OPEN = discrepancies.c.state.in_([literal_column("'open'"), literal_column("'proposed'")])

discrepancy_events = Table(
    "discrepancy_events",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("discrepancy_id", BigInteger, ForeignKey("discrepancies.id"), nullable=False),
    Column("at", Double, nullable=False),
    Column("event", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("note", Text),
)
Index("ix_discrepancy_events_discrepancy", discrepancy_events.c.discrepancy_id)

status_audits = Table(
    "status_audits",
    metadata,
    Column("day", String, primary_key=True),
    Column("started_at", Double, nullable=False),
    Column("finished_at", Double),
    count("asked"),
)

# Statements name payments by MTN's number; audits and balances go by when payments ended.
Index(
    "ix_payments_financial_transaction_id",
    payments.c.financial_transaction_id,
    **only_where("financial_transaction_id IS NOT NULL"),
)
Index(
    "ix_payments_final",
    payments.c.account_id,
    payments.c.final_at,
    **only_where("final_at IS NOT NULL"),
)
