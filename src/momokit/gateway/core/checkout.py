"""A page to pay on: what it may be paid with, and where it stands. Pure.

A checkout is paid once. While an attempt at it is open, unknown or not surely over, there is no
second one: that is what `phase_of` and `is_over` decide, and what the database holds to as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from momokit.errors import InvalidInput
from momokit.gateway.core.payment import State
from momokit.gateway.core.schedule import AUDIT_OFFSETS_SECONDS
from momokit.money import exponent_of

MINUTE, DAY = 60, 86_400
LIFE_SECONDS = DAY
"""How long a checkout can be paid when nothing is said."""

SHORTEST_LIFE_SECONDS, LONGEST_LIFE_SECONDS = 5 * MINUTE, 366 * DAY
ATTEMPTS_LIMIT = 20
"""Each attempt makes a phone ring: so many for one checkout are enough for anyone."""

_SPACES = re.compile(r"[\s\u00a0\u202f'’_]")
_GROUPED = re.compile(r"[0-9]{1,3}(?:[,.][0-9]{3})+")
_GROUPED_WITH_POINT = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,3})?")
_COMMA_DECIMALS = re.compile(r"[0-9]+,[0-9]{1,2}")


class Phase(StrEnum):
    """Where a checkout stands. `CHECKING`: MTN's last word is not had, so nobody pays again."""

    OPEN = "open"
    WAITING = "waiting"
    CHECKING = "checking"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more will happen here by itself."""
        return self in (Phase.PAID, Phase.EXPIRED, Phase.CANCELLED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What is known of one try to pay. `due_at` is when MTN is asked about it next, if ever;
    `sending`, a send of it may be on its way."""

    state: State
    final_at: float | None = None
    due_at: float | None = None
    review: bool = False
    sending: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """The amounts that are taken: from `least` to `most`, which are the same where it is fixed."""

    least: Decimal
    most: Decimal | None

    @property
    def fixed(self) -> Decimal | None:
        """The amount itself, where the payer has no choice."""
        return self.most if self.least == self.most else None


def is_over(attempt: Attempt) -> bool:
    """Tell whether an attempt is proven not to have moved money, so that another is safe.

    Some of MTN's failures have been known to be taken back: those are believed once the first
    audit has come to the same answer.
    """
    if attempt.state is not State.FAILED or attempt.review or attempt.sending:
        return False
    if attempt.due_at is None or attempt.final_at is None:
        return True
    return attempt.due_at >= attempt.final_at + AUDIT_OFFSETS_SECONDS[1]


def phase_of(
    last: Attempt | None,
    *,
    now: float,
    expires_at: float | None,
    is_closed: bool,
    can_be_paid_again: bool = False,
) -> Phase:
    """Say where a checkout stands by its last attempt.

    An attempt that was begun is followed to its end whatever the clock says. One that takes part
    payments (`can_be_paid_again`) is open again after each.
    """
    if last is not None:
        if last.state is State.SUCCESSFUL and not can_be_paid_again:
            return Phase.PAID
        if not last.state.is_final:
            return Phase.CHECKING if last.state is State.UNKNOWN else Phase.WAITING
        if last.state is State.FAILED and not is_over(last):
            return Phase.CHECKING
    if is_closed:
        return Phase.CANCELLED
    if expires_at is not None and now >= expires_at:
        return Phase.EXPIRED
    return Phase.OPEN


def read_amount(text: str, *, currency: str) -> str:
    """Read an amount as payers type it, with the separators that cannot be misread.

    Raises InvalidInput (field `amount`) when it could mean two amounts.
    """
    bare = _SPACES.sub("", text)
    exponent = exponent_of(currency)
    if exponent == 0 and _GROUPED.fullmatch(bare):
        return bare.replace(",", "").replace(".", "")
    if exponent > 0 and _GROUPED_WITH_POINT.fullmatch(bare):
        return bare.replace(",", "")
    if exponent > 0 and _COMMA_DECIMALS.fullmatch(bare):
        return bare.replace(",", ".")
    if not re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", bare):
        raise InvalidInput("This is not an amount.", field="amount", hint="Digits alone: 5000.")
    return bare.lstrip("0") or "0" if "." not in bare else bare


def check_amount(amount: Decimal, span: Span) -> None:
    """Refuse an amount outside what is taken. Raises InvalidInput (field `amount`)."""
    if amount < span.least:
        raise InvalidInput(f"The least that can be paid is {span.least}.", field="amount")
    if span.most is not None and amount > span.most:
        raise InvalidInput(f"The most that can be paid is {span.most}.", field="amount")


def shown_amount(amount: Decimal, *, currency: str, language: str) -> str:
    """Write an amount as people of that language read it: UGX 5,000 and 5 000 XAF."""
    plain = f"{amount:,.{exponent_of(currency)}f}"
    if language.startswith("fr"):
        # A narrow space that does not break, and a comma before the decimals.
        return plain.replace(",", "\u202f").replace(".", ",") + f"\u00a0{currency}"
    return f"{currency}\u00a0{plain}"
