"""The payer's phone: what waits on it, what the payer decides, and what it said before."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import NamedTuple

from .engine import Emulator, UnknownReference
from .page_show import clock_time, money, party, time_left
from .page_words import Words
from .records import Payment, Record
from .settlement import CannotDecide, tick

DECISIONS = ("approve", "decline", "ignore")
_PIN = re.compile(r"[0-9]{4,5}")
_ASKS = ("requesttopay", "requesttowithdraw", "invoice", "preapproval")
_MESSAGES = 8
_PHONES = 50
_WAITING = 50


class Prompt(NamedTuple):
    """One request on the screen."""

    reference_id: str
    merchant: str
    asks: str
    amount: str
    message: str
    left: str
    seconds_left: int
    seconds_in_all: int


class Message(NamedTuple):
    """One short message about something that is over."""

    reference_id: str
    at: str
    text: str
    good: bool


class Outcome(NamedTuple):
    """What to tell the payer after a decision."""

    title: str
    text: str
    tone: str


class Screen(NamedTuple):
    """Everything on one payer's phone."""

    payer: str
    shown: str
    prompts: list[Prompt]
    ignored: list[Prompt]
    messages: list[Message]
    waiting: str


class Phone(NamedTuple):
    """One phone in the list of phones."""

    payer: str
    shown: str
    waiting: int


def screen(emulator: Emulator, payer: str, *, words: Words) -> Screen:
    """Show one payer's phone as it is now."""
    with emulator.lock:
        state = emulator.state
        tick(state)
        now = state.clock.now()
        records = [record for record in state.records.values() if record.party_id == payer]
        records.reverse()
        open_ones = [(r, state.view(r)) for r in records if r.waiting]
        told = (r for r in records if _is_told(r))
        over = [state.view(record) for record in islice(told, _MESSAGES)]
        kind = records[0].party_type if records else "MSISDN"
    waiting = [p for r, p in open_ones if not r.ignored]
    ignored = [p for r, p in open_ones if r.ignored]
    return Screen(
        payer=payer,
        shown=party(kind, payer),
        prompts=[_prompt(each, now=now, words=words) for each in waiting[:_WAITING]],
        ignored=[_prompt(each, now=now, words=words) for each in ignored[:_WAITING]],
        messages=[_message(each, words=words) for each in over],
        waiting=words.count("waiting", len(waiting)) if waiting else words("waiting.none"),
    )


def phones(emulator: Emulator) -> tuple[list[Phone], list[Phone]]:
    """List the phones with something waiting, and those merely seen lately."""
    with emulator.lock:
        tick(emulator.state)
        records: list[Record] = list(emulator.state.records.values())
    waiting: Counter[tuple[str, str]] = Counter()
    seen: dict[tuple[str, str], None] = {}
    for record in reversed(records):
        owner = (record.party_type, record.party_id)
        if record.waiting and not record.ignored:
            waiting[owner] += 1
        elif len(seen) < _PHONES and record.party_id:
            seen[owner] = None
    busy = [Phone(payer, party(kind, payer), n) for (kind, payer), n in waiting.items()]
    idle = [Phone(p, party(kind, p), 0) for kind, p in seen if (kind, p) not in waiting]
    return busy[:_PHONES], idle[:_MESSAGES]


def decide(emulator: Emulator, reference_id: str, *, decision: str, pin: str) -> str:
    """Do what the payer chose; gives what the next page must say: done, late, pin or unknown.

    The PIN is looked at and forgotten: any 4 or 5 digits do, and so does none.
    """
    if decision == "approve" and pin and not _PIN.fullmatch(pin):
        return "pin"
    try:
        emulator.decide(reference_id, decision)
    except CannotDecide:
        return "late"
    except UnknownReference:
        return "unknown"
    return "done"


def outcome(emulator: Emulator, reference_id: str, *, said: str, words: Words) -> Outcome:
    """Say how a request stands after the payer decided about it."""
    if said == "pin":
        return Outcome(words("pin_wrong"), "", "bad")
    try:
        payment = emulator.payment(reference_id)
    except UnknownReference:
        return Outcome(words("done.unknown"), "", "quiet")
    amount = _amount(payment, words=words)
    text = f"{words(f'kind.{payment.kind}')} · {amount}" if amount else ""
    if payment.financial_transaction_id:
        text += f" · {payment.financial_transaction_id}"
    if said == "late":
        return Outcome(words("done.late"), f"{_stands(payment, words=words)} · {text}", "quiet")
    tone = {"SUCCESSFUL": "good", "FAILED": "bad"}.get(payment.status, "quiet")
    return Outcome(_stands(payment, words=words), text, tone)


def _is_told(record: Record) -> bool:
    # Nobody is told of money that did not come.
    return record.status == "SUCCESSFUL" or (record.status == "FAILED" and record.kind in _ASKS)


def _stands(payment: Payment, *, words: Words) -> str:
    if payment.status == "SUCCESSFUL":
        return words("done.SUCCESSFUL")
    if payment.status == "FAILED":
        if payment.reason in ("APPROVAL_REJECTED", "EXPIRED"):
            return words(f"done.{payment.reason}")
        return words("done.FAILED", reason=payment.reason)
    return words("done.ignored" if payment.ignored else "done.open")


def _prompt(payment: Payment, *, now: float, words: Words) -> Prompt:
    ends = payment.expires_at
    left = max((ends or now) - now, 0.0)
    return Prompt(
        reference_id=payment.reference_id,
        merchant=words("merchant", name=payment.api_user[:8]),
        asks=words(f"ask.{payment.kind if payment.kind in _ASKS else 'requesttopay'}"),
        amount=_amount(payment, words=words),
        message=payment.payer_message,
        left=time_left(left) if ends is not None else "",
        seconds_left=int(left),
        seconds_in_all=max(int((ends or now) - payment.created_at), 1),
    )


def _message(payment: Payment, *, words: Words) -> Message:
    amount = _amount(payment, words=words)
    kind = words(f"kind.{payment.kind}")
    what = f"{kind}, {amount}" if amount else kind
    if payment.status == "SUCCESSFUL":
        key = payment.kind if payment.kind in _ASKS else "received"
        text = words(f"sms.{key}", amount=amount)
    elif payment.reason in ("APPROVAL_REJECTED", "EXPIRED"):
        key = "expired" if payment.reason == "EXPIRED" else "declined"
        text = words(f"sms.{key}", what=what)
    else:
        text = words("sms.failed", what=what, reason=payment.reason)
    at = clock_time(payment.settled_at or payment.created_at)
    return Message(payment.reference_id, at, text, payment.status != "FAILED")


def _amount(payment: Payment, *, words: Words) -> str:
    if not payment.amount:
        return ""
    return money(payment.amount, payment.currency, language=words.language)
