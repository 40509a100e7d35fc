"""What leaves reconciliation as a table: discrepancies, matches, and the journal for a ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import BinaryIO, Literal, TypeAlias

from momokit.gateway.core.discrepancy import RESOLUTIONS, WORDS
from momokit.gateway.core.journal import LedgerCodes, entry_of, read_codes
from momokit.gateway.sheets.writing import SheetFormat, Value, write_table
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.discrepancies import Discrepancy, Wanted, list_discrepancies
from momokit.gateway.store.statement_reads import Matched, Span, each_line
from momokit.gateway.store.statements import find_document

Export: TypeAlias = Literal["discrepancies", "matches", "journal"]
Titles: TypeAlias = tuple[tuple[str, str], ...]
CODES_KIND = "ledger"
_PAGE = 500

_DISCREPANCIES: Titles = (
    ("number", "numéro"), ("class", "classe"), ("what", "quoi"), ("state", "état"),
    ("payment", "paiement"), ("day", "jour"), ("amount", "montant"), ("currency", "devise"),
    ("ours", "chez nous"), ("MTN's", "chez MTN"), ("found at", "trouvé le"),
    ("owner", "responsable"), ("note", "note"), ("resolution", "résolution"),
    ("proposed by", "proposé par"), ("closed by", "clos par"), ("closed at", "clos le"),
)  # fmt: skip
_MATCHES: Titles = (
    ("day", "jour"), ("payment", "paiement"), ("merchant reference", "référence marchand"),
    ("MTN's number", "numéro MTN"), ("direction", "sens"), ("amount", "montant"),
    ("our amount", "notre montant"), ("fee", "frais"), ("currency", "devise"),
    ("relation", "relation"), ("rule", "règle"), ("confidence", "confiance"),
    ("statement", "relevé"), ("row", "ligne"),
)  # fmt: skip
_JOURNAL: Titles = (
    ("date", "date"), ("account", "compte"), ("debit", "débit"), ("credit", "crédit"),
    ("currency", "devise"), ("reference", "référence"), ("memo", "libellé"),
)  # fmt: skip


def write_export(
    out: BinaryIO,
    transaction: Transaction,
    export: Export,
    *,
    span: Span,
    sheet_format: SheetFormat,
    language: str,
) -> int:
    """Write one of the exports; give the number of rows. No text in it is ever a formula."""
    french = language == "fr"
    if export == "discrepancies":
        titles, rows = _DISCREPANCIES, _discrepancies(transaction, span, french=french)
    elif export == "matches":
        titles, rows = _MATCHES, _matches(transaction, span)
    else:
        titles, rows = _JOURNAL, _journal(transaction, span, codes_of(transaction))
    return write_table(
        out,
        sheet_format=sheet_format,
        titles=[pair[int(french)] for pair in titles],
        rows=rows,
        language=language,
        sheet_name=export,
    )


def codes_of(transaction: Transaction) -> LedgerCodes:
    """Give the codes of the ledger's accounts: those that were set, or the shipped examples."""
    found = find_document(transaction, CODES_KIND, "codes")
    return read_codes(found.document) if found is not None else LedgerCodes()


def _discrepancies(
    transaction: Transaction, span: Span, *, french: bool
) -> Iterator[Sequence[Value]]:
    after, wanted = 0, Wanted(account_ids=[span.account_id], statement_id=span.statement_id)
    while page := list_discrepancies(transaction, wanted, after_id=after, limit=_PAGE):
        for one in page:
            if _is_within(one.found_at, span):
                yield _discrepancy(one, french=french)
        after = page[-1].id


def _discrepancy(one: Discrepancy, *, french: bool) -> Sequence[Value]:
    what, _ = WORDS[one.kind]
    ended = RESOLUTIONS.get(one.resolution or "")
    resolution = (ended.fr if french else ended.en) if ended else ""
    said = f"{resolution} {one.resolution_note or ''}".strip()
    return (
        one.id, one.kind.value, what.fr if french else what.en, one.state.value, one.payment_id,
        one.day, _number(one.amount), one.currency, _fact(one, "expected"), _fact(one, "found"),
        _moment(one.found_at), one.owner, one.note, said, one.proposed_by, one.closed_by,
        _moment(one.closed_at),
    )  # fmt: skip


def _matches(transaction: Transaction, span: Span) -> Iterator[Sequence[Value]]:
    for one in each_line(transaction, span, money_only=False):
        row = one.row
        yield (
            one.day, row.payment_id, row.merchant_reference, row.financial_transaction_id,
            row.direction, _number(row.amount), _number(row.our_amount), _number(row.fee),
            row.currency, row.relation or "", row.rule, row.confidence, row.statement_id,
            row.row_number,
        )  # fmt: skip


def _journal(transaction: Transaction, span: Span, codes: LedgerCodes) -> Iterator[Sequence[Value]]:
    for one in each_line(transaction, span, money_only=True):
        yield from _entry(one, codes)


def _entry(one: Matched, codes: LedgerCodes) -> Iterator[Sequence[Value]]:
    for line in entry_of(one.movement(), codes):
        yield (
            line.day, line.account, line.debit or None, line.credit or None, line.currency,
            line.reference, line.memo,
        )  # fmt: skip


def _is_within(at: float, span: Span) -> bool:
    return (span.begins is None or at >= span.begins) and (span.ends is None or at < span.ends)


def _fact(one: Discrepancy, name: str) -> str | None:
    value = one.details.get(name)
    return str(value) if value is not None else None


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None


def _moment(at: float | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
