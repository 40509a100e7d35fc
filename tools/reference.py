"""Write the reference pages in docs/reference from the code, or check that they are fresh.

    python tools/reference.py            write the pages
    python tools/reference.py --check    exit 1 when a page is not what would be written

The code is the source of every table here, so that no page can promise what is not there.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from momokit import errors
from momokit._async.account import AsyncAccount
from momokit._async.client import AsyncClient
from momokit._async.collection import AsyncCollection
from momokit._async.disbursement import AsyncDisbursement
from momokit._async.remittance import AsyncRemittance
from momokit._async.sandbox import AsyncSandbox
from momokit.cli.exits import EXIT_CODES
from momokit.cli.group import momo
from momokit.emulator.control import Control
from momokit.emulator.fault_names import FAULTS
from momokit.emulator.scenarios import PUBLISHED
from momokit.emulator.settings import describe_settings
from momokit.gateway.api.problems import CODES
from momokit.gateway.keys import SCOPES
from momokit.gateway.settings import VARIABLES as GATEWAY_VARIABLES
from momokit.market import MARKETS
from momokit.reasons import REASONS
from momokit.settings import VARIABLES

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
NOTE = "<!-- Written by tools/reference.py from the code. Do not edit here. -->\n"


def main(arguments: list[str]) -> int:
    """Write or check all pages; the exit status says whether they are fresh."""
    stale = []
    for name, write in WRITERS.items():
        path = PAGES / f"{name}.md"
        text = NOTE + "\n" + write().strip() + "\n"
        if "--check" in arguments:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(path.relative_to(ROOT))
        else:
            PAGES.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for page in stale:
        print(f"{page} is stale: run python tools/reference.py", file=sys.stderr)
    return 1 if stale else 0


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Lay out a Markdown table."""
    names = list(head)
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(cell: object) -> str:
    return " ".join(str(cell).replace("|", "\\|").split())


def client_page() -> str:
    """Every method of the client with MTN's name for it."""
    parts = [
        "# The client's methods\n",
        "`Client` blocks; `AsyncClient` has the same methods to be awaited. Both give the"
        " products as"
        " attributes. What each method takes, gives and raises stands in its docstring.\n",
        "Every method that submits something also takes, by keyword: `reference_id` or"
        " `idempotency_key`, `external_id`, `callback_url`, `clean_notes`.\n",
    ]
    for title, cls in (
        ("client", AsyncClient),
        ("client.collection", AsyncCollection),
        ("client.disbursement", AsyncDisbursement),
        ("client.remittance", AsyncRemittance),
        ("client.collection, client.disbursement and client.remittance", AsyncAccount),
        ("client.sandbox", AsyncSandbox),
    ):
        rows = [
            (f"`{name}`", _mtn_name(text), _first_sentence(text))
            for name, member in vars(cls).items()
            if not name.startswith("_") and inspect.isfunction(member)
            for text in (inspect.getdoc(member) or "",)
        ]
        parts.append(f"## {title}\n\n" + table(("Method", "MTN's operation", "What for"), rows))
    return "\n".join(parts)


def _mtn_name(text: str) -> str:
    found = re.search(r"\(MTN:\s+([^)]*)\)", text)
    return " ".join(found.group(1).rstrip(".").split()) if found else ""


def _first_sentence(text: str) -> str:
    text = re.sub(r"\s*\(MTN:[^)]*\)", "", text)
    return " ".join(text.split("\n\n")[0].split())


def settings_page() -> str:
    """Environment variables, and the same settings as arguments."""
    rows = [(f"`{name}`", what) for name, what in VARIABLES.items()]
    return (
        "# Settings of the client\n\n"
        "A client takes its settings as arguments (`Client(market=…)`), from the environment"
        " (`Client.from_env()`) or from a file (`Client.from_file(path)`: TOML or JSON with"
        " the names of"
        " `momokit.Settings`, or lines `NAME=value` with the names below). Settings that do not fit"
        " together are refused when the client is made, with the reason.\n\n"
        + table(("Variable", "What for"), rows)
        + "\nThe command reads three more: `MOMO_CONFIG` (a file to take the settings from, as with"
        " `--config`), `MOMO_CONSENT_TOKEN` (the token of a consent, kept off the"
        " command line) and `MOMO_TRACEBACK=1` (show where an unexpected error came from).\n"
    )


def errors_page() -> str:
    """The tree of errors, and each one's own words."""
    told = inspect.getdoc(errors) or ""
    tree = told.split("\n\n")
    rows = [
        (
            f"`{name}`",
            "yes" if cls.retry_is_safe else "**no**",
            _first_sentence(inspect.getdoc(cls) or ""),
        )
        for name, cls in vars(errors).items()
        if inspect.isclass(cls) and issubclass(cls, errors.MomoError)
    ]
    return (
        "# Errors\n\n```\n"
        + tree[1]
        + "\n```\n\n"
        + "\n\n".join(tree[2:])
        + "\n\n"
        + table(("Error", "May the same be done again without paying twice?", "What it says"), rows)
        + "\nEvery `ProviderError` has `reference_id`, `operation` (MTN's name), `status`, `code`,"
        " `detail` and `attempts`. Branch on the class and the code, never on the wording.\n"
    )


def reasons_page() -> str:
    """MTN's codes: what happened, whose move it is, may it be tried again."""
    rows = [
        (
            f"`{reason.code}`",
            reason.who,
            reason.retry.value,
            reason.what.en,
            reason.what.fr,
            reason.remedy.en,
        )
        for reason in REASONS.values()
    ]
    return (
        "# MTN's codes\n\n"
        "The same code may come as an HTTP error or as the reason of a failed payment."
        " `momo explain CODE` tells it on the command line, `--lang fr` in French;"
        " `momokit.reasons.reason_of(code)` in a program.\n\n"
        + table(
            ("Code", "Whose move", "Try again", "What happened", "Ce qui s'est passé", "Remedy"),
            rows,
        )
    )


def markets_page() -> str:
    """The markets: names, currencies, numbers."""
    rows = [
        (
            f"`{market.name}`",
            market.country,
            f"`{market.target_environment}`",
            ", ".join(market.currencies),
            market.exponent,
            f"+{market.calling_code}" if market.calling_code else "any",
            " or ".join(map(str, market.national_lengths)) or "any",
            ", ".join(market.languages),
            market.note or ("" if market.confirmed else "unconfirmed"),
        )
        for market in MARKETS
    ]
    head = (
        "Market", "Country", "X-Target-Environment", "Currency", "Decimals", "Calling code",
        "National digits", "Languages", "Note",
    )  # fmt: skip
    return (
        '# Markets\n\n`market="uganda"` sets host, target environment, currency, decimals and'
        " numbering"
        " at once. Country codes (UG) and MTN's own names (mtnuganda) are understood too. A network"
        " prefix is a hint and never a reason to refuse: numbers are ported.\n\n"
        + table(head, rows)
    )


def emulator_page() -> str:
    """Switches, faults, control paths and test identifiers of the emulator."""
    switches = [(f"`{n}`", f"`{k}`", f"`{d}`", what) for n, k, d, what in describe_settings()]
    faults = [
        (
            f"`{name}`",
            ", ".join(f"`{k}={v!r}`" for k, v in fault.parameters.items()),
            fault.what,
        )
        for name, fault in FAULTS.items()
    ]
    identifiers = [
        (family, f"`{value}`", scenario)
        for family, rows in PUBLISHED.items()
        for value, scenario in rows.items()
    ]
    return (
        "# The emulator\n\n## Control paths\n\nAll under `/_emulator`, in JSON. A wrong name"
        " is answered"
        " with the right ones.\n\n"
        + table(("Path", "What for"), _control_rows())
        + "\n## Faults\n\nAdd one with `emulator.faults.add(name, …)`, by"
        " `POST /_emulator/faults`, or for a single request with the header"
        " `X-Emulator-Fault: name(arguments)`.\n\n"
        + table(("Fault", "Parameters", "What it does"), faults)
        + "\n## Switches\n\nGive them to `EmulatorSettings`, or change them by"
        " `PATCH /_emulator/settings`."
        " Where observers of MTN's service disagree, there is one.\n\n"
        + table(("Switch", "Type", "Default", "What it decides"), switches)
        + "\n## Test identifiers\n\nMTN's published ones. Any other number succeeds. MTN does"
        " not say which field carries the ids 1 to 13 of refunds and cash transfers; here"
        " it is `externalId`.\n\n" + table(("Operation", "Identifier", "Scenario"), identifiers)
    )


def _control_rows() -> list[tuple[str, str]]:
    source = ast.parse(inspect.getsource(Control).lstrip())
    keys = [
        node.value
        for node in ast.walk(source)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"(GET|POST|PATCH|DELETE) [a-z]+", node.value)
    ]
    rows = []
    for key in dict.fromkeys(keys):
        method, name = key.split()
        rows.append((f"`{method} /_emulator/{name}`", CONTROL_WORDS[key]))
    return rows


CONTROL_WORDS = {
    "GET health": "whether it is well, its market, clock and counts",
    "POST reset": "make everything new; `settings` changes switches on the way",
    "GET clock": "what time it is in the emulator",
    "POST clock": "`freeze` true or false, `advance_seconds`, `offset_seconds`, `at`",
    "GET settings": "every switch with its value, default and meaning",
    "PATCH settings": "change switches",
    "POST provision": "make an API user with key and subscription key, ready for use",
    "POST seed": "add API users and subscription keys of your own",
    "GET scenarios": "the scenarios that were set",
    "POST scenarios": "decide what becomes of payments of an identifier or an amount",
    "DELETE scenarios": "forget them",
    "GET faults": "the faults in force",
    "POST faults": "add a fault: name, parameters, what it matches, how often",
    "DELETE faults": "remove faults",
    "GET history": "every request, answer and callback; filters and pages",
    "GET payments": "every payment, or one by its reference id",
    "GET approvals": "what waits for a payer",
    "POST decide": "approve, decline or ignore in the payer's place",
    "GET money": "the truth: what money moved, how often, per reference id",
    "POST forge": "post a callback that MTN never sent",
    "GET balance": "what the merchant's wallet holds",
    "GET statement": "every movement of money as CSV, with the balance after each (`?currency=`)",
}


def command_page() -> str:
    """Every command with its help."""
    parts = [
        "# The command\n",
        "`momo` comes with `pip install 'momokit[cli]'`. Every command takes `--json` and"
        " says with its"
        " exit code how it ended.\n",
        table(("Exit code", "What it says"), EXIT_CODES.items()),
    ]
    context = click.Context(momo, info_name="momo", max_content_width=96, terminal_width=96)
    for path, command in _commands(momo, context, "momo"):
        inner = click.Context(command, info_name=path, max_content_width=96, terminal_width=96)
        parts.append(f"## {path}\n\n```text\n{_help(command, inner)}\n```\n")
    return "\n".join(parts)


def _help(command: click.Command, context: click.Context) -> str:
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def _commands(
    group: click.Group, context: click.Context, path: str
) -> Iterable[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command: Any = group.get_command(context, name)
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, context, f"{path} {name}")


def gateway_page() -> str:
    """Settings, scopes and problems of the gateway."""
    settings = [(f"`{name}`", what) for name, what in GATEWAY_VARIABLES.items()]
    scopes = [(f"`{name}`", what) for name, what in SCOPES.items()]
    problems = [(f"`{code}`", status, title, hint) for code, (status, title, hint) in CODES.items()]
    return (
        "# The gateway\n\nThe running gateway serves its whole API at `/openapi.json`,"
        " and as a page"
        " at `/docs`.\n\n## Settings\n\n"
        + table(("Variable", "What for"), settings)
        + "\n## Scopes of API keys\n\n"
        + table(("Scope", "What it allows"), scopes)
        + "\n## Problems\n\nAnswers that are errors follow RFC 9457. Branch on `code`.\n\n"
        + table(("Code", "HTTP status", "What", "What to do"), problems)
    )


WRITERS: dict[str, Callable[[], str]] = {
    "client": client_page,
    "command": command_page,
    "emulator": emulator_page,
    "errors": errors_page,
    "gateway": gateway_page,
    "markets": markets_page,
    "reasons": reasons_page,
    "settings": settings_page,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
