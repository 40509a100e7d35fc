"""What a worker hears of its lanes: failures in a row shut one, the answer to a probe opens it.

The worker counts by itself; what it concludes is written to the database, where all workers see it.
Nothing here may keep a payment from being recorded: it speaks up after that, and its own failures
are logged and no more.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import Protocol

from momokit.gateway.core.breaker import Tally, answered, count
from momokit.gateway.core.facts import Fact
from momokit.gateway.core.outgoing import Outgoing
from momokit.gateway.core.payment import Work
from momokit.gateway.store.lanes import LaneKey, end_probe, shut_lane
from momokit.gateway.store.records import Claimed
from momokit.gateway.store.store import Store

log = logging.getLogger("momokit.gateway")


class Result(Protocol):
    """What a call to MTN told, as the provider puts it."""

    @property
    def fact(self) -> Fact:
        """What was learned about the payment."""

    @property
    def lane_stop(self) -> str | None:
        """What of the account's settings stops its lane, if anything."""


class Lanes:
    """Hears every result of this process. `chance` and `clock` are a test's to give."""

    def __init__(
        self,
        store: Store,
        *,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._chance = chance
        self._clock = clock
        self._tallies: dict[LaneKey, Tally] = {}
        self._to_shut: set[LaneKey] = set()
        self._probes: dict[str, bool | None] = {}

    def heard(self, outgoing: Outgoing, work: Work, learned: Result) -> None:
        """Note what one call told; it is concluded from when its payment is recorded."""
        said = answered(learned.fact, lane_stop=learned.lane_stop)
        if said is None:
            return
        key = LaneKey(account_id=outgoing.account_id, product=outgoing.product, work=work)
        tally = count(self._tallies.get(key, Tally()), answered=said, now=self._clock())
        if tally.failures:
            self._tallies[key] = tally
        else:
            self._tallies.pop(key, None)
        if tally.shuts:
            self._to_shut.add(key)
        if outgoing.reference_id in self._probes:
            self._probes[outgoing.reference_id] = said

    def begins(self, claimed: Claimed) -> None:
        """Note that work at a payment begins; one in a lane that is shut is its probe."""
        if claimed.lane_opened_at is not None:
            self._probes[claimed.request.reference_id] = None

    async def ended(self, claimed: Claimed) -> None:
        """Write what follows from the calls so far. Never raises."""
        said = self._probes.pop(claimed.request.reference_id, None)
        try:
            await self._conclude(claimed, said)
        except Exception:
            # The lane stays as it was; the next call tells the same again.
            log.exception("a lane's state could not be written")

    async def _conclude(self, claimed: Claimed, said: bool | None) -> None:
        opened_at = claimed.lane_opened_at
        if opened_at is not None:
            key = LaneKey(
                account_id=claimed.account_id, product=claimed.request.product, work=claimed.work
            )
            opened = await self._store.write(
                lambda t: end_probe(
                    t, key, opened_at=opened_at, answered=said, chance=self._chance()
                )
            )
            if opened:
                log.warning("a lane is open again", extra=_about(key))
        while self._to_shut:
            key = self._to_shut.pop()
            self._tallies.pop(key, None)
            if await self._store.write(lambda t: shut_lane(t, key, chance=self._chance())):  # noqa: B023
                log.error("a lane is shut: MTN does not answer", extra=_about(key))


def _about(key: LaneKey) -> dict[str, str]:
    return {"account_id": key.account_id, "product": key.product, "work": key.work.value}
