"""The routes of statements: bring a file of MTN's, try a profile on it, read what came of it."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from momokit.errors import InvalidInput
from momokit.gateway.api.batch_files import FileName, UploadOperation
from momokit.gateway.api.callers import READ, RECONCILE
from momokit.gateway.api.edge import Caller, Edge, caller_of, edge_of
from momokit.gateway.api.placing import account_for
from momokit.gateway.api.problems import Problem, problems
from momokit.gateway.api.statement_views import (
    DayView,
    StatementList,
    StatementView,
    day_view,
    masked_text,
    statement_view,
    tally_views,
)
from momokit.gateway.core.statement_profile import GUESSES, Profile, read_profile, zone_of
from momokit.gateway.steps.reconcile import reconcile_account
from momokit.gateway.steps.reconcile_import import (
    STATEMENT_LIMITS,
    Upload,
    carry_out,
    open_import,
    try_profile,
)
from momokit.gateway.store import statements
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.statements import Statement
from momokit.settings import PRODUCTS, Product

Asked: TypeAlias = Request[Any, Any, Any]
TAGS = ["Reconciliation"]
READERS = frozenset({READ, RECONCILE})
PROFILES_KIND = "profile"
IMPORTS_AT_ONCE = 2
LONGEST_WAIT_SECONDS = 60.0
_log = logging.getLogger(__name__)

Account: TypeAlias = FromQuery[str | None]
Day: TypeAlias = Annotated[str | None, QueryParameter(pattern=r"^\d{4}-\d\d-\d\d$")]
ProfileName: TypeAlias = Annotated[
    str | None, QueryParameter(description="How the file is laid out; the market's otherwise.")
]


@dataclass
class Imports:
    """The imports that this process is carrying out."""

    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def start(self, work: Any) -> asyncio.Task[Any]:
        """Carry one out, whether or not its caller waits for the end."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, InvalidInput):
            _log.error("an import failed: %s", type(error).__name__)


class LineSample(msgspec.Struct, frozen=True, kw_only=True):
    """A line as the profile reads it; the party is masked."""

    row: int
    at: float
    role: str
    status: str
    direction: str
    amount: str
    currency: str
    fee: str | None
    balance: str | None
    financial_transaction_id: str | None
    external_id: str | None
    party: str | None


class RowFault(msgspec.Struct, frozen=True, kw_only=True):
    """A row that the profile cannot read, and why."""

    row: int
    column: str
    why: str


class TriedView(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile makes of a file: nothing of it was kept."""

    profile: str
    header_row: int
    fields: dict[str, str]
    counts: dict[str, int]
    lines: list[LineSample]
    unreadable: list[RowFault]
    opening_balance: str | None
    closing_balance: str | None
    days: list[DayView]


@post(
    "/v1/statements",
    status_code=201,
    opt={"scopes": {RECONCILE}},
    tags=TAGS,
    operation_id="import_statement",
    operation_class=UploadOperation,
    summary="Import a statement of MTN's and reconcile it",
    responses=problems(404, 409, 422),
    request_max_body_size=STATEMENT_LIMITS.max_bytes,
)
async def import_statement(
    request: Asked,
    filename: FileName = None,
    account: Account = None,
    product: FromQuery[Product | None] = None,
    profile: ProfileName = None,
    period_from: Day = None,
    period_to: Day = None,
    wait: Annotated[float, QueryParameter(ge=0, le=LONGEST_WAIT_SECONDS)] = 30,
) -> Response[StatementView]:
    """Take in a CSV or XLSX file. The same file, or lines that were had before, add nothing.

    202 says that it goes on: follow it by its id. `period_from` and `period_to` (its last day) say
    what the statement covers; without them it covers what lies between its first and last line.
    """
    edge, caller = edge_of(request), caller_of(request)
    account_id = one_account(edge, caller, account)
    chosen = await profile_for(edge, account_id, profile)
    upload = Upload(
        account_id=account_id,
        product=_product(edge, account_id, product),
        filename=filename or "statement",
        person=caller.person,
        market=edge.book.forms_of(account_id).market,
        profile=chosen,
        period_from=_midnight(period_from, chosen, after=False),
        period_to=_midnight(period_to, chosen, after=True),
    )
    imports: Imports = request.app.state["imports"]
    if len(imports.tasks) >= IMPORTS_AT_ONCE:
        raise Problem("not_ready", "Other statements are being imported.", hint="Try again later.")
    path = await _receive(request)
    statement, is_new = await _begin(edge, path, upload)
    headers = {"Location": f"/v1/statements/{statement.id}"}
    if not is_new:
        view = statement_view(statement, same_as_before=True)
        return Response(view, status_code=200, headers=headers)
    task = imports.start(_carry_out(edge, path, statement, upload))
    try:
        await asyncio.wait_for(asyncio.shield(task), wait)
    except TimeoutError:
        return Response(statement_view(statement), status_code=202, headers=headers)
    except InvalidInput as refused:
        raise Problem("file_refused", refused.message, field="file", hint=refused.hint) from None
    shown = await _shown(edge, statement.id)
    return Response(shown, status_code=201, headers=headers)


@post(
    "/v1/statements/try",
    status_code=200,
    opt={"scopes": {RECONCILE}},
    tags=TAGS,
    operation_id="try_profile",
    operation_class=UploadOperation,
    summary="See what a profile makes of a file",
    responses=problems(404, 409, 422),
    request_max_body_size=STATEMENT_LIMITS.max_bytes,
)
async def try_statement(
    request: Asked, account: Account = None, profile: ProfileName = None
) -> TriedView:
    """Read a file by a profile and tell what came of it. Nothing is kept."""
    edge, caller = edge_of(request), caller_of(request)
    account_id = one_account(edge, caller, account)
    chosen = await profile_for(edge, account_id, profile)
    path = await _receive(request)
    market = edge.book.forms_of(account_id).market
    try:
        tried = await asyncio.to_thread(try_profile, path, profile=chosen, market=market)
    except InvalidInput as refused:
        raise Problem("file_refused", refused.message, field="file", hint=refused.hint) from None
    finally:
        _forget(path)
    return TriedView(
        profile=chosen.name,
        header_row=tried.header_row,
        fields=tried.fields,
        counts=tried.counts,
        lines=[
            LineSample(
                row=one.row_number, at=one.at, role=one.role, status=one.status,
                direction=one.direction, amount=str(one.amount), currency=one.currency,
                fee=_text(one.fee), balance=_text(one.balance),
                financial_transaction_id=one.financial_transaction_id,
                external_id=one.external_id,
                party=masked_text(one.party) if one.party else None,
            )
            for one in tried.lines
        ],
        unreadable=[
            RowFault(row=one.row_number, column=one.column, why=one.why)
            for one in tried.unreadable
        ],
        opening_balance=tried.opening,
        closing_balance=tried.closing,
        days=[day_view(one) for one in tried.days],
    )  # fmt: skip


@get(
    "/v1/statements",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="list_statements",
    summary="List the statements that were imported",
    responses=problems(404),
)
async def list_statements(request: Asked, account: Account = None) -> StatementList:
    """List statements, newest first; of one account, or of all that the key may see."""
    edge, caller = edge_of(request), caller_of(request)
    ids = seen_accounts(edge, caller, account)
    rows = await edge.store.read(lambda t: statements.list_statements(t, account_ids=ids))
    return StatementList(items=[statement_view(one) for one in rows])


@get(
    "/v1/statements/{statement_id:str}",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="get_statement",
    summary="Read a statement: its matches and its balances",
    responses=problems(404),
)
async def get_statement(request: Asked, statement_id: FromPath[str]) -> StatementView:
    """Read how an import stands, how its lines were matched, and its balance proof by day."""
    edge, caller = edge_of(request), caller_of(request)
    await visible_statement(edge, caller, statement_id)
    return await _shown(edge, statement_id)


async def profile_for(edge: Edge, account_id: str, name: str | None) -> Profile:
    """Find a profile: the operator's of that name, or what is shipped for the market."""
    wanted = name or edge.book.account(account_id).market
    saved = await edge.store.read(lambda t: statements.find_document(t, PROFILES_KIND, wanted))
    if saved is not None:
        return read_profile(saved.document)
    if wanted not in GUESSES:
        raise Problem("not_found", "There is no such profile.", field="profile")
    return GUESSES[wanted]


def one_account(edge: Edge, caller: Caller, account: str | None) -> str:
    """Find the account that is meant, by name or id; without a name, the only one there is."""
    return edge.book.account(account_for(edge, caller, account)).id


def seen_accounts(edge: Edge, caller: Caller, account: str | None) -> list[str] | None:
    """Say of which accounts a caller may see something; None is all."""
    if account is None and caller.account_id is None:
        return None
    return [one_account(edge, caller, account)]


async def visible_statement(edge: Edge, caller: Caller, statement_id: str) -> Statement:
    """Find a statement that the caller may know of."""
    found = await edge.store.read(lambda t: statements.find_statement(t, statement_id))
    if found is None or caller.account_id not in (None, found.account_id):
        raise Problem("not_found")
    return found


async def _begin(edge: Edge, path: Path, upload: Upload) -> tuple[Statement, bool]:
    is_new = False
    try:
        statement, is_new = await open_import(path, upload, store=edge.store)
        return statement, is_new
    finally:
        if not is_new:
            _forget(path)


async def _carry_out(edge: Edge, path: Path, statement: Statement, upload: Upload) -> None:
    try:
        done = await carry_out(path, statement, upload, store=edge.store)
        await reconcile_account(done.account_id, store=edge.store, only=done)
    finally:
        _forget(path)


async def _shown(edge: Edge, statement_id: str) -> StatementView:
    def look(transaction: Transaction) -> StatementView:
        found = statements.find_statement(transaction, statement_id)
        if found is None:
            raise Problem("not_found")
        return statement_view(
            found,
            tallies=tally_views(statements.tally(transaction, statement_id)),
            days=[day_view(one) for one in statements.days_of(transaction, statement_id)],
        )

    return await edge.store.read(look)


async def _receive(request: Asked) -> Path:
    """Put the file that came on disk, a piece at a time; whoever asked for it takes it away."""
    with tempfile.NamedTemporaryFile(prefix="momokit-statement-", delete=False) as file:
        path = Path(file.name)
        try:
            chunks: AsyncIterator[bytes] = request.stream()
            async for chunk in chunks:
                file.write(chunk)
            if not file.tell():
                raise Problem("invalid_request", "The file is empty.", field="file")
        except BaseException:
            _forget(path)
            raise
    return path


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)


def _product(edge: Edge, account_id: str, product: Product | None) -> str:
    held = [one for one in PRODUCTS if getattr(edge.book.settings_of(account_id), one) is not None]
    if product is not None and product not in held:
        raise Problem("product_not_held", field="product")
    return product or ""


def _midnight(day: str | None, profile: Profile, *, after: bool) -> float | None:
    if day is None:
        return None
    try:
        begins = datetime.combine(date.fromisoformat(day), time(), zone_of(profile.zone))
    except ValueError:
        raise Problem("invalid_request", "There is no such day.", field="period_from") from None
    return begins.timestamp() + (86_400.0 if after else 0.0)


def _text(value: Any) -> str | None:
    return str(value) if value is not None else None


ROUTES = [import_statement, try_statement, list_statements, get_statement]
