"""The faults that are switched on: whom they meet, how often, and in what order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from .fault_names import FAULTS, UnknownFault, check_fault, parse_faults

__all__ = ["Fault", "Faults", "Target", "UnknownFault"]


class Target(msgspec.Struct):
    """The request a fault may take hold of, as much as is known of it so far."""

    method: str
    path: str
    operation: str = ""
    kind: str = ""
    product: str = ""
    identifier: str = ""
    reference_id: str = ""
    own: list[tuple[str, dict[str, Any]]] = []
    """Faults for this request alone, from its header or from a script."""
    applied: list[str] = []


class Fault(msgspec.Struct, kw_only=True):
    """One fault that is switched on, with whom it meets and what triggers it."""

    number: int
    name: str
    parameters: dict[str, Any]
    operation: str = ""
    path: str = ""
    method: str = ""
    product: str = ""
    identifier: str = ""
    reference_id: str = ""
    times: int | None = None
    rate: float | None = None
    script: list[Any] | None = None
    taken: int = 0
    added_at: float = 0.0
    window: tuple[int, int] = (0, 0)

    def meets(self, target: Target) -> bool:
        """Whether this fault is about such a request."""
        if self.operation:
            if self.operation.lower() != target.operation.lower():
                return False
        elif self.name != "script" and not self.path and target.kind not in FAULTS[self.name].kinds:
            return False
        return (
            (not self.path or target.path.startswith(self.path))
            and self.method in ("", target.method)
            and self.product in ("", target.product)
            and self.identifier in ("", target.identifier)
            and self.reference_id in ("", target.reference_id)
        )


class Faults:
    """Switches faults on and off, and decides for each request which ones it meets."""

    def __init__(self, *, chance: random.Random, now: Callable[[], float]) -> None:
        self._chance = chance
        self._now = now
        self._on: list[Fault] = []
        self._number = 0
        self.operations: tuple[str, ...] = ()
        """The operation ids there are, so that a misspelt one is refused; any when empty."""

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._on))

    @property
    def active(self) -> bool:
        """Whether any fault is switched on."""
        return bool(self._on)

    @property
    def wants_identifier(self) -> bool:
        """Whether some fault asks for a party, so that the body must be read early."""
        return any(fault.identifier for fault in self._on)

    def add(
        self,
        name: str,
        *,
        operation: str = "",
        path: str = "",
        method: str = "",
        product: str = "",
        identifier: str = "",
        reference_id: str = "",
        times: int | None = None,
        rate: float | None = None,
        script: Sequence[bool] | None = None,
        **parameters: Any,
    ) -> Fault:
        """Switch a fault on for the requests that match.

        `operation` is MTN's operation id, `path` the beginning of a path. Trigger: the next
        `times`, or a share `rate` of them by seeded chance, or a `script` of true and false
        consumed in order; every time when none is given.
        Raises UnknownFault (a ValueError) for a name or parameter that does not exist.
        """
        if rate is not None and not 0 <= rate <= 1:
            raise UnknownFault("rate is a share between 0 and 1")
        if times is not None and times < 1:
            raise UnknownFault("times is at least 1")
        if name == "401_random" and times is None and rate is None and script is None:
            rate = 0.1
        return self._switch_on(
            Fault(
                number=0,
                name=name,
                parameters=check_fault(name, parameters),
                operation=operation,
                path=path,
                method=method,
                product=product,
                identifier=identifier,
                reference_id=reference_id.lower(),
                times=times,
                rate=rate,
                script=None if script is None else [bool(step) for step in script],
            )
        )

    def script(
        self,
        steps: Iterable[str],
        *,
        operation: str = "",
        path: str = "",
        method: str = "",
        product: str = "",
        reference_id: str = "",
    ) -> Fault:
        """Let the next matching requests meet these faults in turn; an empty step is no fault.

        Each step is written as in the header: `drop_response` or `status(503); delay(1)`.
        Raises UnknownFault when a step cannot be read.
        """
        return self._switch_on(
            Fault(
                number=0,
                name="script",
                parameters={},
                operation=operation,
                path=path,
                method=method,
                product=product,
                reference_id=reference_id.lower(),
                script=[parse_faults(step) for step in steps],
            )
        )

    def remove(self, number: int) -> bool:
        """Switch off the fault with this number; says whether there was one."""
        before = len(self._on)
        self._on = [fault for fault in self._on if fault.number != number]
        return len(self._on) != before

    def clear(self) -> None:
        """Switch every fault off."""
        self._on.clear()

    def begin(self, target: Target) -> None:
        """Give a request the faults of the next step of every script about it."""
        for fault in tuple(self._on):
            if fault.name == "script" and fault.script is not None and fault.meets(target):
                target.own = [*target.own, *fault.script.pop(0)]
                self._count(fault)

    def take(self, name: str, target: Target) -> dict[str, Any] | None:
        """Say whether a request meets this fault now, and with which parameters."""
        for index, (own, parameters) in enumerate(target.own):
            if own == name:
                target.own = [*target.own[:index], *target.own[index + 1 :]]
                target.applied = [*target.applied, name]
                return parameters
        for fault in tuple(self._on):
            if fault.name == name and fault.meets(target) and self._triggers(fault):
                target.applied = [*target.applied, name]
                return fault.parameters
        return None

    def _switch_on(self, fault: Fault) -> Fault:
        known = [name.lower() for name in self.operations]
        if fault.operation and known and fault.operation.lower() not in known:
            there = ", ".join(self.operations)
            raise UnknownFault(f"unknown operation {fault.operation!r}; there are {there}")
        self._number += 1
        fault.number = self._number
        fault.added_at = self._now()
        self._on.append(fault)
        return fault

    def _triggers(self, fault: Fault) -> bool:
        window_seconds = fault.parameters["seconds"] if fault.name == "maintenance_window" else None
        if window_seconds is not None and self._now() >= fault.added_at + window_seconds:
            self._on.remove(fault)
            return False
        if fault.name == "429":
            second = int(self._now())
            seen = fault.window[1] + 1 if fault.window[0] == second else 1
            fault.window = (second, seen)
            if seen <= fault.parameters["per_second"]:
                return False
        if fault.script is not None:
            now = fault.script.pop(0) if fault.script else False
            self._count(fault)
            return bool(now)
        if fault.rate is not None and self._chance.random() >= fault.rate:
            return False
        self._count(fault)
        return True

    def _count(self, fault: Fault) -> None:
        fault.taken += 1
        over = fault.times is not None and fault.taken >= fault.times
        if over or (fault.script is not None and not fault.script):
            self._on = [other for other in self._on if other is not fault]
