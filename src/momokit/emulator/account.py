"""Questions about accounts: the merchant's balance, and whether and who a holder is."""

from __future__ import annotations

from decimal import Decimal

from . import checks, dialects
from .call import Call
from .exchange import Reply, json_reply
from .records import SAND_BOX

_ACTIVE_TYPES = {
    "collection": ("msisdn", "email"),
    "disbursement": ("msisdn", "email"),
    "remittance": ("msisdn", "email", "party_code"),
}
_NAME_TYPES = ("msisdn", "email", "alias", "id")
_CODES = {
    "NotFound": "RESOURCE_NOT_FOUND",
    "NotAllowed": "NOT_ALLOWED",
    "NotAllowedTargetEnvironment": "NOT_ALLOWED_TARGET_ENVIRONMENT",
    "InternalProcessingError": "INTERNAL_PROCESSING_ERROR",
    "ServiceUnavailable": "SERVICE_UNAVAILABLE",
}
_BALANCES = (
    "Success",
    "AccountNotFound",
    "ZeroBalance",
    "NegativeBalance",
    "NotAllowed",
    "NotAllowedTargetEnvironment",
    "InternalProcessingError",
    "ServiceUnavailable",
)


def balance(call: Call) -> Reply:
    """Answer GetAccountBalance."""
    return _balance(call, currency=call.state.market.currencies[0])


def balance_in_currency(call: Call) -> Reply:
    """Answer GetAccountBalanceInSpecificCurrency."""
    currency = call.parameters[0]
    if currency not in call.state.market.currencies:
        return dialects.wallet("INVALID_CURRENCY")
    return _balance(call, currency=currency)


def active(call: Call) -> Reply:
    """Answer ValidateAccountHolderStatus; in the sandbox every ordinary holder is active."""
    id_type, identifier = call.parameters
    if id_type not in _ACTIVE_TYPES[call.product]:
        raise checks.bad_request(call)
    state = call.state
    identifiers = (identifier, "", "")
    chosen = state.scenarios.find(family="active", identifiers=identifiers)
    name = chosen.outcome if chosen else state.published("active", identifiers=identifiers)
    if name == "NotActive" or (name == "NotFound" and state.settings.missing_holder == "false"):
        if name == "NotActive" and state.settings.not_active == "500":
            return dialects.wallet("INTERNAL_PROCESSING_ERROR")
        return json_reply(200, {"result": False})
    code = _CODES.get(name, name if name in _CODES.values() else "")
    if code:
        return dialects.wallet(code)
    unknown = id_type == "msisdn" and state.settings.check_numbers
    known = not unknown or state.market.knows(identifier)
    return json_reply(200, {"result": known and name.lower() not in ("failed", "false")})


def basic_user_info(call: Call) -> Reply:
    """Answer GetBasicUserinfo; in 2024 and for remittance the path has only the msisdn type."""
    id_type, identifier = call.parameters
    if id_type.lower() not in _NAME_TYPES:
        raise checks.bad_request(call)
    market = call.state.market
    if id_type.lower() == "msisdn" and not market.knows(identifier):
        return dialects.wallet("RESOURCE_NOT_FOUND")
    return json_reply(
        200,
        {
            **SAND_BOX,
            "gender": "MALE",
            "updated_at": str(int(call.now)),
        },
    )


def _balance(call: Call, *, currency: str) -> Reply:
    state = call.state
    held = f"{state.balance(currency):f}"
    low = call.fault("low_balance") if call.faulty else None
    if low is not None:
        held = low["amount"]
    if state.settings.erratic_balance:
        name = state.chance.choice(_BALANCES)
        if name == "AccountNotFound":
            return dialects.wallet("RESOURCE_NOT_FOUND")
        if name in _CODES:
            return dialects.wallet(_CODES[name])
        held = {"ZeroBalance": "0", "NegativeBalance": "-25"}.get(name, held)
    return json_reply(200, {"availableBalance": _plain(held), "currency": currency})


def _plain(held: str) -> str:
    try:
        value = Decimal(held).normalize()
    except ArithmeticError:
        return held
    return f"{value:f}"
