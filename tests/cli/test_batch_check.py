"""`momo batch check` and `template`: a file of payments looked at on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from .runner import run

GOOD = 'Phone,Name,Amount\n0772123456,Akello Grace,1500\n0782123457,Okello John,"2,500"\n'
BAD = (
    "Phone,Name,Amount\n2.56772E+11,Akello,1500\n0772123456,Okello,1500\n0772123456,Okello,1500\n"
    "0701123456,Opio,0\n"
)


def file_of(place: Path, text: str, name: str = "salaries.csv") -> str:
    """Write a file and give its path."""
    path = place / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_good_file_is_said_to_be_good(tmp_path: Path) -> None:
    """Rows, money and what each column is taken for; exit code 0."""
    ran = run("batch", "check", file_of(tmp_path, GOOD), "--market", "uganda")

    assert ran.code == 0
    assert ran.err == ""
    assert [line.split(maxsplit=1) for line in ran.out.splitlines()[:2]] == [
        ["rows", "2, of which 2 can be paid"],
        ["to", "pay         UGX 4,000"],
    ]
    assert "Phone = phone, Name = name, Amount = amount" in ran.out


def test_what_is_wrong_is_told_by_row_and_column(tmp_path: Path) -> None:
    """The grave before the slight, each with what to do; exit code 8; no number is shown."""
    ran = run("batch", "check", file_of(tmp_path, BAD), "--market", "uganda")
    weights = [
        line.split()[0] for line in ran.out.splitlines() if line[:3] in ("err", "ove", "war")
    ]

    assert ran.code == 8
    assert weights == ["error", "error", "override", "warning"]
    assert "The spreadsheet has shortened this number and digits are lost." in ran.out
    assert "The same payee gets the same amount in row 3 already." in ran.out
    assert "772123456" not in ran.out


def test_a_script_gets_one_document(tmp_path: Path) -> None:
    """Codes, rows and texts; numbers are counted, amounts are texts."""
    ran = run("batch", "check", file_of(tmp_path, BAD), "--market", "uganda", "--json")
    found = [(one["row"], one["severity"], one["code"]) for one in ran.json["findings"]]

    assert (ran.json["rows"], ran.json["payable_rows"], ran.json["amount"]) == (4, 2, "3000")
    assert ran.json["counts"] == {"error": 2, "override": 1, "warning": 1}
    assert found == [
        (2, "error", "phone_shortened"),
        (5, "error", "amount_zero"),
        (4, "override", "same_payee_and_amount"),
        (5, "warning", "other_network"),
    ]


def test_finance_staff_read_it_in_french(tmp_path: Path) -> None:
    """Findings and the report are in the language asked for."""
    text = "Numéro;Nom;Montant\n054321987;Awa;1.500\n0554321987;Koffi;-5\n"
    report = tmp_path / "controle.csv"
    ran = run(
        "batch", "check", file_of(tmp_path, text), "--market", "ivory-coast", "--lang", "fr",
        "--report", str(report),
    )  # fmt: skip

    assert ran.code == 8
    assert "Le montant est négatif" in ran.out
    assert 'à corriger;"Montant: Le montant est négatif' in report.read_text(encoding="utf-8-sig")
    assert report.stat().st_mode & 0o077 == 0


def test_a_report_is_never_written_over_another_file(tmp_path: Path) -> None:
    """What is there stays as it is."""
    report = tmp_path / "report.csv"
    report.write_text("mine", encoding="utf-8")
    ran = run(
        "batch", "check", file_of(tmp_path, GOOD), "--market", "uganda", "--report", str(report),
        "--json",
    )  # fmt: skip

    assert (ran.code, ran.error["field"]) == (2, "file")
    assert report.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ((), "market"),
        (("--market", "atlantis"), "market"),
        (("--market", "uganda", "--currency", "KES"), "currency"),
        (("--market", "uganda", "--max-amount", "1.5"), "amount"),
        (("--market", "uganda", "--report", "report.ods"), "format"),
    ],
)
def test_what_was_asked_wrongly_is_named(
    tmp_path: Path, words: tuple[str, ...], field: str
) -> None:
    """The exit code of misuse, and the field."""
    ran = run("batch", "check", file_of(tmp_path, GOOD), *words, "--json")

    assert (ran.code, ran.error["field"]) == (2, field)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("%PDF-1.7", "This is a file of another kind: PDF."),
        ("a,b\n1,2\n", "No row names the columns that are needed."),
        ("phone,mobile,amount\n1,2,3\n", "The columns “phone” and “mobile” could both be meant."),
    ],
)
def test_what_is_no_file_of_payments_is_refused(tmp_path: Path, content: str, said: str) -> None:
    """By what it is, with what to do."""
    ran = run("batch", "check", file_of(tmp_path, content), "--market", "uganda", "--json")

    assert (ran.code, ran.error["field"], ran.error["message"]) == (2, "file", said)
    assert ran.error["hint"] != ""


def test_a_limit_of_ones_own_is_held(tmp_path: Path) -> None:
    """Rows above --max-amount are errors."""
    ran = run(
        "batch", "check", file_of(tmp_path, GOOD), "--market", "uganda", "--max-amount", "2000",
        "--json",
    )  # fmt: skip

    assert [one["code"] for one in ran.json["findings"]] == ["amount_above_limit"]


@pytest.mark.parametrize("sheet_format", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_template_is_good_as_it_is(tmp_path: Path, language: str, sheet_format: str) -> None:
    """It is made without a gateway, readable by its owner alone, and passes the check."""
    path = tmp_path / f"mine.{sheet_format}"
    made = run(
        "batch", "template", "--market", "cameroon", "--lang", language, "--format", sheet_format,
        "--out", str(path), "--json",
    )  # fmt: skip
    ran = run("batch", "check", str(path), "--market", "cameroon")

    assert (made.code, made.json["bytes"]) == (0, path.stat().st_size)
    assert path.stat().st_mode & 0o077 == 0
    assert ran.code == 0
