"""What tests of reconciliation are made of: payments that ended, statements that tell of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import insert, select

from momokit.gateway.core.discrepancy import Kind
from momokit.gateway.core.statement_profile import GUESSES, Profile
from momokit.gateway.steps.reconcile import Reconciled, reconcile_account
from momokit.gateway.steps.reconcile_import import Upload, import_statement
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.personal import Personal, party_hash, seal_personal
from momokit.gateway.store.statement_tables import discrepancies, statement_lines
from momokit.gateway.store.statements import Statement
from momokit.gateway.store.store import Store
from momokit.gateway.store.tables import payments
from momokit.market import market
from tests.gateway.store.making import START

SPACE = UUID("0f9f2b2c-7f5c-4a5e-8a63-2f1f0f6f7b11")
EAST_AFRICA = timedelta(hours=3)
UGANDA = GUESSES["uganda"]
HEADER = (
    "Date", "Financial Transaction ID", "External ID", "Type", "From", "To", "Amount", "Fee",
    "Balance", "Currency", "Status",
)  # fmt: skip
OWN_WALLET = "FRI:shop.sp/USER"


@dataclass(frozen=True, kw_only=True)
class Paid:
    """A payment of ours, as a test wants it."""

    number: int
    amount: int = 5000
    kind: str = "request_to_pay"
    state: str = "successful"
    party: str = ""
    account_id: str = "acc_1"
    created_at: float = START
    final_at: float | None = START + 30
    financial_transaction_id: str | None = ""
    product: str = ""
    currency: str = "UGX"

    @property
    def id(self) -> str:
        """Our id, which MTN knows as the external id."""
        return f"pay_{self.number:07}"

    @property
    def msisdn(self) -> str:
        """The other side's number."""
        return self.party or f"25677{self.number % 10**7:07}"

    @property
    def mtn_number(self) -> str | None:
        """MTN's number for it."""
        if self.financial_transaction_id == "":
            return str(10**9 + self.number)
        return self.financial_transaction_id

    @property
    def is_push(self) -> bool:
        """Tell whether we pay."""
        return self.kind in ("transfer", "refund", "deposit")


@dataclass
class Sheet:
    """A statement being written: rows in MTN's order, with a balance that follows."""

    opening: int = 1_000_000
    rows: list[list[str]] = field(default_factory=list)
    balance: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        self.balance = Decimal(self.opening)

    def tell(self, paid: Paid, **changes: Any) -> None:
        """Add a payment as MTN saw it; `changes` say in what MTN differs."""
        told = {
            "at": paid.final_at if paid.final_at is not None else paid.created_at + 20,
            "number": paid.mtn_number or str(10**9 + paid.number), "external_id": paid.id,
            "type": "Payment", "party": paid.msisdn, "amount": Decimal(paid.amount), "fee": "",
            "currency": paid.currency, "status": "Successful", "out": paid.is_push,
        } | changes  # fmt: skip
        if told["status"] == "Successful" and told["currency"] == "UGX":
            self.balance += -told["amount"] if told["out"] else told["amount"]
            self.balance -= Decimal(told["fee"] or 0)
        sides = [f"FRI:{told['party']}/MSISDN", OWN_WALLET]
        if told["out"]:
            sides.reverse()
        amount = -told["amount"] if told["out"] else told["amount"]
        self.rows.append(
            [
                wall(told["at"]), told["number"], told["external_id"], told["type"], *sides,
                f"{amount:,}", str(told["fee"]), f"{self.balance:,}", told["currency"],
                told["status"],
            ]
        )  # fmt: skip

    def write(self, path: Path) -> Path:
        """Write the statement as CSV, with a preamble above and balances around."""
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["Mobile Money statement"])
            writer.writerow([])
            writer.writerow(["Opening balance:", f"{self.opening:,}"])
            writer.writerow(HEADER)
            writer.writerows(self.rows)
            writer.writerow(["Closing balance", f"{self.balance:,}"])
        return path


def wall(at: float) -> str:
    """Write a time as the statement of Uganda does."""
    return (datetime.fromtimestamp(at, UTC) + EAST_AFRICA).strftime("%Y-%m-%d %H:%M:%S")


async def put(store: Store, paid: Sequence[Paid]) -> None:
    """Put payments into the store as if they had gone their way."""
    for at in range(0, len(paid), 1000):
        some = paid[at : at + 1000]
        await store.write(lambda t, some=some: _insert(t, some))


def upload(**changes: Any) -> Upload:
    """Say whose statement it is."""
    given: dict[str, Any] = {
        "account_id": "acc_1", "product": "", "filename": "statement.csv", "person": "amina",
        "market": market("uganda"), "profile": UGANDA,
    }  # fmt: skip
    return Upload(**given | changes)


async def take_in(
    store: Store, path: Path, *, profile: Profile = UGANDA, **changes: Any
) -> tuple[Statement, bool, Reconciled]:
    """Import a statement and reconcile it, as the API does."""
    statement, is_new = await import_statement(
        path, upload(profile=profile, **changes), store=store
    )
    done = await reconcile_account(statement.account_id, store=store, only=statement)
    return statement, is_new, done


async def found(store: Store, *states: str) -> dict[Kind, list[str]]:
    """Give what is in the queue: subjects by class."""

    def look(transaction: Transaction) -> dict[Kind, list[str]]:
        query = select(discrepancies).where(discrepancies.c.state.in_(states or ("open",)))
        seen: dict[Kind, list[str]] = {}
        for row in transaction.connection.execute(query.order_by(discrepancies.c.id)):
            what = row.payment_id or row.subject
            seen.setdefault(Kind(row._mapping["class"]), []).append(what)
        return seen

    return await store.read(look)


async def matches(store: Store) -> dict[str, tuple[str, str, int]]:
    """Give what lines were given to payments: MTN's number, rule and confidence by payment."""

    def look(transaction: Transaction) -> dict[str, tuple[str, str, int]]:
        query = select(statement_lines).where(statement_lines.c.relation == "match")
        return {
            row.payment_id: (row.financial_transaction_id, row.rule, row.confidence)
            for row in transaction.connection.execute(query)
        }

    return await store.read(look)


def _insert(transaction: Transaction, some: Iterable[Paid]) -> None:
    transaction.connection.execute(insert(payments), [_row(transaction, one) for one in some])


def _row(transaction: Transaction, one: Paid) -> dict[str, Any]:
    reference_id = str(uuid5(SPACE, one.id))
    personal = Personal(party_id=one.msisdn, headers={}, body=b"{}", metadata={})
    is_open = one.state in ("created", "pending", "unknown")
    return {
        "id": one.id, "account_id": one.account_id, "kind": one.kind, "state": one.state,
        "product": one.product or ("disbursement" if one.is_push else "collection"),
        "operation": one.kind, "amount": str(one.amount), "currency": one.currency,
        "party_type": "MSISDN", "party_hash": party_hash(transaction.veil, "MSISDN", one.msisdn),
        "external_id": one.id, "reference_id": reference_id, "path": "/", "status_path": "/",
        "sealed": seal_personal(transaction.veil, personal, payment_id=one.id),
        "created_at": one.created_at, "updated_at": one.created_at,
        "first_sent_at": one.created_at, "accepted_at": one.created_at,
        "final_at": None if is_open else one.final_at,
        "financial_transaction_id": one.mtn_number if one.state == "successful" else None,
        "work": "settle" if is_open else None,
        "due_at": one.created_at + 86_400 if is_open else None,
    }  # fmt: skip
