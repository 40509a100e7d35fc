"""`momo doctor`: the way from sandbox to production as checks, each with its remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from momokit.cli.ask_mtn import QUESTIONS
from momokit.cli.checks_callback import Outside, check_callback
from momokit.cli.checks_keys import check_product, read_user
from momokit.cli.checks_place import check_settings, check_way
from momokit.cli.command import Command
from momokit.cli.exits import OK, PROBLEMS_FOUND
from momokit.cli.findings import Finding, Status
from momokit.cli.options import language_option
from momokit.cli.output import console, give, table, tell
from momokit.cli.probe import Probe
from momokit.cli.session import Session, session
from momokit.errors import ConfigurationError
from momokit.settings import PRODUCTS, Product, Settings

_MARKS: dict[Status, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "warning": ("warning", "yellow"),
    "problem": ("PROBLEM", "bold red"),
    "not_checked": ("not checked", "magenta"),
    "by_hand": ("by hand", "cyan"),
}


@click.command(
    cls=Command,
    examples=(
        "momo doctor",
        "momo doctor --product disbursement --callback-url https://shop.example/momo",
        "momo --config production.env doctor --lang fr --json",
    ),
)
@click.option(
    "--product",
    "products",
    type=click.Choice(PRODUCTS),
    multiple=True,
    help="Only this product; all that have credentials when left out.",
)
@click.option("--callback-url", metavar="URL", help="The settings' own when left out.")
@language_option
def doctor(products: tuple[Product, ...], callback_url: str | None, language: str) -> int:
    """Check keys, host, target environment, currency, callback, clock and outgoing address.

    It asks for tokens and balances and moves no money. What only MTN can answer comes as a list at
    the end. Exits with 8 when there are problems.
    """
    here = session()
    findings: list[Finding] = []
    settings: Settings | None = None
    try:
        settings = here.settings()
    except ConfigurationError as error:
        findings.append(Finding("settings", "problem", error.message, error.hint))
    if settings is not None:
        with _watched(here) as show:
            for finding in examine(settings, products=products, callback_url=callback_url):
                show(finding)
                findings.append(finding)
    _report(here, settings, findings, language=language)
    problems = sum(finding.status == "problem" for finding in findings)
    return PROBLEMS_FOUND if problems else OK


def examine(
    settings: Settings,
    *,
    products: tuple[Product, ...] = (),
    callback_url: str | None = None,
    outside: Outside | None = None,
) -> Iterator[Finding]:
    """Make every check that a program can make, one after another."""
    yield from check_settings(settings)
    reachable = True
    registered: dict[str, str] = {}
    with Probe(settings) as probe:
        for finding in check_way(probe):
            reachable = reachable and finding.status != "problem"
            yield finding
        if reachable:
            yield from _check_products(probe, products, registered)
    yield from check_callback(
        settings,
        callback_url or settings.callback_url,
        registered=registered,
        outside=outside or Outside(),
    )


def _check_products(
    probe: Probe, products: tuple[Product, ...], registered: dict[str, str]
) -> Iterator[Finding]:
    settings = probe.settings
    held = [product for product in PRODUCTS if getattr(settings, product) is not None]
    for product in products or held:
        if product not in held:
            remedy = f"Set MOMO_{product.upper()}_SUBSCRIPTION_KEY, MOMO_API_USER, MOMO_API_KEY."
            yield Finding(f"{product}: credentials", "problem", "There are none.", remedy)
            continue
        credentials = settings.credentials(product)
        yield from check_product(probe, product, credentials)
        finding, host = read_user(probe, product, credentials)
        yield finding
        if host:
            registered[product] = host
    if not products and not held:
        yield Finding(
            "credentials",
            "problem",
            "No product has credentials.",
            "In the sandbox: momo sandbox provision. In production: MTN's partner portal.",
        )


@contextmanager
def _watched(here: Session) -> Iterator[Callable[[Finding], None]]:
    """Show each finding as it comes: as JSON, or in one living line on a terminal."""
    if here.as_json:
        yield lambda finding: tell(here, finding.what, event="checked", check=finding.check)
        return
    screen = console(here, err=True)
    if not screen.is_terminal:
        yield lambda _: None
        return
    with screen.status("asking MTN …") as line:
        yield lambda finding: line.update(f"{finding.check}: {finding.what}")


def _report(
    here: Session, settings: Settings | None, findings: list[Finding], *, language: str
) -> None:
    counts = Counter(finding.status for finding in findings)
    if here.as_json:
        told: dict[str, Any] = {
            "market": settings.place.name if settings else None,
            "host": settings.host_url if settings else None,
            "problems": counts["problem"],
            "counts": dict(counts),
            "findings": [finding.facts() for finding in findings],
            "ask_mtn": [{"name": one.name, "text": one.in_language(language)} for one in QUESTIONS],
        }
        give(here, told)
        return
    rows, styles = [], []
    for finding in findings:
        mark, style = _MARKS[finding.status]
        remedy = f"\n→ {finding.remedy}" if finding.remedy else ""
        rows.append((mark, finding.check, f"{finding.what}{remedy}"))
        styles.append("" if finding.status == "ok" else style)
    table(here, ("", "check", "what"), rows, styles=styles)
    title = "À régler avec MTN :" if language == "fr" else "To settle with MTN:"
    give(here, None, "", title, *(f"  □ {one.in_language(language)}" for one in QUESTIONS), "")
    give(here, None, ", ".join(f"{_MARKS[status][0]}: {count}" for status, count in counts.items()))
