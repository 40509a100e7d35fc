"""Notes and external ids: refused with the reason, or cleaned with a list of the changes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from momokit.errors import InvalidInput
from momokit.notes import NOTE_CHARACTERS, CleanedNote, check_external_id, check_note, clean_note


@pytest.mark.parametrize(
    "text", ["Pay for product a", "Invoice 2026/11-7, part 2.", "x", "a_b", "y" * 128]
)
def test_a_good_note_is_given_back(text: str) -> None:
    """What MTN is known to take passes unchanged."""
    assert check_note(text, field="payer_message") == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be empty"),
        ("   ", "cannot be empty"),
        ("it's", 'Character 3 of the note, "\'" (apostrophe)'),
        ("salt & pepper", "Character 6 of the note, '&' (ampersand)"),
        ("Café", "Character 4 of the note"),
        ("a\nb", "Character 2 of the note"),
        ("emoji 🎉", "Character 7 of the note"),
        ("y" * 129, "129 characters; at most 128"),
        (None, "not NoneType"),
        (5, "not int"),
    ],
)
def test_a_bad_note_is_refused_with_position_and_character(text: object, words: str) -> None:
    """The first bad character is named, so that the sender can find it."""
    with pytest.raises(InvalidInput) as caught:
        check_note(text, field="payee_note")  # type: ignore[arg-type]
    assert caught.value.field == "payee_note"
    assert words in str(caught.value)


def test_the_longer_limit_is_available() -> None:
    """A field with MTN's larger limit is checked against that."""
    assert check_note("y" * 160, field="notification_message", max_length=160) == "y" * 160
    with pytest.raises(InvalidInput, match="161 characters; at most 160"):
        check_note("y" * 161, field="notification_message", max_length=160)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Plain text", CleanedNote("Plain text")),
        ("Don't", CleanedNote("Dont", ("apostrophes were removed",))),
        ("Salt&pepper", CleanedNote("Salt and pepper", ("'&' was written as 'and'",))),
        ("Éléphant", CleanedNote("Elephant", ("'É' was written as 'E'", "'é' was written as 'e'"))),
        ("cœur", CleanedNote("coeur", ("'œ' was written as 'oe'",))),
        ("a – b", CleanedNote("a - b", ("dashes became hyphens",))),
        ("  a  b ", CleanedNote("a b", ("surplus spaces were removed",))),
        (
            "a\nb",
            CleanedNote("a b", ("line breaks and unusual spaces became plain spaces",)),
        ),
        (
            "Bon 🎉",
            CleanedNote("Bon", ("'🎉' (party popper) was removed", "surplus spaces were removed")),
        ),
        ("٣ bags", CleanedNote("3 bags", ("'٣' was written as '3'",))),
    ],
)
def test_cleaning_says_what_it_changed(text: str, cleaned: CleanedNote) -> None:
    """Each kind of change is reported once, in words; an untouched note reports none."""
    assert clean_note(text) == cleaned


def test_cleaning_cuts_between_words() -> None:
    """A long note ends at a whole word, and the cut is reported."""
    cleaned = clean_note("word " * 40)
    assert cleaned.text == ("word " * 25).strip()
    assert cleaned.changes[-1] == "the text was cut from 199 to 124 characters"
    assert len(clean_note("y" * 300).text) == 128
    assert clean_note("word wo word", max_length=7).text == "word wo"


def test_nothing_left_is_refused() -> None:
    """A note of signs alone is refused and not sent empty."""
    with pytest.raises(InvalidInput, match="Nothing of the note would be left"):
        clean_note("🎉'’")


@given(st.text(max_size=400), st.integers(min_value=1, max_value=160))
@example("/0", 1)
def test_every_cleaned_note_passes_the_check(text: str, max_length: int) -> None:
    """Whatever goes in, what comes out is a note; cleaning it again changes nothing."""
    try:
        cleaned = clean_note(text, max_length=max_length)
    except InvalidInput:
        return
    assert check_note(cleaned.text, field="note", max_length=max_length) == cleaned.text
    assert clean_note(cleaned.text, max_length=max_length) == CleanedNote(cleaned.text)
    assert (cleaned.changes == ()) == (cleaned.text == text)


@given(st.text(alphabet=sorted(NOTE_CHARACTERS), min_size=1, max_size=128))
def test_an_allowed_note_is_cleaned_of_surplus_spaces_only(text: str) -> None:
    """Cleaning does not touch what may be sent."""
    if text.strip():
        assert clean_note(text).text == " ".join(part for part in text.split(" ") if part)


@pytest.mark.parametrize("text", ["1", "order-1007", "INV/2026#7:a", "x" * 64])
def test_a_good_external_id_is_given_back(text: str) -> None:
    """Visible ASCII of a sane length passes."""
    assert check_external_id(text) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be empty"),
        ("a b", "Character 2 of the external id, ' ' (space)"),
        ("a\n", "Character 2"),
        ("é", "Character 1"),
        ("x" * 65, "65 characters; at most 64"),
        (1007, "not int"),
    ],
)
def test_a_bad_external_id_is_refused(text: object, words: str) -> None:
    """The field and the place are named."""
    with pytest.raises(InvalidInput) as caught:
        check_external_id(text)  # type: ignore[arg-type]
    assert caught.value.field == "external_id"
    assert words in str(caught.value)
