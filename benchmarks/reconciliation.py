"""How long a large statement takes to be imported and matched, and how much memory.

The payments are in the tables already; everything else is what the gateway does: the file is read
by a profile, sealed, stored, matched and compared, in transactions short enough for others.
"""

from __future__ import annotations

import asyncio
import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks.tables import markdown
from momokit.gateway.core.statement_profile import GUESSES
from momokit.gateway.steps.reconcile import reconcile_account
from momokit.gateway.steps.reconcile_import import Upload, import_statement
from momokit.gateway.store.accounts import Account, add_account
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.discrepancies import count_open
from momokit.gateway.store.migrate import migrate
from momokit.gateway.store.personal import party_hash
from momokit.gateway.store.statements import tally
from momokit.gateway.store.store import Store
from momokit.gateway.store.tables import payments
from momokit.gateway.store.veil import Veil
from momokit.market import market

START = 1_790_000_000.0
VEIL = Veil(keys={2: bytes(32)}, look_up_key=bytes(32))
HEADER = (
    "Date", "Financial Transaction ID", "External ID", "Type", "From", "To", "Amount", "Fee",
    "Balance", "Currency", "Status",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: how much there was, and what it cost."""

    rows: int
    file_megabytes: float
    import_seconds: float
    settle_seconds: float
    peak_megabytes: float
    longest_write_seconds: float
    matched: int
    open: int
    again_seconds: float
    cpu_seconds: float


def measure(*, rows: int = 1_000_000) -> Measured:
    """Measure in a process of its own, whose memory nothing else has had."""
    with tempfile.TemporaryDirectory(prefix="momokit-bench-") as place:
        for part in ("fill", "run"):
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.reconciliation", part, place, str(rows)],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
    return Measured(*(type_(one) for type_, one in zip(_TYPES, done.stdout.split(), strict=True)))


_TYPES: tuple[Any, ...] = (int, float, float, float, float, float, int, int, float, float)


def table(found: Measured) -> str:
    """Lay the figures out."""
    total = found.import_seconds + found.settle_seconds
    wait = found.longest_write_seconds * 1000
    rows = [
        ("rows of the statement", f"{found.rows:,} ({found.file_megabytes:.0f} MB of CSV)"),
        ("read, sealed, stored, matched, compared", f"{found.import_seconds:.1f} s"),
        ("last resort, leftovers, what is missing", f"{found.settle_seconds:.1f} s"),
        ("together", f"{total:.1f} s ({found.rows / total:,.0f} rows/s)"),
        ("time of the processor, all of it", f"{found.cpu_seconds:.1f} s"),
        ("the same file again", f"{found.again_seconds:.2f} s"),
        ("peak memory of the process", f"{found.peak_megabytes:.0f} MB"),
        ("longest wait of a small write meanwhile", f"{wait:.0f} ms"),
        ("lines matched", f"{found.matched:,}"),
        ("discrepancies in the queue", f"{found.open}"),
    ]
    return markdown(("A statement, on SQLite", ""), rows)


def _fill(place: Path, rows: int) -> None:
    url = f"sqlite:///{place / 'gateway.db'}"
    migrate(url)
    asyncio.run(_put(url, rows))
    with (place / "statement.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        balance = 10**9
        for number in range(rows):
            balance = _write(writer, number, rows, balance)


def _write(writer: Any, number: int, rows: int, balance: int) -> int:
    odd = _odd(number, rows)
    if odd == "missing":
        return balance
    amount = _amount(number) + (odd == "amount")
    out = number % 3 == 0
    balance += -amount if out else amount
    party = "256779999999" if odd == "party" else _party(number)
    sides = ["FRI:shop.sp/USER", f"FRI:{party}/MSISDN"] if out else [
        f"FRI:{party}/MSISDN", "FRI:shop.sp/USER"
    ]  # fmt: skip
    at = datetime.fromtimestamp(START + number + 10_800 + 5, UTC).strftime("%Y-%m-%d %H:%M:%S")
    row = [
        "x" if odd == "unreadable" else at, str(10**9 + number),
        "nobody's" if odd == "stranger" else _id(number), "Payment", *sides,
        f"{-amount if out else amount:,}", "0", f"{balance:,}",
        "USD" if odd == "currency" else "UGX", "Successful",
    ]  # fmt: skip
    if odd == "stranger":
        row[1] = "777"
    writer.writerow(row)
    return balance


def _odd(number: int, rows: int) -> str:
    step = rows // 8
    names = ("", "amount", "party", "currency", "missing", "stranger", "unreadable")
    return names[number // step] if number % step == 0 and number // step < len(names) else ""


async def _put(url: str, rows: int) -> None:
    store = Store(url, veil=VEIL)
    account = Account(
        id="acc_1", name="shop", market="uganda", base_url="", settings={},
        credentials_sealed=b"",
    )  # fmt: skip
    await store.write(lambda t: add_account(t, account))
    for begin in range(0, rows, 5000):
        numbers = range(begin, min(begin + 5000, rows))
        await store.write(lambda t, numbers=numbers: _insert(t, numbers))
    store.close()


def _insert(transaction: Transaction, numbers: range) -> None:
    transaction.connection.execute(
        insert(payments), [_row(transaction.veil, number) for number in numbers]
    )


def _row(veil: Veil, number: int) -> dict[str, Any]:
    out = number % 3 == 0
    at = START + number
    return {
        "id": _id(number), "account_id": "acc_1", "kind": "transfer" if out else "request_to_pay",
        "product": "disbursement" if out else "collection", "operation": "x",
        "state": "successful", "amount": str(_amount(number)), "currency": "UGX",
        "party_type": "MSISDN", "party_hash": party_hash(veil, "MSISDN", _party(number)),
        "external_id": _id(number), "reference_id": f"ref-{number:08}", "path": "/",
        "status_path": "/", "sealed": b"x" * 400, "created_at": at, "updated_at": at + 20,
        "first_sent_at": at, "accepted_at": at, "final_at": at + 20,
        "financial_transaction_id": str(10**9 + number),
    }  # fmt: skip


def _id(number: int) -> str:
    # As spread out as the gateway's own ids, so that an index is used as it would be.
    return f"pay_{number * 2654435761 % 2**32:08x}{number:08x}"


def _amount(number: int) -> int:
    return 500 + number % 90_000


def _party(number: int) -> str:
    return f"25677{number * 7919 % 10**7:07}"


async def _run(place: Path, rows: int) -> None:
    store = Store(f"sqlite:///{place / 'gateway.db'}", veil=VEIL)
    path = place / "statement.csv"
    upload = Upload(
        account_id="acc_1", product="", filename="statement.csv", person="bench",
        market=market("uganda"), profile=GUESSES["uganda"],
    )  # fmt: skip
    waits: list[float] = []
    others = asyncio.create_task(_small_writes(store, waits))
    began = time.monotonic()
    statement, _ = await import_statement(path, upload, store=store)
    imported = time.monotonic()
    await reconcile_account("acc_1", store=store, only=statement)
    settled = time.monotonic()
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    others.cancel()
    await import_statement(path, upload, store=store)
    again = time.monotonic() - settled
    counted = await store.read(lambda t: tally(t, statement.id))
    matched = sum(count for (_, relation, _), count in counted.items() if relation == "match")
    queue = await store.read(count_open)
    store.close()
    # On Linux the peak is told in kilobytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = (
        rows, path.stat().st_size / 1e6, imported - began, settled - imported, peak, max(waits),
        matched, sum(queue.values()), again, cpu,
    )  # fmt: skip
    print(*figures)
    if os.environ.get("MOMOKIT_BENCH_VERBOSE"):
        print(queue, file=sys.stderr)


async def _small_writes(store: Store, waits: list[float]) -> None:
    while True:
        began = time.monotonic()
        await store.write(lambda t: t.now)
        waits.append(time.monotonic() - began)
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    PLACE = Path(sys.argv[2])
    if sys.argv[1] == "fill":
        _fill(PLACE, int(sys.argv[3]))
    else:
        asyncio.run(_run(PLACE, int(sys.argv[3])))
