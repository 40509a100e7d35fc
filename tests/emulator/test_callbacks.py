"""Callbacks: when they come, how they look, and what happens when nobody answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from momokit.emulator.callbacks import retry_delay_seconds
from momokit.emulator.state import Callback

from .caller import (
    CASH_TRANSFER,
    INVOICE,
    ORDINARY,
    PAYMENT,
    PREAPPROVAL,
    REFERENCE,
    Caller,
)

_URL = "http://127.0.0.1:9/momo?secret=1"


def _paid(caller: Caller, payer: str = ORDINARY, **more: Any) -> list[Callback]:
    caller.pay(payer, X_Callback_Url=_URL, **more)
    return list(caller.callbacks())


def _read(callback: Callback) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(callback.body)
    return body


def test_no_address_no_callback(caller: Caller) -> None:
    """Without X-Callback-Url nothing is sent."""
    caller.pay()

    assert caller.callbacks() == []


def test_success_carries_the_observed_fields(caller: Caller) -> None:
    """A paid request's callback has its fields and headers as seen, and no reference id."""
    (callback,) = _paid(caller)

    assert (callback.method, callback.url) == ("POST", _URL)
    assert dict(callback.headers) == {
        "User-Agent": "LWAC Http Client 1.0",
        "Content-Type": "application/json; charset=utf-8",
        "Accept-Encoding": "gzip",
    }
    assert set(_read(callback)) == {
        "financialTransactionId",
        "externalId",
        "amount",
        "currency",
        "payer",
        "payeeNote",
        "payerMessage",
        "status",
    }


def test_failure_lacks_the_payers_message(caller: Caller) -> None:
    """A failed request's callback leaves the payer's message out and says why in a string."""
    (callback,) = _paid(caller, "46733123450")
    expected = ["externalId", "amount", "currency", "payer", "payeeNote", "status", "reason"]

    assert list(_read(callback)) == expected
    assert _read(callback)["reason"] == "INTERNAL_PROCESSING_ERROR"
    sample = REFERENCE / "samples" / "observed-samples.json"
    if sample.exists():
        recorded = json.loads(sample.read_text())["callback_requesttopay_failed"]
        assert list(_read(callback)) == list(recorded["body"])
        assert callback.method == recorded["method"]


@pytest.mark.parametrize(
    ("path", "body", "method", "fields"),
    [
        ("/collection/v2_0/preapproval", PREAPPROVAL, "PUT", 4),
        ("/collection/v2_0/payment", PAYMENT, "PUT", 3),
        ("/remittance/v2_0/cashtransfer", CASH_TRANSFER, "PUT", 20),
        ("/collection/v2_0/invoice", INVOICE, "PUT", 10),
        ("/disbursement/v1_0/transfer", "payee", "POST", 8),
        ("/disbursement/v1_0/deposit", "payee", "POST", 7),
        ("/disbursement/v2_0/deposit", "payee", "PUT", 7),
        ("/collection/v1_0/requesttowithdraw", "payer", "POST", 8),
        ("/collection/v2_0/requesttowithdraw", "payer", "PUT", 8),
    ],
)
def test_verb_follows_the_version(
    caller: Caller, path: str, body: Any, method: str, fields: int
) -> None:
    """Paths of v1_0 are called back with POST, those of v2_0 with PUT."""
    sent = caller.body(body, ORDINARY) if isinstance(body, str) else body
    caller.create(path, sent, X_Callback_Url=_URL)
    caller.emulator.clock.advance(seconds=10)
    (callback,) = caller.callbacks()

    assert callback.method == method
    assert len(_read(callback)) == fields


def test_verb_can_be_forced(caller: Caller) -> None:
    """A switch forces one verb, and a fault turns one callback's verb round."""
    caller.emulator.change_settings(callback_verb="PUT")
    (forced,) = _paid(caller)
    (turned,) = _paid(caller, X_Emulator_Fault="put_instead_of_post")

    assert (forced.method, turned.method) == ("PUT", "POST")


def test_reason_shape_can_be_switched(caller: Caller) -> None:
    """The switch makes every reason an object with code and message."""
    caller.emulator.change_settings(reason_shape="object")
    (callback,) = _paid(caller, "46733123451")

    assert _read(callback)["reason"]["code"] == "APPROVAL_REJECTED"


def test_late_outcome_calls_back_when_it_is_there(caller: Caller) -> None:
    """A delayed payment calls back when the clock reaches its outcome, not before."""
    before = _paid(caller, "46733123454")
    caller.emulator.clock.advance(seconds=25)
    (callback,) = caller.callbacks()

    assert before == []
    assert _read(callback)["status"] == "SUCCESSFUL"


def test_once_means_once(caller: Caller) -> None:
    """Under the default regime a failed delivery is not repeated, and is in the history."""
    (callback,) = _paid(caller)
    caller.emulator.callback_done(callback, status=500)
    caller.emulator.clock.advance(seconds=86400)
    entry = caller.emulator.history[-1]

    assert caller.callbacks() == []
    assert (entry.direction, entry.status, entry.path) == ("callback", 500, _URL)
    assert callback.timeout_seconds == 10


def test_retry_regime_follows_the_published_schedule(caller: Caller) -> None:
    """Twenty attempts a second apart, thirty every two minutes, then hourly until given up."""
    caller.emulator.change_settings(callback_regime="retry", callback_retry_hours=4.0)
    (callback,) = _paid(caller)
    waits = []
    while True:
        started = caller.emulator.clock.now()
        caller.emulator.callback_done(callback, error="refused")
        outbox = caller.emulator.state.outbox
        if not outbox:
            break
        caller.emulator.clock.freeze(at=outbox[0][0])
        waits.append(round(caller.emulator.clock.now() - started))
        (callback,) = caller.callbacks()

    assert waits == [1] * 20 + [120] * 30 + [3600] * 2
    assert callback.timeout_seconds == 2
    assert callback.attempt == 53


def test_answered_callback_is_not_repeated(caller: Caller) -> None:
    """A 2xx ends the deliveries under the retry regime too."""
    caller.emulator.change_settings(callback_regime="retry")
    (callback,) = _paid(caller)
    caller.emulator.callback_done(callback, status=204)
    caller.emulator.clock.advance(seconds=7200)

    assert caller.callbacks() == []


def test_schedule_is_pure() -> None:
    """The wait after each attempt depends on its number and the regime alone."""
    waits = [retry_delay_seconds(n, regime="retry") for n in (1, 20, 21, 50, 51, 500)]

    assert waits == [1.0, 1.0, 120.0, 120.0, 3600.0, 3600.0]
    assert retry_delay_seconds(1, regime="once") is None
    assert retry_delay_seconds(1, regime="blocked") == 3600.0


def test_missing_double_and_disordered_callbacks(caller: Caller) -> None:
    """Callbacks can stay out, come n times, or be followed by a stale PENDING."""
    none = _paid(caller, X_Emulator_Fault="no_callback")
    double = _paid(caller, X_Emulator_Fault="dup_callback(3)")
    caller.pay(X_Callback_Url=_URL, X_Emulator_Fault="reorder")
    caller.emulator.clock.advance(seconds=1)
    order = [_read(callback)["status"] for callback in caller.callbacks()]

    assert none == []
    assert len(double) == 3
    assert len({callback.body for callback in double}) == 1
    assert order == ["SUCCESSFUL", "PENDING"]


def test_late_blocked_and_once_only_callbacks(caller: Caller) -> None:
    """A callback can be hours late, an hour late as blocked, or single under the retry regime."""
    caller.emulator.change_settings(callback_regime="retry")
    late = _paid(caller, X_Emulator_Fault="late_callback(2)")
    caller.emulator.clock.advance(seconds=7200)
    arrived = caller.callbacks()
    caller._tokens.clear()
    blocked = _paid(caller, X_Emulator_Fault="block_state")
    caller.emulator.clock.advance(seconds=3600)
    (unblocked,) = caller.callbacks()
    caller.emulator.callback_done(unblocked, status=503)
    caller.emulator.clock.advance(seconds=3599)
    too_early = caller.callbacks()
    caller.emulator.clock.advance(seconds=1)
    assert len(caller.callbacks()) == 1
    caller._tokens.clear()
    (single,) = _paid(caller, X_Emulator_Fault="once_only")
    caller.emulator.callback_done(single, status=500)

    assert (late, len(arrived), blocked, too_early) == ([], 1, [], [])
    assert caller.emulator.state.outbox == []


def test_forged_callbacks_come_from_outside_the_truth(caller: Caller) -> None:
    """A forged callback says what it likes; the status and the money do not follow it."""
    caller.pay("46733123450", X_Callback_Url=_URL, X_Emulator_Fault="forge(SUCCESSFUL, 9)")
    forged, true = caller.callbacks()
    reference = forged.reference_id
    caller.emulator.forge(reference, status="SUCCESSFUL", amount="1000000")
    (by_hand,) = caller.callbacks()

    assert (_read(forged)["status"], _read(forged)["amount"]) == ("SUCCESSFUL", "9")
    assert _read(true)["status"] == "FAILED"
    assert _read(by_hand)["amount"] == "1000000"
    assert caller.status(reference)["status"] == "FAILED"
    assert caller.emulator.money_moved(reference).times == 0


def test_callback_before_202_asks_the_edge_to_wait(caller: Caller) -> None:
    """The reply is held for the callback, which is due at once even for a slow payment."""
    fault = "callback_before_202"
    reference, reply = caller.pay("46733123454", X_Callback_Url=_URL, X_Emulator_Fault=fault)
    (callback,) = caller.callbacks()

    assert reply.after_callback_of == reference
    assert caller.emulator.undelivered(reference)
    caller.emulator.callback_done(callback, status=200)
    assert not caller.emulator.undelivered(reference)


def test_reset_forgets_deliveries_under_way(caller: Caller) -> None:
    """A delivery that ends after a reset leaves no trace in the new state."""
    caller.emulator.change_settings(callback_regime="retry")
    (callback,) = _paid(caller)
    caller.emulator.reset()
    caller.emulator.callback_done(callback, status=500)

    assert caller.emulator.history == ()
    assert caller.emulator.state.outbox == []
