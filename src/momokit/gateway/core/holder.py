"""What MTN says of a payee before it is paid. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Active: TypeAlias = Literal["yes", "no", "could_not_check"]
"""Three answers: an outage is never a no."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Can the number be paid, and whose is it, as far as MTN told."""

    active: Active
    given_name: str | None = field(default=None, repr=False)
    family_name: str | None = field(default=None, repr=False)

    @property
    def is_worth_keeping(self) -> bool:
        """Tell whether the answer serves the next batch: a yes without a name may be an outage."""
        named = bool(self.given_name or self.family_name)
        return self.active == "no" or (self.active == "yes" and named)
