"""Statements of MTN, how they were matched, and what did not match."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of reconciliation, and the ways to find payments that it takes."""
    _documents()
    _statements()
    _lines()
    _discrepancies()
    _discrepancy_events()
    op.create_table(
        "status_audits",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_status_audits")),
    )
    _index(
        "ix_payments_financial_transaction_id", "payments", ["financial_transaction_id"],
        where="financial_transaction_id IS NOT NULL",
    )  # fmt: skip
    _index(
        "ix_payments_final", "payments", ["account_id", "final_at"], where="final_at IS NOT NULL"
    )
    _guard_history()


def downgrade() -> None:
    """Refuse: money's history is not dropped."""
    raise NotImplementedError("Schemas go forward; restore a backup instead.")


def _documents() -> None:
    op.create_table(
        "reconciliation_documents",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_reconciliation_documents")),
    )


def _statements() -> None:
    op.create_table(
        "statements",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("file_hash", sa.String(), nullable=False),
        sa.Column("profile_name", sa.String(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("profile_hash", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("period_from", sa.Double(), nullable=True),
        sa.Column("period_to", sa.Double(), nullable=True),
        sa.Column("last_line_at", sa.Double(), nullable=True),
        sa.Column("opening_balance", sa.String(), nullable=True),
        sa.Column("closing_balance", sa.String(), nullable=True),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("new_lines", sa.Integer(), nullable=False),
        sa.Column("repeated_lines", sa.Integer(), nullable=False),
        sa.Column("unreadable_rows", sa.Integer(), nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("touched_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        _refers("statements", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statements")),
        sa.UniqueConstraint(
            "account_id", "product", "file_hash", "profile_hash",
            name=op.f("uq_statements_same_file"),
        ),
    )  # fmt: skip
    op.create_table(
        "statement_days",
        sa.Column("statement_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("taken_in", sa.String(), nullable=False),
        sa.Column("paid_out", sa.String(), nullable=False),
        sa.Column("fees", sa.String(), nullable=False),
        sa.Column("opening_balance", sa.String(), nullable=True),
        sa.Column("closing_balance", sa.String(), nullable=True),
        sa.Column("difference", sa.String(), nullable=True),
        sa.Column("broken_row", sa.Integer(), nullable=True),
        _refers("statement_days", "statement_id", "statements"),
        sa.PrimaryKeyConstraint("statement_id", "day", "currency", name=op.f("pk_statement_days")),
    )


def _lines() -> None:
    op.create_table(
        "statement_lines",
        _number("id", nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("statement_id", sa.String(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=True),
        sa.Column("until", sa.Double(), nullable=True),
        sa.Column("direction", sa.String(), nullable=True),
        sa.Column("amount", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("fee", sa.String(), nullable=True),
        sa.Column("balance", sa.String(), nullable=True),
        sa.Column("financial_transaction_id", sa.String(), nullable=True),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("party_hash", sa.String(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("payment_id", sa.String(), nullable=True),
        sa.Column("relation", sa.String(), nullable=True),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("confidence", sa.Integer(), nullable=True),
        _refers("statement_lines", "account_id", "accounts"),
        _refers("statement_lines", "statement_id", "statements"),
        _refers("statement_lines", "payment_id", "payments"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_lines")),
        sa.UniqueConstraint("account_id", "identity", name=op.f("uq_statement_lines_identity")),
    )
    table = "statement_lines"
    _index("uq_statement_lines_match", table, ["payment_id"], where="relation = 'match'", only=True)
    _index(
        "ix_statement_lines_payment", table, ["payment_id"],
        where="payment_id IS NOT NULL AND relation <> 'match'",
    )  # fmt: skip
    _index("ix_statement_lines_unmatched", table, ["account_id", "id"], where="relation IS NULL")
    op.create_index("ix_statement_lines_statement", table, ["statement_id"], unique=False)


def _discrepancies() -> None:
    op.create_table(
        "discrepancies",
        _number("id", nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("class", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("payment_id", sa.String(), nullable=True),
        sa.Column("line_id", sa.BigInteger(), nullable=True),
        sa.Column("statement_id", sa.String(), nullable=True),
        sa.Column("day", sa.String(), nullable=True),
        sa.Column("amount", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("found_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("resolution", sa.String(), nullable=True),
        sa.Column("resolution_note", sa.Text(), nullable=True),
        sa.Column("proposed_by", sa.String(), nullable=True),
        sa.Column("proposed_at", sa.Double(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closed_at", sa.Double(), nullable=True),
        sa.Column("reopened", sa.Integer(), nullable=False),
        _refers("discrepancies", "account_id", "accounts"),
        _refers("discrepancies", "payment_id", "payments"),
        _refers("discrepancies", "line_id", "statement_lines"),
        _refers("discrepancies", "statement_id", "statements"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discrepancies")),
        sa.UniqueConstraint(
            "account_id", "class", "subject", name=op.f("uq_discrepancies_subject")
        ),
        sa.CheckConstraint("closed_by <> proposed_by", name=op.f("ck_discrepancies_four_eyes")),
        sa.CheckConstraint(
            "state <> 'closed' OR (proposed_by IS NOT NULL AND closed_by IS NOT NULL"
            " AND resolution IS NOT NULL AND closed_at IS NOT NULL)",
            name=op.f("ck_discrepancies_closed"),
        ),
    )
    table = "discrepancies"
    open_ones = "state IN ('open', 'proposed')"
    _index("ix_discrepancies_open", table, ["account_id", "class", "id"], where=open_ones)
    _index("ix_discrepancies_payment", table, ["payment_id"], where="payment_id IS NOT NULL")
    _index("ix_discrepancies_line", table, ["line_id"], where="line_id IS NOT NULL")


def _discrepancy_events() -> None:
    op.create_table(
        "discrepancy_events",
        _number("id", nullable=False),
        sa.Column("discrepancy_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        _refers("discrepancy_events", "discrepancy_id", "discrepancies"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discrepancy_events")),
    )
    op.create_index(
        "ix_discrepancy_events_discrepancy", "discrepancy_events", ["discrepancy_id"], unique=False
    )


def _number(name: str, *, nullable: bool) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, kind, autoincrement=True, nullable=nullable)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def _index(name: str, table: str, columns: list[str], *, where: str, only: bool = False) -> None:
    op.create_index(
        name, table, columns, unique=only,
        sqlite_where=sa.text(where), postgresql_where=sa.text(where),
    )  # fmt: skip


def _guard_history() -> None:
    """Let the database itself refuse to rewrite who did what with a discrepancy."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER discrepancy_events_no_{verb.lower()} BEFORE {verb}"
                " ON discrepancy_events"
                " BEGIN SELECT RAISE(ABORT, 'history is only added to'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER discrepancy_events_no_change BEFORE UPDATE OR DELETE ON discrepancy_events"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change()"
    )
