"""The emulator's switches: one named setting for every doubt about MTN's real behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from decimal import Decimal
from typing import Any, Literal, TypeVar

from .markets import MARKETS

T = TypeVar("T")
_LARGEST = 1e10
PRODUCTS = ("collection", "disbursement", "remittance")


def switch(default: T, what: str) -> T:
    """Declare one setting with its explanation, from which the reference page is generated."""
    declared: Any = field(default=default, metadata={"what": what})
    return declared  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionKeys:
    """One product's subscription keys, for `strict_keys`."""

    product: str
    primary: str
    secondary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededUser:
    """An API user that exists from the start, as one made in MTN's partner portal does."""

    user_id: str
    api_key: str
    callback_host: str = "localhost"
    product: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """How this emulator behaves; every field is one choice, with a default that suits most tests.

    Raises ValueError when a field has a value it cannot have.
    """

    market: str = switch(
        "sandbox",
        "The target environment that is emulated. Anything but `sandbox` behaves as production: "
        "no provisioning, the country's currency, and numbers of another country are not found.",
    )
    seed: int = switch(0, "Seeds every random choice, so that a run can be repeated exactly.")
    approval: Literal["scenario", "phone"] = switch(
        "scenario",
        "Who approves. `scenario`: ordinary numbers succeed at once. `phone`: a request to pay, "
        "a withdraw and a pre-approval wait for a decision on the phone page.",
    )
    approval_window_seconds: float = switch(
        300.0, "How long a payer may take before a request fails with EXPIRED."
    )
    strict_keys: bool = switch(
        False,
        "Accept only subscription keys from `subscription_keys`, each on its own product. "
        "Otherwise any key of plausible shape is accepted.",
    )
    subscription_keys: tuple[SubscriptionKeys, ...] = switch(
        (), "The subscription keys that exist, per product, primary and secondary."
    )
    users: tuple[SeededUser, ...] = switch(
        (), "API users that exist from the start; the only ones there are outside the sandbox."
    )
    strict_user_scope: bool = switch(
        False,
        "An API user works only with the product whose key made it; elsewhere it gets a token and "
        "then 500 NOT_ALLOWED_TARGET_ENVIRONMENT. Observers disagree, so lenient is the default.",
    )
    product_scoped_tokens: bool = switch(True, "A token works only on the product that issued it.")
    token_lifetime_seconds: int = switch(3600, "The `expires_in` of a token.")
    login_failure: Literal["401", "500", "500-unclear"] = switch(
        "401",
        "How a wrong API user or key is answered at the token endpoint: with `login_failed` as 401 "
        "or 500, or with a 500 that could mean anything; all were reported.",
    )
    token_without_slash: Literal["redirect", "accept", "not_found"] = switch(
        "redirect", "How `/token` without its final slash is answered; `redirect` is a 302."
    )
    require_content_length: bool = switch(
        True, "Answer 411 with an HTML page to a bodyless POST without Content-Length."
    )
    check_callback_host: bool = switch(
        True, "Refuse a request whose X-Callback-Url has another host than the API user's."
    )
    refuse_own_user_id: bool = switch(
        True, "Refuse an X-Reference-Id that equals the API user's own id."
    )
    strict_notes: bool = switch(
        False,
        "Notes: at most 128 characters and not null, instead of at most 160. The published pages "
        "disagree.",
    )
    restricted_characters: bool = switch(
        True, "Refuse notes with an apostrophe or an ampersand, as reported of the real service."
    )
    external_id_spaces: bool = switch(False, "Accept spaces in an external id.")
    validation_bodies: bool = switch(
        False,
        "Answer a bad body with 400 and code VALIDATION_ERROR instead of an empty 400.",
    )
    reason_shape: Literal["wire", "string", "object"] = switch(
        "wire",
        "How a failure reason is written. `wire`: a bare string, and an object for invoices and "
        "payments; the other two force one shape everywhere.",
    )
    duplicate_scope: Literal["user_and_product", "global"] = switch(
        "user_and_product", "Within what a reference id must be unique, else 409."
    )
    callback_regime: Literal["once", "retry"] = switch(
        "once",
        "How callbacks are delivered. `once`: one attempt. `retry`: a two-second time limit, then "
        "20 attempts a second apart, 30 every two minutes, then hourly.",
    )
    callback_verb: Literal["version", "POST", "PUT"] = switch(
        "version", "The callback's verb. `version`: POST for v1_0 paths and PUT for v2_0."
    )
    callback_delay_seconds: float = switch(0.0, "How long after the outcome a callback leaves.")
    callback_retry_hours: float = switch(
        72.0, "When the emulator gives up a callback under the `retry` regime; MTN names no end."
    )
    callback_verify_tls: bool = switch(
        False, "Check the certificate of an https callback address as MTN does in production."
    )
    delayed_after_seconds: float = switch(
        25.0, "When the `Delayed` test identifiers succeed, by the emulator's clock."
    )
    invoice_paid_after_seconds: float = switch(
        6.0, "When an ordinary invoice is paid, by the emulator's clock; measured of the sandbox."
    )
    ongoing_expires_after_seconds: float | None = switch(
        300.0, "When the `Ongoing` test identifiers fail with EXPIRED; None leaves them open."
    )
    not_active: Literal["false", "500"] = switch(
        "false", "How `active` answers for the NotActive identifier: `result` false, or a 500."
    )
    missing_holder: Literal["404", "false"] = switch(
        "404", "How `active` answers for the NotFound identifier: 404, or `result` false."
    )
    erratic_balance: bool = switch(
        False, "Balance questions get one of the sandbox's eight answers, by seeded chance."
    )
    opening_balance: str = switch("1000000000", "What the merchant's wallet holds at the start.")
    enforce_balance: bool = switch(
        True, "Fail a disbursement with NOT_ENOUGH_FUNDS when the wallet does not hold it."
    )
    check_numbers: bool = switch(
        True, "Outside the sandbox, an MSISDN that does not fit the market is not found."
    )
    notification_window_seconds: float = switch(
        86400.0, "How long after success a delivery notification may be sent, else 410."
    )
    history_limit: int = switch(10_000, "How many requests and callbacks the history keeps.")
    record_limit: int = switch(200_000, "How many payments are kept; the oldest are forgotten.")
    body_limit_bytes: int = switch(262_144, "The largest request body that is read.")
    state_file: str = switch("", "A JSON file that holds the state between runs; empty for none.")

    def __post_init__(self) -> None:
        if self.market not in MARKETS:
            raise ValueError(f"unknown market {self.market!r}; choose from {', '.join(MARKETS)}")
        for declared in fields(self):
            _check(declared, getattr(self, declared.name))
        if not _is_amount(self.opening_balance):
            raise ValueError(f"opening_balance cannot be {self.opening_balance!r}")
        for keys in self.subscription_keys:
            if keys.product not in PRODUCTS:
                raise ValueError(f"unknown product {keys.product!r} in subscription_keys")

    @property
    def sandbox(self) -> bool:
        """Whether this is MTN's test environment rather than a country."""
        return self.market == "sandbox"

    def changed(self, changes: Mapping[str, Any]) -> EmulatorSettings:
        """Give these settings with some replaced.

        Raises ValueError for a name that does not exist or a value it cannot have.
        """
        known = {declared.name for declared in fields(self)}
        for name in changes:
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; there are {', '.join(sorted(known))}")
        return replace(self, **changes)


def _check(declared: Field[Any], value: object) -> None:
    default = declared.default
    words = declared.type if isinstance(declared.type, str) else ""
    if words.startswith("Literal["):
        allowed = [word.strip(" '\"") for word in words[8:-1].split(",")]
        if value not in allowed:
            raise ValueError(f"{declared.name} is one of {', '.join(allowed)}, not {value!r}")
        return
    if value is None and "None" in words:
        return
    if isinstance(default, int | float) and not isinstance(default, bool):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = number and (declared.name == "seed" or 0 <= value <= _LARGEST)  # type: ignore[operator]
    else:
        fits = isinstance(value, type(default))
    if not fits:
        raise ValueError(f"{declared.name} cannot be {value!r}")


def _is_amount(written: str) -> bool:
    try:
        return Decimal(written).is_finite()
    except ArithmeticError:
        return False


def describe_settings() -> tuple[tuple[str, str, str, str], ...]:
    """List every setting as (name, type, default, explanation) for the reference page."""
    return tuple(
        (f.name, str(f.type), repr(f.default), str(f.metadata["what"]))
        for f in fields(EmulatorSettings)
    )
