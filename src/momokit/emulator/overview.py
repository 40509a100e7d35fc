"""What the front page and a payment's page tell: the story of what happened, newest first."""

from __future__ import annotations

import dataclasses
from collections import Counter
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from .engine import Emulator
from .faults import Fault
from .page_show import clock_time, exact_time, full_time, money, party
from .page_words import Words
from .records import FINAL, HistoryEntry, MoneyMoved, Payment, Record
from .settings import EmulatorSettings, describe_settings
from .settlement import tick
from .state import State

FILTERS = ("all", "waiting", "PENDING", "SUCCESSFUL", "FAILED")
ROWS_A_PAGE = 50
_REQUESTS = 15
_SECRET_SETTINGS = ("users", "subscription_keys")
_TARGETS = ("operation", "path", "method", "product", "identifier", "reference_id")


class Row(NamedTuple):
    """One payment in the table."""

    payment: Payment
    at: str
    kind: str
    party: str
    amount: str
    callback: str
    waits: str


class Tally(NamedTuple):
    """One count above the table, which is also the link that filters by it."""

    name: str
    label: str
    number: int


class Purse(NamedTuple):
    """What the merchant's wallet holds in one currency, and how that changed."""

    held: str
    change: str


class FaultLine(NamedTuple):
    """One fault that is switched on, in words."""

    name: str
    parameters: str
    target: str
    trigger: str


class Front(NamedTuple):
    """Everything on the front page."""

    rows: list[Row]
    tallies: list[Tally]
    shown: str
    page: int
    has_more: bool
    purses: list[Purse]
    movements: str
    faults: list[FaultLine]
    requests: list[HistoryEntry]
    known: set[str]
    approval: str
    market: str
    clock: str
    crashes: int
    changed: list[tuple[str, str]]
    settings: list[tuple[str, str, str]]


class Event(NamedTuple):
    """One thing in a payment's story; `entry` when it was a request or a callback."""

    at: str
    title: str
    tone: str
    entry: HistoryEntry | None = None


def front(emulator: Emulator, *, words: Words, shown: str, page: int) -> Front:
    """Tell what happened: one page of payments, and everything around them."""
    shown = shown if shown in FILTERS else "all"
    with emulator.lock:
        state = emulator.state
        tick(state)
        counts = _count(state)
        first = page * ROWS_A_PAGE
        found = (r for r in reversed(state.records.values()) if _is_shown(r, shown=shown))
        records = list(islice(found, first, first + ROWS_A_PAGE + 1))
        deliveries = _deliveries(state)
        rows = [
            _row(state, r, deliveries=deliveries.get(r.reference_id, []), words=words)
            for r in records[:ROWS_A_PAGE]
        ]
        requests = list(islice(reversed(state.history), _REQUESTS))
        known = {e.reference_id for e in requests if e.reference_id.lower() in state.by_reference}
        return Front(
            rows=rows,
            tallies=[Tally(name, words(f"filter.{name}"), counts[name]) for name in FILTERS],
            shown=shown,
            page=page,
            has_more=len(records) > ROWS_A_PAGE,
            purses=_purses(state, words=words),
            movements=words.count("movements", sum(map(len, state.movements.values()))),
            faults=[_fault_line(fault, words=words) for fault in state.faults],
            requests=requests,
            known=known,
            approval=state.settings.approval,
            market=f"{state.settings.market} · {state.market.country}",
            clock=_clock_words(emulator, words=words),
            crashes=emulator.crashes,
            changed=_changed(state.settings),
            settings=[
                (name, _written(state.settings, name), what)
                for name, _, _, what in describe_settings()
            ],
        )


def row(emulator: Emulator, payment: Payment, *, words: Words) -> Row:
    """Show one payment as the table does."""
    with emulator.lock:
        state = emulator.state
        record = state.records[state.by_reference[payment.reference_id][-1]]
        deliveries = _deliveries(state).get(payment.reference_id, [])
        return _row(state, record, deliveries=deliveries, words=words)


def story(emulator: Emulator, payment: Payment, *, words: Words) -> list[Event]:
    """Tell one payment's story in the order of time: every request, answer, callback and move."""
    moved = emulator.money_moved(payment.reference_id)
    events: list[tuple[float, int, Event]] = []
    for entry in emulator.history:
        if entry.reference_id.lower() == payment.reference_id:
            title = words(f"event.{entry.direction}")
            events.append((entry.at, 1, Event(exact_time(entry.at), title, _tone(entry), entry)))
    at = payment.created_at
    events.append((at, 0, Event(exact_time(at), words("event.accepted"), "quiet")))
    events += _moves(moved, words=words)
    if payment.settled_at is not None:
        at = payment.settled_at
        title = words("event.settled", status=f"{payment.status} {payment.reason}".strip())
        tone = "good" if payment.status == "SUCCESSFUL" else "bad"
        events.append((at, 2, Event(exact_time(at), title, tone)))
    # Within one instant: taken in, asked about, settled, moved.
    return [event for _, _, event in sorted(events, key=lambda each: each[:2])]


def _moves(moved: MoneyMoved, *, words: Words) -> list[tuple[float, int, Event]]:
    events = []
    for move in moved.movements:
        amount = money(move.amount, move.currency, language=words.language, signed=True)
        event = Event(exact_time(move.at), words("event.money", amount=amount), "good")
        events.append((move.at, 3, event))
    return events


def facts(emulator: Emulator, payment: Payment, *, words: Words) -> list[tuple[str, str]]:
    """List a payment's particulars that have a value, each with its name."""
    moved = emulator.money_moved(payment.reference_id)
    moved_words = words("money_none")
    if moved.times:
        total = money(moved.total, moved.currency, language=words.language, signed=True)
        moved_words = f"{words.count('times', moved.times)}, {total}"
    named = (
        ("money", moved_words),
        ("party", f"{party(payment.party_type, payment.party_id)} ({payment.party_type})"),
        ("message", payment.payer_message),
        ("note", payment.payee_note),
        ("external_id", payment.external_id),
        ("financial_id", payment.financial_transaction_id),
        ("created", full_time(payment.created_at)),
        ("settled", "" if payment.settled_at is None else full_time(payment.settled_at)),
        ("expires", "" if payment.expires_at is None else full_time(payment.expires_at)),
        ("polls", words.count("times", payment.polls) if payment.polls else ""),
        ("scenario", payment.scenario),
        ("product", f"{payment.product} v{payment.version}"),
        ("api_user", payment.api_user),
        ("callback_url", payment.callback_url),
    )
    return [(words(name), value) for name, value in named if value]


def pretty(text: str) -> str:
    """Write JSON over several lines for reading; anything else stays as it is."""
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return text


def _count(state: State) -> Counter[str]:
    counts: Counter[str] = Counter()
    for record in state.records.values():
        counts["PENDING" if record.status not in FINAL else record.status] += 1
        if record.waiting:
            counts["waiting"] += 1
    counts["all"] = len(state.records)
    return counts


def _is_shown(record: Record, *, shown: str) -> bool:
    if shown == "waiting":
        return record.waiting
    if shown == "PENDING":
        return record.status not in FINAL
    return shown in ("all", record.status)


def _row(state: State, record: Record, *, deliveries: list[HistoryEntry], words: Words) -> Row:
    payment = state.view(record)
    waits = ""
    if payment.waiting_for_payer:
        waits = words("ignored_short" if payment.ignored else "waiting_short")
    amount = money(payment.amount, payment.currency, language=words.language)
    return Row(
        payment=payment,
        at=clock_time(payment.created_at),
        kind=words(f"kind.{payment.kind}"),
        party=party(payment.party_type, payment.party_id),
        amount=amount if payment.amount else "",
        callback=_callback(state, record, deliveries=deliveries, words=words),
        waits=waits,
    )


def _deliveries(state: State) -> dict[str, list[HistoryEntry]]:
    found: dict[str, list[HistoryEntry]] = {}
    for entry in state.history:
        if entry.direction == "callback" and entry.note != "forged":
            found.setdefault(entry.reference_id, []).append(entry)
    return found


def _callback(state: State, record: Record, *, deliveries: list[HistoryEntry], words: Words) -> str:
    if not record.callback_url:
        return words("callback.none")
    due = any(callback.reference_id == record.reference_id for _, _, callback in state.outbox)
    if not deliveries:
        if due or record.reference_id in state.undelivered:
            return words("callback.due")
        return words("callback.not_sent" if record.status in FINAL else "callback.later")
    last = deliveries[-1]
    what = str(last.status or last.note)
    if len(deliveries) > 1:
        what = words("callback.tries", what=what, n=len(deliveries))
    if 200 <= last.status < 300:
        return words("callback.delivered", what=what)
    return words("callback.retrying" if due else "callback.failed", what=what)


def _purses(state: State, *, words: Words) -> list[Purse]:
    start = Decimal(state.settings.opening_balance)
    language = words.language
    return [
        Purse(
            held=money(f"{held:f}", currency, language=language),
            change=money(f"{held - start:f}", currency, language=language, signed=True),
        )
        for currency, held in state.balances.items()
    ]


def _fault_line(fault: Fault, *, words: Words) -> FaultLine:
    if fault.script is not None:
        trigger = words.count("fault_script", len(fault.script))
    elif fault.times is not None:
        trigger = words("fault_times", n=fault.taken, of=fault.times)
    elif fault.rate is not None:
        trigger = words("fault_rate", n=f"{fault.rate * 100:g}")
    else:
        trigger = words("fault_every")
    targets = [f"{name} {value}" for name in _TARGETS if (value := getattr(fault, name))]
    return FaultLine(
        name=fault.name,
        parameters=", ".join(f"{name}={value}" for name, value in fault.parameters.items()),
        target=", ".join(targets),
        trigger=f"{trigger} · {words.count('fault_met', fault.taken)}",
    )


def _clock_words(emulator: Emulator, *, words: Words) -> str:
    clock = emulator.clock
    if clock.frozen:
        return words("clock.frozen", at=full_time(clock.now()))
    if abs(clock.offset_seconds) >= 1:
        return words("clock.off", seconds=f"{clock.offset_seconds:+.0f}")
    return words("clock.now")


def _changed(settings: EmulatorSettings) -> list[tuple[str, str]]:
    return [
        (declared.name, _written(settings, declared.name))
        for declared in dataclasses.fields(settings)
        if getattr(settings, declared.name) != declared.default and declared.name != "market"
    ]


def _written(settings: EmulatorSettings, name: str) -> str:
    value: Any = getattr(settings, name)
    # Keys are credentials even here; their number is enough.
    return str(len(value)) if name in _SECRET_SETTINGS else str(value) if value != "" else "–"


def _tone(entry: HistoryEntry) -> str:
    if entry.status == 0 or entry.status >= 400:
        return "bad"
    return "quiet"
