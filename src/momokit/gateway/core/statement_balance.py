"""The balance proof: opening balance, lines and closing balance of each day held together. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal

from momokit.gateway.core.statement import ZERO, BalanceRow, Line
from momokit.gateway.core.statement_profile import Profile, day_of, zone_of


@dataclass(frozen=True, kw_only=True, slots=True)
class DayProof:
    """One day of a statement in one currency. `difference` is 0 where the balances hold together.

    It is None where the statement states no balances. `broken_row` is the first row whose balance
    does not follow from the one before.
    """

    day: str
    currency: str
    lines: int
    taken_in: Decimal
    paid_out: Decimal
    fees: Decimal
    opening: Decimal | None
    closing: Decimal | None
    difference: Decimal | None
    broken_row: int | None


@dataclass(slots=True)
class _Day:
    lines: int = 0
    taken_in: Decimal = ZERO
    paid_out: Decimal = ZERO
    fees: Decimal = ZERO
    effect: Decimal = ZERO
    first: Line | None = None
    last: Line | None = None
    jump: Decimal = ZERO
    broken_row: int | None = None


@dataclass(slots=True)
class BalanceKeeper:
    """Is shown every line of a file in its order, and tells the days at the end."""

    profile: Profile
    zone: tzinfo = field(init=False)
    opening: Decimal | None = None
    closing: Decimal | None = None
    _days: dict[tuple[str, str], _Day] = field(default_factory=dict)
    _before: dict[str, Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.zone = zone_of(self.profile.zone)

    def state(self, row: BalanceRow) -> None:
        """Take a balance that the statement states; of several openings the first counts."""
        if row.which == "opening":
            self.opening = row.amount if self.opening is None else self.opening
        else:
            self.closing = row.amount

    def add(self, line: Line) -> None:
        """Take the next line of the file."""
        day = self._days.setdefault((day_of(line.at, self.zone), line.currency), _Day())
        day.lines += 1
        effect = line.effect(fee_in_amount=self.profile.fee_in_amount)
        if line.moved:
            self._sum(day, line, effect)
        if line.balance is None:
            return
        before = self._before.get(line.currency)
        self._before[line.currency] = line
        day.first = day.first or line
        day.last = line
        if before is None or before.balance is None:
            return
        if not self._is_forward or line.balance - before.balance != effect:
            self._follow(before, line)

    def days(self) -> list[DayProof]:
        """Give every day, the earliest first, each with what its balances leave unexplained."""
        return [
            self._proof(day, currency, one) for (day, currency), one in sorted(self._days.items())
        ]

    def total_difference(self) -> Decimal | None:
        """Hold the stated opening and closing balance against all lines; None without the two.

        Of several currencies nobody knows which one the balances are in.
        """
        is_mixed = len({currency for _, currency in self._days}) > 1
        if self.opening is None or self.closing is None or is_mixed:
            return None
        return self.closing - self.opening - sum((one.effect for one in self._days.values()), ZERO)

    def _sum(self, day: _Day, line: Line, effect: Decimal) -> None:
        if line.role == "fee":
            day.fees += line.amount if line.direction == "out" else -line.amount
        elif line.direction == "in":
            day.taken_in += line.amount
        else:
            day.paid_out += line.amount
        if line.fee and not self.profile.fee_in_amount:
            day.fees += line.fee
        day.effect += effect

    def _follow(self, before: Line, line: Line) -> None:
        """Hold one line's balance against its neighbour's, whichever of the two comes first."""
        earlier, later = (before, line) if self._is_forward else (line, before)
        assert earlier.balance is not None
        assert later.balance is not None
        effect = later.effect(fee_in_amount=self.profile.fee_in_amount)
        jump = later.balance - earlier.balance - effect
        if jump:
            at = self._days[(day_of(later.at, self.zone), later.currency)]
            at.jump += jump
            at.broken_row = at.broken_row or later.row_number

    @property
    def _is_forward(self) -> bool:
        return self.profile.order == "oldest_first"

    def _proof(self, name: str, currency: str, day: _Day) -> DayProof:
        first, last = (day.first, day.last) if self._is_forward else (day.last, day.first)
        opening = closing = difference = None
        if first is not None and last is not None and first.balance is not None:
            opening = first.balance - first.effect(fee_in_amount=self.profile.fee_in_amount)
            closing = last.balance
            difference = day.jump
        return DayProof(
            day=name,
            currency=currency,
            lines=day.lines,
            taken_in=day.taken_in,
            paid_out=day.paid_out,
            fees=day.fees,
            opening=opening,
            closing=closing,
            difference=difference,
            broken_row=day.broken_row,
        )
