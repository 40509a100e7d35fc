"""Look through a workbook before it is loaded: bombs, macros, and what its values do not show.

The loader trusts a workbook: it would allocate what two cells far apart span, and gives a
formula's result as if it were a value. So every XML part is gone through first, in small pieces,
with a parser that expands nothing.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from momokit.gateway.sheets.limits import MIB, Limits
from momokit.gateway.sheets.refusal import SheetRefused, refused

_CHUNK = 64 * 1024
_COLUMN = re.compile(r"[A-Z]{1,3}")
# What is tiny packs well; a ratio says something about large parts alone.
_RATIO_FROM_BYTES = 1 * MIB
_XML_DEPTH = 64


@dataclass(slots=True)
class Layout:
    """What one sheet holds, without its values: where cells are filled, and where by a formula.

    Rows and columns count from 0. `hidden_rows` are filled rows that somebody or a filter hid.
    """

    first_row: int = -1
    last_row: int = -1
    first_column: int = -1
    last_column: int = -1
    hidden_rows: int = 0
    first_hidden: int = -1
    # For each row, a bit for each column: a workbook of nothing but formulas stays small here.
    _formulas: dict[int, int] = field(default_factory=dict)

    def add(self, row: int, column: int) -> None:
        """Take in a filled cell."""
        if self.first_row < 0:
            self.first_row, self.first_column = row, column
        self.first_row = min(self.first_row, row)
        self.last_row = max(self.last_row, row)
        self.first_column = min(self.first_column, column)
        self.last_column = max(self.last_column, column)

    def add_formula(self, row: int, column: int) -> None:
        """Take in that a cell is filled by a formula."""
        self._formulas[row] = self._formulas.get(row, 0) | 1 << column

    def add_hidden(self, row: int) -> None:
        """Take in a filled row that is hidden."""
        self.first_hidden = row if self.first_hidden < 0 else self.first_hidden
        self.hidden_rows += 1

    def is_formula(self, row: int, column: int) -> bool:
        """Tell whether a cell's value is a formula's result."""
        return bool(self._formulas) and bool(self._formulas.get(row, 0) >> column & 1)

    @property
    def span(self) -> int:
        """How many cells the rectangle around the filled ones has."""
        if self.first_row < 0:
            return 0
        rows = self.last_row - self.first_row + 1
        return rows * (self.last_column - self.first_column + 1)


def look_through(stream: BinaryIO, *, limits: Limits) -> dict[str, Layout]:
    """For each sheet's name, its layout. Raises SheetRefused for what must not be loaded."""
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            return _look(archive, limits)
    except SheetRefused:
        raise
    # What a damaged archive raises is not one class: zipfile lets several through.
    except (
        zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, expat.ExpatError, NotImplementedError,
        RuntimeError, EOFError, OSError, ValueError, KeyError, UnicodeError, LookupError,
        OverflowError, MemoryError,
    ):  # fmt: skip
        raise refused("damaged") from None
    finally:
        stream.seek(0)


def _look(archive: zipfile.ZipFile, limits: Limits) -> dict[str, Layout]:
    entries = archive.infolist()
    names = {_part_name(entry.filename) for entry in entries}
    _check_kind(names)
    if len(entries) > limits.max_entries:
        raise refused("too_many_parts", limit=limits.max_entries)
    if len(names) != len(entries) or any(".." in name or "\\" in name for name in names):
        # Two parts of one name, or names with turns in them: readers differ in which they take.
        raise refused("damaged")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise refused("encrypted")
    budget = _Budget(limits)
    layouts: dict[str, Layout] = {}
    parts = _Parts()
    directories = {_WORKBOOK: parts, _RELATIONS: parts, _PACKAGE: _Parts()}
    for entry in entries:
        name = _part_name(entry.filename)
        if not name.endswith((".xml", ".rels")):
            for _ in budget.chunks(archive, entry):
                pass
            continue
        reader = _PartReader(limits, directories.get(name))
        for chunk in budget.chunks(archive, entry):
            reader.feed(chunk)
        reader.feed(b"", final=True)
        layouts[name] = reader.layout
    found = {s: layouts[part] for s, part in parts.of_sheets().items() if part in layouts}
    _check_spans(found, limits)
    return found


def _check_spans(layouts: dict[str, Layout], limits: Limits) -> None:
    """All sheets together: each is loaded while a table is looked for in it."""
    if sum(layout.span for layout in layouts.values()) > limits.max_cells:
        name, widest = max(layouts.items(), key=lambda one: one[1].span)
        raise refused("too_spread", row=widest.last_row + 1, sheet=name)


_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_PACKAGE = "_rels/.rels"


def _part_name(name: str) -> str:
    """A part's name as the loader looks it up: whatever its case."""
    return name.lstrip("/").lower()


def _check_kind(names: set[str]) -> None:
    if any(name.endswith("vbaproject.bin") for name in names):
        raise refused("macros")
    if "xl/workbook.bin" in names:
        raise refused("other_format", kind="XLSB")
    if _WORKBOOK in names:
        return
    if "word/document.xml" in names:
        raise refused("other_format", kind="DOCX")
    if "content.xml" in names:
        raise refused("other_format", kind="ODS")
    raise refused("other_format", kind="ZIP")


class _Budget:
    """Counts what comes out of the archive, whatever the archive says of itself."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._unpacked = 0

    def chunks(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        unpacked = 0
        with archive.open(entry) as part:
            while chunk := part.read(_CHUNK):
                unpacked += len(chunk)
                self._unpacked += len(chunk)
                if self._unpacked > self._limits.max_unpacked_bytes:
                    limit = self._limits.max_unpacked_bytes // MIB
                    raise refused("unpacks_too_large", limit=limit)
                ratio = unpacked / max(entry.compress_size, 1)
                if unpacked > _RATIO_FROM_BYTES and ratio > self._limits.max_ratio:
                    raise refused("unpacks_too_much", limit=self._limits.max_ratio)
                yield chunk


class _Parts:
    """Which part of the archive is which sheet, as the workbook's own directory has it."""

    def __init__(self) -> None:
        self.sheets: dict[str, str] = {}
        self.targets: dict[str, str] = {}

    def of_sheets(self) -> dict[str, str]:
        return {
            name: self._path(self.targets[key])
            for name, key in self.sheets.items()
            if key in self.targets
        }

    @staticmethod
    def _path(target: str) -> str:
        if ".." in target:
            raise refused("damaged")
        return _part_name(target if target.startswith("/") else f"xl/{target}")


class _PartReader:
    """Goes through one XML part in pieces; nothing is expanded and nothing kept but the layout."""

    def __init__(self, limits: Limits, parts: _Parts | None) -> None:
        self.layout = Layout()
        self._limits = limits
        self._parts = parts
        self._depth = 0
        self._row = self._column = -1
        self._told = ""
        self._is_placed = False
        self._is_sheet = self._is_hidden = False
        self._locals: dict[str, str] = {}
        self._columns: dict[str, int] = {}
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse_entities
        self._parser.EntityDeclHandler = self._refuse_entities

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        self._parser.Parse(chunk, final)

    def _refuse_entities(self, *_: object) -> None:
        raise refused("entities")

    def _end(self, _: str) -> None:
        self._depth -= 1

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _XML_DEPTH:
            raise refused("damaged")
        local = self._locals.get(name) or self._local(name)
        if not self._is_sheet:
            self._is_sheet = self._depth == 1 and local == "worksheet"
            if self._parts is not None:
                self._in_directory(local, attributes, self._parts)
        elif local == "c":
            self._told = attributes.get("r", "")
            self._is_placed = False
            self._column += 1
        elif local in ("v", "is", "f"):
            self._fill(is_formula=local == "f")
        elif local == "row":
            told = attributes.get("r", "")
            self._row = int(told) - 1 if told.isdigit() and len(told) < 8 else self._row + 1
            self._column = -1
            self._is_hidden = attributes.get("hidden") in ("1", "true")

    def _local(self, name: str) -> str:
        """The name without its namespace, to which the loader pays no heed either."""
        local = name.rpartition(" ")[2]
        if len(self._locals) < 1000:
            self._locals[name] = local
        return local

    def _in_directory(self, local: str, attributes: dict[str, str], parts: _Parts) -> None:
        if local == "sheet":
            key = next((v for k, v in attributes.items() if k.endswith(" id")), "")
            name = attributes.get("name", "")
            if name in parts.sheets:
                raise refused("damaged")
            parts.sheets[name] = key
        elif local == "Relationship":
            target = attributes.get("Target", "")
            if attributes.get("Type", "").lower().endswith("/officedocument"):
                # The loader goes where this points; nothing else may be looked through for it.
                if _part_name(target) != _WORKBOOK:
                    raise refused("damaged")
            else:
                parts.targets[attributes.get("Id", "")] = target

    def _fill(self, *, is_formula: bool) -> None:
        """Take in that the present cell holds something; a formula and its result come one by
        one."""
        if not self._is_placed:
            self._place(self._told)
            self._is_placed = True
            row, column, layout = self._row, self._column, self.layout
            if (
                row != layout.last_row
                or column > layout.last_column
                or column < layout.first_column
            ):
                layout.add(row, column)
                self._check()
            if self._is_hidden:
                layout.add_hidden(row)
                self._is_hidden = False
        if is_formula:
            self.layout.add_formula(self._row, self._column)

    def _place(self, told: str) -> None:
        if not told:
            self._row = max(self._row, 0)
            return
        letters = told.rstrip("0123456789")
        digits = told[len(letters) :]
        column = self._columns.get(letters)
        if column is None:
            column = self._columns[letters] = _column_of(letters)
        if not 0 < len(digits) < 8 or digits == "0":
            raise refused("damaged")
        self._column = column
        self._row = int(digits) - 1

    def _check(self) -> None:
        layout, limits = self.layout, self._limits
        if layout.last_row - layout.first_row > limits.max_rows + 50:
            raise refused("too_many_rows", row=layout.last_row + 1, limit=limits.max_rows)
        if layout.last_column - layout.first_column >= limits.max_columns:
            row = self._row + 1
            raise refused("too_many_columns", row=row, limit=limits.max_columns)


def _column_of(letters: str) -> int:
    if not _COLUMN.fullmatch(letters):
        raise refused("damaged")
    column = 0
    for character in letters:
        column = column * 26 + ord(character) - ord("A") + 1
    return column - 1
