"""What a payment's row keeps of people, as one sealed value: party, bytes for MTN, metadata."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row

from momokit.gateway.store.veil import Veil


class Personal(msgspec.Struct, frozen=True, array_like=True):
    """The sealed part of a payment. New fields go to the end, each with a default."""

    party_id: str | None
    headers: dict[str, str]
    body: bytes
    metadata: dict[str, Any]

    def __repr__(self) -> str:
        return "Personal(…)"


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Personal).decode


def seal_personal(veil: Veil, personal: Personal, *, payment_id: str) -> bytes:
    """Seal what a payment's row keeps of people."""
    return veil.seal(_encode(personal), place=f"payments {payment_id}")


def open_personal(veil: Veil, row: Row[Any]) -> Personal:
    """Open the sealed part of a payment's row. Raises VeilBroken."""
    return _decode(veil.open(row.sealed, place=f"payments {row.id}"))


def party_hash(veil: Veil, party_type: str | None, party_id: str | None) -> str | None:
    """Give what all payments of one party have in common; None where there is no party."""
    if party_id is None:
        return None
    return veil.digest("party", f"{party_type or 'MSISDN'} {party_id}")
