"""Doctor's checks of the way to MTN: settings, host, TLS, clock, proxy, outgoing address."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2

from momokit.cli.findings import Finding
from momokit.cli.probe import Exchange, Probe, proxy_in_force
from momokit.settings import Settings

SKEW_SECONDS = 2.0


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Say what the settings amount to; incoherent ones were refused before this."""
    place = settings.place
    yield Finding(
        "settings",
        "ok",
        f"{place.name}: target environment {place.target_environment}, host {settings.host_url},"
        f" currency {place.currency}",
    )
    if place.note:
        yield Finding("market", "warning", place.note, "Ask your account manager at MTN.")


def check_way(probe: Probe) -> Iterator[Finding]:
    """Knock at the host once, and read from the answer what there is to read."""
    settings = probe.settings
    try:
        exchange = probe.knock()
    except (httpx2.HTTPError, OSError) as error:
        yield Finding(
            "host",
            "problem",
            f"{settings.host_url} cannot be reached: {type(error).__name__}.",
            "Check the network, the DNS, the proxy and the firewall (outgoing, port 443).",
        )
        return
    tls = f", {exchange.tls_version}" if exchange.tls_version else ""
    yield Finding("host", "ok", f"{settings.host_url} answers{tls}")
    yield check_clock(exchange)
    yield from _outgoing(settings, exchange)


def check_clock(exchange: Exchange) -> Finding:
    """Compare this machine's clock with the Date of an answer, which has whole seconds."""
    try:
        theirs = parsedate_to_datetime(exchange.date).timestamp() + 0.5
    except (TypeError, ValueError):
        return Finding("clock", "not_checked", "The host's answer has no date.")
    skew = (exchange.sent_at + exchange.answered_at) / 2 - theirs
    doubt = (exchange.answered_at - exchange.sent_at) / 2 + 0.5
    if abs(skew) <= SKEW_SECONDS + doubt:
        return Finding("clock", "ok", f"within {SKEW_SECONDS:g} s of the host's")
    direction = "ahead of" if skew > 0 else "behind"
    return Finding(
        "clock",
        "warning",
        f"This machine's clock is {abs(skew):.0f} s {direction} the host's.",
        "Turn on time synchronisation (NTP); lives of tokens and records of payments rest on it.",
    )


def _outgoing(settings: Settings, exchange: Exchange) -> Iterator[Finding]:
    proxy = proxy_in_force(settings)
    if proxy is not None:
        parts = urlsplit(proxy)
        yield Finding(
            "proxy",
            "ok",
            f"calls leave through the proxy {parts.hostname}:{parts.port or 80}",
            "MTN sees the proxy's address: that is the one to have listed.",
        )
    if settings.is_local:
        yield Finding("outgoing address", "ok", "calls stay on this machine")
        return
    yield Finding(
        "outgoing address",
        "by_hand",
        f"Calls leave from {exchange.local_address or 'this machine'}; behind NAT or a proxy MTN"
        " sees another, public address, which cannot be known from here.",
        "Find out the public outgoing address, keep it fixed, and have MTN list it: production"
        " answers 403 to disbursements from other addresses.",
    )
