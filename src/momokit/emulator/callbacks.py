"""Callbacks as MTN sends them: what is posted, when, and how often when nobody listens."""

from __future__ import annotations

import heapq
from typing import Any

import msgspec

from .records import FINAL, HistoryEntry, Record
from .state import Callback, State
from .wire import callback_body

HEADERS = (
    ("User-Agent", "LWAC Http Client 1.0"),
    ("Content-Type", "application/json; charset=utf-8"),
    ("Accept-Encoding", "gzip"),
)
_QUICK = (20, 1.0)
_SLOW = (30, 120.0)
_HOURLY_SECONDS = 3600.0
_TIMEOUT_SECONDS = {"once": 10.0, "retry": 2.0, "blocked": 2.0}


def retry_delay_seconds(attempt: int, *, regime: str) -> float | None:
    """Tell how long after attempt number `attempt` failed the next one comes; None for never."""
    if regime == "once":
        return None
    if regime == "blocked":
        return _HOURLY_SECONDS
    if attempt <= _QUICK[0]:
        return _QUICK[1]
    if attempt <= _QUICK[0] + _SLOW[0]:
        return _SLOW[1]
    return _HOURLY_SECONDS


def announce(state: State, record: Record) -> None:
    """Put the callback for a record's present status in the outbox, with its faults."""
    if not record.callback_url:
        return
    faults = record.callback_faults
    if "forge" in faults and record.status in FINAL:
        forge(state, record, **faults["forge"])
    if "no_callback" in faults:
        return
    delay = state.settings.callback_delay_seconds
    if "late_callback" in faults:
        delay += faults["late_callback"]["hours"] * 3600.0
    regime = state.settings.callback_regime
    if "once_only" in faults:
        regime = "once"
    blocked = "block_state" in faults
    if blocked:
        delay += _HOURLY_SECONDS
    body = callback_body(record, settings=state.settings)
    chosen = "blocked" if blocked else regime
    state.undelivered.add(record.reference_id)
    copies = faults["dup_callback"]["n"] if "dup_callback" in faults else 1
    for _ in range(min(copies, 1000)):
        _post(state, record, body=body, delay_seconds=delay, regime=chosen)
    if "reorder" in faults and record.status in FINAL:
        stale = {k: v for k, v in body.items() if k not in ("financialTransactionId", "reason")}
        stale["status"] = "PENDING"
        _post(state, record, body=stale, delay_seconds=delay + 0.02, regime="once")


def forge(state: State, record: Record, *, status: str = "SUCCESSFUL", amount: str = "") -> None:
    """Post what an impostor would: right in shape, wrong in substance."""
    body = callback_body(record, settings=state.settings)
    body["status"] = status
    body.pop("reason", None)
    if "amount" in body and amount:
        body["amount"] = amount
    _post(state, record, body=body, delay_seconds=0.0, regime="once", forged=True)


def claim_due(state: State, *, limit: int = 100) -> list[Callback]:
    """Take the callbacks out of the outbox whose time has come."""
    now = state.clock.now()
    due: list[Callback] = []
    while state.outbox and state.outbox[0][0] <= now and len(due) < limit:
        due.append(heapq.heappop(state.outbox)[2])
    return due


def finish(state: State, callback: Callback, *, status: int, error: str = "") -> None:
    """Record how a delivery went, and put the next attempt in the outbox when there is one."""
    if callback.epoch != state.epoch:
        return
    now = state.clock.now()
    state.undelivered.discard(callback.reference_id)
    state.entries += 1
    state.history.append(
        HistoryEntry(
            number=state.entries,
            at=now,
            direction="callback",
            method=callback.method,
            path=callback.url,
            reference_id=callback.reference_id,
            status=status,
            headers=dict(callback.headers),
            body=callback.body.decode(),
            note=error or ("forged" if callback.forged else f"attempt {callback.attempt}"),
        )
    )
    if 200 <= status < 300:
        return
    wait = retry_delay_seconds(callback.attempt, regime=callback.regime)
    limit = callback.first_due_at + state.settings.callback_retry_hours * 3600.0
    if wait is not None and now + wait <= limit:
        again = msgspec.structs.replace(callback, attempt=callback.attempt + 1)
        heapq.heappush(state.outbox, (now + wait, state.number(), again))


def _post(
    state: State,
    record: Record,
    *,
    body: dict[str, Any],
    delay_seconds: float,
    regime: str,
    forged: bool = False,
) -> None:
    due = state.clock.now() + delay_seconds
    callback = Callback(
        number=state.number(),
        reference_id=record.reference_id,
        method=_verb(state, record),
        url=record.callback_url,
        headers=HEADERS,
        body=msgspec.json.encode(body),
        timeout_seconds=_TIMEOUT_SECONDS[regime],
        attempt=1,
        first_due_at=due,
        regime=regime,
        forged=forged,
        epoch=state.epoch,
    )
    heapq.heappush(state.outbox, (due, callback.number, callback))


def _verb(state: State, record: Record) -> str:
    choice = state.settings.callback_verb
    verb = choice if choice != "version" else "POST" if record.version == 1 else "PUT"
    if "put_instead_of_post" in record.callback_faults:
        return "PUT" if verb == "POST" else "POST"
    return verb
