"""How a market's statement is laid out: which header means what, and how times and amounts read.

MTN publishes no format for statements, and portals differ from country to country. So a profile is
data that an operator edits; what is shipped here is a guess, and says so. Dates and decimal marks
are said once for a whole file and never guessed from a row: 03/04 is one day or the other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from momokit.errors import InvalidInput
from momokit.gateway.core.statement_times import TimeFormat
from momokit.market import MARKETS

Role: TypeAlias = Literal["payment", "fee", "reversal", "own_funds", "ignored"]
Status: TypeAlias = Literal["moved", "open", "failed", "reversed"]
Direction: TypeAlias = Literal["in", "out"]

FIELDS = (
    "time", "financial_transaction_id", "external_id", "reference_id", "type", "direction",
    "amount", "amount_in", "amount_out", "fee", "balance", "currency", "from_party", "to_party",
    "status",
)  # fmt: skip
"""What a column of a statement can be."""

HEADERS: Mapping[str, tuple[str, ...]] = {
    "time": (
        "date", "date time", "transaction date", "transaction time", "completion time", "timestamp",
        "date and time", "date heure", "date de transaction", "date de l operation", "horodatage",
    ),
    "financial_transaction_id": (
        "financial transaction id", "transaction id", "id", "mtn transaction id", "receipt no",
        "financialtransactionid", "id transaction", "id de transaction", "numero de transaction",
        "id de transaction financiere",
    ),
    "external_id": (
        "external id", "externalid", "external transaction id", "external reference",
        "id externe", "reference externe",
    ),
    "reference_id": ("reference id", "referenceid", "x reference id", "uuid"),
    "type": ("type", "transaction type", "type de transaction", "operation", "type d operation"),
    "direction": ("direction", "debit credit", "dr cr", "sens"),
    "amount": ("amount", "transaction amount", "montant", "montant de la transaction"),
    "amount_in": ("credit", "paid in", "money in", "amount in", "entree"),
    "amount_out": ("debit", "withdrawn", "paid out", "money out", "amount out", "sortie"),
    "fee": ("fee", "fees", "charge", "charges", "frais", "commission"),
    "balance": (
        "balance", "balance after", "running balance", "account balance", "available balance",
        "solde", "solde apres", "nouveau solde",
    ),
    "currency": ("currency", "devise", "ccy"),
    "from_party": (
        "from", "from account", "from msisdn", "sender", "payer", "de", "expediteur", "payeur",
    ),
    "to_party": ("to", "to account", "to msisdn", "receiver", "payee", "vers", "beneficiaire"),
    "status": ("status", "transaction status", "statut", "etat"),
}  # fmt: skip
"""Headers by field, folded (see `folded`), English and French: guesses, like all that is here."""

TYPES: Mapping[str, Role] = {
    "fee": "fee", "fees": "fee", "charge": "fee", "commission": "fee", "frais": "fee",
    "reversal": "reversal", "reversed": "reversal", "rollback": "reversal",
    "annulation": "reversal", "extourne": "reversal",
    "float transfer": "own_funds", "bank transfer": "own_funds", "top up": "own_funds",
    "float purchase": "own_funds", "settlement": "own_funds", "virement bancaire": "own_funds",
    "approvisionnement": "own_funds",
}  # fmt: skip

DIRECTIONS: Mapping[str, Direction] = {
    "credit": "in", "cr": "in", "c": "in", "in": "in", "entree": "in",
    "debit": "out", "dr": "out", "d": "out", "out": "out", "sortie": "out",
}  # fmt: skip

STATUSES: Mapping[str, Status] = {
    "successful": "moved", "success": "moved", "completed": "moved", "complete": "moved",
    "reussi": "moved", "reussie": "moved", "effectue": "moved", "succes": "moved",
    "pending": "open", "created": "open", "en attente": "open", "en cours": "open",
    "failed": "failed", "rejected": "failed", "cancelled": "failed", "expired": "failed",
    "echoue": "failed", "echouee": "failed", "echec": "failed", "rejete": "failed",
    "annule": "failed", "reversed": "reversed", "rolled back": "reversed", "extourne": "reversed",
}  # fmt: skip

_EPOCH = date(1970, 1, 1).toordinal()

OPENING = ("opening balance", "balance brought forward", "solde initial", "solde d ouverture")
CLOSING = ("closing balance", "balance carried forward", "solde final", "solde de cloture")
FOOTERS = ("total", "totals", "totaux", "end of statement", "fin du releve", "page")

_ZONES = {
    "uganda": 3, "south-sudan": 2, "zambia": 2, "eswatini": 2, "south-africa": 2, "cameroon": 1,
    "benin": 1, "congo": 1, "nigeria": 1,
}  # fmt: skip


class FeeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What MTN is to charge for a payment: a part of the amount, a fixed sum, within bounds."""

    percent: str = "0"
    fixed: str = "0"
    minimum: str | None = None
    maximum: str | None = None
    decimals: int = 0

    def of(self, amount: Decimal) -> Decimal:
        """Give the fee for an amount, rounded half up to `decimals`."""
        fee = amount * Decimal(self.percent) / 100 + Decimal(self.fixed)
        fee = fee.quantize(Decimal(1).scaleb(-self.decimals), rounding="ROUND_HALF_UP")
        if self.minimum is not None:
            fee = max(fee, Decimal(self.minimum))
        if self.maximum is not None:
            fee = min(fee, Decimal(self.maximum))
        return fee


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one kind of statement is read. Words are compared folded; `guess` was never confirmed.

    `columns` gives headers by field; `types`, `directions` and `statuses` give what words in those
    columns mean. `order` says which line comes first. `zone` is +HH:MM or a name of the time zone
    database. `fees` by direction are what MTN is to charge; without them fees are not judged.
    """

    name: str
    market: str
    guess: bool = False
    columns: dict[str, list[str]]
    time_formats: list[str]
    zone: str = "+00:00"
    decimal_mark: Literal[".", ","] = "."
    grouping_mark: Literal["", ",", ".", " ", "'"] = ","
    order: Literal["oldest_first", "newest_first"] = "oldest_first"
    currency: str | None = None
    types: dict[str, Role] = {}
    directions: dict[str, Direction] = {}
    statuses: dict[str, Status] = {}
    status_when_absent: Status = "moved"
    opening_words: list[str] = []
    closing_words: list[str] = []
    footer_words: list[str] = []
    fee_in_amount: bool = False
    fees: dict[Direction, FeeRule] = {}
    tolerance_seconds: float = 3600.0
    window_seconds: float = 3600.0


def folded(text: str) -> str:
    """Give a header or a word as profiles write it: no case, no accents, single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^0-9a-z+]+", " ", letters).split())


@lru_cache(maxsize=64)
def zone_of(text: str) -> tzinfo:
    """Read a time zone. Raises InvalidInput (field `zone`)."""
    found = re.fullmatch(r"([+-])(\d\d):(\d\d)", text)
    if found is not None:
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        if offset < timedelta(hours=15):
            return timezone(offset if found[1] == "+" else -offset)
    else:
        try:
            return UTC if text == "UTC" else ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise InvalidInput(
        "This is no time zone that is known here.", field="zone", hint="Write +03:00, say."
    )


def read_profile(document: Any) -> Profile:
    """Read a profile from JSON values. Raises InvalidInput that names the field at fault."""
    try:
        profile = msgspec.convert(document, Profile)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{error}.".replace("`", ""), field="profile") from None
    check_profile(profile)
    return profile


def check_profile(profile: Profile) -> None:
    """Refuse a profile that can read no file, or would have to guess. Raises InvalidInput."""
    unknown = sorted(profile.columns.keys() - set(FIELDS))
    if unknown:
        raise _wrong("columns", f"There is no field {unknown[0]!r}.", ", ".join(FIELDS))
    given = {name for name, headers in profile.columns.items() if headers}
    if "time" not in given or not given & {"amount", "amount_in", "amount_out"}:
        raise _wrong("columns", "A statement needs a time and an amount.", "Give their headers.")
    if ("amount_in" in given) != ("amount_out" in given):
        raise _wrong("columns", "Money in and money out go together.", "Give both, or an amount.")
    if not profile.time_formats:
        raise _wrong("time_formats", "Say how times are written.", "For example %d/%m/%Y %H:%M:%S.")
    for one in profile.time_formats:
        TimeFormat(one)
    skeletons = [re.sub("%[dm]", "%", one) for one in profile.time_formats]
    if len(set(skeletons)) < len(set(profile.time_formats)):
        raise _wrong(
            "time_formats", "A date could be read in two ways.", "Leave one order of day and month."
        )
    if profile.decimal_mark == profile.grouping_mark:
        raise _wrong("grouping_mark", "One mark cannot be both.", "Leave grouping_mark empty.")
    zone_of(profile.zone)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,49}", profile.name):
        raise _wrong("name", "A profile is named by small letters, digits and dashes.", "")
    if min(profile.tolerance_seconds, profile.window_seconds) < 0:
        raise _wrong("tolerance_seconds", "Times to allow for are not negative.", "")
    for rule in profile.fees.values():
        _check_fee(rule)


def _check_fee(rule: FeeRule) -> None:
    try:
        given = (rule.percent, rule.fixed, rule.minimum, rule.maximum)
        bad = any(not (0 <= Decimal(one) < 10**12) for one in given if one is not None)
    except InvalidOperation:
        bad = True
    if bad or not 0 <= rule.decimals <= 4:
        raise _wrong("fees", "A fee is given in plain numbers, none of them negative.", "")


def _wrong(field: str, message: str, hint: str) -> InvalidInput:
    return InvalidInput(message, field=field, hint=hint)


def _guess(name: str, *, currency: str, french: bool) -> Profile:
    hours = _ZONES.get(name, 0)
    return Profile(
        name=name,
        market=name,
        guess=True,
        columns={field: list(headers) for field, headers in HEADERS.items()},
        time_formats=["%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%Y-%m-%d"],
        zone=f"+{hours:02}:00",
        decimal_mark="," if french else ".",
        grouping_mark=" " if french else ",",
        currency=currency,
        types=dict(TYPES),
        directions=dict(DIRECTIONS),
        statuses=dict(STATUSES),
        opening_words=list(OPENING),
        closing_words=list(CLOSING),
        footer_words=list(FOOTERS),
    )


GUESSES: Mapping[str, Profile] = {
    one.name: _guess(one.name, currency=one.currency, french=one.languages[:1] == ("fr",))
    for one in MARKETS
}
"""One profile for each market, never held against a real statement: edit it with the first one."""


def day_of(at: float, zone: tzinfo) -> str:
    """Give the day of a moment, where the statement is written."""
    if isinstance(zone, timezone):
        return _day(int((at + zone.utcoffset(None).total_seconds()) // 86_400))
    return datetime.fromtimestamp(at, zone).date().isoformat()


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    return date.fromordinal(_EPOCH + number).isoformat()
