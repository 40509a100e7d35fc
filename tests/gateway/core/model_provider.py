"""A provider that truly has a payment or has not, on a network that loses and delays."""

from __future__ import annotations

from dataclasses import dataclass, field

from momokit.gateway.core.facts import Fact, NotKnown, Taken, TurnedDown
from tests.gateway.core.make import told


@dataclass(kw_only=True)
class Record:
    """One payment as the provider has it, and how often it moved money."""

    visible_at: float
    status: str = "PENDING"
    reason: str | None = None
    moved: int = 0
    said_failed: bool = False

    def end(self, status: str, *, reason: str | None = None) -> None:
        """Come to a last word."""
        self.status, self.reason = status, reason
        self.moved += status == "SUCCESSFUL"
        self.said_failed = self.said_failed or status == "FAILED"


@dataclass(kw_only=True)
class ModelProvider:
    """All that the provider knows, by reference id, and the requests still on their way to it."""

    now: float
    refuses: str | None = None
    visible_after_seconds: float = 0.0
    records: dict[str, Record] = field(default_factory=dict)
    on_the_way: list[tuple[float, str]] = field(default_factory=list)

    def receive(self, reference: str) -> Fact:
        """Take one request to move money: once per reference id."""
        if reference in self.records:
            return Taken()
        if self.refuses is not None:
            return TurnedDown(code=self.refuses, status=500)
        self.records[reference] = Record(visible_at=self.now + self.visible_after_seconds)
        return Taken()

    def receive_later(self, reference: str, *, after_seconds: float) -> None:
        """Let a request wander about in the network before it arrives."""
        self.on_the_way.append((self.now + after_seconds, reference))

    def answer(self, reference: str) -> Fact:
        """Answer the status question."""
        record = self.records.get(reference)
        if record is None or record.visible_at > self.now:
            return NotKnown()
        number = "9001" if record.status == "SUCCESSFUL" else None
        return told(record.status, reason_code=record.reason, financial_transaction_id=number)

    def advance(self, to: float) -> None:
        """Let time pass; what was on its way arrives when it is due."""
        for at, reference in sorted(self.on_the_way):
            if at <= to:
                self.now = at
                self.receive(reference)
        self.on_the_way = [item for item in self.on_the_way if item[0] > to]
        self.now = max(self.now, to)

    def may_yet_have(self, reference: str) -> bool:
        """Tell whether money may move, or has moved, for a reference id."""
        record = self.records.get(reference)
        coming = any(wanted == reference for _, wanted in self.on_the_way)
        return coming if record is None else record.status != "FAILED"

    @property
    def moved(self) -> int:
        """How often money moved, over all reference ids."""
        return sum(record.moved for record in self.records.values())
