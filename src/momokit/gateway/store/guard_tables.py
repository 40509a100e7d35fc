"""The tables of the guards: what was paid out on a day, lanes that are shut, switches, and who did
what to them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, String, Table, Text

from momokit.gateway.store.columns import RowNumber, metadata

# What an account has paid out on a day (UTC), and what to each payee: a sum that is kept, so that
# a limit costs the same after a million payments. An empty hash is the account's own sum.
spent = Table(
    "spent",
    metadata,
    Column("account_id", String, ForeignKey("accounts.id"), primary_key=True),
    Column("currency", String, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("party_hash", String, primary_key=True),
    Column("amount", String, nullable=False),
)
Index("ix_spent_day", spent.c.day)

# A row is a lane whose breaker is open: it is there from the moment the lane shuts until the first
# readable answer, and all workers go by it.
lanes = Table(
    "lanes",
    metadata,
    Column("account_id", String, ForeignKey("accounts.id"), primary_key=True),
    Column("product", String, primary_key=True),
    Column("work", String, primary_key=True),
    Column("opened_at", Double, nullable=False),
    Column("open_until", Double, nullable=False),
    Column("opens", Integer, nullable=False),
    Column("probe_until", Double),
)

switches = Table(
    "switches",
    metadata,
    Column("name", String, primary_key=True),
    Column("is_on", Boolean, nullable=False),
    Column("changed_at", Double, nullable=False),
    Column("because", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("details", Text, nullable=False),
)

guard_events = Table(
    "guard_events",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("what", String, nullable=False),
    Column("account_id", String, ForeignKey("accounts.id")),
    Column("because", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("details", Text, nullable=False),
)
