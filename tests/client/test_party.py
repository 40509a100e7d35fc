"""Phone numbers and parties: read as people write them, never rewritten, never shown."""

from __future__ import annotations

import pickle
import traceback
import uuid

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from momokit.errors import InvalidInput
from momokit.market import MARKETS, Market, market
from momokit.party import MSISDN, Party, PathOperation

COUNTRIES = [one for one in MARKETS if not one.is_sandbox]


def mobile_pattern(one: Market) -> str:
    """The independent data's pattern of this country's mobile numbers."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(one.iso2)
    assert metadata is not None
    assert metadata.mobile is not None
    return str(metadata.mobile.national_number_pattern)


def in_tens(one: Market) -> st.SearchStrategy[tuple[Market, str]]:
    """Valid mobile numbers of one country, of the lengths that MTN's market has."""
    numbers = st.from_regex(mobile_pattern(one), fullmatch=True, alphabet="0123456789")
    usable = numbers.filter(lambda n: len(n) in one.national_lengths)
    return usable.map(lambda n: (one, n))


MOBILES = st.sampled_from(COUNTRIES).flatmap(in_tens)
SEPARATORS = st.sampled_from(["", " ", "-", ".", "\u00a0", "\u202f", " - "])


def spread(text: str, separator: str) -> str:
    """The text with a separator after every third character."""
    return separator.join(text[i : i + 3] for i in range(0, len(text), 3))


def read(text: str, *, market: Market) -> MSISDN | InvalidInput:
    """The number, or its refusal, as a value to look at."""
    try:
        return MSISDN.parse(text, market=market)
    except InvalidInput as refusal:
        return refusal


@given(MOBILES, SEPARATORS)
def test_every_written_form_of_a_number_gives_the_same_digits(
    number: tuple[Market, str], separator: str
) -> None:
    """In every market, all forms of a mobile number are one number, as the oracle reads it."""
    one, national = number
    expected = one.calling_code + national
    oracle = phonenumbers.parse(f"+{expected}", None)
    assert phonenumbers.format_number(oracle, phonenumbers.PhoneNumberFormat.E164) == f"+{expected}"
    forms = [f"+{expected}", f"00{expected}", expected, f"+{one.calling_code} {national}"]
    forms.append(one.trunk_prefix + national)
    if one.trunk_prefix:
        forms.append(f"+{one.calling_code} (0) {national}")
    for form in forms:
        assert MSISDN.parse(spread(form, separator), market=one).digits == expected
    assert MSISDN.parse(f"+{expected}", market=one).national == national


@given(MOBILES)
def test_a_bare_national_number_is_read_or_refused_as_ambiguous(
    number: tuple[Market, str],
) -> None:
    """Without any prefix, a number is this market's own or refused; never another number."""
    one, national = number
    result = read(national, market=one)
    if isinstance(result, InvalidInput):
        assert "two ways" in result.message
    else:
        assert result.digits == one.calling_code + national


@given(MOBILES, st.sampled_from(COUNTRIES))
def test_a_number_never_changes_its_country(number: tuple[Market, str], other: Market) -> None:
    """A number written with its country code is refused by every other market."""
    one, national = number
    assume(one is not other)
    for form in (f"+{one.calling_code}{national}", f"00{one.calling_code}{national}"):
        with pytest.raises(InvalidInput) as caught:
            MSISDN.parse(form, market=other)
        assert caught.value.field == "msisdn"
        assert one.country in caught.value.message


@given(st.text(max_size=40), st.sampled_from(MARKETS))
def test_any_text_is_a_number_of_the_market_or_refused(text: str, one: Market) -> None:
    """No text makes parsing fail in any way but InvalidInput, and results fit the market."""
    result = read(text, market=one)
    if isinstance(result, InvalidInput):
        assert result.field == "msisdn"
    else:
        assert result.digits.startswith(one.calling_code)
        assert MSISDN.parse(f"+{result.digits}", market=one) == result


@pytest.mark.parametrize(
    ("text", "where", "digits"),
    [
        ("0772 123 456", "uganda", "256772123456"),
        ("+256 (0)772-123.456", "uganda", "256772123456"),
        ("256 0772 123456", "uganda", "256772123456"),
        ("٠٧٧٢١٢٣٤٥٦", "uganda", "256772123456"),
        ("＋２５６７７２１２３４５６", "uganda", "256772123456"),
        ("\u202a+256 772 123456\u202c", "uganda", "256772123456"),
        ("0233 123 456", "ghana", "233233123456"),
        ("233123456", "ghana", "233233123456"),
        ("+225 05 12 34 56 78", "ivory-coast", "2250512345678"),
        ("05 12 34 56 78", "ivory-coast", "2250512345678"),
        ("+229 01 97 12 34 56", "benin", "2290197123456"),
        ("0197123456", "benin", "2290197123456"),
        ("+242 06 612 3456", "congo", "242066123456"),
        ("06 612 3456", "congo", "242066123456"),
        ("7612 3456", "eswatini", "26876123456"),
        ("082 123 4567", "south-africa", "27821234567"),
        ("0803 123 4567", "nigeria", "2348031234567"),
        ("+231 5123456", "liberia", "2315123456"),
        ("46733123450", "sandbox", "46733123450"),
        ("+46 733 123 450", "sandbox", "46733123450"),
        ("00256772123456", "sandbox", "256772123456"),
        ("123456", "sandbox", "123456"),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, where: str, digits: str) -> None:
    """Examples of each country's habits, the kept zeros above all."""
    assert MSISDN.parse(text, market=where).digits == digits


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("233244123456", "uganda", "This is a Ghana number; the account is Uganda."),
        ("+233244123456", "uganda", "This is a Ghana number; the account is Uganda."),
        ("+254712345678", "uganda", "another country's code"),
        ("077212345", "uganda", "9 digits after +256. This one has 8"),
        ("07721234567", "uganda", "This one has 10"),
        ("0772+123456", "uganda", "neither a digit nor a separator"),
        ("++256772123456", "uganda", "neither a digit nor a separator"),
        ("07721a3456", "uganda", "neither a digit nor a separator"),
        ("", "uganda", "no digits"),
        ("+", "uganda", "no digits"),
        ("٠٧٧٢²٣٤٥٦", "uganda", "This one has 8"),
        ("2.56772E+11", "uganda", "spreadsheet"),
        ("256772123456.0", "uganda", "This one has 10"),
        ("1" * 100, "uganda", "this long"),
        ("97123456", "benin", "old 8"),
        ("+229 97 12 34 56", "benin", "put 01 in front"),
        ("22912345678", "benin", "put 01 in front"),
        ("05123456", "ivory-coast", "05 if it is MTN's"),
        ("+225 05 12 34 56", "ivory-coast", "old 8"),
        ("512345678", "ivory-coast", "put it back"),
        ("+225 5 12 34 56 78", "ivory-coast", "put it back"),
        ("66123456", "congo", "put it back"),
        ("+242 66123456", "congo", "put it back"),
        ("2315123456", "nigeria", "two ways"),
        ("0676123456", "cameroon", "This one has 10"),
        ("12345", "sandbox", "6 to 15 digits"),
        ("1234567890123456", "sandbox", "6 to 15 digits"),
        ("0772123456", "sandbox", "not with 0"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_likeliest_cause(
    text: str, where: str, words: str
) -> None:
    """Nothing is guessed, lost zeros and old plans are named, and an example is given."""
    with pytest.raises(InvalidInput) as caught:
        MSISDN.parse(text, market=where)
    assert caught.value.field == "msisdn"
    assert words in str(caught.value)
    assert caught.value.hint != ""


@pytest.mark.parametrize("value", [256772123456, None, b"256772123456", 2.56772123456e11])
def test_a_number_is_a_string(value: object) -> None:
    """Integers and floats have lost their zeros already; they are refused."""
    with pytest.raises(InvalidInput, match="is a string, not"):
        MSISDN.parse(value, market="uganda")  # type: ignore[arg-type]


@pytest.mark.parametrize("one", COUNTRIES, ids=lambda one: one.name)
def test_the_example_in_a_refusal_is_itself_a_good_number(one: Market) -> None:
    """Whoever copies the example gets past the check."""
    with pytest.raises(InvalidInput) as caught:
        MSISDN.parse("123", market=one)
    example = caught.value.hint.removeprefix("Write it for example as ").rstrip(".")
    assert MSISDN.parse(example, market=one).digits.startswith(one.calling_code)


@pytest.mark.parametrize(
    "digits", ["", "0772123456", "+256772123456", "25677212345", "٢٥٦٧٧٢١٢٣٤٥٦"]
)
def test_the_check_cannot_be_walked_around(digits: str) -> None:
    """Building an MSISDN by hand is held to the same rules as parsing."""
    with pytest.raises(InvalidInput):
        MSISDN(digits, market("uganda"))


def test_a_number_is_masked_wherever_it_is_printed() -> None:
    """Only the explicit ways show the digits; str, repr, format and f-strings do not."""
    number = MSISDN.parse("0772123456", market="uganda")
    assert number.masked == "256••••••456"
    for shown in (
        str(number),
        repr(number),
        f"{number}",
        f"{number:>20}",
        f"{number!r}",
        f"{[number]}",
    ):
        assert "772123" not in shown
    assert (number.digits, number.reveal(), number.national) == (
        "256772123456",
        "256772123456",
        "772123456",
    )
    assert MSISDN.parse("123456", market="sandbox").masked == "12•456"


def test_a_refusal_does_not_carry_the_number() -> None:
    """Neither the message nor a traceback of a refused number shows it."""
    for text in ("07721234567", "233772123456", "0772123x456", "+229 97721234", "07721235"):
        for where in ("uganda", "benin", "sandbox"):
            try:
                MSISDN.parse(text, market=where)
            except InvalidInput as refusal:
                lines = "".join(traceback.format_exception_only(refusal))
                assert "7721" not in lines


@pytest.mark.parametrize(
    ("text", "where", "network"),
    [
        ("0772123456", "uganda", "mtn"),
        ("0701123456", "uganda", "other"),
        ("0800123456", "uganda", "unknown"),
        ("0244123456", "ghana", "mtn"),
        ("0512345678", "ivory-coast", "mtn"),
        ("0712345678", "ivory-coast", "other"),
        ("0197123456", "benin", "mtn"),
        ("0195123456", "benin", "other"),
        ("677123456", "cameroon", "mtn"),
        ("699123456", "cameroon", "other"),
        ("650123456", "cameroon", "mtn"),
        ("655123456", "cameroon", "other"),
        ("46733123450", "sandbox", "unknown"),
    ],
)
def test_the_network_is_a_hint(text: str, where: str, network: str) -> None:
    """The prefix tells whose number it was; a number of another network is read all the same."""
    assert MSISDN.parse(text, market=where).network_hint() == network


def test_numbers_are_values() -> None:
    """Equal digits are equal numbers, also across markets and processes; they are frozen."""
    number = MSISDN.parse("0772123456", market="uganda")
    same = MSISDN.parse("256772123456", market="sandbox")
    assert (number, hash(number)) == (same, hash(same))
    assert pickle.loads(pickle.dumps(number)) == number
    assert number != MSISDN.parse("0772123457", market="uganda")
    with pytest.raises(AttributeError):
        number.digits = "1"  # type: ignore[misc]


def test_a_party_is_made_from_what_callers_have() -> None:
    """A string, an MSISDN and a Party all become the same party on the wire."""
    number = MSISDN.parse("0772123456", market="uganda")
    parties = [Party.of(given, market="uganda") for given in ("0772123456", number)]
    parties.append(Party.of(parties[0], market="ghana"))
    assert [party.wire for party in parties] == [
        {"partyIdType": "MSISDN", "partyId": "256772123456"}
    ] * 3
    assert len(set(parties)) == 1


def test_a_number_of_another_market_is_no_party_here() -> None:
    """An MSISDN checked for Uganda is not paid by a Ghana account."""
    with pytest.raises(InvalidInput, match="This is a Uganda number"):
        Party.of(MSISDN.parse("0772123456", market="uganda"), market="ghana")


def test_the_other_kinds_of_party() -> None:
    """E-mail, party code and alias go out as MTN names them."""
    code = uuid.UUID("4F0C0A60-1C0B-4B2E-9D4A-0123456789AB")
    assert Party.email(" momo@example.org ").wire == {
        "partyIdType": "EMAIL",
        "partyId": "momo@example.org",
    }
    assert Party.party_code(code).wire == {"partyIdType": "PARTY_CODE", "partyId": str(code)}
    assert Party.party_code(str(code).upper()) == Party.party_code(code)
    assert Party.alias("SHOP.12").wire == {"partyIdType": "ALIAS", "partyId": "SHOP.12"}
    assert Party.alias("SHOP.12").identity == "ID:SHOP.12/ALIAS"


@pytest.mark.parametrize(
    ("id_type", "identifier"),
    [
        ("MSISDN", "0772123456"),
        ("MSISDN", "+256772123456"),
        ("MSISDN", "12345"),
        ("EMAIL", "nobody"),
        ("EMAIL", "a@b"),
        ("EMAIL", "a b@c.org"),
        ("EMAIL", "a@b@c.org"),
        ("EMAIL", "a/../b@c.org"),
        ("PARTY_CODE", "123"),
        ("ALIAS", ""),
        ("ALIAS", "two words"),
        ("ALIAS", "../balance"),
        ("ALIAS", "x" * 65),
        ("msisdn", "256772123456"),
        ("ID", "1"),
        ("ALIAS", None),
    ],
)
def test_a_malformed_party_is_refused(id_type: str, identifier: str) -> None:
    """A party that could not be one, or could break a path, is refused as input."""
    with pytest.raises(InvalidInput) as caught:
        Party(id_type, identifier)  # type: ignore[arg-type]
    assert caught.value.field == "party"


@pytest.mark.parametrize(
    ("operation", "spelled"),
    [
        ("active", ["msisdn", "email", "party_code", "alias"]),
        ("basicuserinfo", ["MSISDN", "Email", "ID", "Alias"]),
        ("preapprovals", ["msisdn", "email", "id", "alias"]),
    ],
)
def test_paths_spell_the_type_in_their_own_case(
    operation: PathOperation, spelled: list[str]
) -> None:
    """MTN's paths differ in the case of the identifier type, and case counts."""
    parties = [
        Party.msisdn("0772123456", market="uganda"),
        Party.email("a@example.org"),
        Party.party_code(uuid.UUID(int=0)),
        Party.alias("shop"),
    ]
    assert [party.path_id_type(operation) for party in parties] == spelled


def test_a_party_is_masked_and_a_value() -> None:
    """No identifier is printed in full, and a party crosses processes as an equal value."""
    parties = [
        Party.msisdn("0772123456", market="uganda"),
        Party.email("grace.nakato@example.org"),
        Party.party_code("4f0c0a60-1c0b-4b2e-9d4a-0123456789ab"),
        Party.alias("SHOP12"),
    ]
    assert [str(party) for party in parties] == [
        "256••••••456",
        "g•••@example.org",
        "4f0c•••",
        "SH•••",
    ]
    for party in parties:
        assert party.id not in f"{party} {party!r} {party:>60} {[party]}"
        assert pickle.loads(pickle.dumps(party)) == party
