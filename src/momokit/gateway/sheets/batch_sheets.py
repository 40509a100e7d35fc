"""The sheets of a batch: the template, the report before anything moves, and the results after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import BinaryIO

from momokit._reason_words import Words
from momokit.gateway.core.batch_file import Column, Role
from momokit.gateway.core.batch_findings import Finding, Severity
from momokit.gateway.core.batch_phones import example_number
from momokit.gateway.core.cells import Cell, CellKind
from momokit.gateway.core.state_words import say_state
from momokit.gateway.sheets.writing import SheetFormat, Value, write_table
from momokit.market import market as find_market
from momokit.reasons import reason_of


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultRow:
    """A row of the input with what became of it. `at` is ISO 8601; `state` is a payment's state.

    Rows that made no payment have `state` such as "excluded", "ready", "cancelled" or "".
    """

    cells: tuple[Cell, ...] = field(repr=False)
    state: str
    payment_id: str | None = None
    financial_transaction_id: str | None = None
    reason_code: str | None = None
    at: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportRow:
    """A row of the input with what the checks found."""

    cells: tuple[Cell, ...] = field(repr=False)
    findings: tuple[Finding, ...]
    is_excluded: bool = False


_RESULT_TITLES = (
    Words("Status", "Statut"),
    Words("MTN transaction id", "N° de transaction MTN"),
    Words("Reason", "Motif du résultat"),
    Words("Time (UTC)", "Heure (UTC)"),
    Words("Payment id", "N° de paiement"),
)
_REPORT_TITLES = (
    Words("Check", "Contrôle"),
    Words("What was found, and what to do", "Constat et marche à suivre"),
)
_VERDICTS = {
    Severity.ERROR: Words("to correct", "à corriger"),
    Severity.OVERRIDE: Words("to be allowed", "à autoriser"),
    Severity.WARNING: Words("please look", "à regarder"),
}
_FINE = Words("fine", "bon")
_EXCLUDED = Words("taken out", "retirée")
_SHEETS = {
    "results": Words("Results", "Résultats"),
    "report": Words("Checks", "Contrôles"),
    "template": Words("Payments", "Paiements"),
}
_TEMPLATE = (
    (Role.PHONE, Words("Phone number", "Numéro de téléphone")),
    (Role.NAME, Words("Name", "Nom et prénom")),
    (Role.AMOUNT, Words("Amount", "Montant")),
    (Role.REFERENCE, Words("Reference", "Référence")),
    (Role.NOTE, Words("Note", "Motif")),
)


def write_results(
    out: BinaryIO,
    *,
    sheet_format: SheetFormat,
    columns: Sequence[Column],
    rows: Iterable[ResultRow],
    language: str = "en",
) -> int:
    """For the result file: the input in its columns and order, and what became of each row."""

    def values() -> Iterator[list[Value]]:
        for row in rows:
            reason = ""
            if row.reason_code:
                what = reason_of(row.reason_code).what.in_language(language)
                reason = f"{what} ({row.reason_code})"
            yield [
                *_input(row.cells, columns),
                say_state(row.state, language=language),
                row.financial_transaction_id,
                reason,
                row.at,
                row.payment_id,
            ]

    return _write(out, sheet_format, columns, _RESULT_TITLES, values(), language, "results")


def write_report(
    out: BinaryIO,
    *,
    sheet_format: SheetFormat,
    columns: Sequence[Column],
    rows: Iterable[ReportRow],
    language: str = "en",
) -> int:
    """For the report before anything moves: the input, the verdict on each row and what to do."""

    def values() -> Iterator[list[Value]]:
        for row in rows:
            said = [_say(finding, language=language) for finding in _gravest_first(row.findings)]
            yield [*_input(row.cells, columns), _verdict(row, language=language), " ".join(said)]

    return _write(out, sheet_format, columns, _REPORT_TITLES, values(), language, "report")


def write_template(
    out: BinaryIO, *, sheet_format: SheetFormat, market: str, language: str = "en"
) -> None:
    """For filling in: headers in the language, an example row of the market, phones as text."""
    one = find_market(market)
    is_french = language.lower().startswith("fr")
    example: dict[Role, Value] = {
        Role.PHONE: example_number(one),
        Role.NAME: "Exemple : à remplacer" if is_french else "Example: replace me",
        Role.AMOUNT: Decimal("1500") if one.exponent == 0 else Decimal("1500.50"),
        Role.REFERENCE: "EMP-001",
        Role.NOTE: "Salaire mars" if is_french else "Salary March",
    }
    titles = [
        f"{title.in_language(language)} ({one.currency})"
        if role is Role.AMOUNT
        else title.in_language(language)
        for role, title in _TEMPLATE
    ]
    write_table(
        out,
        sheet_format=sheet_format,
        titles=titles,
        rows=[[example[role] for role, _ in _TEMPLATE]],
        language=language,
        sheet_name=_SHEETS["template"].in_language(language),
        text_columns=[n for n, (role, _) in enumerate(_TEMPLATE) if role is not Role.AMOUNT],
    )


def _write(
    out: BinaryIO,
    sheet_format: SheetFormat,
    columns: Sequence[Column],
    added: Sequence[Words],
    rows: Iterable[Sequence[Value]],
    language: str,
    sheet: str,
) -> int:
    texts = [column.index for column in columns if column.role is Role.PHONE]
    return write_table(
        out,
        sheet_format=sheet_format,
        titles=[*(c.title for c in columns), *(one.in_language(language) for one in added)],
        rows=rows,
        language=language,
        sheet_name=_SHEETS[sheet].in_language(language),
        text_columns=texts,
    )


def _input(cells: Sequence[Cell], columns: Sequence[Column]) -> list[Value]:
    """The cells as they came: numbers as numbers, except phones, which are texts everywhere."""
    phones = {column.index for column in columns if column.role is Role.PHONE}
    values = [
        cell.text if place in phones else _value(cell)
        for place, cell in enumerate(cells[: len(columns)])
    ]
    return [*values, *[None] * (len(columns) - len(values))]


def _value(cell: Cell) -> Value:
    if cell.kind not in (CellKind.NUMBER, CellKind.FORMULA):
        return cell.text
    try:
        value = Decimal(cell.text)
    except InvalidOperation:
        return cell.text
    return value if value.is_finite() and "e" not in cell.text.lower() else cell.text


def _gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    order = list(Severity)
    return sorted(findings, key=lambda one: order.index(one.severity))


def _say(finding: Finding, *, language: str) -> str:
    said = finding.words.in_language(language)
    return f"{finding.column}: {said}" if finding.column else said


def _verdict(row: ReportRow, *, language: str) -> str:
    if row.is_excluded:
        return _EXCLUDED.in_language(language)
    gravest = _gravest_first(row.findings)
    words = _VERDICTS[gravest[0].severity] if gravest else _FINE
    return words.in_language(language)
