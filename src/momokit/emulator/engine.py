"""The emulator without a network: requests in, replies out, and a test's hands on everything."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import callbacks, dialects, ledger, settlement
from .clock import Clock
from .exchange import Reply, Request
from .faults import Faults
from .gate import Answered, answer
from .provisioning import new_key
from .records import (
    FINAL,
    Credentials,
    HistoryEntry,
    MoneyMoved,
    Payment,
    Record,
    User,
)
from .routes import OPERATIONS
from .scenarios import Scenarios
from .settings import PRODUCTS, EmulatorSettings
from .state import Callback, State
from .statement import write_statement


class UnknownReference(LookupError):
    """No payment has this reference id."""


class Emulator:
    """MTN's MoMo API as one object; safe to use from several threads.

    `handle` answers requests. The rest is for the tests around it: the clock, scenarios, faults,
    the payer's decisions, and the truth about what happened.
    """

    def __init__(
        self, settings: EmulatorSettings | None = None, *, clock: Clock | None = None
    ) -> None:
        self._lock = threading.RLock()
        self._given_clock = clock
        self._settings = settings or EmulatorSettings()
        self._saved_version = 0
        self._epoch = 0
        self.crashes = 0
        """How many requests ended in a fault of the emulator itself; zero, or it has a bug."""
        self._state = self._fresh()
        if self._settings.state_file and Path(self._settings.state_file).exists():
            ledger.load(self._state, path=Path(self._settings.state_file))

    def _fresh(self) -> State:
        self._epoch += 1
        clock = self._given_clock or Clock()
        state = State(settings=self._settings, clock=clock, epoch=self._epoch)
        state.faults.operations = tuple(dict.fromkeys(operation.id for operation in OPERATIONS))
        return state

    # Requests

    def handle(self, request: Request) -> Reply:
        """Answer one request; never raises, whatever the request is."""
        with self._lock:
            state = self._state
            try:
                answered = answer(state, request)
            except Exception:
                self.crashes += 1
                reply = dialects.wallet("INTERNAL_PROCESSING_ERROR")
                answered = Answered(reply, note=traceback.format_exc(limit=-5))
            ledger.record_request(state, request, answered=answered)
            return answered.reply

    # What a test can reach

    @property
    def settings(self) -> EmulatorSettings:
        """The switches in force."""
        return self._settings

    @property
    def state(self) -> State:
        """Everything the emulator knows; hold `lock` while reading it from another thread."""
        return self._state

    @property
    def lock(self) -> threading.RLock:
        """What keeps two threads out of the state."""
        return self._lock

    @property
    def clock(self) -> Clock:
        """The emulator's clock: `freeze()`, `advance(seconds=…)`, `set_offset(seconds=…)`."""
        return self._state.clock

    @property
    def scenarios(self) -> Scenarios:
        """The outcomes a test has set: `set(identifier=…, outcome=…, after_polls=…)`."""
        return self._state.scenarios

    @property
    def faults(self) -> Faults:
        """The faults switched on: `add("drop_response", operation="RequesttoPay", times=1)`."""
        return self._state.faults

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """Every request and callback there was, oldest first, up to `history_limit`."""
        with self._lock:
            return tuple(self._state.history)

    def reset(self, settings: EmulatorSettings | None = None) -> None:
        """Forget everything and start anew, with other settings if given."""
        with self._lock:
            self._settings = settings or self._settings
            self.crashes = 0
            self._saved_version = -1
            self._state = self._fresh()

    def change_settings(self, **changes: Any) -> None:
        """Change switches of the running emulator; what has happened already stays.

        Raises ValueError for a switch that does not exist, and for the market and the other
        settings that only a reset can change.
        """
        fixed = {"market", "seed", "state_file", "users", "subscription_keys", "opening_balance"}
        for name in fixed.intersection(changes):
            raise ValueError(f"{name} only changes with a reset")
        with self._lock:
            self._settings = self._settings.changed(changes)
            self._state.settings = self._settings

    # Payments

    def payments(
        self, *, status: str = "", kind: str = "", product: str = "", external_id: str = ""
    ) -> list[Payment]:
        """List the payments there are, newest first."""
        return self._views(
            lambda record: (
                status in ("", record.status)
                and kind in ("", record.kind)
                and product in ("", record.product)
                and external_id in ("", record.external_id)
            )
        )

    def payment(self, reference_id: str) -> Payment:
        """Show one payment.

        Raises UnknownReference when there is none.
        """
        with self._lock:
            settlement.tick(self._state)
            return self._state.view(self._find(reference_id))

    def pending_approvals(self) -> list[Payment]:
        """List what waits for a payer's decision, newest first; ignored requests are left out."""
        return self._views(lambda record: record.waiting and not record.ignored)

    def decide(self, reference_id: str, decision: str) -> Payment:
        """Do what the payer does: `approve`, `decline` or `ignore` a request.

        Raises UnknownReference when there is no such payment, and CannotDecide (a ValueError)
        when it is final already or the decision is none of the three.
        """
        with self._lock:
            settlement.tick(self._state)
            record = self._find(reference_id)
            settlement.decide(self._state, record, decision=decision)
            return self._state.view(record)

    def money_moved(self, reference_id: str) -> MoneyMoved:
        """Tell the truth about a reference id: how often money moved, and how much."""
        with self._lock:
            return self._state.money_moved(reference_id.lower())

    def forge(self, reference_id: str, *, status: str = "SUCCESSFUL", amount: str = "") -> None:
        """Send a payment's callback address what an impostor would.

        Raises UnknownReference when there is no such payment.
        """
        with self._lock:
            callbacks.forge(self._state, self._find(reference_id), status=status, amount=amount)

    def balance(self, currency: str = "") -> str:
        """Tell what the merchant's wallet holds."""
        with self._lock:
            held = self._state.balance(currency or self._state.market.currencies[0])
            return f"{held:f}"

    def statement(self, currency: str = "") -> str:
        """Write the wallet's statement as CSV: every movement, with the balance after it."""
        with self._lock:
            settlement.tick(self._state)
            wanted = currency or self._state.market.currencies[0]
            return write_statement(self._state, currency=wanted)

    # Credentials

    def provision(
        self, product: str | None = None, *, callback_host: str = "localhost"
    ) -> Credentials:
        """Make an API user with a key, and a subscription key, ready to use.

        Raises ValueError for a product that does not exist.
        """
        with self._lock:
            state = self._state
            key = f"{state.chance.getrandbits(128):032x}"
            for each in _products(product or ""):
                state.add_keys(each, key)
            user = User(user_id=state.uuid4(), callback_host=callback_host, product=product or "")
            state.users[user.user_id] = user
            return Credentials(
                product=product or "",
                api_user=user.user_id,
                api_key=new_key(state, user),
                subscription_key=key,
                target_environment=self._settings.market,
                callback_host=callback_host,
                currency=state.market.currencies[0],
            )

    def seed(
        self,
        *,
        user_id: str,
        api_key: str,
        callback_host: str = "localhost",
        product: str = "",
        subscription_keys: tuple[str, ...] = (),
    ) -> None:
        """Make an API user and subscription keys known, as a partner portal does.

        Raises ValueError for a product that does not exist.
        """
        with self._lock:
            state = self._state
            state.users[user_id.lower()] = User(
                user_id=user_id.lower(),
                callback_host=callback_host,
                product=product,
                api_key=api_key,
            )
            for each in _products(product):
                state.add_keys(each, *subscription_keys)
            state.version += 1

    # For the edge that delivers callbacks and keeps the state file

    def due_callbacks(self, *, limit: int = 100) -> list[Callback]:
        """Take the callbacks whose time has come; report each with `callback_done`."""
        with self._lock:
            settlement.tick(self._state)
            return callbacks.claim_due(self._state, limit=limit)

    def callback_done(self, callback: Callback, *, status: int = 0, error: str = "") -> None:
        """Report how a delivery went; a failed one may be due again later."""
        with self._lock:
            callbacks.finish(self._state, callback, status=status, error=error)

    def undelivered(self, reference_id: str) -> bool:
        """Whether the first callback of a payment has yet to be attempted."""
        return reference_id in self._state.undelivered

    def save(self) -> bool:
        """Write the state file if there is one and something changed; says whether it wrote."""
        with self._lock:
            version = self._state.version
            if not self._settings.state_file or version == self._saved_version:
                return False
            ledger.save(self._state, path=Path(self._settings.state_file))
            self._saved_version = version
            return True

    def _find(self, reference_id: str) -> Record:
        record = self._state.find(reference_id.lower())
        if record is None:
            raise UnknownReference(f"no payment has the reference id {reference_id!r}")
        return record

    def _views(self, wanted: Callable[[Record], bool]) -> list[Payment]:
        with self._lock:
            settlement.tick(self._state)
            records = reversed(self._state.records.values())
            return [self._state.view(record) for record in records if wanted(record)]


def _products(product: str) -> tuple[str, ...]:
    if product and product not in PRODUCTS:
        raise ValueError(f"unknown product {product!r}; there are {', '.join(PRODUCTS)}")
    return (product,) if product else PRODUCTS


__all__ = ["FINAL", "Emulator", "UnknownReference"]
