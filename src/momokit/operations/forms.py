"""Turn what a caller says into what goes on the wire, or refuse it with the field's name.

Nothing is sent here.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias, TypedDict

from momokit.callbacks import check_callback_url
from momokit.errors import InvalidInput
from momokit.market import Market
from momokit.money import Money
from momokit.notes import check_external_id, check_note, clean_note
from momokit.operations.exchange import Request, encode
from momokit.operations.kind import Kind
from momokit.operations.submit import Submission
from momokit.party import MSISDN, Party

AmountLike: TypeAlias = Money | str | int | Decimal
PartyLike: TypeAlias = Party | MSISDN | str

_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class FilingOptions(TypedDict, total=False):
    """What every submission may be given besides its own fields, by keyword.

    `reference_id`: your own UUID v4. `idempotency_key`: any text that names this one intended
    payment, from which the same reference id is derived in every process; give one of the two or
    neither. `external_id`: your number for it, without spaces (the reference id when left out).
    `callback_url`: where MTN calls back for this one. `clean_notes`: mend notes that MTN would
    refuse, and say in the result what changed.
    """

    reference_id: str | uuid.UUID | None
    idempotency_key: str | None
    external_id: str | None
    callback_url: str | None
    clean_notes: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Filing:
    """`FilingOptions` as a value."""

    reference_id: str | uuid.UUID | None = None
    idempotency_key: str | None = None
    external_id: str | None = None
    callback_url: str | None = None
    clean_notes: bool | None = None


class Forms:
    """The rules of one client: its market, its callback address, and where new ids come from."""

    def __init__(
        self,
        *,
        market: Market,
        new_id: Callable[[], str],
        callback_url: str | None = None,
        clean_notes: bool = False,
        trusts_callback_urls: bool = False,
    ) -> None:
        self.market = market
        self.new_id = new_id
        self.callback_url = callback_url
        self.clean_notes = clean_notes
        # Against an emulator on this machine any address will do.
        self.trusts_callback_urls = trusts_callback_urls

    def submission(
        self,
        kind: Kind,
        fields: Mapping[str, Any],
        *,
        filing: Filing,
        notes: Mapping[str, str | None],
        external_id_field: str | None = "externalId",
        expected: Mapping[str, Any],
    ) -> Submission:
        """Fill in the form for one submission: id, body bytes, headers, and how to recognise it
        again."""
        reference_id, is_ours = self.reference(kind, filing=filing)
        body = dict(fields)
        wanted = dict(expected)
        external_id = None
        if external_id_field is not None:
            given = filing.external_id
            external_id = check_external_id(reference_id if given is None else given)
            body[external_id_field] = external_id
            wanted[external_id_field] = external_id
        clean = self.clean_notes if filing.clean_notes is None else filing.clean_notes
        changes: list[str] = []
        for name, text in notes.items():
            body[name] = self.note(text, field=name, clean=clean, changes=changes)
        return Submission(
            kind=kind.name,
            product=kind.product,
            reference_id=reference_id,
            external_id=external_id,
            request=Request(
                kind.operation,
                "POST",
                kind.url_path,
                self.headers(reference_id, filing.callback_url),
                encode(body),
                reference_id,
            ),
            status_path=kind.status_of(reference_id),
            status_operation=kind.status_operation,
            expected=wanted,
            id_is_ours=is_ours,
            note_changes=tuple(changes),
        )

    def headers(self, reference_id: str, callback_url: str | None = None) -> dict[str, str]:
        """Give the headers of a creating call.

        No callback address, no header: MTN then sends no callback.
        """
        headers = {"X-Reference-Id": reference_id, "Content-Type": "application/json"}
        url = callback_url if callback_url is not None else self.callback_url
        if url:
            url = url.replace("{reference_id}", reference_id)
            headers["X-Callback-Url"] = self.checked_callback_url(url)
        return headers

    def checked_callback_url(self, url: str) -> str:
        """Refuse an address that MTN would refuse or that would not survive in a header."""
        if self.trusts_callback_urls:
            return check_header(url, field="callback_url")
        return check_callback_url(url, market=self.market)

    def reference(self, kind: Kind, *, filing: Filing) -> tuple[str, bool]:
        """Settle the reference id: the caller's, one derived from his key, or a new one (then
        True)."""
        if filing.reference_id is not None:
            if filing.idempotency_key is not None:
                raise InvalidInput(
                    "Give reference_id or idempotency_key, not both.", field="idempotency_key"
                )
            return check_reference_id(filing.reference_id), False
        if filing.idempotency_key is not None:
            return (
                derive_reference_id(
                    filing.idempotency_key, market=self.market, kind=f"{kind.product}.{kind.name}"
                ),
                False,
            )
        return self.new_id(), True

    def money(self, amount: AmountLike, *, currency: str | None, field: str = "amount") -> Money:
        """Check an amount against the market's currency and its fractions."""
        money = amount
        if not isinstance(money, Money):
            money = Money(money, currency or self.market.currency)
        elif currency is not None and currency != money.currency:
            raise InvalidInput(
                f"The amount is in {money.currency}, the currency given is {currency}.",
                field="currency",
            )
        if money.currency not in self.market.currencies:
            allowed = " or ".join(self.market.currencies)
            raise InvalidInput(
                f"{self.market.country} takes {allowed}, not {money.currency}.",
                field=field if currency is None else "currency",
                hint="MTN's sandbox takes EUR only; a production market takes its own currency.",
            )
        return money

    def party(self, value: PartyLike, *, field: str) -> Party:
        """Read a payer or payee; a plain string is a phone number of the market."""
        try:
            return Party.of(value, market=self.market)
        except InvalidInput as error:
            raise InvalidInput(error.message, field=field, hint=error.hint) from None

    def note(self, text: str | None, *, field: str, clean: bool, changes: list[str]) -> str | None:
        """Check a note, or clean it and say what changed."""
        if text is None:
            return None
        # Callers know the argument by our name, MTN's field by MTN's.
        argument = re.sub("[A-Z]", lambda capital: "_" + capital[0].lower(), field)
        if clean:
            cleaned = clean_note(text, field=argument)
            changes.extend(f"{field}: {change}" for change in cleaned.changes)
            return cleaned.text or None
        return check_note(text, field=argument)


def check_header(text: str, *, field: str) -> str:
    """Refuse what must not go into a header: line breaks above all, and all that is not ASCII."""
    given: object = text
    if not isinstance(given, str) or not text.isascii() or not text.isprintable():
        raise InvalidInput("This goes into a header: visible ASCII characters only.", field=field)
    return text


def check_reference_id(reference_id: str | uuid.UUID, *, field: str = "reference_id") -> str:
    """Refuse a reference id that MTN would refuse: only UUIDs of version 4 are taken."""
    text = str(reference_id).lower()
    if not _UUID4.fullmatch(text):
        raise InvalidInput(
            "MTN takes only UUIDs of version 4 as reference ids.",
            field=field,
            hint="Make one with uuid.uuid4(), or give idempotency_key and let momokit derive it.",
        )
    return text


def derive_reference_id(key: str, *, market: Market, kind: str) -> str:
    """Derive a v4-shaped reference id from a key: the same in every process, for ever.

    Market and kind are part of it, so that one key may serve a collection and its refund.
    """
    given: object = key
    if not isinstance(given, str) or not key.strip():
        raise InvalidInput(
            "An idempotency key is a text that is not empty.",
            field="idempotency_key",
            hint="Use what names this one intended payment, such as your order number.",
        )
    told = "\x1f".join(("momokit-reference-id-1", market.target_environment, kind, key))
    digest = bytearray(hashlib.sha256(told.encode(errors="surrogatepass")).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x40
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))
