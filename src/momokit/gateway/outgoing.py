"""From a claimed row to what is sent: the seam between the store and the provider."""

from __future__ import annotations

from momokit.gateway.core.outgoing import Outgoing
from momokit.gateway.store.records import Claimed, StoredPayment


def outgoing_of(claimed: Claimed | StoredPayment) -> Outgoing:
    """Take what is sent, or asked about, from what was stored, byte for byte."""
    request = claimed.request
    return Outgoing(
        payment_id=claimed.id,
        account_id=claimed.account_id,
        kind=claimed.payment.kind,
        product=request.product,
        operation=request.operation,
        reference_id=request.reference_id,
        external_id=claimed.payment.external_id,
        path=request.path,
        headers=request.headers,
        body=request.body,
        is_cancelling=claimed.payment.cancel_reference_id is not None,
    )
