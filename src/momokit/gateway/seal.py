"""Secrets at rest: each row under a key of its own, that key under the master key (AES-256-GCM).

A sealed value is bound to the row it belongs to, so that it opens nowhere else; and it names its
master key, so that the master key can be changed while old rows are still there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from momokit.errors import ConfigurationError, MomoError

KEY_BYTES = 32

_VERSION = b"mk1"
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_WRAPPED_BYTES = KEY_BYTES + 16
_HEAD_BYTES = len(_VERSION) + _KEY_ID_BYTES
_BODY_AT = _HEAD_BYTES + _NONCE_BYTES + _WRAPPED_BYTES


class SealBroken(MomoError):
    """A sealed value is damaged, or is not of the row it was found in."""


class Sealer:
    """Seals and opens. `previous` are master keys that were used before and still open old rows."""

    def __init__(
        self,
        key: bytes,
        *,
        previous: Sequence[bytes] = (),
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._key = key
        self._key_id = key_id(key)
        self._keys = {key_id(one): one for one in (*previous, key)}
        self._random = random

    def __repr__(self) -> str:
        return f"Sealer(key_id={self._key_id.hex()!r}, …)"

    def seal(self, plain: bytes, *, row_id: str) -> bytes:
        """Seal a value for one row."""
        data_key = self._random(KEY_BYTES)
        nonce = self._random(_NONCE_BYTES)
        body = AESGCM(data_key).encrypt(nonce, plain, _bound("data", row_id))
        return self._wrap(data_key, row_id) + nonce + body

    def open(self, sealed: bytes, *, row_id: str) -> bytes:
        """Open a row's value.

        Raises ConfigurationError when its master key is not at hand, and SealBroken.
        """
        data_key = self._unwrap(sealed, row_id)
        nonce, body = sealed[_BODY_AT : _BODY_AT + _NONCE_BYTES], sealed[_BODY_AT + _NONCE_BYTES :]
        return _decrypt(data_key, nonce, body, _bound("data", row_id))

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether a value is under the present master key."""
        return sealed[len(_VERSION) : _HEAD_BYTES] == self._key_id

    def renew(self, sealed: bytes, *, row_id: str) -> bytes:
        """Put a value under the present master key; what it holds is not touched."""
        return self._wrap(self._unwrap(sealed, row_id), row_id) + sealed[_BODY_AT:]

    def seal_texts(self, row_id: str, texts: Sequence[str]) -> bytes:
        """Seal several texts in one value: an endpoint's secrets."""
        return self.seal(msgspec.json.encode(list(texts)), row_id=row_id)

    def open_texts(self, row_id: str, sealed: bytes) -> list[str]:
        """Open what `seal_texts` sealed."""
        return msgspec.json.decode(self.open(sealed, row_id=row_id), type=list[str])

    def _wrap(self, data_key: bytes, row_id: str) -> bytes:
        nonce = self._random(_NONCE_BYTES)
        wrapped = AESGCM(self._key).encrypt(nonce, data_key, _bound("key", row_id))
        return _VERSION + self._key_id + nonce + wrapped

    def _unwrap(self, sealed: bytes, row_id: str) -> bytes:
        if not sealed.startswith(_VERSION) or len(sealed) < _BODY_AT + _NONCE_BYTES:
            raise SealBroken("This is not a sealed value.")
        master = self._keys.get(sealed[len(_VERSION) : _HEAD_BYTES])
        if master is None:
            raise ConfigurationError(
                "What is stored was sealed with another secret key.",
                field="secret_key",
                hint="Give the former key as MOMO_GATEWAY_PREVIOUS_SECRET_KEYS.",
            )
        nonce = sealed[_HEAD_BYTES : _HEAD_BYTES + _NONCE_BYTES]
        wrapped = sealed[_HEAD_BYTES + _NONCE_BYTES : _BODY_AT]
        return _decrypt(master, nonce, wrapped, _bound("key", row_id))


def key_id(key: bytes) -> bytes:
    """Name a master key without telling anything of it."""
    return hashlib.sha256(b"momokit key id" + key).digest()[:_KEY_ID_BYTES]


def _bound(what: str, row_id: str) -> bytes:
    return f"momokit {what} {row_id}".encode()


def _decrypt(key: bytes, nonce: bytes, body: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(nonce, body, bound)
    except InvalidTag:
        raise SealBroken("A sealed value is damaged, or belongs to another row.") from None
