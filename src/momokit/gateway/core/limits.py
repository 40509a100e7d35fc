"""What an account may move: per payment, per day, and per payee. Pure.

Days are UTC's, so that all workers and all accounts mean the same by them. A limit holds for one
currency; an account that has any limit for what it pays out pays out in no other currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from momokit.gateway.core.payment import PUSH_KINDS

DAY_SECONDS = 86_400

NEW_PAYEE_SECONDS = 24 * 3600.0
"""A payee is new until a payment to it has succeeded that was made at least this long ago."""

PAYING_KINDS = PUSH_KINDS | {"payment"}
"""Kinds that take money out of the account: our payments, and bills paid from it."""

NO_CURRENCY = "currency"
"""The name of the limit that a currency meets for which none was set, where others were."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The limits of an account in one currency; None is no limit."""

    send_per_payment: Decimal | None = None
    send_per_day: Decimal | None = None
    send_per_payee_per_day: Decimal | None = None
    new_payee_per_day: Decimal | None = None
    collect_per_payment: Decimal | None = None

    @property
    def counts(self) -> bool:
        """Tell whether the day's sum must be kept for them."""
        per_day = (self.send_per_day, self.send_per_payee_per_day, self.new_payee_per_day)
        return any(limit is not None for limit in per_day)

    @property
    def concerns_sends(self) -> bool:
        """Tell whether any of them is about paying out."""
        return self.counts or self.send_per_payment is not None

    @property
    def per_payee(self) -> bool:
        """Tell whether sums must be kept for each payee."""
        return self.send_per_payee_per_day is not None or self.new_payee_per_day is not None


LIMIT_NAMES: Mapping[str, str] = {
    "send_per_payment": "one payment out",
    "send_per_day": "all payments out of one day (UTC)",
    "send_per_payee_per_day": "all payments to one payee of one day (UTC)",
    "new_payee_per_day": "all payments of one day to a payee that was never paid a day ago",
    "collect_per_payment": "one request to a payer",
}
"""Every limit there is, and what it is the limit of."""

StoredLimits: TypeAlias = Mapping[str, Mapping[str, str]]
"""Limits as they lie in the database: by currency, by name, as text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exceeded:
    """Which limit a payment meets, and what is left under it."""

    limit: str
    currency: str
    allowed: Decimal
    left: Decimal

    @property
    def message(self) -> str:
        """Say it in one sentence, with the limit's name in front."""
        if self.limit == NO_CURRENCY:
            return f"{self.limit}: the account has limits, and none for {self.currency}."
        what = LIMIT_NAMES[self.limit]
        return (
            f"{self.limit}: the limit for {what} is {self.allowed} {self.currency}, of which"
            f" {self.left} are left."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Today:
    """What an account has paid out today, in all and to one payee."""

    account: Decimal = Decimal(0)
    payee: Decimal = Decimal(0)
    payee_is_new: bool = False


def day_of(seconds: float) -> int:
    """Number the day (UTC) that a moment lies in."""
    return int(seconds // DAY_SECONDS)


def next_day_seconds(now: float) -> float:
    """Give the time until the day's sums begin anew."""
    return (day_of(now) + 1) * DAY_SECONDS - now


def read_limits(stored: StoredLimits | None) -> dict[str, Limits]:
    """Read limits as they lie in the database."""
    return {
        currency: Limits(**{name: Decimal(text) for name, text in named.items()})
        for currency, named in (stored or {}).items()
    }


def limits_text(limits: Mapping[str, Limits]) -> dict[str, dict[str, str]]:
    """Write limits as they lie in the database; what is no limit is left out."""
    written = {
        currency: {
            one.name: str(getattr(of, one.name))
            for one in fields(Limits)
            if getattr(of, one.name) is not None
        }
        for currency, of in limits.items()
    }
    return {currency: named for currency, named in written.items() if named}


def read_amount(text: str) -> Decimal:
    """Read a limit's amount. Raises ValueError unless it is a plain number, zero or more."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError("It is not a number.") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError("It is zero or more.")
    return amount


def limits_in(limits: Mapping[str, Limits], currency: str) -> Limits | Exceeded | None:
    """Find the limits of payments out in a currency; None where there are none at all."""
    if currency in limits:
        return limits[currency]
    if any(one.concerns_sends for one in limits.values()):
        zero = Decimal(0)
        return Exceeded(limit=NO_CURRENCY, currency=currency, allowed=zero, left=zero)
    return None


def exceeded_by_collection(
    limits: Mapping[str, Limits], *, amount: Decimal, currency: str
) -> Exceeded | None:
    """Tell which limit a request to a payer meets, if one."""
    allowed = limits[currency].collect_per_payment if currency in limits else None
    return _over("collect_per_payment", currency, amount, allowed, Decimal(0))


def exceeded_by_send(
    limits: Limits, *, amount: Decimal, currency: str, today: Today
) -> Exceeded | None:
    """Tell which limit a payment out meets first, if one. `today` is without it."""
    new = limits.new_payee_per_day if today.payee_is_new else None
    checks = (
        ("send_per_payment", limits.send_per_payment, Decimal(0)),
        ("new_payee_per_day", new, today.payee),
        ("send_per_payee_per_day", limits.send_per_payee_per_day, today.payee),
        ("send_per_day", limits.send_per_day, today.account),
    )
    found = (_over(name, currency, amount, allowed, so_far) for name, allowed, so_far in checks)
    return next((one for one in found if one is not None), None)


def _over(
    name: str, currency: str, amount: Decimal, allowed: Decimal | None, so_far: Decimal
) -> Exceeded | None:
    if allowed is None or so_far + amount <= allowed:
        return None
    left = max(Decimal(0), allowed - so_far)
    return Exceeded(limit=name, currency=currency, allowed=allowed, left=left)
