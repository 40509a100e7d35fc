"""Take a statement of MTN's in: read it by its profile, keep each line once, name its payments."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from momokit.errors import InvalidInput
from momokit.gateway.core.discrepancy import Finding, Kind
from momokit.gateway.core.statement import (
    BalanceRow,
    HeaderFinder,
    Line,
    StatementReader,
    Unreadable,
    plain_amount,
    plain_or_none,
    said_by,
)
from momokit.gateway.core.statement_balance import BalanceKeeper, DayProof
from momokit.gateway.core.statement_profile import Profile
from momokit.gateway.sheets.limits import MIB, Limits
from momokit.gateway.sheets.reading import Table, read_table
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.discrepancies import let_go_of, raise_findings
from momokit.gateway.store.reconciling import readable_now
from momokit.gateway.store.statement_lines import Added, add_lines
from momokit.gateway.store.statement_rows import Prepared, prepare
from momokit.gateway.store.statements import (
    Statement,
    begin_statement,
    fail_statement,
    finish_statement,
    touch_statement,
)
from momokit.gateway.store.store import Store
from momokit.gateway.store.veil import Veil
from momokit.market import Market

ROWS_AT_ONCE = 1_000
"""So many lines are kept in one transaction: short enough that no payment waits for it."""

STATEMENT_LIMITS = Limits(
    max_bytes=512 * MIB,
    max_rows=2_000_000,
    max_cells=60_000_000,
    max_unpacked_bytes=2_048 * MIB,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """What is said along with a file. The period is what the statement covers, where it is known.

    Without it the file is taken to cover what lies between its first line and its last.
    """

    account_id: str
    product: str
    filename: str
    person: str
    market: Market
    profile: Profile
    period_from: float | None = None
    period_to: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """What a profile makes of a file, without anything being kept."""

    titles: tuple[str, ...]
    header_row: int
    fields: dict[str, str]
    lines: tuple[Line, ...]
    unreadable: tuple[Unreadable, ...]
    counts: dict[str, int]
    opening: str | None
    closing: str | None
    days: tuple[DayProof, ...]


@dataclass(slots=True)
class _Reading:
    """A file on its way: rows to come, and what was learned of those that went by."""

    rows: Iterator[Any]
    reader: StatementReader
    keeper: BalanceKeeper
    seen: dict[int, int] = field(default_factory=dict)
    faults: set[str] = field(default_factory=set)
    count: int = 0
    first_at: float | None = None
    last_at: float | None = None

    def take(self) -> list[tuple[Line | Unreadable, str, int]]:
        """Read the next rows that say something, with what they say and how often it was said."""
        taken: list[tuple[Line | Unreadable, str, int]] = []
        for row in islice(self.rows, ROWS_AT_ONCE):
            one = self.reader.read(row)
            if one is None:
                continue
            if isinstance(one, BalanceRow):
                self.keeper.state(one)
                continue
            self.count += 1
            if isinstance(one, Line):
                self.keeper.add(one)
                self.first_at = min(one.at, self.first_at or one.at)
                self.last_at = max(one.until, self.last_at or one.until)
            said = said_by(one)
            key = hash(said)
            count = self.seen[key] = self.seen.get(key, 0) + 1
            taken.append((one, said, count))
        return taken

    def is_over(self, taken: list[Any]) -> bool:
        """Tell whether the file has ended."""
        if taken:
            return False
        following = next(self.rows, None)
        if following is not None:
            self.rows = _put_back(following, self.rows)
        return following is None


def digest_of(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def try_profile(path: Path, *, profile: Profile, market: Market, shown: int = 5) -> Tried:
    """Read a file by a profile and tell what came of it; nothing is kept. Raises InvalidInput."""
    table, reading = _open(path, profile=profile, market=market)
    lines: list[Line] = []
    bad: list[Unreadable] = []
    counts: Counter[str] = Counter()
    while True:
        taken = reading.take()
        if reading.is_over(taken):
            break
        for one, _, _ in taken:
            if isinstance(one, Line):
                counts[one.role] += 1
                lines += [one] if len(lines) < shown else []
            else:
                counts["unreadable"] += 1
                bad += [one] if len(bad) < shown else []
    places = table.columns.places
    return Tried(
        titles=table.titles,
        header_row=table.header_row,
        fields={name: table.titles[place] for name, place in places.items()},
        lines=tuple(lines),
        unreadable=tuple(bad),
        counts=dict(counts),
        opening=plain_or_none(reading.keeper.opening),
        closing=plain_or_none(reading.keeper.closing),
        days=tuple(reading.keeper.days()),
    )


async def import_statement(path: Path, upload: Upload, *, store: Store) -> tuple[Statement, bool]:
    """Keep a statement's lines, each once; False when the same file was had before.

    Raises as `carry_out` does.
    """
    statement, is_new = await open_import(path, upload, store=store)
    if not is_new:
        return statement, False
    return await carry_out(path, statement, upload, store=store), True


async def open_import(path: Path, upload: Upload, *, store: Store) -> tuple[Statement, bool]:
    """Begin an import, or find that the file was had before, or is being read: then False."""
    new = _new_statement(upload, await asyncio.to_thread(digest_of, path))
    return await store.write(lambda t: begin_statement(t, new))


async def carry_out(path: Path, statement: Statement, upload: Upload, *, store: Store) -> Statement:
    """Read an import's file to its end.

    Raises InvalidInput (SheetRefused) for a file that cannot be read as a table; what was kept of
    it until then stays, and the same file may be sent again.
    """
    try:
        _, reading = await asyncio.to_thread(
            _open, path, profile=upload.profile, market=upload.market
        )
        added = await _keep(reading, statement, upload.profile, store=store)
    except Exception as error:
        said = error.message if isinstance(error, InvalidInput) else type(error).__name__
        await store.write(lambda t: fail_statement(t, statement.id, error=said))
        raise
    return await store.write(lambda t: _finish(t, statement, upload, reading, added))


async def _keep(
    reading: _Reading, statement: Statement, profile: Profile, *, store: Store
) -> Added:
    """Write chunk after chunk; the next is read while one is written."""
    added = Added()
    chunk = await store.read(lambda t: _next(reading, t.veil, statement))
    while chunk is not None:
        writing = asyncio.ensure_future(
            store.write(partial(_add, chunk=chunk, statement=statement, profile=profile))
        )
        following = await store.read(lambda t: _next(reading, t.veil, statement))
        one = await writing
        added = Added(
            new=added.new + one.new, repeated=added.repeated + one.repeated,
            raised=added.raised + one.raised, hurried=added.hurried + one.hurried,
        )  # fmt: skip
        chunk = following
        if reading.count % (ROWS_AT_ONCE * 20) < ROWS_AT_ONCE:
            await store.write(
                partial(
                    touch_statement, statement_id=statement.id, row_count=reading.count,
                    new_lines=added.new,
                )
            )  # fmt: skip
    return added


def _add(
    transaction: Transaction, *, chunk: Prepared, statement: Statement, profile: Profile
) -> Added:
    return add_lines(transaction, chunk, statement=statement, profile=profile)


def _next(reading: _Reading, veil: Veil, statement: Statement) -> Prepared | None:
    taken = reading.take()
    if reading.is_over(taken):
        return None
    made = prepare(veil, taken, statement=statement)
    reading.faults |= made.faults.keys()
    return made


def _open(path: Path, *, profile: Profile, market: Market) -> tuple[Table[Any], _Reading]:
    table = read_table(path, limits=STATEMENT_LIMITS, recognise=HeaderFinder(profile))
    reader = StatementReader(profile, table.columns, market=market)
    keeper = BalanceKeeper(profile)
    for row in reader.above(table.above):
        keeper.state(row)
    return table, _Reading(rows=table.rows, reader=reader, keeper=keeper)


def _new_statement(upload: Upload, file_hash: str) -> Statement:
    document = msgspec.to_builtins(upload.profile)
    return Statement(
        id=f"stm_{uuid.uuid4().hex[:24]}",
        account_id=upload.account_id,
        product=upload.product,
        filename=upload.filename,
        file_hash=file_hash,
        profile_name=upload.profile.name,
        profile=document,
        profile_hash=hashlib.sha256(msgspec.json.encode(document, order="sorted")).hexdigest(),
        imported_by=upload.person,
    )


def _finish(
    transaction: Transaction,
    statement: Statement,
    upload: Upload,
    reading: _Reading,
    added: Added,
) -> Statement:
    days = reading.keeper.days()
    finished = finish_statement(
        transaction,
        statement.id,
        days=days,
        period_from=upload.period_from or reading.first_at,
        period_to=_covered_to(upload, reading, now=transaction.now),
        last_line_at=reading.last_at,
        opening_balance=plain_or_none(reading.keeper.opening) or _edge(days, first=True),
        closing_balance=plain_or_none(reading.keeper.closing) or _edge(days, first=False),
        row_count=reading.count,
        new_lines=added.new,
        repeated_lines=added.repeated,
        unreadable_rows=len(reading.faults),
    )
    drifts = _drifts(statement, reading)
    raise_findings(
        transaction, [one for one in drifts.values() if one is not None],
        account_id=statement.account_id, product=statement.product, statement_id=statement.id,
    )  # fmt: skip
    holding = [subject for subject, one in drifts.items() if one is None]
    let_go_of(transaction, statement.account_id, Kind.BALANCE_DRIFT, holding)
    readable_now(transaction, statement=statement, identities=reading.faults)
    return finished


def _covered_to(upload: Upload, reading: _Reading, *, now: float) -> float | None:
    """Say up to when the file tells all: one of a month under way ends with its last line."""
    if upload.period_to is None or upload.period_to > now:
        return reading.last_at
    return upload.period_to


def _drifts(statement: Statement, reading: _Reading) -> dict[str, Finding | None]:
    """Say for each day and for the file whether its balances hold together: None where they do."""
    found: dict[str, Finding | None] = {}
    for day in reading.keeper.days():
        if day.difference is None:
            continue
        subject = f"day:{statement.product}:{day.day}:{day.currency}"
        found[subject] = None
        if day.difference:
            found[subject] = Finding(
                kind=Kind.BALANCE_DRIFT, subject=subject, day=day.day,
                amount=plain_amount(day.difference), currency=day.currency,
                details={"row": day.broken_row},
            )  # fmt: skip
    whole = reading.keeper.total_difference()
    if whole is not None:
        subject = f"statement:{statement.product}:{statement.file_hash[:16]}"
        found[subject] = None
        explained = sum(day.difference or 0 for day in reading.keeper.days())
        if whole and whole != explained:
            found[subject] = Finding(
                kind=Kind.BALANCE_DRIFT, subject=subject, amount=plain_amount(whole),
                details={"what": "opening, lines and closing balance"},
            )  # fmt: skip
    return found


def _edge(days: list[DayProof], *, first: bool) -> str | None:
    if not days or len({day.currency for day in days}) > 1:
        return None
    return plain_or_none(days[0].opening if first else days[-1].closing)


def _put_back(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest
