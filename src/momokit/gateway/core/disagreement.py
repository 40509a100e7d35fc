"""What does not agree between a line of MTN's and the payment it speaks of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from momokit.gateway.core.discrepancy import Finding, Kind
from momokit.gateway.core.payment import State
from momokit.gateway.core.reconciliation import Ours, Pair, Theirs, gap_seconds
from momokit.gateway.core.statement import plain_amount
from momokit.gateway.core.statement_profile import Profile, day_of, zone_of


def compare(pair: Pair, profile: Profile) -> list[Finding]:
    """Say everything in which a line and its payment do not agree."""
    line, payment = pair.line, pair.payment
    if pair.relation == "reversal":
        return [_finding(Kind.REVERSED_LATER, pair, {"told": plain_amount(line.amount)})]
    if pair.relation == "duplicate":
        return [_finding(Kind.DUPLICATE_AT_PROVIDER, pair)]
    if pair.relation in ("fee", "told"):
        return []
    found = _status(pair)
    if line.moved:
        found += [*_amounts(pair, profile), *_fees(pair, profile), *_date(pair, profile)]
    if line.currency != payment.currency:
        found.append(_finding(Kind.CURRENCY, pair, _both(payment.currency, line.currency)))
    if None not in (line.party_hash, payment.party_hash) and line.party_hash != payment.party_hash:
        found.append(_finding(Kind.PARTY, pair))
    return found


def lonely(line: Theirs) -> Finding | None:
    """Say what a line is that belongs to no payment: nothing, if no money of a payment moved."""
    if line.role not in ("payment", "reversal") or not line.moved:
        return None
    return Finding(
        kind=Kind.AT_PROVIDER_ONLY,
        subject=f"line:{line.identity}",
        identity=line.identity,
        amount=plain_amount(line.amount),
        currency=line.currency,
        details={"direction": line.direction, "role": line.role},
    )


def missing(payment: Ours) -> Finding:
    """Say that a successful payment is in no statement of its time."""
    return Finding(
        kind=Kind.AT_OURS_ONLY,
        subject=f"payment:{payment.id}",
        payment_id=payment.id,
        amount=plain_amount(payment.amount),
        currency=payment.currency,
        details={"direction": payment.direction},
    )


def _status(pair: Pair) -> list[Finding]:
    line, state = pair.line, pair.payment.state
    found: list[Finding] = []
    if line.status == "reversed":
        found.append(_finding(Kind.REVERSED_LATER, pair, {"told": plain_amount(line.amount)}))
    agrees = state is State.SUCCESSFUL if line.moved else state is not State.SUCCESSFUL
    if line.status == "open":
        agrees = not state.is_final
    if not agrees:
        found.append(_finding(Kind.STATUS, pair, _both(state.value, line.status)))
    return found


def _amounts(pair: Pair, profile: Profile) -> list[Finding]:
    line, payment = pair.line, pair.payment
    if line.amount == payment.amount or line.currency != payment.currency:
        return []
    sums = _both(plain_amount(payment.amount), plain_amount(line.amount))
    fee = line.fee or Decimal(0)
    whole = line.amount + fee if line.direction == "in" else line.amount - fee
    if fee and whole == payment.amount:
        if profile.fee_in_amount:
            return []
        return [_finding(Kind.FEE, pair, sums | {"fee": plain_amount(fee), "taken": "out of it"})]
    return [_finding(Kind.AMOUNT, pair, sums)]


def _fees(pair: Pair, profile: Profile) -> list[Finding]:
    rule = profile.fees.get(pair.line.direction)
    if rule is None or pair.line.fee is None:
        return []
    due = rule.of(pair.payment.amount)
    if due == pair.line.fee:
        return []
    return [_finding(Kind.FEE, pair, _both(plain_amount(due), plain_amount(pair.line.fee)))]


def _date(pair: Pair, profile: Profile) -> list[Finding]:
    payment, line = pair.payment, pair.line
    if payment.final_at is None or gap_seconds(line, payment) <= profile.tolerance_seconds:
        return []
    zone = zone_of(profile.zone)
    ours, theirs = day_of(payment.final_at, zone), day_of(line.at, zone)
    if ours == theirs:
        return []
    return [_finding(Kind.DATE_SHIFT, pair, _both(ours, theirs))]


def _both(expected: str, found: str) -> dict[str, str]:
    return {"expected": expected, "found": found}


def _finding(kind: Kind, pair: Pair, details: Mapping[str, str] = MappingProxyType({})) -> Finding:
    line, payment = pair.line, pair.payment
    its_own = pair.relation in ("duplicate", "reversal")
    return Finding(
        kind=kind,
        subject=f"line:{line.identity}" if its_own else f"payment:{payment.id}",
        payment_id=payment.id,
        identity=line.identity,
        amount=plain_amount(line.amount),
        currency=line.currency,
        details={"rule": pair.rule.value, **details},
    )
