"""`momo batch template` and `check`: what finance staff do first, without any account."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from momokit.cli.batch_show import money
from momokit.cli.command import Command
from momokit.cli.exits import OK, PROBLEMS_FOUND
from momokit.cli.gateway_http import GatewayClient, gateway_options
from momokit.cli.options import language_option
from momokit.cli.output import facts, give, table
from momokit.cli.session import Session, session
from momokit.errors import ConfigurationError, InvalidInput

if TYPE_CHECKING:
    from momokit.gateway.core.batch_findings import Finding
    from momokit.gateway.core.batch_rows import CheckedRow
    from momokit.gateway.sheets.checking import FileCheck, FileSummary
    from momokit.market import Market

_SHOWN_ROWS = 50
format_option = click.option(
    "--format",
    "sheet_format",
    type=click.Choice(["csv", "xlsx"]),
    default="xlsx",
    show_default=True,
    help="What to write.",
)
out_option = click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Where to."
)


@click.command(
    cls=Command,
    examples=(
        "momo batch template --market uganda",
        "momo batch template --market cameroon --lang fr --format csv --out salaires.csv",
    ),
)
@format_option
@language_option
@out_option
@gateway_options
def template(
    sheet_format: str, language: str, out: Path | None, url: str | None, key: str | None
) -> int:
    """Write an empty file to fill in: headers, an example row, phone numbers as text.

    With --market it needs no gateway; without, the gateway writes it for your account's market.
    """
    here = session()
    target = out or Path(f"payments-{language}.{sheet_format}")
    named = _market_name(here)
    if named is None:
        given = {"format": sheet_format, "language": language}
        gateway = GatewayClient(url, key)
        save(here, target, lambda f: gateway.download("/v1/batches/template", f, **given))
        return OK
    from momokit.gateway.sheets.batch_sheets import write_template
    from momokit.gateway.sheets.writing import check_format

    def write(stream: BinaryIO) -> None:
        write_template(
            stream, sheet_format=check_format(sheet_format), market=named, language=language
        )

    save(here, target, write)
    return OK


@click.command(
    cls=Command,
    examples=(
        "momo batch check salaries.xlsx --market uganda",
        "momo batch check salaires.csv --market cameroon --lang fr --report controle.xlsx",
        "momo batch check salaries.xlsx --market ghana --max-amount 5000 --json",
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--currency", metavar="CODE", help="The market's own when left out.")
@click.option("--max-amount", metavar="AMOUNT", help="Refuse rows above it.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the file with what was found in each row (.xlsx or .csv).",
)
@language_option
def check(
    file: Path,
    currency: str | None,
    max_amount: str | None,
    report: Path | None,
    language: str,
) -> int:
    """Check a file of payments on this machine; nothing leaves it.

    Reads CSV and XLSX as spreadsheets leave them. Exits with 8 when something must be corrected.
    Whether accounts are active, and whose they are, only the gateway can ask: see `momo batch
    upload`.
    """
    here = session()
    found = _Findings()
    checked, market = _open(here, file, currency, max_amount)
    with _reported(report, checked, found, language=language):
        for row in checked:
            found.add(row)
    _show(here, checked, found, market, language=language)
    is_wrong = bool(checked.summary.counts.get("error"))
    if report is not None and not here.as_json:
        give(here, None, f"The report is in {report}.")
    return PROBLEMS_FOUND if is_wrong else OK


def _market_name(here: Session) -> str | None:
    return here.market or os.environ.get("MOMO_MARKET") or None


def _open(
    here: Session, file: Path, currency: str | None, max_amount: str | None
) -> tuple[FileCheck, Market]:
    from momokit.gateway.core.batch_rows import Rules
    from momokit.gateway.sheets.checking import FileCheck
    from momokit.gateway.sheets.networks import guess_network
    from momokit.market import market as find_market
    from momokit.money import Money

    name = _market_name(here)
    if name is None:
        raise ConfigurationError(
            "For which market?",
            field="market",
            hint="Add --market, for example --market uganda, or set MOMO_MARKET.",
        )
    market = find_market(name)
    chosen = currency or market.currency
    if chosen not in market.currencies:
        hint = f"Paid there: {', '.join(market.currencies)}."
        raise InvalidInput(f"{chosen} is not paid in {name}.", field="currency", hint=hint)
    limit = Money(max_amount, chosen).amount if max_amount else None
    rules = Rules(market=market, currency=chosen, max_amount=limit, network=guess_network)
    return FileCheck(file, filename=file.name, rules=rules), market


class _Findings:
    """Keeps what is shown, the grave before the slight; a report of all rows is another thing."""

    def __init__(self) -> None:
        self.grave: list[tuple[int, Finding]] = []
        self.slight: list[tuple[int, Finding]] = []
        self.count = 0
        self.kept: list[CheckedRow] | None = None

    def add(self, row: CheckedRow) -> None:
        """Take in a row."""
        if self.kept is not None:
            self.kept.append(row)
        for one in row.findings:
            self.count += 1
            rows = self.slight if one.severity == "warning" else self.grave
            if len(rows) < _SHOWN_ROWS:
                rows.append((row.number, one))

    @property
    def shown(self) -> list[tuple[int, Finding]]:
        """What there is room for."""
        order = ("error", "override", "warning")
        grave = sorted(self.grave, key=lambda one: order.index(one[1].severity))
        return [*grave, *self.slight][:_SHOWN_ROWS]

    @property
    def left_out(self) -> int:
        """How many more there are."""
        return self.count - len(self.shown)


@contextmanager
def _reported(
    report: Path | None, checked: FileCheck, found: _Findings, *, language: str
) -> Iterator[None]:
    if report is None:
        yield
        return
    from momokit.gateway.sheets.batch_sheets import ReportRow, write_report
    from momokit.gateway.sheets.writing import check_format

    sheet_format = check_format(report.suffix.lstrip(".").lower())
    found.kept = []
    yield
    rows = (ReportRow(cells=one.row.cells, findings=one.findings) for one in found.kept)
    with new_file(report) as stream:
        write_report(
            stream, sheet_format=sheet_format, columns=checked.columns, rows=rows,
            language=language,
        )  # fmt: skip


def _show(
    here: Session, checked: FileCheck, found: _Findings, market: Market, *, language: str
) -> None:
    summary = checked.summary
    if here.as_json:
        give(here, _data(checked, found, market, language=language))
        return
    columns = ", ".join(f"{c.shown} = {c.role}" for c in checked.columns if c.role != "other")
    counts = summary.counts
    told = {
        "rows": f"{summary.rows}, of which {summary.payable_rows} can be paid",
        "to pay": money(_plain(summary.amount), summary.currency),
        "columns": columns,
        "to correct": str(counts.get("error", 0)),
        "to be allowed": str(counts.get("override", 0)),
        "to look at": str(counts.get("warning", 0)),
    }
    give(here, None, *facts(told))
    for note in checked.notes:
        give(here, None, f"note: {note.in_language(language)}")
    drawn = _drawn(summary, found, language=language)
    if drawn:
        give(here, None, "")
        table(here, ("weight", "row", "column", "what, and what to do"), drawn)
    if found.left_out:
        give(here, None, f"… and {found.left_out} more; --report FILE has them all.")


def _drawn(summary: FileSummary, found: _Findings, *, language: str) -> list[tuple[str, ...]]:
    everything = [("file", one) for one in summary.findings]
    everything += [(str(number), one) for number, one in found.shown]
    return [
        (str(one.severity), where, one.column, one.words.in_language(language))
        for where, one in everything
    ]


def _data(checked: FileCheck, found: _Findings, market: Market, *, language: str) -> dict[str, Any]:
    summary = checked.summary

    def finding(where: int | None, one: Finding) -> dict[str, Any]:
        said = one.words.in_language(language)
        return {"row": where, **one.stored(), "text": said}

    return {
        "market": market.name,
        "currency": summary.currency,
        "rows": summary.rows,
        "payable_rows": summary.payable_rows,
        "amount": _plain(summary.amount),
        "header_row": checked.header_row,
        "columns": {c.shown: c.role for c in checked.columns},
        "counts": dict(summary.counts),
        "notes": [note.in_language(language) for note in checked.notes],
        "findings": [
            *(finding(None, one) for one in summary.findings),
            *(finding(number, one) for number, one in found.shown),
        ],
        "left_out": found.left_out,
        "content_hash": summary.content_hash,
    }


def _plain(amount: Decimal) -> str:
    return format(amount, "f")


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Make a file that only its owner may read; an existing one is not written over."""
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        hint = "Name another with --out, or move it away."
        raise InvalidInput(f"{path} exists already.", field="file", hint=hint) from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.", field="file") from None
    try:
        with path.open("wb") as stream:
            yield stream
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def save(here: Session, path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a new file and say where it is."""
    with new_file(path) as stream:
        write(stream)
    give(here, {"file": str(path), "bytes": path.stat().st_size}, f"Written to {path}.")
