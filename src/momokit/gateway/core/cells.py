"""A cell and a row of a spreadsheet, as they were in the file: what is given back is what came."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class CellKind(StrEnum):
    """What a spreadsheet took a cell for; a CSV file knows text and nothing else."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    TRUTH = "truth"
    FORMULA = "formula"
    FAULT = "fault"


class Cell(NamedTuple):
    """One cell: its text, exact and in full, and what the spreadsheet took it for.

    A number is written out in plain digits, a date as ISO 8601 has it; a formula's text is the
    result that the file holds for it.
    """

    text: str
    kind: CellKind = CellKind.TEXT


class Row(NamedTuple):
    """One row, numbered as the spreadsheet numbers it: from 1, blank rows counted."""

    number: int
    cells: tuple[Cell, ...]


EMPTY = Cell("")

_LETTERS = {
    CellKind.TEXT: "t",
    CellKind.NUMBER: "n",
    CellKind.DATE: "d",
    CellKind.TRUTH: "b",
    CellKind.FORMULA: "f",
    CellKind.FAULT: "e",
}
_KINDS = {letter: kind for kind, letter in _LETTERS.items()}


def pack_cells(cells: Sequence[Cell]) -> list[str]:
    """For storing cells as a JSON array of strings: a letter for the kind, then the text."""
    return [f"{_LETTERS[cell.kind]}{cell.text}" for cell in cells]


def unpack_cells(packed: Sequence[str]) -> tuple[Cell, ...]:
    """For having back what `pack_cells` made."""
    return tuple(Cell(text[1:], _KINDS[text[:1]]) for text in packed)
