"""Who pays and who is paid: phone numbers and MTN's other identifiers, read, checked and masked."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from momokit.errors import InvalidInput
from momokit.market import Market, market_of_digits
from momokit.market import market as find_market

if TYPE_CHECKING:
    import uuid

IdType = Literal["MSISDN", "EMAIL", "PARTY_CODE", "ALIAS"]
PathOperation = Literal["active", "basicuserinfo", "preapprovals"]
Network = Literal["mtn", "other", "unknown"]

_MAX_TEXT = 64
_IGNORED_CATEGORIES = {"Zs", "Pd", "Cf"}
_IGNORED = set(".()\t")
# Patterns are compiled (and kept by `re`) at their first use: importing must stay cheap.
_SPREADSHEET = r"\d(?:[.,]\d+)?[eE]\+?\d+"
_EMAIL = r"[^\s@/?#]{1,64}@[^\s@/?#.]+(?:\.[^\s@/?#.]+)+"
_ALIAS = r"[^\s/?#]{1,64}"
# MTN spells the same identifier differently from path to path, and case counts.
_PATH_ID_TYPES: dict[str, dict[str, str]] = {
    "active": {"MSISDN": "msisdn", "EMAIL": "email", "PARTY_CODE": "party_code", "ALIAS": "alias"},
    "basicuserinfo": {"MSISDN": "MSISDN", "EMAIL": "Email", "PARTY_CODE": "ID", "ALIAS": "Alias"},
    "preapprovals": {"MSISDN": "msisdn", "EMAIL": "email", "PARTY_CODE": "id", "ALIAS": "alias"},
}


@dataclass(frozen=True, slots=True, repr=False)
class MSISDN:
    """For a phone number that has been checked for its market; make one with `MSISDN.parse`.

    `digits` goes on the wire: calling code first, no plus. Printing, formatting and `repr` mask it;
    only `digits`, `national` and `reveal()` show it. Two are equal when their digits are.
    """

    digits: str
    market: Market = field(compare=False)

    def __post_init__(self) -> None:
        digits, one = self.digits, self.market
        if not (digits.isascii() and digits.isdigit()):
            raise _refused("A number in MTN's form has digits only.", market=one)
        rest = digits.removeprefix(one.calling_code)
        if one.is_sandbox:
            _check_sandbox(digits)
        elif rest == digits or not _is_national(rest, market=one):
            raise _explain(digits, market=one)

    @classmethod
    def parse(cls, text: str, *, market: str | Market) -> MSISDN:
        """For reading a number as people write it: `0772 123 456`, `+256…`, `00256…`, `256…`.

        The country is never changed and no zero that belongs to the number is dropped. Raises
        InvalidInput (field `msisdn`) that says what was expected; the number is not in the message.
        """
        one = find_market(market)
        international, digits = _clean(text, market=one)
        if one.is_sandbox:
            _check_sandbox(digits)
            return cls(digits, one)
        if international:
            found = _readings_with_code(digits, market=one)
        else:
            found = _readings_with_code(digits, market=one) | _readings_at_home(digits, market=one)
        if not found:
            raise _explain(digits, market=one)
        elsewhere = None if international else market_of_digits(digits)
        if len(found) > 1 or (elsewhere is not None and elsewhere is not one):
            raise _refused(
                "This number can be read in two ways.",
                market=one,
                hint=f"Write it with its plus and country code, for example {_example(one)}.",
            )
        return cls(found.pop(), one)

    @property
    def national(self) -> str:
        """For showing the number at home: the digits after the calling code (not masked)."""
        return self.digits.removeprefix(self.market.calling_code)

    @property
    def masked(self) -> str:
        """For screens and logs: the calling code and the last three digits."""
        head = self.market.calling_code or self.digits[:2]
        return f"{head}{'•' * (len(self.digits) - len(head) - 3)}{self.digits[-3:]}"

    def reveal(self) -> str:
        """For the few places that need the whole number in plain: the same as `digits`."""
        return self.digits

    def network_hint(self) -> Network:
        """For a warning, never a refusal: whose number this was before any porting."""
        mtn = _longest_prefix(self.national, hints=self.market.mtn_prefix_hints)
        other = _longest_prefix(self.national, hints=self.market.other_prefix_hints)
        if mtn == other:
            return "unknown"
        return "mtn" if mtn > other else "other"

    def __repr__(self) -> str:
        return f"MSISDN('{self.masked}')"

    def __str__(self) -> str:
        return self.masked

    def __format__(self, spec: str) -> str:
        return format(self.masked, spec)


@dataclass(frozen=True, slots=True, repr=False)
class Party:
    """For the payer or payee of a call: MTN's identifier type and the identifier; masked in print.

    Make one with `Party.of`, `.msisdn`, `.email`, `.party_code` or `.alias`.
    """

    id_type: IdType
    id: str

    def __post_init__(self) -> None:
        check = _CHECKS.get(self.id_type)
        if check is None:
            raise InvalidInput(
                "There is no such type of party.",
                field="party",
                hint=f"Known: {', '.join(_CHECKS)}.",
            )
        pattern, expected = check
        identifier: object = self.id
        if not isinstance(identifier, str) or not re.fullmatch(pattern, identifier):
            raise InvalidInput(
                f"This is no {self.id_type} identifier.",
                field="party",
                hint=f"Expected {expected}.",
            )

    @classmethod
    def of(cls, value: Party | MSISDN | str, *, market: str | Market) -> Party:
        """For arguments that name a party: a string is a phone number of this market.

        A Party is taken as it is. So `Party("MSISDN", digits)` is the way past the numbering table,
        should a country change its plan before this table does.
        """
        return value if isinstance(value, Party) else cls.msisdn(value, market=market)

    @classmethod
    def msisdn(cls, number: MSISDN | str, *, market: str | Market) -> Party:
        """For a phone number; one that belongs to another market than `market` is refused."""
        text = f"+{number.digits}" if isinstance(number, MSISDN) else number
        return cls("MSISDN", MSISDN.parse(text, market=market).digits)

    @classmethod
    def email(cls, address: str) -> Party:
        """For an account holder known by an e-mail address."""
        return cls("EMAIL", address.strip())

    @classmethod
    def party_code(cls, code: str | uuid.UUID) -> Party:
        """For an account holder known by MTN's UUID."""
        return cls("PARTY_CODE", str(code).strip().lower())

    @classmethod
    def alias(cls, name: str) -> Party:
        """For a merchant known by an alias or merchant id."""
        return cls("ALIAS", name.strip())

    @property
    def wire(self) -> dict[str, str]:
        """For request bodies: MTN's party object."""
        return {"partyIdType": self.id_type, "partyId": self.id}

    @property
    def identity(self) -> str:
        """For `login_hint` and `payerIdentity`: MTN's one-line form of a party."""
        return f"ID:{self.id}/{self.id_type}"

    @property
    def masked(self) -> str:
        """For screens and logs: enough to recognise, too little to use."""
        if self.id_type == "EMAIL":
            name, _, domain = self.id.partition("@")
            return f"{name[:1]}•••@{domain}"
        if self.id_type == "MSISDN":
            return f"{self.id[:3]}{'•' * (len(self.id) - 6)}{self.id[-3:]}"
        return f"{self.id[: min(4, len(self.id) // 3)]}•••"

    def path_id_type(self, operation: PathOperation) -> str:
        """For URL paths: how this operation spells the identifier type (case counts)."""
        return _PATH_ID_TYPES[operation][self.id_type]

    def __repr__(self) -> str:
        return f"Party({self.id_type!r}, '{self.masked}')"

    def __str__(self) -> str:
        return self.masked

    def __format__(self, spec: str) -> str:
        return format(self.masked, spec)


_CHECKS: dict[str, tuple[str, str]] = {
    "MSISDN": (r"[1-9][0-9]{5,14}", "6 to 15 digits, country code first, no plus"),
    "EMAIL": (_EMAIL, "an e-mail address"),
    "PARTY_CODE": (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a UUID"),
    "ALIAS": (_ALIAS, "1 to 64 characters without spaces or any of / ? #"),
}


def _clean(text: object, *, market: Market) -> tuple[bool, str]:
    """The digits alone, and whether a plus or 00 said that the country code comes first."""
    if not isinstance(text, str):
        raise _refused(f"A phone number is a string, not {type(text).__name__}.", market=market)
    if len(text) > _MAX_TEXT:
        raise _refused("A text this long is no phone number.", market=market)
    if re.fullmatch(_SPREADSHEET, text.strip()):
        raise _refused(
            "A spreadsheet has shortened this number to powers of ten.",
            market=market,
            hint="Format the column as text and enter the whole number again.",
        )
    kept = [
        str(unicodedata.decimal(c)) if c.isdecimal() else c
        for c in unicodedata.normalize("NFKC", text).strip()
        if unicodedata.category(c) not in _IGNORED_CATEGORIES and c not in _IGNORED
    ]
    bare = "".join(kept)
    plus = bare.startswith("+")
    digits = bare[1:] if plus else bare
    if not digits.isdigit():
        what = "no digits" if not digits else "a character that is neither a digit nor a separator"
        raise _refused(f"This phone number has {what}.", market=market)
    if not plus and digits.startswith("00"):
        return True, digits[2:]
    return plus, digits


def _is_national(digits: str, *, market: Market) -> bool:
    if len(digits) not in market.national_lengths:
        return False
    if market.national_lead:
        return digits.startswith(market.national_lead)
    return not digits.startswith("0")


def _readings_with_code(digits: str, *, market: Market) -> set[str]:
    rest = digits.removeprefix(market.calling_code)
    if rest == digits:
        return set()
    found = {rest} if _is_national(rest, market=market) else set()
    # "+256 (0)772 …": read only where a 0 is dialled at home, never where it is the number's own.
    if market.trunk_prefix and rest.startswith(market.trunk_prefix):
        without = rest.removeprefix(market.trunk_prefix)
        found |= {without} if _is_national(without, market=market) else set()
    return {market.calling_code + national for national in found}


def _readings_at_home(digits: str, *, market: Market) -> set[str]:
    found = {digits} if _is_national(digits, market=market) else set()
    if market.trunk_prefix and digits.startswith(market.trunk_prefix):
        without = digits.removeprefix(market.trunk_prefix)
        found |= {without} if _is_national(without, market=market) else set()
    return {market.calling_code + national for national in found}


def _check_sandbox(digits: str) -> None:
    if digits.startswith("0") or not 6 <= len(digits) <= 15:
        raise InvalidInput(
            "A sandbox number has 6 to 15 digits and begins with a country code, not with 0.",
            field="msisdn",
            hint="Write for example 46733123450 or 56733123453.",
        )


def _explain(digits: str, *, market: Market) -> InvalidInput:
    """The refusal of a number that cannot be read, with the likeliest cause in the hint."""
    elsewhere = market_of_digits(digits)
    if elsewhere is not None and elsewhere is not market:
        return _refused(
            f"This is a {elsewhere.country} number; the account is {market.country}.",
            market=market,
            hint="A number is never moved to another country: correct it, or use that market.",
        )
    lead, usual = market.national_lead, market.national_lengths[0]
    rest = digits.removeprefix(market.calling_code)
    if market.trunk_prefix:
        rest = rest.removeprefix(market.trunk_prefix)
    if usual == 10 and lead and len(rest) == 8:
        front = "01" if market.iso2 == "BJ" else "05 if it is MTN's (01 or 07 on other networks)"
        return _refused(
            f"Numbers of {market.country} have {usual} digits now, and this one has the old 8.",
            market=market,
            hint=f"The number ending in {rest[-3:]} got a new beginning: put {front} in front.",
        )
    if lead and len(rest) == usual - 1 and not rest.startswith("0"):
        return _refused(
            f"Numbers of {market.country} begin with {lead}; the 0 of this one is lost.",
            market=market,
            hint=f"The 0 belongs to the number, after +{market.calling_code} too: put it back.",
        )
    first = f", the first {lead}" if lead else ""
    return _refused(
        f"A number of {market.country} was expected: {usual} digits after +{market.calling_code}"
        f"{first}. This one has {len(rest)}, or begins with another country's code.",
        market=market,
    )


def _longest_prefix(digits: str, *, hints: tuple[str, ...]) -> int:
    return max((len(hint) for hint in hints if digits.startswith(hint)), default=0)


def _example(market: Market) -> str:
    if market.is_sandbox:
        return "46733123450"
    start = (*market.mtn_prefix_hints, market.national_lead or "95")[0]
    national = (start + "1234567890")[: market.national_lengths[0]]
    return f"+{market.calling_code} {national}"


def _refused(message: str, *, market: Market, hint: str = "") -> InvalidInput:
    return InvalidInput(
        message, field="msisdn", hint=hint or f"Write it for example as {_example(market)}."
    )
