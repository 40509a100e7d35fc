"""Read CSV as spreadsheets write it: whatever the encoding and the delimiter, one row at a time."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import BinaryIO

from momokit._reason_words import Words
from momokit.gateway.core.batch_file import letter
from momokit.gateway.core.cells import EMPTY, Cell, Row
from momokit.gateway.sheets.limits import Limits
from momokit.gateway.sheets.refusal import SheetRefused, refused
from momokit.gateway.sheets.sheet import Sheet

DELIMITERS = ",;\t|"
# Texts that would be formulas were given an apostrophe when we wrote them; see `writing`.
GUARDED = re.compile("'+[=+\\-@\t\r＝＋－＠]")
_CHUNK = 256 * 1024
_SAMPLE_LINES = 40
_SAMPLE_CHARACTERS = 64 * 1024
_SEP_LINE = re.compile(r"sep=(.)[\r\n]*", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESSED = Words(
    "The file is not UTF-8; it was read as Windows-1252. See that accents are right.",
    "Le fichier n'est pas en UTF-8 ; il a été lu en Windows-1252. Vérifiez les accents.",
)


def open_csv(
    stream: BinaryIO, *, limits: Limits, is_header: Callable[[Sequence[str]], bool]
) -> Sheet:
    """For reading a CSV file. Raises SheetRefused, here and while its rows are gone through."""
    encoding = _encoding(stream)
    sample = _sample(stream, encoding)
    says = _SEP_LINE.fullmatch(sample[0]) if sample else None
    delimiter = says[1] if says else _delimiter(sample, is_header=is_header)
    rows = _rows(stream, encoding, delimiter, limits=limits, skip_first=says is not None)
    sheet = Sheet(name="CSV", rows=rows)
    if encoding == "cp1252":
        sheet.notes.append(_GUESSED)
    return sheet


def _sample(stream: BinaryIO, encoding: str) -> list[str]:
    with _text_of(stream, encoding) as text:
        beginning = io.StringIO(text.read(_SAMPLE_CHARACTERS), newline="")
        return list(islice(beginning, _SAMPLE_LINES))


@contextmanager
def _text_of(stream: BinaryIO, encoding: str) -> Iterator[io.TextIOWrapper]:
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        yield text
    finally:
        # Its end would close the stream, which is not ours. It may be closed already.
        if not stream.closed:
            text.detach()


def _encoding(stream: BinaryIO) -> str:
    """Find the encoding, reading all of the file: UTF-8 is only what is UTF-8 to its end."""
    stream.seek(0)
    head = stream.read(4)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            _check_decodes(stream, encoding)
            return encoding
    # Text of Latin letters in UTF-16 without its mark: every other byte is zero.
    if len(head) == 4 and (head[1], head[3]) == (0, 0) and head[0] and head[2]:
        _check_decodes(stream, "utf-16-le")
        return "utf-16-le"
    for encoding in ("utf-8", "cp1252"):
        try:
            _check_decodes(stream, encoding)
        except SheetRefused:
            continue
        return encoding
    raise refused("not_text")


def _check_decodes(stream: BinaryIO, encoding: str) -> None:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := stream.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        raise refused("not_text") from None
    finally:
        stream.seek(0)


def _delimiter(sample: Sequence[str], *, is_header: Callable[[Sequence[str]], bool]) -> str:
    """Choose the delimiter by which a header is found; without one, the most even by rows."""

    def score(delimiter: str) -> tuple[bool, int, int]:
        try:
            rows = list(csv.reader(sample, delimiter=delimiter))
        except csv.Error:
            return False, 0, 0
        has_header = any(is_header(row) for row in rows)
        width, count = Counter(len(row) for row in rows if row).most_common(1)[0]
        return has_header, count if width > 1 else 0, width

    return max(DELIMITERS, key=score) if any(sample) else ","


def _rows(
    stream: BinaryIO, encoding: str, delimiter: str, *, limits: Limits, skip_first: bool
) -> Iterator[Row]:
    kept = number = 0
    try:
        with _text_of(stream, encoding) as text:
            for number, texts in enumerate(_records(text, delimiter), start=1):
                if (number == 1 and skip_first) or not any(one.strip() for one in texts):
                    continue
                kept += 1
                # A title, the header and a total may stand around the table.
                if kept > limits.max_rows + 50:
                    raise refused("too_many_rows", row=number, limit=limits.max_rows)
                yield Row(number, _cells(texts, number, limits))
    except csv.Error as error:
        code = "nul" if "NUL" in str(error) else "bad_quote"
        raise refused(code, row=number + 1) from None
    except UnicodeError:
        raise refused("not_text") from None


def _records(text: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    return csv.reader(_without_nul(text), delimiter=delimiter, strict=True)


def _without_nul(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise csv.Error("NUL")
        yield line


def _cells(texts: list[str], number: int, limits: Limits) -> tuple[Cell, ...]:
    while texts and not texts[-1]:
        texts.pop()
    if len(texts) > limits.max_columns:
        raise refused("too_many_columns", row=number, limit=limits.max_columns)
    limit = limits.max_cell_length
    if texts and max(map(len, texts)) > limit:
        index = next(index for index, text in enumerate(texts) if len(text) > limit)
        raise refused("cell_too_long", row=number, column=letter(index), limit=limit)
    return tuple(
        [
            EMPTY if not text else Cell(text) if text[0] != "'" else Cell(_unguarded(text))
            for text in texts
        ]
    )


def _unguarded(text: str) -> str:
    return text[1:] if GUARDED.match(text) else text
