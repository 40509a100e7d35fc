"""Put a person's word on record: how a payment ended, on what evidence, and who says so."""

from __future__ import annotations

import re
from dataclasses import replace

from momokit.errors import InvalidInput
from momokit.gateway.core.by_hand import why_not_by_hand
from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import Decision, PersonSays
from momokit.gateway.core.payment import Payment
from momokit.gateway.store.records import Recorded
from momokit.gateway.store.store import Store

_LIKE_A_NUMBER = re.compile(r"\+?\d(?:[ .\-]?\d){6,}")
_SHOWN_DIGITS, _TOLD_APART_BY = 3, 8


async def put_on_record(
    payment_id: str, says: PersonSays, *, store: Store, force: bool = False
) -> Recorded | None:
    """Record how a payment ended by a person's word; None when there is no such payment.

    Raises InvalidInput naming the field when the word has no evidence, reason or name to it; and,
    unless forced, while MTN may still say itself how it ended.
    """
    for name in ("evidence", "because", "by"):
        if not getattr(says, name).strip():
            raise InvalidInput("A person's word needs this.", field=name)
    if says.financial_transaction_id is not None and says.outcome == "failed":
        raise InvalidInput(
            "Only money that moved has a financial transaction id.",
            field="financial_transaction_id",
        )
    found = await store.payment(payment_id)
    if found is None:
        return None

    def follow(payment: Payment, now: float) -> Decision:
        why = why_not_by_hand(payment, review=found.review, now=now)
        if why is not None and not force:
            raise InvalidInput(
                f"{why} MTN's word is better than anybody's.",
                field="payment_id",
                hint="Wait until it is in the review list, or force it.",
            )
        return decide(payment, _without_numbers(says, payment.party_id), now=now)

    return await store.record(payment_id, follow, lease_token=None)


def _without_numbers(says: PersonSays, party_id: str | None) -> PersonSays:
    """Mask the party's number where a person wrote it down: history is kept, and read by many."""
    digits = re.sub(r"\D", "", party_id or "")
    if len(digits) < _TOLD_APART_BY:
        return says

    def mask(match: re.Match[str]) -> str:
        written = re.sub(r"\D", "", match[0])
        if not written.endswith(digits[-_TOLD_APART_BY:]):
            return match[0]
        return "•••" + written[-_SHOWN_DIGITS:]

    return replace(
        says,
        evidence=_LIKE_A_NUMBER.sub(mask, says.evidence),
        because=_LIKE_A_NUMBER.sub(mask, says.because),
    )
