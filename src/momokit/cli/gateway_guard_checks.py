"""What `momo gateway doctor` says of the guards: stops, holds, lanes, limits, the disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from momokit.cli.findings import Finding
from momokit.cli.gateway_store import moment
from momokit.gateway.core.limits import read_limits
from momokit.gateway.core.payment import Work
from momokit.gateway.settings import GatewaySettings
from momokit.gateway.start import disk_gate
from momokit.gateway.store.accounts import Account, list_accounts
from momokit.gateway.store.holds import Hold, find_hold
from momokit.gateway.store.lanes import Lane, shut_lanes
from momokit.gateway.store.store import Store
from momokit.gateway.store.switches import Name, Switch, find_switch


async def guards(store: Store, settings: GatewaySettings) -> list[Finding]:
    """Look at everything that may keep money from moving, or ought to."""
    stop, hold, shut, accounts = await store.read(
        lambda t: (find_switch(t, Name.MONEY), find_hold(t), shut_lanes(t), list_accounts(t))
    )
    return [
        *_money(stop, hold),
        *_lanes(shut, {one.id: one.name for one in accounts}),
        *_limits(accounts),
        _disk(settings),
    ]


def _money(stop: Switch | None, hold: Hold | None) -> Iterator[Finding]:
    if stop is not None and stop.is_on:
        yield Finding(
            "money", "problem",
            f"All is stopped since {moment(stop.changed_at)} by {stop.by}: {stop.because}",
            "momo gateway resume-money --because …",
        )  # fmt: skip
    if hold is not None:
        audit = "MTN was asked about the gap" if hold.audited_at else "the audit is not done"
        yield Finding(
            "money", "problem", f"It is held since a restore, {audit}: {hold.switch.because}",
            "momo gateway hold show, then momo gateway hold release --because …",
        )  # fmt: skip
    if hold is None and not (stop is not None and stop.is_on):
        yield Finding("money", "ok", "It is neither stopped nor held.")


def _lanes(shut: Sequence[Lane], names: dict[str, str]) -> Iterator[Finding]:
    for lane in shut:
        work = "sends" if lane.key.work is Work.SUBMIT else "questions"
        yield Finding(
            f"account {names.get(lane.key.account_id, lane.key.account_id)}", "warning",
            f"MTN does not answer: {lane.key.product} {work} are shut since"
            f" {moment(lane.breaker.opened_at)}.",
            "It opens by itself. If MTN is well: momo gateway accounts reopen NAME --because …",
        )  # fmt: skip


def _limits(accounts: Sequence[Account]) -> Iterator[Finding]:
    for account in accounts:
        limits = read_limits(account.limits)
        if not any(one.counts for one in limits.values()):
            yield Finding(
                f"account {account.name}", "warning", "Nothing limits what it pays out in a day.",
                f"momo gateway limits set {account.name} --send-per-day AMOUNT --because …",
            )  # fmt: skip


def _disk(settings: GatewaySettings) -> Finding:
    if not settings.is_sqlite:
        return Finding("disk", "ok", "PostgreSQL's disk is its server's: have it watched there.")
    gate = disk_gate(settings)
    space = gate.space()
    shown = f"{space.free_percent:.0f} % is free, {space.free_bytes >> 20} MiB."
    if gate.is_low():
        return Finding(
            "disk", "problem", f"No new money is taken in: {shown}",
            "Make room. Old payments are still brought to their end.",
        )  # fmt: skip
    return Finding("disk", "ok", shown)
