"""`momo gateway`: the operator's commands, and the gateway as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import httpx2
import pytest

from momokit.emulator import Emulator
from momokit.gateway.settings import VARIABLES

from .runner import Ran, run

Operator: TypeAlias = Callable[..., Ran]
KEY = bytes(range(32)).hex()
FORMER = bytes(range(1, 33)).hex()
CANARY = "c0ffee00c0ffee00c0ffee00c0ffee01"
ACCOUNT = {
    "MOMO_BASE_URL": "http://127.0.0.1:9",
    "MOMO_COLLECTION_SUBSCRIPTION_KEY": CANARY,
    "MOMO_API_USER": "5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11",
    "MOMO_API_KEY": CANARY,
}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Give the gateway's settings, with nothing from the machine."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return {
        "MOMO_DATABASE_URL": f"sqlite:///{tmp_path / 'gateway.db'}",
        "MOMO_GATEWAY_SECRET_KEY": KEY,
        "MOMO_GATEWAY_METRICS_PORT": "0",
        "MOMO_GATEWAY_PORT": "0",
    }


@pytest.fixture
def operator(environment: dict[str, str]) -> Operator:
    """Give `momo gateway` on a database in an empty directory."""

    def operate(*words: str, **more: str) -> Ran:
        return run("gateway", *words, **environment | more)

    return operate


def test_an_account_is_added_paused_and_resumed(operator: Operator) -> None:
    """Its credentials come from the environment, and are shown by no command."""
    added = operator("accounts", "add", "shop", "--json", **ACCOUNT)
    paused = operator("accounts", "pause", "shop", "--reason", "look into it", "--json")
    resumed = operator("accounts", "resume", "shop", "--json")
    renamed = operator("accounts", "change", "shop", "--rename", "store", "--json")
    listed = operator("accounts", "list", "--json")
    everything = [added, paused, resumed, renamed, listed, operator("accounts", "list")]

    assert [ran.code for ran in everything] == [0] * 6
    assert added.json["products"] == ["collection"]
    assert (paused.json["paused_reason"], paused.json["paused_work"]) == ("look into it", "submit")
    assert (resumed.json["paused_reason"], renamed.json["name"]) == (None, "store")
    assert [one["base_url"] for one in listed.json] == ["http://127.0.0.1:9"]
    assert [ran for ran in everything if CANARY in ran.out + ran.err] == []


def test_an_account_without_credentials_is_refused(operator: Operator) -> None:
    """The command says where credentials come from."""
    ran = operator("accounts", "add", "shop", "--json")

    assert ran.code == 2
    assert "MOMO_SUBSCRIPTION_KEY" in ran.error["hint"]


def test_two_accounts_of_one_name_are_refused(operator: Operator) -> None:
    """What the store refuses is a sentence with the exit code of misuse."""
    operator("accounts", "add", "shop", **ACCOUNT)
    again = operator("accounts", "add", "shop", "--json", **ACCOUNT)
    missing = operator("accounts", "pause", "nobody", "--reason", "x", "--json")

    assert (again.code, missing.code) == (2, 2)
    assert "Traceback" not in again.err + missing.err


def test_a_key_is_shown_once_and_never_again(operator: Operator, tmp_path: Path) -> None:
    """Only its digest is stored; the list shows how it begins."""
    made = operator("keys", "create", "shop", "--scope", "collect", "--json").json
    listed = operator("keys", "list", "--json")
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert made["key"].startswith("mk_test_")
    assert made["key"] not in listed.out
    assert made["key"].encode() not in stored
    assert listed.json[0]["prefix"] == made["key"][:12]
    assert (listed.json[0]["state"], listed.json[0]["scopes"]) == ("valid", ["collect"])


def test_keys_are_live_where_real_money_moves(operator: Operator) -> None:
    """The prefix warns whoever holds the key."""
    real = {**ACCOUNT, "MOMO_MARKET": "uganda"}
    del real["MOMO_BASE_URL"]
    operator("accounts", "add", "uganda", **real)
    operator("accounts", "add", "emulated", **ACCOUNT)
    words = ("keys", "create", "x", "--scope", "read", "--json")
    free, bound = operator(*words).json, operator(*words, "--account", "emulated").json

    assert (free["key"][:8], bound["key"][:8]) == ("mk_live_", "mk_test_")


def test_a_key_is_rotated_and_revoked(operator: Operator) -> None:
    """The new one has the same rights; the old one ends by itself, or at once."""
    old = operator("keys", "create", "shop", "--scope", "read", "--json").json
    new = operator("keys", "rotate", old["id"], "--overlap-hours", "0", "--json").json
    operator("keys", "revoke", new["id"])
    states = {one["id"]: one["state"] for one in operator("keys", "list", "--json").json}
    again = operator("keys", "rotate", old["id"], "--json")

    assert new["scopes"] == ["read"]
    assert states == {old["id"]: "expired", new["id"]: "revoked"}
    assert again.code == 2


def test_an_endpoint_is_added_rotated_and_switched(operator: Operator) -> None:
    """Each secret is shown when it is made, and at no other time."""
    url = "https://shop.example.com/webhooks"
    added = operator("endpoints", "add", url, "--event", "payment.successful", "--json").json
    rotated = operator("endpoints", "rotate", added["id"], "--json").json
    off = operator("endpoints", "disable", added["id"], "--json").json
    on = operator("endpoints", "enable", added["id"], "--json").json
    listed = operator("endpoints", "list", "--json")

    assert (off["disabled_at"] is None, on["disabled_at"]) == (False, None)
    assert added["secret"] != rotated["secret"]
    assert "whsec_" not in listed.out
    assert listed.json[0]["events"] == ["payment.successful"]


def test_webhooks_do_not_go_inside_unless_that_is_allowed(operator: Operator) -> None:
    """An address of this machine takes the word for development."""
    words = ("endpoints", "add", "http://127.0.0.1:9000/hook", "--json")
    refused, allowed = operator(*words), operator(*words, MOMO_GATEWAY_WEBHOOK_ALLOW_LOCAL="1")

    assert (refused.code, allowed.code) == (2, 0)


def test_what_is_sealed_is_put_under_a_new_key(operator: Operator) -> None:
    """After resealing the former key is needed no more; before, the new one alone opens nothing.

    Sealed are the account, the endpoint and the two data keys.
    """
    operator("accounts", "add", "shop", **ACCOUNT, MOMO_GATEWAY_SECRET_KEY=FORMER)
    operator("endpoints", "add", "https://shop.example.com/x", MOMO_GATEWAY_SECRET_KEY=FORMER)
    before = operator("accounts", "list", "--json")
    resealed = operator("accounts", "reseal", "--json", MOMO_GATEWAY_PREVIOUS_SECRET_KEYS=FORMER)
    after = operator("accounts", "list", "--json")

    assert (before.code, before.error["field"]) == (2, "secret_key")
    assert resealed.json == {"resealed": 4}
    assert after.code == 0


def test_a_backup_is_a_whole_database_for_its_owner_alone(
    operator: Operator, tmp_path: Path
) -> None:
    """The copy opens by itself, and a file that is there is not overwritten."""
    operator("accounts", "add", "shop", **ACCOUNT)
    copy = tmp_path / "copy.db"
    made = operator("backup", str(copy), "--json")
    again = operator("backup", str(copy), "--json")
    with closing(sqlite3.connect(copy)) as connection:
        names = connection.execute("SELECT name FROM accounts").fetchall()

    assert (made.code, again.code) == (0, 2)
    assert names == [("shop",)]
    assert copy.stat().st_mode & 0o077 == 0


def test_the_doctor_finds_what_is_missing_and_then_nothing(operator: Operator) -> None:
    """Each problem names the command that mends it; doing so ends them."""
    empty = operator("doctor", "--json")
    operator("migrate")
    bare = operator("doctor", "--json")
    operator("accounts", "add", "shop", **ACCOUNT)
    operator("keys", "create", "shop", "--scope", "read")
    whole = operator("doctor", "--json")

    assert [ran.code for ran in (empty, bare, whole)] == [8, 8, 0]
    assert problems(empty) == ["database"]
    assert problems(bare) == ["accounts", "API keys"]
    assert problems(whole) == []


def problems(ran: Ran) -> list[str]:
    """Name the checks that found a problem."""
    return [one["check"] for one in ran.json["findings"] if one["status"] == "problem"]


def test_no_secret_key_is_said_with_the_way_to_make_one(operator: Operator) -> None:
    """The first thing a newcomer meets is a sentence that helps."""
    ran = operator("serve", "--json", MOMO_GATEWAY_SECRET_KEY="")

    assert (ran.code, ran.error["field"]) == (2, "secret_key")
    assert "openssl rand -hex 32" in ran.error["hint"]


def test_review_is_empty_and_unknown_things_are_told(operator: Operator) -> None:
    """Nothing waits in a new database; what is not there is not an accident."""
    listed = operator("review", "list", "--json")
    resolved = operator("review", "resolve", "7", "--json")
    asked = operator("review", "ask", "pay_nothing", "--json")

    assert listed.json == {"incidents": [], "payments": []}
    assert (resolved.code, asked.code) == (2, 7)


def test_a_missing_extra_is_a_sentence() -> None:
    """Without the gateway's libraries the command says how to install them."""
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "sys.argv = ['momo', 'gateway', 'keys', 'list']\n"
        "from momokit.cli.main import main\nmain()"
    )
    environment = {**os.environ, "MOMO_GATEWAY_SECRET_KEY": KEY}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60,
        env=environment,
    )  # fmt: skip

    assert ran.returncode == 2
    assert "pip install 'momokit[gateway]'" in ran.stderr


def test_the_process_settles_a_payment_and_ends_on_sigterm(
    operator: Operator,
    environment: dict[str, str],
    momo_emulator: Emulator,
    momo_emulator_url: str,
    tmp_path: Path,
) -> None:
    """Served as an operator would; a payment goes all the way; no canary is in the log."""
    made = momo_emulator.provision()
    keys = {
        "MOMO_BASE_URL": momo_emulator_url,
        "MOMO_SUBSCRIPTION_KEY": made.subscription_key,
        "MOMO_API_USER": made.api_user,
        "MOMO_API_KEY": made.api_key,
    }
    operator("accounts", "add", "shop", **keys)
    scopes = ("--scope", "collect", "--scope", "read")
    key = operator("keys", "create", "shop", *scopes, "--json").json["key"]
    process = subprocess.Popen(
        [sys.executable, "-m", "momokit.cli.main", "gateway", "serve", "--json"],
        env={**os.environ, **environment, "MOMO_GATEWAY_LOG_LEVEL": "debug"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        paid = pay(told["base_url"], key)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()

    assert told["accounts"] == ["shop"]
    assert paid["state"] == "successful"
    assert process.returncode == 0
    secrets = (made.subscription_key, made.api_key, key, "46733123987", KEY)
    assert [one for one in secrets if one in err] == []
    assert "gateway stopped" in err


def pay(base_url: str, key: str) -> dict[str, Any]:
    """Make a payment and wait for its end."""
    with httpx2.Client(base_url=base_url, trust_env=False, timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        order = {"kind": "request_to_pay", "amount": "5", "party": "46733123987"}
        made = client.post("/v1/payments", json=order, headers={"Idempotency-Key": "one"})
        found: dict[str, Any] = client.get(made.json()["links"]["self"], params={"wait": 25}).json()
    return found
