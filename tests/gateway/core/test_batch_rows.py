"""Rows of a file of payments: how they are understood, hashed and compared."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.gateway.core.batch_file import (
    Column,
    Role,
    recognise_header,
)
from momokit.gateway.core.batch_findings import Finding, Severity, error
from momokit.gateway.core.batch_rows import (
    BatchHash,
    Duplicates,
    PaidBefore,
    Rules,
    check_row,
    find_in_history,
    row_hash,
)
from momokit.gateway.core.batch_words import WORDS
from momokit.gateway.core.cells import Cell, CellKind, Row, pack_cells, unpack_cells
from momokit.market import market

UGANDA = Rules(market=market("uganda"), currency="UGX")


def columns_of(*titles: str) -> tuple[Column, ...]:
    """The columns of a header that must be one."""
    columns = recognise_header(titles)
    assert columns is not None
    return columns


ROW = Row(7, (Cell("0772123456"), Cell("1500"), Cell("Akello"), Cell("EMP-1"), Cell("March")))
COLUMNS = columns_of("Phone", "Amount", "Name", "Reference", "Note")


def test_a_row_is_understood() -> None:
    """All that a payment needs, and the row as it came."""
    checked = check_row(ROW, columns=COLUMNS, rules=UGANDA)

    assert (checked.number, checked.is_payable, checked.findings) == (7, True, ())
    assert checked.payee is not None
    assert (checked.payee.digits, checked.amount, checked.currency) == (
        "256772123456", Decimal(1500), "UGX",
    )  # fmt: skip
    assert (checked.name, checked.reference, checked.note) == ("Akello", "EMP-1", "March")
    assert checked.row is ROW


def test_a_row_does_not_show_its_payee() -> None:
    """No number and no name is in its repr, nor in that of a finding."""
    shown = repr(check_row(ROW, columns=COLUMNS, rules=UGANDA))

    assert "772123456" not in shown
    assert "Akello" not in shown


def test_limits_are_held() -> None:
    """A row above or below what is given is an error that names the limit."""
    rules = replace(UGANDA, min_amount=Decimal(2000), max_amount=Decimal(9000))
    low = check_row(ROW, columns=COLUMNS, rules=rules)
    high = check_row(Row(2, (Cell("0772123456"), Cell("9001"))), columns=COLUMNS, rules=rules)

    assert [one.code for one in low.findings] == ["amount_below_limit"]
    assert [one.words.en for one in high.findings] == [
        "The amount is above the limit of UGX 9,000 for one payment."
    ]


def test_another_network_is_a_warning() -> None:
    """The guess is handed in, and stops nothing: numbers are portable."""
    rules = replace(UGANDA, network=lambda _number: "other")
    checked = check_row(ROW, columns=COLUMNS, rules=rules)

    assert [(one.code, one.severity) for one in checked.findings] == [
        ("other_network", Severity.WARNING)
    ]
    assert checked.is_payable is True


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("", []),
        ("ugx", []),
        ("USHS", []),
        ("KES", ["currency_differs"]),
        ("€", ["currency_differs"]),
    ],
)
def test_the_currency_of_a_row_is_the_batchs(told: str, expected: list[str]) -> None:
    """Another one is an error; the batch pays in one currency."""
    columns = columns_of("Phone", "Amount", "Currency")
    row = Row(2, (Cell("0772123456"), Cell("1500"), Cell(told)))
    checked = check_row(row, columns=columns, rules=UGANDA)

    assert [one.code for one in checked.findings] == expected


def test_a_name_in_two_columns_is_one_name() -> None:
    """Given name first, as MTN has it."""
    columns = columns_of("Phone", "Amount", "Nom", "Prénoms")
    row = Row(2, (Cell("0772123456"), Cell("1500"), Cell(" Okello "), Cell("John\nPeter")))

    assert check_row(row, columns=columns, rules=UGANDA).name == "John Peter Okello"


def test_a_short_row_has_empty_cells() -> None:
    """What is missing at its end is missing, and nothing raises."""
    checked = check_row(Row(2, (Cell("0772123456"),)), columns=COLUMNS, rules=UGANDA)

    assert [one.code for one in checked.findings] == ["amount_missing"]


@given(
    cells=st.lists(
        st.builds(Cell, st.text(max_size=12), st.sampled_from(list(CellKind))), max_size=7
    )
)
def test_no_row_raises(cells: list[Cell]) -> None:
    """Any cells of any kind give a checked row; it is payable only with a payee and an amount."""
    checked = check_row(Row(2, tuple(cells)), columns=COLUMNS, rules=UGANDA)

    assert checked.is_payable is False or (checked.payee is not None and checked.amount is not None)


@pytest.mark.parametrize("text", ["1:", "1;5", "12:30"])
def test_what_only_calls_itself_a_number_is_none(text: str) -> None:
    """A cell's kind is its reader's word; what it holds is looked at."""
    cells = (Cell("0772123456"), Cell(text, CellKind.NUMBER))
    checked = check_row(Row(2, cells), columns=COLUMNS, rules=UGANDA)

    assert [one.code for one in checked.findings] == ["amount_not_a_number"]


def test_cells_are_stored_and_had_back() -> None:
    """Each with its kind."""
    cells = [Cell(f"x{kind}", kind) for kind in CellKind]

    assert unpack_cells(pack_cells(cells)) == tuple(cells)


# Hashes


WHAT = {
    "payee": "256772123456",
    "amount": Decimal("1500.50"),
    "currency": "UGX",
    "reference": "EMP-1",
    "note": "March",
}


def test_a_rows_hash_is_of_what_it_does() -> None:
    """The same in any spelling of the amount; another with any part changed."""
    first = row_hash(**WHAT)  # type: ignore[arg-type]
    changes = {
        "payee": "256772123457", "amount": Decimal("1500.51"), "currency": "USD",
        "reference": "EMP-2", "note": "",
    }  # fmt: skip
    others = [row_hash(**{**WHAT, name: value}) for name, value in changes.items()]  # type: ignore[arg-type]

    assert row_hash(**{**WHAT, "amount": Decimal("1500.5")}) == first  # type: ignore[arg-type]
    assert len({first, *others}) == 6


@given(
    one=st.tuples(st.text(max_size=6), st.text(max_size=6)),
    other=st.tuples(st.text(max_size=6), st.text(max_size=6)),
)
def test_parts_of_a_hash_do_not_run_into_each_other(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    """Text cannot be moved from the reference to the note unseen."""
    hashes = [
        row_hash(**{**WHAT, "reference": ref, "note": note})  # type: ignore[arg-type]
        for ref, note in (one, other)
    ]

    assert (hashes[0] == hashes[1]) == (one == other)


def test_a_keyed_hash_cannot_be_found_by_trying_numbers() -> None:
    """With a key it is another, and with another key another again."""
    hashes = {row_hash(**WHAT, key=key) for key in (b"", b"a" * 32, b"b" * 32)}  # type: ignore[arg-type]

    assert len(hashes) == 3


def batch_hash(rows: list[tuple[int, str]]) -> str:
    """The hash of a batch of these rows."""
    one = BatchHash()
    for number, each in rows:
        one.add(number, row_hash=each)
    return one.hexdigest()


@given(
    rows=st.lists(
        st.tuples(st.integers(min_value=2, max_value=99), st.text("0123456789abcdef", max_size=8)),
        min_size=1,
        max_size=6,
    ),
    data=st.data(),
)
def test_any_edit_of_a_batch_changes_its_hash(
    rows: list[tuple[int, str]], data: st.DataObject
) -> None:
    """A row changed, left out, added or moved: an approval of the old hash is void."""
    at = data.draw(st.integers(min_value=0, max_value=len(rows) - 1))
    changed = [*rows[:at], (rows[at][0], rows[at][1] + "0"), *rows[at + 1 :]]
    moved = [*rows[1:], rows[0]]
    others = [changed, rows[:at] + rows[at + 1 :], [*rows, (100, "aa")], moved]
    different = [other for other in others if other != rows]

    assert batch_hash(rows) not in {batch_hash(other) for other in different}


# What other rows and the past say


def test_a_payee_paid_for_the_same_period_needs_a_second_word() -> None:
    """Whatever the amount; the same amount in another batch is only told."""
    checked = check_row(ROW, columns=COLUMNS, rules=UGANDA)
    before = PaidBefore(
        batch_id="bat_1", label="March", amount=Decimal(900), day="2026-03-27", is_same_period=True
    )
    other = replace(before, is_same_period=False)
    same_amount = replace(other, amount=Decimal(1500))

    found = find_in_history(checked, paid=[before, other, same_amount])
    assert [(one.code, one.severity) for one in found] == [
        ("paid_same_period", Severity.OVERRIDE),
        ("paid_lately", Severity.WARNING),
    ]
    assert "UGX 900 for the same period by the batch “March” on 2026-03-27" in found[0].words.en


def test_a_row_without_a_payee_is_no_duplicate() -> None:
    """Two unreadable numbers are not the same payee."""
    seen = Duplicates()
    bad = check_row(Row(2, (Cell("?"), Cell("1"))), columns=COLUMNS, rules=UGANDA)

    assert [seen.look(bad), seen.look(bad)] == [(), ()]


def test_what_was_found_adds_up() -> None:
    """A later finding makes a row unpayable."""
    checked = check_row(ROW, columns=COLUMNS, rules=UGANDA)

    assert checked.with_findings([error("account_inactive")]).is_payable is False
    assert checked.with_findings([]) is checked


def test_a_finding_of_another_version_is_not_made_up() -> None:
    """A stored code that is not known is refused, not shown as something else."""
    with pytest.raises(ValueError, match="no finding"):
        Finding.load({"code": "later", "severity": "error"})


@pytest.mark.parametrize("code", sorted(WORDS))
def test_every_finding_speaks_both_languages(code: str) -> None:
    """Both say something of their own, with the same facts filled in."""
    words = WORDS[code]
    facts = [sorted(set(_braces(text)) - {"what", "what_fr"}) for text in words]

    assert words.en != words.fr
    assert facts[0] == facts[1]


def _braces(text: str) -> list[str]:
    return [part.partition("}")[0] for part in text.split("{")[1:]]


def test_roles_are_stored_by_stable_words() -> None:
    """A stored layout is read by later versions."""
    assert [str(role) for role in Role] == [
        "phone", "amount", "name", "given_name", "family_name", "reference", "note", "currency",
        "national_id", "other",
    ]  # fmt: skip
