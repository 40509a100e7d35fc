"""`momo demo`: one payment settled end to end over real HTTP, and one lost answer survived."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from momokit.cli.command import Command
from momokit.cli.ear import HOST, Ear, listening
from momokit.cli.exits import OK, UNEXPECTED
from momokit.cli.output import give, tell
from momokit.cli.parts import make_emulator, served
from momokit.cli.session import Session, session

if TYPE_CHECKING:
    from momokit import Client, WaitResult
    from momokit.emulator.engine import Emulator

_AMOUNT, _PAYER = "25", "256772123456"
_CALLBACK_SECONDS = 5.0
_OUTCOME_SECONDS = 15.0


class Timeline:
    """What happened and when, shown as it happens."""

    def __init__(self, here: Session, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._here = here
        self._clock = clock
        self._start = clock()
        self.entries: list[dict[str, Any]] = []

    def note(self, who: str, what: str) -> None:
        """Note one thing that happened now."""
        seconds = self._clock() - self._start
        self.entries.append({"seconds": round(seconds, 3), "who": who, "what": what})
        if self._here.as_json:
            tell(self._here, what, event="timeline", seconds=round(seconds, 3), who=who)
        else:
            click.echo(f"{seconds:6.2f} s  {who:<9} {what}")


@click.command(cls=Command, examples=("momo demo", "momo demo --json"))
def demo() -> int:
    """Settle a payment end to end on this machine: no account, no keys, no network.

    Starts the emulator, makes an API user, sends a request to pay, approves it as the payer's phone
    would, hears the callback and asks for the truth. Then it does so again with MTN's answer lost
    on the way. Exits with 0 only when both were successful and money moved exactly once each.
    """
    here = session()
    timeline = Timeline(here)
    emulator = make_emulator(approval="phone")
    with served(emulator) as server, listening() as ear:
        timeline.note("emulator", f"MTN's API is at {server.base_url}, on this machine")
        with _provisioned(server.base_url, timeline) as momo:
            acts = [
                _pay(momo, emulator, ear, timeline),
                _pay_with_a_lost_answer(momo, emulator, ear, timeline),
            ]
    good = all(act["status"] == "SUCCESSFUL" and act["times_money_moved"] == 1 for act in acts)
    if good:
        timeline.note("momo", "both payments SUCCESSFUL; money moved exactly once each")
    else:
        timeline.note("momo", "NOT as it should be; see above")
    if here.as_json:
        give(here, {"as_it_should_be": good, "payments": acts, "timeline": timeline.entries})
    return OK if good else UNEXPECTED


def _provisioned(base_url: str, timeline: Timeline) -> Client:
    from momokit import Client, RetryPolicy

    with Client(market="sandbox", base_url=base_url) as anyone:
        made = anyone.sandbox.provision(callback_host=HOST, subscription_key=uuid.uuid4().hex)
    timeline.note("momo", f"made API user {made.api_user} and its key")
    return Client(
        market="sandbox",
        base_url=base_url,
        collection=made,
        retry=RetryPolicy(first_wait_seconds=0.2),
    )


def _pay(momo: Client, emulator: Emulator, ear: Ear, timeline: Timeline) -> dict[str, Any]:
    reference_id = str(uuid.uuid4())
    timeline.note("momo", f"request to pay EUR {_AMOUNT}, reference id {reference_id}")
    _submit(momo, reference_id, ear)
    timeline.note("MTN", "202 Accepted: it has the request, and nothing is paid yet")
    status = momo.status(reference_id, kind="request_to_pay")
    timeline.note("MTN", f"status {status.status}: the payer sees the request on the phone")
    return _settle(momo, emulator, ear, timeline, reference_id=reference_id)


def _pay_with_a_lost_answer(
    momo: Client, emulator: Emulator, ear: Ear, timeline: Timeline
) -> dict[str, Any]:
    reference_id = str(uuid.uuid4())
    emulator.faults.add("drop_response", operation="RequesttoPay", times=1)
    timeline.note("momo", f"again, and MTN's answer will be lost; reference id {reference_id}")
    accepted = _submit(momo, reference_id, ear)
    sent = sum(
        entry.operation == "RequesttoPay" and entry.reference_id == reference_id
        for entry in emulator.history
    )
    how = "asked under the same reference id: MTN has it" if accepted.replayed else "sent again"
    timeline.note("momo", f"no answer came; {how} (sent {sent}×)")
    return _settle(momo, emulator, ear, timeline, reference_id=reference_id)


def _submit(momo: Client, reference_id: str, ear: Ear) -> Any:
    return momo.collection.request_to_pay(
        amount=_AMOUNT,
        payer=_PAYER,
        payer_message="Order 1007",
        reference_id=reference_id,
        callback_url=ear.url,
    )


def _settle(
    momo: Client, emulator: Emulator, ear: Ear, timeline: Timeline, *, reference_id: str
) -> dict[str, Any]:
    emulator.decide(reference_id, "approve")
    timeline.note("payer", "approves on the phone")
    hint = ear.next(within_seconds=_CALLBACK_SECONDS)
    if hint is not None:
        timeline.note("MTN", f"callback says {hint.status}: a hint, so ask for the status")
    else:
        timeline.note("MTN", "no callback came; the status is asked for all the same")
    result = _outcome(momo, reference_id)
    moved = emulator.money_moved(reference_id)
    status = result.outcome.status if result.outcome else None
    timeline.note("MTN", f"status {status}, money moved {moved.times}×, EUR {moved.total} in all")
    return {
        "reference_id": reference_id,
        "status": status,
        "polls": result.polls,
        "callback": hint.status if hint else None,
        "times_money_moved": moved.times,
    }


def _outcome(momo: Client, reference_id: str) -> WaitResult:
    from momokit import PollPlan

    return momo.wait(
        reference_id,
        kind="request_to_pay",
        timeout_seconds=_OUTCOME_SECONDS,
        plan=PollPlan(first_seconds=0.1, factor=1.5, longest_seconds=1.0),
    )
