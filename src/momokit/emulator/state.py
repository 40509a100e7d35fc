"""Everything the emulator knows, in one object with its clock; a reset is a new one."""

from __future__ import annotations

import heapq
import random
from collections import deque
from decimal import Decimal
from typing import Any

import msgspec

from .clock import Clock
from .faults import Faults
from .markets import MARKETS, Market
from .records import (
    Consent,
    HistoryEntry,
    MoneyMoved,
    Movement,
    Payment,
    Plan,
    Record,
    Token,
    User,
)
from .scenarios import PUBLISHED, Scenarios, published_plan
from .settings import EmulatorSettings

_TOKENS_KEPT = 20_000


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery to a callback address that is due or being made."""

    number: int
    reference_id: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    timeout_seconds: float
    attempt: int
    first_due_at: float
    regime: str
    forged: bool = False
    epoch: int = 0
    """Of which state it is; a reset must not inherit deliveries that are under way."""


class State:
    """All of the emulator's state; the modules around it act on it and keep none themselves."""

    def __init__(self, *, settings: EmulatorSettings, clock: Clock, epoch: int = 0) -> None:
        self.epoch = epoch
        self.settings = settings
        self.clock = clock
        self.chance = random.Random(settings.seed)
        self.market: Market = MARKETS[settings.market]
        self.records: dict[str, Record] = {}
        self.by_reference: dict[str, list[str]] = {}
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.consents: dict[str, Consent] = {}
        self.keys: dict[str, set[str]] = {}
        self.mandates: dict[str, list[str]] = {}
        """Party id to the keys of its approved pre-approvals."""
        self.refunds: dict[str, list[str]] = {}
        """A collection's key to the keys of its refunds."""
        self.movements: dict[str, list[Movement]] = {}
        self.balances: dict[str, Decimal] = {
            currency: Decimal(settings.opening_balance) for currency in self.market.currencies
        }
        self.history: deque[HistoryEntry] = deque(maxlen=settings.history_limit)
        self.scenarios = Scenarios()
        self.faults = Faults(chance=self.chance, now=clock.now)
        self.agenda: list[tuple[float, int, str, str]] = []
        self.outbox: list[tuple[float, int, Callback]] = []
        self.undelivered: set[str] = set()
        """Reference ids whose first callback has not been attempted yet."""
        self.numbers = 0
        self.entries = 0
        self.version = 0
        """Grows with every change that a saved state must show."""
        for keys in settings.subscription_keys:
            self.add_keys(keys.product, keys.primary, keys.secondary)
        for user in settings.users:
            self.users[user.user_id.lower()] = User(
                user_id=user.user_id.lower(),
                callback_host=user.callback_host,
                product=user.product,
                api_key=user.api_key,
            )

    def number(self) -> int:
        """Give the next number of anything that must not repeat."""
        self.numbers += 1
        return self.numbers

    def add_keys(self, product: str, *keys: str) -> None:
        """Make subscription keys known for one product."""
        self.keys.setdefault(product, set()).update(key for key in keys if key)

    def uuid4(self) -> str:
        """Make a version 4 UUID by seeded chance."""
        digits = f"{self.chance.getrandbits(128):032x}"
        variant = "89ab"[self.chance.randrange(4)]
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
        )

    # Records

    def record_key(self, *, reference_id: str, api_user: str, product: str) -> str:
        """Name a record so that equal names are what MTN calls a duplicate."""
        if self.settings.duplicate_scope == "global":
            return reference_id
        return f"{api_user}/{product}/{reference_id}"

    def add_record(self, record: Record) -> None:
        """Keep a record; the oldest one makes room when the limit is reached."""
        self.version += 1
        self.records[record.key] = record
        self.by_reference.setdefault(record.reference_id, []).append(record.key)
        if len(self.records) > self.settings.record_limit:
            oldest = self.records.pop(next(iter(self.records)))
            keys = self.by_reference[oldest.reference_id]
            keys.remove(oldest.key)
            if not keys:
                del self.by_reference[oldest.reference_id]
                self.movements.pop(oldest.reference_id, None)

    def find(self, reference_id: str, *, api_user: str = "", product: str = "") -> Record | None:
        """Find a record, the caller's own first: all products share one wallet store."""
        own = self.records.get(
            self.record_key(reference_id=reference_id, api_user=api_user, product=product)
        )
        if own is not None:
            return own
        keys = self.by_reference.get(reference_id)
        return self.records.get(keys[-1]) if keys else None

    def visible(self, record: Record) -> bool:
        """Whether a question about the record finds it yet."""
        return self.clock.now() >= record.visible_at

    # Tokens

    def add_token(self, token: Token) -> None:
        """Keep a token, dropping those whose life is over when there are many."""
        self.version += 1
        if len(self.tokens) >= _TOKENS_KEPT:
            now = self.clock.now()
            alive = {v: t for v, t in self.tokens.items() if t.expires_at > now}
            while len(alive) >= _TOKENS_KEPT:
                del alive[next(iter(alive))]
            self.tokens = alive
        self.tokens[token.value] = token

    # Money

    def balance(self, currency: str) -> Decimal:
        """Tell what the merchant's wallet holds in a currency."""
        return self.balances.get(currency, Decimal(0))

    def money_moved(self, reference_id: str) -> MoneyMoved:
        """Tell how often and how much money moved under a reference id."""
        movements = tuple(self.movements.get(reference_id, ()))
        total = sum((Decimal(movement.amount) for movement in movements), Decimal(0))
        return MoneyMoved(
            reference_id=reference_id,
            times=len(movements),
            total=str(total),
            currency=movements[0].currency if movements else "",
            movements=movements,
        )

    def schedule(self, *, at: float, action: str, key: str) -> None:
        """Put something on the agenda, to happen when the clock gets there."""
        heapq.heappush(self.agenda, (at, self.number(), action, key))

    # Scenarios

    def plan(self, *, family: str, identifiers: tuple[str, str, str]) -> Plan | None:
        """Find what will become of a payment, by (party, amount, external id)."""
        chosen = self.scenarios.find(family=family, identifiers=identifiers)
        if chosen is not None:
            return chosen.plan
        name = self.published(family, identifiers=identifiers)
        if not name:
            return None
        return published_plan(
            name,
            family=family,
            delayed_after_seconds=self.settings.delayed_after_seconds,
            ongoing_expires_after_seconds=self.settings.ongoing_expires_after_seconds,
        )

    def published(self, family: str, *, identifiers: tuple[str, str, str]) -> str:
        """Name the published scenario of a payment; only the sandbox has any."""
        if not self.settings.sandbox:
            return ""
        party, amount, external_id = identifiers
        wanted = {"payment": amount, "refund": external_id, "cashtransfer": external_id}
        return PUBLISHED.get(family, {}).get(wanted.get(family, party), "")

    # Views

    def view(self, record: Record) -> Payment:
        """Show a record as the pages and tests see it."""
        text = record.fields
        return Payment(
            reference_id=record.reference_id,
            kind=record.kind,
            product=record.product,
            version=record.version,
            api_user=record.api_user,
            status=record.status,
            reason=record.reason,
            amount=record.amount,
            currency=record.currency,
            party_type=record.party_type,
            party_id=record.party_id,
            external_id=record.external_id,
            payer_message=_text(text.get("payerMessage") or text.get("description")),
            payee_note=_text(text.get("payeeNote")),
            scenario=record.plan.name,
            created_at=record.created_at,
            settled_at=record.settled_at,
            expires_at=record.decide_by or record.expires_at,
            polls=record.polls,
            waiting_for_payer=record.waiting,
            ignored=record.ignored,
            callback_url=record.callback_url,
            financial_transaction_id=record.financial_transaction_id,
            times_money_moved=len(self.movements.get(record.reference_id, ())),
        )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
