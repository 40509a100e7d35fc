"""What `momo gateway doctor` looks at."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Iterator

from momokit.cli.findings import Finding
from momokit.cli.gateway_guard_checks import guards
from momokit.cli.gateway_store import moment
from momokit.errors import MomoError
from momokit.gateway.app import account_problems
from momokit.gateway.book import AccountBook
from momokit.gateway.core.payment import Work
from momokit.gateway.seal import Sealer
from momokit.gateway.settings import GatewaySettings
from momokit.gateway.start import open_store, sqlite_file
from momokit.gateway.store.accounts import list_endpoints, list_keys
from momokit.gateway.store.deliveries import next_delivery_due
from momokit.gateway.store.incidents import open_incidents
from momokit.gateway.store.payments import Filter
from momokit.gateway.store.store import Store

SKEW_SECONDS = 2.0
LATE_SECONDS = 120.0


async def examine(load: Callable[[], GatewaySettings]) -> list[Finding]:
    """Make every check; each that fails says what to do."""
    try:
        settings = load()
    except MomoError as error:
        return [Finding("settings", "problem", error.message, error.hint)]
    findings = list(_settings(settings))
    try:
        store = await open_store(settings)
    except MomoError as error:
        return [*findings, Finding("database", "problem", error.message, error.hint)]
    try:
        findings.append(Finding("database", "ok", f"{settings.database_shown} is ready."))
        findings += await _accounts(store, settings)
        findings += await _doors(store)
        findings += await guards(store, settings)
        findings += await _work(store)
    finally:
        store.close()
    return findings


def _settings(settings: GatewaySettings) -> Iterator[Finding]:
    yield Finding("settings", "ok", "They fit together, and the secret key is usable.")
    if settings.public_url is None:
        yield Finding(
            "callbacks", "warning", "MTN cannot call back, so payments settle by polling alone.",
            "Set MOMO_GATEWAY_PUBLIC_URL.",
        )  # fmt: skip
    if settings.webhook_allow_local:
        yield Finding(
            "webhooks", "warning", "They may go to this machine, without TLS: for development.",
            "Leave MOMO_GATEWAY_WEBHOOK_ALLOW_LOCAL out in production.",
        )  # fmt: skip
    if not settings.is_sqlite:
        return
    path = sqlite_file(settings)
    if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Finding(
            "database file", "problem", f"Others on this machine can get at {path}.",
            f"chmod 600 {path}*",
        )  # fmt: skip


async def _accounts(store: Store, settings: GatewaySettings) -> list[Finding]:
    book = AccountBook(store, Sealer(settings.key, previous=settings.previous_keys))
    try:
        await book.load()
    except MomoError as error:
        return [Finding("accounts", "problem", error.message, error.hint)]
    if not book.accounts:
        return [Finding("accounts", "problem", "There are none.", "momo gateway accounts add")]
    found = [
        Finding("accounts", "problem", error.message, error.hint)
        for error in account_problems(book, settings)
    ]
    for account in book.accounts:
        if account.paused_reason is None:
            found.append(Finding(f"account {account.name}", "ok", "Its credentials open."))
            continue
        found.append(
            Finding(
                f"account {account.name}", "warning", f"Paused: {account.paused_reason}",
                f"momo gateway accounts resume {account.name}",
            )
        )  # fmt: skip
    return found


async def _doors(store: Store) -> list[Finding]:
    keys, ends, now = await store.read(lambda t: (list_keys(t), list_endpoints(t), t.now))
    found = []
    skew = now - time.time()
    if abs(skew) > SKEW_SECONDS:
        found.append(
            Finding("clock", "warning", f"Database and this machine differ by {skew:.1f} s.",
                    "Keep both on network time.")
        )  # fmt: skip
    valid = [k for k in keys if k.revoked_at is None and (k.expires_at or now + 1) > now]
    if not valid:
        found.append(Finding("API keys", "problem", "No key is valid.", "momo gateway keys create"))
    found += [
        Finding("webhooks", "warning", f"{one.id} is off since {moment(one.disabled_at)}.",
                f"momo gateway endpoints enable {one.id}")
        for one in ends
        if one.disabled_at is not None
    ]  # fmt: skip
    return found


async def _work(store: Store) -> list[Finding]:
    found = []
    now = await store.now()
    due = {work.value: await store.next_due(work) for work in Work}
    due["webhook"] = await store.read(next_delivery_due)
    for name, at in due.items():
        if at is not None and now - at > LATE_SECONDS:
            found.append(
                Finding("worker", "problem", f"{name} is {now - at:.0f} s late.",
                        "Is a worker running? momo gateway serve, or worker.")
            )  # fmt: skip
    incidents = await store.read(open_incidents)
    waiting = (await store.list_payments(Filter(review=True), limit=200)).items
    if incidents or waiting:
        found.append(
            Finding(
                "review", "warning",
                f"{len(incidents)} incidents and {len(waiting)} payments wait for a person.",
                "momo gateway review list",
            )
        )  # fmt: skip
    return found or [Finding("work", "ok", "Nothing is late, nothing waits for a person.")]
