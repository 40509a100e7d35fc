"""Names in a file against MTN's: what one person is called in many ways, and who is another."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.gateway.core.names import (
    MATCHED_FROM,
    Verdict,
    compare,
    name_words,
    similarity,
)

# The file's name, MTN's given name, MTN's family name.
SAME = [
    # Order and case.
    ("Okello John", "John", "Okello"),
    ("OKELLO JOHN", "John", "Okello"),
    ("Uwimana Jean de Dieu", "Jean de Dieu", "UWIMANA"),
    ("Chimwemwe Banda", "Banda", "Chimwemwe"),
    # Accents, apostrophes, hyphens and letters that some keyboards lack.
    ("Ouedraogo Aminata", "Aminata", "Ouédraogo"),
    ("Aïssatou Bâ", "Aissatou", "Ba"),
    ("N'Guessan Koffi", "Koffi", "NGuessan"),
    ("N’Guessan Kouassi Jean-Baptiste", "Jean Baptiste", "N'Guessan"),
    ("N Guessan Koffi", "Koffi", "Nguessan"),
    ("Ama Owusu-Ansah", "Ama", "Owusu Ansah"),
    ("Ama OwusuAnsah", "Ama", "Owusu Ansah"),
    ("Kɔfi Mɛnsah", "Kofi", "Mensah"),
    ("Hɔunnɔn Sènami", "Senami", "Hounnon"),
    ("D'Almeida Kokou", "Kokou", "Dalmeida"),
    # Middle names left out, on either side.
    ("John Peter Okello", "John", "Okello"),
    ("Moses Kato", "Moses", "Kato Wasswa"),
    ("Mbarga Atangana Marie-Thérèse", "Marie Therese", "Mbarga"),
    ("Kwame Nkrumah Mensah", "Kwame", "Mensah"),
    # Initials.
    ("OKELLO J.", "John", "Okello"),
    ("J. Okello", "John", "Okello"),
    ("Sipho Dlamini", "S", "Dlamini"),
    ("Okello J P", "John Peter", "Okello"),
    # Ways of spelling, and what forms cut off.
    ("Nakato Sarah", "Sarah", "Nakatto"),
    ("Mohammed Diallo", "Mohamed", "Diallo"),
    ("Moussa Traore", "Mousa", "Traoré"),
    ("Chukwuemek Okonkwo", "Chukwuemeka", "Okonkwo"),
    ("Ndayisenga Emmanue", "Emmanuel", "Ndayisenga"),
    # Titles, and a single name that is all there is.
    ("Mme Fatou Ndiaye", "Fatou", "Ndiaye"),
    ("Hon. Okello John", "John", "Okello"),
    ("Otieno", "Otieno", ""),
    ("Otieno", None, "Otieno"),
]
OTHERS = [
    ("Okello John", "Peter", "Okello"),
    ("Okello John", "John", "Opio"),
    ("John Okello", "Joan", "Okello"),
    ("Okello J.", "Peter", "Okello"),
    ("Mary Akello", "Grace", "Nansubuga"),
    ("Mohamed Diallo", "Mamadou", "Diallo"),
    ("Wasswa Kato", "Moses", "Kato"),
    ("Awa Traoré", "Fatoumata", "Traoré"),
    ("Chukwuemeka Okonkwo", "Chinedu", "Okonkwo"),
    ("Uwase Marie", "Marie", "Uwimana"),
    ("Kofi Mensah", "Kwame", "Mensah"),
    ("Amina", "Aminata", "Keita"),
    # One name alone says too little about who has two.
    ("Okello", "John", "Okello"),
    ("John", "John", "Okello"),
]
NAMES = sorted({part for row in SAME + OTHERS for part in row if part})


@pytest.mark.parametrize(("claimed", "given_name", "family"), SAME)
def test_one_person_is_matched(claimed: str, given_name: str | None, family: str) -> None:
    """However the name is written, spelled, ordered or cut."""
    assert compare(claimed, given=given_name, family=family).verdict is Verdict.MATCHED


@pytest.mark.parametrize(("claimed", "given_name", "family"), OTHERS)
def test_another_person_differs(claimed: str, given_name: str, family: str) -> None:
    """A family name in common does not make a brother the payee."""
    assert compare(claimed, given=given_name, family=family).verdict is Verdict.DIFFERS


@pytest.mark.parametrize(
    ("claimed", "given_name", "family"),
    [
        (None, "John", "Okello"),
        ("", "John", "Okello"),
        ("Okello", None, None),
        ("Okello", "", "  "),
        ("Okello", "OK", ""),
        ("Okello", "N/A", None),
        ("Okello", "***", "1234"),
        ("12345", "John", "Okello"),
        ("Okello John", "J", "O"),
    ],
)
def test_no_answer_is_neither_match_nor_mismatch(
    claimed: str | None, given_name: str | None, family: str | None
) -> None:
    """Where one side says no name, nothing was checked, and there is no score."""
    found = compare(claimed, given=given_name, family=family)

    assert (found.verdict, found.score) == (Verdict.COULD_NOT_CHECK, None)


def test_the_threshold_can_be_set() -> None:
    """A house may ask for more, and for less."""
    strict = compare("Okello J.", given="John", family="Okello", matched_from=95)
    loose = compare("Okello", given="John", family="Okello", matched_from=60)

    assert (strict.verdict, loose.verdict) == (Verdict.DIFFERS, Verdict.MATCHED)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_equals_itself_in_any_dress(name: str) -> None:
    """Case, accents as one character or two, and spaces make no difference: 100."""
    dresses = [
        name.upper(),
        name.lower(),
        unicodedata.normalize("NFD", name),
        f"  {name.replace(' ', '   ')} ",
    ]
    words = name_words(name)

    assert {similarity(words, name_words(dress)) for dress in dresses} == {100}


WORDS = st.lists(
    st.one_of(
        st.sampled_from(sorted({word for name in NAMES for word in name_words(name)})),
        st.text("abdekmnosu", min_size=1, max_size=9),
    ),
    min_size=1,
    max_size=5,
).map(tuple)


@given(one=WORDS, other=WORDS)
def test_the_score_is_the_same_both_ways(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """Which of the two names comes from MTN does not matter, and the score is from 0 to 100."""
    score = similarity(one, other)

    assert score == similarity(other, one)
    assert 0 <= score <= 100


@given(one=WORDS, other=WORDS, data=st.data())
def test_the_order_of_words_does_not_matter(
    one: tuple[str, ...], other: tuple[str, ...], data: st.DataObject
) -> None:
    """Family name first or last, it is the same name."""
    turned = tuple(data.draw(st.permutations(one)))

    assert similarity(turned, other) == similarity(one, other)


@given(words=WORDS, data=st.data())
def test_only_the_same_words_score_100(words: tuple[str, ...], data: st.DataObject) -> None:
    """Equal names score 100 in any order; a name with something to it scores less."""
    turned = tuple(data.draw(st.permutations(words)))

    assert similarity(words, turned) == 100
    assert similarity(words, (*words, "zzyzx")) < 100


@given(claimed=st.text(max_size=40), given_name=st.text(max_size=20), family=st.text(max_size=20))
def test_no_text_raises(claimed: str, given_name: str, family: str) -> None:
    """Whatever MTN or a file says, there is a verdict, and a score exactly when it was compared."""
    found = compare(claimed, given=given_name, family=family)

    assert (found.score is None) == (found.verdict is Verdict.COULD_NOT_CHECK)
    assert found.score is None or (found.score >= MATCHED_FROM) == (
        found.verdict is Verdict.MATCHED
    )
