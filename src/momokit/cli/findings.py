"""What `momo doctor` finds: one value for each check, with its remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Status: TypeAlias = Literal["ok", "warning", "problem", "not_checked", "by_hand"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    `status` is "ok", "warning", "problem", "not_checked" (it could not be) or "by_hand" (only a
    person can); `remedy` says what to do, and is empty where there is nothing to do.
    """

    check: str
    status: Status
    what: str
    remedy: str = ""

    def facts(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return asdict(self)
