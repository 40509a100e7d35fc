"""A first payment, walked through the emulator: the payer approves on the phone page."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from momokit.cli.following import progress
from momokit.cli.output import tell
from momokit.cli.session import Session

if TYPE_CHECKING:
    from momokit import Client, WaitResult
    from momokit.emulator.serve import Server
    from momokit.market import Market

_PATIENCE_SECONDS = 20.0
_NO_PATIENCE_SECONDS = 1.0
_SETTLE_SECONDS = 10.0
_SANDBOX_NUMBER = "256772123456"


def walk_through(
    here: Session,
    server: Server,
    *,
    market: Market,
    by_hand: bool,
    at_terminal: bool,
    patience_seconds: float = _PATIENCE_SECONDS,
) -> str:
    """Send a request to pay and see it through; gives the status it ended with.

    A person at the terminal has `patience_seconds` to approve it; then, or without a person, it is
    approved here, and that is said.
    """
    number = example_number(market)
    amount = "25" if market.is_sandbox else "5000"
    with _client(server, market) as momo:
        reference_id = str(uuid.uuid4())
        tell(here, "", event="walk")
        tell(here, f"A first payment. Reference id {reference_id}", event="sending")
        accepted = momo.collection.request_to_pay(
            amount=amount,
            payer=number,
            payer_message="Your first payment",
            reference_id=reference_id,
        )
        tell(
            here, f"MTN has it: {market.currency} {amount} is asked of {number}.", event="accepted"
        )
        if by_hand:
            page = f"{server.base_url}/phone/{number}"
            tell(here, f"Be the payer, approve it on the phone: {page}", event="phone", page=page)
        patience = patience_seconds if at_terminal else _NO_PATIENCE_SECONDS
        result = _wait(here, momo, reference_id, seconds=patience)
        if result.state == "open":
            _approve(here, server, reference_id)
            result = _wait(here, momo, accepted.reference_id, seconds=_SETTLE_SECONDS)
    moved = server.emulator.money_moved(reference_id)
    status = (result.outcome.status if result.outcome else None) or "open"
    tell(here, f"{status}: money moved {moved.times}×.", event="outcome", status=status)
    tell(here, f"What happened is at {server.base_url}/ ; Ctrl-C stops it.", event="serving")
    return status


def example_number(market: Market) -> str:
    """Make up a number of this market, in MTN's form."""
    if market.is_sandbox:
        return _SANDBOX_NUMBER
    start = (*market.mtn_prefix_hints, market.national_lead)[0]
    length = market.national_lengths[0]
    return market.calling_code + (start + "1234567890")[:length]


def _client(server: Server, market: Market) -> Client:
    from momokit import Client, Credentials

    made = server.emulator.provision("collection")
    credentials = Credentials(
        subscription_key=made.subscription_key, api_user=made.api_user, api_key=made.api_key
    )
    return Client(market=market, base_url=server.base_url, collection=credentials)


def _approve(here: Session, server: Server, reference_id: str) -> None:
    try:
        server.emulator.decide(reference_id, "approve")
    except ValueError:
        return  # decided on the phone page at this very moment
    tell(here, "Nobody did, so it was approved here, as the payer would.", event="approved")


def _wait(here: Session, momo: Client, reference_id: str, *, seconds: float) -> WaitResult:
    from momokit import PollPlan

    with progress(here) as listener:
        return momo.wait(
            reference_id,
            kind="request_to_pay",
            timeout_seconds=seconds,
            plan=PollPlan(first_seconds=0.5, factor=1.0, longest_seconds=0.5),
            on_progress=listener,
        )
