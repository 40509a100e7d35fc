"""The doctor: each check finds what it is for, and says the remedy."""

from __future__ import annotations

import ssl
import uuid
from typing import Any

import pytest

from momokit import Client, Credentials, Settings
from momokit.cli.checks_callback import Certificate, Outside, check_callback
from momokit.cli.checks_place import check_clock
from momokit.cli.doctor import examine
from momokit.cli.findings import Finding
from momokit.cli.probe import Exchange
from momokit.emulator import Emulator, EmulatorSettings, running
from momokit.emulator.settings import SubscriptionKeys

from .runner import Momo, run

NOW = 1_800_000_000.0
DAY = 86_400.0
PUBLIC = "20.87.13.1"
OWN = {"collection": "c" * 32, "disbursement": "d" * 32, "remittance": "e" * 32}
SPARE = {"collection": "1" * 32, "disbursement": "2" * 32, "remittance": "3" * 32}


def found(findings: list[Finding], check: str) -> Finding:
    """Give the one finding of this check."""
    (one,) = [finding for finding in findings if finding.check == check]
    return one


def strict_emulator() -> Emulator:
    """Make an emulator in which each key opens its own product only."""
    keys = tuple(
        SubscriptionKeys(product=product, primary=OWN[product], secondary=SPARE[product])
        for product in OWN
    )
    return Emulator(EmulatorSettings(strict_keys=True, subscription_keys=keys))


def credentials(url: str, key: str, spare: str | None = None, **changes: Any) -> Credentials:
    """Make an API user, and put it together with these keys."""
    with Client(market="sandbox", base_url=url) as anyone:
        made = anyone.sandbox.provision(
            callback_host="shop.example", subscription_key=OWN["collection"]
        )
    given: dict[str, Any] = {"api_user": made.api_user, "api_key": made.api_key, **changes}
    return Credentials(subscription_key=key, secondary_subscription_key=spare, **given)


def test_good_credentials_pass_every_check() -> None:
    """With both keys in their place there is neither a problem nor a warning about them."""
    with running(strict_emulator()) as server:
        own = credentials(server.base_url, OWN["collection"], SPARE["collection"])
        findings = list(examine(Settings(base_url=server.base_url, collection=own)))

    about = [finding for finding in findings if finding.check.startswith("collection")]
    assert {finding.status for finding in about} == {"ok"}
    assert len(about) == 6
    assert found(findings, "clock").status == "ok"


def test_swapped_keys_are_named() -> None:
    """A key of another product is a problem that says whose key it is."""
    with running(strict_emulator()) as server:
        swapped = credentials(server.base_url, OWN["disbursement"])
        findings = list(examine(Settings(base_url=server.base_url, collection=swapped)))

    finding = found(findings, "collection: primary key")
    assert finding.status == "problem"
    assert "key of disbursement" in finding.what
    assert "MOMO_DISBURSEMENT_SUBSCRIPTION_KEY" in finding.remedy


def test_a_key_of_nobody_is_told_from_a_swapped_one() -> None:
    """A key that opens nothing was copied wrongly."""
    with running(strict_emulator()) as server:
        wrong = credentials(server.base_url, "f" * 32)
        findings = list(examine(Settings(base_url=server.base_url, collection=wrong)))

    assert "for no product" in found(findings, "collection: primary key").what


def test_a_wrong_secondary_key_is_found_while_the_primary_works() -> None:
    """The spare key is tried too, before the day it is needed."""
    with running(strict_emulator()) as server:
        own = credentials(server.base_url, OWN["collection"], SPARE["remittance"])
        findings = list(examine(Settings(base_url=server.base_url, collection=own)))

    assert found(findings, "collection: primary key").status == "ok"
    assert "key of remittance" in found(findings, "collection: secondary key").what


def test_a_wrong_api_key_is_told_from_a_wrong_subscription_key() -> None:
    """The gateway accepts the key, the wallet does not accept the user."""
    with running(strict_emulator()) as server:
        wrong = credentials(server.base_url, OWN["collection"], api_key="0" * 32)
        findings = list(examine(Settings(base_url=server.base_url, collection=wrong)))

    assert "API user" in found(findings, "collection: primary key").what


def test_an_unknown_api_user_is_found() -> None:
    """A user that the sandbox does not know was made elsewhere."""
    with running(strict_emulator()) as server:
        wrong = credentials(server.base_url, OWN["collection"], api_user=str(uuid.uuid4()))
        findings = list(examine(Settings(base_url=server.base_url, collection=wrong)))

    assert found(findings, "collection: API user").status == "problem"


def test_a_foreign_target_environment_is_found(momo: Momo) -> None:
    """MTN's code for it becomes a problem with its remedy, and exit code 8."""
    momo.emulator.faults.add(
        "status",
        operation="GetAccountBalance",
        code=500,
        body_code="NOT_ALLOWED_TARGET_ENVIRONMENT",
    )
    ran = momo("doctor", "--product", "collection", "--json")

    assert ran.code == 8
    (problem,) = [one for one in ran.json["findings"] if one["status"] == "problem"]
    assert problem["check"] == "collection: target environment"
    assert problem["remedy"] != ""


def test_an_erratic_balance_is_no_problem(momo: Momo) -> None:
    """The sandbox fails to answer by design: that could not be checked, no more."""
    momo.emulator.faults.add("status", operation="GetAccountBalance", code=503)
    ran = momo("doctor", "--product", "collection", "--json")

    assert ran.code == 0
    assert {one["check"]: one["status"] for one in ran.json["findings"]}[
        "collection: target environment"
    ] == "not_checked"


def test_a_second_token_that_ends_the_first_is_noticed(momo: Momo) -> None:
    """A first token that MTN turns away had to be renewed."""
    momo.emulator.faults.add("401_random", operation="GetAccountBalance", times=1)
    ran = momo("doctor", "--product", "collection", "--json")

    assert {one["check"]: one["status"] for one in ran.json["findings"]}[
        "collection: two tokens"
    ] == "warning"


def test_a_wrong_clock_is_noticed(momo: Momo) -> None:
    """More than two seconds off the host's Date is a warning that says how much."""
    momo.emulator.faults.add("clock_offset", seconds=3600)
    ran = momo("doctor", "--product", "collection", "--json")

    (clock,) = [one for one in ran.json["findings"] if one["check"] == "clock"]
    assert clock["status"] == "warning"
    assert "behind" in clock["what"]


@pytest.mark.parametrize(
    ("date", "status"),
    [
        ("Fri, 15 Jan 2027 08:00:00 GMT", "ok"),
        ("Fri, 15 Jan 2027 08:00:02 GMT", "ok"),
        ("Fri, 15 Jan 2027 08:00:04 GMT", "warning"),
        ("Fri, 15 Jan 2027 07:59:56 GMT", "warning"),
        ("", "not_checked"),
        ("yesterday", "not_checked"),
    ],
)
def test_the_clock_is_compared_in_whole_seconds(date: str, status: str) -> None:
    """The Date header has no fractions, so half a second either way is no skew."""
    exchange = Exchange(
        path="/",
        status=200,
        date=date,
        sent_at=NOW,
        answered_at=NOW + 0.2,
        local_address="10.0.0.5",
        tls_version="",
    )

    assert check_clock(exchange).status == status


def test_an_unreachable_host_ends_the_questions_to_it() -> None:
    """Its keys are not tried one by one against nothing."""
    ran = run(
        *("doctor", "--json", "--base-url", "http://127.0.0.1:1"),
        MOMO_SUBSCRIPTION_KEY="k" * 32,
        MOMO_API_USER=str(uuid.uuid4()),
        MOMO_API_KEY="a" * 32,
    )

    assert ran.code == 8
    checks = {one["check"]: one["status"] for one in ran.json["findings"]}
    assert checks == {"settings": "ok", "host": "problem", "callback URL": "warning"}


def test_settings_that_do_not_fit_are_a_finding() -> None:
    """The doctor does not die of what it should diagnose."""
    ran = run("doctor", "--json", "--market", "atlantis")

    assert ran.code == 8
    assert ran.json["findings"][0]["check"] == "settings"


def test_no_credentials_are_a_problem(momo: Momo) -> None:
    """The remedy says where they come from."""
    ran = momo("doctor", "--json", MOMO_API_KEY="")

    assert ran.code == 8
    assert "credentials" in {one["check"] for one in ran.json["findings"]}


def test_what_only_mtn_can_answer_is_listed_in_french(momo: Momo) -> None:
    """--lang fr gives the list for MTN in French."""
    ran = momo("doctor", "--product", "collection", "--lang", "fr")

    assert "À régler avec MTN" in ran.out
    assert "Vos adresses publiques sortantes" in ran.out


def _settings(market: str = "uganda") -> Settings:
    return Settings(market=market)


def _outside(
    addresses: list[str] | None = None,
    *,
    issuer: str = "Let's Encrypt",
    days: float = 60,
    trouble: Exception | None = None,
) -> Outside:
    def certificate_of(host: str, port: int) -> Certificate:
        if trouble is not None:
            raise trouble
        return Certificate(issuer, NOW + days * DAY)

    def resolve(host: str, port: int) -> list[str]:
        if addresses is None:
            raise OSError("no such name")
        return addresses

    return Outside(resolve=resolve, certificate_of=certificate_of, wall_clock=lambda: NOW)


def _unverified() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("url", "outside", "check", "status"),
    [
        ("https://shop.example/m", _outside([PUBLIC]), "callback certificate", "ok"),
        ("https://shop.example/m", _outside([PUBLIC]), "callback host", "by_hand"),
        ("http://shop.example/m", _outside([PUBLIC]), "callback URL", "problem"),
        ("https://20.87.13.1/m", _outside([PUBLIC]), "callback URL", "problem"),
        ("https://shop.example:8443/m", _outside([PUBLIC]), "callback URL", "problem"),
        ("https://shop.example/m", _outside(None), "callback host name", "problem"),
        ("https://shop.example/m", _outside(["10.1.2.3"]), "callback host name", "problem"),
        ("https://shop.example/m", _outside([PUBLIC], days=3), "callback certificate", "warning"),
        (
            "https://shop.example/m",
            _outside([PUBLIC], issuer="My Own CA"),
            "callback certificate",
            "warning",
        ),
        (
            "https://shop.example/m",
            _outside([PUBLIC], trouble=_unverified()),
            "callback certificate",
            "problem",
        ),
        (
            "https://shop.example/m",
            _outside([PUBLIC], trouble=TimeoutError()),
            "callback certificate",
            "not_checked",
        ),
        (None, _outside([PUBLIC]), "callback URL", "warning"),
    ],
)
def test_the_callback_address_is_checked(
    url: str | None, outside: Outside, check: str, status: str
) -> None:
    """Form, name, address, certificate: each has a finding of its own."""
    findings = list(check_callback(_settings(), url, registered={}, outside=outside))

    assert found(findings, check).status == status
    assert status in ("ok", "not_checked") or found(findings, check).remedy != ""


@pytest.mark.parametrize(
    ("host", "status"), [("shop.example", "ok"), ("www.shop.example", "problem")]
)
def test_the_registered_host_is_compared(host: str, status: str) -> None:
    """In the sandbox the API user's callback host is read back and held against the URL."""
    findings = list(
        check_callback(
            _settings("sandbox"),
            f"https://{host}/m",
            registered={"collection": "shop.example"},
            outside=_outside([PUBLIC]),
        )
    )

    assert found(findings, "collection: callback host").status == status


def test_a_password_of_the_proxy_is_not_shown(momo: Momo) -> None:
    """The proxy in force is named by host and port alone."""
    ran = momo("doctor", "--json", MOMO_PROXY="http://ann:hunter2@127.0.0.1:1")

    assert "hunter2" not in ran.out + ran.err
