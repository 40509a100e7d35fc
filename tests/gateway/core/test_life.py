"""A payment's life against a provider and a network that do their worst: hypothesis leads."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Literal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from momokit.gateway.core import schedule
from momokit.gateway.core.decide import decide, is_legal
from momokit.gateway.core.facts import (
    CancelAnswered,
    CancelAsked,
    Decision,
    Doubt,
    Fact,
    NeverLeft,
    NoAnswer,
    PersonSays,
    Withdrawn,
)
from momokit.gateway.core.payment import Payment, State, Work
from tests.gateway.core.make import NOW, PULL, PUSH, apply, created, told
from tests.gateway.core.model_provider import ModelProvider, Record

LEASE_SECONDS = 30.0
LONGEST_ON_THE_WAY_SECONDS = 120.0
LONGEST_INVISIBLE_SECONDS = 300.0
REFUSALS = (None, None, "NOT_ALLOWED", "PAYER_NOT_FOUND")
WAYS = ("answered", "reply lost", "request lost", "late", "never left")


class Life(RuleBasedStateMachine):
    """A worker that does what decisions say, a payer, a merchant, and things that go wrong."""

    payment: Payment
    decision: Decision
    due_at: float | None
    decided_at: float

    def __init__(self) -> None:
        """Begin with a provider that works; the payment comes with the first rule."""
        super().__init__()
        self.provider = ModelProvider(now=NOW)
        self.failures = 0
        self.tries = 0
        self.merchant_heard: list[str] = []

    # The worker ---------------------------------------------------------------------------------

    @initialize(kind=st.sampled_from([PUSH, PULL, "invoice"]))
    def accept(self, kind: str) -> None:
        """The merchant's payment is stored, to be sent at once."""
        self.kind = kind
        self._accept()

    def _accept(self) -> None:
        self.tries += 1
        self.payment = created(id=f"pay_{self.tries}", kind=self.kind, created_at=self.now)
        self.due_at, self.decided_at, self.merchant_heard = self.now, self.now, []
        self.decision = Decision(state=State.CREATED, work=Work.SUBMIT, due_at=self.now, event="")

    def _record(self, fact: Fact) -> None:
        before, self.decided_at = self.payment, self.now
        self.decision = decide(before, fact, now=self.now)
        self.payment = apply(before, self.decision)
        self.due_at = self.decision.due_at
        if self.decision.notify is not None:
            self.merchant_heard.append(self.decision.notify)
        assert is_legal(before.state, self.payment.state)
        assert self.payment.first_sent_at == (before.first_sent_at or self.payment.first_sent_at)
        assert self.payment.accepted_at == (before.accepted_at or self.payment.accepted_at)
        assert self.payment.attempts >= before.attempts
        if before.state.is_final and self.payment.state is not before.state:
            assert self.decision.notify == "payment.corrected"
            assert self.decision.incident is not None
        assert self.payment.doubtful >= before.doubtful
        assert self.payment.state is before.state or self.decision.notify is not None

    def _to_submit(self) -> bool:
        return self.payment.work is Work.SUBMIT

    def _to_settle(self) -> bool:
        return self.payment.work is Work.SETTLE

    def _claim(self) -> None:
        assert self.due_at is not None
        self.provider.advance(self.due_at)

    def _send(self, way: str, delay: float) -> Fact:
        reference = self.payment.id
        if way == "never left":
            return NeverLeft(why="refused", retry_after_seconds=delay if delay > 60 else None)
        if way == "answered":
            return self.provider.receive(reference)
        if way == "reply lost":
            self.provider.receive(reference)
        if way == "late":
            self.provider.receive_later(reference, after_seconds=delay)
        return Doubt(why=way)

    @precondition(_to_submit)
    @rule(
        way=st.sampled_from(WAYS),
        delay=st.floats(1, LONGEST_ON_THE_WAY_SECONDS),
        overtaken=st.booleans(),
    )
    def submit(self, way: str, delay: float, overtaken: bool) -> None:
        """A send is claimed, made and recorded; a hint may bring the truth in between."""
        self._claim()
        if self.payment.sending:
            self._record(Doubt(why="a worker died while sending"))
            return
        self.payment = replace(self.payment, sending=True)
        fact = self._send(way, delay)
        if overtaken:
            self._record(self.provider.answer(self.payment.id))
        self._record(fact)

    @precondition(_to_submit)
    @rule(way=st.sampled_from(WAYS), delay=st.floats(1, LONGEST_ON_THE_WAY_SECONDS))
    def die_while_sending(self, way: str, delay: float) -> None:
        """A worker is killed before it records: its lease runs out, and the mark is found."""
        self._claim()
        if not self.payment.sending:
            self._send(way, delay)
        self.payment = replace(self.payment, sending=True)
        self.due_at = self.now + LEASE_SECONDS

    @precondition(_to_submit)
    @rule(first=st.sampled_from(["late", "reply lost"]), second=st.sampled_from(WAYS))
    def submit_into_trouble(self, first: str, second: str) -> None:
        """A send is in doubt and not visible, and the provider refuses when it is made again."""
        refused = self.provider.refuses
        self.change_mood(None, LONGEST_INVISIBLE_SECONDS)
        self.submit(first, LONGEST_ON_THE_WAY_SECONDS, False)
        if self._to_settle():
            self.settle()
        self.change_mood("NOT_ALLOWED", LONGEST_INVISIBLE_SECONDS)
        if self._to_submit():
            self.submit(second, LONGEST_ON_THE_WAY_SECONDS, False)
        self.change_mood(refused, LONGEST_INVISIBLE_SECONDS)

    def _ask(self) -> None:
        self.failures = 0
        if self.payment.wants_cancel and self._is_open_there() and self._is_seen():
            self._at_provider().end("FAILED", reason="TRANSACTION_CANCELED")
            self._record(CancelAnswered(taken=True))
        else:
            self._record(self.provider.answer(self.payment.id))

    def _is_seen(self) -> bool:
        return self._at_provider().visible_at <= self.now

    @precondition(_to_settle)
    @rule()
    def settle(self) -> None:
        """The status question is asked when it is due, and answered."""
        self._claim()
        self._ask()

    @precondition(_to_settle)
    @rule()
    def settle_in_vain(self) -> None:
        """The status question is asked when it is due, and gets no answer."""
        self._claim()
        self.failures += 1
        self._record(NoAnswer(why="503", failures=self.failures))

    @rule(status=st.sampled_from(["SUCCESSFUL", "FAILED", "PENDING"]))
    def hear_of_another_payment(self, status: str) -> None:
        """The answer is that of another payment: nothing is believed, a person is asked."""
        state = self.payment.state
        self._record(told(status, amount=Decimal("1")))
        assert (self.payment.state, self.decision.review) == (state, True)

    @rule(answered=st.booleans())
    def hint(self, answered: bool) -> None:
        """A callback, forged or not, has the question asked at once."""
        if answered:
            self._ask()
        else:
            self._record(NoAnswer(why="503"))

    # The others ---------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1.0, 60.0, 119.0, 601.0, 3600.0, 86400.0, 86400.0 * 8]))
    def pass_time(self, seconds: float) -> None:
        """No worker runs for a while; what is on its way arrives."""
        self.provider.advance(self.now + seconds)
        if self.due_at is not None:
            self.due_at = max(self.due_at, self.now)

    @rule(refuses=st.sampled_from(REFUSALS), seconds=st.floats(0, LONGEST_INVISIBLE_SECONDS))
    def change_mood(self, refuses: str | None, seconds: float) -> None:
        """The provider refuses from now on, or not; and shows new payments sooner or later."""
        self.provider.refuses, self.provider.visible_after_seconds = refuses, seconds

    @property
    def now(self) -> float:
        """The one clock."""
        return self.provider.now

    @property
    def record(self) -> Record | None:
        """The payment as the provider has it."""
        return self.provider.records.get(self.payment.id)

    def _is_open_there(self) -> bool:
        return self.record is not None and self.record.status == "PENDING"

    @precondition(_is_open_there)
    @rule()
    def approve(self) -> None:
        """The payer approves: money moves."""
        self._at_provider().end("SUCCESSFUL")

    @precondition(_is_open_there)
    @rule(reason=st.sampled_from(["APPROVAL_REJECTED", "INTERNAL_PROCESSING_ERROR", None]))
    def fail(self, reason: str | None) -> None:
        """The payer declines, or the provider gives up."""
        self._at_provider().end("FAILED", reason=reason)

    def _may_flip(self) -> bool:
        doubtful_end = self.record is not None and self.record.reason == "INTERNAL_PROCESSING_ERROR"
        audited = self.payment.state is not State.FAILED or self.due_at is not None
        return doubtful_end and audited

    @precondition(_may_flip)
    @rule()
    def flip(self) -> None:
        """What the provider failed for no clear reason went through after all."""
        self._at_provider().end("SUCCESSFUL")

    def _at_provider(self) -> Record:
        assert self.record is not None
        return self.record

    @rule()
    def cancel(self) -> None:
        """The merchant wants it back, be it that MTN cancels what it has."""
        self._record(CancelAsked(reference_id="one") if self.kind == "invoice" else Withdrawn())

    @precondition(lambda self: not self.payment.sending and not self.payment.state.is_final)
    @rule(outcome=st.sampled_from(["successful", "failed"]))
    def put_on_record(self, outcome: Literal["successful", "failed"]) -> None:
        """A person says how it ended, rightly or wrongly."""
        self._record(PersonSays(outcome=outcome, evidence="statement", because="-", by="Ama"))

    def _merchant_believes_it_failed(self) -> bool:
        # A failure that is still audited is one that the merchant is told to wait with.
        return self.payment.is_proven_failed

    @precondition(_merchant_believes_it_failed)
    @rule()
    def try_again(self) -> None:
        """Told that it failed, the merchant makes a new payment: with a new reference id."""
        self._accept()

    # What must always be so ---------------------------------------------------------------------

    @invariant()
    def money_moved_at_most_once(self) -> None:
        """Over every reference id, whatever was lost: the payer paid once or not at all."""
        assert self.provider.moved <= 1

    @invariant()
    def at_most_one_acceptance_can_still_pay(self) -> None:
        """No two reference ids are alive at once."""
        alive = [f"pay_{n}" for n in range(1, self.tries + 1)
                 if self.provider.may_yet_have(f"pay_{n}")]  # fmt: skip
        assert len(alive) <= 1

    @invariant()
    def failed_only_when_it_did_not_and_will_not_happen(self) -> None:
        """A failure is the provider's own word, or it never had it and never will."""
        said = self.payment.settled_by or (self.record and self.record.said_failed)
        if self.payment.state is State.FAILED and (self.payment.is_proven_failed or not said):
            said = self.record and self.record.said_failed
        if self.payment.state is State.FAILED and not said:
            assert self.provider.may_yet_have(self.payment.id) is False

    @invariant()
    def successful_only_when_money_moved(self) -> None:
        """A success is the provider's own word."""
        if self.payment.state is State.SUCCESSFUL and self.payment.settled_by is None:
            assert self._at_provider().moved == 1

    @invariant()
    def pending_only_when_the_provider_has_it(self) -> None:
        """Pending means accepted, and the time of it is known."""
        if self.payment.state is State.PENDING:
            assert self.record is not None
            assert self.payment.accepted_at is not None

    @invariant()
    def nothing_accepted_is_given_up(self) -> None:
        """What the provider accepted fails by the provider's word alone, and is not sent again."""
        if self.payment.accepted_at is not None:
            assert self.payment.work is not Work.SUBMIT
            failed = self.payment.state is State.FAILED and self.payment.settled_by is None
            assert not failed or self._at_provider().said_failed

    @invariant()
    def what_is_open_is_due_or_before_a_person(self) -> None:
        """No open payment is forgotten."""
        if not self.payment.state.is_final and self.due_at is None:
            assert self.decision.review is True

    @invariant()
    def work_and_its_time_go_together(self) -> None:
        """There is no work without a time, no time without work, and no time in the past."""
        assert (self.payment.work is None) == (self.due_at is None)
        assert self.due_at is None or self.due_at >= self.decided_at

    @invariant()
    def what_was_sent_is_sent_again_inside_the_window_only(self) -> None:
        """A late prompt would come out of the blue."""
        if self.decision.event == "not_received" and self.payment.work is Work.SUBMIT:
            assert self.due_at is not None
            sent_at = self.payment.first_sent_at or self.payment.created_at
            window = schedule.send_window_seconds(is_push=self.payment.is_push)
            assert self.payment.sending or self.due_at <= max(sent_at + window, self.now)

    @invariant()
    def created_means_that_it_may_not_have_left(self) -> None:
        """A payment that was sent and may have arrived says so by its state or its mark."""
        if self.payment.state is State.CREATED and self.provider.may_yet_have(self.payment.id):
            assert self.payment.sending or self.payment.doubtful

    @invariant()
    def the_count_of_absences_has_a_beginning(self) -> None:
        """A run of "not known" has a number and a time, or neither."""
        assert (self.payment.absences > 0) == (self.payment.absent_since is not None)

    @invariant()
    def a_last_word_has_its_time_and_a_failure_its_reason(self) -> None:
        """What the merchant is told can be told whole."""
        assert self.payment.state.is_final == (self.payment.final_at is not None)
        assert (self.payment.state is State.FAILED) == (self.payment.reason_code is not None)

    @invariant()
    def the_merchant_heard_every_last_word_once(self) -> None:
        """One final webhook, then only corrections."""
        finals = [name for name in self.merchant_heard
                  if name in ("payment.successful", "payment.failed")]  # fmt: skip
        assert len(finals) == (1 if self.payment.state.is_final else 0)

    def teardown(self) -> None:
        """Once all is quiet, and the payer answers, the payment ends as the provider has it."""
        if self.tries == 0:
            return
        self.provider.refuses, self.provider.visible_after_seconds = None, 0.0
        self.provider.advance(self.now + LONGEST_ON_THE_WAY_SECONDS + LONGEST_INVISIBLE_SECONDS)
        for _ in range(200):
            self._work_in_peace()
            if self.payment.state.is_final and self.due_at is None:
                break
        record = self.record
        truth = record.status if record is not None else "FAILED"
        assert self.payment.settled_by or self.payment.state.value.upper() == truth
        assert self.due_at is None
        self.money_moved_at_most_once()

    def _work_in_peace(self) -> None:
        if self._is_open_there():
            self.approve()
        if self.due_at is None:
            # In review: a person has the question asked.
            self._ask()
            return
        self.provider.advance(self.due_at)
        if not self._to_submit():
            self._ask()
        elif self.payment.sending:
            self._record(Doubt(why="a worker died while sending"))
        else:
            self._record(self.provider.receive(self.payment.id))


Life.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestLife = Life.TestCase
