"""A spreadsheet that is refused as a whole: why, where, and what to do, in English and French."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from momokit._reason_words import Words
from momokit.errors import InvalidInput


class SheetRefused(InvalidInput):
    """A file cannot be read as a table; nothing of it was taken. Its field is `file`.

    `code` is stable; `words` says it in English and French; `row` and `column` (a title or a
    letter) name the place where there is one.
    """

    def __init__(
        self, *, code: str, what: Words, hint: Words, row: int | None = None, column: str = ""
    ) -> None:
        super().__init__(what.en, field="file", hint=hint.en)
        self.words = Words(f"{what.en} {hint.en}", f"{what.fr} {hint.fr}")
        self.code = code
        self.row = row
        self.column = column


class _Texts(NamedTuple):
    what: Words
    hint: Words


_SAVE_AS_XLSX = Words(
    "Open it in your spreadsheet program and save it as .xlsx or as CSV UTF-8.",
    "Ouvrez-le dans votre tableur et enregistrez-le en .xlsx ou en CSV UTF-8.",
)
_SAVE_AGAIN = Words(
    "Open it in your spreadsheet program, save it anew and try again.",
    "Ouvrez-le dans votre tableur, enregistrez-le de nouveau et réessayez.",
)
_SPLIT = Words("Split it into several files.", "Répartissez-le en plusieurs fichiers.")
_COPY_OUT = Words(
    "Copy the table alone into a new file.",
    "Copiez le tableau seul dans un nouveau fichier.",
)

_TEXTS: Mapping[str, _Texts] = {
    "empty": _Texts(
        Words("The file is empty.", "Le fichier est vide."),
        Words("Choose the right file.", "Choisissez le bon fichier."),
    ),
    "unreadable": _Texts(
        Words("The file could not be read.", "Le fichier n'a pas pu être lu."),
        Words("See whether it is there and may be read.", "Vérifiez qu'il existe et est lisible."),
    ),
    "too_large": _Texts(
        Words(
            "The file has more than {limit} MiB.",
            "Le fichier dépasse {limit} Mio.",
        ),
        _SPLIT,
    ),
    "too_many_rows": _Texts(
        Words(
            "The file has more than {limit} rows (see row {row}).",
            "Le fichier a plus de {limit} lignes (voir la ligne {row}).",
        ),
        _SPLIT,
    ),
    "too_many_columns": _Texts(
        Words(
            "Row {row} has more than {limit} columns.",
            "La ligne {row} a plus de {limit} colonnes.",
        ),
        _COPY_OUT,
    ),
    "too_spread": _Texts(
        Words(
            "The filled cells of the sheet “{sheet}” lie too far apart (down to row {row}).",
            "Les cellules remplies de la feuille « {sheet} » sont trop éloignées (jusqu'à la ligne"
            " {row}).",
        ),
        _COPY_OUT,
    ),
    "cell_too_long": _Texts(
        Words(
            "The cell in row {row}, column {column}, has more than {limit} characters.",
            "La cellule de la ligne {row}, colonne {column}, a plus de {limit} caractères.",
        ),
        Words("Shorten it.", "Raccourcissez-la."),
    ),
    "not_text": _Texts(
        Words(
            "The file is neither a CSV nor an XLSX file.",
            "Le fichier n'est ni un CSV ni un XLSX.",
        ),
        _SAVE_AS_XLSX,
    ),
    "other_format": _Texts(
        Words(
            "This is a file of another kind: {kind}.", "C'est un fichier d'un autre type : {kind}."
        ),
        _SAVE_AS_XLSX,
    ),
    "old_excel": _Texts(
        Words(
            "This is a workbook of Excel's old format (.xls).",
            "C'est un classeur à l'ancien format d'Excel (.xls).",
        ),
        _SAVE_AS_XLSX,
    ),
    "encrypted": _Texts(
        Words(
            "The workbook is protected by a password.",
            "Le classeur est protégé par un mot de passe.",
        ),
        Words("Save it without a password.", "Enregistrez-le sans mot de passe."),
    ),
    "macros": _Texts(
        Words("The workbook holds macros.", "Le classeur contient des macros."),
        Words("Save it as .xlsx, without macros.", "Enregistrez-le en .xlsx, sans macros."),
    ),
    "damaged": _Texts(
        Words("The workbook is damaged.", "Le classeur est endommagé."),
        _SAVE_AGAIN,
    ),
    "unpacks_too_large": _Texts(
        Words(
            "Unpacked, the workbook would have more than {limit} MiB.",
            "Décompressé, le classeur dépasserait {limit} Mio.",
        ),
        _COPY_OUT,
    ),
    "unpacks_too_much": _Texts(
        Words(
            "A part of the workbook unpacks to more than {limit} times its size, as no real one"
            " does.",
            "Une partie du classeur se décompresse à plus de {limit} fois sa taille, comme aucun"
            " vrai classeur.",
        ),
        _COPY_OUT,
    ),
    "too_many_parts": _Texts(
        Words(
            "The workbook has more than {limit} parts.",
            "Le classeur a plus de {limit} parties.",
        ),
        _COPY_OUT,
    ),
    "entities": _Texts(
        Words(
            "The workbook declares XML entities, as no spreadsheet program does.",
            "Le classeur déclare des entités XML, comme aucun tableur ne le fait.",
        ),
        _SAVE_AGAIN,
    ),
    "nul": _Texts(
        Words(
            "Row {row} holds a NUL character: the file is damaged or no text file.",
            "La ligne {row} contient un caractère NUL : le fichier est endommagé ou n'est pas du"
            " texte.",
        ),
        _SAVE_AS_XLSX,
    ),
    "bad_quote": _Texts(
        Words(
            "A quotation mark at about row {row} is not closed, or stands inside a cell.",
            "Vers la ligne {row}, un guillemet n'est pas fermé ou se trouve dans une cellule.",
        ),
        Words(
            "Correct the row, or save the file as .xlsx.",
            "Corrigez la ligne ou enregistrez le fichier en .xlsx.",
        ),
    ),
    "no_header": _Texts(
        Words(
            "No row names the columns that are needed.",
            "Aucune ligne ne nomme les colonnes nécessaires.",
        ),
        Words(
            "Put titles above the columns, for payments at least “phone” and “amount”, or begin"
            " with the template.",
            "Mettez des titres au-dessus des colonnes, pour des paiements au moins « téléphone » et"
            " « montant », ou partez du modèle.",
        ),
    ),
    "two_tables": _Texts(
        Words(
            "The sheets “{sheet}” and “{other}” both hold a table.",
            "Les feuilles « {sheet} » et « {other} » contiennent toutes deux un tableau.",
        ),
        Words("Keep one of them in the file.", "Gardez-en une seule dans le fichier."),
    ),
    "two_columns": _Texts(
        Words(
            "The columns “{column}” and “{other}” could both be meant.",
            "Les colonnes « {column} » et « {other} » pourraient toutes deux convenir.",
        ),
        Words(
            "Rename or remove the one that is not meant.",
            "Renommez ou supprimez celle qui n'est pas voulue.",
        ),
    ),
}

CODES = frozenset(_TEXTS)
"""Every reason for which a file is refused."""


def refused(
    code: str, /, *, row: int | None = None, column: str = "", **facts: object
) -> SheetRefused:
    """For raising: the refusal with this code, its texts filled in."""
    texts = _TEXTS[code]
    named = {"row": row if row is not None else "?", "column": column, **facts}
    return SheetRefused(
        code=code,
        what=Words(texts.what.en.format_map(named), texts.what.fr.format_map(named)),
        hint=texts.hint,
        row=row,
        column=column,
    )
