"""The texts that travel with a payment: notes and external ids, checked or cleaned for MTN.

MTN answers a bad note by refusing the whole payment (400), and publishes no list of what it
takes. It names 160 characters in one place and 128 in another, and the apostrophe and the
ampersand as refused. So the rule here is the safe core of both: at most 128 characters of
unaccented letters, digits, space and `. , - _ /`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from momokit.errors import InvalidInput

NOTE_MAX_LENGTH = 128
EXTERNAL_ID_MAX_LENGTH = 64
NOTE_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,-_/")

_APOSTROPHES = frozenset("'’‘ʼ`´")
_WORDS = {"&": " and ", "@": " at ", "%": " percent ", "+": " plus "}
_LETTERS = {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "ı": "i"}
_LETTERS |= {"ɛ": "e", "Ɛ": "E", "ɔ": "o", "Ɔ": "O", "ŋ": "ng", "Ŋ": "Ng", "ł": "l", "Ł": "L"}
_LETTERS |= {"đ": "d", "Đ": "D", "ɖ": "d", "Ɖ": "D", "ƒ": "f", "Ƒ": "F"}


@dataclass(frozen=True, slots=True)
class CleanedNote:
    """For showing what a cleaning did: the text that may be sent, and each change in words."""

    text: str
    changes: tuple[str, ...] = ()


def check_note(text: str, *, field: str, max_length: int = NOTE_MAX_LENGTH) -> str:
    """For refusing a note that MTN would refuse, before anything is sent; gives the note back.

    Raises InvalidInput naming `field`, the first bad character and its position (from 1).
    """
    _check_is_text(text, field=field)
    if not text.strip():
        raise InvalidInput(
            "A note cannot be empty.", field=field, hint="Leave the argument out instead."
        )
    for position, character in enumerate(text, start=1):
        if character not in NOTE_CHARACTERS:
            raise InvalidInput(
                f"Character {position} of the note, {_named(character)}, is not safe with MTN.",
                field=field,
                hint="Use unaccented letters, digits, space and . , - _ / or call clean_note().",
            )
    if len(text) > max_length:
        raise InvalidInput(
            f"The note has {len(text)} characters; at most {max_length} are allowed.",
            field=field,
            hint="Shorten it, or call clean_note(), which cuts between words.",
        )
    return text


def clean_note(text: str, *, field: str = "note", max_length: int = NOTE_MAX_LENGTH) -> CleanedNote:
    """For making any text fit to be a note, with a list of what was changed to show the user.

    Raises InvalidInput when nothing would be left.
    """
    _check_is_text(text, field=field)
    changes: dict[str, None] = {}
    folded = "".join(
        _cleaned(character, changes) for character in unicodedata.normalize("NFC", text)
    )
    spaced = re.sub(r" +", " ", folded).strip()
    if not spaced:
        raise InvalidInput("Nothing of the note would be left after cleaning.", field=field)
    if spaced != folded:
        changes.setdefault("surplus spaces were removed")
    short = _cut(spaced, max_length=max_length)
    if short != spaced:
        changes.setdefault(f"the text was cut from {len(spaced)} to {len(short)} characters")
    return CleanedNote(short, tuple(changes))


def check_external_id(text: str, *, field: str = "external_id") -> str:
    """For refusing an external id that MTN would refuse or garble; gives it back.

    It is 1 to 64 visible ASCII characters, with no spaces. Raises InvalidInput naming `field`.
    """
    _check_is_text(text, field=field)
    if not text:
        raise InvalidInput("An external id cannot be empty.", field=field)
    if len(text) > EXTERNAL_ID_MAX_LENGTH:
        raise InvalidInput(
            f"The external id has {len(text)} characters; at most {EXTERNAL_ID_MAX_LENGTH}"
            " are allowed.",
            field=field,
        )
    for position, character in enumerate(text, start=1):
        if not "!" <= character <= "~":
            raise InvalidInput(
                f"Character {position} of the external id, {_named(character)}, is not allowed.",
                field=field,
                hint="Use visible ASCII characters without spaces, for example 'order-1007'.",
            )
    return text


def _check_is_text(text: object, *, field: str) -> None:
    if not isinstance(text, str):
        raise InvalidInput(f"A string was expected, not {type(text).__name__}.", field=field)


def _cleaned(character: str, changes: dict[str, None]) -> str:
    """What is sent in place of this character; what was done to it is added to `changes`."""
    if character in NOTE_CHARACTERS:
        return character
    if character in _APOSTROPHES:
        changes.setdefault("apostrophes were removed")
        return ""
    if character in _WORDS:
        changes.setdefault(f"{character!r} was written as {_WORDS[character].strip()!r}")
        return _WORDS[character]
    if character.isspace() or unicodedata.category(character) == "Cc":
        changes.setdefault("line breaks and unusual spaces became plain spaces")
        return " "
    if unicodedata.category(character) == "Pd":
        changes.setdefault("dashes became hyphens")
        return "-"
    plain = _LETTERS.get(character) or _unaccented(character)
    if plain:
        changes.setdefault(f"{character!r} was written as {plain!r}")
        return plain
    changes.setdefault(f"{_named(character)} was removed")
    return " "


def _unaccented(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(c for c in decomposed if c in NOTE_CHARACTERS).strip()


def _cut(text: str, *, max_length: int) -> str:
    if len(text) <= max_length:
        return text
    head = text[: max_length + 1]
    # A word boundary is used only when it does not cost half of the text.
    boundary = head.rfind(" ")
    short = text[: boundary if boundary > max_length // 2 else max_length].rstrip()
    return short.rstrip(" ,-_/") or short


def _named(character: str) -> str:
    name = unicodedata.name(character, "").lower()
    shown = repr(character)
    return f"{shown} ({name})" if name else shown
