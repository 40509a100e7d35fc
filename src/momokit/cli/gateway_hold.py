"""`momo gateway stop-money` and `momo gateway hold`: everything stopped, and books restored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from momokit.cli.command import Command, Group
from momokit.cli.exits import NOT_CHECKED, OK
from momokit.cli.gateway_limits import signed_options
from momokit.cli.gateway_store import in_store, moment, operator_name, stamp
from momokit.cli.output import facts, give
from momokit.cli.session import session
from momokit.errors import InvalidInput

if TYPE_CHECKING:
    from momokit.gateway.seal import Sealer
    from momokit.gateway.store.holds import Hold
    from momokit.gateway.store.store import Store
    from momokit.gateway.store.switches import Switch

_LOST = (
    "What was taken in after {since} is not in these books at all: hold MTN's statement against"
    " them (momo reconcile) before you pay anything again."
)


@click.command(
    "stop-money", cls=Command, examples=('momo gateway stop-money --because "odd payouts"',)
)
@signed_options
def stop_money(because: str, by: str | None) -> int:
    """Stop all money at once: nothing is taken in and nothing is sent, by any account.

    What has left is still followed to its end. Undone by momo gateway resume-money.
    """
    return _turn(on=True, because=because, by=by)


@click.command(
    "resume-money", cls=Command, examples=('momo gateway resume-money --because "seen to"',)
)
@signed_options
def resume_money(because: str, by: str | None) -> int:
    """Let money move again after stop-money. A hold after a restore stays."""
    return _turn(on=False, because=because, by=by)


@click.group(cls=Group)
def hold() -> None:
    """Hold money after the books were restored from a backup, until MTN was asked about the gap.

    A copy made by momo gateway backup holds money by itself. PostgreSQL: momo gateway hold on,
    before the first gateway is started on the restored database.
    """


@hold.command(examples=("momo gateway hold show",))
def show() -> int:
    """Show whether money is held, and how far the audit of the gap is."""
    from momokit.gateway.store.holds import count_open, find_hold, waiting_to_be_sent

    async def work(store: Store, _: Sealer) -> tuple[Hold | None, int, int]:
        return await store.read(lambda t: (find_hold(t), count_open(t), len(waiting_to_be_sent(t))))

    here = session()
    found, still_open, waiting = in_store(here, work)
    if found is None:
        give(here, {"held": False}, "Money is not held.")
        return OK
    told = {
        "held": True,
        "since": stamp(found.since),
        "because": found.switch.because,
        "by": found.switch.by,
        "asked": found.asked,
        "moved": found.moved,
        "audited_at": stamp(found.audited_at),
        "open": still_open,
        "never_sent": waiting,
    }
    lines = facts(
        {
            "money": "held",
            "since": moment(found.since),
            "because": found.switch.because,
            "by": found.switch.by,
            "asked about": found.asked,
            "MTN knew more of": found.moved,
            "audit": f"done {moment(found.audited_at)}" if found.audited_at else "a worker does it",
            "still open": still_open,
            "never sent": waiting,
        }
    )
    give(here, told, *lines, "", _LOST.format(since=moment(found.since)))
    return OK


@hold.command(
    examples=(
        'momo gateway hold on --because "restored from the dump of 02:00" --since 2026-03-01T02:00',
    )
)
@click.option("--since", metavar="TIME", help="When the copy was made, UTC. [now]")
@signed_options
def on(since: str | None, because: str, by: str | None) -> int:
    """Hold money: for a database that was restored in another way than from a marked copy."""
    from momokit.gateway.store.holds import hold_on

    at = _read_time(since) if since else None
    who = operator_name(by)

    async def work(store: Store, _: Sealer) -> Hold:
        return await store.write(lambda t: hold_on(t, because=because, by=who, since=at))

    found = in_store(session(), work)
    give(
        session(),
        {"held": True, "since": stamp(found.since)},
        f"Money is held. A worker asks MTN about everything since {moment(found.since)}.",
    )
    return OK


@hold.command(
    examples=(
        'momo gateway hold release --because "audit and statement agree" --by Ada',
        'momo gateway hold release --because "audited" --never-sent cancel',
    )
)
@click.option(
    "--never-sent",
    type=click.Choice(["send", "cancel"]),
    help="What becomes of payments that these books never sent; their merchants may have paid in"
    " another way since.",
)
@click.option("--unaudited", is_flag=True, help="Without the audit: you know why; it is kept.")
@signed_options
def release(never_sent: str | None, unaudited: bool, because: str, by: str | None) -> int:
    """Let money move again, once MTN was asked about everything that may have changed."""
    from momokit.gateway.core.decide import decide
    from momokit.gateway.core.facts import Withdrawn
    from momokit.gateway.store import holds

    who = operator_name(by)

    async def work(store: Store, _: Sealer) -> tuple[bool, int]:
        found = await store.read(holds.find_hold)
        if found is None:
            return False, 0
        if found.audited_at is None and not unaudited:
            raise holds.NotAudited(
                "MTN was not asked about everything yet: let a worker run, and look at"
                " momo gateway hold show."
            )
        waiting = await store.read(holds.waiting_to_be_sent)
        if waiting and never_sent is None:
            raise InvalidInput(
                f"{len(waiting)} payments of these books were never sent.",
                field="never_sent",
                hint="Say --never-sent send, or --never-sent cancel.",
            )
        if never_sent == "cancel":
            for payment_id in waiting:
                await store.record(
                    payment_id,
                    lambda payment, now: decide(payment, Withdrawn(), now=now),
                    lease_token=None,
                )
        await store.write(lambda t: holds.release(t, because=because, by=who, unaudited=unaudited))
        return True, len(waiting) if never_sent == "cancel" else 0

    released, cancelled = in_store(session(), work)
    text = "Money moves again." if released else "Money was not held."
    more = (f"{cancelled} payments that were never sent are cancelled.",) if cancelled else ()
    give(session(), {"released": released, "cancelled": cancelled}, text, *more)
    return OK if released else NOT_CHECKED


def _turn(*, on: bool, because: str, by: str | None) -> int:
    from momokit.gateway.store.switches import Name, stopped_by, turn

    who = operator_name(by)

    async def work(store: Store, _: Sealer) -> Switch | None:
        def unit(transaction: Any) -> Switch | None:
            turn(transaction, Name.MONEY, on=on, because=because, by=who)
            return stopped_by(transaction)

        return await store.write(unit)

    left = in_store(session(), work)
    if left is None:
        text = "Money moves again."
    elif on:
        text = "All money is stopped: nothing is taken in, nothing is sent."
    else:
        text = f"Money is held still: {left.because}"
    give(session(), {"money": "running" if left is None else "stopped"}, text)
    return OK


def _read_time(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            "This is not a time.", field="since", hint="2026-03-01T02:00, in UTC."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
