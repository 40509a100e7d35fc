"""The store's quick way gives what the pure matcher gives, in whatever pieces lines arrive."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from momokit.gateway.core.reconciliation import reconcile
from momokit.gateway.core.statement import Line, said_by
from momokit.gateway.steps.reconcile import reconcile_account
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.statement_lines import add_lines
from momokit.gateway.store.statement_rows import PAYMENT_COLUMNS, prepare, to_ours, to_theirs
from momokit.gateway.store.statement_tables import statement_lines
from momokit.gateway.store.statements import Statement, begin_statement, finish_statement
from momokit.gateway.store.store import Store
from tests.gateway.reconciliation.making import UGANDA, Paid, put
from tests.gateway.store.making import START, add_account
from tests.gateway.veiled import VEIL

HOUR = 3600.0
NUMBERS = range(1, 6)


@st.composite
def books(draw: st.DrawFn) -> list[Paid]:
    """Draw a few payments that are easily confused."""
    return [
        Paid(
            number=number,
            amount=draw(st.sampled_from([500, 700])),
            state=draw(st.sampled_from(["successful", "successful", "failed", "pending"])),
            kind=draw(st.sampled_from(["request_to_pay", "transfer"])),
            party=draw(st.sampled_from(["256770000001", "256770000002"])),
            financial_transaction_id=draw(st.sampled_from(["", None, "shared"])),
            created_at=START + number * 60,
            final_at=START + number * 60 + 30,
        )
        for number in NUMBERS
    ]


@st.composite
def rows(draw: st.DrawFn) -> list[Line]:
    """Draw lines that name payments, or only resemble them."""
    count = draw(st.integers(0, 8))
    names = [None, "shared", *(str(10**9 + number) for number in NUMBERS)]
    own = [None, None, "nobody's", *(f"pay_{number:07}" for number in NUMBERS)]
    made = []
    for number in range(count):
        direction = draw(st.sampled_from(["in", "out"]))
        at = START + draw(st.integers(0, 8)) * 60
        made.append(
            Line(
                row_number=number, role=draw(st.sampled_from(["payment", "payment", "reversal"])),
                status=draw(st.sampled_from(["moved", "moved", "moved", "failed"])),
                at=at, until=at + 1, direction=direction,
                amount=draw(st.sampled_from([Decimal(500), Decimal(700)])), currency="UGX",
                balance=Decimal(number), financial_transaction_id=draw(st.sampled_from(names)),
                external_id=draw(st.sampled_from(own)),
                party=draw(st.sampled_from([None, "256770000001", "256770000002"])),
            )
        )  # fmt: skip
    return made


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(books(), rows(), st.integers(1, 4))
def test_the_store_matches_as_the_matcher_does(
    empty_sqlite: Path, tmp_path: Path, paid: list[Paid], lines: list[Line], piece: int
) -> None:
    """Chunk by chunk, by SQL and by hand, the same pairs come out as by the pure matcher."""
    path = tmp_path / "gateway.db"
    path.unlink(missing_ok=True)
    shutil.copy(empty_sqlite, path)
    store = Store(f"sqlite:///{path}", veil=VEIL)
    try:
        in_store, by_hand = anyio.run(compared, store, paid, lines, piece)
    finally:
        store.close()
    assert in_store == by_hand


async def compared(
    store: Store, paid: list[Paid], lines: list[Line], piece: int
) -> tuple[set[Any], set[Any]]:
    """Import lines in pieces, and give what the store has and what the matcher says."""
    await add_account(store, "acc_1")
    await put(store, paid)
    statement = await store.write(begin)
    said = [said_by(one) for one in lines]
    some = [(one, said[n], 1 + said[:n].count(said[n])) for n, one in enumerate(lines)]
    for at in range(0, len(lines), piece):
        chunk = prepare(VEIL, some[at : at + piece], statement=statement)
        await store.write(
            lambda t, chunk=chunk: add_lines(t, chunk, statement=statement, profile=UGANDA)
        )
    await store.write(lambda t: finish_statement(t, statement.id, days=[]))
    await reconcile_account("acc_1", store=store)
    return await store.read(both)


def begin(transaction: Transaction) -> Statement:
    """Open a statement."""
    new = Statement(
        id="stm_1", account_id="acc_1", product="", filename="s", file_hash="h",
        profile_name="uganda", profile=msgspec.to_builtins(UGANDA), profile_hash="p",
        imported_by="amina",
    )  # fmt: skip
    return begin_statement(transaction, new)[0]


def both(transaction: Transaction) -> tuple[set[Any], set[Any]]:
    """Give the pairs in the store, and those of the matcher for what the store holds."""
    kept = transaction.connection.execute(select(statement_lines)).all()
    in_store = {
        (row.identity, row.payment_id, row.rule, row.confidence, row.relation)
        for row in kept
        if row.relation is not None
    }
    ours = [to_ours(row) for row in transaction.connection.execute(select(*PAYMENT_COLUMNS))]
    outcome = reconcile([to_theirs(row) for row in kept], ours, window_seconds=HOUR)
    by_hand = {
        (one.line.identity, one.payment.id, one.rule.value, one.confidence, one.relation)
        for one in outcome.pairs
    }
    return in_store, by_hand
