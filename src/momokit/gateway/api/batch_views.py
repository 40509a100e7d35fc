"""How batches and their rows are shown: numbers masked, what was found said in two languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from momokit.gateway.api.views import masked
from momokit.gateway.core.batch import BatchState, missing_overrides, seconds_left
from momokit.gateway.core.batch_findings import Finding
from momokit.gateway.core.receipts import BatchReceipt, RowReceipt
from momokit.gateway.store.accounts import Account
from momokit.gateway.store.batch_history import APPROVE, OVERRIDE, Approval, BatchEvent
from momokit.gateway.store.batch_rows import RowAndPayment
from momokit.gateway.store.batch_running import Progress
from momokit.gateway.store.batches import Batch
from momokit.gateway.store.deliveries import moment, moment_or_none

READY = "ready"


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found: correct an `error`; an `override` takes a second person's word."""

    code: str
    severity: str
    column: str
    en: str
    fr: str


class TallyView(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows, and how much money."""

    rows: int
    amount: str


class ApprovalView(msgspec.Struct, frozen=True, kw_only=True):
    """A second person's word. One that no longer `counts` was about other rows than these."""

    person: str
    what: str
    codes: list[str]
    because: str | None
    at: str
    counts: bool


class FloatView(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the account, as MTN last said, beside what is still to be paid out."""

    balance: str | None
    as_of: str | None
    needed: str
    missing: str | None


class BatchView(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as it stands. `hash` names its rows: approve with the one you saw.

    `checks` counts rows by how their checks stand, `progress` rows and money by the state of their
    payments: `ready` ones wait for the batch, and have not left.
    """

    id: str
    account_id: str
    label: str
    period: str | None
    state: BatchState
    paused_reason: str | None
    currency: str
    amount: str
    rows: int
    rows_to_pay: int
    file_name: str
    hash: str | None
    made_by: str
    parent_id: str | None
    approvals_needed: int
    approvals: list[ApprovalView]
    to_override: list[str]
    not_overridden: list[str]
    checks: dict[str, int]
    findings: list[FindingView]
    notes: list[dict[str, str]]
    progress: dict[str, TallyView]
    in_flight: int
    float_: FloatView = msgspec.field(name="float")
    rows_per_second: float
    seconds_left: float | None
    created_at: str
    submitted_at: str | None
    approved_at: str | None
    started_at: str | None
    ended_at: str | None


class BatchSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A batch in a list."""

    id: str
    account_id: str
    label: str
    period: str | None
    state: BatchState
    currency: str
    amount: str
    rows: int
    made_by: str
    parent_id: str | None
    created_at: str
    ended_at: str | None


class BatchList(msgspec.Struct, frozen=True, kw_only=True):
    """Batches, newest first, without what has to be counted."""

    items: list[BatchSummary]
    next_cursor: str | None


class RowPaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """The payment of a row. Its state is `ready` while it waits for its batch."""

    id: str
    state: str
    reason_code: str | None
    financial_transaction_id: str | None
    ended_at: str | None


class RowView(msgspec.Struct, frozen=True, kw_only=True):
    """A row, by its number in the file. `holder` is the name that MTN has for the number."""

    row: int
    phone: str | None
    name: str | None
    holder: str | None
    amount: str | None
    reference: str
    check: str
    excluded: bool
    findings: list[FindingView]
    payment: RowPaymentView | None


class RowPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in the order of the file."""

    items: list[RowView]
    next_cursor: str | None


class BatchEventView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a batch's history. No `person`: the gateway itself."""

    sequence: int
    at: str
    event: str
    person: str | None
    api_key_id: str | None
    details: dict[str, Any]
    hash: str


class BatchHistory(msgspec.Struct, frozen=True, kw_only=True):
    """All that was done to a batch. `intact` is false when a line was changed or taken out."""

    items: list[BatchEventView]
    intact: bool


def batch_view(
    batch: Batch, *, approvals: Sequence[Approval], checks: Mapping[str, int], progress: Progress
) -> BatchView:
    """Show a batch with what was counted of it."""
    given = {c for one in approvals if one.counts and one.what == OVERRIDE for c in one.codes}
    waits = batch.state in (BatchState.RUNNING, BatchState.PREPARING)
    left = progress.ready.rows if waits else 0
    return BatchView(
        id=batch.id,
        account_id=batch.account_id,
        label=batch.label,
        period=batch.period,
        state=batch.state,
        paused_reason=batch.paused_reason,
        currency=batch.currency,
        amount=str(batch.amount),
        rows=batch.row_count,
        rows_to_pay=batch.included_count,
        file_name=batch.file_name,
        hash=batch.rows_hash,
        made_by=batch.maker,
        parent_id=batch.parent_id,
        approvals_needed=batch.approvals_needed,
        approvals=[_approval(one) for one in approvals],
        to_override=list(batch.wanted_overrides),
        not_overridden=missing_overrides(batch.wanted_overrides, given=given),
        checks=dict(checks),
        findings=[finding_view(one) for one in batch.layout.findings],
        notes=[{"en": en, "fr": fr} for en, fr in batch.layout.notes],
        progress={
            name: TallyView(rows=tally.rows, amount=str(batch.money(tally.amount_minor)))
            for name, tally in sorted(progress.by_state.items())
        },
        in_flight=progress.in_flight,
        float_=_float(batch, progress),
        rows_per_second=batch.rows_per_second,
        seconds_left=seconds_left(rows_left=left, rows_per_second=batch.rows_per_second)
        if waits
        else None,
        created_at=moment(batch.created_at),
        submitted_at=moment_or_none(batch.submitted_at),
        approved_at=moment_or_none(batch.approved_at),
        started_at=moment_or_none(batch.started_at),
        ended_at=moment_or_none(batch.ended_at),
    )


def batch_summary(batch: Batch) -> BatchSummary:
    """Show a batch in a list."""
    return BatchSummary(
        id=batch.id,
        account_id=batch.account_id,
        label=batch.label,
        period=batch.period,
        state=batch.state,
        currency=batch.currency,
        amount=str(batch.amount),
        rows=batch.row_count,
        made_by=batch.maker,
        parent_id=batch.parent_id,
        created_at=moment(batch.created_at),
        ended_at=moment_or_none(batch.ended_at),
    )


def row_view(both: RowAndPayment, *, names: bool, reveal: bool) -> RowView:
    """Show a row: names to those who pay and approve, whole numbers to administrators who ask."""
    row, payment = both.row, both.payment
    personal = row.personal
    payee = personal.payee
    holder = " ".join(part for part in personal.holder or () if part) or None
    return RowView(
        row=row.number,
        phone=(payee if reveal else masked("MSISDN", payee)) if payee is not None else None,
        name=(personal.name or None) if names else None,
        holder=holder if names else None,
        amount=str(row.amount) if row.amount is not None else None,
        reference=row.reference,
        check=row.check_state,
        excluded=row.excluded,
        findings=[finding_view(one) for one in row.findings],
        payment=RowPaymentView(
            id=payment.id,
            state=READY if payment.is_held else payment.state,
            reason_code=payment.reason_code,
            financial_transaction_id=payment.financial_transaction_id,
            ended_at=moment_or_none(payment.final_at),
        )
        if payment is not None
        else None,
    )


def finding_view(stored: Mapping[str, Any]) -> FindingView:
    """Show what was found, with what to do about it."""
    finding = Finding.load(stored)
    return FindingView(
        code=finding.code,
        severity=finding.severity.value,
        column=finding.column,
        en=finding.words.en,
        fr=finding.words.fr,
    )


def history_view(events: Sequence[BatchEvent], *, intact: bool) -> BatchHistory:
    """Show a batch's history, oldest first."""
    items = [
        BatchEventView(
            sequence=one.sequence,
            at=moment(one.at),
            event=one.event,
            person=one.actor,
            api_key_id=one.api_key_id,
            details=one.details,
            hash=one.hash,
        )
        for one in events
    ]
    return BatchHistory(items=items, intact=intact)


def _approval(one: Approval) -> ApprovalView:
    return ApprovalView(
        person=one.checker,
        what=one.what,
        codes=list(one.codes),
        because=one.because,
        at=moment(one.at),
        counts=one.counts,
    )


def _float(batch: Batch, progress: Progress) -> FloatView:
    """Say what the rest of a batch takes, and what of it is not in the account."""
    needed = batch.amount
    if progress.by_state:
        finals = ("successful", "failed")
        left = sum(t.amount_minor for name, t in progress.by_state.items() if name not in finals)
        needed = batch.money(left)
    missing = None
    if batch.balance_minor is not None:
        missing = str(max(Decimal(0), needed - batch.money(batch.balance_minor)))
    return FloatView(
        balance=str(batch.money(batch.balance_minor)) if batch.balance_minor is not None else None,
        as_of=moment_or_none(batch.balance_at),
        needed=str(needed),
        missing=missing,
    )


def receipt_of_batch(
    batch: Batch, *, account: Account, approvals: Sequence[Approval], progress: Progress
) -> BatchReceipt:
    """Give what the receipt of a batch says."""
    checkers = [one.checker for one in approvals if one.counts and one.what == APPROVE]
    return BatchReceipt(
        batch_id=batch.id,
        label=batch.label,
        account=account.name,
        market=account.market,
        currency=batch.currency,
        state=batch.state.value,
        period=batch.period or "",
        hash=batch.rows_hash or "",
        submitted_by=batch.maker,
        approved_by=tuple(dict.fromkeys(checkers)),
        started_at=moment_or_none(batch.started_at),
        finished_at=moment_or_none(batch.ended_at),
        counts={name: tally.rows for name, tally in progress.by_state.items()},
        money={
            name: str(batch.money(tally.amount_minor)) for name, tally in progress.by_state.items()
        },
    )


def receipt_of_row(both: RowAndPayment, *, currency: str, reveal: bool) -> RowReceipt:
    """Give what the receipt of a row with a payment says."""
    row, payment = both.row, both.payment
    assert payment is not None
    payee = row.personal.payee or ""
    return RowReceipt(
        payment_id=payment.id,
        row=row.number,
        payee=payee if reveal else masked("MSISDN", payee),
        name=row.personal.name,
        amount=str(row.amount),
        currency=currency,
        state=READY if payment.is_held else payment.state,
        reference=row.reference,
        note=row.personal.note,
        financial_transaction_id=payment.financial_transaction_id,
        reason_code=payment.reason_code,
        at=moment_or_none(payment.final_at),
    )
