"""A file as a whole: duplicates, totals, and what the same payments are known by."""

from __future__ import annotations

import random
import resource
import sys
from decimal import Decimal

import pytest

from momokit.gateway.core.batch_findings import Finding
from momokit.gateway.sheets.checking import FileCheck, FileSummary
from momokit.gateway.sheets.refusal import SheetRefused
from tests.gateway.sheets.making import (
    HEADER,
    IVORY_COAST,
    UGANDA,
    Rules,
    cell,
    plain,
    sheet_of,
    workbook,
)

A, B, C = "0772123456", "0772123457", "0782123458"


def checked(text: str | bytes, rules: Rules = UGANDA) -> tuple[dict[int, list[str]], FileSummary]:
    """Codes found by row, and the summary."""
    source = text.encode() if isinstance(text, str) else text
    check = FileCheck(source, rules=rules)
    rows = {row.number: [one.code for one in row.findings] for row in check}
    return rows, check.summary


def codes(summary: FileSummary) -> list[str]:
    """What was found about the file."""
    return [one.code for one in summary.findings]


def test_a_good_file_adds_up() -> None:
    """Rows, payable rows and money, without a finding."""
    rows, summary = checked(HEADER + f'{A},Akello,1500\n{B},Okello,"2,500"\n')

    assert rows == {2: [], 3: []}
    assert (summary.rows, summary.payable_rows, plain(summary.amount)) == (2, 2, "4000")
    assert (summary.findings, summary.counts, summary.currency) == ((), {}, "UGX")


def test_the_same_payee_twice_is_found() -> None:
    """The same amount takes a second person's word, another amount only a look."""
    rows, _ = checked(HEADER + f"{A},A,1500\n+256 {A[1:]},A,1500\n{A},A,20\n{B},B,1500\n")

    assert rows == {2: [], 3: ["same_payee_and_amount"], 4: ["same_payee"], 5: []}


def test_a_payee_that_comes_many_times_names_the_first_of_its_amount() -> None:
    """Whatever the number of rows, each repeated amount is found."""
    lines = "".join(f"{A},A,{amount}\n" for amount in (1, 2, 3, 1, 3))
    rows, _ = checked(HEADER + lines)

    assert [found[:1] for found in rows.values()] == [
        [], ["same_payee"], ["same_payee"], ["same_payee_and_amount"], ["same_payee_and_amount"],
    ]  # fmt: skip


def test_the_same_reference_twice_is_told() -> None:
    """It may be a mistake of copying."""
    rows, _ = checked(f"phone,amount,reference\n{A},1,EMP-1\n{B},1,emp-1\n{C},1,EMP-2\n")

    assert rows == {2: [], 3: ["same_reference"], 4: []}


@pytest.mark.parametrize(
    ("footer", "found"),
    [
        ("Total,,4000\n", []),
        (",,4000\n", []),
        ("TOTAL GÉNÉRAL,,4000\n", []),
        (",Sub-total,4000\n", []),
        ("Total,,3999\n", ["total_differs"]),
        ("Total,,=SUM(C2:C3)\n", ["total_unread"]),
        ("Total,,4000\nPrepared by A. B.,,\n", ["footer_ignored"]),
    ],
)
def test_a_total_is_no_payment_and_is_compared(footer: str, found: list[str]) -> None:
    """A total row is known by its words or its sum; one that differs is an error of the file."""
    rows, summary = checked(HEADER + f"{A},A,1500\n{B},B,2500\n" + footer)

    assert (list(rows), codes(summary)) == ([2, 3], found)
    assert (plain(summary.amount), summary.total_row is not None) == ("4000", True)


def test_sums_of_sections_are_compared_with_their_sections() -> None:
    """Subtotals by department and a total of all."""
    rows, summary = checked(
        HEADER + f"{A},A,100\nSubtotal,,100\n{B},B,200\n{C},C,50\nSubtotal,,250\nTotal,,350\n"
    )

    assert (list(rows), codes(summary)) == ([2, 4, 5], [])


def test_a_bare_amount_that_is_no_sum_is_a_row_without_a_phone() -> None:
    """A payment whose number was forgotten is not mistaken for a total."""
    rows, summary = checked(HEADER + f"{A},A,1500\n,,2500\n")

    assert rows == {2: [], 3: ["phone_missing"]}
    assert summary.total_row is None


def test_a_persons_name_is_no_total() -> None:
    """A payee called Total, with a number, is paid."""
    rows, _ = checked(HEADER + f"{A},Total,1500\n")

    assert rows == {2: []}


def test_a_total_cannot_be_compared_when_an_amount_is_unread() -> None:
    """Then it is told that nobody compared it, and the row itself is an error."""
    rows, summary = checked(HEADER + f"{A},A,2.5E+5\nTotal,,250000\n")

    assert (rows, codes(summary)) == ({2: ["amount_powers"]}, ["total_unread"])


def test_a_total_by_formula_is_compared_by_its_result() -> None:
    """It moves no money, so the result that the file holds will do."""
    xml = sheet_of(
        [cell("A1", "phone"), cell("B1", "amount")],
        [cell("A2", A), cell("B2", "1500", kind="n")],
        [cell("A3", "Total"), cell("B3", "1501", formula="SUM(B2:B2)", kind="n")],
    )
    rows, summary = checked(workbook({"Pay": xml}))

    assert (rows, codes(summary)) == ({2: []}, ["total_differs"])
    assert summary.findings[0].words.en == (
        "Row 3 gives a total of UGX 1,501, but the rows add up to UGX 1,500. Correct one of them."
    )


def test_a_comma_that_splits_an_amount_is_caught() -> None:
    """`50,000` without quotes in a file of commas must not pay 50."""
    rows, summary = checked("phone,amount\n0772123456,50,000\n")

    assert rows == {2: ["cells_beyond_header"]}
    assert summary.payable_rows == 0


def test_two_columns_for_one_thing_are_not_chosen_between() -> None:
    """The refusal names both."""
    with pytest.raises(SheetRefused) as caught:
        FileCheck(b"phone,mobile,amount\n1,2,3\n", rules=UGANDA)

    assert (caught.value.code, caught.value.column) == ("two_columns", "phone")


def test_another_currency_in_the_header_is_an_error() -> None:
    """Dollars are not paid as shillings; francs are francs by any of their names."""
    _, dollars = checked(f"phone,Amount (USD)\n{A},5\n")
    _, francs = checked("numéro;Montant (FCFA)\n0554321987;5000\n", IVORY_COAST)

    assert (codes(dollars), codes(francs)) == (["header_currency"], [])


def test_an_empty_table_is_an_error() -> None:
    """A header alone pays nobody."""
    _, summary = checked(HEADER)

    assert (codes(summary), summary.rows) == (["no_rows"], 0)


def test_the_same_payments_are_known_in_any_order() -> None:
    """Sorting a file, or writing its numbers another way, does not make it another file."""
    first = checked(HEADER + f"{A},A,1500\n{B},B,2500\n")[1].content_hash
    sorted_ = checked(f'amount,phone\n2500,{B}\n\n"1,500",+256{A[1:]}\n')[1].content_hash
    other = checked(HEADER + f"{A},A,1500\n{B},B,2501\n")[1].content_hash

    assert first == sorted_
    assert first != other


def test_every_finding_has_words_and_can_be_stored() -> None:
    """What comes out of a bad file is complete, in two languages, and holds no phone number."""
    text = (
        "phone;name;amount;note;currency;reference\n"
        f"2.56772E+11;A;-5;é;KES;{'x' * 101}\n{A};B;1,5;&;;r\n{A};C;(5);;;r\n0701123456;D;0;;;\n"
        "07721234567;E;12.5;;;\n+233241234567;F;5 UGX;;;\n;G;1E+5;;;\n08 or 09;H;;;;\n"
    )
    check = FileCheck(text.encode(), rules=UGANDA)
    found = [one for row in check for one in row.findings]
    said = [part for one in found for part in one.words]

    assert [Finding.load(one.stored()) for one in found] == found
    assert [one for one in said if "{" in one or not one] == []
    assert [one for one in said if A[1:] in one or "241234567" in one] == []
    assert {one.code for one in found} >= {
        "phone_shortened", "amount_negative", "note_cleaned", "currency_differs",
        "reference_too_long", "amount_ambiguous", "amount_zero", "phone_invalid",
        "amount_decimals", "phone_other_country", "amount_powers", "phone_missing",
        "phone_characters", "amount_missing",
    }  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted as Linux does")
def test_ten_thousand_rows_are_checked_in_little_memory() -> None:
    """Rows are gone through one by one; a file's size costs little more than its own bytes."""
    chance = random.Random(1)
    lines = [f"0772{chance.randrange(10**6):06d},Okello {n},{n + 1}" for n in range(10_000)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, summary = checked(HEADER + "\n".join(lines))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert summary.payable_rows == 10_000
    assert summary.amount == Decimal(10_000 * 10_001 // 2)
    assert (after - before) // 1024 < 100
