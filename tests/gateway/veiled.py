"""The veil of tests that open a store by themselves: the real one, with keys that are known."""

from __future__ import annotations

from momokit.gateway.store.veil import Veil

VEIL = Veil(keys={2: bytes(range(64, 96))}, look_up_key=bytes(range(96, 128)))
"""Give it to `Store(url, veil=VEIL)`; several stores on one database open each other's rows."""
