"""What the command line asked to be submitted, before anything is checked or sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One submission as the command line asked for it: what, with which product, which values.

    `method` is the client's, on the product; `kind` is our word for what is submitted; `asks` is
    the command that tells what became of it, where that is not its own status.
    """

    kind: str
    product: str
    method: str
    what: str
    values: Mapping[str, Any] = field(repr=False)
    asks: str = ""
    waits: bool = False
    timeout_seconds: float = 330.0
