"""`momo gateway`: run the gateway, and everything its operator does."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from momokit.cli.exits import OK, PROBLEMS_FOUND
from momokit.cli.gateway_accounts import accounts
from momokit.cli.gateway_batches import batches
from momokit.cli.gateway_endpoints import endpoints
from momokit.cli.gateway_hold import hold, resume_money, stop_money
from momokit.cli.gateway_invoices import invoices
from momokit.cli.gateway_keys import keys
from momokit.cli.gateway_limits import limits
from momokit.cli.gateway_links import links
from momokit.cli.gateway_rehearse import rehearse
from momokit.cli.gateway_review import review
from momokit.cli.gateway_store import GatewayGroup, gateway_settings, in_store
from momokit.cli.options import together
from momokit.cli.output import facts, give, table, tell
from momokit.cli.session import Session, session
from momokit.errors import InvalidInput

if TYPE_CHECKING:
    from momokit.cli.findings import Finding
    from momokit.gateway.app import Gateway, Role
    from momokit.gateway.seal import Sealer
    from momokit.gateway.settings import GatewaySettings
    from momokit.gateway.store.store import Store

_MARKS = {"ok": "ok", "warning": "warning", "problem": "PROBLEM"}

_listening_options = together(
    click.option("--host", metavar="ADDRESS", help="Where to listen. [MOMO_GATEWAY_HOST]"),
    click.option(
        "--port", type=click.IntRange(0, 65535), help="The API's port. [MOMO_GATEWAY_PORT]"
    ),
)
_metrics_option = click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="The port of the metrics, 0 for none. [MOMO_GATEWAY_METRICS_PORT]",
)


@click.group(cls=GatewayGroup)
def gateway() -> None:
    """Run the payment gateway: API, worker, accounts, keys, webhooks.

    Its settings are MOMO_GATEWAY_… and MOMO_DATABASE_URL in the environment, or a file: --config
    FILE or MOMO_GATEWAY_CONFIG.
    """


@gateway.command(examples=("momo gateway serve", "momo --config gateway.toml gateway serve"))
@_listening_options
@_metrics_option
def serve(host: str | None, port: int | None, metrics_port: int | None) -> int:
    """Run API and worker in one process: all that one machine needs.

    The database is brought to the present schema first when it is SQLite.
    """
    return _run("all", host=host, port=port, metrics_port=metrics_port)


@gateway.command(examples=("momo gateway api --port 8702",))
@_listening_options
@_metrics_option
def api(host: str | None, port: int | None, metrics_port: int | None) -> int:
    """Run the API alone; any number of them on any number of hosts, on PostgreSQL."""
    return _run("api", host=host, port=port, metrics_port=metrics_port)


@gateway.command(examples=("momo gateway worker --metrics-port 0",))
@_metrics_option
def worker(metrics_port: int | None) -> int:
    """Run a worker alone; any number of them on any number of hosts, on PostgreSQL."""
    return _run("worker", metrics_port=metrics_port)


@gateway.command(examples=("momo gateway migrate",))
def migrate() -> int:
    """Bring the database to the schema of this version; safe to repeat, and while others run it."""
    here = session()
    settings = gateway_settings(here)

    from momokit.gateway.start import migrate_database

    migrate_database(settings)
    shown = settings.database_shown
    give(here, {"database": shown, "migrated": True}, f"{shown} has the schema of this version.")
    return OK


@gateway.command(examples=("momo gateway backup /backups/gateway-monday.db",))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> int:
    """Copy a SQLite database to a new file while the gateway works."""
    here = session()
    if not gateway_settings(here).is_sqlite:
        raise InvalidInput(
            "PostgreSQL is backed up with its own tools.", field="file", hint="pg_dump, say."
        )
    try:
        # Made first, so that what holds phone numbers is never readable by others.
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise InvalidInput(f"{file} exists already.", field="file") from None
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}.", field="file") from None

    async def work(store: Store, _: Sealer) -> None:
        await store.backup(file)

    in_store(here, work)
    size = file.stat().st_size
    give(here, {"file": str(file), "bytes": size}, f"Copied to {file} ({size} bytes).")
    return OK


@gateway.command(examples=("momo gateway doctor", "momo gateway doctor --json"))
def doctor() -> int:
    """Check settings, database, accounts, clocks and what is late; sends nothing to MTN."""
    from momokit.cli.gateway_checks import examine

    here = session()
    findings = asyncio.run(examine(lambda: gateway_settings(here)))
    _report(here, findings)
    return PROBLEMS_FOUND if any(one.status == "problem" for one in findings) else OK


for _group in (
    accounts,
    keys,
    endpoints,
    limits,
    batches,
    stop_money,
    resume_money,
    hold,
    review,
    rehearse,
    links,
    invoices,
):
    gateway.add_command(_group)


def _report(here: Session, findings: list[Finding]) -> None:
    problems = sum(one.status == "problem" for one in findings)
    if here.as_json:
        give(here, {"problems": problems, "findings": [one.facts() for one in findings]})
        return
    rows = [
        (_MARKS[one.status], one.check, f"{one.what}\n→ {one.remedy}" if one.remedy else one.what)
        for one in findings
    ]
    table(here, ("", "check", "what"), rows)
    give(here, None, "", f"{problems} problem{'' if problems == 1 else 's'} found.")


def _run(role: Role, **given: Any) -> int:
    here = session()
    settings = gateway_settings(here, **given)
    from momokit.gateway.app import build
    from momokit.gateway.log import configure

    configure(log_format=settings.log_format, level=settings.log_level)

    async def run() -> None:
        running: Gateway = await build(settings, role)
        try:
            await running.run(ready=lambda one: _announce(here, one, settings))
        finally:
            await running.close()

    asyncio.run(run())
    return OK


def _announce(here: Session, running: Gateway, settings: GatewaySettings) -> None:
    metrics = None
    if settings.metrics_port:
        metrics = f"http://{settings.metrics_host}:{settings.metrics_port}/metrics"
    url = running.base_url
    names = [account.name for account in running.book.accounts]
    told = {
        "role": running.role,
        "base_url": url or None,
        "docs": f"{url}/docs" if url else None,
        "metrics": metrics,
        "database": settings.database_shown,
        "accounts": names,
    }
    lines = facts(
        {
            "API": url,
            "documents": told["docs"],
            "metrics": metrics,
            "database": told["database"],
            "accounts": ", ".join(names) or "none yet: momo gateway accounts add",
        }
    )
    give(here, told, *lines, "", "Ctrl-C stops it.")
    sys.stdout.flush()
    if url and settings.public_url is None:
        tell(
            here,
            "MTN cannot call back: MOMO_GATEWAY_PUBLIC_URL is not set. Payments are polled.",
            event="warning",
        )
