"""Receipts that print well: one for each payment of a batch, and one for the whole batch.

Each is one HTML page that needs nothing else: it can be saved, mailed and printed as it is. Only
what MTN has confirmed is called paid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from jinja2 import Environment, PackageLoader, StrictUndefined

from momokit._reason_words import Words
from momokit.gateway.core.receipts import BatchReceipt, RowReceipt
from momokit.gateway.core.state_words import say_state
from momokit.gateway.pages.words import Speech
from momokit.reasons import reason_of

_WORDS: Mapping[str, Words] = {
    "receipt": Words("Receipt of payment", "Reçu de paiement"),
    "statement": Words("State of a payment", "État d'un paiement"),
    "no_receipt": Words(
        "This is no receipt: the payment is not confirmed.",
        "Ceci n'est pas un reçu : le paiement n'est pas confirmé.",
    ),
    "batch": Words("Record of a batch of payments", "Relevé d'un lot de paiements"),
    "paid_by": Words("Paid by", "Payé par"),
    "payee": Words("Payee", "Bénéficiaire"),
    "number": Words("Number", "Numéro"),
    "name": Words("Name", "Nom"),
    "reference": Words("Reference", "Référence"),
    "note": Words("Note", "Motif"),
    "mtn_id": Words("MTN transaction id", "N° de transaction MTN"),
    "payment": Words("Payment id", "N° de paiement"),
    "paid_on": Words("Paid on", "Payé le"),
    "ended_on": Words("Ended on", "Terminé le"),
    "because": Words("Reason", "Raison"),
    "part_of": Words("Batch", "Lot"),
    "period": Words("Period", "Période"),
    "state": Words("Status", "Statut"),
    "account": Words("Account", "Compte"),
    "made_by": Words("Made by", "Établi par"),
    "approved_by": Words("Approved by", "Approuvé par"),
    "started": Words("Started", "Début"),
    "finished": Words("Ended", "Fin"),
    "hash": Words("Approved rows (hash)", "Lignes approuvées (empreinte)"),
    "how_many": Words("Payments", "Paiements"),
    "amount": Words("Amount", "Montant"),
    "row": Words("Row", "Ligne"),
    "time": Words("Time (UTC)", "Heure (UTC)"),
    "total": Words("Total", "Total"),
    "signature": Words("Signature and date", "Signature et date"),
    "empty": Words("No payment was made.", "Aucun paiement n'a été fait."),
}
# In the order in which a reader asks: what is paid, what is not, what is still open.
_ORDER = ("successful", "failed", "unknown", "pending", "created", "ready")
_TONES = {"successful": "good", "failed": "bad"}

_templates = Environment(
    loader=PackageLoader("momokit.gateway.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class _Voice:
    """What a template asks for, in one language."""

    def __init__(self, language: str) -> None:
        self.language = "fr" if language.lower().startswith("fr") else "en"
        self._speech = Speech(self.language)

    def __call__(self, name: str) -> str:
        return _WORDS[name].in_language(self.language)

    def money(self, amount: str, currency: str) -> str:
        return self._speech.money(Decimal(amount), currency)

    def state(self, state: str) -> str:
        return say_state(state, language=self.language)

    def tone(self, state: str) -> str:
        return _TONES.get(state, "wait")

    def time(self, told: str | None) -> str:
        if not told:
            return ""
        return self._speech.time(datetime.fromisoformat(told).timestamp())

    def short_time(self, told: str | None) -> str:
        return told[:16].replace("T", " ") if told else ""

    def because(self, code: str | None) -> str:
        return reason_of(code).what.in_language(self.language) if code else ""


def batch_receipt_page(
    batch: BatchReceipt, *, rows: Iterable[RowReceipt], language: str = "en"
) -> Iterator[str]:
    """For printing a batch: its summary and a list of its rows, as pieces of one HTML page."""
    voice = _Voice(language)
    total = sum((Decimal(one) for one in batch.money.values()), Decimal(0))
    yield from _templates.get_template("batch_receipt.html").generate(
        t=voice,
        batch=batch,
        facts=_batch_facts(batch, voice),
        states=_states(batch),
        total_count=sum(batch.counts.values()),
        total=str(total),
        rows=rows,
    )


def row_receipt_page(row: RowReceipt, *, batch: BatchReceipt, language: str = "en") -> str:
    """For printing one payment: an HTML page to hand to the payee."""
    voice = _Voice(language)
    return _templates.get_template("batch_row_receipt.html").render(
        t=voice, row=row, batch=batch, facts=_row_facts(row, batch, voice)
    )


def _states(batch: BatchReceipt) -> list[tuple[str, int, str]]:
    """State, count and money, in the order in which a reader asks."""
    known = [state for state in _ORDER if state in batch.counts]
    others = sorted(set(batch.counts) - set(_ORDER))
    return [
        (state, batch.counts[state], batch.money.get(state, "0")) for state in (*known, *others)
    ]


def _batch_facts(batch: BatchReceipt, t: _Voice) -> list[tuple[str, str]]:
    facts = [
        (t("period"), batch.period),
        (t("state"), t.state(batch.state)),
        (t("account"), batch.account),
        (t("made_by"), batch.submitted_by),
        (t("approved_by"), ", ".join(batch.approved_by)),
        (t("started"), t.time(batch.started_at)),
        (t("finished"), t.time(batch.finished_at)),
        (t("part_of"), batch.batch_id),
        (t("hash"), batch.hash),
    ]
    return [(name, value) for name, value in facts if value]


def _row_facts(row: RowReceipt, batch: BatchReceipt, t: _Voice) -> list[tuple[str, str]]:
    is_paid = row.state == "successful"
    facts = [
        (t("payee"), row.name),
        (t("number"), row.payee),
        (t("reference"), row.reference),
        (t("note"), row.note),
        (t("because"), "" if is_paid else t.because(row.reason_code)),
        (t("paid_on") if is_paid else t("ended_on"), t.time(row.at)),
        (t("mtn_id"), row.financial_transaction_id or ""),
        (t("paid_by") if is_paid else t("account"), batch.account),
        (t("part_of"), " · ".join(one for one in (batch.label, batch.period) if one)),
        (t("payment"), row.payment_id),
    ]
    return [(name, value) for name, value in facts if value]
