"""Write what was measured into the pages of the documentation."""

from __future__ import annotations

import datetime
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks import behaviour
from benchmarks.cases import Case

_DOCS = Path(__file__).resolve().parents[1] / "docs" / "explanation"
_BEGIN = "<!-- {part}: written by python -m benchmarks --write -->"
_END = "<!-- end of {part} -->"

_BEHAVIOUR = """\
# Behaviour under failure

What happens to the money when things go wrong? Each case below was run over real sockets against
the emulator of this project, with momokit and with two packages from PyPI that speak MTN's API,
each on a fresh emulator. Nothing in these tables was written by hand.

{made}

Run it yourself: `python -m benchmarks behaviour`, in an environment with the `bench` group
(`make bench` runs all benchmarks). `--write` renews this page.

## How to read it

- **Used** says what the caller does. *Plainly* is the first example of each library's
  documentation, and after an error the same call again with the same arguments. *Own id, asks
  before resending* is the recipe of mtn-momo-client's README ("Retrying without paying twice").
  *Own id* is the `reference_id` argument of mtnmomo-py, which its README does not mention.
  *`resolve()` after doubt* and *with an idempotency key* are momokit's two ways.
- **What the caller got** lists his calls in order: "accepted", or the class of the exception.
- **Reference id known** says whether the caller can ask MTN about the payment after the error:
  because he chose the id, or because the exception carries it.
- **Payments made** is the emulator's own count of money moved. Where it is not the right number it
  is set in bold.

All libraries have their default settings. mtnmomo-py takes the host as a setting.
mtn-momo-client's entry point knows MTN's hosts only, so its `CollectionApi` is made directly, with
the host as its argument; nothing else of it is touched. The emulator's answer stands for MTN's: to
fractions of a currency that has none and to numbers of another country, where MTN's own pages say
little, the real service may answer otherwise.

## In short

How the {count} cases ended in which a payment is sent and something then goes wrong, counted by
usage:

{summary}

*Overcome by the library*: the caller saw nothing of the trouble (a call that he himself repeats is
not among these). *Id lost*: after the error the
caller has no reference id to ask about.

"""

_AFTER = """\
## What these tables do not say

- momokit used plainly is no charm: when the line stays down until its attempts are used up, it
  raises `OutcomeUnknown`, and whoever then makes the same call again without a key pays twice. The
  exception carries the reference id, says so in its text, and has `resolve()`. A caller who repeats
  a call that succeeded pays twice with every library here, unless the call has a key or an id.
- mtn-momo-client used as its README says under "Retrying without paying twice" never pays twice
  here. It is the caller who makes and keeps the id, asks, and sends again.
- After a revoked token, both packages go on sending the one they hold until its hour is over.
  mtnmomo-py can be told to fetch another (`create_access_token(force_refresh=True)`).
- These are single faults, one at a time. They show what a library does, not how often the trouble
  comes.
"""


def versions() -> str:
    """Say what was run, when and on what."""
    names = ("momokit", "httpx2", "httpx", "mtn-momo-client", "mtnmomo-py")
    known = ", ".join(f"{name} {version(name)}" for name in names)
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    python = ".".join(map(str, sys.version_info[:3]))
    machine = f"{platform.python_implementation()} {python}, {platform.system()}"
    return f"Run on {day}: {known}; {machine} {platform.machine()}."


def write_behaviour(found: Sequence[tuple[Case, Sequence[behaviour.Seen]]]) -> Path:
    """Write the page about behaviour anew."""
    count = sum(case.kind in ("pay", "twice") for case, _ in found)
    head = _BEHAVIOUR.format(made=versions(), count=count, summary=behaviour.summary(found))
    parts = [head]
    for case, seen in found:
        parts.append(f"## {case.name}\n\n{case.story}\n\n{behaviour.table(case, seen)}\n\n")
    page = _DOCS / "behaviour-under-failure.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("".join(parts) + _AFTER, encoding="utf-8")
    return page


def write_figures(part: str, tables: Sequence[str]) -> Path:
    """Put tables in the place kept for a part on the page about benchmarks."""
    page = _DOCS / "benchmarks.md"
    text = page.read_text(encoding="utf-8")
    begin, end = _BEGIN.format(part=part), _END.format(part=part)
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"{page.name} has lost the marks between which {part} is written")
    figures = "\n\n".join((versions(), *tables))
    page.write_text(f"{before}{begin}\n\n{figures}\n\n{end}{after}", encoding="utf-8")
    return page
