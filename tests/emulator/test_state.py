"""What the emulator remembers: history without secrets, limits, the state file, its clock."""

from __future__ import annotations

import ast
import threading
from pathlib import Path

import pytest

import momokit.emulator
from momokit.emulator import Emulator, EmulatorSettings
from momokit.emulator.clock import Clock
from momokit.emulator.engine import UnknownReference
from momokit.emulator.settings import describe_settings

from .caller import PREAPPROVAL, Caller


def test_history_holds_no_secret(caller: Caller) -> None:
    """Neither keys nor tokens nor logins are in the history, which tells everything else."""
    caller.pay(X_Callback_Url="http://127.0.0.1/cb")
    path = f"POST /v1_0/apiuser/{caller.credentials.api_user}/apikey"
    key = caller.call(path, Ocp_Apim_Subscription_Key=caller.credentials.subscription_key)
    written = repr(caller.emulator.history)

    for secret in (
        caller.credentials.subscription_key,
        caller.credentials.api_key,
        key.json()["apiKey"],
        caller.basic().removeprefix("Basic "),
        *caller._tokens.values(),
    ):
        assert secret not in written
    assert [entry.operation for entry in caller.emulator.history] == [
        "CreateAccessToken",
        "RequesttoPay",
        "post-v1_0-apiuser-apikey",
    ]
    assert caller.emulator.history[1].body.startswith('{"amount":"100"')


def test_history_and_records_are_bounded() -> None:
    """The history keeps the newest entries, the store the newest payments."""
    caller = Caller(history_limit=5, record_limit=3)
    references = [caller.pay()[0] for _ in range(6)]

    assert len(caller.emulator.history) == 5
    assert [p.reference_id for p in caller.emulator.payments()] == references[:2:-1]
    assert caller.emulator.money_moved(references[0]).times == 0
    with pytest.raises(UnknownReference):
        caller.emulator.payment(references[0])


def test_reset_is_a_new_beginning(caller: Caller) -> None:
    """After a reset nothing is known, money and credentials included."""
    reference, _ = caller.pay()
    caller.emulator.faults.add("no_callback")
    caller.emulator.scenarios.set(identifier="1", outcome="failed")
    caller.emulator.reset()

    assert caller.emulator.payments() == []
    assert caller.emulator.history == ()
    assert caller.emulator.money_moved(reference).times == 0
    assert not caller.emulator.faults.active
    assert list(caller.emulator.scenarios) == []
    assert not caller.emulator.clock.frozen
    assert caller.token().status == 401


def test_money_moved_tells_every_movement(caller: Caller) -> None:
    """The truth names kind, amount, sign, currency and party of what moved."""
    paid, _ = caller.pay(amount="12.50")
    sent, _ = caller.transfer(amount="3")
    truth = caller.emulator.money_moved(paid.upper())

    assert (truth.times, truth.total, truth.currency) == (1, "12.5", "EUR")
    assert truth.movements[0].kind == "requesttopay"
    assert caller.emulator.money_moved(sent).total == "-3"
    assert caller.emulator.balance() == "1000000009.5"


def test_payments_can_be_filtered(caller: Caller) -> None:
    """Payments are listed newest first, by status, kind, product and external id."""
    paid, _ = caller.pay(externalId="a")
    failed, _ = caller.pay("46733123450", externalId="b")
    sent, _ = caller.transfer(externalId="c")
    emulator = caller.emulator

    def listed(**wanted: str) -> list[str]:
        return [payment.reference_id for payment in emulator.payments(**wanted)]

    assert listed() == [sent, failed, paid]
    assert listed(status="FAILED") == [failed]
    assert listed(kind="transfer") == listed(product="disbursement") == [sent]
    assert listed(external_id="a") == [paid]
    assert emulator.payment(paid).payer_message == "for a book"


def test_state_file_survives_a_restart(tmp_path: Path) -> None:
    """A second run knows the first one's users, tokens, payments, money and what still waits."""
    settings = EmulatorSettings(state_file=str(tmp_path / "deep" / "state.json"))
    clock = Clock(source=lambda: 1_800_000_000.0)
    first = Caller(Emulator(settings, clock=clock))
    paid, _ = first.pay()
    slow, _ = first.pay("46733123454")
    mandate, _ = first.create("/collection/v2_0/preapproval", PREAPPROVAL)
    saved = [first.emulator.save(), first.emulator.save()]
    second = Caller(Emulator(settings, clock=clock))
    second.credentials, second._tokens = first.credentials, first._tokens
    other, _ = second.pay()

    assert saved == [True, False]
    assert second.status(paid) == first.status(paid)
    assert second.emulator.money_moved(paid).times == 1
    assert second.status(mandate, "/collection/v2_0/preapproval")["status"] == "SUCCESSFUL"
    assert second.pay(reference=paid)[1].status == 409
    number = "financialTransactionId"
    assert second.status(other)[number] != first.status(paid)[number]
    clock.advance(seconds=25)
    assert second.status(slow)["status"] == "SUCCESSFUL"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["state.json"]


def test_reset_reaches_the_state_file(tmp_path: Path) -> None:
    """After a reset the next save replaces what an earlier one wrote."""
    settings = EmulatorSettings(state_file=str(tmp_path / "state.json"))
    caller = Caller(Emulator(settings))
    reference, _ = caller.pay()
    caller.emulator.save()
    caller.emulator.reset()
    saved = caller.emulator.save()

    assert saved
    assert Emulator(settings).money_moved(reference).times == 0


def test_state_file_of_another_market_or_kind_is_refused(tmp_path: Path) -> None:
    """A state file that is not one, or of another market, stops the start with the reason."""
    path = tmp_path / "state.json"
    Emulator(EmulatorSettings(state_file=str(path))).provision()
    emulator = Emulator(EmulatorSettings(state_file=str(path)))
    emulator.provision()
    emulator.save()

    with pytest.raises(ValueError, match="of market sandbox"):
        Emulator(EmulatorSettings(state_file=str(path), market="mtnghana"))
    path.write_text("{")
    with pytest.raises(ValueError, match="not an emulator's state file"):
        Emulator(EmulatorSettings(state_file=str(path)))


def test_clock_freezes_advances_and_runs_on() -> None:
    """The clock stands, moves on request, runs on from there, and can be set off."""
    machine = [1_000_000.0]
    clock = Clock(source=lambda: machine[0])
    clock.freeze()
    machine[0] += 10
    frozen = clock.now()
    clock.advance(seconds=5)
    advanced = clock.now()
    clock.resume()
    machine[0] += 1
    resumed = clock.now()
    clock.set_offset(seconds=-86400)

    assert (frozen, advanced, resumed) == (1_000_000.0, 1_000_005.0, 1_000_006.0)
    assert (clock.now(), clock.offset_seconds) == (1_000_011.0 - 86400, -86400)
    with pytest.raises(ValueError, match="set_offset"):
        clock.advance(seconds=-1)
    for wrong in (-1.0, 1e18, float("nan")):
        with pytest.raises(ValueError, match="not a time"):
            clock.freeze(at=wrong)
    with pytest.raises(ValueError, match="not a time"):
        clock.advance(seconds=1e18)


def test_threads_share_one_emulator_safely() -> None:
    """Many threads sending the same reference ids move each one's money once."""
    caller = Caller()
    caller.headers("collection")
    references = [caller.emulator.state.uuid4() for _ in range(50)]

    def send() -> None:
        for reference in references:
            caller.pay(reference=reference)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {caller.emulator.money_moved(reference).times for reference in references} == {1}
    assert caller.emulator.balance() == str(1_000_000_000 + 50 * 100)
    assert caller.emulator.crashes == 0


def test_every_setting_is_described() -> None:
    """Each switch has an explanation, from which its reference page is made."""
    described = describe_settings()

    assert len(described) >= 35
    assert all(what.rstrip().endswith(".") for _, _, _, what in described)


def test_emulator_shares_no_code_with_the_client() -> None:
    """No module of the emulator imports anything of momokit outside itself."""
    package = Path(momokit.emulator.__file__).parent
    for path in package.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level < 2, path
                assert not (node.module or "").startswith("momokit"), path
            elif isinstance(node, ast.Import):
                assert not any(alias.name.startswith("momokit") for alias in node.names), path
