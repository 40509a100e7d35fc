"""Whatever happens in whatever order, the emulator's books stay true."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from momokit.emulator.settlement import CannotDecide

from .caller import Caller

_OPENING = Decimal(1000)
_PARTIES = st.sampled_from(["256772000001", "46733123450", "46733123453", "46733123454"])
_AMOUNTS = st.sampled_from(["1", "7.50", "400", "600"])
_FAULTS = st.sampled_from(
    ["", "drop_request", "drop_response", "first_409", "stuck_pending", "silent_reject", "lag_404"]
)


class Books(RuleBasedStateMachine):
    """Creates, repeats, asks, decides and lets time pass; checks the books after each step."""

    references = Bundle("references")

    def __init__(self) -> None:
        super().__init__()
        self.caller = Caller(approval="phone", opening_balance=str(_OPENING))
        self.caller.emulator.clock.freeze(at=1_800_000_000.0)
        self.caller.emulator.change_settings(token_lifetime_seconds=10**9)
        self.finals: dict[tuple[str, str], str] = {}

    @rule(target=references, party=_PARTIES, amount=_AMOUNTS, fault=_FAULTS)
    def pay(self, party: str, amount: str, fault: str) -> Any:
        """Ask somebody to pay."""
        body = self.caller.body("payer", party, amount=amount)
        path = "/collection/v1_0/requesttopay"
        reference, _ = self.caller.create(path, body, X_Emulator_Fault=fault)
        return (path, reference, body)

    @rule(target=references, party=_PARTIES, amount=_AMOUNTS, fault=_FAULTS)
    def send(self, party: str, amount: str, fault: str) -> Any:
        """Pay somebody."""
        body = self.caller.body("payee", party, amount=amount)
        path = "/disbursement/v1_0/transfer"
        reference, _ = self.caller.create(path, body, X_Emulator_Fault=fault)
        return (path, reference, body)

    @rule(sent=references, fault=_FAULTS)
    def repeat(self, sent: Any, fault: str) -> None:
        """Send the same thing again under the same reference id."""
        path, reference, body = sent
        self.caller.create(path, body, reference=reference, X_Emulator_Fault=fault)

    @rule(sent=references)
    def ask(self, sent: Any) -> None:
        """Ask how it stands: a final answer never changes."""
        path, reference, _ = sent
        reply = self.caller.call(f"GET {path}/{reference}")
        if reply.status == 404:
            return
        status = reply.json()["status"]
        assert self.finals.get((path, reference), status) == status
        if status in ("SUCCESSFUL", "FAILED"):
            self.finals[path, reference] = status

    @rule(sent=references, decision=st.sampled_from(["approve", "decline", "ignore"]))
    def decide(self, sent: Any, decision: str) -> None:
        """Let the payer decide, if there is something to decide."""
        try:
            self.caller.emulator.decide(sent[1], decision)
        except (CannotDecide, LookupError):
            return

    @rule(seconds=st.sampled_from([1, 25, 300, 4000]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.caller.emulator.clock.advance(seconds=seconds)

    @invariant()
    def books_are_true(self) -> None:
        """Money moved at most once each, only for successes, and the balance is their sum."""
        emulator = self.caller.emulator
        total = _OPENING
        for payment in emulator.payments():
            truth = emulator.money_moved(payment.reference_id)
            assert truth.times == (1 if payment.status == "SUCCESSFUL" else 0)
            total += Decimal(truth.total)
        assert Decimal(emulator.balance()) == total >= 0
        assert emulator.crashes == 0


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
