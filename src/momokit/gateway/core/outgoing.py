"""What goes to MTN for one payment, as it was fixed before the first send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """What the store keeps of a payment so that it can be sent, and sent again, byte for byte."""

    payment_id: str
    account_id: str
    kind: str
    product: str
    operation: str
    reference_id: str
    external_id: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    is_cancelling: bool = False
    """MTN is to cancel it, or has agreed to."""
