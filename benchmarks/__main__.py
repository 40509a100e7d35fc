"""Run the benchmarks and print their tables: `python -m benchmarks [part …] [--quick] [--write]`.

Parts: cost, imports, emulator, reconciliation, behaviour, gateway; all of them when none is named.
The gateway has parts of its own, named after it: settled, open, million, callbacks, accept.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from benchmarks import behaviour, cost, emulator_rate, gateway, imports, pages, reconciliation
from benchmarks.servers import cores, on_core, process


@dataclass(frozen=True, slots=True)
class Size:
    """How much is run: enough for figures to keep, or for a first look."""

    calls: int
    rounds: int
    starts: int
    requests: int
    quick: bool


_FULL = Size(calls=800, rounds=5, starts=15, requests=5000, quick=False)
_QUICK = Size(calls=60, rounds=2, starts=1, requests=500, quick=True)


def _cost(size: Size) -> Iterator[str]:
    caller, server = cores()
    effort = cost.Effort(calls=size.calls, rounds=size.rounds)
    paying = ("request to pay",)
    with process("benchmarks.canned", core=server) as place, on_core(caller):
        for found in cost.compare_blocking(place.base_url, effort):
            yield found.table()
        for found in cost.compare_async(place.base_url, effort):
            yield found.table()
        for found in cost.compare_threads(place.base_url, replace(effort, works=paying)):
            yield found.table()
    against = cost.Effort(
        calls=size.calls // 2, rounds=size.rounds, works=paying, against=", emulator"
    )
    with process("benchmarks.emulated", core=server) as place, on_core(caller):
        for found in cost.compare_blocking(place.base_url, against):
            yield found.table()
        for found in cost.compare_async(place.base_url, against):
            yield found.table()


def _imports(size: Size) -> Iterator[str]:
    yield imports.table(imports.measure(rounds=size.starts))


def _emulator(size: Size) -> Iterator[str]:
    yield emulator_rate.table(emulator_rate.measure(requests=size.requests, rounds=size.rounds))


def _reconciliation(size: Size) -> Iterator[str]:
    yield reconciliation.table(reconciliation.measure(rows=20_000 if size.quick else 1_000_000))


_FIGURES: dict[str, Callable[[Size], Iterator[str]]] = {
    "cost": _cost,
    "imports": _imports,
    "emulator": _emulator,
    "reconciliation": _reconciliation,
}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = [*_FIGURES, "behaviour", "gateway"]
    parser.add_argument("part", nargs="*", help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help="a short run, for a first look")
    parser.add_argument("--write", action="store_true", help="write the pages in docs/explanation")
    asked = parser.parse_args()
    for unknown in set(asked.part) - {*known, *gateway.PARTS}:
        parser.error(f"there is no part {unknown!r}; there are {', '.join(known)}")
    parts = asked.part or known
    write = asked.write and not asked.quick
    print(pages.versions(), end="\n\n")
    for name in (part for part in _FIGURES if part in parts):
        _show(name, _FIGURES[name](_QUICK if asked.quick else _FULL), write=write)
    if "behaviour" in parts:
        _behave(quick=asked.quick, write=write)
    if "gateway" in parts:
        inner = [part for part in gateway.PARTS if part in parts] or list(gateway.PARTS)
        for name in inner:
            tables = gateway.tables_of(name, quick=asked.quick)
            _show(f"gateway {name}", tables, write=write)


def _show(name: str, tables: Iterable[str], *, write: bool) -> None:
    shown = []
    for table in tables:
        print(table, end="\n\n", flush=True)
        shown.append(table)
    if write:
        print(f"written: {pages.write_figures(name, shown)}\n")


def _behave(*, quick: bool, write: bool) -> None:
    found = behaviour.everything(quick=quick)
    for case, seen in found:
        print(f"{case.name}: {case.story}\n\n{behaviour.table(case, seen)}\n", flush=True)
    if write:
        print(f"written: {pages.write_behaviour(found)}")


if __name__ == "__main__":
    main()
