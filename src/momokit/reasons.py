"""MTN's codes explained: what happened, whose move it is, whether trying again is safe.

The same code can be an HTTP error's or a failed payment's. MTN adds codes without notice, so an
unknown one is a value here and never an exception. Branch on `code` and on the three short
fields, never on the texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from momokit._reason_words import WORDS, Words
from momokit._reason_words_setup import SETUP_WORDS

Kind = Literal["payment", "request", "configuration", "provider", "unknown"]
Who = Literal["payer", "payee", "you", "operator", "mtn"]

_MAX_CODE = 100
_MAX_MESSAGE = 500


class Retry(StrEnum):
    """For deciding what may be sent next.

    A *new attempt* has a new reference id and can charge anew; *the same reference id* cannot.
    """

    NEW_ATTEMPT = "a new attempt, when the payer wants it"
    AFTER_FIX = "a new attempt, once the cause is gone"
    SAME_REFERENCE = "the same reference id, after a pause"
    ASK_FIRST = "the same reference id, after asking for the status"
    KEEP_ASKING = "nothing new: the payment is open, keep asking for its status"

    @property
    def new_attempt_is_safe(self) -> bool:
        """For the one question about money: could a new reference id now pay twice?"""
        return self in (Retry.NEW_ATTEMPT, Retry.AFTER_FIX)


@dataclass(frozen=True, slots=True)
class Reason:
    """For explaining one code to a person and to a program.

    `kind` is what went wrong (payment: between people and their accounts; request: this call;
    configuration: our set-up; provider: MTN). `who` makes the next move: payer, payee, you (the
    program), operator (who holds the account and talks to MTN), or mtn. `payer_message` may be
    shown to the payer. `message` is what MTN wrote, when it wrote something; it can hold personal
    data, so it is not printed.
    """

    code: str
    kind: Kind
    who: Who
    retry: Retry
    what: Words = field(repr=False)
    remedy: Words = field(repr=False)
    payer_message: Words = field(repr=False)
    message: str = field(default="", compare=False, repr=False)

    @property
    def is_known(self) -> bool:
        """For telling a code of the catalogue from one that MTN added since."""
        return self.kind != "unknown"


# code: kind, whose move it is, what may be sent next
_FACTS: dict[str, tuple[Kind, Who, Retry]] = {
    "PAYER_NOT_FOUND": ("payment", "payer", Retry.AFTER_FIX),
    "PAYEE_NOT_FOUND": ("payment", "payee", Retry.AFTER_FIX),
    "NOT_ENOUGH_FUNDS": ("payment", "payer", Retry.AFTER_FIX),
    "LOW_BALANCE_OR_PAYEE_LIMIT_REACHED_OR_NOT_ALLOWED": ("payment", "payer", Retry.AFTER_FIX),
    "PAYER_LIMIT_REACHED": ("payment", "payer", Retry.AFTER_FIX),
    "PAYEE_LIMIT_REACHED": ("payment", "payee", Retry.AFTER_FIX),
    "PAYEE_NOT_ALLOWED_TO_RECEIVE": ("payment", "payee", Retry.AFTER_FIX),
    "PAYMENT_NOT_APPROVED": ("payment", "payer", Retry.NEW_ATTEMPT),
    "APPROVAL_REJECTED": ("payment", "payer", Retry.NEW_ATTEMPT),
    "EXPIRED": ("payment", "payer", Retry.NEW_ATTEMPT),
    "TRANSACTION_CANCELED": ("payment", "payer", Retry.NEW_ATTEMPT),
    "COULD_NOT_PERFORM_TRANSACTION": ("payment", "payer", Retry.ASK_FIRST),
    "PAYER_FAILED": ("payment", "payer", Retry.AFTER_FIX),
    "SENDER_ACCOUNT_NOT_ACTIVE": ("payment", "payer", Retry.AFTER_FIX),
    "ONGOING": ("payment", "payer", Retry.KEEP_ASKING),
    "PAYER_DELAYED": ("payment", "payer", Retry.KEEP_ASKING),
    "PAYEE_DELAYED": ("payment", "payee", Retry.KEEP_ASKING),
    "INTERNAL_PROCESSING_ERROR": ("provider", "mtn", Retry.ASK_FIRST),
    "SERVICE_UNAVAILABLE": ("provider", "mtn", Retry.ASK_FIRST),
    "RESOURCE_NOT_FOUND": ("request", "you", Retry.ASK_FIRST),
    "TRANSACTION_NOT_FOUND": ("request", "you", Retry.ASK_FIRST),
    "RESOURCE_ALREADY_EXIST": ("request", "you", Retry.KEEP_ASKING),
    "NOT_ALLOWED": ("configuration", "operator", Retry.AFTER_FIX),
    "NOT_ALLOWED_TARGET_ENVIRONMENT": ("configuration", "you", Retry.AFTER_FIX),
    "INVALID_CALLBACK_URL_HOST": ("configuration", "you", Retry.AFTER_FIX),
    "INVALID_CURRENCY": ("configuration", "you", Retry.AFTER_FIX),
    "VALIDATION_ERROR": ("request", "you", Retry.AFTER_FIX),
    "TRANSFER_TYPE_UNKNOWN": ("request", "you", Retry.AFTER_FIX),
    "NOT_SUCCESSFULLY_COMPLETED": ("request", "you", Retry.KEEP_ASKING),
    "PREAPPROVAL_EXIST_PENDING": ("request", "payer", Retry.KEEP_ASKING),
    "LOGIN_FAILED": ("configuration", "you", Retry.AFTER_FIX),
    "INVALID_SUBSCRIPTION_KEY": ("configuration", "you", Retry.AFTER_FIX),
    "INVALID_TOKEN": ("request", "you", Retry.SAME_REFERENCE),
    "FORBIDDEN": ("configuration", "operator", Retry.AFTER_FIX),
    "FORBIDDEN_IP": ("configuration", "operator", Retry.AFTER_FIX),
    "UNKNOWN_PATH": ("configuration", "you", Retry.AFTER_FIX),
    "TOO_MANY_REQUESTS": ("provider", "you", Retry.SAME_REFERENCE),
}


def _catalogue() -> Mapping[str, Reason]:
    words = WORDS | SETUP_WORDS
    return MappingProxyType(
        {
            code: Reason(code, kind, who, retry, *words[code])
            for code, (kind, who, retry) in _FACTS.items()
        }
    )


REASONS: Mapping[str, Reason] = _catalogue()


def _key(code: str) -> str:
    return "".join(character for character in code.upper() if character.isalnum())


# MTN's spellings differ from place to place: "login failed", "TransfertypeUnknown", one L or two.
_BY_KEY = {_key(code): reason for code, reason in REASONS.items()}
_BY_KEY["TRANSACTIONCANCELLED"] = REASONS["TRANSACTION_CANCELED"]
_BY_KEY["RESOURCEALREADYEXISTS"] = REASONS["RESOURCE_ALREADY_EXIST"]
_LOW_BALANCE_KEY = "LOWBALANCEORPAYEELIMIT"
# The gateway in front of MTN's wallets sends no code; its messages stand for one.
_GATEWAY_MESSAGES = (
    ("subscription key", "INVALID_SUBSCRIPTION_KEY"),
    ("forbidden ip", "FORBIDDEN_IP"),
    ("ip address", "FORBIDDEN_IP"),
)
_GATEWAY_STATUSES = {
    401: "INVALID_TOKEN",
    403: "FORBIDDEN",
    404: "UNKNOWN_PATH",
    429: "TOO_MANY_REQUESTS",
}


def reason_of(reason: object) -> Reason:
    """For explaining whatever MTN put in `reason`, `errorReason`, `error` or an error body.

    Takes a code, an object with `code` and `message` (a mapping or a struct), one of the
    gateway's bodies, or None; never raises. An unknown code is kept, with `kind` "unknown".
    """
    if isinstance(reason, Reason):
        return reason
    code, message, status = _parts(reason)
    if not code:
        code = _gateway_code(message, status=status)
    found = _BY_KEY.get(_key(code))
    if found is None and _key(code).startswith(_LOW_BALANCE_KEY):
        found = REASONS["LOW_BALANCE_OR_PAYEE_LIMIT_REACHED_OR_NOT_ALLOWED"]
    if found is None:
        found = replace(_UNKNOWN, code=code)
    return replace(found, message=message) if message else found


def suggest_codes(code: str) -> tuple[str, ...]:
    """For `explain` after a typing error: up to three codes of the catalogue like this one."""
    import difflib  # only a mistake pays for loading it

    close = difflib.get_close_matches(_key(code[:_MAX_CODE]), _BY_KEY, n=3, cutoff=0.6)
    return tuple(dict.fromkeys(_BY_KEY[key].code for key in close))


def _parts(reason: object) -> tuple[str, str, object]:
    if isinstance(reason, str | int):
        return _text(reason, limit=_MAX_CODE), "", None
    if isinstance(reason, Mapping):
        error = reason.get("error")
        if isinstance(error, Mapping):
            return _parts(error)
        code = _text(reason.get("code"), limit=_MAX_CODE) or _text(error, limit=_MAX_CODE)
        message = _text(reason.get("message"), limit=_MAX_MESSAGE)
        return code, message, reason.get("statusCode")
    code = _text(getattr(reason, "code", None), limit=_MAX_CODE)
    return code, _text(getattr(reason, "message", None), limit=_MAX_MESSAGE), None


def _gateway_code(message: str, *, status: object) -> str:
    lowered = message.lower()
    for words, code in _GATEWAY_MESSAGES:
        if words in lowered:
            return code
    return _GATEWAY_STATUSES.get(status, "") if isinstance(status, int) else ""


def _text(value: object, *, limit: int) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 64:
        return str(value)
    if not isinstance(value, str):
        return ""
    # Control characters and halves of surrogate pairs break databases and logs further on.
    return "".join(c for c in value[:limit] if c.isprintable()).strip()


_UNKNOWN = Reason(
    "",
    "unknown",
    "operator",
    Retry.ASK_FIRST,
    Words(
        "MTN gave no code, or one that is not in this catalogue.",
        "MTN n'a pas donné de code, ou un code absent de ce catalogue.",
    ),
    Words(
        "Ask for the payment's status and go by that; ask MTN about the code.",
        "Demandez le statut du paiement et fiez-vous à lui ; interrogez MTN sur ce code.",
    ),
    Words(
        "The payment did not go through as planned. We are looking into it.",
        "Le paiement ne s'est pas déroulé comme prévu. Nous vérifions.",
    ),
)
