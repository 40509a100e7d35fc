"""The provider's statement: what moved, and balances that follow."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from momokit.emulator import Emulator
from momokit.emulator.control import Control
from momokit.emulator.exchange import Request
from tests.emulator.caller import Caller


def test_a_statement_tells_every_movement_and_its_balances_follow() -> None:
    """Each balance is the one before and the line's amount; the last is what the wallet holds."""
    emulator = Emulator()
    caller = Caller(emulator)
    for number in range(3):
        caller.pay(externalId=f"order-{number}")
    rows = list(csv.reader(io.StringIO(emulator.statement())))
    lines = rows[3:-1]
    balance = Decimal(rows[1][1])
    for line in lines:
        balance += Decimal(line[6])
        assert Decimal(line[8]) == balance
    assert [line[2] for line in lines] == ["order-0", "order-1", "order-2"]
    assert rows[-1] == ["Closing balance", f"{balance:f}"]
    assert emulator.balance() == f"{balance:f}"


def test_the_statement_is_served_as_csv() -> None:
    """A running emulator gives it under its control paths."""
    reply = Control(Emulator()).handle(Request.of("GET", "/_emulator/statement"))
    assert reply.header("content-type") == "text/csv; charset=utf-8"
    assert reply.body.startswith(b"Statement of the emulator,EUR")
