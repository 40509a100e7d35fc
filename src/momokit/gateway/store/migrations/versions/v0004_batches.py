"""Batches: files of disbursements, their rows, and who approved them.

That two persons are needed is held by the database itself, in keys, checks and triggers.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables of batches; payments know their batch, and API keys their owner."""
    _batches()
    _rows()
    _approvals()
    _events()
    _checks_and_policies()
    _payments()
    op.add_column("api_keys", sa.Column("owner", sa.String(), nullable=True))
    op.execute("UPDATE api_keys SET owner = label")
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_guards()
    else:
        _postgresql_guards()


def downgrade() -> None:
    """Refuse: money's history is not dropped."""
    raise NotImplementedError("Schemas go forward; restore a backup instead.")


def _needed(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _optional(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _batches() -> None:
    text, number, big = sa.String(), sa.Integer(), sa.BigInteger()
    time: Any = sa.Double()
    op.create_table(
        "batches",
        *(_needed(name, text) for name in ("id", "account_id", "maker", "label", "currency")),
        *(_needed(name, text) for name in ("file_name", "state")),
        *(_optional(name, text) for name in ("parent_id", "api_key_id", "period", "rows_hash")),
        *(_optional(name, text) for name in ("file_digest", "content_digest")),
        _needed("layout", sa.LargeBinary()),
        _needed("exponent", number),
        _needed("approvals_needed", number),
        _needed("wanted_overrides", sa.Text()),
        _needed("loaded", sa.Boolean()),
        _needed("check_holders", sa.Boolean()),
        *(_needed(name, number) for name in ("row_count", "included_count", "prepared_through")),
        _needed("amount_minor", big),
        _needed("rows_per_second", time),
        _needed("in_flight_cap", number),
        _needed("lease_token", number),
        _optional("paused_reason", sa.Text()),
        *(_optional(name, big) for name in ("balance_minor", "spendable_minor")),
        *(_needed(name, time) for name in ("created_at", "updated_at")),
        *(
            _optional(name, time)
            for name in (
                "balance_at", "released_at", "resumed_at", "due_at", "lease_until",
                "submitted_at", "approved_at", "started_at", "ended_at",
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_batches_account_id")
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["batches.id"], name=op.f("fk_batches_parent_id")),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_batches_api_key_id")
        ),
        sa.UniqueConstraint("id", "maker", name=op.f("uq_batches_id_maker")),
        sa.UniqueConstraint("id", "rows_hash", name=op.f("uq_batches_id_rows_hash")),
        sa.CheckConstraint("approvals_needed >= 1", name="ck_batches_approvals_needed"),
    )  # fmt: skip
    _index("ix_batches_due", "batches", ["due_at"], where="due_at IS NOT NULL")
    _index("ix_batches_created", "batches", ["created_at", "id"])
    _index("ix_batches_account", "batches", ["account_id", "approved_at"])
    _index("ix_batches_file", "batches", ["file_digest"], where="file_digest IS NOT NULL")
    _index("ix_batches_content", "batches", ["content_digest"], where="content_digest IS NOT NULL")


def _rows() -> None:
    op.create_table(
        "batch_rows",
        _needed("batch_id", sa.String()),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        _needed("sealed", sa.LargeBinary()),
        *(_optional(name, sa.String()) for name in ("payee_digest", "reference", "amount")),
        _optional("amount_minor", sa.BigInteger()),
        _needed("excluded", sa.Boolean()),
        _needed("check_state", sa.String()),
        _needed("findings", sa.Text()),
        _optional("retry_of_batch", sa.String()),
        _optional("retry_of_row", sa.Integer()),
        _needed("retry_live", sa.Boolean()),
        sa.PrimaryKeyConstraint("batch_id", "row", name=op.f("pk_batch_rows")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name=op.f("fk_batch_rows_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["retry_of_batch", "retry_of_row"],
            ["batch_rows.batch_id", "batch_rows.row"],
            name="fk_batch_rows_retry_of",
        ),
    )  # fmt: skip
    _index("ix_batch_rows_check", "batch_rows", ["batch_id", "check_state", "row"])
    _index(
        "ix_batch_rows_payee", "batch_rows", ["payee_digest", "batch_id"],
        where="payee_digest IS NOT NULL",
    )  # fmt: skip
    _index(
        "uq_batch_rows_live_retry", "batch_rows", ["retry_of_batch", "retry_of_row"],
        where="retry_live", unique=True,
    )  # fmt: skip


def _approvals() -> None:
    op.create_table(
        "batch_approvals",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        *(_needed(name, sa.String()) for name in ("batch_id", "maker", "checker", "what", "hash")),
        _needed("codes", sa.Text()),
        _optional("because", sa.Text()),
        *(_optional(name, sa.String()) for name in ("api_key_id", "bound_batch_id", "bound_hash")),
        _needed("at", sa.Double()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_approvals")),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_batch_approvals_api_key_id")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id", "maker"], ["batches.id", "batches.maker"], name="fk_batch_approvals_maker"
        ),
        sa.ForeignKeyConstraint(
            ["bound_batch_id", "bound_hash"],
            ["batches.id", "batches.rows_hash"],
            name="fk_batch_approvals_bound",
            onupdate="SET NULL",
        ),
        sa.UniqueConstraint(
            "bound_batch_id", "checker", "what", "codes",
            name=op.f("uq_batch_approvals_bound_batch_id_checker_what_codes"),
        ),
        sa.CheckConstraint("maker <> checker", name="ck_batch_approvals_two_persons"),
        sa.CheckConstraint(
            "bound_batch_id IS NULL OR bound_batch_id = batch_id", name="ck_batch_approvals_batch"
        ),
        sa.CheckConstraint(
            "bound_hash IS NULL OR bound_hash = hash", name="ck_batch_approvals_hash"
        ),
    )  # fmt: skip
    _index("ix_batch_approvals_batch", "batch_approvals", ["batch_id"])


def _events() -> None:
    op.create_table(
        "batch_events",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        _needed("batch_id", sa.String()),
        _needed("sequence", sa.Integer()),
        _needed("at", sa.Double()),
        _needed("event", sa.String()),
        _optional("actor", sa.String()),
        _optional("api_key_id", sa.String()),
        _needed("details", sa.Text()),
        _needed("before_hash", sa.String()),
        _needed("hash", sa.String()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_events")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name=op.f("fk_batch_events_batch_id")
        ),
        sa.UniqueConstraint(
            "batch_id", "sequence", name=op.f("uq_batch_events_batch_id_sequence")
        ),
    )  # fmt: skip


def _checks_and_policies() -> None:
    op.create_table(
        "payee_checks",
        _needed("account_id", sa.String()),
        _needed("payee_digest", sa.String()),
        _needed("at", sa.Double()),
        _needed("active", sa.String()),
        _needed("sealed", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("account_id", "payee_digest", name=op.f("pk_payee_checks")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_payee_checks_account_id")
        ),
    )
    op.create_table(
        "batch_policies",
        _needed("account_id", sa.String()),
        _needed("policy", sa.Text()),
        _needed("changed_at", sa.Double()),
        _needed("changed_by", sa.String()),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_batch_policies")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_batch_policies_account_id")
        ),
    )


def _payments() -> None:
    # Written out, because SQLite adds a foreign key together with its column or not at all.
    op.execute(
        "ALTER TABLE payments ADD COLUMN batch_id VARCHAR "
        "CONSTRAINT fk_payments_batch_id REFERENCES batches (id)"
    )
    op.add_column("payments", _optional("batch_row", sa.Integer()))
    op.add_column("payments", _optional("batch_minor", sa.BigInteger()))
    op.add_column("payments", _optional("released_at", sa.Double()))
    ours = "batch_id IS NOT NULL"
    _index(
        "uq_payments_batch_row", "payments", ["batch_id", "batch_row"], where=ours, unique=True
    )  # fmt: skip
    _index(
        "ix_payments_batch_state", "payments", ["batch_id", "state", "batch_minor"], where=ours
    )  # fmt: skip
    _index(
        "ix_payments_batch_held", "payments", ["batch_id", "batch_row"],
        where=f"{ours} AND state = 'created' AND work IS NULL",
    )  # fmt: skip
    _index(
        "ix_payments_batch_ended", "payments", ["batch_id", "final_at"],
        where=f"{ours} AND final_at IS NOT NULL",
    )  # fmt: skip


def _index(
    name: str, table: str, columns: list[str], *, where: str = "", unique: bool = False
) -> None:
    condition = sa.text(where) if where else None
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


_FROZEN = (
    "batch_id, row, sealed, payee_digest, reference, amount, amount_minor, excluded, check_state, "
    "findings, retry_of_batch, retry_of_row"
)
_ROWS_REFUSAL = "rows of a batch under approval do not change"
_MONEY_REFUSAL = "a payment of a batch needs its approved row"
_RETRY_REFUSAL = "only a row that is proven to have failed is paid again"
_HISTORY_REFUSAL = "history is only added to"
_BEFORE = "('draft', 'checked', 'submitted')"
_AFTER = "('approved', 'preparing', 'running', 'paused', 'finished')"
_ENDS = "('finished', 'cancelled', 'rejected')"

# Each names what a change of a batch must not be; {distinct} is how the database compares NULLs.
_BATCH_REFUSALS = {
    "the maker of a batch stays its maker": "NEW.maker <> OLD.maker",
    "what is under approval does not change": (
        "OLD.state NOT IN ('draft', 'checked') AND (NEW.rows_hash {distinct} OLD.rows_hash "
        "OR NEW.approvals_needed <> OLD.approvals_needed OR NEW.amount_minor <> OLD.amount_minor)"
    ),
    "a batch that is over stays so": f"OLD.state IN {_ENDS} AND NEW.state <> OLD.state",
    "a batch runs only after its approval": (
        f"NEW.state IN {_AFTER} AND OLD.state IN {_BEFORE} "
        "AND (NEW.state <> 'approved' OR OLD.state <> 'submitted')"
    ),
    "a batch is approved by enough others": (
        "NEW.state = 'approved' AND OLD.state = 'submitted' AND NEW.approvals_needed > "
        "(SELECT count(DISTINCT checker) FROM batch_approvals WHERE bound_batch_id = NEW.id "
        "AND bound_hash = NEW.rows_hash AND what = 'approve')"
    ),
}  # fmt: skip
_IS_EDITABLE = (
    "EXISTS (SELECT 1 FROM batches WHERE id = {row}.batch_id AND state IN ('draft', 'checked'))"
)
_IS_PAYABLE = (
    "EXISTS (SELECT 1 FROM batches b JOIN batch_rows r ON r.batch_id = b.id "
    "WHERE b.id = NEW.batch_id AND b.state = 'preparing' AND r.row = NEW.batch_row "
    "AND NOT r.excluded AND r.amount_minor = NEW.batch_minor)"
)
_IS_PROVEN = (
    "EXISTS (SELECT 1 FROM payments WHERE batch_id = NEW.retry_of_batch "
    "AND batch_row = NEW.retry_of_row AND state = 'failed' AND work IS NULL AND NOT sending "
    "AND NOT review)"
)


def _sqlite_guards() -> None:
    for number, (refusal, wrong) in enumerate(_BATCH_REFUSALS.items()):
        _sqlite(f"batches_guard_{number}", "UPDATE ON batches", wrong, refusal)
    _sqlite("batches_begin", "INSERT ON batches", "NEW.state <> 'draft'", "a batch begins as draft")
    for verb, rows in (("INSERT", ("NEW",)), ("DELETE", ("OLD",)), ("UPDATE", ("OLD", "NEW"))):
        wrong = " OR ".join(f"NOT {_IS_EDITABLE.format(row=row)}" for row in rows)
        of = f" OF {_FROZEN}" if verb == "UPDATE" else ""
        _sqlite(f"batch_rows_no_{verb.lower()}", f"{verb}{of} ON batch_rows", wrong, _ROWS_REFUSAL)
    wrong = f"NEW.retry_of_batch IS NOT NULL AND NOT {_IS_PROVEN}"
    _sqlite("batch_rows_retry", "INSERT ON batch_rows", wrong, _RETRY_REFUSAL)
    wrong = f"NEW.batch_id IS NOT NULL AND NOT {_IS_PAYABLE}"
    _sqlite("payments_batch", "INSERT ON payments", wrong, _MONEY_REFUSAL)
    of = "batch_id, batch_row, batch_minor"
    _sqlite("payments_batch_kept", f"UPDATE OF {of} ON payments", "1", _MONEY_REFUSAL)
    for verb in ("UPDATE", "DELETE"):
        _sqlite(f"batch_events_no_{verb.lower()}", f"{verb} ON batch_events", "1", _HISTORY_REFUSAL)
    _sqlite("batch_approvals_no_delete", "DELETE ON batch_approvals", "1", _HISTORY_REFUSAL)
    wrong = "NEW.bound_hash IS NOT NULL OR " + _changed("IS NOT")
    _sqlite("batch_approvals_no_update", "UPDATE ON batch_approvals", wrong, _HISTORY_REFUSAL)


def _changed(distinct: str) -> str:
    kept = ("batch_id", "maker", "checker", "what", "codes", "because", "hash", "at")
    return " OR ".join(f"NEW.{name} {distinct} OLD.{name}" for name in kept)


def _sqlite(name: str, what: str, wrong: str, refusal: str) -> None:
    condition = wrong.format(distinct="IS NOT")
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {what} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
    )


def _postgresql_guards() -> None:
    for number, (refusal, wrong) in enumerate(_BATCH_REFUSALS.items()):
        _postgresql(f"batches_guard_{number}", "UPDATE ON batches", wrong, refusal)
    refusal = "a batch begins as draft"
    _postgresql("batches_begin", "INSERT ON batches", "NEW.state <> 'draft'", refusal)
    for verb, rows in (("INSERT", ("NEW",)), ("DELETE", ("OLD",)), ("UPDATE", ("OLD", "NEW"))):
        wrong = " OR ".join(f"NOT {_IS_EDITABLE.format(row=row)}" for row in rows)
        of = f" OF {_FROZEN}" if verb == "UPDATE" else ""
        name = f"batch_rows_no_{verb.lower()}"
        _postgresql(name, f"{verb}{of} ON batch_rows", wrong, _ROWS_REFUSAL)
    wrong, when = f"NOT {_IS_PROVEN}", "NEW.retry_of_batch IS NOT NULL"
    _postgresql("batch_rows_retry", "INSERT ON batch_rows", wrong, _RETRY_REFUSAL, when=when)
    wrong, when = f"NOT {_IS_PAYABLE}", "NEW.batch_id IS NOT NULL"
    _postgresql("payments_batch", "INSERT ON payments", wrong, _MONEY_REFUSAL, when=when)
    of = "batch_id, batch_row, batch_minor"
    _postgresql("payments_batch_kept", f"UPDATE OF {of} ON payments", "true", _MONEY_REFUSAL)
    op.execute(
        "CREATE TRIGGER batch_events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE "
        "ON batch_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change()"
    )
    op.execute(
        "CREATE TRIGGER batch_approvals_no_delete BEFORE DELETE ON batch_approvals "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change()"
    )
    wrong = "NEW.bound_hash IS NOT NULL OR " + _changed("IS DISTINCT FROM")
    _postgresql("batch_approvals_no_update", "UPDATE ON batch_approvals", wrong, _HISTORY_REFUSAL)


def _postgresql(name: str, what: str, wrong: str, refusal: str, *, when: str = "") -> None:
    condition = wrong.format(distinct="IS DISTINCT FROM")
    gives = "OLD" if what.startswith("DELETE") else "NEW"
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {condition} THEN RAISE EXCEPTION '{refusal}'; END IF; RETURN {gives}; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {what} FOR EACH ROW "
        f"{f'WHEN ({when}) ' if when else ''}EXECUTE FUNCTION {name}()"
    )
