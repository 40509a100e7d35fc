"""The kinds of things that can be submitted, each with MTN's names and the paths of its status."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from momokit.models import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One kind of submission. `name` is our word, `operation` and `status_operation` are MTN's."""

    name: str
    product: str
    operation: str
    path: str
    status_operation: str
    status_path: str
    model: type[Outcome]

    @property
    def url_path(self) -> str:
        """Where it is sent, below the host."""
        return f"/{self.product}{self.path}"

    def status_of(self, reference_id: str) -> str:
        """Where its status is read, below the host."""
        return f"/{self.product}{self.status_path}/{quote(reference_id, safe='')}"
