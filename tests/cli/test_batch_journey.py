"""`momo batch` from the upload to the receipts, at a gateway that is a process of its own."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from momokit.emulator import Emulator
from momokit.gateway.settings import VARIABLES

from .runner import Ran, run

KEY = bytes(range(32)).hex()
# The emulator says of this number that nobody has an account with it.
UNLUCKY = "46733123450"
ROWS = [
    ("46733123901", "Sand Box", "10"),
    ("46733123902", "Sand Box", "20.50"),
    (UNLUCKY, "Sand Box", "7"),
]


@dataclass(frozen=True)
class House:
    """A running gateway, and its people's keys."""

    url: str
    keys: dict[str, str]

    def as_(self, person: str, *words: str) -> Ran:
        """Run `momo batch` with a person's key."""
        return run(
            "batch", *words, MOMO_GATEWAY_URL=self.url, MOMO_GATEWAY_KEY=self.keys[person],
            NO_PROXY="127.0.0.1",
        )  # fmt: skip


@pytest.fixture
def house(
    momo_emulator: Emulator,
    momo_emulator_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[House]:
    """Give a gateway with an account at the emulator, for one who makes and one who approves."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    environment = {
        "MOMO_DATABASE_URL": f"sqlite:///{tmp_path / 'gateway.db'}",
        "MOMO_GATEWAY_SECRET_KEY": KEY,
        "MOMO_GATEWAY_METRICS_PORT": "0",
        "MOMO_GATEWAY_PORT": "0",
        "NO_PROXY": "127.0.0.1",
    }
    made = momo_emulator.provision()
    credentials = {
        "MOMO_MARKET": "sandbox",
        "MOMO_BASE_URL": momo_emulator_url,
        "MOMO_SUBSCRIPTION_KEY": made.subscription_key,
        "MOMO_API_USER": made.api_user,
        "MOMO_API_KEY": made.api_key,
    }
    run("gateway", "accounts", "add", "payroll", **environment, **credentials)
    keys = {
        person: run(
            "gateway", "keys", "create", person, "--scope", scope, "--scope", "read", "--owner",
            person, "--json", **environment,
        ).json["key"]
        for person, scope in (("amina", "disburse"), ("joseph", "approve"))
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "momokit.cli.main", "gateway", "serve", "--json"],
        env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield House(json.loads(process.stdout.readline())["base_url"], keys)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def test_salaries_are_paid_by_two_people(
    house: House, momo_emulator: Emulator, tmp_path: Path
) -> None:
    """Uploaded by one, approved by another, paid once each; the result file says what became."""
    file = tmp_path / "salaries.csv"
    lines = [("Phone", "Name", "Amount"), *ROWS]
    file.write_text("\n".join(",".join(line) for line in lines), encoding="utf-8")

    uploaded = house.as_(
        "amina", "upload", str(file), "--label", "March", "--no-check-holders", "--json"
    )
    assert uploaded.code == 0, uploaded.err
    batch_id = uploaded.json["id"]
    refused = house.as_("amina", "submit", batch_id, "--json")
    house.as_("amina", "edit", batch_id, "4", "--exclude")
    checked = house.as_("amina", "watch", batch_id, "--interval", "0.2", "--json")
    seen = checked.json["hash"]
    submitted = house.as_("amina", "submit", batch_id, "--json")
    own = house.as_("amina", "approve", batch_id, "--hash", seen, "--json")
    approved = house.as_("joseph", "approve", batch_id, "--hash", seen, "--json")
    watched = house.as_(
        "joseph", "watch", batch_id, "--interval", "0.2", "--timeout", "60", "--json"
    )
    results, receipt = tmp_path / "results.csv", tmp_path / "receipt.html"
    saved = house.as_("amina", "results", batch_id, "--format", "csv", "--out", str(results))
    printed = house.as_("amina", "receipts", batch_id, "--row", "2", "--out", str(receipt))
    with results.open(encoding="utf-8-sig", newline="") as stream:
        table = list(csv.DictReader(stream))

    assert (uploaded.code, uploaded.json["state"]) == (0, "checked")
    assert (refused.code, refused.error["code"]) == (3, "rows_rejected")
    assert (submitted.code, submitted.json["state"]) == (0, "submitted")
    assert own.code == 3
    assert approved.code == 0
    assert (watched.code, watched.json["state"]) == (0, "finished")
    assert (saved.code, printed.code) == (0, 0)
    assert [(row["Phone"], row["Amount"], row["Status"]) for row in table] == [
        (ROWS[0][0], "10", "paid"),
        (ROWS[1][0], "20.50", "paid"),
        (UNLUCKY, "7", "taken out"),
    ]
    assert [row["MTN transaction id"] != "" for row in table] == [True, True, False]
    assert "Receipt of payment" in receipt.read_text(encoding="utf-8")
    moved = [momo_emulator.money_moved(one) for one in _references(momo_emulator)]
    assert sorted((one.times, one.total) for one in moved) == [(1, "-10"), (1, "-20.5")]


def _references(emulator: Emulator) -> set[str]:
    """The reference ids of all transfers that the emulator was asked to make."""
    return {
        entry.reference_id
        for entry in emulator.history
        if entry.reference_id and "/transfer" in entry.path
    }
