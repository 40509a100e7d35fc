"""Personal data: what the database holds of people is sealed, and found by a keyed hash.

Rows that are there already are sealed on the way, for which this step takes the secret key; it
refuses, and changes nothing, when there are such rows and no key is at hand.
"""

from __future__ import annotations

import json
import time
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from momokit.errors import ConfigurationError
from momokit.gateway.store.data_keys import open_veil
from momokit.gateway.store.personal import Personal, party_hash, seal_personal
from momokit.gateway.store.veil import Veil

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the data keys, seal what stands in clear, and drop the columns that held it."""
    if op.get_bind().dialect.name == "sqlite":
        # What is dropped is overwritten: a copy of the file would still show it otherwise.
        op.execute("PRAGMA secure_delete = ON")
    op.create_table(
        "data_keys",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_keys")),
    )
    _new_columns()
    if any(_has_rows(name) for name in ("payments", "idempotency_keys")):
        _seal_rows(_veil())
    _drop_what_was_clear()


def downgrade() -> None:
    """Refuse: money's history is not dropped."""
    raise NotImplementedError("Schemas go forward; restore a backup instead.")


def _new_columns() -> None:
    op.add_column("api_keys", sa.Column("family", sa.String(), nullable=True))
    op.add_column("payments", sa.Column("party_hash", sa.String(), nullable=True))
    # SQLite adds a column that must have a value only with one; an empty one never opens.
    op.add_column(
        "payments", sa.Column("sealed", sa.LargeBinary(), nullable=False, server_default="")
    )
    op.add_column("idempotency_keys", sa.Column("response_sealed", sa.LargeBinary(), nullable=True))
    for table, old, new in (
        ("callbacks", "body", "body_sealed"),
        ("deliveries", "body", "body_sealed"),
        ("idempotency_keys", "key", "key_hash"),
    ):
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")


def _drop_what_was_clear() -> None:
    op.drop_index("ix_payments_party", table_name="payments")
    for name in ("party_id", "headers", "body", "body_hash", "metadata"):
        op.drop_column("payments", name)
    op.drop_column("idempotency_keys", "response")
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("payments", "sealed", server_default=None)
    op.create_index(
        "ix_payments_party",
        "payments",
        ["party_hash", "created_at"],
        unique=False,
        sqlite_where=sa.text("party_hash IS NOT NULL"),
        postgresql_where=sa.text("party_hash IS NOT NULL"),
    )


def _has_rows(table: str) -> bool:
    return bool(op.get_bind().execute(sa.text(f"SELECT EXISTS (SELECT 1 FROM {table})")).scalar())  # noqa: S608


def _veil() -> Veil:
    wrap = context.config.attributes.get("wrap")
    if wrap is None:
        raise ConfigurationError(
            "This database holds payments in clear, and there is no secret key to seal them with.",
            field="secret_key",
            hint="Bring it to the present schema with: momo gateway migrate",
        )
    return open_veil(op.get_bind(), wrap, now=time.time())


def _seal_rows(veil: Veil) -> None:
    _each(
        "SELECT id, party_type, party_id, headers, body, metadata FROM payments",
        "UPDATE payments SET party_hash = :party_hash, sealed = :sealed WHERE id = :id",
        lambda row: {"id": row.id, **_payment(veil, row)},
    )
    _each(
        "SELECT id, payment_id, body_sealed FROM callbacks",
        "UPDATE callbacks SET body_hash = :digest, body_sealed = :sealed WHERE id = :id",
        lambda row: {"id": row.id, **_callback(veil, row)},
    )
    _each(
        "SELECT id, payment_id, sequence, body_sealed FROM deliveries",
        "UPDATE deliveries SET body_sealed = :sealed WHERE id = :id",
        lambda row: {
            "id": row.id,
            "sealed": veil.seal(
                bytes(row.body_sealed), place=f"deliveries {row.payment_id} {row.sequence}"
            ),
        },
    )
    _each(
        "SELECT scope, key_hash, request_hash, response FROM idempotency_keys",
        "UPDATE idempotency_keys SET key_hash = :key_hash, request_hash = :request_hash, "
        "response_sealed = :sealed WHERE scope = :scope AND key_hash = :key",
        lambda row: _idempotency_key(veil, row),
    )


def _payment(veil: Veil, row: Any) -> dict[str, Any]:
    personal = Personal(
        party_id=row.party_id,
        headers=json.loads(row.headers),
        body=bytes(row.body),
        metadata=json.loads(row._mapping["metadata"]),
    )
    return {
        "party_hash": party_hash(veil, row.party_type, row.party_id),
        "sealed": seal_personal(veil, personal, payment_id=row.id),
    }


def _callback(veil: Veil, row: Any) -> dict[str, Any]:
    digest = veil.digest("callback", bytes(row.body_sealed))
    place = f"callbacks {row.payment_id} {digest}"
    return {"digest": digest, "sealed": veil.seal(bytes(row.body_sealed), place=place)}


def _idempotency_key(veil: Veil, row: Any) -> dict[str, Any]:
    digest = veil.digest("idempotency key", row.key_hash)
    place = f"idempotency_keys {row.scope} {digest}"
    response = row.response
    return {
        "scope": row.scope,
        "key": row.key_hash,
        "key_hash": digest,
        "request_hash": veil.digest("request", row.request_hash),
        "sealed": veil.seal(response.encode(), place=place) if response is not None else None,
    }


def _each(query: str, statement: str, seal: Any) -> None:
    """Read all rows of a table, then write each one sealed."""
    bind = op.get_bind()
    rows = [seal(row) for row in bind.execute(sa.text(query)).all()]
    if rows:
        bind.execute(sa.text(statement), rows)
