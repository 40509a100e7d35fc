"""How well the name in a file fits the name that MTN has for the number.

Names are compared word by word, whatever their order: people write family or given name first,
leave middle names out, put initials for them, drop accents and apostrophes, and forms cut long
names off.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

MATCHED_FROM = 85
_MAX_WORDS = 12
_MAX_TEXT = 200
_LETTERS = str.maketrans(
    {
        "œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ı": "i", "ɛ": "e", "ɔ": "o", "ŋ": "ng",
        "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y", "ł": "l", "đ": "d", "ɖ": "d", "ƒ": "f", "ʋ": "v",
        "ɣ": "g", "ə": "e",
    }
)  # fmt: skip
_APOSTROPHES = re.compile(r"['’‘ʼʻ`´]")
# Titles say nothing about who somebody is.
_TITLES = frozenset(
    {
        "mr", "mrs", "ms", "miss", "dr", "prof", "professor", "rev", "reverend", "pastor", "hon",
        "honourable", "eng", "sir", "madam", "m", "mme", "mlle", "monsieur", "madame",
        "mademoiselle", "docteur", "me", "maitre", "pr",
    }
)  # fmt: skip
# Below this, two words are two names; a letter or two of difference is a way of spelling.
_WORD_FROM = 0.82
_TRUNCATED_FROM = 3


class Verdict(StrEnum):
    """Three answers, and never a fourth: no answer from MTN is no match and no mismatch."""

    MATCHED = "matched"
    DIFFERS = "differs"
    COULD_NOT_CHECK = "could_not_check"


@dataclass(frozen=True, kw_only=True, slots=True)
class NameCheck:
    """A verdict with its score from 0 to 100; None when nothing could be compared."""

    verdict: Verdict
    score: int | None


COULD_NOT_CHECK = NameCheck(verdict=Verdict.COULD_NOT_CHECK, score=None)


def compare(
    claimed: str | None,
    *,
    given: str | None,
    family: str | None,
    matched_from: int = MATCHED_FROM,
) -> NameCheck:
    """For holding a file's name against MTN's given and family name; either may be missing.

    A name of ours or MTN's without a letter in it (None, blank, "OK", asterisks) is no answer:
    `could_not_check`.
    """
    ours, theirs = name_words(claimed or ""), name_words(f"{given or ''} {family or ''}")
    if not _says_who(ours) or not _says_who(theirs):
        return COULD_NOT_CHECK
    score = similarity(ours, theirs)
    verdict = Verdict.MATCHED if score >= matched_from else Verdict.DIFFERS
    return NameCheck(verdict=verdict, score=score)


def name_words(text: str) -> tuple[str, ...]:
    """For comparing: the words of a name without case, accents, apostrophes, dots and titles."""
    plain = unicodedata.normalize("NFKC", text[:_MAX_TEXT]).casefold().translate(_LETTERS)
    bare = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    joined = _APOSTROPHES.sub("", bare)
    words = "".join(c if c.isalpha() else " " for c in joined).split()
    kept = [word for word in words if word not in _TITLES]
    return tuple((kept or words)[:_MAX_WORDS])


# What systems put where they have no name.
_NO_NAMES = frozenset({"ok", "na", "null", "none", "unknown", "inconnu", "test", "user", "xxx"})


def _says_who(words: tuple[str, ...]) -> bool:
    return any(len(word) > 1 and word not in _NO_NAMES for word in words)


def similarity(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """For a score from 0 to 100: how much of the shorter name is found in the longer one.

    The same words in another order score 100, and the order of the arguments does not matter. One
    full name in common is not enough for a match when the names have more to say.
    """
    one, other = _joined(one, like=other), _joined(other, like=one)
    if sorted(one) == sorted(other):
        return 100
    fewer, more = sorted((one, other), key=lambda words: (len(words), sorted(words)))
    pairs = _pair(fewer, more)
    weight = sum(_weight(word) for word in fewer)
    found = sum(_weight(word) * pairs.get(place, 0.0) for place, word in enumerate(fewer))
    score = found / weight
    full = [place for place, word in enumerate(fewer) if len(word) > 1 and place in pairs]
    if len(full) < min(2, len(more)):
        # A single word in common, with the rest missing or an initial: it could be a brother.
        score *= 0.75 if len(fewer) == 1 or not _initials_agree(fewer, pairs) else 0.88
    surplus = len(more) - len(fewer)
    return max(0, min(99, round(100 * (score - 0.02 * surplus))))


def _joined(words: tuple[str, ...], *, like: tuple[str, ...]) -> tuple[str, ...]:
    """Two words as one where the other name writes them so: "N Guessan" and "Nguessan"."""
    left = sorted(words)
    for whole in sorted(set(like) - set(left)):
        parts = next(
            (
                (a, b)
                for a in left
                for b in left
                if a + b == whole and (a != b or left.count(a) > 1)
            ),
            None,
        )
        if parts is not None:
            left.remove(parts[0])
            left.remove(parts[1])
            left = sorted([*left, whole])
    return tuple(left)


def _initials_agree(words: tuple[str, ...], pairs: dict[int, float]) -> bool:
    return all(place in pairs for place in range(len(words)))


def _weight(word: str) -> float:
    return 0.4 if len(word) == 1 else min(1.0 + 0.1 * len(word), 2.0)


def _pair(fewer: tuple[str, ...], more: tuple[str, ...]) -> dict[int, float]:
    """Give each word of the shorter name its best partner, the surest pairs first."""
    likeness = sorted(
        (
            (_alike(mine, yours), mine, yours, i, j)
            for i, mine in enumerate(fewer)
            for j, yours in enumerate(more)
        ),
        key=lambda one: (-one[0], one[1], one[2]),
    )
    pairs: dict[int, float] = {}
    taken: set[int] = set()
    for ratio, _, _, i, j in likeness:
        if ratio >= _WORD_FROM and i not in pairs and j not in taken:
            pairs[i] = ratio
            taken.add(j)
    return pairs


def _alike(one: str, other: str) -> float:
    """How alike two words are, from 0 to 1; the same both ways round."""
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=lambda word: (len(word), word))
    if long.startswith(short) and (len(short) == 1 or len(short) >= _TRUNCATED_FROM):
        # An initial, or a name that a form has cut off.
        return 0.95
    if len(short) < 3:
        return 0.0
    return SequenceMatcher(None, short, long, autojunk=False).ratio()
