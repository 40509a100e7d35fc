"""How well the name in a file fits the name that MTN has for the number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MATCHED_FROM = 85


class Verdict(StrEnum):
    """Three answers, and never a fourth: no answer from MTN is no match and no mismatch."""

    MATCHED = "matched"
    DIFFERS = "differs"
    COULD_NOT_CHECK = "could_not_check"


@dataclass(frozen=True, kw_only=True, slots=True)
class NameCheck:
    """A verdict with its score from 0 to 100; None when nothing could be compared."""

    verdict: Verdict
    score: int | None


def compare(
    claimed: str | None,
    *,
    given: str | None,
    family: str | None,
    matched_from: int = MATCHED_FROM,
) -> NameCheck:
    """For holding a file's name against MTN's given and family name; either may be missing."""
    raise NotImplementedError
