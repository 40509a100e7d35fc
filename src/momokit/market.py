"""The countries as MTN runs them: target environment, host, currency and numbering of each."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from momokit.errors import InvalidInput

SANDBOX_URL = "https://sandbox.momodeveloper.mtn.com"
PRODUCTION_URL = "https://proxy.momoapi.mtn.com"
APPROVAL_WINDOW_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """For everything that differs from country to country; get one with `market("uganda")`.

    `target_environment` is MTN's name for it (`X-Target-Environment`). `currencies` are all that
    MTN is known to take there, `currency` the first. `national_lengths` counts the digits after
    the calling code, the usual length first; `trunk_prefix` is what people dial in front at home
    ("" where nothing is); `national_lead` is what every mobile number begins with, where that is
    a zero that must be kept. The prefix hints guess a number's network; numbers are portable, so
    they warn and never refuse.
    """

    name: str
    target_environment: str
    country: str
    iso2: str
    currency: str
    exponent: int
    calling_code: str
    national_lengths: tuple[int, ...]
    trunk_prefix: str = ""
    national_lead: str = ""
    mtn_prefix_hints: tuple[str, ...] = ()
    other_prefix_hints: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    other_currencies: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    base_url: str = PRODUCTION_URL
    approval_window_seconds: int = APPROVAL_WINDOW_SECONDS
    confirmed: bool = True
    note: str = ""

    @property
    def is_sandbox(self) -> bool:
        """For the choices that differ between MTN's hosted test environment and real money."""
        return self.target_environment == "sandbox"

    @property
    def currencies(self) -> tuple[str, ...]:
        """For checking a payment's currency: all that are accepted here, the usual one first."""
        return (self.currency, *self.other_currencies)

    @property
    def national_digits(self) -> int | None:
        """For messages and forms: how many digits follow the calling code; None in the sandbox."""
        return self.national_lengths[0] if self.national_lengths else None

    @classmethod
    def get(cls, name: str | Market) -> Market:
        """For turning a setting into a market: its name, ISO code, MTN's spelling or an alias.

        Case, accents and spaces do not matter. Raises InvalidInput (field `market`) that lists
        the names when it is none of these.
        """
        if isinstance(name, Market):
            return name
        if not isinstance(name, str):
            raise InvalidInput(
                f"A market is named by a string, not by {type(name).__name__}.",
                field="market",
                hint="Write for example market='uganda'.",
            )
        found = _BY_KEY.get(_key(name))
        if found is None:
            raise _unknown(name)
        return found


def market(name: str | Market) -> Market:
    """For `market("uganda")`: the short way to `Market.get`."""
    return Market.get(name)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MARKETS: tuple[Market, ...] = (
    Market(
        name="uganda",
        target_environment="mtnuganda",
        country="Uganda",
        iso2="UG",
        currency="UGX",
        exponent=0,
        calling_code="256",
        national_lengths=(9,),
        trunk_prefix="0",
        mtn_prefix_hints=("77", "78", "76", "79", "39"),
        other_prefix_hints=("70", "71", "73", "74", "75"),
    ),
    Market(
        name="ghana",
        target_environment="mtnghana",
        country="Ghana",
        iso2="GH",
        currency="GHS",
        exponent=2,
        calling_code="233",
        national_lengths=(9,),
        trunk_prefix="0",
        mtn_prefix_hints=("24", "25", "53", "54", "55", "59"),
        other_prefix_hints=_words("20 23 26 27 28 50 56 57"),
    ),
    Market(
        name="ivory-coast",
        target_environment="mtnivorycoast",
        country="Côte d'Ivoire",
        iso2="CI",
        currency="XOF",
        exponent=0,
        calling_code="225",
        national_lengths=(10,),
        national_lead="0",
        mtn_prefix_hints=("05",),
        other_prefix_hints=("01", "07"),
        languages=("fr", "en"),
        aliases=("Côte d'Ivoire", "the Ivory Coast"),
    ),
    Market(
        name="zambia",
        target_environment="mtnzambia",
        country="Zambia",
        iso2="ZM",
        currency="ZMW",
        exponent=2,
        calling_code="260",
        national_lengths=(9,),
        trunk_prefix="0",
        mtn_prefix_hints=("96", "76", "56"),
        other_prefix_hints=("55", "57", "75", "77", "95", "97"),
    ),
    Market(
        name="cameroon",
        target_environment="mtncameroon",
        country="Cameroon",
        iso2="CM",
        currency="XAF",
        exponent=0,
        calling_code="237",
        national_lengths=(9,),
        mtn_prefix_hints=("67", *map(str, range(650, 655)), *map(str, range(680, 685))),
        other_prefix_hints=_words("62 64 655 656 657 658 659 66 69"),
        languages=("fr", "en"),
        aliases=("Cameroun",),
    ),
    Market(
        name="benin",
        target_environment="mtnbenin",
        country="Benin",
        iso2="BJ",
        currency="XOF",
        exponent=0,
        calling_code="229",
        national_lengths=(10,),
        national_lead="01",
        mtn_prefix_hints=_words("0142 0146 0161 0162 0166 0167 0169 0190 0191 0196 0197"),
        other_prefix_hints=_words("0145 0155 0158 0160 0163 0164 0165 0168 0194 0195 0198 0199"),
        languages=("fr", "en"),
        aliases=("Bénin",),
    ),
    Market(
        name="congo",
        target_environment="mtncongo",
        country="Congo-Brazzaville",
        iso2="CG",
        currency="XAF",
        exponent=0,
        calling_code="242",
        national_lengths=(9,),
        national_lead="0",
        mtn_prefix_hints=("06",),
        other_prefix_hints=("01", "04", "05"),
        languages=("fr", "en"),
        aliases=("Congo Brazzaville", "Republic of the Congo", "République du Congo"),
    ),
    Market(
        name="eswatini",
        target_environment="mtnswaziland",
        country="Eswatini",
        iso2="SZ",
        currency="SZL",
        exponent=2,
        calling_code="268",
        national_lengths=(8,),
        mtn_prefix_hints=("76", "78"),
        other_prefix_hints=("75", "77", "79"),
        aliases=("Swaziland", "Kingdom of Eswatini"),
    ),
    Market(
        name="guinea",
        target_environment="mtnguineaconakry",
        country="Guinea",
        iso2="GN",
        currency="GNF",
        exponent=0,
        calling_code="224",
        national_lengths=(9,),
        mtn_prefix_hints=("66",),
        other_prefix_hints=("60", "61", "62", "63", "65"),
        languages=("fr", "en"),
        aliases=("Guinea Conakry", "Guinée", "Guinée Conakry"),
        note="MTN has been leaving this market: ask your account manager whether it is still open.",
    ),
    Market(
        name="south-africa",
        target_environment="mtnsouthafrica",
        country="South Africa",
        iso2="ZA",
        currency="ZAR",
        exponent=2,
        calling_code="27",
        national_lengths=(9,),
        trunk_prefix="0",
        mtn_prefix_hints=("63", "71", "73", "78", "83"),
        other_prefix_hints=("61", "62", "72", "74", "82", "84"),
        aliases=("RSA", "Afrique du Sud"),
    ),
    Market(
        name="liberia",
        target_environment="mtnliberia",
        country="Liberia",
        iso2="LR",
        currency="LRD",
        exponent=2,
        calling_code="231",
        national_lengths=(9, 7),
        trunk_prefix="0",
        mtn_prefix_hints=("88", "55"),
        other_prefix_hints=("22", "33", "77"),
        other_currencies=("USD",),
    ),
    Market(
        name="south-sudan",
        target_environment="mtnsouthsudan",
        country="South Sudan",
        iso2="SS",
        currency="SSP",
        exponent=2,
        calling_code="211",
        national_lengths=(9,),
        trunk_prefix="0",
        mtn_prefix_hints=("92",),
        other_prefix_hints=("12", "91", "95", "97", "98"),
    ),
    Market(
        name="nigeria",
        target_environment="mtnnigeria",
        country="Nigeria",
        iso2="NG",
        currency="NGN",
        exponent=2,
        calling_code="234",
        national_lengths=(10,),
        trunk_prefix="0",
        mtn_prefix_hints=_words("703 704 706 707 803 806 810 813 814 816 903 906 910 913 916"),
        other_prefix_hints=_words(
            "701 705 708 802 805 807 808 809 811 812 815 817 818 "
            "901 902 904 905 907 908 909 911 912 915"
        ),
    ),
    Market(
        name="rwanda",
        target_environment="mtnrwanda",
        country="Rwanda",
        iso2="RW",
        currency="RWF",
        exponent=0,
        calling_code="250",
        national_lengths=(9,),
        trunk_prefix="0",
        mtn_prefix_hints=("78", "79"),
        other_prefix_hints=("72", "73"),
        languages=("en", "fr"),
        note="Rwanda has portals of its own; where your contract names proxy.momoapi.mtn.co.rw, "
        "set base_url to that.",
    ),
    Market(
        name="guinea-bissau",
        target_environment="mtnguineabissau",
        country="Guinea-Bissau",
        iso2="GW",
        currency="XOF",
        exponent=0,
        calling_code="245",
        national_lengths=(9,),
        aliases=("Guiné-Bissau", "Guinée-Bissau"),
        confirmed=False,
        note="Not on MTN's published list, seen once in other people's code: ask MTN first.",
    ),
    Market(
        name="sandbox",
        target_environment="sandbox",
        country="sandbox",
        iso2="",
        currency="EUR",
        exponent=2,
        calling_code="",
        national_lengths=(),
        languages=("en", "fr"),
        aliases=("test",),
        base_url=SANDBOX_URL,
    ),
)


def _key(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in folded if c.isascii() and c.isalnum())


def _index() -> Mapping[str, Market]:
    found: dict[str, Market] = {}
    for one in MARKETS:
        for word in (one.name, one.target_environment, one.country, one.iso2, *one.aliases):
            if word and found.setdefault(_key(word), one) is not one:
                raise AssertionError(f"two markets answer to {word!r}")
    return MappingProxyType(found)


_BY_KEY = _index()


def market_of_digits(digits: str) -> Market | None:
    """For saying "this is a Ghana number": the market that the digits' code and length fit."""
    for one in MARKETS:
        rest = digits.removeprefix(one.calling_code)
        if one.calling_code and rest != digits and len(rest) in one.national_lengths:
            return one
    return None


def _unknown(name: str) -> InvalidInput:
    names = ", ".join(one.name for one in MARKETS)
    shown = name if len(name) <= 40 else f"{name[:40]}…"
    key = _key(name)
    if key in {"production", "prod", "live"}:
        hint = (
            "MTN has no environment called production: each country is its own. "
            f"Name the country, for example market='uganda'. Known: {names}."
        )
    else:
        import difflib  # only a mistake pays for loading it

        close = difflib.get_close_matches(key, _BY_KEY, n=1, cutoff=0.6)
        guess = f"Did you mean {_BY_KEY[close[0]].name!r}? " if close else ""
        hint = f"{guess}Known: {names}."
    return InvalidInput(f"There is no market {shown!r}.", field="market", hint=hint)
