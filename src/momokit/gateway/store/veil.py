"""The veil over personal data: sealed on its way into the database, opened on its way out.

Numbers, names and what MTN and the merchant say of them lie in the database as AES-256-GCM only.
What must be found again is found by a keyed hash. Who holds the file, or a copy of it, and not the
gateway's secret key, learns amounts and times, and not whose they are.

For a table of your own: `transaction.veil.seal(plain, place=f"table {row_id}")`, and the same place
to open it; `transaction.veil.digest("what it is", text)` for a column to search by.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Mapping
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from momokit.errors import MomoError

KEY_BYTES = 32

_VERSION = b"\x01"
_NUMBER_BYTES = 2
_SALT_BYTES = 16
_NONCE_BYTES = 12
_SALT_AT = len(_VERSION) + _NUMBER_BYTES
_NONCE_AT = _SALT_AT + _SALT_BYTES
_BODY_AT = _NONCE_AT + _NONCE_BYTES
_OPENERS_KEPT = 1024

SEALS_PER_SALT = 1 << 24
"""How many values share one derived key. Random nonces stay unlike for far longer than this."""


class VeilBroken(MomoError):
    """A sealed value is damaged, or is not of the row it was found in."""


class Veil:
    """Seals and opens rows, and digests what is looked up.

    `keys` are the data keys by their number, the highest of which seals. Each process seals under
    keys derived from that one by a salt of its own, so that no number of rows wears a key out; and
    the cipher is set up once for many rows, which makes it cheap.
    """

    def __init__(
        self,
        *,
        keys: Mapping[int, bytes],
        look_up_key: bytes,
        random: Callable[[int], bytes] = os.urandom,
        seals_per_salt: int = SEALS_PER_SALT,
    ) -> None:
        self._keys = dict(keys)
        self._look_up_key = look_up_key
        self._random = random
        self._seals_per_salt = seals_per_salt
        self._present = max(self._keys)
        self._openers: dict[bytes, AESGCM] = {}
        self._lock = Lock()
        self._sealer, self._start = self._derive()
        self._sealed = 0

    def __repr__(self) -> str:
        return f"Veil(key={self._present}, …)"

    def seal(self, plain: bytes, *, place: str) -> bytes:
        """Seal a value for one place, as a rule the table's name and the row's id."""
        with self._lock:
            if self._sealed >= self._seals_per_salt:
                self._sealer, self._start = self._derive()
                self._sealed = 0
            self._sealed += 1
            sealer, start = self._sealer, self._start
        nonce = self._random(_NONCE_BYTES)
        return start + nonce + sealer.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """Open a place's value. Raises VeilBroken."""
        opener = self._opener(sealed[:_NONCE_AT])
        try:
            return opener.decrypt(sealed[_NONCE_AT:_BODY_AT], sealed[_BODY_AT:], place.encode())
        except (InvalidTag, ValueError):
            raise _broken() from None

    def digest(self, what: str, text: str | bytes) -> str:
        """Give what a value is found by; equal values of one sort give equal digests.

        Without the key nobody can try all phone numbers there are to find the one behind it.
        """
        value = text.encode() if isinstance(text, str) else text
        return hmac.digest(self._look_up_key, what.encode() + b"\x00" + value, "sha256").hex()

    def _derive(self) -> tuple[AESGCM, bytes]:
        number = self._present.to_bytes(_NUMBER_BYTES, "big")
        start = _VERSION + number + self._random(_SALT_BYTES)
        return self._opener(start), start

    def _opener(self, start: bytes) -> AESGCM:
        found = self._openers.get(start)
        if found is None:
            key = self._keys.get(int.from_bytes(start[len(_VERSION) : _SALT_AT], "big"))
            if key is None or not start.startswith(_VERSION) or len(start) != _NONCE_AT:
                raise _broken()
            found = AESGCM(hmac.digest(key, b"momokit rows" + start, "sha256"))
            if len(self._openers) >= _OPENERS_KEPT:
                self._openers.clear()
            self._openers[start] = found
        return found


def _broken() -> VeilBroken:
    return VeilBroken(
        "What is stored of a person is damaged, or belongs to another row.",
        hint="Restore it from a backup; nothing was sent.",
    )
