"""The commands that run the emulator, as real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from momokit import Client
from momokit.cli.session import Session
from momokit.cli.walk import example_number, walk_through
from momokit.emulator import Emulator, EmulatorSettings, running
from momokit.market import MARKETS, Market
from momokit.party import MSISDN
from momokit.settings import Settings

from .runner import OURS, run

ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in OURS}
COMMAND = [sys.executable, "-m", "momokit.cli.main"]


@contextmanager
def started(*args: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run the emulator as a process, and read the JSON with which it announces itself."""
    process = subprocess.Popen(
        [*COMMAND, "emulator", "--port", "0", "--json", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate(timeout=20)


def test_the_demo_settles_two_payments() -> None:
    """The real command, end to end: it ends in SUCCESSFUL, and money moved once each time."""
    ran = subprocess.run(
        [*COMMAND, "demo"],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
        timeout=60,
    )

    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert "SUCCESSFUL" in lines[-1]
    assert sum("money moved 1×" in line for line in lines) == 2
    assert any("callback says SUCCESSFUL" in line for line in lines)
    assert any("no answer came" in line and "sent 1×" in line for line in lines)


def test_the_demo_in_json() -> None:
    """One document on stdout tells what a script needs."""
    ran = run("demo", "--json")

    assert ran.code == 0
    assert ran.json["as_it_should_be"] is True
    assert [one["times_money_moved"] for one in ran.json["payments"]] == [1, 1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_emulator_answers_and_stops_when_told(number: signal.Signals) -> None:
    """It serves until Ctrl-C or a service manager ends it, which is no error."""
    with started() as (process, told):
        with Client(market="sandbox", base_url=told["base_url"]) as anyone:
            made = anyone.sandbox.provision(callback_host="localhost", subscription_key="k" * 32)
        process.send_signal(number)
        _, err = process.communicate(timeout=20)

    assert made.api_user
    assert process.returncode == 0
    assert json.loads(err.splitlines()[-1])["event"] == "stopped"


def test_the_walk_sees_a_payment_through_without_a_person() -> None:
    """Where nobody can approve, it approves by itself and says so, then goes on serving."""
    with started("--walk") as (process, told):
        assert process.stderr is not None
        events = []
        for line in process.stderr:
            events.append(json.loads(line))
            if events[-1]["event"] == "serving":
                break
        with Client(market="sandbox", base_url=told["base_url"]) as anyone:
            anyone.sandbox.provision(callback_host="localhost", subscription_key="k" * 32)

    names = [event["event"] for event in events]
    assert "approved" in names
    assert [event["status"] for event in events if event["event"] == "outcome"] == ["SUCCESSFUL"]


def test_an_emulated_country_is_ready_for_a_client(tmp_path: Path) -> None:
    """With --write a client has all it needs, in a country without provisioning too."""
    path = tmp_path / "emulator.env"
    with started("--market", "uganda", "--strict-keys", "--write", str(path)) as (_, told):
        ran = run(
            *("--config", str(path), "request-to-pay", "5000", "0772 123 456", "--wait", "--json")
        )

    assert told["target_environment"] == "mtnuganda"
    assert ran.code == 0, ran.err
    assert ran.json["currency"] == "UGX"
    assert Settings.from_file(path).place.name == "uganda"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_port_that_is_taken_is_told() -> None:
    """The remedy is another port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = run("emulator", "--port", str(taken.getsockname()[1]), "--json")

    assert ran.code == 2
    assert "--port" in ran.error["hint"]


def test_a_market_the_emulator_does_not_know_is_told() -> None:
    """A market seen once in other people's code is not emulated."""
    ran = run("emulator", "--market", "guinea-bissau", "--json")

    assert ran.code == 2
    assert ran.error["field"] == "market"


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.name)
def test_the_walk_has_a_number_for_every_market(market: Market) -> None:
    """The number it makes up is one of that market."""
    number = example_number(market)

    assert MSISDN.parse(f"+{number}", market=market).digits == number


@pytest.mark.parametrize(("decision", "status"), [("approve", "SUCCESSFUL"), ("decline", "FAILED")])
def test_the_walk_takes_the_payers_word(decision: str, status: str) -> None:
    """Where a person decides in time, nothing is approved for them."""
    emulator = Emulator(EmulatorSettings(approval="scenario"))
    outcome = "Success" if decision == "approve" else "Rejected"
    emulator.scenarios.set(identifier=example_number(Market.get("sandbox")), outcome=outcome)
    with running(emulator) as server:
        ended = walk_through(
            Session(as_json=True),
            server,
            market=Market.get("sandbox"),
            by_hand=True,
            at_terminal=True,
            patience_seconds=5.0,
        )

    assert ended == status
    assert emulator.money_moved(emulator.payments()[0].reference_id).times == (
        1 if status == "SUCCESSFUL" else 0
    )
