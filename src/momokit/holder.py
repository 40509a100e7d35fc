"""What MTN tells us about accounts and their holders: balances, names, consents, yes or no.

A question about an account has three answers, not two: yes, no, and "could not check".
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Literal

import msgspec

from momokit.errors import MomoError
from momokit.told import Told


class PreApprovalDetails(Told, frozen=True, kw_only=True):
    """One pre-approval in the list of a payer (GetApprovedPreApprovals); only those given to us
    are listed."""

    pre_approval_id: str | None = None
    to_fri: str | None = None
    from_fri: str | None = None
    from_currency: str | None = None
    created_time: str | None = None
    approved_time: str | None = None
    expiry_time: str | None = None
    status: str | None = None
    message: str | None = None
    frequency: str | None = None
    start_date: str | None = None
    last_used_date: str | None = None
    offer: str | None = None
    external_id: str | None = None
    max_debit_amount: Decimal | None = None

    shown: ClassVar[tuple[str, ...] | None] = ("pre_approval_id", "status")


class Balance(Told, frozen=True, kw_only=True):
    """What is in the account (GetAccountBalance). Can be zero or negative."""

    available_balance: Decimal | None = None
    currency: str | None = None


class BasicUserInfo(Told, frozen=True, kw_only=True, rename=None):
    """The name MTN has for an account holder (GetBasicUserinfo). Every field may be missing."""

    given_name: str | None = None
    family_name: str | None = None
    name: str | None = None
    birthdate: str | None = None
    locale: str | None = None
    gender: str | None = None
    status: str | None = None
    sub: str | None = None
    updated_at: str | None = None

    shown: ClassVar[tuple[str, ...] | None] = ("status",)

    @property
    def full_name(self) -> str | None:
        """Give the whole name as far as MTN told it, or None."""
        parts = [part for part in (self.given_name, self.family_name) if part]
        return " ".join(parts) or self.name


class UserInfo(BasicUserInfo, frozen=True, kw_only=True, rename=None):
    """What an account holder consented to tell us (GetUserInfoWithConsent).

    Every field may be missing.
    """

    middle_name: str | None = None
    email: str | None = None
    email_verified: bool | None = None
    phone_number: str | None = None
    phone_number_verified: bool | None = None
    address: dict[str, Any] | None = None
    credit_score: str | None = None
    active: bool | None = None
    country_of_birth: str | None = None
    region_of_birth: str | None = None
    city_of_birth: str | None = None
    occupation: str | None = None
    employer_name: str | None = None
    identification_type: str | None = None
    identification_value: str | None = None


class ConsentRequest(Told, frozen=True, kw_only=True, rename=None):
    """A consent that was asked for (bc-authorize).

    Wait `interval` seconds between tries to redeem it.
    """

    auth_req_id: str | None = None
    interval: int | None = None
    expires_in: int | None = None


class ConsentToken(Told, frozen=True, kw_only=True, rename=None):
    """The token of a consent (CreateOauth2Token): opens `user_info`. Kept out of `repr`."""

    access_token: str | None = None
    token_type: str | None = None
    expires_in: int | None = None
    scope: str | None = None
    refresh_token: str | None = None
    refresh_token_expired_in: int | None = None

    shown: ClassVar[tuple[str, ...] | None] = ("scope", "expires_in")


class ApiUser(Told, frozen=True, kw_only=True, rename="camel"):
    """An API user of MTN's sandbox (get-v1_0-apiuser)."""

    provider_callback_host: str | None = None
    target_environment: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """Yes, no, or could not check. It is not to be used as a bool: an outage is never a no.

    `error` says why it could not be checked.
    """

    verdict: Literal["yes", "no", "could_not_check"]
    error: MomoError | None = None

    @property
    def yes(self) -> bool:
        """True only when MTN said yes."""
        return self.verdict == "yes"

    @property
    def no(self) -> bool:
        """True only when MTN said no."""
        return self.verdict == "no"

    @property
    def could_not_check(self) -> bool:
        """True when MTN did not say: decide later, do not decide "no"."""
        return self.verdict == "could_not_check"

    def __bool__(self) -> bool:
        raise TypeError("This has three values: ask .yes, .no or .could_not_check")


class HolderInfo(msgspec.Struct, frozen=True):
    """Who an account belongs to: `found` is three-valued, `info` is there when it is yes."""

    found: Answer
    info: BasicUserInfo | None = None
