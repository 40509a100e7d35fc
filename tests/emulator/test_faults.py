"""Every fault by name: what it does to the caller, and what it does to the money."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from momokit.emulator.fault_names import FAULTS, UnknownFault, parse_faults

from .caller import Caller

_NAMES = [
    "drop_request",
    "drop_response",
    "delay",
    "reset",
    "truncate",
    "slowloris",
    "html_error",
    "bad_json",
    "status",
    "lag_404",
    "silent_reject",
    "stuck_pending",
    "flip_final",
    "wrong_amount",
    "swap_bodies",
    "no_callback",
    "callback_before_202",
    "dup_callback",
    "reorder",
    "late_callback",
    "forge",
    "block_state",
    "once_only",
    "put_instead_of_post",
    "token_ttl",
    "token_revoke",
    "token_5xx",
    "401_random",
    "403_ip",
    "429",
    "low_balance",
    "maintenance_window",
    "clock_offset",
    "first_409",
]


def _moved(caller: Caller, reference: str) -> int:
    return caller.emulator.money_moved(reference).times


def test_all_34_names_exist() -> None:
    """The faults are those that the failure matrix names, each with an explanation."""
    assert list(FAULTS) == _NAMES
    assert all(fault.what.endswith(".") for fault in FAULTS.values())


def test_lost_request_moves_nothing_and_lost_answer_moves_once(caller: Caller) -> None:
    """drop_request leaves no trace; drop_response leaves the payment; both end silently."""
    faults = caller.emulator.faults
    faults.add("drop_request", operation="RequesttoPay", times=1)
    unsent, lost = caller.pay()
    faults.add("drop_response", operation="RequesttoPay", times=1, how="hang")
    sent, unheard = caller.pay()
    _, again = caller.pay(reference=sent)

    assert (lost.cut, _moved(caller, unsent)) == ("close", 0)
    assert (unheard.cut, _moved(caller, sent)) == ("hang", 1)
    assert again.status == 409
    assert _moved(caller, sent) == 1
    assert not faults.active


@pytest.mark.parametrize(
    ("stage", "cut", "moved"),
    [("before", "reset", 0), ("after", "reset", 1), ("headers", "", 1), ("body", "", 1)],
)
def test_reset_stages(caller: Caller, stage: str, cut: str, moved: int) -> None:
    """A reset before processing moves nothing; later ones do, and end by reset."""
    caller.emulator.faults.add("reset", stage=stage, operation="RequesttoPay")
    reference, reply = caller.pay()

    assert (reply.cut, _moved(caller, reference)) == (cut, moved)
    assert reply.then_reset == (stage in ("headers", "body"))


@pytest.mark.parametrize(
    ("header", "status", "moved"),
    [
        ("html_error", 502, 0),
        ("html_error(504, true)", 504, 1),
        ("status(503)", 503, 0),
        ("status(500, INTERNAL_PROCESSING_ERROR, processed=true)", 500, 1),
        ("status(500, body_code=)", 500, 0),
        ("403_ip", 403, 0),
        ("429(0)", 429, 0),
        ("maintenance_window", 503, 0),
        ("first_409", 409, 0),
        ("silent_reject", 202, 0),
        ("bad_json", 202, 1),
        ("401_random", 401, 0),
        ("token_revoke", 401, 0),
    ],
)
def test_wrong_answers_by_header(caller: Caller, header: str, status: int, moved: int) -> None:
    """A fault in the request's own header meets that request, processed or not as it says."""
    reference, reply = caller.pay(X_Emulator_Fault=header)

    assert (reply.status, _moved(caller, reference)) == (status, moved)


def test_wrong_answers_have_their_bodies(caller: Caller) -> None:
    """HTML is HTML, status speaks the wallet's dialect, the gateway says Retry-After."""
    page = caller.pay(X_Emulator_Fault="html_error")[1]
    wallet = caller.pay(X_Emulator_Fault="status(500, INVALID_CURRENCY)")[1]
    busy = caller.pay(X_Emulator_Fault="429(0)")[1]
    refused = caller.pay(X_Emulator_Fault="403_ip")[1]

    assert page.header("content-type") == "text/html; charset=us-ascii"
    assert wallet.json()["code"] == "INVALID_CURRENCY"
    assert busy.header("retry-after") == "1"
    assert refused.json() == {"statusCode": 403, "message": "Forbidden"}


def test_transport_faults_are_described_in_the_reply(caller: Caller) -> None:
    """Delay, truncation, dripping and a wrong date are told to the edge."""
    header = "delay(2, 0); truncate(5); slowloris(3, 0.5); clock_offset(-3600)"
    reply = caller.pay(X_Emulator_Fault=header)[1]

    assert reply.delay_seconds == 2
    assert reply.truncate_after_bytes == 5
    assert reply.drip == (3, 0.5)
    assert reply.clock_offset_seconds == -3600


def test_bad_json_claims_to_be_json(caller: Caller) -> None:
    """The half body still says it is JSON."""
    reference, _ = caller.pay()
    line = f"GET /collection/v1_0/requesttopay/{reference}"
    reply = caller.call(line, X_Emulator_Fault="bad_json")

    assert reply.header("content-type") == "application/json;charset=utf-8"
    assert reply.body.startswith(b'{"financial')
    assert not reply.body.endswith(b"}")


def test_lag_404_ends(caller: Caller) -> None:
    """An accepted payment is not found at first, and then is."""
    caller.emulator.faults.add("lag_404", seconds=30)
    reference, reply = caller.pay()
    line = f"GET /collection/v1_0/requesttopay/{reference}"
    early = caller.call(line).status
    caller.emulator.clock.advance(seconds=31)

    assert (reply.status, early, caller.call(line).status) == (202, 404, 200)


def test_silent_reject_stays_unknown_and_can_be_sent_again(caller: Caller) -> None:
    """After 202 nothing is known of it; a resend of the same id is accepted."""
    caller.emulator.faults.add("silent_reject", times=1)
    reference, _ = caller.pay()
    line = f"GET /collection/v1_0/requesttopay/{reference}"

    assert caller.call(line).status == 404
    assert caller.pay(reference=reference)[1].status == 202
    assert _moved(caller, reference) == 1


def test_stuck_pending_stays_for_days(caller: Caller) -> None:
    """A stuck payment is PENDING after eight days, and moved nothing."""
    caller.emulator.faults.add("stuck_pending", times=1)
    reference, _ = caller.pay()
    caller.emulator.clock.advance(seconds=8 * 86400)
    caller._tokens.clear()

    assert caller.status(reference)["status"] == "PENDING"
    assert _moved(caller, reference) == 0


def test_flip_final_contradicts_once(caller: Caller) -> None:
    """A settled payment says the opposite once, both ways; the truth is unchanged."""
    paid, _ = caller.pay()
    failed, _ = caller.pay("46733123451")
    caller.emulator.faults.add("flip_final", times=2)
    flipped = [caller.status(paid), caller.status(failed)]

    assert [answer["status"] for answer in flipped] == ["FAILED", "SUCCESSFUL"]
    assert "financialTransactionId" in flipped[1]
    assert caller.status(paid)["status"] == "SUCCESSFUL"
    assert (_moved(caller, paid), _moved(caller, failed)) == (1, 0)


def test_wrong_amount_and_swapped_bodies(caller: Caller) -> None:
    """A status can carry another amount, or another payment's whole body."""
    one, _ = caller.pay(amount="100", externalId="one")
    caller.pay(amount="200", externalId="two")
    faults = caller.emulator.faults
    faults.add("wrong_amount", times=1)
    wrong = caller.status(one)["amount"]
    faults.add("wrong_amount", times=1, amount="7")
    named = caller.status(one)["amount"]
    faults.add("swap_bodies", times=1)

    assert (wrong, named) == ("101", "7")
    assert caller.status(one)["externalId"] == "two"
    assert caller.status(one)["externalId"] == "one"


def test_token_faults(caller: Caller) -> None:
    """Tokens live shortly, can be revoked, and their endpoint can fail."""
    faults = caller.emulator.faults
    faults.add("token_ttl", seconds=3, times=1)
    short = caller.token().json()
    faults.add("token_5xx", code=502, times=1)
    failing = caller.token()
    line = "GET /collection/v1_0/account/balance"
    header = f"Bearer {short['access_token']}"
    before = caller.call(line, Authorization=header).status
    caller.emulator.clock.advance(seconds=4)

    assert (short["expires_in"], failing.status) == (3, 502)
    assert (before, caller.call(line, Authorization=header).status) == (200, 401)
    caller.call(line)
    faults.add("token_revoke", times=1)
    assert [caller.call(line).status for _ in range(2)] == [401, 401]
    caller._tokens.clear()
    assert caller.call(line).status == 200


def test_random_401_is_rare_and_repeatable() -> None:
    """One good token in ten is refused, the same ones for the same seed."""

    def refusals(seed: int) -> list[int]:
        caller = Caller(seed=seed)
        caller.headers("collection")
        caller.emulator.faults.add("401_random")
        line = "GET /collection/v1_0/account/balance"
        return [n for n in range(300) if caller.call(line).status == 401]

    first = refusals(1)
    assert 5 < len(first) < 80
    assert refusals(1) == first
    assert refusals(2) != first


def test_throttling_counts_by_the_emulators_second(caller: Caller) -> None:
    """Above ten a second the gateway answers 429; the next second is free again."""
    caller.headers("collection")
    caller.emulator.faults.add("429", per_second=10)
    line = "GET /collection/v1_0/account/balance"
    statuses = [caller.call(line).status for _ in range(12)]
    caller.emulator.clock.advance(seconds=1)

    assert statuses == [200] * 10 + [429] * 2
    assert caller.call(line).status == 200


def test_low_balance_pauses_payouts(caller: Caller) -> None:
    """The wallet seems to hold little: larger transfers fail, the balance says so."""
    caller.emulator.faults.add("low_balance", amount="60")
    small, _ = caller.transfer(amount="60")
    large, _ = caller.transfer(amount="61")
    path = "/disbursement/v1_0/transfer"

    assert caller.status(small, path)["status"] == "SUCCESSFUL"
    assert caller.status(large, path)["reason"] == "NOT_ENOUGH_FUNDS"
    balance = caller.call("GET /disbursement/v1_0/account/balance").json()
    assert balance["availableBalance"] == "60"


def test_maintenance_ends_by_the_clock(caller: Caller) -> None:
    """Everything is a 503 page until the window is over."""
    caller.emulator.faults.add("maintenance_window", seconds=60)
    during = caller.token()
    caller.emulator.clock.advance(seconds=60)

    assert (during.status, during.body[:9]) == (503, b"<!DOCTYPE")
    assert caller.token().status == 200
    assert not caller.emulator.faults.active


def test_matchers_choose_whom_a_fault_meets(caller: Caller) -> None:
    """Product, method, path, party and reference id narrow a fault down."""
    faults = caller.emulator.faults
    faults.add("status", code=503, product="disbursement")
    faults.add("status", code=504, identifier="256700000001")
    faults.add("status", code=502, reference_id="AAAAAAAA-0000-4000-8000-000000000000")
    faults.add("status", code=501, path="/collection/v1_0/account", method="GET")
    caller.headers("collection")
    caller._tokens["disbursement"] = "x"
    chosen = "aaaaaaaa-0000-4000-8000-000000000000"

    assert caller.pay()[1].status == 202
    assert caller.transfer()[1].status == 503
    assert caller.pay("256700000001")[1].status == 504
    assert caller.pay(reference=chosen)[1].status == 502
    assert caller.call("GET /collection/v1_0/account/balance").status == 501


def test_triggers_times_rate_and_script(caller: Caller) -> None:
    """A fault meets the next n, a seeded share, or the requests its script picks."""
    faults = caller.emulator.faults
    fault = faults.add("status", operation="RequesttoPay", script=[False, True, True])
    scripted = [caller.pay()[1].status for _ in range(4)]
    faults.add("status", operation="RequesttoPay", rate=0.5)
    shared = [caller.pay()[1].status for _ in range(100)]

    assert fault.taken == 3
    assert scripted == [202, 503, 503, 202]
    assert 20 < shared.count(503) < 80


def test_script_of_faults_is_consumed_in_order(caller: Caller) -> None:
    """Successive requests meet successive faults; an empty step is none."""
    steps = ["drop_response", "", "status(503); delay(2)", "first_409"]
    caller.emulator.faults.script(steps, operation="RequesttoPay")
    replies = [caller.pay()[1] for _ in range(5)]

    assert [reply.cut for reply in replies] == ["close", "", "", "", ""]
    assert [reply.status for reply in replies] == [202, 202, 503, 409, 202]
    assert replies[2].delay_seconds == 2


def test_history_names_the_faults(caller: Caller) -> None:
    """The history tells which faults a request met."""
    caller.pay(X_Emulator_Fault="delay(1)")

    assert caller.emulator.history[-1].faults == ("delay",)


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("drop_reqest", {}, "there are drop_request, drop_response"),
        ("truncate", {"m": 1}, "there are: n"),
        ("truncate", {"n": "many"}, "of type int"),
        ("truncate", {"n": -1}, "negative"),
        ("reset", {"stage": "never"}, "before, after, headers, body"),
        ("drop_request", {"how": "gently"}, "close, reset, hang"),
        ("delay", {"seconds": float("inf")}, "of type float"),
        ("status", {"code": 42}, "from 200 to 599"),
        ("delay", {"rate": 2.0}, "between 0 and 1"),
        ("delay", {"times": 0}, "at least 1"),
        ("delay", {"operation": "RequestPay"}, "RequesttoPay, "),
    ],
)
def test_mistakes_are_explained(
    caller: Caller, name: str, parameters: dict[str, Any], words: str
) -> None:
    """An unknown name, parameter or value says what would be right."""
    with pytest.raises(UnknownFault, match=words):
        caller.emulator.faults.add(name, **parameters)


@pytest.mark.parametrize("text", ["delay(1", "nonsense", "truncate(1, 2)", "delay(x=1)"])
def test_unreadable_header_is_a_400_that_explains(caller: Caller, text: str) -> None:
    """A header that cannot be read is refused and nothing is processed."""
    reference, reply = caller.pay(X_Emulator_Fault=text)

    assert reply.status == 400
    assert len(reply.json()["message"]) > 10
    assert _moved(caller, reference) == 0


def test_header_grammar() -> None:
    """Faults are separated by semicolons, arguments are positional or named."""
    assert parse_faults(" delay(1.5, spread=2) ;status(500, 'X'); reorder ") == [
        ("delay", {"seconds": 1.5, "spread": 2.0}),
        ("status", {"code": 500, "body_code": "X", "processed": False}),
        ("reorder", {}),
    ]


def test_money_moves_at_most_once_whatever_happens() -> None:
    """Under a storm of faults and resends each reference id moves its money at most once."""
    caller = Caller(seed=7)
    caller.headers("collection")
    faults = caller.emulator.faults
    for name in ("drop_request", "drop_response", "first_409", "html_error", "bad_json"):
        faults.add(name, operation="RequesttoPay", rate=0.3)
    references = [caller.pay()[0] for _ in range(40)]
    for reference in references * 3:
        caller.pay(reference=reference)
    faults.clear()
    for reference in references:
        caller.pay(reference=reference)
    times = [_moved(caller, reference) for reference in references]

    assert set(times) == {1}
    held = Decimal(caller.emulator.balance()) - Decimal(1_000_000_000)
    assert held == 40 * 100
