"""Questions about accounts and their holders, the same in all three products, and the holder's
consent."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from momokit.errors import InvalidInput, NotFound, ProviderError
from momokit.holder import (
    Answer,
    Balance,
    BasicUserInfo,
    ConsentRequest,
    ConsentToken,
    HolderInfo,
    UserInfo,
)
from momokit.operations.ask import ask_json
from momokit.operations.exchange import Operation, Request, Response, send
from momokit.operations.forms import Forms, PartyLike, check_header
from momokit.operations.token import Access

CIBA_GRANT = "urn:openid:params:grant-type:ciba"
"""MTN's own spelling; the standard one has `oauth` in it."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def balance(access: Access, *, currency: str | None) -> Operation[Balance]:
    """GetAccountBalance, or GetAccountBalanceInSpecificCurrency when a currency is given."""
    path = f"/{access.product}/v1_0/account/balance"
    operation = "GetAccountBalance"
    if currency is not None:
        path = f"{path}/{quote(currency, safe='')}"
        operation = "GetAccountBalanceInSpecificCurrency"
    body = yield from ask_json(access, Request(operation, "GET", path))
    return Balance.read(body)


def is_active(access: Access, forms: Forms, *, party: PartyLike) -> Operation[Answer]:
    """ValidateAccountHolderStatus: three-valued; an outage or a refusal is "could not check"."""
    holder = forms.party(party, field="party")
    path = (
        f"/{access.product}/v1_0/accountholder/{holder.path_id_type('active')}"
        f"/{quote(holder.id, safe='@')}/active"
    )
    try:
        body = yield from ask_json(access, Request("ValidateAccountHolderStatus", "GET", path))
    except NotFound as error:
        # The gateway's own 404 speaks of the path, not of the holder.
        return Answer("no" if error.code is not None else "could_not_check", error)
    except ProviderError as error:
        return Answer("could_not_check", error)
    result = body.get("result")
    if result is True or result == "true":
        return Answer("yes")
    if result is False or result == "false":
        return Answer("no")
    return Answer("could_not_check")


def basic_user_info(access: Access, forms: Forms, *, party: PartyLike) -> Operation[HolderInfo]:
    """GetBasicUserinfo: the name MTN has for an account holder; three-valued like `is_active`."""
    holder = forms.party(party, field="party")
    # Lower-case msisdn is the form published for all three products; the newer spellings are for
    # the rest.
    spelt = "msisdn" if holder.id_type == "MSISDN" else holder.path_id_type("basicuserinfo")
    path = (
        f"/{access.product}/v1_0/accountholder/{spelt}/{quote(holder.id, safe='@')}/basicuserinfo"
    )
    try:
        body = yield from ask_json(access, Request("GetBasicUserinfo", "GET", path))
    except NotFound as error:
        return HolderInfo(Answer("no" if error.code is not None else "could_not_check", error))
    except ProviderError as error:
        return HolderInfo(Answer("could_not_check", error))
    return HolderInfo(Answer("yes"), BasicUserInfo.read(body))


def bc_authorize(
    access: Access,
    forms: Forms,
    *,
    party: PartyLike,
    scope: str,
    access_type: str,
    consent_valid_seconds: int | None,
    client_notification_token: str | None,
    scope_instruction: str | None,
    callback_url: str | None,
) -> Operation[ConsentRequest]:
    """bc-authorize: ask an account holder for consent. Sent once, because it reaches a person."""
    holder = forms.party(party, field="party")
    if access_type not in ("online", "offline"):
        raise InvalidInput("access_type is online or offline.", field="access_type")
    if not scope.strip():
        raise InvalidInput("At least one scope is wanted, such as profile.", field="scope")
    fields = {
        "login_hint": holder.identity,
        "scope": scope,
        "access_type": access_type,
        "consent_valid_in": consent_valid_seconds,
        "client_notification_token": client_notification_token,
        "scope_instruction": scope_instruction,
    }
    headers = dict(_FORM)
    if callback_url:
        headers["X-Callback-Url"] = forms.checked_callback_url(callback_url)
    body = urlencode({k: v for k, v in fields.items() if v is not None}).encode()
    request = Request("bc-authorize", "POST", f"/{access.product}/v1_0/bc-authorize", headers, body)
    return ConsentRequest.read((yield from ask_json(access, request, repeat=False)))


def oauth2_token(
    access: Access, *, auth_req_id: str | None, refresh_token: str | None
) -> Operation[ConsentToken]:
    """CreateOauth2Token: redeem a consent, or renew its token.

    Sent once: neither can be used twice.
    """
    if (auth_req_id is None) == (refresh_token is None):
        raise InvalidInput("Give auth_req_id or refresh_token, one of them.", field="auth_req_id")
    fields = (
        {"grant_type": CIBA_GRANT, "auth_req_id": auth_req_id}
        if auth_req_id is not None
        else {"grant_type": "refresh_token", "refresh_token": refresh_token}
    )
    body = urlencode(fields).encode()
    request = Request("CreateOauth2Token", "POST", f"/{access.product}/oauth2/token/", _FORM, body)
    answer = yield from ask_json(access, request, by=_with_basic, repeat=False)
    return ConsentToken.read(answer)


def user_info(access: Access, *, consent_token: str) -> Operation[UserInfo]:
    """GetUserInfoWithConsent: what the holder agreed to tell.

    The consent's token opens it, not ours.
    """

    check_header(consent_token, field="consent_token")

    def with_consent(access: Access, request: Request) -> Operation[Response]:
        return (yield from send(access.with_bearer(request, consent_token)))

    request = Request("GetUserInfoWithConsent", "GET", f"/{access.product}/oauth2/v1_0/userinfo")
    return UserInfo.read((yield from ask_json(access, request, by=with_consent)))


def _with_basic(access: Access, request: Request) -> Operation[Response]:
    return (yield from send(access.with_basic(request)))
