"""A spreadsheet that is refused as a whole: why, where, and what to do, in English and French."""

from __future__ import annotations

from momokit._reason_words import Words
from momokit.errors import InvalidInput


class SheetRefused(InvalidInput):
    """A file cannot be read as a table; nothing of it was taken.

    `code` is stable; `words` says it in English and French; `row` and `column` (a header or a
    letter) name the place where there is one. Its field is `file`.
    """

    def __init__(
        self, words: Words, *, code: str, hint: Words, row: int | None = None, column: str = ""
    ) -> None:
        super().__init__(words.en, field="file", hint=hint.en)
        self.words = Words(f"{words.en} {hint.en}", f"{words.fr} {hint.fr}")
        self.code = code
        self.row = row
        self.column = column
