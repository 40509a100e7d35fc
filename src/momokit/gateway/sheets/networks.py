"""Guess a number's network with the published tables, and with our own where they are silent."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import carrier

from momokit.party import MSISDN, Network

# MTN trades, or traded, under these names as well.
_MTN = ("mtn", "areeba", "lonestar", "spacetel")


def guess_network(number: MSISDN) -> Network:
    """For a warning, never a refusal: numbers are portable, and tables grow old.

    "mtn" if either source says so: a needless doubt costs more than a missed one, since MTN itself
    is asked before anything is paid.
    """
    ours = number.network_hint()
    if ours != "other":
        return ours
    # The tables go by the first digits: the whole number is not kept in memory for them.
    national = number.national
    label = _label(int(number.market.calling_code or 0), national[:6], len(national))
    return "mtn" if any(word in label for word in _MTN) else "other"


@lru_cache(maxsize=4096)
def _label(calling_code: int, prefix: str, length: int) -> str:
    national = prefix.ljust(length, "1")
    one = phonenumbers.PhoneNumber(
        country_code=calling_code,
        national_number=int(national),
        italian_leading_zero=national.startswith("0") or None,
    )
    return str(carrier.name_for_number(one, "en")).casefold()
