"""Receipts of batches: only what is confirmed is called paid, and nothing in them is live."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from momokit.gateway.core.receipts import BatchReceipt, RowReceipt
from momokit.gateway.core.state_words import STATES
from momokit.gateway.pages.receipts import batch_receipt_page, row_receipt_page

BATCH = BatchReceipt(
    batch_id="bat_1",
    label="Salaries March",
    account="factory",
    market="cameroon",
    currency="XAF",
    state="finished",
    period="2026-03",
    hash="9f" * 32,
    submitted_by="awa",
    approved_by=("jean", "paul"),
    started_at="2026-03-27T08:00:00Z",
    finished_at="2026-03-27T08:14:00Z",
    counts={"successful": 2, "failed": 1},
    money={"successful": "300000", "failed": "1500"},
)
PAID = RowReceipt(
    payment_id="pay_1",
    row=2,
    payee="237••••••123",
    name="Mbarga Thérèse",
    amount="150000",
    currency="XAF",
    state="successful",
    reference="EMP-1",
    note="March",
    financial_transaction_id="23503452",
    at="2026-03-27T08:03:12Z",
)
FAILED = replace(PAID, state="failed", reason_code="PAYEE_NOT_FOUND", financial_transaction_id=None)


def text_of(page: str) -> str:
    """What a reader sees of a page."""
    body = page.partition("<body>")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_a_receipt_says_what_was_paid_to_whom_and_when() -> None:
    """All that a payee needs is on it, MTN's number first among it."""
    said = text_of(row_receipt_page(PAID, batch=BATCH))

    assert said == (
        "factory Receipt of payment XAF 150,000 paid Payee Mbarga Thérèse Number 237••••••123"
        " Reference EMP-1 Note March Paid on 27 March 2026, 08:03 UTC MTN transaction id 23503452"
        " Paid by factory Batch Salaries March · 2026-03 Payment id pay_1"
    )


@pytest.mark.parametrize("state", ["failed", "unknown", "pending", "created", "ready", "new-word"])
def test_what_is_not_confirmed_is_no_receipt(state: str) -> None:
    """A page for a payment in any other state says that it is no receipt, and is not titled so."""
    page = row_receipt_page(replace(PAID, state=state), batch=BATCH)

    assert "This is no receipt" in page
    assert "Receipt of payment" not in page


def test_a_failure_has_its_reason_in_french() -> None:
    """The reason is told in the reader's language."""
    said = text_of(row_receipt_page(FAILED, batch=BATCH, language="fr"))

    assert "non payé" in said
    assert "MTN n&#39;a pas de compte Mobile Money actif pour le bénéficiaire." in said


def test_the_record_of_a_batch_adds_up() -> None:
    """States with count and money, their total, and each row are on the page."""
    said = text_of("".join(batch_receipt_page(BATCH, rows=[PAID, FAILED])))

    assert "paid 2 XAF 300,000 not paid 1 XAF 1,500 Total 3 XAF 301,500" in said
    assert "Made by awa Approved by jean, paul" in said
    assert said.count("Mbarga Thérèse") == 2


@pytest.mark.parametrize("language", ["en", "fr"])
def test_nothing_in_a_receipt_is_live(language: str) -> None:
    """Names, notes and labels are text, whatever they hold; nothing is loaded from anywhere."""
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    row = replace(PAID, name=evil, note=evil, reference=evil)
    batch = replace(BATCH, label=evil, account=evil, submitted_by=evil, approved_by=(evil,))
    for page in (
        row_receipt_page(row, batch=batch, language=language),
        "".join(batch_receipt_page(batch, rows=[row], language=language)),
    ):
        assert "<script" not in page
        assert "<img" not in page
        assert re.findall(r"(?:src|href)=|url\(", page.replace("img src=x", "")) == []


def test_a_batch_without_payments_says_so() -> None:
    """Before anything is approved there is nothing to sum up."""
    said = text_of("".join(batch_receipt_page(replace(BATCH, counts={}, money={}), rows=[])))

    assert "No payment was made." in said


def test_every_state_has_words_in_both_languages() -> None:
    """No state is shown as a bare word of the program."""
    assert [name for name, words in STATES.items() if not (words.en and words.fr)] == []
