"""The routes of reconciliation: run, audit, balance proof, export, profiles and ledger codes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, BinaryIO

import msgspec
from litestar import get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from momokit.gateway.api.accounts import ask_balance
from momokit.gateway.api.batch_files import FileOperation, Format, Language, file_of_rows
from momokit.gateway.api.bodies import Strict
from momokit.gateway.api.callers import RECONCILE
from momokit.gateway.api.edge import Edge, caller_of, edge_of
from momokit.gateway.api.problems import Problem, problems
from momokit.gateway.api.statements import (
    PROFILES_KIND,
    READERS,
    TAGS,
    Account,
    Asked,
    Day,
    one_account,
    visible_statement,
)
from momokit.gateway.core.journal import LedgerCodes, read_codes
from momokit.gateway.core.statement import plain_amount, plain_or_none
from momokit.gateway.core.statement_profile import GUESSES, Profile, read_profile
from momokit.gateway.steps.reconcile import Proof, Reconciled, prove_balance, reconcile_account
from momokit.gateway.steps.reconcile_audit import audit_day
from momokit.gateway.steps.reconcile_export import CODES_KIND, Export, codes_of, write_export
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.deliveries import moment
from momokit.gateway.store.statement_reads import Span
from momokit.gateway.store.statements import find_document, list_documents, save_document
from momokit.settings import PRODUCTS, Product

_SCOPES = frozenset({RECONCILE})


class ReconciledView(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did: lines given to payments by number or by the last resort, and what is left."""

    named: int
    paired: int
    at_provider_only: int
    at_ours_only: int
    gone: int


class ProofView(msgspec.Struct, frozen=True, kw_only=True):
    """The balance proof: the statement, and what moved since, against what MTN says is there.

    `difference` is what neither explains, nor what is under way; null when MTN gave no answer.
    """

    statement_id: str
    currency: str
    as_of: str
    closing_balance: str
    taken_in_since: str
    paid_out_since: str
    coming_in: str
    going_out: str
    expected: str
    at_provider: str | None
    difference: str | None
    why: str | None


class AuditBody(Strict, frozen=True, kw_only=True):
    """Which day (in UTC), and whether one that was audited is audited again."""

    day: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
    again: bool = False


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """How many payments are asked about again; `already` when that day was audited before."""

    day: str
    already: bool
    ended: int
    open: int


class ProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """A profile. `source` is shipped (a guess) or edited, and then by whom and when."""

    name: str
    source: str
    changed_by: str | None
    changed_at: str | None
    profile: dict[str, Any]


class ProfileList(msgspec.Struct, frozen=True, kw_only=True):
    """All profiles by name."""

    items: list[ProfileView]


@post(
    "/v1/reconciliation/run",
    status_code=200,
    opt={"scopes": _SCOPES},
    tags=TAGS,
    operation_id="run_reconciliation",
    summary="Reconcile an account's statements again",
    responses=problems(404),
)
async def run(request: Asked, account: Account = None) -> ReconciledView:
    """Look once more at all lines that have no payment, and let go of what agrees by now."""
    edge, caller = edge_of(request), caller_of(request)
    account_id = one_account(edge, caller, account)
    done: Reconciled = await reconcile_account(account_id, store=edge.store)
    return ReconciledView(
        named=done.named, paired=done.paired, at_provider_only=done.at_provider_only,
        at_ours_only=done.at_ours_only, gone=done.gone,
    )  # fmt: skip


@post(
    "/v1/reconciliation/audit",
    status_code=200,
    opt={"scopes": _SCOPES},
    tags=TAGS,
    operation_id="audit_day",
    summary="Ask MTN again about a day's payments",
    responses=problems(),
)
async def audit(request: Asked, data: JSONBody[AuditBody]) -> AuditView:
    """Make the question due about all that ended on a day, and all that is open, of all accounts.

    The gateway does this every night for the day before. A key bound to one account may not.
    """
    edge, caller = edge_of(request), caller_of(request)
    if caller.account_id is not None:
        raise Problem("insufficient_scope", "An audit is of all accounts; this key is of one.")
    _day(data.day, "day")
    done = await audit_day(data.day, store=edge.store, again=data.again)
    return AuditView(
        day=data.day,
        already=done is None,
        ended=done.ended if done is not None else 0,
        open=done.open if done is not None else 0,
    )


@post(
    "/v1/reconciliation/balance",
    status_code=200,
    opt={"scopes": _SCOPES},
    tags=TAGS,
    operation_id="prove_balance",
    summary="Hold statement and books against MTN's balance",
    responses=problems(404, 409),
)
async def balance(
    request: Asked, account: Account = None, product: FromQuery[Product | None] = None
) -> ProofView:
    """Prove the balance up to now; what is unexplained goes into the queue as balance_drift."""
    edge, caller = edge_of(request), caller_of(request)
    account_id = one_account(edge, caller, account)
    settings = edge.book.settings_of(account_id)
    held = [one for one in PRODUCTS if getattr(settings, one) is not None]
    asked = product or held[0]
    if asked not in held:
        raise Problem("product_not_held", field="product")
    why: list[str] = []

    async def ask(currency: str) -> Decimal | None:
        fresh, said = await ask_balance(edge, account_id, asked, currency)
        why.extend([said] if said is not None else [])
        return fresh.available_balance if fresh is not None else None

    currency = edge.book.forms_of(account_id).market.currency
    proof = await prove_balance(
        account_id, product=product or "", store=edge.store, ask=ask, currency=currency
    )
    if proof is None:
        raise Problem("not_found", "There is no statement with a balance yet.")
    return _proof_view(proof, why=why[0] if why else None)


@get(
    "/v1/reconciliation/export/{what:str}",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="export_reconciliation",
    operation_class=FileOperation,
    summary="Download discrepancies, matches or journal lines",
    responses=problems(404),
)
async def export(
    request: Asked,
    what: FromPath[Export],
    account: Account = None,
    statement_id: FromQuery[str | None] = None,
    period_from: Day = None,
    period_to: Day = None,
    sheet_format: Format = "csv",
    language: Language = "en",
) -> Stream:
    """Give a table of a statement, or of an account from one day to another (both included, UTC).

    Journal lines are balanced: each movement's debits are its credits.
    """
    edge, caller = edge_of(request), caller_of(request)
    if statement_id is not None:
        account_id = (await visible_statement(edge, caller, statement_id)).account_id
    else:
        account_id = one_account(edge, caller, account)
    ends = _day(period_to, "period_to")
    span = Span(
        account_id=account_id,
        statement_id=statement_id,
        begins=_day(period_from, "period_from"),
        ends=ends + timedelta(days=1).total_seconds() if ends is not None else None,
    )

    def write(out: BinaryIO, transaction: Transaction) -> None:
        write_export(
            out, transaction, what, span=span, sheet_format=sheet_format, language=language
        )

    return await file_of_rows(request, write, name=what, sheet_format=sheet_format)


@get(
    "/v1/reconciliation/profiles",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="list_profiles",
    summary="List how statements are read",
    responses=problems(),
)
async def list_profiles(request: Asked) -> ProfileList:
    """List all profiles: the shipped ones, which are guesses, and those that were edited."""
    saved = await edge_of(request).store.read(lambda t: list_documents(t, PROFILES_KIND))
    edited = {one.name: one for one in saved}
    names = sorted({*GUESSES, *edited})
    return ProfileList(items=[_profile_view(GUESSES.get(name), edited.get(name)) for name in names])


@get(
    "/v1/reconciliation/profiles/{name:str}",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="get_profile",
    summary="Read how a kind of statement is read",
    responses=problems(404),
)
async def get_profile(request: Asked, name: FromPath[str]) -> ProfileView:
    """Read a profile, to edit it and put it back."""
    return await _one_profile(edge_of(request), name)


@put(
    "/v1/reconciliation/profiles/{name:str}",
    opt={"scopes": _SCOPES},
    tags=TAGS,
    operation_id="set_profile",
    summary="Say how a kind of statement is read",
    responses=problems(404),
)
async def set_profile(
    request: Asked, name: FromPath[str], data: JSONBody[dict[str, Any]]
) -> ProfileView:
    """Keep a profile in place of the one of that name. What was imported stays as it was read."""
    edge, caller = edge_of(request), caller_of(request)
    profile = read_profile(data | {"name": name})
    document = msgspec.to_builtins(profile)
    await edge.store.write(
        lambda t: save_document(t, PROFILES_KIND, name, document, changed_by=caller.person)
    )
    return await _one_profile(edge, name)


@get(
    "/v1/reconciliation/ledger-codes",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="get_ledger_codes",
    summary="Read the account codes of journal lines",
    responses=problems(),
)
async def get_ledger_codes(request: Asked) -> LedgerCodes:
    """Read which account of the ledger each movement goes to."""
    return await edge_of(request).store.read(codes_of)


@put(
    "/v1/reconciliation/ledger-codes",
    opt={"scopes": _SCOPES},
    tags=TAGS,
    operation_id="set_ledger_codes",
    summary="Set the account codes of journal lines",
    responses=problems(),
)
async def set_ledger_codes(request: Asked, data: JSONBody[dict[str, Any]]) -> LedgerCodes:
    """Keep account codes; those that are left out are the shipped ones."""
    edge, caller = edge_of(request), caller_of(request)
    codes = read_codes(data)
    document = msgspec.to_builtins(codes)
    await edge.store.write(
        lambda t: save_document(t, CODES_KIND, "codes", document, changed_by=caller.person)
    )
    return codes


async def _one_profile(edge: Edge, name: str) -> ProfileView:
    saved = await edge.store.read(lambda t: find_document(t, PROFILES_KIND, name))
    if saved is None and name not in GUESSES:
        raise Problem("not_found", "There is no such profile.")
    return _profile_view(GUESSES.get(name), saved)


def _profile_view(shipped: Profile | None, saved: Any) -> ProfileView:
    if saved is None:
        assert shipped is not None
        document = msgspec.to_builtins(shipped)
        return ProfileView(
            name=shipped.name, source="shipped", changed_by=None, changed_at=None, profile=document
        )
    return ProfileView(
        name=saved.name, source="edited", changed_by=saved.changed_by,
        changed_at=moment(saved.changed_at), profile=saved.document,
    )  # fmt: skip


def _proof_view(proof: Proof, *, why: str | None) -> ProofView:
    return ProofView(
        statement_id=proof.statement_id,
        currency=proof.currency,
        as_of=moment(proof.as_of),
        closing_balance=plain_amount(proof.closing),
        taken_in_since=plain_amount(proof.taken_in_since),
        paid_out_since=plain_amount(proof.paid_out_since),
        coming_in=plain_amount(proof.coming_in),
        going_out=plain_amount(proof.going_out),
        expected=plain_amount(proof.expected),
        at_provider=plain_or_none(proof.at_provider),
        difference=plain_or_none(proof.difference),
        why=why,
    )


def _day(day: str | None, field: str) -> float | None:
    if day is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time(), UTC).timestamp()
    except ValueError:
        raise Problem("invalid_request", "There is no such day.", field=field) from None


ROUTES = [
    run, audit, balance, export, list_profiles, get_profile, set_profile, get_ledger_codes,
    set_ledger_codes,
]  # fmt: skip
