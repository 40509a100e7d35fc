"""`/_emulator`: what the Python API can do, as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from momokit.emulator import Emulator, Request
from momokit.emulator.control import Control

from .caller import ORDINARY, Caller


class Hand:
    """Speaks to the control API of a caller's emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._control = Control(emulator)

    def __call__(self, line: str, **json: Any) -> Any:
        """Make a control request and read its answer."""
        return self.reply(line, json=json or None).json()

    def reply(self, line: str, *, json: Any = None, body: bytes | None = None) -> Any:
        """Make a control request and give the whole reply."""
        method, _, path = line.partition(" ")
        return self._control.handle(Request.of(method, f"/_emulator{path}", json=json, body=body))


@pytest.fixture
def hand(caller: Caller) -> Hand:
    """Give a hand on the caller's emulator."""
    return Hand(caller.emulator)


def test_health_reset_and_provision(caller: Caller, hand: Hand) -> None:
    """Health counts; a reset forgets, with other settings if given; provision gives access."""
    caller.pay()
    before = hand("GET /health")
    after = hand("POST /reset", settings={"market": "mtnghana"})
    credentials = hand("POST /provision", product="collection", callback_host="shop.test")

    assert (before["status"], before["payments"]) == ("ok", 1)
    assert (after["market"], after["payments"]) == ("mtnghana", 0)
    assert credentials["target_environment"] == "mtnghana"
    assert (credentials["currency"], credentials["callback_host"]) == ("GHS", "shop.test")


def test_clock(caller: Caller, hand: Hand) -> None:
    """The clock can be read, frozen, advanced, resumed and set off."""
    hand("POST /clock", freeze=True, at=1000)
    advanced = hand("POST /clock", advance_seconds=5)
    resumed = hand("POST /clock", freeze=False)
    hand("POST /clock", offset_seconds=86400)

    assert (advanced["now"], advanced["frozen"]) == (1005.0, True)
    assert resumed["frozen"] is False
    assert round(hand("GET /clock")["offset_seconds"]) == 86400
    assert not caller.emulator.clock.frozen


def test_seeded_credentials_work(caller: Caller, hand: Hand) -> None:
    """A seeded API user gets a token with its own key."""
    hand(
        "POST /seed",
        user_id=caller.credentials.api_user,
        api_key="another",
        subscription_keys=["0123456789"],
    )
    caller.credentials = type(caller.credentials)(
        product="",
        api_user=caller.credentials.api_user,
        api_key="another",
        subscription_key="0123456789",
        target_environment="sandbox",
        callback_host="localhost",
        currency="EUR",
    )

    assert caller.token().status == 200


def test_scenarios_and_faults(caller: Caller, hand: Hand) -> None:
    """Scenarios and faults are set, listed and cleared, as in Python."""
    hand("POST /scenarios", identifier=ORDINARY, outcome="EXPIRED")
    fault = hand(
        "POST /faults", name="status", operation="RequesttoPay", times=1, parameters={"code": 504}
    )
    first, second = caller.pay(), caller.pay()
    hand("POST /faults", steps=["drop_request", ""], operation="RequesttoPay")
    kept = hand("POST /faults", name="lag_404", seconds=3)
    listed = hand("GET /faults")
    removed = hand(f"DELETE /faults/{kept['number']}")

    assert fault["parameters"]["code"] == 504
    assert (first[1].status, second[1].status) == (504, 202)
    assert caller.status(second[0])["reason"] == "EXPIRED"
    assert [one["name"] for one in listed["on"]] == ["script", "lag_404"]
    assert len(listed["known"]) == 34
    assert [one["name"] for one in removed] == ["script"]
    assert hand("DELETE /faults") == []
    assert len(hand("GET /scenarios")) == 1
    assert hand("DELETE /scenarios") == []


def test_history_is_filtered_and_paged(caller: Caller, hand: Hand) -> None:
    """History pages follow each other, and filters choose operation and reference id."""
    reference, _ = caller.pay()
    caller.pay()
    caller.status(reference)
    first = hand("GET /history?limit=2")
    rest = hand(f"GET /history?limit=2&after={first['next_after']}")
    about = hand(f"GET /history?reference_id={reference}")
    posts = hand("GET /history?operation=RequesttoPay&direction=request")

    assert [entry["number"] for entry in first["entries"]] == [1, 2]
    assert [entry["number"] for entry in rest["entries"]] == [3, 4]
    assert rest["next_after"] is None
    assert [entry["method"] for entry in about["entries"]] == ["POST", "GET"]
    assert len(posts["entries"]) == 2


def test_payments_decisions_and_money(hand: Hand, caller: Caller) -> None:
    """Payments are listed and shown, waiting ones decided, and the truth told."""
    hand("PATCH /settings", approval="phone")
    reference, _ = caller.pay(X_Callback_Url="http://127.0.0.1/cb")
    waiting = hand("GET /approvals")
    decided = hand(f"POST /decide/{reference}", decision="approve")
    truth = hand(f"GET /money/{reference}")
    caller.callbacks()
    hand(f"POST /forge/{reference}", status="FAILED")

    assert [payment["reference_id"] for payment in waiting] == [reference]
    assert decided["status"] == "SUCCESSFUL"
    assert (truth["times"], truth["total"]) == (1, "100")
    assert hand("GET /payments?kind=requesttopay&limit=1")["total"] == 1
    assert hand(f"GET /payments/{reference}")["status"] == "SUCCESSFUL"
    assert hand("GET /balance") == {"EUR": "1000000100"}
    assert b"FAILED" in caller.callbacks()[0].body


def test_settings_are_shown_with_their_explanations(hand: Hand) -> None:
    """Each setting has value, type, default and explanation."""
    shown = hand("GET /settings")["approval"]

    assert shown["value"] == "scenario"
    assert "phone" in shown["what"]


@pytest.mark.parametrize(
    ("line", "json", "status", "words"),
    [
        ("GET /nothing", None, 404, "GET health"),
        ("POST /clock", {"advance_seconds": "5"}, 400, "number of seconds"),
        ("POST /clock", {"advance": 5}, 400, "unknown field"),
        ("POST /reset", {"settings": {"colour": 1}}, 400, "unknown setting"),
        ("PATCH /settings", {"market": "mtnghana"}, 400, "reset"),
        ("PATCH /settings", {"approval": "maybe"}, 400, "scenario, phone"),
        ("POST /faults", {"name": "oops"}, 400, "there are drop_request"),
        ("POST /faults", {}, 400, "'name' is missing"),
        ("POST /faults", {"name": "delay", "x": 1}, 400, "unknown parameter"),
        ("DELETE /faults/99", None, 400, "number 99"),
        ("POST /scenarios", {"outcome": "failed"}, 400, "which payments"),
        ("POST /scenarios", {"shade": "grey"}, 400, "shade"),
        ("POST /decide/none", {"decision": "approve"}, 404, "no payment"),
        ("GET /payments/none", None, 404, "no payment"),
        ("GET /payments?colour=red", None, 400, "unknown field"),
        ("GET /history?limit=many", None, 400, "many"),
        ("POST /seed", {"api_key": "x"}, 400, "user_id"),
        ("POST /provision", {"product": "moon"}, 400, "moon"),
    ],
)
def test_mistakes_are_explained(hand: Hand, line: str, json: Any, status: int, words: str) -> None:
    """A wrong control request says what would be right."""
    reply = hand.reply(line, json=json)

    assert reply.status == status
    assert words in reply.json()["error"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_unreadable_bodies_are_refused(hand: Hand, body: bytes) -> None:
    """A body that is no JSON object is a 400."""
    assert hand.reply("POST /reset", body=body).status == 400
