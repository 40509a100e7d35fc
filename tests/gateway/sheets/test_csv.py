"""CSV as spreadsheets and people write it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.gateway.core.cells import Cell, Row
from momokit.gateway.sheets.limits import Limits
from momokit.gateway.sheets.reading import read_table
from momokit.gateway.sheets.refusal import SheetRefused
from momokit.gateway.sheets.writing import csv_chunks
from tests.gateway.sheets.making import HEADER, read, refusal_of, texts

TABLE = "Téléphone;Nom;Montant\n0772123456;Akello Zoë;1500\n"
WANTED = [(2, ["0772123456", "Akello Zoë", "1500"])]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("cp1252", b""),
    ],
)
def test_any_encoding_of_a_spreadsheet_is_read(encoding: str, mark: bytes) -> None:
    """Accents come through whatever the program saved them as."""
    assert read(mark + TABLE.encode(encoding)) == WANTED


def test_utf_16_without_its_mark_is_read() -> None:
    """Latin letters show themselves: every other byte is zero."""
    plain = "phone;amount\n0772123456;1500\n"

    assert read(plain.encode("utf-16-le")) == [(2, ["0772123456", "1500"])]


def test_a_guessed_encoding_is_told() -> None:
    """Windows-1252 is taken when nothing else fits, and the user is asked to look at accents."""
    notes = read_table(TABLE.encode("cp1252")).notes

    assert [note.en for note in notes] == [
        "The file is not UTF-8; it was read as Windows-1252. See that accents are right."
    ]
    assert read_table(TABLE.encode()).notes == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_the_header(delimiter: str) -> None:
    """Commas in amounts and names do not mislead: that one is taken by which a header is found."""
    row = ["0772123456", '"Akello, Grace; Ms"', '"1,500"']
    text = "\n".join(delimiter.join(line) for line in (["phone", "name", "amount"], row))

    assert read(text.encode()) == [(2, ["0772123456", "Akello, Grace; Ms", "1,500"])]


def test_excels_own_word_about_the_delimiter_is_heeded() -> None:
    """A first line `sep=;` is no row, and rows keep the numbers of the file."""
    assert read(b"sep=;\r\nphone;amount\r\n0772123456;1500\r\n") == [(3, ["0772123456", "1500"])]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_line_ending_is_read(ending: str) -> None:
    """Windows, Unix and the oldest Macs."""
    text = ending.join(["phone,amount", "0772123456,1500", "", "0772123457,2"])

    assert read(text.encode()) == [(2, ["0772123456", "1500"]), (4, ["0772123457", "2"])]


def test_a_quoted_cell_may_hold_lines_and_quotes() -> None:
    """One record is one row, however many lines it has."""
    text = HEADER + '0772123456,"A ""B""\nC",1500\n0772123457,D,2\n'

    assert read(text.encode()) == [
        (2, ["0772123456", 'A "B"\nC', "1500"]),
        (3, ["0772123457", "D", "2"]),
    ]


def test_titles_above_the_header_are_passed_over() -> None:
    """A company's name and a date above the table do no harm; row numbers are the file's."""
    text = "ACME Ltd,,\nSalaries March,,\n,,\n" + HEADER + "0772123456,A,1500\n"

    assert read(text.encode()) == [(5, ["0772123456", "A", "1500"])]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"", "empty"),
        (b"   \n\n", "no_header"),
        (b"a,b\n1,2\n", "no_header"),
        (b"0772123456,1500\n", "no_header"),
        (b'phone,amount\n0772123456,"15', "bad_quote"),
        (b'phone,amount\n"0772"123456,1500\n', "bad_quote"),
        (b"phone,amount\n0772123456,\x0015\n", "nul"),
        (b"\xef\xbb\xbfphone,amount\n\xff\xff,1\n", "not_text"),
        (b"phone,amount\n\x81\x8d,1\n", "not_text"),
    ],
)
def test_what_is_no_table_is_refused_by_name(source: bytes, code: str) -> None:
    """Each refusal has its own code."""
    assert refusal_of(source) == code


def test_a_refusal_says_where_and_what_to_do_in_two_languages() -> None:
    """Row and remedy are in the message, in English and in French."""
    with pytest.raises(SheetRefused) as caught:
        read(b'phone,amount\n0772123456,1500\n"0772"1,1\n')

    assert caught.value.row == 3
    assert caught.value.words.en == (
        "A quotation mark at about row 3 is not closed, or stands inside a cell."
        " Correct the row, or save the file as .xlsx."
    )
    assert caught.value.words.fr == (
        "Vers la ligne 3, un guillemet n'est pas fermé ou se trouve dans une cellule."
        " Corrigez la ligne ou enregistrez le fichier en .xlsx."
    )


@pytest.mark.parametrize(
    ("limits", "text", "code", "place"),
    [
        (Limits(max_rows=2), HEADER + "1,A,2\n" * 3, "too_many_rows", (4, "")),
        (Limits(max_columns=3), HEADER + "1,A,2,3\n", "too_many_columns", (2, "")),
        (Limits(max_cell_length=8), HEADER + "1,ABCDEFGHI,2\n", "cell_too_long", (2, "B")),
    ],
)
def test_each_limit_names_its_place(
    limits: Limits, text: str, code: str, place: tuple[int, str]
) -> None:
    """What is too much is refused with its row and column."""
    with pytest.raises(SheetRefused) as caught:
        texts(read_table(text.encode(), limits=limits))

    assert (caught.value.code, (caught.value.row, caught.value.column)) == (code, place)


def test_the_largest_file_is_bounded() -> None:
    """Bytes are counted, not believed."""
    limits = Limits(max_bytes=1024 * 1024)
    with pytest.raises(SheetRefused) as caught:
        read_table(b"x" * (limits.max_bytes + 1), limits=limits)

    assert caught.value.code == "too_large"


def test_a_stream_that_cannot_go_back_is_read_as_well(tmp_path: Path) -> None:
    """A path, bytes and any stream give the same table; a caller's stream is left open."""

    class OneWay(io.BytesIO):
        def seekable(self) -> bool:
            return False

    path = tmp_path / "any.name"
    path.write_bytes(TABLE.encode())
    stream = io.BytesIO(TABLE.encode())

    assert texts(read_table(path)) == WANTED
    assert texts(read_table(OneWay(TABLE.encode()))) == WANTED
    assert texts(read_table(stream)) == WANTED
    assert stream.closed is False


def test_a_missing_file_is_refused_too(tmp_path: Path) -> None:
    """No error but ours comes out."""
    with pytest.raises(SheetRefused) as caught:
        read_table(tmp_path / "none.csv")

    assert caught.value.code == "unreadable"


CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r\n"), max_size=30)


@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=20),
    language=st.sampled_from(["en", "fr"]),
)
def test_what_we_write_we_read_back(rows: list[list[str]], language: str) -> None:
    """Any table of texts comes back as it was, the guard before formulas taken off again."""
    data = b"".join(csv_chunks(["phone", "name", "amount"], rows, language=language))
    wanted = [
        (number, row)
        for number, row in enumerate(rows, start=2)
        if any(text.strip() for text in row)
    ]

    got = [(n, [*line, *[""] * (3 - len(line))]) for n, line in read(data)]
    assert got == wanted


@given(source=st.binary(max_size=300))
def test_no_bytes_raise_anything_but_our_error(source: bytes) -> None:
    """Whatever comes, it is a table or a refusal that says what to do."""
    said: list[str] = []
    rows: list[Row] = []
    try:
        rows.extend(read_table(HEADER.encode() + source).rows)
    except SheetRefused as refused:
        said = [refused.hint, refused.words.fr]

    assert all(said)
    assert [row for row in rows if not isinstance(row.cells[0], Cell)] == []
