"""Run the benchmarks and print their tables: `python -m benchmarks [part …] [--quick] [--write]`.

Parts: cost, imports, emulator, behaviour; all of them when none is named.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from benchmarks import behaviour, cost, emulator_rate, imports, pages
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


_FIGURES: dict[str, Callable[[Size], Iterator[str]]] = {
    "cost": _cost,
    "imports": _imports,
    "emulator": _emulator,
}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("part", nargs="*", help="cost, imports, emulator or behaviour")
    parser.add_argument("--quick", action="store_true", help="a short run, for a first look")
    parser.add_argument("--write", action="store_true", help="write the pages in docs/explanation")
    asked = parser.parse_args()
    known = [*_FIGURES, "behaviour"]
    for unknown in set(asked.part) - set(known):
        parser.error(f"there is no part {unknown!r}; there are {', '.join(known)}")
    parts = asked.part or known
    size = _QUICK if asked.quick else _FULL
    print(pages.versions(), end="\n\n")
    for name in (part for part in _FIGURES if part in parts):
        tables = []
        for table in _FIGURES[name](size):
            print(table, end="\n\n", flush=True)
            tables.append(table)
        if asked.write and not asked.quick:
            print(f"written: {pages.write_figures(name, tables)}\n")
    if "behaviour" in parts:
        _behave(quick=asked.quick, write=asked.write)


def _behave(*, quick: bool, write: bool) -> None:
    found = behaviour.everything(quick=quick)
    for case, seen in found:
        print(f"{case.name}: {case.story}\n\n{behaviour.table(case, seen)}\n", flush=True)
    if write and not quick:
        print(f"written: {pages.write_behaviour(found)}")


if __name__ == "__main__":
    main()
