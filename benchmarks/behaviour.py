"""What happens to the money when things go wrong, with momokit and with two other packages.

Every case runs over real sockets against the emulator, once for each usage of each library, on a
fresh emulator each time. `python -m benchmarks behaviour --write` writes the page in docs.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.cases import CASES, POST, TOKEN, Case
from benchmarks.libraries import PLAIN, USAGES, Account, Calls, Usage
from benchmarks.tables import markdown
from momokit.emulator import Emulator, EmulatorSettings, running

CROWD = 20
ORDER = "order-1042"
_MARKETS = {"mtnuganda": "uganda", "mtncameroon": "cameroon", "mtnghana": "ghana"}
_OURS = ("momokit", "momo_api", "mtnmomo", "builtins")


@dataclass(slots=True)
class Seen:
    """What was seen of one case with one usage."""

    usage: Usage
    told: list[str] = field(default_factory=list)
    """What the caller got, call by call."""
    id_known: bool = True
    posts: int = 0
    moved: int = 0
    tokens: int = 0


def observe(case: Case) -> list[Seen]:
    """Run one case with every usage for which it makes a difference."""
    chosen = USAGES if case.kind in ("pay", "twice") else PLAIN
    logging.getLogger("momokit").setLevel(logging.ERROR)
    return [_observe(case, usage) for usage in chosen]


def everything(*, quick: bool) -> list[tuple[Case, list[Seen]]]:
    """Run all cases, or a few of them."""
    return [(case, observe(case)) for case in (CASES[::7] if quick else CASES)]


def table(case: Case, seen: Sequence[Seen]) -> str:
    """Write one case down as a table."""
    made = "payments made" if case.right is None else f"payments made (right: {case.right})"
    more = {
        "pay": ["reference id known", made],
        "twice": [made],
        "crowd": ["tokens fetched", made],
        "value": ["POSTs sent", made],
        "status": [],
    }[case.kind]
    how = ["used"] if case.kind in ("pay", "twice") else []
    heads = ["library", *how, "what the caller got", *more]
    return markdown(heads, [_row(case, each) for each in seen], numbers=False)


def summary(found: Sequence[tuple[Case, Sequence[Seen]]]) -> str:
    """Count, for each usage, how the cases ended in which something was paid for once."""
    tried = [(case, seen) for case, seen in found if case.kind in ("pay", "twice")]
    rows = []
    for usage in USAGES:
        mine = [(case, each) for case, seen in tried for each in seen if each.usage is usage]
        too_often = sum(each.moved > (case.right or 0) for case, each in mine)
        never = sum(each.moved < (case.right or 0) for case, each in mine)
        at_once = sum(each.told == ["accepted"] for case, each in mine if case.kind == "pay")
        lost = sum(not each.id_known for _, each in mine)
        counts = [str(count) for count in (at_once, too_often, never, lost)]
        rows.append([usage.library, usage.how, *counts])
    heads = ["library", "used", "overcome by the library", "paid twice", "not paid", "id lost"]
    return markdown(heads, rows, numbers=False)


def _row(case: Case, seen: Seen) -> list[str]:
    told = "; then ".join(seen.told) if case.kind != "crowd" else ", ".join(seen.told)
    moved = str(seen.moved) if case.right in (None, seen.moved) else f"**{seen.moved}**"
    more = {
        "pay": ["yes" if seen.id_known else "**no**", moved],
        "twice": [moved],
        "crowd": [str(seen.tokens), moved],
        "value": [str(seen.posts), moved],
        "status": [],
    }[case.kind]
    how = [seen.usage.how] if case.kind in ("pay", "twice") else []
    return [seen.usage.library, *how, told, *more]


@contextmanager
def _account(case: Case) -> Iterator[tuple[Emulator, Account]]:
    emulator = Emulator(EmulatorSettings(market=case.market))
    made = emulator.provision()
    with running(emulator) as server:
        yield (
            emulator,
            Account(
                base_url=server.base_url,
                target_environment=case.market,
                market=_MARKETS[case.market],
                currency=made.currency,
                api_user=made.api_user,
                api_key=made.api_key,
                subscription_key=made.subscription_key,
            ),
        )


def _observe(case: Case, usage: Usage) -> Seen:
    seen = Seen(usage)
    follow = {"pay": _pay, "twice": _twice, "crowd": _crowd, "value": _value, "status": _ask}
    with _account(case) as (emulator, account):
        with usage.open(account) as calls:
            follow[case.kind](case, calls, seen, emulator)
        history = emulator.history
        seen.posts = sum(entry.operation == POST for entry in history)
        seen.tokens = sum(entry.operation == TOKEN for entry in history)
        seen.moved = sum(len(movements) for movements in emulator.state.movements.values())
    return seen


def _pay(case: Case, calls: Calls, seen: Seen, emulator: Emulator) -> None:
    """Pay; after an error, do what a caller does then."""
    if case.paid_before:
        calls.pay(case.amount, case.payer, "order-1041")
    case.arrange(emulator)
    try:
        calls.pay(case.amount, case.payer, ORDER)
    except Exception as error:
        seen.told.append(_name(error))
        seen.id_known = seen.usage.own_id or bool(getattr(error, "reference_id", None))
        case.relief(emulator)
        try:
            calls.again(case.amount, case.payer, ORDER, error)
        except Exception as second:
            seen.told.append(_name(second))
        else:
            seen.told.append("accepted")
    else:
        seen.told.append("accepted")


def _twice(case: Case, calls: Calls, seen: Seen, emulator: Emulator) -> None:
    """Make the same call twice."""
    case.arrange(emulator)
    for _ in range(2):
        try:
            calls.pay(case.amount, case.payer, ORDER)
        except Exception as error:
            seen.told.append(_name(error))
        else:
            seen.told.append("accepted")


def _crowd(case: Case, calls: Calls, seen: Seen, emulator: Emulator) -> None:
    """Make many first calls at the same moment, from threads."""
    case.arrange(emulator)
    start = threading.Barrier(CROWD)

    def one(number: int) -> str:
        start.wait()
        try:
            calls.pay(case.amount, case.payer, f"order-{number}")
        except Exception as error:
            return _name(error)
        return "accepted"

    with ThreadPoolExecutor(CROWD) as pool:
        told = list(pool.map(one, range(CROWD)))
    seen.told = [f"{told.count(word)} × {word}" for word in sorted(set(told))]


def _value(case: Case, calls: Calls, seen: Seen, emulator: Emulator) -> None:
    """Pay with a value that may not be right; if it was accepted, see what became of it."""
    case.arrange(emulator)
    try:
        reference_id = calls.pay(case.amount, case.payer, ORDER)
    except Exception as error:
        seen.told.append(_name(error))
        return
    seen.told.append("accepted")
    _read_status(reference_id, calls, seen)


def _ask(case: Case, calls: Calls, seen: Seen, emulator: Emulator) -> None:
    """Pay, and ask how it stands."""
    case.prepare(emulator)
    reference_id = calls.pay(case.amount, case.payer, ORDER)
    case.arrange(emulator)
    _read_status(reference_id, calls, seen)


def _read_status(reference_id: str, calls: Calls, seen: Seen) -> None:
    try:
        seen.told.append(calls.status(reference_id))
    except Exception as error:
        seen.told.append(_name(error))


def _name(error: Exception) -> str:
    kind = type(error)
    home = kind.__module__.split(".")[0]
    return f"`{kind.__name__}`" if home in _OURS else f"`{home}.{kind.__name__}`"
