"""What all tables are made with: their common metadata, and the columns that repeat."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column of exactly this type.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")


def only_where(condition: str) -> dict[str, Any]:
    """Say for both databases which rows an index holds."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def flag(name: str) -> Column[bool]:
    """Make a column that is off until it is set."""
    return Column(name, Boolean, nullable=False, default=False)


def count(name: str, kind: Any = Integer) -> Column[int]:
    """Make a column that counts from zero."""
    return Column(name, kind, nullable=False, default=0)
