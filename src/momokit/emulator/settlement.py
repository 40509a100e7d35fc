"""A payment's way to its outcome: begun, asked about, decided, and the moment its money moves."""

from __future__ import annotations

import heapq
from decimal import Decimal

import msgspec

from .callbacks import announce
from .records import FINAL, NEEDS_PAYER, Movement, Plan, Record
from .state import State

# What each kind does to the merchant's wallet; kinds that move no money are absent. A withdraw is
# cash handed over the counter against wallet money, so the merchant's wallet grows.
_DIRECTION = {
    "requesttopay": 1,
    "requesttowithdraw": 1,
    "invoice": 1,
    "payment": -1,
    "transfer": -1,
    "deposit": -1,
    "refund": -1,
    "cashtransfer": -1,
}
_CREATED_SECONDS = 5.0
_PAYS_OUT = ("transfer", "deposit", "refund", "cashtransfer")


class CannotDecide(ValueError):
    """A decision about a payment that is already final, or not of a kind that waits."""


def choose_plan(state: State, record: Record) -> Plan:
    """Decide what will become of a new payment when no scenario says so."""
    identifiers = (record.party_id, record.amount, record.external_id)
    plan = state.plan(family=record.kind, identifiers=identifiers)
    if plan is not None:
        return plan
    if _stranger(state, record):
        side = "PAYEE" if record.kind in _PAYS_OUT else "PAYER"
        return Plan(name="NotFound", status="FAILED", reason=f"{side}_NOT_FOUND")
    if state.settings.approval == "phone" and record.kind in NEEDS_PAYER:
        return Plan(by_hand=not _preapproved(state, record))
    if record.kind == "invoice":
        return Plan(after_seconds=state.settings.invoice_paid_after_seconds)
    return Plan()


def begin(state: State, record: Record) -> None:
    """Take a new record into the store and start it on its way."""
    now = state.clock.now()
    plan = record.plan
    record.status = "CREATED" if plan.begins_created else "PENDING"
    state.add_record(record)
    if plan.at_once:
        settle(state, record, status=plan.status, reason=plan.reason)
        return
    record.decide_by = _deadline(state, record)
    if record.decide_by is not None:
        state.schedule(at=record.decide_by, action="expire", key=record.key)
    if plan.after_seconds:
        if plan.begins_created and plan.after_seconds > _CREATED_SECONDS:
            state.schedule(at=now + _CREATED_SECONDS, action="pend", key=record.key)
        state.schedule(at=now + plan.after_seconds, action="settle", key=record.key)
    if plan.announced:
        announce(state, record)


def _deadline(state: State, record: Record) -> float | None:
    if record.kind == "invoice":
        return record.expires_at
    if record.plan.by_hand:
        return record.created_at + state.settings.approval_window_seconds
    if record.plan.expires_after_seconds is not None:
        return record.created_at + record.plan.expires_after_seconds
    return None


def asked(state: State, record: Record) -> None:
    """Count a status question, which may be the one that the outcome waited for."""
    record.polls += 1
    plan = record.plan
    if plan.after_polls and record.polls > plan.after_polls and record.status not in FINAL:
        settle(state, record, status=plan.status, reason=plan.reason)


def decide(state: State, record: Record, *, decision: str) -> None:
    """Carry out what the payer chose: approve, decline or ignore.

    Raises CannotDecide when the payment is final already or there is no such choice.
    """
    if decision not in ("approve", "decline", "ignore"):
        raise CannotDecide(f"decision {decision!r} is not approve, decline or ignore")
    if record.status in FINAL:
        raise CannotDecide(f"the {record.kind} is already {record.status}")
    if decision == "ignore":
        record.ignored = True
        state.version += 1
    elif decision == "approve":
        settle(state, record, status="SUCCESSFUL", reason="")
    else:
        settle(state, record, status="FAILED", reason="APPROVAL_REJECTED")


def settle(state: State, record: Record, *, status: str, reason: str) -> None:
    """Make a payment final, once; move the money it moves and let the caller know."""
    if record.status in FINAL:
        return
    state.version += 1
    if status not in FINAL:
        record.status = status
        return
    pays_out = _DIRECTION.get(record.kind, 0) < 0
    if status == "SUCCESSFUL" and pays_out and state.settings.enforce_balance:
        short = Decimal(record.amount) > state.balance(record.currency)
        if short:
            status, reason = "FAILED", "NOT_ENOUGH_FUNDS"
    record.status = status
    record.reason = reason if status == "FAILED" else ""
    record.settled_at = state.clock.now()
    if status == "SUCCESSFUL":
        _succeed(state, record)
    elif record.kind == "preapproval":
        record.listed_status = "EXPIRED" if reason == "EXPIRED" else "REJECTED"
    announce(state, record)


def tick(state: State) -> None:
    """Let everything happen whose time has come by the emulator's clock."""
    now = state.clock.now()
    while state.agenda and state.agenda[0][0] <= now:
        _, _, action, key = heapq.heappop(state.agenda)
        record = state.records.get(key)
        if record is None or record.status in FINAL:
            continue
        if action == "settle":
            settle(state, record, status=record.plan.status, reason=record.plan.reason)
        elif action == "pend":
            record.status = "PENDING"
        else:
            settle(state, record, status="FAILED", reason="EXPIRED")


def _succeed(state: State, record: Record) -> None:
    if record.kind == "preapproval":
        record.listed_status = "APPROVED"
        state.mandates.setdefault(record.party_id, []).append(record.key)
        return
    record.financial_transaction_id = str(state.chance.randrange(10**8, 2 * 10**9))
    direction = _DIRECTION.get(record.kind, 0)
    moved = Decimal(record.amount) * direction
    state.balances[record.currency] = state.balance(record.currency) + moved
    state.movements.setdefault(record.reference_id, []).append(
        Movement(
            reference_id=record.reference_id,
            kind=record.kind,
            amount=str(moved),
            currency=record.currency,
            party_id=record.party_id,
            at=state.clock.now(),
        )
    )


def _stranger(state: State, record: Record) -> bool:
    if state.settings.sandbox or not state.settings.check_numbers:
        return False
    return record.party_type == "MSISDN" and not state.market.knows(record.party_id)


def _preapproved(state: State, record: Record) -> bool:
    if record.kind != "requesttopay":
        return False
    now = state.clock.now()
    mandates = (state.records.get(key) for key in state.mandates.get(record.party_id, ()))
    return any(
        mandate is not None
        and mandate.listed_status == "APPROVED"
        and (mandate.expires_at is None or mandate.expires_at > now)
        for mandate in mandates
    )


def unsettled(plan: Plan) -> Plan:
    """Change a plan so that its payment stays pending for ever."""
    return msgspec.structs.replace(
        plan,
        status="PENDING",
        reason="",
        after_polls=0,
        after_seconds=0.0,
        by_hand=False,
        expires_after_seconds=None,
    )
