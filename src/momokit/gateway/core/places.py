"""Who may have how many places for webhooks: a dead endpoint keeps none from the others. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """How many places endpoints may take now: `each`, less what one has `taken` already.

    One that `failed` last has a single place, and all of those together have `for_failed`.
    """

    each: int
    taken: Mapping[str, int] = field(default_factory=dict)
    failed: frozenset[str] = frozenset()
    for_failed: int = 0

    def of(self, endpoint_id: str) -> int:
        """Say how many places an endpoint may take now."""
        most = 1 if endpoint_id in self.failed else self.each
        return max(0, most - self.taken.get(endpoint_id, 0))


class Places:
    """Counts who holds the places of one worker, and who failed last.

    Those who failed last hold at most half of all places, however many they are.
    """

    def __init__(self, *, total: int, each: int) -> None:
        self._total = total
        self._each = each
        self._taken: Counter[str] = Counter()
        self._failed: set[str] = set()

    def begins(self, endpoint_id: str) -> None:
        """Give a place to an endpoint."""
        self._taken[endpoint_id] += 1

    def ended(self, endpoint_id: str, *, delivered: bool) -> None:
        """Take the place back, and note how it went."""
        self._taken[endpoint_id] -= 1
        if not self._taken[endpoint_id]:
            del self._taken[endpoint_id]
        if delivered:
            self._failed.discard(endpoint_id)
        else:
            self._failed.add(endpoint_id)

    @property
    def is_idle(self) -> bool:
        """Tell whether nobody holds a place."""
        return not self._taken

    def room(self) -> Room:
        """Say what may be taken now, as a value for another thread."""
        failed = frozenset(self._failed)
        held = sum(taken for one, taken in self._taken.items() if one in failed)
        return Room(
            each=self._each,
            taken=dict(self._taken),
            failed=failed,
            for_failed=max(0, self._total // 2 - held),
        )
