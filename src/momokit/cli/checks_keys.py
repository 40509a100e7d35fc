"""Doctor's checks of one product: keys, API user, tokens, target environment, currency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from momokit.cli.findings import Finding
from momokit.cli.probe import Probe, Trial
from momokit.errors import MomoError, NotFound, PermissionDenied, Refused
from momokit.holder import Balance
from momokit.secret import Secret
from momokit.settings import PRODUCTS, Credentials, Product

_WRONG_ENVIRONMENT = "NOT_ALLOWED_TARGET_ENVIRONMENT"


def check_product(probe: Probe, product: Product, credentials: Credentials) -> Iterator[Finding]:
    """Check everything about one product's credentials; each finding names the product."""
    working: Secret | None = None
    for which, key in _keys(credentials):
        trial, error = probe.try_key(product, key, credentials)
        yield _key_finding(probe, product, credentials, which=which, key=key, told=(trial, error))
        if trial == "works" and working is None:
            working = key
    yield from _spare_key(product, credentials)
    if working is not None:
        yield from _use(probe, product, replace(credentials, subscription_key=working))


def read_user(
    probe: Probe, product: Product, credentials: Credentials
) -> tuple[Finding, str | None]:
    """Read the API user back where MTN lets us; gives the callback host registered for it too."""
    check = f"{product}: API user"
    if not probe.settings.place.is_sandbox:
        return Finding(
            check,
            "by_hand",
            "Production does not let an API user be read back.",
            "Compare it, and its callback host, with what the partner portal shows.",
        ), None
    client, _ = probe.client(None, None)
    with client:
        try:
            user = client.sandbox.api_user(
                credentials.api_user, subscription_key=credentials.subscription_key
            )
        except NotFound:
            remedy = "Make one: momo sandbox provision. Sandbox users do not exist in production."
            return Finding(check, "problem", "MTN knows no such API user.", remedy), None
        except MomoError as error:
            return Finding(check, "not_checked", error.message, error.hint), None
    host = user.provider_callback_host
    return Finding(check, "ok", f"is known; callback host {host or 'not told'}"), host


def _keys(credentials: Credentials) -> list[tuple[str, Secret]]:
    names = ("primary key", "secondary key")
    return list(zip(names, credentials.subscription_keys, strict=False))


def _key_finding(
    probe: Probe,
    product: Product,
    credentials: Credentials,
    *,
    which: str,
    key: Secret,
    told: tuple[Trial, MomoError | None],
) -> Finding:
    trial, error = told
    check = f"{product}: {which}"
    if trial == "works":
        return Finding(check, "ok", "opens the product; a token was given")
    if trial == "user_refused":
        return Finding(
            check,
            "problem",
            "The key is accepted; the API user with its API key is not.",
            "Check both. A new API key ends the old one; sandbox users do not work in production.",
        )
    if trial == "no_answer":
        what = error.message if error else "no answer"
        return Finding(check, "not_checked", what, error.hint if error else "")
    owners = [
        other
        for other in PRODUCTS
        if other != product and probe.try_key(other, key, credentials)[0] not in _NOT_ITS_OWN
    ]
    if owners:
        return Finding(
            check,
            "problem",
            f"This is the key of {' and '.join(owners)}, not of {product}.",
            f"Put it into MOMO_{owners[0].upper()}_SUBSCRIPTION_KEY and give {product} its own.",
        )
    return Finding(
        check,
        "problem",
        "MTN's gateway accepts this key for no product.",
        "Copy it again from your profile at MTN's portal; sandbox and production keys differ.",
    )


_NOT_ITS_OWN = ("key_refused", "no_answer")


def _spare_key(product: Product, credentials: Credentials) -> Iterator[Finding]:
    keys = credentials.subscription_keys
    check = f"{product}: secondary key"
    if len(keys) < 2:
        yield Finding(
            check,
            "warning",
            "There is none, so renewing the primary key will stop you.",
            f"MTN gives two: set MOMO_{product.upper()}_SECONDARY_SUBSCRIPTION_KEY.",
        )
    elif keys[0] == keys[1]:
        yield Finding(
            check, "warning", "It is the same as the primary key.", "Copy the other one of the two."
        )


def _use(probe: Probe, product: Product, credentials: Credentials) -> Iterator[Finding]:
    """Take two tokens and go on with the first, then read the balance with it."""
    client, seen = probe.client(product, credentials)
    with client:
        group = getattr(client, product)
        try:
            group.token()
            probe.try_key(product, credentials.subscription_keys[0], credentials)
            read: Balance | MomoError = group.balance()
        except MomoError as error:
            read = error
    renewed = sum(one.path.endswith("/token/") for one in seen) > 1
    check = f"{product}: two tokens"
    if renewed:
        yield Finding(
            check,
            "warning",
            "A second token ended the first one.",
            "Let processes share their tokens (token_store), or give each an API user of its own.",
        )
    else:
        yield Finding(check, "ok", "a second token leaves the first one valid")
    yield _environment(probe, product, read)
    if isinstance(read, Balance):
        yield _currency(probe, product, read)


def _environment(probe: Probe, product: Product, read: Balance | MomoError) -> Finding:
    place = probe.settings.place
    check = f"{product}: target environment"
    if isinstance(read, Balance):
        return Finding(check, "ok", f"{place.target_environment} is accepted (balance read)")
    code = getattr(read, "code", None)
    if code == _WRONG_ENVIRONMENT:
        return Finding(
            check,
            "problem",
            f"MTN does not accept {place.target_environment} for this API user and key.",
            "Check the market; in the sandbox, make the API user with this product's own key.",
        )
    if isinstance(read, PermissionDenied):
        return Finding(
            check,
            "problem",
            "The gateway answered 403: this address is not listed, or the product not enabled.",
            "Ask MTN to list your public outgoing address and to enable the product.",
        )
    if isinstance(read, Refused) and not place.is_sandbox:
        return Finding(check, "problem", read.message, read.hint)
    return Finding(
        check,
        "not_checked",
        f"The balance could not be read: {read.message}",
        "MTN's sandbox answers this question erratically; run doctor again."
        if place.is_sandbox
        else read.hint,
    )


def _currency(probe: Probe, product: Product, read: Balance) -> Finding:
    place = probe.settings.place
    check = f"{product}: currency"
    expected = " or ".join(place.currencies)
    if not read.currency:
        return Finding(check, "not_checked", "MTN named no currency with the balance.")
    if read.currency in place.currencies:
        return Finding(check, "ok", f"the account is in {read.currency}")
    return Finding(
        check,
        "problem",
        f"The account is in {read.currency}; {place.country} takes {expected}.",
        "Check the market, and with MTN which currency the account has.",
    )
