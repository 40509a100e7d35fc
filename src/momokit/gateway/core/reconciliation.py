"""Hold MTN's lines against our payments: which belongs to which. Pure.

A line speaks of a payment by MTN's number, by our number, or, as a last resort, by being the only
one that fits. Of several lines that speak of one payment the best by a fixed order is its match, so
that the result is the same in whatever order lines and payments come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec

from momokit.gateway.core.payment import PUSH_KINDS, State
from momokit.gateway.core.statement_profile import Direction, Role, Status

Relation: TypeAlias = Literal["match", "duplicate", "reversal", "fee", "told"]
Rank: TypeAlias = tuple[bool, int, bool, float, str]


class Rule(StrEnum):
    """How a line was found to speak of a payment, the surest first."""

    FINANCIAL_ID = "financial_transaction_id"
    EXTERNAL_ID = "external_id"
    REFERENCE_ID = "reference_id"
    AMOUNT_PARTY_TIME = "amount_party_time"


ORDER = {rule: number for number, rule in enumerate(Rule)}
CONFIDENCE = {Rule.FINANCIAL_ID: 100, Rule.EXTERNAL_ID: 95, Rule.REFERENCE_ID: 95}
ONLY_ONE_FITS, NEAREST_FITS = 70, 50
"""How sure the last resort is: when nothing else fitted, and when something did."""


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as it is compared. The party is known by its digest."""

    id: str
    account_id: str
    product: str
    kind: str
    state: State
    amount: Decimal
    currency: str
    external_id: str
    reference_id: str
    created_at: float
    final_at: float | None = None
    financial_transaction_id: str | None = None
    party_hash: str | None = None

    @property
    def direction(self) -> Direction:
        """Which way its money goes, seen from our account with MTN."""
        return "out" if self.kind in PUSH_KINDS or self.kind == "payment" else "in"


class Theirs(msgspec.Struct, frozen=True, kw_only=True):
    """A line of MTN's as it is compared. The party is known by its digest."""

    identity: str
    account_id: str
    product: str
    role: Role
    status: Status
    at: float
    until: float
    direction: Direction
    amount: Decimal
    currency: str
    fee: Decimal | None = None
    financial_transaction_id: str | None = None
    external_id: str | None = None
    party_hash: str | None = None

    @property
    def moved(self) -> bool:
        """Tell whether money moved, if only for a while."""
        return self.status in ("moved", "reversed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A line and the payment it speaks of: by which rule, how sure, and in what way."""

    line: Theirs
    payment: Ours
    rule: Rule
    confidence: int
    relation: Relation = "match"


@dataclass(frozen=True, slots=True)
class Index:
    """Payments by the numbers that a line may name them by."""

    by_financial_id: Mapping[tuple[str, str], Sequence[Ours]]
    by_external_id: Mapping[tuple[str, str], Ours]
    by_reference_id: Mapping[tuple[str, str], Ours]

    @classmethod
    def of(cls, payments: Iterable[Ours]) -> Index:
        """Sort payments by their numbers, each within its account."""
        financial: dict[tuple[str, str], list[Ours]] = defaultdict(list)
        external, reference = {}, {}
        for one in payments:
            if one.financial_transaction_id:
                financial[(one.account_id, one.financial_transaction_id)].append(one)
            external[(one.account_id, one.external_id)] = one
            reference[(one.account_id, one.reference_id)] = one
        return cls(financial, external, reference)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that follows from lines and payments."""

    pairs: tuple[Pair, ...]
    unmatched: tuple[Theirs, ...]


def named(line: Theirs, index: Index) -> Pair | None:
    """Find the payment that a line names by number, by the surest number that names one."""
    account = line.account_id
    number, ours = line.financial_transaction_id, line.external_id
    known = index.by_financial_id.get((account, number), ()) if number else ()
    fitting = [one for one in known if _same_product(line, one)]
    if fitting:
        best = min(fitting, key=lambda one: (one.external_id != ours, _differs(line, one), one.id))
        return _pair(line, best, Rule.FINANCIAL_ID)
    for rule, table in (
        (Rule.EXTERNAL_ID, index.by_external_id),
        (Rule.REFERENCE_ID, index.by_reference_id),
    ):
        found = table.get((account, ours)) if ours else None
        if found is not None and _same_product(line, found):
            return _pair(line, found, rule)
    return None


def rank(pair: Pair) -> Rank:
    """Give the order in which lines are preferred that speak of one payment: the least wins."""
    line = pair.line
    return (
        not line.moved, ORDER[pair.rule], _differs(line, pair.payment), line.at, line.identity,
    )  # fmt: skip


def contest(pairs: Iterable[Pair]) -> list[Pair]:
    """Of lines that speak of one payment let one be its match; say what the others are."""
    told: list[Pair] = []
    contenders: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.relation in ("fee", "reversal"):
            told.append(pair)
        else:
            contenders[pair.payment.id].append(pair)
    for those in contenders.values():
        best, *rest = sorted(those, key=rank)
        told.append(replace(best, relation="match"))
        told += [replace(one, relation=loser_of(one)) for one in rest]
    return told


def loser_of(pair: Pair) -> Relation:
    """Say what a line is that is not the match: money moved again, or only a word about it."""
    return "duplicate" if pair.line.moved else "told"


def pair_weakly(
    lines: Iterable[Theirs], payments: Iterable[Ours], *, window_seconds: float
) -> list[Pair]:
    """Pair what has no number in common by amount, party and time: the last resort.

    A payment that failed is never taken for one that moved, nor one whose numbers say otherwise.
    """
    by_shape: dict[tuple[object, ...], list[Ours]] = defaultdict(list)
    for payment in payments:
        if payment.party_hash is not None and payment.state is not State.FAILED:
            by_shape[_shape(payment)].append(payment)
    options: list[tuple[float, float, str, str, Theirs, Ours]] = []
    for line in lines:
        if line.role != "payment" or not line.moved or line.party_hash is None or line.external_id:
            continue
        for payment in by_shape.get(_shape(line), ()):
            gap = gap_seconds(line, payment)
            if gap <= window_seconds and _may_be(line, payment):
                options.append((gap, line.at, line.identity, payment.id, line, payment))
    return _take_nearest(sorted(options, key=lambda one: one[:4]))


def reconcile(
    lines: Sequence[Theirs], payments: Sequence[Ours], *, window_seconds: float
) -> Outcome:
    """Do all of it at once. The store does the same in steps, and is held against this."""
    index = Index.of(payments)
    found = [(line, named(line, index)) for line in lines]
    pairs = contest(pair for _, pair in found if pair is not None)
    taken = {pair.payment.id for pair in pairs if pair.relation == "match"}
    loose = [line for line, pair in found if pair is None]
    weak = pair_weakly(
        loose, (one for one in payments if one.id not in taken), window_seconds=window_seconds
    )
    settled = {pair.line.identity for pair in weak}
    rest = tuple(line for line in loose if line.identity not in settled)
    return Outcome((*pairs, *weak), rest)


def is_evidence(pair: Pair) -> bool:
    """Tell whether a line is reason to ask MTN about its payment now: never more than that."""
    if pair.relation not in ("match", "reversal"):
        return False
    state = pair.payment.state
    if pair.relation == "reversal" or pair.line.status == "reversed":
        return True
    return (state is not State.SUCCESSFUL) if pair.line.moved else (state is State.SUCCESSFUL)


def _pair(line: Theirs, payment: Ours, rule: Rule) -> Pair:
    relation: Relation = "match"
    if line.role == "fee":
        relation = "fee"
    elif line.role == "reversal" or (line.moved and line.direction != payment.direction):
        relation = "reversal"
    return Pair(
        line=line, payment=payment, rule=rule, confidence=CONFIDENCE[rule], relation=relation
    )


def _take_nearest(options: list[tuple[float, float, str, str, Theirs, Ours]]) -> list[Pair]:
    rivals: dict[str, int] = defaultdict(int)
    for _, _, identity, payment_id, _, _ in options:
        rivals[f"line {identity}"] += 1
        rivals[f"payment {payment_id}"] += 1
    taken: set[str] = set()
    pairs: list[Pair] = []
    for _, _, identity, payment_id, line, payment in options:
        both = {f"line {identity}", f"payment {payment_id}"}
        if both & taken:
            continue
        taken |= both
        alone = all(rivals[name] == 1 for name in both)
        pairs.append(
            Pair(
                line=line, payment=payment, rule=Rule.AMOUNT_PARTY_TIME,
                confidence=ONLY_ONE_FITS if alone else NEAREST_FITS,
            )
        )  # fmt: skip
    return pairs


def _same_product(line: Theirs, payment: Ours) -> bool:
    return line.product in ("", payment.product)


def _differs(line: Theirs, payment: Ours) -> bool:
    return line.amount != payment.amount or line.currency != payment.currency


def _shape(one: Theirs | Ours) -> tuple[object, ...]:
    return one.account_id, one.direction, one.amount, one.currency, one.party_hash


def _may_be(line: Theirs, payment: Ours) -> bool:
    ours, theirs = payment.financial_transaction_id, line.financial_transaction_id
    return _same_product(line, payment) and (not ours or not theirs or ours == theirs)


def gap_seconds(line: Theirs, payment: Ours) -> float:
    """Give how far a line lies outside the life of a payment; one still open has no end yet."""
    end = payment.final_at if payment.final_at is not None else float("inf")
    return max(payment.created_at - line.until, line.at - end, 0.0)
