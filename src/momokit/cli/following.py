"""Ask how something submitted stands, once or until it has ended, with live progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from momokit.cli.command import Command
from momokit.cli.describe import plain, words
from momokit.cli.exits import NOT_CHECKED, code_of_state
from momokit.cli.options import (
    kind_argument,
    product_option,
    reference_argument,
    show_numbers_option,
    timeout_option,
)
from momokit.cli.output import console, error_facts, facts, give, say_error, tell
from momokit.cli.session import InHand, Session, session
from momokit.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from momokit import Client, Progress
    from momokit.models import Outcome

_product = product_option(None)


@click.command(
    cls=Command,
    examples=(
        "momo status request-to-pay 5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11",
        "momo status transfer 5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11 --product remittance --json",
    ),
)
@kind_argument
@reference_argument
@_product
@show_numbers_option
def status(kind: str, reference_id: str, product: str | None, show_numbers: bool) -> int:
    """Ask once how something submitted stands.

    KIND is what was submitted: request-to-pay, transfer …. Exits with 0 when it was successful, 3
    when it failed, 6 while it is open, and 7 when MTN does not know the reference id: right after
    sending, that can mean "not visible yet".
    """
    return ask_once(
        session(), kind=kind, reference_id=reference_id, product=product, show_numbers=show_numbers
    )


@click.command(
    cls=Command,
    examples=(
        "momo wait request-to-pay 5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11",
        "momo wait deposit 5f0c1c5e-9d5e-4a53-9e0e-0d2a5b8a3c11 --timeout 60 --json",
    ),
)
@kind_argument
@reference_argument
@_product
@timeout_option
@show_numbers_option
def wait(
    kind: str, reference_id: str, product: str | None, timeout_seconds: float, show_numbers: bool
) -> int:
    """Wait for the outcome of something submitted, with live progress.

    When the time is up it is still open (exit code 6), which is not a failure.
    """
    here = session()
    in_hand = _in_hand(kind, reference_id, product)
    here.in_hand = in_hand
    with here.client() as momo:
        return follow(
            here, momo, in_hand, timeout_seconds=timeout_seconds, show_numbers=show_numbers
        )


def ask_once(
    here: Session, *, kind: str, reference_id: str, product: str | None, show_numbers: bool
) -> int:
    """Ask for a status and show it; give the exit code."""
    in_hand = _in_hand(kind, reference_id, product)
    with here.client() as momo:
        try:
            outcome = momo.status(reference_id, kind=kind, product=in_hand.product)
        except NotFound as error:
            # Not a failure: a script must not read this as "pay again".
            say_error(here, error, exit_code=NOT_CHECKED)
            if here.as_json:
                give(here, {**_heading(in_hand), "state": "not_found"})
            return NOT_CHECKED
    return _show(here, in_hand, outcome, show_numbers=show_numbers)


def follow(
    here: Session,
    momo: Client,
    in_hand: InHand,
    *,
    timeout_seconds: float,
    show_numbers: bool = False,
) -> int:
    """Wait for an outcome with progress on stderr and show it; give the exit code."""
    with progress(here) as listener:
        result = momo.wait(
            in_hand.reference_id,
            kind=in_hand.kind,
            product=in_hand.product,
            timeout_seconds=timeout_seconds,
            on_progress=listener,
        )
    waited = {"polls": result.polls, "waited_seconds": round(result.waited_seconds, 3)}
    return _show(here, in_hand, result.outcome, show_numbers=show_numbers, **waited)


@contextmanager
def progress(here: Session) -> Iterator[Callable[[Progress], None]]:
    """Show a wait as it goes: one living line on a terminal, otherwise a line for each change."""
    if here.as_json:
        yield lambda news: tell(here, say_progress(news), event="progress", **_news(news))
        return
    screen = console(here, err=True)
    if not screen.is_terminal:
        yield lambda news: tell(here, say_progress(news), event="progress")
        return
    with screen.status("asking …") as line:
        yield lambda news: line.update(say_progress(news))


def say_progress(news: Progress) -> str:
    """Put one piece of news about a wait into words."""
    word = (news.outcome.status if news.outcome else None) or "no answer yet"
    if news.error is not None:
        word = f"{word} ({type(news.error).__name__}: {news.error.message})"
    text = f"{news.waited_seconds:6.1f} s  {word}, asked {news.polls}×"
    if news.next_poll_seconds is not None:
        text += f", again in {news.next_poll_seconds:.1f} s"
    return text


def explain_reason(outcome: Outcome | None) -> dict[str, str]:
    """Explain why something failed, for a person."""
    if outcome is None or outcome.reason is None:
        return {}
    from momokit.reasons import reason_of

    reason = reason_of(outcome.reason)
    return {"why": reason.what.en, "do": reason.remedy.en, "send next": str(reason.retry)}


def _in_hand(kind: str, reference_id: str, product: str | None) -> InHand:
    from momokit.operations.forms import check_reference_id
    from momokit.operations.registry import find_kind

    found = find_kind(kind, product)
    return InHand(
        kind=found.name, product=found.product, reference_id=check_reference_id(reference_id)
    )


def _heading(in_hand: InHand) -> dict[str, Any]:
    return {
        "reference_id": in_hand.reference_id,
        "kind": in_hand.kind,
        "product": in_hand.product,
    }


def _news(news: Progress) -> dict[str, Any]:
    return {
        "reference_id": news.reference_id,
        "polls": news.polls,
        "waited_seconds": round(news.waited_seconds, 3),
        "status": news.outcome.status if news.outcome else None,
        "trouble": error_facts(news.error, exit_code=0)["error"] if news.error else None,
    }


def _show(
    here: Session, in_hand: InHand, outcome: Outcome | None, *, show_numbers: bool, **waited: Any
) -> int:
    state = outcome.state if outcome is not None else "open"
    told = plain(outcome, show_numbers=show_numbers) if outcome is not None else {}
    heading = _heading(in_hand)
    data = {**heading, "state": state, **told, **waited}
    rows = {name.replace("_", " "): words(value) for name, value in told.items()}
    rows.pop("reference id", None)
    label = (outcome.status if outcome else None) or "OPEN"
    lines = facts(
        {
            "reference id": in_hand.reference_id,
            "status": f"{label} ({state})",
            **{name: value for name, value in rows.items() if name != "status"},
            **explain_reason(outcome),
        }
    )
    give(here, data, *lines)
    if state == "open":
        tell(here, f"Still open, which is no failure: {in_hand.question}", event="open")
    return code_of_state(state)
