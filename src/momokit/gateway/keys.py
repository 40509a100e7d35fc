"""API keys of the merchant's applications: made, rotated and recognised; only digests are stored.

A key is 256 random bits, so its plain SHA-256 tells nothing of it, and looking it up by digest
takes no time that would depend on how much of it was guessed.
"""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from momokit.errors import InvalidInput
from momokit.gateway.store.accounts import (
    ApiKey,
    add_key,
    change_key,
    find_key,
    list_keys,
)
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.records import NoSuchRow
from momokit.secret import Secret

SCOPES: dict[str, str] = {
    "collect": "ask payers for money: requests to pay, invoices, pre-approvals",
    "disburse": "pay out: transfers, deposits, refunds, cash transfers, bills",
    "read": "see payments, accounts and balances",
    "webhooks": "set where webhooks go, and send them again",
    "approve": "approve batches of disbursements that another person made",
    "reconcile": "import statements, see to discrepancies, set how statements are read",
    "admin": "all of the above, and numbers in full",
    "shop": "the endpoints of a simple shop, and nothing else",
}
"""Every scope a key may have, and what it allows."""

OVERLAP_SECONDS = 86_400.0
"""How long a rotated key is still good, when nothing else is said."""

_KEY_BYTES = 32
_SHOWN = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class NewKey:
    """A key just made: the only time that its text is at hand."""

    key: ApiKey
    text: Secret


def make_key(
    *,
    label: str,
    scopes: Collection[str],
    live: bool,
    account_id: str | None = None,
    owner: str | None = None,
    expires_at: float | None = None,
    random: Callable[[int], bytes] = os.urandom,
) -> NewKey:
    """Make a key: `mk_live_…`, or `mk_test_…` where no real money moves. Raises InvalidInput.

    `owner` is the person who uses it (its label when left out): all keys of one owner are one
    person where two are needed.
    """
    check_scopes(scopes)
    start = f"mk_{'live' if live else 'test'}_"
    text = start + base64.urlsafe_b64encode(random(_KEY_BYTES)).rstrip(b"=").decode()
    key = ApiKey(
        id=f"key_{uuid.uuid4().hex[:24]}",
        label=label,
        prefix=text[: len(start) + _SHOWN],
        key_hash=digest(text),
        scopes=tuple(scope for scope in SCOPES if scope in scopes),
        account_id=account_id,
        owner=owner or label,
        expires_at=expires_at,
    )
    return NewKey(key=key, text=Secret(text))


def check_scopes(scopes: Collection[str]) -> None:
    """Refuse scopes that there are not, or none at all."""
    unknown = sorted(set(scopes) - SCOPES.keys())
    if unknown or not scopes:
        said = f"There is no scope {unknown[0]!r}." if unknown else "A key needs a scope."
        raise InvalidInput(said, field="scopes", hint=f"Known: {', '.join(SCOPES)}.")


def digest(text: str) -> str:
    """Give what is stored of a key."""
    return hashlib.sha256(text.encode()).hexdigest()


def recognise(transaction: Transaction, text: str) -> ApiKey | None:
    """Find the key that was shown to us, when it is valid at present."""
    return find_key(transaction, digest(text))


def create_key(
    transaction: Transaction, new: NewKey, *, lifetime_seconds: float | None = None
) -> NewKey:
    """Store a key; its life begins now, by the database's clock."""
    expires_at = None if lifetime_seconds is None else transaction.now + lifetime_seconds
    return replace(new, key=add_key(transaction, replace(new.key, expires_at=expires_at)))


def rotate_key(
    transaction: Transaction,
    key_id: str,
    *,
    overlap_seconds: float = OVERLAP_SECONDS,
    random: Callable[[int], bytes] = os.urandom,
) -> NewKey:
    """Make a key with the same rights; the old one is good for a while longer.

    Raises NoSuchRow, also for a key that is no longer valid: it has no rights to hand on.
    """
    old = next((key for key in list_keys(transaction) if key.id == key_id), None)
    if old is None or old.revoked_at is not None or _is_over(old, transaction.now):
        raise NoSuchRow(f"There is no valid key {key_id}.")
    ends = transaction.now + overlap_seconds
    if old.expires_at is None or ends < old.expires_at:
        change_key(transaction, old.id, expires_at=ends)
    new = make_key(
        label=old.label,
        scopes=old.scopes,
        live=old.prefix.startswith("mk_live_"),
        account_id=old.account_id,
        owner=old.owner,
        expires_at=old.expires_at,
        random=random,
    )
    return replace(new, key=add_key(transaction, replace(new.key, family=old.family or old.id)))


def _is_over(key: ApiKey, now: float) -> bool:
    return key.expires_at is not None and key.expires_at <= now
