"""What can be found in a file of payments: each finding has a code, its weight and its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from momokit._reason_words import Words
from momokit.gateway.core.batch_words import WORDS


class Severity(StrEnum):
    """What a finding asks for: a correction, a second person's word, or only a look."""

    ERROR = "error"
    OVERRIDE = "override"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing found in a row or file: its code, how grave, in which column, and the facts.

    The facts hold no phone number. `words` says it in English and French, with what to do.
    """

    code: str
    severity: Severity
    column: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> Words:
        """For people: what was found and what to do about it."""
        said = WORDS[self.code]
        return Words(said.en.format_map(self.facts), said.fr.format_map(self.facts))

    def stored(self) -> dict[str, object]:
        """For storing it as JSON; `Finding.load` has it back."""
        told: dict[str, object] = {"code": self.code, "severity": str(self.severity)}
        if self.column:
            told["column"] = self.column
        if self.facts:
            told["facts"] = dict(self.facts)
        return told

    @classmethod
    def load(cls, stored: Mapping[str, object]) -> Finding:
        """For having back what `stored` made. Raises ValueError for a code that is not known."""
        code, facts = str(stored["code"]), stored.get("facts", {})
        if code not in WORDS or not isinstance(facts, Mapping):
            raise ValueError(f"no finding has the code {code!r}")
        return cls(
            code=code,
            severity=Severity(str(stored["severity"])),
            column=str(stored.get("column", "")),
            facts={str(name): str(value) for name, value in facts.items()},
        )


def error(code: str, /, *, column: str = "", **facts: str) -> Finding:
    """For what must be corrected, or its row left out, before anything is paid."""
    return Finding(code=code, severity=Severity.ERROR, column=column, facts=facts)


def doubt(code: str, /, *, column: str = "", **facts: str) -> Finding:
    """For what a second person must have seen and allowed."""
    return Finding(code=code, severity=Severity.OVERRIDE, column=column, facts=facts)


def warning(code: str, /, *, column: str = "", **facts: str) -> Finding:
    """For what is worth a look and stops nothing."""
    return Finding(code=code, severity=Severity.WARNING, column=column, facts=facts)
