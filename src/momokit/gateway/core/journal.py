"""Statement lines as entries of a ledger: every movement twice, debit and credit alike. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from momokit.errors import InvalidInput
from momokit.gateway.core.statement import ZERO
from momokit.gateway.core.statement_profile import Direction, Role


class LedgerCodes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The codes of the ledger's accounts. The shipped ones are examples: use those of your books.

    `float` is the money that lies with MTN; `own_funds` what is on its way between it and the bank;
    `suspense` what nobody has explained yet.
    """

    float: str = "1110"
    own_funds: str = "1190"
    collections: str = "2110"
    payouts: str = "2120"
    refunds: str = "2130"
    suspense: str = "2190"
    fees: str = "6110"


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """A line of MTN's with what it was found to be. `relation` is None while nobody knows."""

    day: str
    role: Role
    relation: str | None
    direction: Direction
    amount: Decimal
    fee: Decimal
    currency: str
    reference: str
    kind: str | None
    fee_in_amount: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalLine:
    """One side of an entry: either the debit or the credit is 0."""

    day: str
    account: str
    debit: Decimal
    credit: Decimal
    currency: str
    reference: str
    memo: str


def read_codes(document: Any) -> LedgerCodes:
    """Read account codes from JSON values. Raises InvalidInput that names the field at fault."""
    try:
        codes = msgspec.convert(document, LedgerCodes)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{error}.".replace("`", ""), field="codes") from None
    for name in LedgerCodes.__struct_fields__:
        code: str = getattr(codes, name)
        if not 0 < len(code) <= 40 or code != code.strip():
            raise InvalidInput("A code has 1 to 40 characters.", field=name)
    return codes


def entry_of(movement: Movement, codes: LedgerCodes) -> tuple[JournalLine, ...]:
    """Book one movement: the float on one side, what it was for on the other, the fee apart.

    The other side is what makes the entry balance, so that none can be lopsided.
    """
    sign = 1 if movement.direction == "in" else -1
    beside = ZERO if movement.fee_in_amount else movement.fee
    change = sign * movement.amount - beside
    fee = movement.fee
    account, memo = _purpose(movement, codes)
    if movement.role == "fee":
        account, fee = codes.fees, ZERO
    sides = (
        (codes.float, change, memo),
        (codes.fees, fee, f"fee: {memo}"),
        (account, -change - fee, memo),
    )
    return tuple(
        JournalLine(
            day=movement.day,
            account=code,
            debit=max(amount, ZERO),
            credit=max(-amount, ZERO),
            currency=movement.currency,
            reference=movement.reference,
            memo=text,
        )
        for code, amount, text in sides
        if amount
    )


def _purpose(movement: Movement, codes: LedgerCodes) -> tuple[str, str]:
    if movement.role == "fee":
        return codes.fees, "fee"
    if movement.role == "own_funds":
        return codes.own_funds, "own funds"
    if movement.relation not in ("match", "reversal"):
        return codes.suspense, movement.relation or "not explained"
    memo = "reversal" if movement.relation == "reversal" else str(movement.kind)
    if movement.kind == "refund":
        return codes.refunds, memo
    pays_out = movement.kind in ("transfer", "deposit", "cash_transfer", "payment")
    return (codes.payouts if pays_out else codes.collections), memo
