"""Consent: a holder is asked, the caller fetches a token for it, and reads who the holder is.

MTN publishes the scenarios but not how a consent that is pending or refused is answered. The
OAuth-style `{"error": ...}` answers here are our invention.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from . import checks, dialects
from .call import Call, Refusal
from .exchange import Reply, json_reply
from .provisioning import TOKEN_HEADERS, issue_token
from .records import SAND_BOX, Consent

_HINT = re.compile(r"ID:(?P<id>[^/]{1,256})/(?P<type>MSISDN|EMAIL|ALIAS|ID)")
_SCOPES = frozenset({"openid", "profile", "all_info", "email", "phone", "address"})
_CIBA = "urn:openid:params:grant-type:ciba"
_PENDING_SECONDS = 3600
_REFRESH_SECONDS = 2_592_000
_REFUSED = {
    "ConsentRejected": ("access_denied", ""),
    "ConsentPending": ("authorization_pending", ""),
    "ConsentExpired": ("expired_token", ""),
    "AlreadyUsed": ("invalid_grant", ""),
    "FinancialNoFunds": ("access_denied", "NOT_ENOUGH_FUNDS"),
    "FinancialPayeeNotFound": ("access_denied", "PAYEE_NOT_FOUND"),
    "FinancialConsentMismatch": ("access_denied", "CONSENT_MISMATCH"),
    "FinancialPayerLimitReached": ("access_denied", "PAYER_LIMIT_REACHED"),
    "FinancialPayeeNotAllowedToReceive": ("access_denied", "PAYEE_NOT_ALLOWED_TO_RECEIVE"),
}
_PROFILE = (
    "sub",
    "name",
    "given_name",
    "family_name",
    "birthdate",
    "locale",
    "gender",
    "updated_at",
)


def authorize(call: Call) -> Reply:
    """Answer bc-authorize: the holder is asked, the caller gets an id to come back with."""
    form = checks.form(call)
    hint = _HINT.fullmatch(form.get("login_hint", ""))
    scopes = form.get("scope", "").split()
    if hint is None or not scopes or form.get("access_type") not in ("online", "offline"):
        return _error("invalid_request")
    if not _SCOPES.issuperset(scopes):
        return dialects.wallet("INTERNAL_PROCESSING_ERROR")
    state = call.state
    identifiers = (hint["id"], "", "")
    chosen = state.scenarios.find(family="consent", identifiers=identifiers)
    scenario = chosen.outcome if chosen else state.published("consent", identifiers=identifiers)
    if scenario == "AccountHolderNotFound":
        return _error("unknown_user_id")
    consent = Consent(
        auth_req_id=state.uuid4(),
        product=call.product,
        user_id=call.user.user_id,
        party_id=hint["id"],
        scope=" ".join(scopes),
        scenario=scenario,
        expires_at=call.now + _PENDING_SECONDS,
    )
    if len(state.consents) >= state.settings.record_limit:
        del state.consents[next(iter(state.consents))]
    state.consents[consent.auth_req_id] = consent
    state.version += 1
    return json_reply(
        200,
        {"auth_req_id": consent.auth_req_id, "interval": 5, "expires_in": _PENDING_SECONDS},
    )


def create_consent_token(call: Call) -> Reply:
    """Answer CreateOauth2Token, for a consent that was given or with a refresh token."""
    form = checks.form(call)
    if form.get("grant_type") == "refresh_token":
        return _refresh(call, form.get("refresh_token", ""))
    if form.get("grant_type") != _CIBA:
        return _error("unsupported_grant_type")
    consent = call.state.consents.get(form.get("auth_req_id", ""))
    if consent is None or consent.product != call.product or consent.used:
        return _error("invalid_grant")
    if consent.user_id != call.user.user_id:
        return _error("invalid_grant")
    if consent.expires_at <= call.now:
        return _error("expired_token")
    if consent.scenario in _REFUSED:
        error, description = _REFUSED[consent.scenario]
        return _error(error, description=description)
    consent.used = True
    return _token(call, consent)


def user_info(call: Call) -> Reply:
    """Answer GetUserInfoWithConsent: what the consent's scope allows to be known."""
    token = call.state.tokens[call.header("authorization")[7:]]
    consent = call.state.consents.get(token.consent)
    if consent is None or consent.scenario == "Revoked":
        return _error("consent_revoked", status=401)
    if consent.scenario == "DeletedScope":
        return _error("insufficient_scope", status=403)
    everything = _everything(call)
    if "all_info" in consent.scope.split():
        return json_reply(200, everything)
    return json_reply(200, {name: everything[name] for name in _PROFILE})


def login(call: Call) -> None:
    """Check the credentials of bc-authorize, which MTN's documents describe in two ways."""
    if call.header("authorization").startswith("Basic"):
        user = checks.basic(call)
        if user is None:
            raise Refusal(dialects.token_error("login_failed"))
        call.user = user
    else:
        call.user = checks.bearer(call)


def _refresh(call: Call, refresh_token: str) -> Reply:
    found = next(
        (
            consent
            for consent in call.state.consents.values()
            if refresh_token and consent.refresh_token == refresh_token
        ),
        None,
    )
    if found is None or found.scenario == "ExpiredRefreshToken" or found.product != call.product:
        return _error("invalid_grant")
    return _token(call, found)


def _token(call: Call, consent: Consent) -> Reply:
    state = call.state
    consent.refresh_token = state.uuid4()
    state.version += 1
    lifetime = state.settings.token_lifetime_seconds
    body: dict[str, Any] = {
        "access_token": issue_token(
            state,
            user_id=consent.user_id,
            product=call.product,
            seconds=lifetime,
            consent=consent.auth_req_id,
        ),
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": consent.scope,
        "refresh_token": consent.refresh_token,
        "refresh_token_expired_in": _REFRESH_SECONDS,
    }
    return Reply(200, TOKEN_HEADERS, msgspec.json.encode(body))


def _error(error: str, *, status: int = 400, description: str = "") -> Reply:
    body = {"error": error}
    if description:
        body["error_description"] = description
    return json_reply(status, body)


def _everything(call: Call) -> dict[str, Any]:
    return {
        **SAND_BOX,
        "status": "ACTIVE",
        "gender": "MALE",
        "email": "sand.box@example.test",
        "email_verified": True,
        "phone_number": "46123456789",
        "phone_number_verified": True,
        "address": {
            "formatted": "1 Sand Street\n12345 Boxtown\nSweden",
            "street_address": "1 Sand Street",
            "postal_code": "123 45",
            "locality": "Boxtown",
            "region": "Blekinge",
            "country": "Sweden",
        },
        "updated_at": int(call.now),
        "credit_score": 123,
        "active": True,
        "country_of_birth": "Sweden",
        "region_of_birth": "Blekinge",
        "city_of_birth": "Boxtown",
        "occupation": "Baker",
        "employer_name": "Boxtown Bakery",
        "identification_type": "PASS",
        "identification_value": "S1234567",
    }
